# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes a firewall of nftables: chains of ours in the operator's tables, and where they are called. Pure.

What a table of our own accepts, the table of somebody else drops all the same. So our chains are in the table that
drops, and are called before the first rule there that would drop one of their packets for certain.
"""

from __future__ import annotations

import re
from typing import AbstractSet, Container, Iterator, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_rules, firewall_words, verdicts
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import protocol_number
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

# What chains of any owner are called. Operators may call theirs so, too.
_NAMES = re.compile(r"lvs-.+-(?:in|fwd|out)-\S+\Z")
_TABLE = re.compile(r"table (ip|ip6|inet) (\S+) \{(?: # handle \d+)?\Z")
_HANDLE = re.compile(r" # handle (\d+)\Z")
# What iptables calls its own chains.
_OF_IPTABLES = {"INPUT", "FORWARD", "OUTPUT"}
_SUFFIXES = {"input": "in", "forward": "fwd", "output": "out"}
# Tables of those that make them anew whenever they like.
_OF_OTHERS = ("firewalld",)


class Base(NamedTuple):
    """A chain of somebody else's that packets come to by a hook. ``rules`` are its lines, with their handles."""

    family: str
    table: str
    name: str
    hook: str
    # The chains of the table, without the calls of ours.
    hooks: verdicts.Hooks
    rules: list[tuple[str, str]]
    # The lines of the chains that are ours in this table, by their names.
    ours: dict[str, list[str]]

    @property
    def table_name(self) -> str:
        return f"{self.family} {self.table}"

    def chain_of(self, owner: str) -> str:
        # One table may have several chains at a hook.
        return f"lvs-{owner}-{_SUFFIXES[self.hook]}-{self.name}"


def has_firewalld(listing: str) -> bool:
    return any(line.startswith("table inet firewalld {") for line in listing.splitlines())


def bases(listing: str, owner: str, of_iptables: AbstractSet[str] = frozenset()) -> Iterator[Base]:
    """The chains of hooks that filter, from what ``nft -s -a list ruleset`` prints.

    Whatever is in the owner's own chains, it is not the firewall's.
    ``of_iptables`` are the families whose table ``filter`` iptables lists: those chains it changes itself.
    """
    for family, table, lines in _tables(listing):
        is_of_iptables = table == "filter" and family in of_iptables
        found = _bases_of(family, table, lines, owner)
        yield from (each for each in found if not (is_of_iptables and each.name in _OF_IPTABLES))


def _tables(listing: str) -> Iterator[tuple[str, str, list[str]]]:
    """Family, name and lines of each table of an operator's."""
    family = table = ""
    lines: list[str] = []
    for line in listing.splitlines():
        opens = _TABLE.match(line)
        if opens:
            family, table, lines = opens[1], opens[2], []
        lines.append(line)
        if line == "}" and family:
            if table not in _OF_OTHERS and not table.startswith("lvs_topology_"):
                yield family, table, lines
            family = ""


def _bases_of(family: str, table: str, lines: Sequence[str], owner: str) -> Iterator[Base]:
    text = "\n".join(_HANDLE.sub("", line) for line in lines)
    chains = next(iter(filter_rules.of_nft(text)), {})
    listed = _rules(lines)
    names = {name for name, chain in chains.items() if _is_ours(name, chain, owner)}
    ours = {name: [rule for rule, _handle in rules] for name, rules in listed.items() if name in names}
    hooks = verdicts.Hooks(
        {
            name: chain._replace(rules=[rule for rule in chain.rules if not _is_call(_listed(rule.text), names)])
            for name, chain in chains.items()
        }
    )
    for name, chain in chains.items():
        if chain.hook in verdicts.HOOKS:
            read = {_listed(rule.text) for rule in chain.rules}
            rules = [each for each in listed.get(name, []) if each[0] in read]
            yield Base(family, table, name, chain.hook, hooks, rules, ours)


