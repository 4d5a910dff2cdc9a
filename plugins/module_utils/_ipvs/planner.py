# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the table that is and what is wanted to the changes in their order. Pure; serves every ipvs_* module.

The kernel takes only whole services and whole real servers, so what a task leaves out is filled in from what is there,
or when something is new, from the defaults of ipvsadm.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Sequence, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_format
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_FORWARD,
    DEFAULT_SCHEDULER,
    DEFAULT_TIMEOUT,
    DEFAULT_WEIGHT,
    FULL_MASK,
    SCHEDULER_FLAG_BITS,
    SCHEDULER_FLAG_NAMES,
    Action,
    Destination,
    DestinationKey,
    Entry,
    Network,
    Service,
    ServiceKey,
    Table,
    WantedDestination,
    WantedService,
    family_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

_Value = TypeVar("_Value")


def _first(wanted: _Value | None, otherwise: _Value) -> _Value:
    """What the task says, or what is there where it says nothing."""
    return otherwise if wanted is None else wanted


def _join(path: str, option: str) -> str:
    return f"{path}.{option}" if path else option


@dataclass(frozen=True)
class Purge:
    """Which undeclared things are taken away."""

    real_servers: bool = False
    fwmark: bool = False
    everything: bool = False
    networks: tuple[Network, ...] = ()

    def covers(self, key: ServiceKey) -> bool:
        """Whether an undeclared service is to go."""
        if self.everything:
            return True
        if key.fwmark:
            return self.fwmark
        address = ipaddress.ip_address(key.address)
        return any(address in network for network in self.networks)


