# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interfaces put received packets together to larger ones in a way that cannot be undone (LRO).

What is put together by GRO is taken apart again where it is forwarded, and so is the same of a card (rx-gro-hw).
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import socket
import struct
from typing import Iterable, Iterator

# include/uapi/linux/{sockios,ethtool}.h
_SIOCETHTOOL, _ETHTOOL_GFLAGS, _ETH_FLAG_LRO = 0x8946, 0x25, 1 << 15
_REQUEST = struct.Struct("16sP16x")
_DEVICES = "/sys/class/net"
_LOWER = "lower_"


def large_receive(interfaces: Iterable[str]) -> list[str]:
    """Of these interfaces and those below them (the ports of a bond, what a VLAN is on), those that do it."""
    found = dict.fromkeys(below for each in interfaces for below in _with_lower(each))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return [name for name in found if flags(any_socket, name) & _ETH_FLAG_LRO]


def flags(any_socket: socket.socket, name: str) -> int:
    """What ethtool calls flags; 0 where there is no such interface, or its driver has none."""
    asked = array.array("I", [_ETHTOOL_GFLAGS, 0])
    with contextlib.suppress(OSError):
        # The kernel writes its answer to where the request points.
        fcntl.ioctl(any_socket, _SIOCETHTOOL, _REQUEST.pack(os.fsencode(name), asked.buffer_info()[0]))
    return asked[1]


def _with_lower(name: str) -> Iterator[str]:
    yield name
    # The interface may be gone by now.
    with contextlib.suppress(OSError):
        for each in sorted(os.listdir(f"{_DEVICES}/{name}")):
            if each.startswith(_LOWER):
                yield from _with_lower(each[len(_LOWER) :])
