# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table that keepalived fills: what is to change where somebody else has changed it. Pure.

keepalived decides which real servers are in the table and with which weight, and does not look whether they still are.
What it has decided stays as it is. What a service and its real servers are beside that, the model says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Container, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Daemon,
    Destination,
    DestinationKey,
    Entry,
    ServiceKey,
    Setting,
    StartDaemon,
    StopDaemon,
    Table,
    WantedDestination,
    WantedService,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Outcome, Purge, Request, plan_table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import daemon_line, setting_command
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_data import Pool, Sorry, Watch
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan


def plan_watched(table: Table, request: Request, watch: Watch, guarded: Container[ServiceKey] = ()) -> Outcome:
    """``watch`` is what keepalived has in the table. A service that it does not have yet it will add by itself.

    Of the ``guarded`` services, all real servers serve while the quorum is lost.
    """
    pools = watch.pools
    wanted = tuple(
        _as_decided(each, table.get(each.key), pools[each.key], opens=is_open(each.key, watch, guarded))
        for each in request.wanted
        if each.key in pools
    )
    claimed = frozenset(pools).union(each.key for each in request.wanted)
    # Of services that keepalived has and that are not known here, none may go.
    purge = request.purge if watch.is_whole else Purge(real_servers=request.purge.real_servers)
    return plan_table(table, replace(request, wanted=wanted, claimed=claimed, purge=purge))


def is_open(key: ServiceKey, watch: Watch, guarded: Container[ServiceKey]) -> bool:
    """Whether all real servers of the service are to serve, those that are down as well."""
    return key in guarded and key in watch.pools and not watch.pools[key].is_up


def plan_unasked(table: Table, request: Request) -> Outcome:
    """What is certain without knowing what keepalived decided: what is there gets its settings, but for the weight."""
    wanted = (
        replace(each, destinations=tuple(_listed(each, table[each.key].destinations)))
        for each in request.wanted
        if each.key in table
    )
    return plan_table(table, Request(tuple(wanted)))


def _as_decided(wanted: WantedService, entry: Entry | None, pool: Pool, *, opens: bool) -> WantedService:
    there = entry.destinations if entry else {}
    decided = [
        each._replace(weight=_weight(each, pool, there, opens=opens))
        for each in wanted.destinations or ()
        if pool.servers.get(each.key) is not None
    ]
    coming = [each for each in _listed(wanted, there) if each.key not in pool.servers]
    known = {each.key for each in wanted.destinations or ()}
    # What keepalived has and the model has not, it takes away when it reads the model's configuration.
    leaving = [WantedDestination(key, wanted.path) for key in there if key in pool.servers and key not in known]
    sorry = [] if pool.sorry is None or pool.sorry.key in known | pool.servers.keys() else [*_sorry(pool.sorry, there)]
    return replace(wanted, destinations=(*decided, *coming, *leaving, *sorry))


def _weight(
    wanted: WantedDestination, pool: Pool, there: Mapping[DestinationKey, Destination], *, opens: bool
) -> int | None:
    if opens and not pool.servers[wanted.key]:
        return wanted.weight
    return None if _is_drained(wanted.key, there) else pool.servers[wanted.key]


def _is_drained(key: DestinationKey, there: Mapping[DestinationKey, Destination]) -> bool:
    """Whether it has weight 0. If keepalived did not give that, a drain did, and who drains it puts it back."""
    return key in there and there[key].weight == 0


def _sorry(sorry: Sorry, there: Mapping[DestinationKey, Destination]) -> Iterator[WantedDestination]:
    if sorry.key in there and (sorry.is_needed or sorry.may_wait):
        yield WantedDestination(sorry.key, "")
    elif sorry.is_needed and sorry.forward:
        yield WantedDestination(sorry.key, "", forward=sorry.forward)


def _listed(wanted: WantedService, there: Mapping[DestinationKey, Destination]) -> Iterator[WantedDestination]:
    """The real servers of the model that are there, with any weight."""
    return (each._replace(weight=None) for each in wanted.destinations or () if each.key in there)


def plan_daemons(running: Sequence[Daemon], wanted: Sequence[Daemon]) -> Plan:
    """Only the wanted daemons run."""
    settings: list[Setting] = [StopDaemon(each.state) for each in running if each not in wanted]
    settings += [StartDaemon(each) for each in wanted if each not in running]
    if not settings:
        return Plan()
    changes = tuple(Change(setting_command(each), each) for each in settings)
    return Plan(changes, tuple(map(daemon_line, running)), tuple(map(daemon_line, wanted)))