def _rules(lines: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The rules of each chain with their handles."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in lines:
        begun = re.match(r"\tchain (\S+) \{", line)
        handle = _HANDLE.search(line)
        if begun:
            name = begun[1]
            found[name] = []
        elif line == "\t}":
            name = ""
        elif name and handle:
            found[name].append((_HANDLE.sub("", line).strip(), handle[1]))
    return found


def place_of(base: Base, openings: Sequence[Opening]) -> int | None:
    """Behind how many rules of others our chain is called; None: this chain drops none of these packets."""
    packets = (packet for each in _own(base, openings) for packet in each.packets(base.hooks.ports))
    return base.hooks.first_drop(base.name, packets)


def _own(base: Base, openings: Sequence[Opening]) -> list[Opening]:
    return [each for each in openings if each.hook == base.hook and base.family in ("inet", _family(each.family))]


def _accepting(base: Base, openings: Sequence[Opening]) -> list[str]:
    rules = [f"{firewall_words.nft_rule(each)} accept" for each in _own(base, openings)]
    # nft refuses to be asked for the family in a table that sees one family only.
    return rules if base.family == "inet" else [re.sub(r"^meta nfproto \S+ ", "", each) for each in rules]


def _plain(rules: Sequence[str]) -> list[str]:
    """Rules whose protocols and codes are numbers: by what nft lists them depends on the host."""
    plain = []
    for rule in rules:
        words = rule.split()
        for place, word in enumerate(words):
            if place and words[place - 1] == "l4proto":
                words[place] = protocol_number(word) or word
            elif place and words[place - 1] == "code" and word == "frag-needed":
                words[place] = "4"
        plain.append(" ".join(words))
    return plain


def _family(number: int) -> str:
    return "ip" if number == 4 else "ip6"


def _listed(text: str) -> str:
    """The rule as nft lists it."""
    return text.partition(": ")[2]


def _is_ours(name: str, chain: verdicts.Chain, owner: str) -> bool:
    """Whether it is the owner's, or one that does no more than those of other owners (firewall_chains)."""
    found = _NAMES.match(name)
    return bool(found) and (name.startswith(f"lvs-{owner}-") or verdicts.only_accepts(chain))


def _is_call(text: str, ours: Container[str]) -> bool:
    words = text.split()
    return len(words) == 2 and words[0] == "jump" and words[1] in ours


def plan_chain(base: Base, owner: str, openings: Sequence[Opening]) -> Plan:
    """What makes our chain and its call right, as one transaction of ``nft -f``. Where nothing is dropped, it goes."""
    place, name, where = place_of(base, openings), base.chain_of(owner), base.table_name
    rules = _accepting(base, openings) if place is not None else []
    current, call = base.ours.get(name), f"jump {name}"
    calls = [(number, handle) for number, (rule, handle) in enumerate(base.rules) if rule == call]
    in_time = place is not None and len(calls) == 1 and _others_before(base, calls[0][0]) <= place
    is_same = current is not None and _plain(current) == _plain(rules)
    if (is_same and in_time) if rules else (current is None and not calls):
        return Plan()
    text = [f"add chain {where} {name}", f"flush chain {where} {name}"]
    lines = []
    if not in_time:
        text += [f"delete rule {where} {base.name} handle {handle}" for _number, handle in calls]
        lines += [f"nft delete rule {where} {base.name} {call}" for _each in calls]
        if rules and place is not None:
            text.append(_insert(base, place, call))
            lines.append(f"nft insert rule {where} {base.name} {call}")
    text += [f"add rule {where} {name} {rule}" for rule in rules] or [f"delete chain {where} {name}"]
    lines += [f"nft delete rule {where} {name} {rule}" for rule in current or () if not is_same and rule not in rules]
    lines += [f"nft add rule {where} {name} {rule}" for rule in rules if not is_same and rule not in (current or ())]
    changes = [Change(line, None) for line in lines or [f"nft: replace {where} {name}"]]
    changes[0] = Change(changes[0].line, "\n".join(text) + "\n")
    before = [f"{where} {base.name} {call}" for _each in calls] + [f"{where} {name} {rule}" for rule in current or ()]
    after = [f"{where} {base.name} {call}", *(f"{where} {name} {rule}" for rule in rules)] if rules else []
    return Plan(tuple(changes), tuple(before), tuple(after))


def plan_lost(listing: str, owner: str, known: Sequence[Base]) -> Iterator[Plan]:
    """What takes away chains of ours whose base is no longer there, or filters nothing: one for each table.

    Somebody may have switched off the table, or renamed or moved the chain. One that does not only accept is not ours.
    """
    kept = {(each.table_name, each.chain_of(owner)) for each in known}
    pattern = re.compile(rf"lvs-{re.escape(owner)}-(?:in|fwd|out)-\S+\Z")
    for family, table, lines in _tables(listing):
        where, rules = f"{family} {table}", _rules(lines)
        lost = [
            name
            for name, own in rules.items()
            if pattern.match(name)
            and (where, name) not in kept
            and all(rule.endswith(" accept") for rule, _handle in own)
        ]
        calls = [
            (chain, rule, handle)
            for chain, others in rules.items()
            for rule, handle in others
            if rule.split()[-2:-1] in (["jump"], ["goto"]) and rule.split()[-1] in lost
        ]
        text = [f"delete rule {where} {chain} handle {handle}" for chain, _rule, handle in calls]
        text += [f"{verb} chain {where} {name}" for name in lost for verb in ("flush", "delete")]
        before = [f"{where} {chain} {rule}" for chain, rule, _handle in calls]
        before += [f"{where} {name} {rule}" for name in lost for rule, _handle in rules[name]]
        said = [f"nft delete rule {where} {chain} {rule}" for chain, rule, _handle in calls]
        said += [f"nft delete chain {where} {name}" for name in lost]
        action = "\n".join(text) + "\n"
        if said:
            yield Plan((Change(said[0], action), *(Change(line, None) for line in said[1:])), tuple(before), ())


def _others_before(base: Base, number: int) -> int:
    return sum(not _is_call(rule, base.ours) for rule, _handle in base.rules[:number])


def _insert(base: Base, place: int, call: str) -> str:
    """The call before the rule of somebody else that is at this place, or behind all of them."""
    others = [handle for rule, handle in base.rules if not _is_call(rule, base.ours)]
    if place < len(others):
        return f"insert rule {base.table_name} {base.name} handle {others[place]} {call}"
    return f"add rule {base.table_name} {base.name} {call}"


def boot_lines(base: Base, owner: str, openings: Sequence[Opening]) -> list[str]:
    """What brings the chain back, as input of ``nft -f``, with the call in a line that only the boot's script reads."""
    place, name, where = place_of(base, openings), base.chain_of(owner), base.table_name
    if place is None:
        return []
    others = [rule for rule, _handle in base.rules if not _is_call(rule, base.ours)]
    before = others[place] if place < len(others) else ""
    return [
        f"#call {where} {base.name} {name} {before}".rstrip(),
        f"add chain {where} {name}",
        f"flush chain {where} {name}",
        *(f"add rule {where} {name} {rule}" for rule in _accepting(base, openings)),
    ]
