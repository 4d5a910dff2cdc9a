# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read on a director, and what its model says, to the samples of its metrics. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Iterable, Iterator, Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_text
from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import Counts
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DAEMON_STATES,
    Counters,
    Daemon,
    Destination,
    DestinationKey,
    Table,
)
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state
from ansible_collections.lvs.topology.plugins.module_utils._metrics import catalogue, description
from ansible_collections.lvs.topology.plugins.module_utils._metrics.catalogue import REAL_SERVER, SERVICE
from ansible_collections.lvs.topology.plugins.module_utils._metrics.connection_states import States
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import (
    Description,
    RealServer,
    Service,
    Vip,
)
from ansible_collections.lvs.topology.plugins.module_utils._metrics.exposition import (
    Block,
    Number,
    labels_text,
    one,
    several,
)


class Readings(NamedTuple):
    """What was read. None: it could not be, or there is none. ``sources`` says of each source whether it could."""

    sources: Mapping[str, bool]
    table: Table | None = None
    totals: Counters | None = None
    buckets: int | None = None
    daemons: tuple[Daemon, ...] | None = None
    states: States | None = None
    conntrack: tuple[int, int] | None = None
    conntrack_failures: Mapping[str, int] | None = None
    # Addresses with their interfaces.
    addresses: frozenset[tuple[str, str]] | None = None
    # Which of the programs that are to run do so.
    running: frozenset[str] | None = None
    bird: bird_text.Said | None = None
    replicated: Counts | None = None
    # What the guard of services with min_up has written down.
    guard: guard_state.State | None = None


class About(NamedTuple):
    """What the program says of itself."""

    program: str
    python: str
    time: float
    duration: float


def blocks(described: Description, found: Readings, about: About) -> Iterator[Block]:
    """Every metric of a director, each once."""
    yield one("lvs_topology_build_info", 1, about.program, about.python)
    yield one("lvs_topology_last_run_timestamp_seconds", round(about.time, 3))
    yield one("lvs_topology_interval_seconds", described.interval)
    yield one("lvs_topology_run_duration_seconds", round(about.duration, 3))
    yield several("lvs_topology_source_up", [((name,), int(is_up)) for name, is_up in found.sources.items()])
    if found.totals is not None:
        for metric, value in zip(catalogue.TOTALS, _counted(found.totals)):
            yield one(metric.name, value)
    if found.buckets is not None:
        yield one("lvs_connection_table_buckets", found.buckets)
    yield one("lvs_connection_states_counted", int(found.states is not None))
    yield from _conntrack(found)
    yield from _vips(described, found)
    if described.keepalived and found.running is not None:
        yield one("lvs_keepalived_running", int(description.KEEPALIVED in found.running))
    if described.sessions:
        yield from _bgp(described, found)
    if described.conntrackd:
        yield from _replicated(described, found)
    yield one("lvs_sync_daemons_configured", described.sync_daemons)
    if found.daemons is not None:
        running = {daemon.state for daemon in found.daemons}
        yield several("lvs_sync_daemon_running", [((state,), int(state in running)) for state in DAEMON_STATES])
    if found.table is not None:
        yield one("lvs_connection_table_entries", entries(found.table))
        yield from _Tables(described, found.table).blocks(found.states)
    if found.guard is not None:
        yield from _guarded(described, found.guard)


def entries(table: Table) -> int:
    """How many connections the table knows, by what it counts anyway."""
    pools = (entry.destinations.values() for entry in table.values())
    counted = (destination.connections for pool in pools for destination in pool)
    return sum(each.active + each.inactive + each.persistent for each in counted if each)


def _counted(counters: Counters) -> tuple[int, ...]:
    return (counters.conns, counters.inpkts, counters.outpkts, counters.inbytes, counters.outbytes)


def _conntrack(found: Readings) -> Iterator[Block]:
    if found.conntrack is not None:
        count, limit = found.conntrack
        yield one("lvs_conntrack_entries", count)
        yield one("lvs_conntrack_entries_limit", limit)
    if found.conntrack_failures is not None:
        failures = found.conntrack_failures
        yield several("lvs_conntrack_failures_total", [((reason,), failures[reason]) for reason in sorted(failures)])


