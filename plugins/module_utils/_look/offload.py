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
    """Of these interfaces, or those below them (the ports of a bond, what a VLAN is on), those that do it.

    A bond has LRO switched on from the beginning, which only says that its ports may: by itself it receives nothing.
    """
    found = dict.fromkeys(lowest for each in interfaces for lowest in _lowest(each))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return [name for name in found if flags(any_socket, name) & _ETH_FLAG_LRO]


def flags(any_socket: socket.socket, name: str) -> int:
    """What ethtool calls flags; 0 where there is no such interface, or its driver has none."""
    asked = array.array("I", [_ETHTOOL_GFLAGS, 0])
    with contextlib.suppress(OSError):
        # The kernel writes its answer to where the request points.
        fcntl.ioctl(any_socket, _SIOCETHTOOL, _REQUEST.pack(os.fsencode(name), asked.buffer_info()[0]))
    return asked[1]


def _lowest(name: str) -> Iterator[str]:
    """The interfaces by which it receives: itself, where there is none below it."""
    below: list[str] = []
    # The interface may be gone by now.
    with contextlib.suppress(OSError):
        below = [each[len(_LOWER) :] for each in sorted(os.listdir(f"{_DEVICES}/{name}")) if each.startswith(_LOWER)]
    if not below:
        yield name
    for each in below:
        yield from _lowest(each)
