# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a director's kernel tells of it, and its daemons (daemons.py): what the program reads."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from typing import Any, Callable, Iterator, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_text
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state
from ansible_collections.lvs.topology.plugins.module_utils._metrics import connection_states, daemons
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import BIRD, CONNTRACKD, Description
from ansible_collections.lvs.topology.plugins.module_utils._metrics.samples import Readings, entries
from ansible_collections.lvs.topology.plugins.module_utils._net.host_lists import HostLists
from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# The kernel looks for the place where it was anew in each piece of the list that it hands out, so reading takes four
# times as long for twice as many connections.
MOST_CONNECTIONS = 50_000
_SECONDS = 2.0
_NETFILTER = "/proc/sys/net/netfilter"
_NETFILTER_FAILURES = "/proc/net/stat/nf_conntrack"
_FAILURES = ("drop", "early_drop", "insert_failed")
# struct nlmsghdr, and struct ifaddrmsg with the family first and the interface's number last.
_HEADER_BYTES = 16
_IFADDRMSG = struct.Struct("=BBBBI")
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_FAMILIES = (int(socket.AF_INET), int(socket.AF_INET6))


class Read(NamedTuple):
    """What was read, and what kept sources from being read."""

    readings: Readings
    problems: tuple[str, ...]


def read(described: Description) -> Read:
    """Everything. A source that cannot be read is said, and keeps no other one from being read."""
    found: dict[str, Any] = {}
    sources: dict[str, bool] = {}
    problems: list[str] = []

    @contextlib.contextmanager
    def source(name: str) -> Iterator[None]:
        sources[name] = False
        try:
            yield
            sources[name] = True
        except (Refused, OSError, ValueError) as problem:
            problems.append(f"{name}: {problem}")

    with source("ipvs"):
        with Ipvs(load_module=None) as kernel:
            info = kernel.info()
            if info is None:
                raise Refused("the kernel has no IPVS table: the module ip_vs is not loaded")
            found["buckets"] = info.table_size
            found["daemons"] = tuple(kernel.daemons())
            found["table"] = kernel.table(counters=True)
        found["totals"] = proc.total_counters()
    if "table" in found and entries(found["table"]) <= MOST_CONNECTIONS:
        with source("connections"):
            found["states"] = _states()
    with source("addresses"):
        found["addresses"] = _addresses()
    with source("conntrack"):
        found.update(_conntrack())
    if described.programs:
        with source("processes"):
            found["running"] = _running(described.programs)
    # Where it is not known what runs, daemons are asked.
    running = found.get("running", described.programs)
    if described.sessions:
        found["bird"] = bird_text.SILENCE
        if BIRD in running:
            found["bird"] = None
            with source("bird"):
                families = {6 if ":" in vip.address else 4 for vip in described.vips if vip.aggregate}
                found["bird"] = daemons.bird(described.sessions, sorted(families))
    if described.conntrackd and CONNTRACKD in running:
        with source("conntrackd"):
            found["replicated"] = daemons.conntrackd()
    if any(service.guard for service in described.services):
        with source("guard"):
            found["guard"] = _guard()
    return Read(Readings(sources, **found), tuple(problems))


def _states() -> connection_states.States | None:
    """None: it took too long, which is no failure."""
    listing = proc.open_connections(with_origin=False)
    if listing is None:
        return {}
    with listing, contextlib.suppress(connection_states.TooSlow):
        return connection_states.count(listing, _until(time.monotonic() + _SECONDS))
    return None


def _until(end: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < end


def _guard() -> guard_state.State:
    state = guard_state.read()
    if state is None:
        raise Refused(f"nothing guards the services with min_up: {guard_state.PATH} names no process that runs")
    return state


def _addresses() -> frozenset[tuple[str, str]]:
    """Every address of this network namespace, with its interface."""
    names = dict(socket.if_nameindex())
    with HostLists() as kernel:
        listed = [held(entry) for entry in kernel.addresses()]
    return frozenset((address, names.get(index, "")) for address, index in filter(None, listed))


def held(entry: bytes) -> tuple[str, int] | None:
    """The address of an entry, and the number of its interface; None for one of another family."""
    family, _prefix, _flags, _scope, index = _IFADDRMSG.unpack_from(entry, _HEADER_BYTES)
    if family not in _FAMILIES:
        return None
    attributes = messages.attributes_of(entry[_HEADER_BYTES + _IFADDRMSG.size :])
    # Of a link between two ends, the other attribute has the far end.
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    return (socket.inet_ntop(family, packed), index) if packed else None


def _conntrack() -> Iterator[tuple[str, Any]]:
    """Connections that netfilter knows and may know, and what it failed to do. A kernel that keeps track of none has no
    such files."""
    with contextlib.suppress(FileNotFoundError):
        count, limit = (int(_text(f"{_NETFILTER}/nf_conntrack_{name}")) for name in ("count", "max"))
        yield "conntrack", (count, limit)
        yield "conntrack_failures", failures_of(_text(_NETFILTER_FAILURES))


def failures_of(text: str) -> dict[str, int]:
    """A line with the names of the columns, and one for each processor. The numbers are hexadecimal."""
    names, *rows = (line.split() for line in text.splitlines())
    positions = {name: names.index(name) for name in _FAILURES if name in names}
    return {name: sum(int(row[position], 16) for row in rows) for name, position in positions.items()}


def _running(programs: frozenset[str]) -> frozenset[str]:
    """Of which programs a process runs. What another one runs, only root with all rights could see."""
    found = set()
    for process in os.listdir("/proc"):
        if process.isdigit():
            # It may end while it is looked at.
            with contextlib.suppress(OSError):
                found.add(program_of(_text(f"/proc/{process}/stat")))
    return programs & found


def program_of(stat: str) -> str:
    """The name of a process, which may hold any character; empty for one that has ended already."""
    start, _bracket, rest = stat.rpartition(") ")
    return "" if rest[:1] in ("Z", "X") else start.partition(" (")[2]


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        return file.read()
