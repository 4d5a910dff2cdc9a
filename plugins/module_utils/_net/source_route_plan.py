# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes for what comes from an address: those of the main table, with a segment size that is announced. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle_list

KIND = "source_route"
# Behind an operator's own rules, and before the main table, which has 32766.
PRIORITY = 32100
# The least that TCP has to take (RFC 9293), and the largest that IPv6 without jumbograms can say.
_LEAST, _MOST = 536, 65475
# A table for each size: 11440 announces segments of 1440 bytes, or 81440 or 151440 where somebody else uses that one.
_FIRST, _STEP, _CHOICES = 10000, 70000, 3
# The headers of IP and TCP, and the least that the kernel makes of an MTU.
_HEADERS = {4: 40, 6: 60}
_LEAST_BY_MTU = {4: 256, 6: 1220}


@dataclass(frozen=True)
class Rule:
    """What comes from an address takes a table of ours."""

    source: str
    table: int

    @property
    def key(self) -> str:
        return f"from {self.source}"

    @property
    def version(self) -> int:
        return 6 if ":" in self.source else 4

    @property
    def advmss(self) -> int:
        return _size(self.table)

    def __str__(self) -> str:
        """As the ip command takes it."""
        return f"from {self.source} lookup {self.table} priority {PRIORITY}"


@dataclass(frozen=True)
class SetCopy:
    """Add a route to a table of ours, or replace it."""

    route: Route

    def __str__(self) -> str:
        return f"ip{_six(self.route.version)} route replace {self.route}"


@dataclass(frozen=True)
class DeleteCopy:
    """Take a route out of a table of ours."""

    route: Route

    def __str__(self) -> str:
        return f"ip{_six(self.route.version)} route del {self.route}"


@dataclass(frozen=True)
class AddRule:
    """Use a table for what comes from an address."""

    rule: Rule

    def __str__(self) -> str:
        return f"ip{_six(self.rule.version)} rule add {self.rule}"


@dataclass(frozen=True)
class DeleteRule:
    """Use the main table again."""

    rule: Rule

    def __str__(self) -> str:
        return f"ip{_six(self.rule.version)} rule del {self.rule}"


def check(options: Sequence[Mapping[str, Any]], mistakes: Mistakes, *, present: bool = True) -> list[Rule]:
    """The rules that a task asks for."""
    wanted: list[Rule] = []
    positions: dict[str, int] = {}
    for position, option in enumerate(options):
        where = f"source_routes[{position}]"
        source = mistakes.host_address(f"{where}.source", option["source"])
        advmss = option.get("advmss")
        if advmss is None and present:
            mistakes.add(f"{where}.advmss", "is needed where state is present")
        elif advmss is not None and not _LEAST <= advmss <= _MOST:
            mistakes.add(f"{where}.advmss", f"{advmss} is not between {_LEAST} and {_MOST}")
        if source is None:
            continue
        rule = Rule(forms.spelling(source), _FIRST + (advmss or 0))
        if rule.key in positions:
            mistakes.add(where, f"{rule.key} is already listed in source_routes[{positions[rule.key]}]")
        positions.setdefault(rule.key, position)
        wanted.append(rule)
    return wanted


def is_ours(priority: int | None, table: int | None) -> bool:
    """Whether a rule of the kernel looks like one of ours."""
    if priority != PRIORITY or table is None or not _FIRST <= table < _FIRST + _CHOICES * _STEP:
        return False
    return _LEAST <= _size(table) <= _MOST


def _size(table: int) -> int:
    """The segment size that a table of ours announces."""
    return (table - _FIRST) % _STEP


def in_free_table(wish: Rule, routes_of: Callable[[int], Sequence[Route]]) -> Rule:
    """The rule with the first table for its size in which nobody else has a route, or else with the first of all."""
    for choice in range(_CHOICES):
        table = _FIRST + choice * _STEP + wish.advmss
        if all(is_copy(route) or route.version != wish.version for route in routes_of(table)):
            return replace(wish, table=table)
    return wish