@dataclass(frozen=True)
class Request:
    """What a task wants of the table."""

    wanted: tuple[WantedService, ...] = ()
    purge: Purge = Purge()
    keep_weights: bool = False
    # Services to take away besides those that purge covers, and single real servers.
    unwanted: frozenset[ServiceKey] = frozenset()
    # Services that somebody declares, which purge leaves alone.
    claimed: frozenset[ServiceKey] = frozenset()
    unwanted_destinations: tuple[tuple[ServiceKey, DestinationKey], ...] = ()
    # Real servers that get a weight, and nothing else, where they are there.
    weighed: tuple[tuple[ServiceKey, DestinationKey, int], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The plan, and the table as it will be."""

    plan: Plan
    after: Table


def plan_table(current: Table, request: Request, mistakes: Mistakes | None = None) -> Outcome:
    """Plan the changes; BadRequest names every mistake of the task, those found before included."""
    mistakes = mistakes or Mistakes()
    builds: list[Action] = []
    removals: list[Action] = []
    after: Table = dict(current)

    for wanted in sorted(request.wanted, key=lambda each: each.key.sort_key()):
        entry = current.get(wanted.key)
        service = _merge_service(wanted, entry.service if entry else None, mistakes)
        if entry is None:
            builds.append(Action("add", service))
        elif service != entry.service:
            builds.append(Action("edit", service))
        known = dict(entry.destinations) if entry else {}
        destinations = _plan_destinations(service, known, wanted, request, builds, removals, mistakes)
        after[wanted.key] = Entry(service, destinations)

    for key, destination_key, weight in request.weighed:
        entry = after.get(key)
        there = entry.destinations.get(destination_key) if entry else None
        if entry and there and there.weight != weight:
            weighed = replace(there, weight=weight)
            builds.append(Action("edit", entry.service, weighed))
            after[key] = Entry(entry.service, {**entry.destinations, destination_key: weighed})

    for key, destination_key in request.unwanted_destinations:
        entry = after.get(key)
        if entry is not None and destination_key in entry.destinations:
            left = dict(entry.destinations)
            removals.append(Action("delete", entry.service, left.pop(destination_key)))
            after[key] = Entry(entry.service, left)

    declared = {wanted.key for wanted in request.wanted}
    for key in sorted(current, key=ServiceKey.sort_key):
        purged = key not in request.claimed and request.purge.covers(key)
        if key not in declared and (key in request.unwanted or purged):
            # The kernel takes the real servers away with the service.
            removals.append(Action("delete", current[key].service))
            del after[key]

    mistakes.raise_if_any()
    # Everything is added and edited before anything is taken away, so that a service whose real servers are replaced
    # has the new ones first and is never without any.
    actions = builds + removals
    touched = {action.service.key for action in actions}
    return Outcome(
        Plan(
            changes=tuple(Change(save_format.command(action), action) for action in actions),
            before=_rules(current, touched),
            after=_rules(after, touched),
        ),
        after,
    )


def _rules(table: Table, keys: set[ServiceKey]) -> tuple[str, ...]:
    return save_format.render(table[key] for key in keys if key in table)


def _plan_destinations(
    service: Service,
    known: dict[DestinationKey, Destination],
    wanted: WantedService,
    request: Request,
    builds: list[Action],
    removals: list[Action],
    mistakes: Mistakes,
) -> dict[DestinationKey, Destination]:
    """Plan the real servers of one service; the answer is what it will have."""
    if wanted.destinations is None:
        return known
    destinations = dict(known)
    changed: dict[DestinationKey, Action] = {}
    for each in wanted.destinations:
        there = known.get(each.key)
        destination = _merge_destination(service, each, there, request.keep_weights, mistakes)
        destinations[each.key] = destination
        if there is None:
            changed[each.key] = Action("add", service, destination)
        elif destination != there:
            changed[each.key] = Action("edit", service, destination)
    # Only what changes is sorted: most of a large table does not.
    builds += [changed[key] for key in sorted(changed, key=DestinationKey.sort_key)]
    if request.purge.real_servers:
        undeclared = known.keys() - {each.key for each in wanted.destinations}
        for key in sorted(undeclared, key=DestinationKey.sort_key):
            removals.append(Action("delete", service, destinations.pop(key)))
    return destinations


def _merge_service(wanted: WantedService, there: Service | None, mistakes: Mistakes) -> Service:
    full_mask = FULL_MASK[wanted.key.family]
    base = there or Service(wanted.key, scheduler=DEFAULT_SCHEDULER, netmask=full_mask)
    scheduler = _first(wanted.scheduler, base.scheduler)
    merged = replace(
        base,
        scheduler=scheduler,
        flags=_merge_flags(wanted, base, scheduler, mistakes),
        one_packet=_first(wanted.one_packet, base.one_packet),
        counters=None,
    )
    if wanted.persistent:
        merged = replace(
            merged,
            # What a service that was not persistent has in these means nothing.
            timeout=wanted.timeout or base.timeout or DEFAULT_TIMEOUT,
            netmask=_first(wanted.netmask, base.netmask if base.timeout else full_mask),
            engine=_first(wanted.engine, base.engine if base.timeout else ""),
        )
    elif wanted.persistent is False and (base.timeout or base.engine):
        merged = replace(merged, timeout=0, netmask=full_mask, engine="")
    if merged == there:
        return merged  # whatever others made of it, this task does not touch it
    if not wanted.key.fwmark and wanted.key.port == 0 and not merged.timeout:
        mistakes.add(
            _join(wanted.path, "port"),
            "a service for every port (0) must be persistent; give persistence, or a port from 1 to 65535",
        )
    if merged.one_packet and not wanted.key.fwmark and wanted.key.protocol != "udp":
        mistakes.add(_join(wanted.path, "one_packet"), f"one-packet scheduling is for udp, not {wanted.key.protocol}")
    return merged


def _merge_flags(wanted: WantedService, base: Service, scheduler: str, mistakes: Mistakes) -> frozenset[str]:
    """The flag bits; those left out stay, unless the scheduler that they belong to goes."""
    if wanted.flags is None:
        return base.flags if scheduler == base.scheduler else frozenset()
    own = SCHEDULER_FLAG_NAMES.get(scheduler, {})
    for name in sorted(wanted.flags - set(own) - set(SCHEDULER_FLAG_BITS)):
        mistakes.add(
            _join(wanted.path, "scheduler_flags"),
            f"{name} is no flag of the scheduler {scheduler}; "
            + (f"it knows {' and '.join(sorted(own))}" if own else "only sh and mh have flags"),
        )
    return frozenset(own.get(name, name) for name in wanted.flags)


def _merge_destination(
    service: Service, wanted: WantedDestination, there: Destination | None, keep_weights: bool, mistakes: Mistakes
) -> Destination:
    base = there or Destination(wanted.key, forward=DEFAULT_FORWARD, weight=DEFAULT_WEIGHT)
    forward = _first(wanted.forward, base.forward)
    tunnel, tunnel_port, checksum = _merge_tunnel(forward, base, wanted, mistakes)
    merged = Destination(
        key=base.key,
        forward=forward,
        weight=base.weight if there and keep_weights else _first(wanted.weight, base.weight),
        upper=_first(wanted.upper, base.upper),
        lower=_first(wanted.lower, base.lower),
        tunnel=tunnel,
        tunnel_port=tunnel_port,
        checksum=checksum,
    )
    if merged.lower > merged.upper:
        mistakes.add(
            _join(wanted.path, "lower_threshold"),
            f"{merged.lower} is above the upper threshold {merged.upper}; the kernel wants lower <= upper",
        )
    if _port_differs(service, merged):
        mistakes.add(
            _join(wanted.path, "port"),
            f"{wanted.key.port} must be the service's port {service.key.port} with forward {merged.forward}, "
            "which does not translate ports; use nat",
        )
    if family_of(wanted.key.address) != service.key.family and merged.forward != "tun":
        mistakes.add(
            _join(wanted.path, "address"),
            f"{wanted.key.address} is not {service.key.family} like the service, and forward {merged.forward} does not "
            "translate between families; only tun does",
        )
    return merged


def _port_differs(service: Service, destination: Destination) -> bool:
    """A firewall mark stands for many ports, so that any goes there, as in ipvsadm."""
    translated = destination.forward not in ("dr", "tun")
    return not translated and not service.key.fwmark and destination.key.port != service.key.port


def _merge_tunnel(
    forward: str, base: Destination, wanted: WantedDestination, mistakes: Mistakes
) -> tuple[str, int, str]:
    """The kind of tunnel, its port, and its checksum."""
    path = _join(wanted.path, "tunnel")
    if forward != "tun":
        if (wanted.tunnel, wanted.tunnel_port, wanted.checksum) != (None, None, None):
            mistakes.add(path, f"tunnel options need forward tun, not {forward}")
        return "ipip", 0, "none"
    tunnel = _first(wanted.tunnel, base.tunnel)
    same = tunnel == base.tunnel  # otherwise port and checksum were those of another kind of tunnel
    port = _first(wanted.tunnel_port, base.tunnel_port if same else 0)
    checksum = _first(wanted.checksum, base.checksum if same else "none")
    if tunnel == "gue" and not port:
        mistakes.add(_join(path, "port"), "a gue tunnel needs the UDP port on which the real server takes it")
    if tunnel != "gue" and port:
        mistakes.add(_join(path, "port"), f"only gue tunnels have a port, not {tunnel}")
    if (tunnel == "ipip" and checksum != "none") or (tunnel == "gre" and checksum == "remote"):
        mistakes.add(_join(path, "checksum"), f"{checksum} is not possible in {tunnel} tunnels")
    return tunnel, port, checksum


def unmanaged(table: Table, managed: set[ServiceKey]) -> list[str]:
    """The services that are nobody's business here, in ipvsadm's words."""
    others = sorted((key for key in table if key not in managed), key=ServiceKey.sort_key)
    return [save_format.service_line(table[key].service) for key in others]


def rules_of(table: Table, keys: Sequence[ServiceKey]) -> list[str]:
    """These services' rules, as ipvsadm -R reads them."""
    return list(_rules(table, set(keys)))