def _vips(described: Description, found: Readings) -> Iterator[Block]:
    directors = ",".join(described.directors)
    yield several("lvs_vip_holders", [((directors, vip.address), vip.holders) for vip in described.vips])
    if found.addresses is not None:
        yield several(
            "lvs_vip_held",
            [
                ((directors, vip.address, vip.interface), int((vip.address, vip.interface) in found.addresses))
                for vip in described.vips
            ],
        )


def _bgp(described: Description, found: Readings) -> Iterator[Block]:
    directors = ",".join(described.directors)
    vips = [vip for vip in described.vips if vip.announcers]
    yield several("lvs_vip_announcers", [((directors, vip.address), vip.announcers) for vip in vips])
    yield several(
        "lvs_aggregate_announcers", [((directors, each.prefix), each.announcers) for each in described.aggregates]
    )
    if found.running is not None:
        yield one("lvs_bird_running", int(description.BIRD in found.running))
    said = found.bird
    if said is None:
        return
    told = {vip: vip.address in said.announced or _is_covered(vip, said) for vip in vips}
    yield several("lvs_vip_announced", [((directors, vip.address), int(is_told)) for vip, is_told in told.items()])
    yield several(
        "lvs_aggregate_announced",
        [((directors, each.prefix), int(each.prefix in said.announced)) for each in described.aggregates],
    )
    states = [(each, said.states.get(each.name)) for each in described.sessions]
    for name, values in (
        ("lvs_bgp_session_up", [(each, state == bird_text.ESTABLISHED) for each, state in states]),
        ("lvs_bgp_session_enabled", [(each, state != bird_text.DISABLED) for each, state in states]),
        ("lvs_bgp_session_bfd_up", [(each, each.address in said.heard) for each in described.sessions if each.bfd]),
    ):
        yield several(name, [((each.neighbour, each.address), int(is_so)) for each, is_so in values])


def _is_covered(vip: Vip, said: bird_text.Said) -> bool:
    """Whether routers are told of an aggregate in place of a VIP that is up."""
    return vip.aggregate in said.announced and vip.address in said.known


def _replicated(described: Description, found: Readings) -> Iterator[Block]:
    directors, counts = ",".join(described.directors), found.replicated
    if found.running is not None:
        yield one("lvs_conntrackd_running", int(description.CONNTRACKD in found.running), directors)
    if counts is not None:
        yield one("lvs_conntrackd_connections", counts.own, directors)
        yield one("lvs_conntrackd_sent_packets_total", counts.sent, directors)
        yield one("lvs_conntrackd_received_packets_total", counts.received, directors)
        yield one("lvs_conntrackd_lost_messages_total", counts.lost, directors)
        yield one("lvs_conntrackd_taken_messages_total", counts.taken, directors)
        yield one("lvs_conntrackd_failed_messages_total", counts.failed, directors)


def _guarded(described: Description, state: guard_state.State) -> Iterator[Block]:
    pools = [(each, (each.name, str(each.key))) for each in described.services if each.guard]
    yield several("lvs_service_fails_open", [(names, int(each.guard in state.open)) for each, names in pools])
    down_at_any_port = state.down_at_any_port
    failed: list[tuple[tuple[str, ...], Number]] = []
    for each, names in pools:
        times = Counter(entry.key.address for entry in each.real_servers)
        for entry in each.real_servers:
            server = guard_state.server(each.guard, entry.key.address)
            # In a group the guard may have the port of another service. Real servers of one service that differ in
            # nothing but their ports have the same ones in all services of a group.
            if times[entry.key.address] > 1:
                is_down = f"{server}:{each.key.protocol}:{entry.key.port}" in state.down
            else:
                is_down = server in down_at_any_port
            failed.append(((*names, entry.name, str(entry.key)), int(is_down)))
    yield several("lvs_real_server_check_failed", failed)


class _Row(NamedTuple):
    """The labels of a service or real server, and what the table says of it."""

    labels: str
    values: tuple[int, ...]


