# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes a firewall of iptables: chains of ours in the table filter, and where they are called. Pure.

Each owner has a chain for each hook, which accepts whatever the state of a connection is. It is called before the first
rule that would drop one of its packets for certain, so what refuses single sources before that goes on to do so.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import AbstractSet, Any, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_rules, verdicts
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import (
    ICMP,
    WITH_PORTS,
    Opening,
    ports_text,
    protocol_name,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

_SUFFIXES = {"input": "in", "forward": "fwd", "output": "out"}
# By family, what iptables and iptables-save call the ICMP that says that a packet was too large.
_ICMP_OPTION = {4: ("--icmp-type", "3/4"), 6: ("--icmpv6-type", "2")}
_ICMP_NAMES = {"fragmentation-needed": "3/4", "packet-too-big": "2", "2/0": "2"}
# What belongs to no connection that netfilter knows.
_STRAY = "INVALID"
# What chains of any owner are called. Operators may call theirs so, too.
_NAMES = re.compile(r"lvs-.+-(?:in|fwd|out)\Z")
_PORT_RANGE = re.compile(r"(\d{1,5})(?::(\d{1,5}))?\Z")


class Call(NamedTuple):
    """A rule of a built-in chain that leads to ours: behind how many others it stands, and how it reads."""

    place: int
    line: str


class Chain(NamedTuple):
    """Our chain at one hook: what it lets pass, its rules as they are listed, and what leads to it.

    ``openings`` None: some of its rules are none of ours.
    """

    openings: frozenset[Opening] | None
    rules: tuple[str, ...]
    calls: tuple[Call, ...]


NOTHING = Chain(frozenset(), (), ())


def chain_of(owner: str, hook: str) -> str:
    return f"lvs-{owner}-{_SUFFIXES[hook]}"


def rule_options(opening: Opening) -> list[str]:
    """What asks for such packets, in the order of iptables-save."""
    length = 32 if opening.family == 4 else 128
    options = ["-s", f"{opening.source}/{length}"] if opening.source else []
    options += ["-d", f"{opening.destination}/{length}"] if opening.destination else []
    options += ["-p", "ipv6-icmp" if opening.protocol == ICMP[6] else opening.protocol]
    if opening.is_icmp:
        options += ["-m", "icmp" if opening.family == 4 else "icmp6", *_ICMP_OPTION[opening.family]]
    elif opening.protocol in WITH_PORTS and (opening.ports or opening.source_ports):
        options += ["-m", opening.protocol]
        options += ["--sport", ports_text(opening.source_ports, ":")] if opening.source_ports else []
        options += ["--dport", ports_text(opening.ports, ":")] if opening.ports else []
    return [*options, "-m", "conntrack", "--ctstate", _STRAY] if opening.stray else options


def render(owner: str, hook: str, openings: Sequence[Opening]) -> tuple[str, ...]:
    return tuple(
        shlex.join(["-A", chain_of(owner, hook), *rule_options(each), "-j", "ACCEPT"])
        for each in openings
        if each.hook == hook
    )


# What is there


def filter_table(saved: str) -> str:
    """Of what iptables-save lists, the table filter; empty: there is none."""
    _before, begin, rest = f"\n{saved}".partition("\n*filter\n")
    rules, _end, _others = rest.partition("\nCOMMIT")
    return f"*filter\n{rules}\n" if begin else ""


def has_firewalld(table: str) -> bool:
    """Whether firewalld has its own chains in the table."""
    return "\n:INPUT_ZONES " in table


def read(owner: str, saved: str, family: int) -> dict[str, Chain]:
    """Our chains by hook, in what iptables-save lists of the table filter."""
    lines = saved.splitlines()
    found = {}
    for hook in verdicts.HOOKS:
        name = chain_of(owner, hook)
        calls = tuple(Call(place, line) for place, line in enumerate(_rules(saved, hook)) if _target(line) == name)
        rules = tuple(line for line in lines if line.startswith(f"-A {name} "))
        if calls or rules or any(line.startswith(f":{name} ") for line in lines):
            openings = [_opening(line, hook, family) for line in rules]
            known = None if None in openings else frozenset(each for each in openings if each)
            found[hook] = Chain(known, rules, calls)
    return found


def openings_of(name: str, saved: str, hook: str, family: int) -> list[Opening]:
    """What a chain of somebody else lets pass, as far as its rules read like ours."""
    rules = [_opening(line, hook, family) for line in saved.splitlines() if line.startswith(f"-A {name} ")]
    return [each for each in rules if each]


def _target(line: str) -> str:
    return line.rpartition(" -j ")[2]


def _opening(line: str, hook: str, family: int) -> Opening | None:
    """What a rule of our chain lets pass; None where it is none of ours."""
    try:
        words = shlex.split(line)[2:]
    except ValueError:
        return None
    if words[-2:] != ["-j", "ACCEPT"] or len(words) % 2:
        return None
    found: dict[str, Any] = {}
    for option, value in zip(words[:-2:2], words[1:-2:2]):
        asks = _asks(option, value, family)
        if asks is None:
            return None
        found.update(asks)
    return Opening(hook, family, **{"protocol": "", **found})


def _asks(option: str, value: str, family: int) -> dict[str, Any] | None:
    """What an option asks of a packet; None: something that no rule of ours does."""
    if option in ("-s", "-d"):
        address, _slash, length = value.partition("/")
        known = {"source" if option == "-s" else "destination": _spelling(address)}
        return known if length in ("", "32" if family == 4 else "128") else None
    if option == "-p":
        return {"protocol": protocol_name(value)}
    if option in ("--sport", "--dport", "--sports", "--dports"):
        # ufw asks for a range by the module that takes several.
        ports = _PORT_RANGE.match(value)
        name = "source_ports" if option.startswith("--s") else "ports"
        return {name: (int(ports[1]), int(ports[2] or ports[1]))} if ports else None
    if (option, value) == ("--ctstate", _STRAY):
        return {"stray": True}
    is_harmless = option == "-m" or (option, _ICMP_NAMES.get(value, value)) == _ICMP_OPTION[family]
    return {} if is_harmless else None


def _spelling(text: str) -> str:
    try:
        return forms.spelling(forms.address(text))
    except forms.BadForm:
        return text


# Where it has to be called


class Place(NamedTuple):
    """Where our chain is to be called: behind so many rules of others, and before this one; None: at the end."""

    number: int
    before: str | None


def place_of(openings: Sequence[Opening], hook: str, saved: str, family: int, owner: str) -> Place | None:
    """Where to call our chain; None: the firewall drops none of these packets. What is ours itself does not count."""
    asked = [each for each in openings if (each.hook, each.family) == (hook, family)]
    if not asked:
        return None
    hooks = _of_others(saved, family, owner)
    number = hooks.first_drop(hook.upper(), (packet for each in asked for packet in each.packets(hooks.ports)))
    if number is None:
        return None
    ours = _ours(saved, family, owner)
    others = [line for line in _rules(saved, hook) if _target(line) not in ours]
    return Place(number, others[number] if number < len(others) else None)


# Each kind of packets asks for these, and there may be thousands of rules.
@lru_cache(maxsize=8)
def _chains(saved: str, family: int) -> dict[str, verdicts.Chain]:
    return filter_rules.of_iptables(saved, family)


@lru_cache(maxsize=8)
def _ours(saved: str, family: int, owner: str) -> frozenset[str]:
    """The owner's chains, and what other owners may have: what they let pass is not what the firewall does.

    Nothing but the name tells whose a chain is. One that only accepts may be an operator's all the same: then what it
    lets pass is let pass twice, and that is all.
    """
    own = [chain_of(owner, hook) for hook in verdicts.HOOKS]
    return frozenset(
        name
        for name, chain in _chains(saved, family).items()
        if name in own or (_NAMES.match(name) and verdicts.only_accepts(chain))
    )


@lru_cache(maxsize=8)
def _of_others(saved: str, family: int, owner: str) -> verdicts.Hooks:
    """The chains without the calls of ours."""
    ours = _ours(saved, family, owner)
    return verdicts.Hooks(
        {
            name: chain._replace(rules=[rule for rule in chain.rules if rule.goes or rule.verdict not in ours])
            for name, chain in _chains(saved, family).items()
        }
    )


def _rules(saved: str, hook: str) -> list[str]:
    # One that asks for nothing and does nothing, as people have to count packets, ends with the name of the chain.
    return [line for line in saved.splitlines() if f"{line} ".startswith(f"-A {hook.upper()} ")]


# What has to change


def plan_chain(
    command: str, owner: str, hook: str, saved: str, family: int, wanted: Sequence[Opening], place: Place | None
) -> Plan:
    """What makes the chain and its call right, as one transaction of iptables-restore. Without a place it goes."""
    name, builtin = chain_of(owner, hook), hook.upper()
    current = read(owner, saved, family).get(hook)
    before = current or NOTHING
    rules = render(owner, hook, wanted) if place else ()
    lines = _rules(saved, hook)
    ours = _ours(saved, family, owner)
    keeps_call = place is not None and _is_in_time(before.calls, lines, place, ours)
    is_same = before.openings == frozenset(each._replace(loose=False) for each in wanted if each.hook == hook)
    if (is_same and keeps_call) if place else current is None:
        return Plan()
    text = [f":{name} - [0:0]"]
    gone, come = [], []
    call = ""
    if not keeps_call:
        gone = [each.line for each in before.calls]
        text += [f"-D{line[2:]}" for line in gone]
        if place:
            call = f"-I {builtin} {_number([line for line in lines if line not in gone], place, ours)} -j {name}"
            text.append(call)
            come.append(call)
    if not is_same:
        gone += [rule for rule in before.rules if rule not in rules]
        come += [rule for rule in rules if rule not in before.rules]
    text += rules or [f"-X {name}"]
    said = [f"{command} -t filter: remove {line}" for line in gone]
    said += [f"{command} -t filter: add {line}" for line in come]
    said = said or [f"{command} -t filter: replace {name}"]
    action = "\n".join(["*filter", *text, "COMMIT"]) + "\n"
    return Plan(
        tuple(Change(line, action if number == 0 else None) for number, line in enumerate(said)),
        tuple(f"{command} {line}" for line in (*(each.line for each in before.calls), *before.rules)),
        tuple(f"{command} {line}" for line in (call or before.calls[0].line, *rules)) if rules else (),
    )


def _is_in_time(calls: Sequence[Call], lines: Sequence[str], place: Place, ours: AbstractSet[str]) -> bool:
    """Whether our chain is called once, for every packet, and before anything drops what it would let pass."""
    if len(calls) != 1 or len(calls[0].line.split()) != len(("-A", "INPUT", "-j", "chain")):
        return False
    return sum(_target(line) not in ours for line in lines[: calls[0].place]) <= place.number


def _number(lines: Sequence[str], place: Place, ours: AbstractSet[str]) -> int:
    """The number of the rule before which the call goes: those that call other chains of ours are counted as well."""
    others = [number for number, line in enumerate(lines, 1) if _target(line) not in ours]
    return others[place.number] if place.number < len(others) else len(lines) + 1


def boot_lines(owner: str, hook: str, openings: Sequence[Opening], place: Place) -> list[str]:
    """What brings a chain back, as input of the boot's script: that finds the rule before which it is called."""
    name, builtin = chain_of(owner, hook), hook.upper()
    call = (
        [f"#before {place.before}", f"-I {builtin} -j {name}"] if place.before else ["#last", f"-I {builtin} -j {name}"]
    )
    return [f":{name} - [0:0]", *call, *render(owner, hook, openings)]
