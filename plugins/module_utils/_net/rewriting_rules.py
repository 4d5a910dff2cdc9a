# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets the rules of a packet filter mark, and of which connections they change the source. Pure.

A rule is plain where all that it asks for is said by the fields here, and nothing before it may end the way of its
packets. Of any other rule nothing is concluded.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._net import rewriting_words
from ansible_collections.lvs.topology.plugins.module_utils._net.filter_rules import tables_of_nft
from ansible_collections.lvs.topology.plugins.module_utils._net.packet_rules_plan import EVERY_PORT, Mark
from ansible_collections.lvs.topology.plugins.module_utils._net.packet_rules_text import nft_table
from ansible_collections.lvs.topology.plugins.module_utils._net.rewriting_words import (
    ENDS,
    LEADS,
    MARKS,
    TRANSLATES,
    Rewriting,
    Rule,
)

# By table and chain of iptables, and by type and hook of nft, what rules there may do that is of interest here.
_BASES = {("mangle", "PREROUTING"): MARKS, ("nat", "POSTROUTING"): TRANSLATES}
_HOOKED = {("filter", "prerouting"): MARKS, ("nat", "postrouting"): TRANSLATES}
_HOOK = re.compile(r"\s*type (\w+) hook (\w+) ")
_CHAIN = re.compile(r"\s*chain (\S+) \{")
# How the chains of an owner are called in iptables.
_OUR_CHAIN = re.compile(r"lvs-[\w-]+-(?:mark|snat)\Z")


def of_iptables(text: str, family: int) -> Iterator[Rewriting]:
    """What iptables-save prints, of all tables."""
    chains: dict[str, list[Rule]] = {}
    table = ""
    for line in [*text.splitlines(), "*"]:
        if line.startswith("*"):
            for (of_table, base), does in _BASES.items():
                if of_table == table:
                    yield from _in_turn(_walk(chains, base, does, True, ()))
            chains, table = {}, line[1:].strip()
        elif line.startswith(":"):
            chains[line.split()[0][1:]] = []
        elif line.startswith("-A ") and len(line.split()) > 1:
            chains.setdefault(line.split()[1], []).append(rewriting_words.of_iptables(line, family, chains))


def of_nft(text: str, skipped: Sequence[str] = ()) -> Iterator[Rewriting]:
    """What ``nft list ruleset`` prints, without the tables of iptables that are ``skipped``, such as ``ip nat``.

    Our own table comes first, as it does by its priority where sources are changed.
    """
    own = nft_table("")
    for family, table, lines in sorted(tables_of_nft(text), key=lambda each: not " ".join(each[:2]).startswith(own)):
        if f"{family} {table}" in skipped:
            continue
        chains: dict[str, list[Rule]] = {}
        bases: dict[str, str] = {}
        name = None
        for line in lines:
            opens, hook = _CHAIN.match(line), _HOOK.match(line)
            if opens:
                name = opens[1]
                chains[name] = []
            elif line.strip() == "}":
                name = None
            elif name is not None and hook:
                bases[name] = _HOOKED.get((hook[1], hook[2]), "")
            elif name is not None and line.strip():
                chains[name] += rewriting_words.of_nft(line.strip(), family)
        for base, does in bases.items():
            if does:
                is_ours = f"{family} {table}".startswith(own)
                yield from (each._replace(is_ours=is_ours) for each in _walk(chains, base, does, True, ()))


def tables_of_iptables(text: str) -> list[str]:
    """Those tables of nft in which a command of iptables has its rules."""
    found = []
    for family, table, lines in tables_of_nft(text):
        names = {opens[1] for opens in map(_CHAIN.match, lines) if opens}
        if family != "inet" and table in ("mangle", "nat") and names & {"PREROUTING", "POSTROUTING"}:
            found.append(f"{family} {table}")
    return found


def redundant(found: Iterable[Rewriting], wanted: Sequence[Mark]) -> set[str]:
    """The rules that mark nothing but packets which get the same mark by what is wanted."""
    rules: dict[str, bool] = {}
    for each in found:
        if each.does == MARKS:
            rules[each.rule] = rules.get(each.rule, True) and _is_within(each, wanted)
    return {rule for rule, is_within in rules.items() if is_within}


def _is_within(rule: Rewriting, wanted: Sequence[Mark]) -> bool:
    # A network is no address of what is wanted.
    packets = (rule.destination, rule.protocol, rule.mark)
    ranges = [each.ports for each in wanted if (each.address, each.protocol, each.mark) == packets]
    asked = [each.partition("-") for each in rule.ports or (f"1-{EVERY_PORT[1]}",)]
    return rule.is_plain and all(
        any(low <= int(first) and int(last or first) <= high for low, high in ranges) for first, _dash, last in asked
    )


def _walk(
    chains: Mapping[str, list[Rule]], name: str, does: str, is_sure: bool, path: tuple[str, ...]
) -> Iterator[Rewriting]:
    """The rules that a packet meets in a chain. Behind one that may end its way, none is plain any more."""
    if name in path:
        return
    is_ours = bool(_OUR_CHAIN.match(name))
    for rule in chains.get(name, ()):
        if rule.does == does:
            yield from (each._replace(is_plain=is_sure and each.is_plain, is_ours=is_ours) for each in rule.found)
        elif rule.does == LEADS:
            inner = (*path, name)
            yield from _walk(chains, rule.chain, does, is_sure and not rule.has_conditions, inner)
            is_sure = is_sure and not rule.goes and not _may_end(chains, rule.chain, inner)
        elif rule.does == ENDS:
            is_sure = False


def _may_end(chains: Mapping[str, list[Rule]], name: str, path: tuple[str, ...]) -> bool:
    """Whether a chain may end the way of packets, for what comes behind its call as well."""
    return name not in path and any(
        each.does == ENDS or (each.does == LEADS and _may_end(chains, each.chain, (*path, name)))
        for each in chains.get(name, ())
    )


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
            yield waiting[0]._replace(to=tuple(address for one in waiting for address in one.to), turn=1)
            waiting = []
    yield from _not_in_turn(waiting)


def _not_in_turn(waiting: list[Rewriting]) -> Iterator[Rewriting]:
    return (each._replace(is_plain=False, turn=1) for each in waiting)


def _alike(each: Rewriting) -> Rewriting:
    return each._replace(rule="", to=(), turn=1)
