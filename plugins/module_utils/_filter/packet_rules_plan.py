# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firewall marks and source NAT of a director: which rules there are to be. Pure.

Where several rules match a packet, the most specific one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, Sequence, Union

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle, to_let_go

KIND = "packet_rule"
EVERY_PORT = (forms.PORTS.low, forms.PORTS.high)
# A chain's name has 28 characters, and the longest of ours has ten besides the owner.
_OWNER_LENGTH = 18
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")


@dataclass(frozen=True)
class Mark:
    """Packets to an address and a range of ports get a firewall mark."""

    family: int
    address: str
    protocol: str
    ports: tuple[int, int]
    mark: int

    @property
    def target(self) -> str:
        return f"mark {self.mark}"

    @property
    def match(self) -> str:
        return f"{self.protocol} {self.address} {ports_text(self.ports)}"


@dataclass(frozen=True)
class SourceNat:
    """Connections to a service, by VIP and port (0: every) or by mark, leave with one of these addresses as source."""

    family: int
    service: tuple[str, str, int] | int
    destination: str | None
    to: tuple[str, ...]

    @property
    def target(self) -> str:
        return f"source {','.join(self.to)}"

    @property
    def match(self) -> str:
        if isinstance(self.service, int):
            service = f"ipv{self.family} mark {self.service}"
        else:
            protocol, address, port = self.service
            service = f"{protocol} {address} {port or '*'}"
        return f"{service} at {self.destination}" if self.destination else service


Rule = Union[Mark, SourceNat]


def words(rule: Rule) -> str:
    """The rule in one line, from which rule_of() makes it again: the ledger remembers rules so."""
    return f"{rule.target}: {rule.match}"


