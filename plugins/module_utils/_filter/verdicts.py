# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets a packet filter drops for certain, whatever else is in them. Pure.

Of the packet only a few things are known, and of the rules only those words that are read here. A condition about
anything else may hold or not, and then both ways are followed. So a packet is dropped for certain only where every way
through the chains ends so, and where nothing on its way may make another packet of it.
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from functools import lru_cache
from itertools import islice, product
from operator import itemgetter
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import Packet


class Verdict(Enum):
    """What a rule does with a packet. It is no text, because a chain may have any name, ``drop`` too."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    CONTINUE = "continue"
    # It may do anything, or make another packet of it.
    UNSURE = "unsure"

    # Python's own for these is slow, and this is asked for each rule.
    __hash__ = object.__hash__


ACCEPT, DROP, RETURN, CONTINUE, UNSURE = Verdict
HOOKS = ("input", "forward", "output")
# What both kinds of rules call a connection whose destination was translated: iptables among the states.
DNAT = "dnat"
# Chains that packets pass before those of the hooks: of the second kind only those that begin a connection.
PREROUTING, TRANSLATION = "prerouting", "translation"
# What is said of a drop begins with this where the packet does not come to its hook.
EARLY = f"{PREROUTING}: "
# Type and code of the ICMP that says that a packet was too large, by family.
_TOO_LARGE = {4: (3, 4), 6: (2, 0)}
# Deeper than any packet filter of people, and far from what Python can do.
_DEEPEST = 50


class Condition(NamedTuple):
    """What a rule asks of a packet: that a field is one of the values, or is none of them.

    The field is one of the packet's, or ``iif``, ``oif``, ``icmp``, ``status``, or anything else that is not known. The
    values are what ``filter_rules`` made of the words of the rule; None: a word in a form that is not known there.
    """

    field: str
    values: Sequence[Any]
    negated: bool = False


class Rule(NamedTuple):
    """``verdict`` may be the name of a chain. ``goes`` there: what follows is not read."""

    text: str
    conditions: Sequence[Condition]
    verdict: Verdict | str
    goes: bool = False


class Chain(NamedTuple):
    """``hook`` is empty for one that others lead to. ``families`` are those whose packets it sees.

    ``is_late``: it comes after IPVS, and does not see what that takes. ``is_early``: netfilter does not know the
    packet's connection yet.
    """

    rules: list[Rule]
    hook: str = ""
    policy: Verdict = ACCEPT
    families: tuple[int, ...] = (4, 6)
    text: str = ""
    is_late: bool = False
    is_early: bool = False


def only_accepts(chain: Chain) -> bool:
    return all(rule.verdict is ACCEPT for rule in chain.rules)


Chains = Mapping[str, Chain]
# By how the way of a packet may end, what says so.
Ends = Mapping[Verdict, str]
# What an extension or a program may do with a packet. It may also make another one of it, which UNSURE stands for.
_ANYTHING: Ends = {ACCEPT: "", DROP: "", CONTINUE: "", UNSURE: ""}


class Judge:
    """What filters do with packets. Of many packets that are alike in what a rule asks, it is asked about one."""

    def __init__(self, filters: Iterable[Chains]) -> None:
        self._filters = [*filters]
        self._ports = Ports(self._filters)
        self._memory: _Memory = {}

    def of_range(
        self, packet: Packet, last_source_port: int | None = None, last_port: int | None = None
    ) -> tuple[Verdict, str]:
        """The same of packets of ranges of ports, which begin with the packet's: DROP where some of them are.

        UNSURE as well where rules tell apart more ports than are looked at.
        """
        packets = self._ports.each(packet, last_source_port, last_port)
        every = [self.of(each) for each in packets]
        dropped = next((each for each in every if each[0] is DROP), None)
        if dropped is None and len(packets) < self._ports.count(packet, last_source_port, last_port):
            return UNSURE, ""
        return dropped or max(every, key=lambda each: each[0] is UNSURE)

    def of(self, packet: Packet) -> tuple[Verdict, str]:
        """DROP with what says so and ACCEPT are certain. UNSURE: it may get through or not."""
        before = _before(packet)
        # Of what is forwarded nobody says by which interface it came.
        coming = packet._replace(hook=PREROUTING, interface=None if packet.hook == "forward" else packet.interface)
        said = None
        is_accepted = True
        for chains in self._filters:
            every: dict[Packet, _Ways] = {}
            for name, chain in chains.items():
                if packet.family not in chain.families or chain.hook not in (packet.hook, *before):
                    continue
                if chain.is_late and packet.taken:
                    continue
                seen = packet if chain.hook == packet.hook else coming
                if chain.is_early or chain.hook == TRANSLATION:
                    # A translation is that of the whole connection, so the state of this packet does not tell whether
                    # there is one.
                    seen = seen._replace(state=None)
                ends = every.setdefault(seen, _Ways(chains, seen, self._memory)).through(name)
                if UNSURE in ends:
                    return UNSURE, ""
                if chain.hook != TRANSLATION and said is None and set(ends) == {DROP}:
                    said = ends[DROP] if chain.hook == packet.hook else f"{EARLY}{ends[DROP]}"
                is_accepted = is_accepted and set(ends) == {ACCEPT}
        if said is not None:
            return DROP, said
        return ACCEPT if is_accepted else UNSURE, ""


class Hooks:
    """The chains of one table, as those walk through them who come by a hook.

    As a judge does, it asks a rule about one of many packets that are alike in what the rule asks.
    """

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._memory: _Memory = {}
        self.ports = Ports([chains])

    def first_drop(self, name: str, packets: Iterable[Packet]) -> int | None:
        """Behind how many rules of the chain of a hook the first of them is dropped for certain; None: none of them.

        A rule that may drop a packet does so to some clients, and they are refused by whoever wrote that. What other
        chains make of it before is not looked at.
        """
        chain = self._chains.get(name)
        if chain is None:
            return None
        seen = (each for each in packets if each.family in chain.families)
        places = [_Ways(self._chains, each, self._memory).drop(chain) for each in seen]
        return min((each for each in places if each is not None), default=None)


# Each is led through all rules, which may be thousands.
_MOST_PACKETS = 100


class Ports:
    """What of ranges of ports is looked at: the first port of each stretch that no rule makes a difference in."""

    def __init__(self, filters: Iterable[Chains]) -> None:
        self._begins: dict[str, set[int]] = {"port": set(), "source_port": set()}
        for chain in (chain for chains in filters for chain in chains.values()):
            for condition in (condition for rule in chain.rules for condition in rule.conditions):
                if condition.field in self._begins:
                    for low, high in filter(None, condition.values):
                        self._begins[condition.field] |= {low, high + 1}

    def each(self, packet: Packet, last_source_port: int | None, last_port: int | None) -> list[Packet]:
        """The packet with each of these ports, which are at most _MOST_PACKETS. Its own are the first of the ranges."""
        pairs = product(*self._of_each(packet, last_source_port, last_port))
        return [
            packet._replace(source_port=source_port, port=port) for source_port, port in islice(pairs, _MOST_PACKETS)
        ]

    def count(self, packet: Packet, last_source_port: int | None, last_port: int | None) -> int:
        """How many packets the rules tell apart, which may be more than each() has."""
        source_ports, ports = self._of_each(packet, last_source_port, last_port)
        return len(source_ports) * len(ports)

    def _of_each(
        self, packet: Packet, last_source_port: int | None, last_port: int | None
    ) -> tuple[list[int | None], list[int | None]]:
        return (
            self._of("source_port", packet.source_port, last_source_port),
            self._of("port", packet.port, last_port),
        )

    def _of(self, field: str, first: int | None, last: int | None) -> list[int | None]:
        if first is None or last is None:
            return [first]
        return [first, *sorted(each for each in self._begins[field] if first < each <= last)]


def _before(packet: Packet) -> tuple[str, ...]:
    """The chains that may make another packet of it before it comes to its hook."""
    if packet.hook == "output":
        return ()
    if packet.hook == "forward" and packet.state in ("established", "invalid"):
        return (PREROUTING,)
    return (PREROUTING, TRANSLATION)


_Getter = Callable[[Packet], Any]
# By chain, its rules: each with the fields of a packet that it asks for, and what it answered to these.
_Memory = Dict[int, "list[tuple[Rule, _Getter, dict[Any, bool | None]]]"]


class _Ways:
    """The ways of a packet through the chains of a table. Each is looked at once, however often others jump to it."""

    def __init__(self, chains: Chains, packet: Packet, memory: _Memory) -> None:
        self._chains = chains
        self._packet = packet
        self._memory = memory
        self._asked: dict[_Getter, Any] = {}
        self._known: dict[str, Ends] = {}

    def through(self, name: str, depth: int = 0) -> Ends:
        """How the way through a chain may end. CONTINUE: with its end. What is no chain may do anything."""
        if name not in self._known:
            chain = self._chains.get(name)
            if chain is None or depth > _DEEPEST:
                return _ANYTHING
            # That is what a chain finds that leads to itself.
            self._known[name] = _ANYTHING
            self._known[name] = self._find(chain, depth)
        return self._known[name]

    def drop(self, chain: Chain) -> int | None:
        """Behind how many rules of a chain of a hook the packet is dropped for certain; None: it may get through."""
        # Whoever leaves such a chain, by RETURN or by the end of a chain that it went to, comes to its policy.
        dropping = {DROP, RETURN} if chain.policy is DROP else {DROP}
        for place, (rule, holds) in enumerate(self._answers(chain)):
            if holds and rule.verdict is not CONTINUE:
                ends = self._of_rule(rule, 0)
                if CONTINUE not in ends:
                    return place if dropping.issuperset(ends) else None
        return len(chain.rules) if chain.policy is DROP else None

    def _answers(self, chain: Chain) -> Iterator[tuple[Rule, bool | None]]:
        """The rules of a chain, each with whether the packet is what it asks for."""
        if id(chain) not in self._memory:
            self._memory[id(chain)] = [(each, _getter(each.conditions), {}) for each in chain.rules]
        for rule, getter, answers in self._memory[id(chain)]:
            if getter not in self._asked:
                self._asked[getter] = getter(self._packet)
            asked = self._asked[getter]
            if asked not in answers:
                answers[asked] = _holds(rule.conditions, self._packet)
            yield rule, answers[asked]

    def _find(self, chain: Chain, depth: int) -> dict[Verdict, str]:
        found: dict[Verdict, str] = {}
        for rule, holds in self._answers(chain):
            if holds is False or rule.verdict is CONTINUE:
                continue
            ends = self._of_rule(rule, depth)
            goes_on = ends.pop(CONTINUE, None) is not None
            is_last = holds and not goes_on
            for outcome, text in ends.items():
                name = CONTINUE if outcome is RETURN else outcome
                # What ends every way that comes so far is named, and not what ends some of them before.
                found[name] = text if is_last else found.get(name, text)
            if is_last:
                return _settled(found, chain)
        found.setdefault(CONTINUE, chain.text)
        return _settled(found, chain)

    def _of_rule(self, rule: Rule, depth: int) -> dict[Verdict, str]:
        if isinstance(rule.verdict, Verdict):
            return dict(_ANYTHING) if rule.verdict is UNSURE else {rule.verdict: rule.text}
        ends = dict(self.through(rule.verdict, depth + 1))
        if rule.goes and CONTINUE in ends:
            ends[RETURN] = ends.pop(CONTINUE)
        return ends


def _settled(found: dict[Verdict, str], chain: Chain) -> dict[Verdict, str]:
    """A base chain has a policy for what comes to its end."""
    if chain.hook and CONTINUE in found:
        del found[CONTINUE]
        found[chain.policy] = chain.text
    return found


# By field of a condition, that of the packet, where it has another name. Besides, every answer may depend on the hook.
_ASKED = {"iif": "interface", "oif": "interface", "icmp": "family"}


def _getter(conditions: Sequence[Condition]) -> _Getter:
    return _fields(frozenset(each.field for each in conditions))


@lru_cache(maxsize=None)
def _fields(asked: frozenset[str]) -> _Getter:
    names = {"hook", *(_ASKED.get(each, each) for each in asked)}
    return itemgetter(*(place for place, name in enumerate(Packet._fields) if name in names))


def _holds(conditions: Sequence[Condition], packet: Packet) -> bool | None:
    every = [_one_holds(each, packet) for each in conditions]
    if False in every:
        return False
    return None if None in every else True


def _one_holds(condition: Condition, packet: Packet) -> bool | None:
    every = [None if each is None else _matches(condition.field, each, packet) for each in condition.values]
    if True in every:
        return not condition.negated
    return None if None in every or not every else condition.negated


def _matches(field: str, value: Any, packet: Packet) -> bool | None:
    found: bool | None = None
    if field in ("source", "destination"):
        found = _is_within(packet.source if field == "source" else packet.destination, value)
    elif field in ("port", "source_port"):
        port = packet.port if field == "port" else packet.source_port
        found = None if port is None else value[0] <= port <= value[1]
    elif value == DNAT and field in ("state", "status"):
        # Where a rule may have translated it, `Judge` does not ask what comes of this condition.
        found = False if packet.hook == "input" else None
    elif field in ("protocol", "state", "family"):
        known = getattr(packet, field)
        found = None if known is None else known == value
    elif field in ("iif", "oif"):
        found = _is_by(packet, field, value)
    elif field == "icmp":
        # ICMP is only asked about for what says that a packet was too large.
        found = all(part in (None, own) for part, own in zip(value, _TOO_LARGE[packet.family]))
    return found


def _is_by(packet: Packet, field: str, value: tuple[str, bool]) -> bool | None:
    """Whether it comes or leaves by an interface. Of what is forwarded nobody says by which of two."""
    name, begins = value
    has_one = packet.hook == "forward" or (packet.hook == "output") == (field == "oif")
    # What comes from or goes elsewhere does not do so by lo.
    if has_one and name == "lo" and not begins:
        return False
    if not has_one or packet.interface is None or packet.hook == "forward":
        return None
    return packet.interface.startswith(name) if begins else packet.interface == name


def _is_within(address: str | None, network: tuple[int, int, int]) -> bool | None:
    family, low, high = network
    if address is None:
        return True if high - low == 2 ** (32 if family == 4 else 128) - 1 else None
    found = _as_number(address)
    return found[0] == family and low <= found[1] <= high


@lru_cache(maxsize=1024)
def _as_number(address: str) -> tuple[int, int]:
    found = ipaddress.ip_address(address)
    return found.version, int(found)
