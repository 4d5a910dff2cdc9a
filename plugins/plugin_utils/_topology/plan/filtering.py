# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan asks of a host's packet filter, and what it means where that drops a packet for certain. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_plan, firewall_words
from ansible_collections.lvs.topology.plugins.module_utils._filter.verdicts import EARLY
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import DEGREES, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import CHECK, MANAGE, NONE
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.passing import (
    Passing,
    each_once,
    is_ipv6,
    of_director,
    of_real_server,
    passing,
)

# What makes two packets one to a rule.
_SAME = ("hook", "protocol", "family", "source", "source_port", "destination", "port")
# How many commands a remedy has: nobody finds the end of a longer line.
_MOST_COMMANDS = 5
# Each is led through all rules of a filter, which may be thousands.
MOST_PACKETS = 200
# A rule that asks for one of these may go. One without is what a whole firewall ends in.
_SPECIAL = {"-s", "-d", "--sport", "--sports", "--dport", "--dports", "--state", "--ctstate"}


def plan_of_filter(site: Site, host: str, role: str) -> dict[str, Any]:
    """What of this a role's plan asks for: to be let pass, or only to be looked at."""
    handling = site.host(host).firewall
    asked: dict[str, Any] = {"firewall": {}, "passing": []}
    if handling == NONE:
        return asked
    every = each_once(of_director(site, host) if role == "director" else of_real_server(site, host))
    if handling == CHECK:
        asked["passing"] = [each.question for each in every]
    elif every:
        told = [each.question.items() for each in every]
        packets = [{key: value for key, value in each if key not in ("name", "taken")} for each in told]
        asked["firewall"] = {"packets": [*{tuple(each.items()): each for each in packets}.values()]}
    return asked


def not_looked_at(host: str, count: int) -> list[str]:
    """What is said where a host has more packets than it is asked about."""
    if count <= MOST_PACKETS:
        return []
    what = f"whether its packet filter drops {count - MOST_PACKETS} of {count} kinds of packets"
    return [f"{host}: {what}: {MOST_PACKETS} are looked at"]


def warnings(
    host: str, asked: Iterable[Mapping[str, Any]], dropped: Iterable[Mapping[str, str]], firewall: str
) -> list[str]:
    """What preflight found of the packets of a plan: a line for each rule or policy that drops some of them."""
    packets = {each["name"]: each for each in asked}
    by_rule: dict[str, list[str]] = {}
    for each in dropped:
        if each["name"] in packets:
            by_rule.setdefault(each["said"], []).append(each["name"])
    found = []
    for rule, names in by_rule.items():
        others = len(names) - 1
        more = f", and {others} more that should pass" if others else ""
        what = f"{host}: its packet filter drops {names[0]}{more} (`{forms.word(rule)}`)"
        found.append(f"{what}. Remedy: {remedy(rule, [packets[name] for name in names], firewall)}")
    return found


def of_filter(site: Site, host: str, dropped: Iterable[Mapping[str, str]], firewall: str) -> Iterator[Finding]:
    """What a host said of packets that it drops for certain: a line for each rule or policy that does it."""
    known = {each.name: each for each in passing(site, host)}
    by_rule: dict[str, list[Passing]] = {}
    for each in dropped:
        if each["name"] in known:
            by_rule.setdefault(each["said"], []).append(known[each["name"]])
    for rule, every in by_rule.items():
        first = min(every, key=lambda each: DEGREES.index(each.degree))
        # What begins a connection stands for what follows on it.
        count = len({tuple(each.packet.get(name) for name in _SAME) for each in every}) - 1
        more = f", and {count} more that should pass" if count else ""
        what = f"its packet filter drops {first.name}{more} (`{rule}`)"
        packets = [first.packet, *(each.packet for each in every if each is not first)]
        yield Finding(first.degree, host, what, first.effect, remedy(rule, packets, firewall))


def remedy(rule: str, packets: Iterable[Mapping[str, Any]], firewall: str) -> str:
    """What lets packets pass that a rule drops, in the words of what rules the filter, or of whose rule it is."""
    is_early, rule = rule.startswith(EARLY), rule.removeprefix(EARLY)
    command, *words = _words(rule)
    table = words[:2] if words[:1] == ["-t"] else []
    words = words[len(table) :]
    if is_early or table:
        # It is not the firewall's, which is told by other words, and what it drops never comes to the firewall.
        firewall = ""
    # What a host says is typed by people.
    is_command = command in firewall_words.IPTABLES_COMMANDS and not firewall
    openings = [opening(each) for each in packets]
    known = command if is_command and not table else _rules(rule)
    said = firewall_words.commands(openings, firewall or known, _MOST_COMMANDS)
    is_special = rule.isprintable() and words[:1] == ["-A"] and "!" not in words and _SPECIAL & {*words}
    if is_command and is_special:
        said += f"; or {shlex.join([command, *table, '-D', *words[1:]])}"
    also = "" if firewall else "; and the same where the rules come from"
    return f"{said}{also}" if is_early or table else f"{said}{also}; or lvs_firewall: {MANAGE}"


def opening(packet: Mapping[str, Any]) -> firewall_plan.Opening:
    """What a firewall has to be open for."""
    return firewall_plan.opening_for({"family": 6 if is_ipv6(packet) else 4, **packet})


def _rules(rule: str) -> str:
    """What has a rule that is listed by nft."""
    if rule.startswith(firewall_words.IPTABLES_NFT):
        return firewall_words.IPTABLES
    return firewall_words.NFTABLES if rule.startswith(firewall_words.NFT) else ""


def _words(rule: str) -> list[str]:
    try:
        return shlex.split(rule) or [""]
    except ValueError:
        return [""]
