# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes ufw: rules with a comment of ours, as ufw keeps them in its files and in its chains. Pure.

ufw has no words for some protocols, and it drops what is INVALID before it comes to the rules of users. For these there
are chains of ours besides.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import shlex
from typing import AbstractSet, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_chains, firewall_words
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening, protocol_name, words
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

# By family: where ufw keeps the rules of users, and what the names of its chains begin with.
FILES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
_PREFIXES = {4: "ufw", 6: "ufw6"}
# What a rule does with the packets that it is about.
_ALLOW, REFUSE = ("allow", "limit"), ("deny", "reject")
# action protocol dport dst sport src direction, as ufw writes them above each rule; with the names of application
# profiles before the direction where there are such.
_TUPLE = re.compile(
    r"### tuple ### (route:)?([a-z]+)(?:_log|_log-all)? (\S+) (\S+) (\S+) (\S+) (\S+)(?: \S+ \S+)? (in|out)"
    r"(?: comment=((?:[0-9a-f]{2})*))?\Z",
    re.ASCII,
)
_PORTS = re.compile(r"(\d{1,5})(?::(\d{1,5}))?\Z")


def rules(saved: str, family: int) -> bool:
    """Whether ufw rules the table filter of this family."""
    return f"\n:{_PREFIXES[family]}-user-input " in saved


def has_words(opening: Opening) -> bool:
    return firewall_words.ufw_rule(opening) is not None


def needs_chain(opening: Opening) -> bool:
    """Whether no rule of a user lets it pass."""
    return not has_words(opening) or (opening.loose and opening.hook == "input")


def is_closed(opening: Opening, saved: str) -> bool:
    """Whether ufw drops by default what comes to this hook."""
    return f"\n:{opening.hook.upper()} DROP " in saved


def comment(owner: str) -> str:
    return f"lvs.topology {owner}"


def has_ours(text: str) -> bool:
    """Whether ufw's file of rules has any of ours, whoever the owner is."""
    return f" comment={comment('').encode().hex()}" in text


def read(text: str, family: int, actions: Sequence[str] = _ALLOW) -> dict[Opening, str]:
    """What the rules of users let pass, or do else, by ufw's file of them, with the comment of each."""
    found = {}
    for line in text.splitlines():
        known = _TUPLE.match(line)
        # Rules for several ports at once are none of ours, and would read as ones for every port.
        if known and known[2] in actions and not any("," in ports for ports in (known[4], known[6])):
            route, _action, protocol, port, destination, source_port, source, direction = known.groups()[:8]
            opening = _opening(family, (route, protocol, port, destination, source_port, source, direction))
            found[opening] = bytes.fromhex(known[9] or "").decode("utf-8", "replace")
    return found


def refuses(text: str, opening: Opening) -> bool:
    """Whether the first rule of users that is about all these packets refuses them.

    Where one before it lets some of them pass, such as those of a network, whoever wrote them has thought of it.
    """
    for action, rule in _in_order(text, opening.family):
        is_about = (
            rule.hook == opening.hook
            and rule.protocol in ("any", opening.protocol)
            and _is_within(opening.destination, rule.destination)
            and _are_within(opening.source_ports, rule.source_ports)
            and _are_within(opening.ports, rule.ports)
        )
        if is_about and (action in _ALLOW or _is_within(opening.source, rule.source)):
            return action in REFUSE
    return False


def _in_order(text: str, family: int) -> Iterator[tuple[str, Opening]]:
    """The rules of users with their actions. One for several ports, or of an application profile, is several."""
    for line in text.splitlines():
        known = _TUPLE.match(line)
        if known:
            action, several = known[2], [known[position].split(",") for position in (4, 6)]
            for port, source_port in itertools.product(*several):
                route, _action, protocol, _port, destination, _source_port, source, direction = known.groups()[:8]
                yield action, _opening(family, (route, protocol, port, destination, source_port, source, direction))


def _opening(family: int, said: tuple[str, ...]) -> Opening:
    route, protocol, port, destination, source_port, source, direction = said
    return Opening(
        hook="forward" if route else {"in": "input", "out": "output"}[direction],
        family=family,
        protocol=protocol_name(protocol),
        source=_address(source),
        source_ports=_ports(source_port),
        destination=_address(destination),
        ports=_ports(port),
    )


def _is_within(address: str | None, outer: str | None) -> bool:
    if outer is None or address is None:
        return outer is None
    try:
        return forms.address(address) in ipaddress.ip_network(outer, strict=False)
    except ValueError:  # no network, and no address either
        return False


def _are_within(ports: tuple[int, int] | None, outer: tuple[int, int] | None) -> bool:
    return outer is None or (ports is not None and outer[0] <= ports[0] <= ports[1] <= outer[1])


def _address(text: str) -> str | None:
    try:
        return forms.spelling(forms.address(text))
    except forms.BadForm:
        # Everything, or a network, which nothing of ours is.
        return None if text in ("0.0.0.0/0", "::/0") else text


def _ports(text: str) -> tuple[int, int] | None:
    known = _PORTS.match(text)
    return (int(known[1]), int(known[2] or known[1])) if known else None


def in_kernel(saved: str, family: int) -> frozenset[Opening]:
    """What the chains of users let pass, as the kernel has them."""
    return frozenset(
        opening
        for hook in ("input", "forward", "output")
        for opening in firewall_chains.openings_of(f"{_PREFIXES[family]}-user-{hook}", saved, hook, family)
    )


def plan_rules(
    owner: str, current: Mapping[Opening, str], kernel: AbstractSet[Opening], wanted: Sequence[Opening]
) -> Plan:
    """The commands of ufw that make its rules right. One that somebody else gave is right too, and stays."""
    asked = {each._replace(loose=False): None for each in wanted}
    ours = [each for each, said in current.items() if said == comment(owner)]
    # What is in ufw's file and not in the kernel, ufw adds only where it is not in its file.
    lost = [each for each in ours if each in asked and each not in kernel]
    gone = [each for each in ours if each not in asked]
    come = [each for each in asked if each not in current]
    # First what lets pass, so that nothing is kept out that both let in.
    commands = [_add(owner, each) for each in come]
    commands += [command for each in lost for command in (_delete(each), _add(owner, each))]
    commands += [_delete(each) for each in gone]
    calls = [("ufw", *command) for command in commands]
    return Plan(
        tuple(Change(shlex.join(call), call) for call in calls),
        tuple(_shown(owner, each) for each in sorted(ours, key=words) if each not in lost),
        tuple(_shown(owner, each) for each in sorted({*ours, *come}.difference(gone), key=words)),
    )


def _rule(opening: Opening) -> list[str]:
    return firewall_words.ufw_rule(opening) or []


def _add(owner: str, opening: Opening) -> list[str]:
    return [*_rule(opening), "comment", comment(owner)]


def _shown(owner: str, opening: Opening) -> str:
    return shlex.join(["ufw", *_add(owner, opening)])


def _delete(opening: Opening) -> list[str]:
    rule = _rule(opening)
    return ["route", "delete", *rule[1:]] if rule[:1] == ["route"] else ["delete", *rule]
