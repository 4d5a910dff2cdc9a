# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that change while the kernel hands them out."""

from __future__ import annotations

import errno
import struct
from typing import Any, Iterable

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._net import host_lists
from ansible_collections.lvs.topology.plugins.module_utils._net.host_lists import HostLists
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_INTERRUPTED = 0x10
_DONE, _ERROR = 3, 2
_INET6 = 10


def message(payload: bytes, sequence: int, kind: int = 24, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload.ljust(-(-len(payload) // 4) * 4)


class Kernel:
    """A socket whose answers are given: one list of (payloads, flags, error) for each request."""

    def __init__(self, answers: Iterable[tuple[list[bytes], int, int]]) -> None:
        self._answers = iter(answers)
        self._waiting: list[bytes] = []
        self.requests = 0

    def send(self, data: bytes) -> None:
        self.requests += 1
        (sequence,) = struct.unpack_from("=I", data, 8)
        payloads, flags, error = next(self._answers)
        end = message(struct.pack("=i", -error), sequence, _DONE, flags)
        self._waiting = [b"".join(message(each, sequence) for each in payloads) + end]

    def recvmsg_into(self, buffers: list[bytearray]) -> tuple[int, list[Any], int, None]:
        answer = self._waiting.pop(0)
        buffers[0][: len(answer)] = answer
        return len(answer), [], 0, None

    def close(self) -> None:
        pass


def lists(answers: Iterable[tuple[list[bytes], int, int]]) -> tuple[HostLists, Kernel]:
    asked = HostLists()
    asked.close()
    kernel = Kernel(answers)
    asked._socket = kernel  # type: ignore[assignment] # all that is asked of a socket
    return asked, kernel


def address(number: int) -> bytes:
    return struct.pack("=BBBBI", 2, 32, 0, 0, number)


def route(number: int, age: int = 0, table: int = 254) -> bytes:
    attributes = struct.pack("=HHI", 8, 6, number) + struct.pack("=HHI", 8, 12, age)
    return struct.pack("=BBBBBBBBI", _INET6, 128, 0, 0, table, 4, 0, 1, 0) + attributes


def numbers(entries: list[bytes]) -> list[int]:
    return [struct.unpack_from("=I", entry, 16 + 12 + 4)[0] for entry in entries]


def test_what_was_interrupted_is_read_again() -> None:
    whole = [address(1), address(2)]
    asked, kernel = lists([([address(1)], _INTERRUPTED, 0), ([address(2)], 0, errno.EINTR), (whole, 0, 0)])
    assert [entry[16:] for entry in asked.addresses()] == whole
    assert kernel.requests == 3


def test_what_never_holds_still_is_refused() -> None:
    asked, kernel = lists([([address(1)], _INTERRUPTED, 0)] * 1000)
    with pytest.raises(Refused, match="changed, 100 times"):
        asked.addresses()
    assert kernel.requests == 100


def test_a_kernel_without_the_family_has_no_entries() -> None:
    asked, _kernel = lists([([], 0, errno.EAFNOSUPPORT)] * 2)
    assert asked.routes(_INET6, 254) == []


def test_routes_are_compared_because_the_kernel_does_not_tell() -> None:
    torn, whole = [route(1)], [route(1), route(2)]
    asked, kernel = lists([(torn, 0, 0), (whole, 0, 0), (whole, 0, 0)])
    assert numbers(asked.routes(_INET6, 254)) == [1, 2]
    assert kernel.requests == 3


def test_ages_do_not_count_and_neither_do_other_tables() -> None:
    asked, kernel = lists([([route(1, 5), route(7, 0, 10)], 0, 0), ([route(1, 6), route(8, 0, 10)], 0, 0)])
    assert numbers(asked.routes(_INET6, 254)) == [1]
    assert kernel.requests == 2


def test_of_what_never_comes_out_the_same_everything_counts() -> None:
    asked, _kernel = lists(([route(number)], 0, 0) for number in range(100))
    assert numbers(asked.routes(_INET6, 254)) == list(reversed(range(host_lists._COMPARED)))
