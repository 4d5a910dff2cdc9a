# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a LAN who answers ARP for an address. Nobody learns anything from the question (RFC 5227, section 2.1.1).

The question has no sender's address, so the caches of neighbours stay as they are. The host that asks does not hear its
own question, so whoever answers is somebody else.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import time
from typing import Iterable, Iterator

from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_ETH_P_ARP = 0x0806
_ARPHRD_ETHER, _ETH_P_IP, _REQUEST, _REPLY = 1, 0x0800, 1, 2
_HEADER = struct.Struct("!6s6sH HHBBH 6s4s6s4s")
_BROADCAST, _NOBODY = b"\xff" * 6, bytes(6)
# The question is repeated, because a LAN may lose one.
_QUESTIONS, _PAUSE = 3, 0.4


def who_has(interface: str, addresses: Iterable[str]) -> dict[str, list[str]]:
    """By address, the hardware addresses that answered on the interface's LAN."""
    asked = {ipaddress.IPv4Address(address).packed: address for address in addresses}
    found: dict[str, set[str]] = {address: set() for address in asked.values()}
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ARP)) as wire:
            wire.bind((interface, _ETH_P_ARP))
            *_place, kind, own = wire.getsockname()
            if kind != _ARPHRD_ETHER:
                raise Refused(f"{interface} is no Ethernet, so nobody answers ARP there.")
            for _question in range(_QUESTIONS):
                for target in asked:
                    wire.send(_question_for(target, own))
                for sender, hardware in _replies(wire, _PAUSE):
                    if sender in asked and hardware != own:
                        found[asked[sender]].add(hardware.hex(":"))
    except OSError as problem:
        raise Refused(f"ARP cannot be asked on {interface}: {problem.strerror}.") from problem
    return {address: sorted(answers) for address, answers in found.items()}


def _question_for(target: bytes, own: bytes) -> bytes:
    header = (_BROADCAST, own, _ETH_P_ARP, _ARPHRD_ETHER, _ETH_P_IP, len(own), len(target), _REQUEST)
    return _HEADER.pack(*header, own, bytes(4), _NOBODY, target)


def _replies(wire: socket.socket, seconds: float) -> Iterator[tuple[bytes, bytes]]:
    """The sender's protocol and hardware address of each answer within so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([wire], [], [], left)[0]:
            return
        packet = wire.recv(1514)
        if len(packet) >= _HEADER.size:
            fields = _HEADER.unpack_from(packet)
            if fields[2:8] == (_ETH_P_ARP, _ARPHRD_ETHER, _ETH_P_IP, 6, 4, _REPLY):
                yield fields[9], fields[8]
