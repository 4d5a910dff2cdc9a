# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codec on answers that no kernel gives: one kind of error, and never a hang."""

from __future__ import annotations

import contextlib
import struct

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import codec
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Action,
    Daemon,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
    SetTimeouts,
    StartDaemon,
    StopDaemon,
    Timeouts,
    Zero,
)
from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from hypothesis import given
from hypothesis import strategies as st

from .strategies import daemons, destinations, services


def payload(message: bytes) -> bytes:
    """What is behind the netlink header of an answer: the kernel's answers are laid out like requests."""
    return message[16:]


@given(services())
def test_service_round_trip(service: Service) -> None:
    message = codec.Encoder(28).encode(Action("add", service), messages.NLM_F_ACK, 7)
    assert len(message) % 4 == 0
    ((kind, flags, sequence, _payload),) = messages.split(message)
    assert (kind, flags, sequence) == (28, 5, 7)
    assert codec.decode_service(payload(message)) == service


@given(services(), destinations())
def test_destination_round_trip(service: Service, destination: Destination) -> None:
    message = codec.Encoder(28).encode(Action("edit", service, destination), 0, 7)
    assert struct.unpack_from("=I", message)[0] == len(message)
    assert codec.decode_destination(payload(message), service.key.family) == destination


@given(services(), destinations())
def test_deletion_names_only_keys(service: Service, destination: Destination) -> None:
    encoder = codec.Encoder(28)
    message = encoder.encode(Action("delete", service, destination), 0, 1)
    bare = Action("delete", Service(service.key), Destination(destination.key))
    assert encoder.encode(bare, 0, 1) == message


@given(daemons())
def test_daemon_round_trip(daemon: Daemon) -> None:
    message = codec.setting_request(28, StartDaemon(daemon), messages.NLM_F_ACK, 7)
    ((kind, flags, sequence, _payload),) = messages.split(message)
    assert (kind, flags, sequence) == (28, 5, 7)
    assert codec.decode_daemon(payload(message)) == daemon


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.integers(0, 2**31))
def test_timeouts_round_trip(tcp: int, tcpfin: int, udp: int) -> None:
    timeouts = Timeouts(tcp, tcpfin, udp)
    assert codec.decode_timeouts(payload(codec.setting_request(28, SetTimeouts(timeouts), 0, 7))) == timeouts


def test_what_is_stopped_and_zeroed() -> None:
    stop = codec.setting_request(28, StopDaemon("backup"), 0, 7)
    assert payload(stop) == struct.pack("=BBxx HH HHI", 10, 1, 12, 3, 8, 1, 2)
    assert payload(codec.setting_request(28, Zero(), 0, 7)) == struct.pack("=BBxx", 16, 1)
    one = payload(codec.setting_request(28, Zero(SERVICE.key), 0, 7))
    assert one == struct.pack("=BBxx", 16, 1) + codec.service_reference(SERVICE.key)


def decode_destination(data: bytes, **more: bool) -> Destination:
    return codec.decode_destination(data, "ipv4", **more)


DECODERS = [
    lambda data: list(messages.split(data)),
    lambda data: codec.decode_service(data, counters=True),
    lambda data: codec.decode_destination(data, "ipv4", counters=True),
    messages.family_number,
    codec.decode_info,
    codec.decode_timeouts,
    codec.decode_daemon,
    messages.error_number,
    messages.done_error,
]


@given(st.sampled_from(DECODERS), st.binary(max_size=300))
def test_any_bytes(decode, data: bytes) -> None:
    with contextlib.suppress(messages.OddAnswer):
        decode(data)


STATS64 = b"".join(struct.pack("=HHQ", 12, kind, 2**64 - kind) for kind in range(1, 11))
SERVICE = Service(ServiceKey("ipv6", "udp", "fd00::1", 53), "sh", frozenset({"flag-2"}), True, 9, 64, "sip")
DESTINATION = Destination(DestinationKey("10.0.0.2", 80), "tun", 3, 9, 5, "gue", 5555, "remote")


def service_answer(stats: bytes = struct.pack("=HH", 4 + len(STATS64), 12) + STATS64) -> bytes:
    body = codec.service_body(SERVICE)[4:] + stats
    return struct.pack("=BBxx", 1, 1) + struct.pack("=HH", 4 + len(body), 1) + body


def destination_answer() -> bytes:
    counts = b"".join(struct.pack("=HHI", 8, kind, kind) for kind in (7, 8, 9))
    body = codec.destination_body(DESTINATION)[4:] + counts + struct.pack("=HH", 4 + len(STATS64), 12) + STATS64
    return struct.pack("=BBxx", 5, 1) + struct.pack("=HH", 4 + len(body), 2) + body


