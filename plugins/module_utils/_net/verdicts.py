# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets a packet filter drops for certain, whatever else is in them. Pure.

Of the packet only a few things are known, and of the rules only those words that are read here. A condition about
anything else may hold or not, and then both ways are followed. So a packet is dropped for certain only where every way
through the chains ends so.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

ACCEPT, DROP, RETURN, CONTINUE, UNSURE = "accept", "drop", "return", "continue", "unsure"
HOOKS = ("input", "forward", "output")
# What filters call protocols otherwise than we do, by their numbers, and ICMP's types by the one that counts here.
_PROTOCOLS = {
    "ipencap": "4",
    "ipip": "4",
    "icmp": "1",
    "tcp": "6",
    "udp": "17",
    "ipv6": "41",
    "gre": "47",
    "icmpv6": "58",
    "ipv6-icmp": "58",
    "vrrp": "112",
    "sctp": "132",
}
_TOO_LARGE = {
    4: {"fragmentation-needed", "frag-needed", "destination-unreachable", "3", "3/4", "any"},
    6: {"packet-too-big", "2", "2/0"},
}
# Deeper than any packet filter of people, and far from what Python can do.
_DEEPEST = 50


class Packet(NamedTuple):
    """What is known of a packet; None: anything. ``state`` is that of its connection in the words of the filters."""

    hook: str
    family: int
    protocol: str
    source: str | None = None
    destination: str | None = None
    source_port: int | None = None
    port: int | None = None
    state: str | None = None
    interface: str | None = None


class Condition(NamedTuple):
    """What a rule asks of a packet: that a field is one of the values, or is none of them.

    The field is one of the packet's, or ``interface``, ``icmp``, ``status``, or anything else that is not known.
    """

    field: str
    values: tuple[str, ...]
    negated: bool = False


class Rule(NamedTuple):
    """``verdict`` is one of the words above, or the name of a chain. ``goes`` there: what follows is not read."""

    text: str
    conditions: tuple[Condition, ...]
    verdict: str
    goes: bool = False


class Chain(NamedTuple):
    """``hook`` and ``policy`` are empty for one that others lead to. ``families`` are those whose packets it sees."""

    rules: list[Rule]
    hook: str = ""
    policy: str = ""
    families: tuple[int, ...] = (4, 6)
    text: str = ""


Chains = Mapping[str, Chain]


def dropped_by(filters: Iterable[Chains], packet: Packet) -> str | None:
    """The rule, or the policy, by which the packet is dropped for certain; None: it may get through."""
    for chains in filters:
        for name, chain in chains.items():
            if chain.hook == packet.hook and packet.family in chain.families:
                outcomes = _through(chains, name, packet, 0)
                if set(outcomes) == {DROP}:
                    return outcomes[DROP]
    return None


def _through(chains: Chains, name: str, packet: Packet, depth: int) -> dict[str, str]:
    """How the way through a chain may end, each with what says so. CONTINUE: with its end.

    What is no chain (an extension, UNSURE) may do anything.
    """
    chain = chains.get(name)
    if chain is None or depth > _DEEPEST:
        return {ACCEPT: "", DROP: "", CONTINUE: ""}
    found: dict[str, str] = {}
    for rule in chain.rules:
        holds = _holds(rule.conditions, packet)
        if holds is False:
            continue
        ends = _of_rule(chains, rule, packet, depth)
        goes_on = ends.pop(CONTINUE, None) is not None
        for outcome, text in ends.items():
            found.setdefault(CONTINUE if outcome == RETURN else outcome, text)
        if holds and not goes_on:
            return _settled(found, chain)
    found.setdefault(CONTINUE, chain.text)
    return _settled(found, chain)


def _settled(found: dict[str, str], chain: Chain) -> dict[str, str]:
    """A base chain has a policy for what comes to its end."""
    if chain.hook and CONTINUE in found:
        del found[CONTINUE]
        found.setdefault(chain.policy, chain.text)
    return found