def rule_of(text: str) -> Rule:
    target, match = text.split(": ", 1)
    kind, value = target.split(" ")
    if kind == "mark":
        protocol, address, ports = match.split(" ")
        return Mark(_family_of(address), address, protocol, _parse_ports(ports) or EVERY_PORT, int(value))
    match, _at, destination = match.partition(" at ")
    first, second, third = match.split(" ")
    service = int(third) if second == "mark" else (first, second, 0 if third == "*" else int(third))
    to = tuple(value.split(","))
    return SourceNat(_family_of(to[0]), service, destination or None, to)


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The rules as they have to stand in a chain, whatever the order in which they were asked for.

    Of marks the last one counts, so the widest range of ports comes first. Of translations of the source the first one
    counts: IPVS asks for a service by mark before one by address, and for one with a port before that of every port.
    """

    def place(rule: Rule) -> tuple[Any, ...]:
        if isinstance(rule, Mark):
            return 0, rule.ports[0] - rule.ports[1], 0, words(rule)
        by_mark = isinstance(rule.service, int)
        every_port = not isinstance(rule.service, int) and not rule.service[2]
        return 1, 0 if by_mark else 1 + every_port, rule.destination is None, words(rule)

    return sorted(rules, key=place)


def _family_of(address: str) -> int:
    return 6 if ":" in address else 4


def ports_text(ports: tuple[int, int], dash: str = "-") -> str:
    """A port, or a range of them."""
    if ports == EVERY_PORT:
        return "*"
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}{dash}{ports[1]}"


def _parse_ports(text: str) -> tuple[int, int] | None:
    """One port or a range; None where it is neither."""
    found = _PORTS.match(text)
    if not found:
        return None
    first = int(found[1])
    last = int(found[2] or first)
    return (first, last) if 1 <= first <= last <= EVERY_PORT[1] else None


# What a task asks for


def check(
    marks: Sequence[Mapping[str, Any]],
    source_nat: Sequence[Mapping[str, Any]],
    mistakes: Mistakes,
    option: str = "",
) -> list[Rule]:
    """The rules of a task. ``option`` is the path of the two lists, with a dot behind it."""
    rules: list[tuple[str, Rule]] = list(_check_marks(marks, f"{option}marks", mistakes))
    rules += _check_nat(source_nat, f"{option}source_nat", mistakes)
    paths: dict[str, str] = {}
    for path, rule in rules:
        if isinstance(rule, SourceNat):
            first = paths.setdefault(rule.match, path)
            if first != path:
                mistakes.add(path, f"{rule.match} is already listed in {first}")
    _check_overlaps([(path, rule) for path, rule in rules if isinstance(rule, Mark)], mistakes)
    return [rule for _path, rule in rules]


def check_owner(owner: str, mistakes: Mistakes) -> None:
    mistakes.owner(owner)
    if len(owner) > _OWNER_LENGTH:
        mistakes.add("owner", f"{owner!r} is too long: chains are named after it, so use {_OWNER_LENGTH} characters")


def _check_marks(options: Sequence[Mapping[str, Any]], option: str, mistakes: Mistakes) -> Iterator[tuple[str, Mark]]:
    for position, item in enumerate(options):
        where = f"{option}[{position}]"
        address = mistakes.host_address(f"{where}.address", item["address"])
        mark = _check_mark(f"{where}.mark", item["mark"], mistakes)
        for number, text in enumerate(item["ports"] or ["1-65535"]):
            ports = _parse_ports(str(text))
            if ports is None:
                mistakes.add(f"{where}.ports[{number}]", f"{text!r} is neither a port nor a range such as 30000-30100")
            elif address is not None and mark:
                # Without a list every port is meant, and 0 is none that a packet has.
                every = EVERY_PORT if not item["ports"] else ports
                path = f"{where}.ports[{number}]" if item["ports"] else where
                yield path, Mark(address.version, forms.spelling(address), item["protocol"], every, mark)


def _check_mark(path: str, mark: int, mistakes: Mistakes) -> int | None:
    if mark in forms.FIREWALL_MARKS:
        return mark
    mistakes.add(path, f"{forms.shown(mark)} is out of range; use {forms.FIREWALL_MARKS}")
    return None


def _check_overlaps(marks: Sequence[tuple[str, Mark]], mistakes: Mistakes) -> None:
    by_start = sorted(marks, key=lambda each: (each[1].protocol, each[1].address, each[1].ports))
    for (first, one), (second, other) in zip(by_start, by_start[1:]):
        same = (one.protocol, one.address) == (other.protocol, other.address)
        if same and other.ports[0] <= one.ports[1]:
            problem = f"{other.match} gets mark {other.mark} here and mark {one.mark} in {first}"
            mistakes.add(second, f"{problem}; a packet can carry one mark, so name each port once")


def _check_nat(
    options: Sequence[Mapping[str, Any]], option: str, mistakes: Mistakes
) -> Iterator[tuple[str, SourceNat]]:
    for position, item in enumerate(options):
        where = f"{option}[{position}]"
        service, family = _check_service(item, where, mistakes)
        to = _check_addresses(item["to"], f"{where}.to", family, mistakes)
        if not item["to"]:
            mistakes.add(f"{where}.to", "is empty; name the director's address that packets shall come from")
        destinations = _check_addresses(item["destinations"] or [], f"{where}.destinations", family, mistakes)
        if service is not None and family is not None and to:
            each: Sequence[str | None] = destinations or (None,)
            for destination in each:
                yield where, SourceNat(family, service, destination, tuple(to))


def _check_service(
    item: Mapping[str, Any], where: str, mistakes: Mistakes
) -> tuple[tuple[str, str, int] | int | None, int | None]:
    if item["fwmark"] is not None:
        for option, default in (("port", 0), ("protocol", "tcp")):
            if item[option] != default:
                mistakes.add(f"{where}.{option}", "a firewall mark service has none; leave it out")
        return _check_mark(f"{where}.fwmark", item["fwmark"], mistakes), forms.FAMILIES.get(item["family"])
    address = mistakes.host_address(f"{where}.address", item["address"])
    if item["port"] not in forms.PORTS:
        mistakes.add(
            f"{where}.port", f"{forms.shown(item['port'])} is out of range; use 1 to 65535, or 0 for every port"
        )
        return None, None
    if address is None:
        return None, None
    return (item["protocol"], forms.spelling(address), item["port"]), address.version


def _check_addresses(texts: Sequence[str], path: str, family: int | None, mistakes: Mistakes) -> list[str]:
    found: list[forms.Address] = []
    for position, text in enumerate(texts):
        where = f"{path}[{position}]"
        address = mistakes.host_address(where, text)
        if address is None:
            continue
        if family is not None and address.version != family:
            mistakes.add(where, f"{address} is IPv{address.version}, and the service is IPv{family}")
        elif address in found:
            mistakes.add(where, f"{address} is already listed in {path}[{found.index(address)}]")
        else:
            found.append(address)
    return [forms.spelling(address) for address in found]


# What the owner's rules are from now on


def plan_rules(
    ledger: Ledger, owner: str, rules: Sequence[Rule] | None, *, present: bool, purge: bool
) -> tuple[list[Rule], Settlement]:
    """The rules that shall be there, those of an earlier run that nobody took back among them.

    What the books say is not compared with the kernel here: the table is, as a whole.
    """
    listed = None if rules is None else {words(rule) for rule in rules}
    wanted = dict.fromkeys(sorted(listed or ()), True) if present else {}
    let_go = to_let_go(ledger, KIND, owner, listed, present=present, purge=purge)
    owned = ledger.owned(KIND, owner)
    if present:
        # A rule that now does something else has taken the place of the old one.
        taken = {rule.match for rule in rules or ()}
        let_go |= {key for key in owned if key not in wanted and rule_of(key).match in taken}
    settlement = settle(ledger, KIND, owner, {}, wanted, let_go, listed=listed if present else None)
    kept = [key for key in settlement.settled.owned(KIND, owner) if key not in wanted]
    return in_order(map(rule_of, [*wanted, *kept])), settlement
