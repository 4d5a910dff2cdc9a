# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IPVS and the host tell in files. Reads, and nothing else."""

from __future__ import annotations

import os
from typing import BinaryIO, Iterable

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Counters
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_DEVICES = "/sys/class/net"


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
    """The interfaces of this network namespace."""
    found = {}
    for name in os.listdir(_DEVICES):
        try:
            with open(f"{_DEVICES}/{name}/mtu", encoding="ascii") as file:
                found[name] = int(file.read())
        except OSError:
            continue  # bonding_masters is a file, and an interface may be gone by now
    return found


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise Refused(f"{path} cannot be read: {problem.strerror}. Run as root.") from problem