def is_copy(route: Route) -> bool:
    """Whether a route in a table of ours is one of ours: each of these has a segment size that is not above ours."""
    return route.advmss is not None and route.table is not None and route.advmss <= _size(route.table)


def of_others(wishes: Sequence[Rule], routes_of: Callable[[int], Sequence[Route]]) -> list[str]:
    """What somebody else has put into the tables of these rules, each in a sentence."""
    tables = sorted({(wish.table, wish.version) for wish in wishes})
    return [
        f"{route} was put there by somebody else, as into every other table for that size. It is left alone, and "
        "counts for what comes from a VIP as well; use another table for it where that is not meant"
        for table, version in tables
        for route in routes_of(table)
        if route.version == version and not is_copy(route)
    ]


def copies(main: Sequence[Route], rule: Rule) -> list[Route]:
    """What a rule's table has to hold. Link-local addresses are never a client's, nor in the VIP's scope."""
    found: dict[tuple[object, ...], Route] = {}
    for route in main:
        if route.version == rule.version and not str(route.destination).startswith(("fe80:", "ff00:")):
            # Two NICs in one subnet: the kernel has a route for each, and takes the first.
            found.setdefault(route.place, replace(route, table=rule.table, advmss=_smaller(route, rule.advmss)))
    return list(found.values())


def _smaller(route: Route, advmss: int) -> int:
    """What a copy announces: our size, unless the route has a smaller one, or an MTU into which ours does not fit.

    A segment size that is set makes the kernel ignore the MTU (ipv4_default_advmss(), ip6_default_advmss()).
    """
    sizes = [advmss]
    if route.advmss:
        sizes.append(route.advmss)
    if route.mtu:
        sizes.append(max(route.mtu - _HEADERS[route.version], _LEAST_BY_MTU[route.version]))
    return min(sizes)


def plan_source_routes(
    ledger: Ledger,
    owner: str,
    rules: Sequence[Rule],
    main: Sequence[Route],
    held: Sequence[Route],
    wishes: Sequence[Rule] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement]:
    """Fill tables before they are used, and empty them when they are not used any more. ``held`` is in our tables."""
    # Of two with the same address, the kernel goes by the first.
    current = {rule.key: rule for rule in reversed(rules)}
    wanted = {wish.key: wish for wish in wishes or ()}
    current.update({key: wish for key, wish in wanted.items() if wish in rules})
    settlement = settle_list(
        ledger,
        KIND,
        owner,
        {key: rule.table for key, rule in current.items()},
        None if wishes is None else {key: wish.table for key, wish in wanted.items()},
        present=present,
        purge=purge,
    )
    after = {**current, **{key: wanted[key] for key in settlement.wrong}}
    for key in settlement.restore:
        after.pop(key, None)
    # A run that was killed while it gave an address another table has left both rules.
    gone = [
        rule
        for rule in rules
        if after.get(rule.key) != rule and (rule == current[rule.key] or settlement.claimed.owners(KIND, rule.key))
    ]
    ours = [route for route in held if is_copy(route)]
    occupied = {route.place for route in held if not is_copy(route)}
    need = {copy: None for rule in after.values() for copy in copies(main, rule) if copy.place not in occupied}
    stale = [route for route in ours if route not in need]
    # One that is only different is replaced, so that there is no moment without it.
    replaced = {route.place for route in need}
    actions: list[Any] = [SetCopy(route) for route in need if route not in held]
    actions += [AddRule(rule) for key, rule in after.items() if current.get(key) != rule]
    actions += [DeleteRule(rule) for rule in gone]
    actions += [DeleteCopy(route) for route in stale if route.place not in replaced]
    come = [route for route in need if route not in held]
    return (
        Plan(
            tuple(Change(str(action), action) for action in actions),
            _lines(gone, stale),
            _lines([rule for key, rule in after.items() if current.get(key) != rule], come),
        ),
        settlement,
    )


def _lines(rules: Sequence[Rule], routes: Sequence[Route]) -> tuple[str, ...]:
    return (*(f"route add {route}" for route in routes), *(f"rule add {rule}" for rule in rules))


def _six(version: int) -> str:
    return " -6" if version == 6 else ""