_OF_REAL_SERVER: tuple[str, ...] = (
    *(metric.name for metric in catalogue.OF_REAL_SERVERS),
    "lvs_real_server_weight",
    "lvs_real_server_active_connections",
    "lvs_real_server_inactive_connections",
    "lvs_real_server_persistent_connections",
)
_NOTHING = Counters()


class _Tables:
    """The table with the model's names. Labels are put together once for all metrics of a real server."""

    def __init__(self, described: Description, table: Table) -> None:
        self._declared = {service.key: service for service in described.services}
        hidden = frozenset(described.hidden)
        self._table = {key: entry for key, entry in table.items() if key not in hidden}
        self._names = {
            key: (self._declared[key].name if key in self._declared else "", str(key))
            for key in [*self._declared, *(key for key in self._table if key not in self._declared)]
        }

    def blocks(self, states: States | None) -> Iterator[Block]:
        yield from self._services()
        if states is not None:
            yield self._states(states)
        yield from self._real_servers()

    def _services(self) -> Iterator[Block]:
        labels = {key: labels_text(SERVICE, names) for key, names in self._names.items()}
        counted = [(labels[key], _counted(entry.service.counters or _NOTHING)) for key, entry in self._table.items()]
        for position, metric in enumerate(catalogue.OF_SERVICES):
            yield Block(metric.name, [(text, values[position]) for text, values in counted])
        judged = [(labels[key], self._judged(service)) for key, service in self._declared.items()]
        names = (
            "lvs_service_present",
            "lvs_service_quorum",
            "lvs_service_available_weight",
            "lvs_service_available_real_servers",
            "lvs_service_configured_real_servers",
        )
        for position, name in enumerate(names):
            yield Block(name, [(text, values[position]) for text, values in judged])

    def _judged(self, service: Service) -> tuple[int, ...]:
        entry = self._table.get(service.key)
        there = entry.destinations if entry else {}
        weights = [there[each.key].weight for each in service.real_servers if each.key in there]
        available = sum(weight > 0 for weight in weights)
        return (int(entry is not None), service.quorum, sum(weights), available, len(service.real_servers))

    def _states(self, states: States) -> Block:
        """Connections of a service by firewall mark go by the address of their packets, which no service has."""
        samples: list[tuple[tuple[str, ...], Number]] = []
        by_names: dict[tuple[str, ...], int] = {}
        for (key, state), count in states.items():
            names = self._names.get(key) or self._names.get(replace(key, port=0)) or ("", "")
            by_names[(*names, state)] = by_names.get((*names, state), 0) + count
        samples.extend((names, by_names[names]) for names in sorted(by_names))
        return several("lvs_service_connections", samples)

    def _real_servers(self) -> Iterator[Block]:
        rows: list[_Row] = []
        configured: list[tuple[str, int]] = []
        for key, names in self._names.items():
            service, entry = self._declared.get(key), self._table.get(key)
            known = {each.key: each for each in (*service.real_servers, *service.others)} if service else {}
            for address, destination in entry.destinations.items() if entry else ():
                rows.append(_row(names, known.get(address), address, destination))
            for real_server in service.real_servers if service else ():
                text = labels_text(REAL_SERVER, (*names, real_server.name, str(real_server.key)))
                configured.append((text, real_server.weight))
        for position, name in enumerate(_OF_REAL_SERVER):
            yield Block(name, _column(rows, position))
        yield Block("lvs_real_server_configured_weight", configured)


def _column(rows: Iterable[_Row], position: int) -> Iterator[tuple[str, Number]]:
    return ((row.labels, row.values[position]) for row in rows)


def _row(names: tuple[str, str], known: RealServer | None, key: DestinationKey, destination: Destination) -> _Row:
    labels = labels_text(REAL_SERVER, (*names, known.name if known else key.address, str(key)))
    connections = destination.connections
    counted = (connections.active, connections.inactive, connections.persistent) if connections else (0, 0, 0)
    return _Row(labels, (*_counted(destination.counters or _NOTHING), destination.weight, *counted))
