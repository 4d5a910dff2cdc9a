# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs of this host listen on, as /proc/net has it. Pure, but for the one function that reads the files."""

from __future__ import annotations

import contextlib
import ipaddress
import struct
from typing import Collection, Iterator, NamedTuple

_FILES = {("tcp", 4): "tcp", ("tcp", 6): "tcp6", ("udp", 4): "udp", ("udp", 6): "udp6"}
# include/net/tcp_states.h: TCP_LISTEN, and what an unconnected UDP socket is in.
_LISTENS = {"tcp": "0A", "udp": "07"}


class Listener(NamedTuple):
    """A socket that takes packets. The address of one that takes those to any is 0.0.0.0 or ::."""

    protocol: str
    address: str
    port: int


def listeners(ports: Collection[int]) -> list[Listener]:
    """Those on these ports, in our network namespace."""
    found: set[Listener] = set()
    for (protocol, _family), name in _FILES.items():
        # Without IPv6 there are only two of the files.
        with contextlib.suppress(FileNotFoundError), open(f"/proc/self/net/{name}", encoding="ascii") as file:
            found.update(each for each in parse(file, protocol) if each.port in ports)
    return sorted(found)


def parse(lines: Iterator[str], protocol: str) -> Iterator[Listener]:
    """The listeners among the lines of one file."""
    next(lines, None)  # the names of the columns
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[3] == _LISTENS[protocol]:
            address, _colon, port = words[1].partition(":")
            yield Listener(protocol, _text(address), int(port, 16))


def _text(digits: str) -> str:
    """The kernel prints the address as numbers of 32 bits in the host's own order."""
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    # A socket of IPv6 that takes IPv4.
    return str(getattr(address, "ipv4_mapped", None) or address)
