# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling the neighbours on a segment where an address is now: gratuitous ARP, unsolicited neighbour advertisement."""

from __future__ import annotations

import ipaddress
import socket
import struct
import time

_ROUNDS = 3
_PAUSE = 0.05
_ETH_P_ARP = 0x0806
_ETH_P_IPV6 = 0x86DD
_ARPHRD_ETHER = 1
_ARP_REQUEST = 1
_ARP_REPLY = 2
_BROADCAST = b"\xff" * 6
_ALL_NODES = ipaddress.IPv6Address("ff02::1")
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ICMPV6 = 58
_NEIGHBOUR_ADVERTISEMENT = 136
_OVERRIDE = 0x20000000


def arp_frames(mac: bytes, address: ipaddress.IPv4Address) -> list[bytes]:
    """A request and a reply for the own address, as arping -U and -A send: some hosts heed only one of them."""
    return [
        _BROADCAST
        + mac
        + struct.pack("!HHHBBH", _ETH_P_ARP, _ARPHRD_ETHER, 0x0800, 6, 4, operation)
        + mac
        + address.packed
        + (_BROADCAST if operation == _ARP_REQUEST else mac)
        + address.packed
        for operation in (_ARP_REQUEST, _ARP_REPLY)
    ]


def advertisement_frame(mac: bytes, address: ipaddress.IPv6Address) -> bytes:
    """An unsolicited neighbour advertisement to all nodes, which overrides what they have cached (RFC 4861, 7.2.6)."""
    head = struct.pack("!BBHI", _NEIGHBOUR_ADVERTISEMENT, 0, 0, _OVERRIDE)
    message = head + address.packed + b"\x02\x01" + mac
    pseudo = address.packed + _ALL_NODES.packed + struct.pack("!II", len(message), _ICMPV6)
    checksum = _internet_checksum(pseudo + message)
    message = message[:2] + struct.pack("!H", checksum) + message[4:]
    # Hop limit 255 is how receivers know that no router forwarded it.
    header = struct.pack("!IHBB", 0x60000000, len(message), _ICMPV6, 255) + address.packed + _ALL_NODES.packed
    return _ALL_NODES_MAC + mac + struct.pack("!H", _ETH_P_IPV6) + header + message


def announce(address: str, interface: str) -> None:
    """Send the frames from the interface; OSError where it cannot send."""
    parsed = ipaddress.ip_address(address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        mac = sender.getsockname()[4]
        if isinstance(parsed, ipaddress.IPv4Address):
            frames = arp_frames(mac, parsed)
        else:
            frames = [advertisement_frame(mac, parsed)]
        for number in range(_ROUNDS):
            if number:
                time.sleep(_PAUSE)
            for frame in frames:
                sender.send(frame)


def _internet_checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
