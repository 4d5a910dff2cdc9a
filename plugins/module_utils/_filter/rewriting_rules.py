# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets the rules of a packet filter mark, and of which connections they change the source. Pure.

A rule is plain where all that it asks for is said by the fields here, and nothing before it may end the way of its
packets. Of any other rule nothing is concluded.
"""

from __future__ import annotations

import re
from typing import Collection, Iterable, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._filter import rewriting_words
from ansible_collections.lvs.topology.plugins.module_utils._filter.filter_rules import (
    HOOK,
    is_before_ipvs,
    opened,
    priority_of,
    tables_of_nft,
)
from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_plan import EVERY_PORT, Mark
from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_text import nft_table
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import (
    ENDS,
    LEADS,
    MARKS,
    TRANSLATES,
    Rewriting,
    Rule,
)

# By table and chain of iptables, what rules there may do that is of interest here, and the priority. IPVS takes packets
# at the hook input, so what is marked there before counts as well. The table nat sees the first packet of a connection
# alone.
_BASES = {
    ("raw", "PREROUTING"): (MARKS, -300),
    ("mangle", "PREROUTING"): (MARKS, -150),
    ("nat", "PREROUTING"): (MARKS, -100),
    ("mangle", "INPUT"): (MARKS, -150),
    ("filter", "INPUT"): (MARKS, 0),
    ("nat", "POSTROUTING"): (TRANSLATES, 100),
}
# The same by type and hook of nft.
_HOOKED = {
    ("filter", "prerouting"): MARKS,
    ("nat", "prerouting"): MARKS,
    ("filter", "input"): MARKS,
    ("nat", "postrouting"): TRANSLATES,
}
_CHAIN = re.compile(r"\s*chain (\S+) \{")
# What iptables-save says in place of a table, and of one that it does not say in full.
_INCOMPATIBLE = re.compile(r"^# Table `(\w+)' is incompatible", re.MULTILINE)
_LEFT_OUT = re.compile(r"^# (Table `\w+' contains incompatible base-chains)", re.MULTILINE)
_NAMES = {4: "ip", 6: "ip6"}
# How the chains of an owner are called in iptables.
_OUR_CHAIN = re.compile(r"lvs-[\w-]+-(?:mark|snat)\Z")


def of_iptables(text: str, family: int) -> Iterator[Rewriting]:
    """What iptables-save prints, of all tables."""
    chains: dict[str, list[Rule]] = {}
    table = ""
    for line in [*text.splitlines(), "*"]:
        if line.startswith("*"):
            for (of_table, base), (does, priority) in _BASES.items():
                if of_table == table:
                    found = _in_turn(_Walk(chains, does).through(base, is_sure=does != MARKS or table != "nat"))
                    yield from (each._replace(priority=priority) for each in found)
            chains, table = {}, line[1:].strip()
        elif line.startswith(":"):
            chains[line.split()[0][1:]] = []
        elif line.startswith("-A ") and len(line.split()) > 1:
            chains.setdefault(line.split()[1], []).append(rewriting_words.of_iptables(line, family, chains))


def of_nft(text: str, skipped: Collection[str] = ()) -> Iterator[Rewriting]:
    """What ``nft list ruleset`` prints, without the tables of iptables that are ``skipped``, such as ``ip nat``.

    What is called first comes first, and ours before others of the same priority.
    """
    own = nft_table("")
    found: list[Rewriting] = []
    for family, table, lines in tables_of_nft(text):
        name = f"{family} {table}"
        if name in skipped:
            continue
        chains, bases = _chains(lines, family)
        for base, (does, priority, is_sure) in bases.items():
            rules = _Walk(chains, does).through(base, is_sure=is_sure)
            found += (each._replace(is_ours=name.startswith(own), priority=priority) for each in rules)
    return iter(sorted(found, key=lambda each: (each.priority, not each.is_ours)))


def _chains(lines: Sequence[str], family: str) -> tuple[dict[str, list[Rule]], dict[str, tuple[str, int, bool]]]:
    """The chains of a table, and of those that are called by a hook what rules do there, the priority, and whether
    all packets come there."""
    chains: dict[str, list[Rule]] = {}
    bases: dict[str, tuple[str, int, bool]] = {}
    name, level = None, 0
    for line in lines:
        opens, hook = _CHAIN.match(line), HOOK.match(line)
        before, level = level, level + opened(line)
        if before == 0:
            name = opens[1] if opens else None
            if opens:
                chains[opens[1]] = []
        elif name is None or level == 0 or not line.strip():
            continue
        elif before > 1:
            # What is in a block of its own inside a chain has the conditions of the line that opens the block.
            chains[name] += map(_with_conditions, rewriting_words.of_nft(line.strip(), family))
        elif hook:
            does = _HOOKED.get((hook[1], hook[2]), "")
            if does and (hook[2] != "input" or is_before_ipvs(hook)):
                bases[name] = does, priority_of(hook) or 0, does != MARKS or hook[1] != "nat"
        else:
            chains[name] += rewriting_words.of_nft(line.strip(), family)
    return chains, bases


def tables_of_iptables(text: str, of_family: int) -> list[str]:
    """Those tables of nft in which the command of iptables for that family has its rules."""
    found = []
    for family, table, lines in tables_of_nft(text):
        names = {opens[1] for opens in map(_CHAIN.match, lines) if opens}
        if family == _NAMES[of_family] and any((table, name) in _BASES for name in names):
            found.append(f"{family} {table}")
    return found


def incompatible(text: str) -> list[str]:
    """The tables of which iptables-save says that iptables has no words for them."""
    return _INCOMPATIBLE.findall(text)


def left_out(text: str) -> list[str]:
    """What iptables-save says of tables that it does not print in full."""
    return _LEFT_OUT.findall(text)


def redundant(found: Iterable[Rewriting], wanted: Sequence[Mark]) -> set[str]:
    """The rules that mark nothing but packets which get the same mark by what is wanted."""
    ranges: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
    for mark in wanted:
        ranges.setdefault((mark.address, mark.protocol, mark.mark), []).append(mark.ports)
    rules: dict[str, bool] = {}
    for each in found:
        if each.does == MARKS:
            # A network is no address of what is wanted.
            known = ranges.get((each.destination, each.protocol, each.mark), [])
            rules[each.rule] = rules.get(each.rule, True) and _is_within(each, known)
    return {rule for rule, is_within in rules.items() if is_within}


def _is_within(rule: Rewriting, ranges: Sequence[tuple[int, int]]) -> bool:
    asked = [each.partition("-") for each in rule.ports or (f"1-{EVERY_PORT[1]}",)]
    return rule.is_plain and all(
        any(low <= int(first) and int(last or first) <= high for low, high in ranges) for first, _dash, last in asked
    )


def _with_conditions(rule: Rule) -> Rule:
    found = tuple(each._replace(is_plain=False) for each in rule.found)
    return rule._replace(found=found, has_conditions=True)


class _Walk:
    """The rules that a packet meets from a hook on. A chain that is called several times is met once, or twice."""

    def __init__(self, chains: Mapping[str, list[Rule]], does: str) -> None:
        self._chains, self._does = chains, does
        self._met: set[tuple[str, bool]] = set()
        self._ends: dict[str, bool] = {}

    def through(self, name: str, *, is_sure: bool) -> Iterator[Rewriting]:
        """Behind a rule that may end the way of a packet, none is plain any more."""
        if (name, is_sure) in self._met:
            return
        self._met.add((name, is_sure))
        is_ours = bool(_OUR_CHAIN.match(name))
        for rule in self._chains.get(name, ()):
            if rule.does == self._does:
                yield from (each._replace(is_plain=is_sure and each.is_plain, is_ours=is_ours) for each in rule.found)
            elif rule.does == LEADS:
                yield from self.through(rule.chain, is_sure=is_sure and not rule.has_conditions)
                is_sure = is_sure and not rule.goes and not self._may_end(rule.chain)
            elif rule.does == ENDS:
                is_sure = False

    def _may_end(self, name: str) -> bool:
        """Whether a chain may end the way of packets, for what comes behind its call as well."""
        if name not in self._ends:
            # The kernel refuses chains that lead to each other.
            self._ends[name] = False
            self._ends[name] = any(
                each.does == ENDS or (each.does == LEADS and self._may_end(each.chain))
                for each in self._chains.get(name, ())
            )
        return self._ends[name]


def _in_turn(rules: Iterator[Rewriting]) -> Iterator[Rewriting]:
    """Rules of iptables that take turns, as this collection writes them, are one: every third of three, and so on."""
    waiting: list[Rewriting] = []
    for each in rules:
        last = waiting[-1] if waiting else None
        if last is None or _alike(last) != _alike(each) or each.turn != last.turn - 1:
            yield from _not_in_turn(waiting)
            waiting = []
        waiting.append(each)
        if each.turn == 1 and len(waiting) == max(1, waiting[0].turn):
            # Where the kernel chooses in one of them, not all that real servers see is known.
            to = tuple(address for one in waiting for address in one.to) if all(one.to for one in waiting) else ()
            yield waiting[0]._replace(to=to, turn=1)
            waiting = []
    yield from _not_in_turn(waiting)


def _not_in_turn(waiting: list[Rewriting]) -> Iterator[Rewriting]:
    return (each._replace(is_plain=False, turn=1) for each in waiting)


def _alike(each: Rewriting) -> Rewriting:
    return each._replace(rule="", to=(), turn=1)
