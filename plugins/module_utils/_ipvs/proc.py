# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IPVS and the host tell in files. Reads, and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from typing import BinaryIO, Iterable

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Counters
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# include/uapi/linux/sockios.h, and struct ifreq of if.h.
_SIOCGIFMTU = 0x8921
_IFREQ = struct.Struct("=16si20x")


def open_connections(with_origin: bool) -> BinaryIO | None:
    """The list of connections, to be read line by line; None where there is no IPVS."""
    return _open("/proc/net/ip_vs_conn_sync" if with_origin else "/proc/net/ip_vs_conn")


def total_counters() -> Counters:
    """What all services together counted, those that are gone included."""
    listing = _open("/proc/net/ip_vs_stats")
    if listing is None:
        return Counters()
    with listing:
        rows = listing.read().splitlines()
    try:
        # Totals are in the third line, rates in the sixth.
        return Counters(*(int(word, 16) for row in (rows[2], rows[5]) for word in row.split()))
    except (IndexError, TypeError, ValueError) as problem:
        raise OddAnswer("the kernel's file ip_vs_stats is not as it was since Linux 2.6") from problem


def sysctls(names: Iterable[str]) -> dict[str, int]:
    """The numbers below net.ipv4.vs of these names, as far as this kernel has them."""
    found = {}
    for name in names:
        file = _open(f"/proc/sys/net/ipv4/vs/{name}")
        if file is not None:
            with file:
                found[name] = int(file.read())
    return found


def mtus() -> dict[str, int]:
    """The interfaces of this network namespace. A container may be without /sys, or have that of another namespace."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _index, name in socket.if_nameindex():
            # The interface may be gone by now.
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(any_socket, _SIOCGIFMTU, _IFREQ.pack(os.fsencode(name), 0))
                found[name] = _IFREQ.unpack(answer)[1]
    return found


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise Refused(f"{path} cannot be read: {problem.strerror}. Run as root.") from problem