def _of_rule(chains: Chains, rule: Rule, packet: Packet, depth: int) -> dict[str, str]:
    if rule.verdict in (ACCEPT, DROP, RETURN, CONTINUE):
        return {rule.verdict: rule.text}
    ends = _through(chains, rule.verdict, packet, depth + 1)
    if rule.goes and CONTINUE in ends:
        ends[RETURN] = ends.pop(CONTINUE)
    return ends


def _holds(conditions: Sequence[Condition], packet: Packet) -> bool | None:
    every = [_one_holds(each, packet) for each in conditions]
    if False in every:
        return False
    return None if None in every else True


def _one_holds(condition: Condition, packet: Packet) -> bool | None:
    field, values = condition.field, condition.values
    found: bool | None
    if field == "family":
        found = str(packet.family) in values
    elif field == "protocol":
        found = _number(packet.protocol) in map(_number, values) or "0" in values or "all" in values
    elif field == "interface":
        found = _is_by(packet, values)
    elif field == "icmp":
        # ICMP is only asked about for what says that a packet was too large.
        found = bool(_TOO_LARGE[packet.family] & {*values})
    elif field in ("source", "destination"):
        found = _is_within(packet.source if field == "source" else packet.destination, values)
    elif field in ("port", "source_port"):
        found = _is_among(packet.port if field == "port" else packet.source_port, values)
    elif field == "status":
        # What comes to an address of this host as clients sent it was translated by nobody.
        found = False if packet.hook == "input" and set(values) == {"dnat"} else None
    elif field == "state":
        found = None if packet.state is None else packet.state in values
    else:
        found = None
    return found if found is None else found != condition.negated


def _is_by(packet: Packet, values: tuple[str, ...]) -> bool | None:
    """Whether it comes or leaves by one of these interfaces. What is forwarded has two of them."""
    # What comes from or goes elsewhere does not do so by lo.
    others = [each for each in values if each != "lo"]
    if packet.interface is None or packet.hook == "forward":
        return None if others else False
    return any(packet.interface == each or _begins(packet.interface, each) for each in others)


def _begins(interface: str, pattern: str) -> bool:
    return pattern[-1:] in ("+", "*") and interface.startswith(pattern[:-1])


def _number(protocol: str) -> str:
    return _PROTOCOLS.get(protocol, protocol)


def _is_within(address: str | None, values: tuple[str, ...]) -> bool | None:
    try:
        networks = [ipaddress.ip_network(each, strict=False) for each in values]
    except ValueError:
        return None
    if any(network.prefixlen == 0 for network in networks):
        return True
    if address is None:
        return None
    return any(ipaddress.ip_address(address) in network for network in networks)


def _is_among(port: int | None, values: tuple[str, ...]) -> bool | None:
    ranges = []
    for each in values:
        low, _sign, high = each.replace(":", "-").partition("-")
        bounds = (forms.integer(low or "0"), forms.integer(high or ("65535" if _sign else low)))
        if None in bounds:
            return None
        ranges.append(bounds)
    if port is None:
        return None
    # Of what is compared here no bound is None.
    return any((low or 0) <= port <= (high or 0) for low, high in ranges)


# What filters call the state of a packet, where IPVS tells netfilter of its connections and where it does not; None:
# any. An answer that passes a director belongs to a connection then, and else to none that netfilter knows, to which it
# cannot belong by TCP. What follows on a connection of which the host never sees the answers does not fit to what
# netfilter knows of it, and where it knows nothing, what ends one does not.
STATES: Mapping[str, tuple[str | None, str | None]] = {
    "answer": ("established", "invalid"),
    "half": ("invalid", None),
    "closing": (None, "invalid"),
}


def packet_of(given: Mapping[str, Any], keeps_track: bool) -> Packet:
    """The packet of a question."""
    state = given["state"]
    if state in STATES:
        state = STATES[state][not keeps_track]
    if given["state"] == "answer" and given["protocol"] != "tcp" and not keeps_track:
        state = "new"
    known = {name: given[name] for name in Packet._fields if name not in ("protocol", "state")}
    return Packet(**known, protocol=_number(given["protocol"]), state=state)
