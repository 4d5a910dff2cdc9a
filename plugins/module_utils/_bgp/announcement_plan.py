# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes that say to BGP which VIPs to announce, in a routing table of their own: what has to change. Pure.

No rule leads to that table, so its routes send no packet anywhere. BIRD learns them, and announces each VIP as long as
there is one of it. The table is ours as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, joined

KIND = "announcement"
TABLES = forms.Range(1, 2**32 - 1)
METRICS = forms.Range(1, 2**32 - 1)
# Before that of the role keepalived, by their names: systemd stops a unit in that order.
DROP_IN = "/etc/systemd/system/keepalived.service.d/lvs-topology-announcements.conf"
# How long routers may go on sending after the route is gone.
PAUSE = 1
_DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}
# The types of routes by which BIRD announces a VIP: as usual, and as one that will soon be gone (graceful_shutdown.py).
ANNOUNCED, GOING = "blackhole", "prohibit"


class Route(NamedTuple):
    """A VIP, of which service, and of which table."""

    address: str
    metric: int
    table: int
    # Another one than ours somebody has put there by hand.
    protocol: str = "static"
    kind: str = ANNOUNCED

    @property
    def settled(self) -> Route:
        """The route as it is outside of a graceful shutdown."""
        return self._replace(kind=ANNOUNCED)

    def __str__(self) -> str:
        return f"{self.kind} {self.address} table {self.table} proto {self.protocol} metric {self.metric}"


def route_of(shown: Mapping[str, Any], family: int, table: int) -> Route:
    """A route as `ip -json route show` prints it, which leaves out a metric of 0."""
    to = _DEFAULT[family] if shown["dst"] == "default" else shown["dst"]
    found = forms.interface_address(to)
    address = f"{forms.spelling(found.ip)}/{found.network.prefixlen}"
    protocol, kind = str(shown.get("protocol", "boot")), str(shown.get("type", ANNOUNCED))
    return Route(address, int(shown.get("metric", 0)), table, protocol, kind)


@dataclass(frozen=True)
class AddRoute:
    route: Route


@dataclass(frozen=True)
class DeleteRoute:
    route: Route


@dataclass(frozen=True)
class Wait:
    """Give routers the time to send elsewhere, before what they sent to is gone."""

    seconds: int


def check(options: Mapping[str, Any], mistakes: Mistakes, option: str) -> dict[Route, str | None]:
    """The routes that are asked for, each with the service that it is of, as the ledger calls it."""
    table = options["table"]
    if not options["routes"]:
        return {}
    mistakes.within(f"{option}table", table, TABLES, "the number of a routing table")
    found: dict[Route, str | None] = {}
    for position, each in enumerate(options["routes"]):
        where = f"{option}routes[{position}]"
        text, slash, prefix = each["address"].partition("/")
        address = mistakes.address(f"{where}.address", text, forms.VIP)
        if address is None:
            continue
        if not slash or forms.integer(prefix) != address.max_prefixlen:
            meant = f"{text}/{address.max_prefixlen}"
            mistakes.add(f"{where}.address", f"{each['address']} is not one address; write {meant}")
        mistakes.within(f"{where}.metric", each["metric"], METRICS, "the metric of a service")
        route = Route(f"{forms.spelling(address)}/{address.max_prefixlen}", each["metric"], table or 0)
        found.setdefault(route, each["service"])
    return found


def drop_in(tables: Sequence[int]) -> File:
    """What withdraws VIPs when keepalived is stopped, before it empties its table, and when it is killed."""
    flushes = [f"-/sbin/ip -{family} route flush table {table}" for table in tables for family in (4, 6)]
    lines = [
        "# Managed by lvs.topology. Changes are overwritten.",
        "[Service]",
        "# Routers send elsewhere before the table goes.",
        *(f"ExecStop={each}" for each in flushes),
        f"ExecStop=-/bin/sleep {PAUSE}",
        "# One that was killed checks nobody any more.",
        *(f"ExecStopPost={each}" for each in flushes),
    ]
    return File("\n".join(lines) + "\n")


def plan_withdrawals(current: Sequence[Route], wanted: Sequence[Route]) -> Plan:
    """Take away what is not to be announced, before the services go that it is about."""
    kept = {each.settled for each in wanted}
    gone = [each for each in current if each.settled not in kept]
    changes = [Change(f"ip route del {each}", DeleteRoute(each)) for each in gone]
    # Another route of the VIP keeps it announced.
    left = {each.address for each in current if each.settled in kept}
    if any(each.address not in left for each in gone):
        changes.append(Change(f"wait {PAUSE} s for routers", Wait(PAUSE)))
    return Plan(tuple(changes), tuple(f"route {each}" for each in gone), ())


def plan_announcements(current: Sequence[Route], wanted: Sequence[Route]) -> Plan:
    """Announce what is not announced, and as usual what a graceful shutdown that was killed has left as going."""
    there = {*current}
    new = [each for each in wanted if each not in there]
    going = [each._replace(kind=GOING) for each in new]
    left = [each for each in going if each in there]
    words = ["change" if each in there else "add" for each in going]
    return Plan(
        tuple(Change(f"ip route {word} {each}", AddRoute(each)) for word, each in zip(words, new)),
        tuple(f"route {each}" for each in left),
        tuple(f"route {each}" for each in new),
    )


def plan_checked(current: Sequence[Route], wanted: Mapping[Route, str | None], up: Mapping[str, bool]) -> Plan:
    """What keepalived has not done by itself, of services of which it says whether they have their quorum.

    It runs its commands when a service comes up or goes down. One that is up already when it reads a configuration with
    other commands stays as it is.
    """
    has_quorum = {route: up.get(service or "") for route, service in wanted.items()}
    return joined(
        plan_withdrawals(current, [each for each in current if has_quorum.get(each.settled) is not False]),
        plan_announcements(current, [route for route, is_up in has_quorum.items() if is_up]),
    )


def plan_unit(current: File | None, wanted: File | None, *, has_systemd: bool) -> Plan:
    plan = plan_file(DROP_IN, current, wanted, own_directory=True)
    if plan.changes and has_systemd:
        return joined(plan, systemctl("daemon-reload"))
    return plan


def tables_of(ledger: Ledger, owner: str) -> list[int]:
    """The tables in which the owner has routes, or had."""
    return sorted(int(key.partition(" ")[2]) for key in ledger.owned(KIND, owner))


def claimed(ledger: Ledger, owner: str, table: int) -> Ledger:
    return ledger.claim(KIND, f"table {table}", owner)


def released(ledger: Ledger, owner: str, table: int) -> Ledger:
    return ledger.release(KIND, f"table {table}", owner)[0]


def boot_lines(routes: Sequence[Route]) -> list[str]:
    """Input of ip -batch."""
    return [f"route replace {each}" for each in routes]