DAEMON = Daemon("backup", "eth1", 5, 1472, "ff02::81", 8848, 1)


def daemon_answer() -> bytes:
    return payload(codec.setting_request(28, StartDaemon(DAEMON), 0, 7))


def info_answer() -> bytes:
    return struct.pack("=BBxx HHI HHI", 14, 1, 8, 1, 0x010201, 8, 2, 4096)


def test_counters_of_64_and_32_bits() -> None:
    assert codec.decode_service(service_answer(), counters=True).counters.conns == 2**64 - 1
    narrow = struct.pack("=HHI", 8, 1, 7) + struct.pack("=HHQ", 12, 4, 2**40)
    counters = codec.decode_service(
        service_answer(struct.pack("=HH", 4 + len(narrow), 10) + narrow), counters=True
    ).counters
    assert (counters.conns, counters.inbytes, counters.outbps) == (7, 2**40, 0)
    destination = codec.decode_destination(destination_answer(), "ipv4", counters=True)
    assert vars(destination.connections) == {"active": 7, "inactive": 8, "persistent": 9}
    assert destination == DESTINATION


ANSWERS = {
    "service": (lambda data: codec.decode_service(data, counters=True), service_answer),
    "destination": (lambda data: codec.decode_destination(data, "ipv4", counters=True), destination_answer),
    "daemon": (codec.decode_daemon, daemon_answer),
    "info": (codec.decode_info, info_answer),
}


@pytest.mark.parametrize("name", ANSWERS)
@given(data=st.data())
def test_truncated_and_mutated_answers(name: str, data: st.DataObject) -> None:
    """Cut anywhere, with some bytes replaced, inserted, taken out or doubled: understood, or one kind of error."""
    decode, answer_of = ANSWERS[name]
    answer = bytearray(answer_of())
    for _number in range(data.draw(st.integers(0, 5))):
        at, length = data.draw(st.integers(0, len(answer))), data.draw(st.integers(0, 8))
        part = data.draw(st.one_of(st.binary(max_size=8), st.just(bytes(answer[at : at + length]) * 2)))
        answer[at : at + length] = part
    del answer[data.draw(st.integers(0, len(answer))) :]
    with contextlib.suppress(messages.OddAnswer):
        decode(bytes(answer))
    message = struct.pack("=IHHII", 16 + len(answer), 28, 0, 7, 0) + bytes(answer)
    cut = data.draw(st.integers(0, len(message)))
    with contextlib.suppress(messages.OddAnswer):
        assert len(list(messages.split(message[:cut] + message))) <= len(message) // 8


def test_every_truncation_of_an_answer_is_an_error() -> None:
    for decode, answer_of in ANSWERS.values():
        answer = answer_of()
        decode(answer)
        for length in range(len(answer)):
            with pytest.raises(messages.OddAnswer):
                decode(answer[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\1", "1 bytes are left"),
        (struct.pack("=IHHII", 15, 0, 0, 0, 0), "says it has 15 bytes"),
        (struct.pack("=IHHII", 0, 0, 0, 0, 0), "says it has 0 bytes"),
        (struct.pack("=IHHII", 99, 0, 0, 0, 0), "says it has 99 bytes"),
    ],
)
def test_bad_messages(data: bytes, message: str) -> None:
    with pytest.raises(messages.OddAnswer, match=message):
        list(messages.split(data))


def test_what_is_unknown_is_named() -> None:
    unknown = destination_answer().replace(struct.pack("=HHBxxx", 5, 13, 1), struct.pack("=HHBxxx", 5, 13, 9))
    with pytest.raises(messages.OddAnswer, match="tunnel type 9 is not known here"):
        codec.decode_destination(unknown, "ipv4")


def test_an_old_kernel_says_no_family_and_no_tunnel() -> None:
    body = (
        struct.pack("=HH16s", 20, 1, bytes([10, 0, 0, 2]))
        + struct.pack("=HH2sxx", 6, 2, b"\0\x50")
        + b"".join(struct.pack("=HHI", 8, kind, value) for kind, value in ((3, 3), (4, 1), (5, 0), (6, 0)))
    )
    answer = struct.pack("=BBxx", 5, 1) + struct.pack("=HH", 4 + len(body), 2) + body
    assert codec.decode_destination(answer, "ipv4") == Destination(DestinationKey("10.0.0.2", 80))
