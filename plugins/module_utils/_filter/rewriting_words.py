# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of rules that mark packets or change the source of connections: what each of them says. Pure."""

from __future__ import annotations

import re
import shlex
from itertools import product
from types import MappingProxyType
from typing import Any, Callable, Collection, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

# What else of a host is looked at: modules that help protocols which negotiate ports, and programs that have a
# configuration of their own.
HELPERS = ("ip_vs_ftp",)
PROGRAMS = ("keepalived", "ldirectord", "conntrackd", "bird")
# What a rule may do: the first two are those of a Rewriting. What ends the way of a packet may do anything else.
MARKS, TRANSLATES, LEADS, ENDS, PASSES = "marks", "translates", "leads", "ends", "passes"
_WORDS = re.compile(r'"[^"]*"|[{},]|[^\s{},]+')
# Texts are neither escaped nor free of quotes, but stand by themselves.
_QUOTED = re.compile(r'(?<![^\s])"[^"]*"(?![^\s,}])')
_NUMBER = re.compile(r"(?:0x[0-9a-fA-F]{1,8}|[1-9][0-9]{0,9})\Z")
_FAMILIES = {"ip": 4, "ip6": 6, "inet": 0}
_PROTOCOLS = {"6": "tcp", "17": "udp", "132": "sctp"}
# Extensions of iptables of whose options some are known here, or that say nothing. Another one may hold by itself, as
# socket does, or mean another thing by an option, as connmark does.
_EXTENSIONS = {"tcp", "udp", "sctp", "multiport", "mark", "ipvs", "statistic", "comment"}
# Options of iptables that say nothing of the packet, with the number of words behind them.
_SILENT = {"--comment": 1, "--ipvs": 0}
_SILENT_IN_NFT = {"counter": 0, "packets": 1, "bytes": 1, "comment": 1}
# What may end the way of a packet, or do anything else. With "#" begins what nft cannot say in its own words, and
# with "target" an extension of iptables.
_MAY_END = {"tproxy", "dnat", "redirect", "dup", "fwd", "synproxy", "target", "#"}
# How a source is chosen says nothing of the address.
_HOW_PORTS = ("random", "fully-random", "persistent")
# Targets of iptables after which a packet goes on as it was, or not at all.
_PASSING = {
    *("DROP", "CONNMARK", "LOG", "NFLOG", "TCPMSS", "TOS", "DSCP", "TTL", "HL"),
    *("CLASSIFY", "CT", "TRACE", "CHECKSUM", "SET"),
}


class Rewriting(NamedTuple):
    """What a rule does. ``to`` is empty where the rule leaves it to the kernel which address a connection gets."""

    does: str
    rule: str
    is_plain: bool = True
    # Whether a role of this collection has it.
    is_ours: bool = False
    # 0: both.
    family: int = 0
    # What a packet has to be. An empty field may be anything.
    destination: str = ""
    protocol: str = ""
    ports: tuple[str, ...] = ()
    # Of a connection to a service of IPVS, what the client asked for, or its mark.
    vip: str = ""
    vport: int = 0
    asked_mark: int = 0
    # What it gets: a mark (0: one that is not known), or one of these addresses in turn.
    mark: int = 0
    to: tuple[str, ...] = ()
    # Where several rules take turns, one of how many this one is.
    turn: int = 1
    # Of the chain that a hook calls: the lowest one is called first.
    priority: int = 0


class Rule(NamedTuple):
    """``does`` is one of the words above. ``chain`` is where it leads."""

    does: str
    found: tuple[Rewriting, ...] = ()
    chain: str = ""
    has_conditions: bool = False
    goes: bool = False


_ENDS, _GOES_ON = Rule(ENDS), Rule(PASSES)


# iptables


def of_iptables(line: str, family: int, chains: Collection[str]) -> Rule:
    """A line of iptables-save. ``chains`` are those that its table has."""
    try:
        words = shlex.split(line)[2:]
    except ValueError:
        return _ENDS
    known: dict[str, Any] = {"family": family, "rule": line.strip()}
    is_plain, at = True, 0
    while at < len(words):
        word, value = words[at], words[at + 1] if at + 1 < len(words) else ""
        if word in ("-j", "-g"):
            has_conditions = not is_plain or len(known) > 2
            if value in chains:
                return Rule(LEADS, (), value, has_conditions, goes=word == "-g")
            return _iptables_target(value, words[at + 2 :], known, is_plain)
        if word in _SILENT:
            at += 1 + _SILENT[word]
            continue
        field = _iptables_field(word, value)
        if field is None or _contradicts(field, known):
            # What is negated is not what it says, and not every option has a value behind it.
            is_plain = False
            at += 2 if word == "!" else 1
            continue
        known.update(field)
        at += 2
    return _GOES_ON


def _iptables_field(word: str, value: str) -> dict[str, Any] | None:
    """What an option says; None: something that has no field here."""
    if (word, value) in _WHOLE or (word == "-m" and value in _EXTENSIONS):
        return {}
    name, read = _OPTIONS.get(word, ("", None))
    return _field(name, read(value)) if read else None


def _iptables_target(name: str, rest: list[str], known: dict[str, Any], is_plain: bool) -> Rule:
    if name == "MARK":
        option, value = [*rest, "", ""][:2]
        # Without a mask, the one sets all bits and the other keeps the rest.
        sets_all = option == "--set-mark" or (option == "--set-xmark" and "/" in value)
        return _marking(known, _whole_mark(value) if sets_all else None, is_plain)
    if name == "HMARK" or (name == "CONNMARK" and "--restore-mark" in rest):
        return _marking(known, None, False)
    if name in ("SNAT", "MASQUERADE", "NETMAP"):
        given = rest[rest.index("--to-source") + 1] if "--to-source" in rest[:-1] else ""
        return _translating(known, [given] if given else [], is_plain and name != "NETMAP")
    # What is not known here may do anything.
    return _GOES_ON if name in _PASSING else _ENDS


def _marking(known: Mapping[str, Any], mark: int | None, is_plain: bool) -> Rule:
    """Before IPVS has seen a packet, nothing can ask for what belongs to its connection."""
    fields = {key: value for key, value in known.items() if key not in ("turn", "vip", "vport", "asked_mark")}
    is_plain = is_plain and mark is not None and len(fields) == len(known)
    return Rule(MARKS, (Rewriting(MARKS, mark=mark or 0, is_plain=is_plain, **fields),))


def _translating(known: Mapping[str, Any], to: Sequence[str], is_plain: bool) -> Rule:
    addresses = [_host(each) for each in to]
    found = tuple(each for each in addresses if each)
    return Rule(
        TRANSLATES, (Rewriting(TRANSLATES, to=found if None not in addresses else (), is_plain=is_plain, **known),)
    )


# nft


def of_nft(line: str, family: str) -> Iterator[Rule]:
    """A line of a chain. A map of verdicts leads to several chains, and may end the way of its packets."""
    words = _WORDS.findall(line.partition(" # handle ")[0])
    if '"' in _QUOTED.sub("", line):
        # Where a text ends cannot be told, nor what of the line is a word of nft.
        yield _ENDS
    elif "vmap" in words:
        for word, chain in zip(words, words[1:]):
            if word in ("jump", "goto"):
                yield Rule(LEADS, (), chain, has_conditions=True)
        yield _ENDS
    else:
        yield _nft_rule(line, words, family)


def _nft_rule(line: str, words: list[str], family: str) -> Rule:
    known: dict[str, Any] = {"rule": line, "family": _FAMILIES[family]}
    lists: dict[str, list[str]] = {}
    every: list[Rewriting] = []
    is_plain, at, rule = True, 0, _GOES_ON
    while at < len(words):
        word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
        if word in _SILENT_IN_NFT:
            at += 1 + _SILENT_IN_NFT[word]
        elif words[at : at + 3] == ["meta", "mark", "set"]:
            after = words[at + 4 : at + 5]
            is_whole = not after or after[0] in ("counter", "comment", "accept", "return")
            rule = _marking(known, _mark(words[at + 3]) if is_whole and words[at + 3 :] else None, is_plain)
            at += 4
        elif word in ("snat", "masquerade"):
            to = _nft_addresses(words[at + 1 :])
            # A map has no address for whoever is not in it.
            rule = _translating(known, to, is_plain and (bool(to) or "map" not in words[at:]))
            break
        elif word in ("jump", "goto"):
            has_conditions = not is_plain or bool(lists) or len(known) > 2
            return Rule(LEADS, (), following, has_conditions, goes=word == "goto")
        elif word in ("accept", "return", "queue"):
            rule = _ENDS if rule is _GOES_ON else rule
            break
        elif word == "drop":
            break
        else:
            field, used = _nft_field(words[at:])
            if field is None or _contradicts(field, {**known, **lists}):
                is_plain = False
            else:
                lists.update((name, value) for name, value in field.items() if isinstance(value, list))
                known.update((name, value) for name, value in field.items() if name not in lists)
            at += used
    if rule is _GOES_ON and _MAY_END & {*words}:
        return _ENDS
    found = [each._replace(is_plain=each.is_plain and is_plain) for each in rule.found]
    for destination, protocol in product(lists.get("destination", [""]), lists.get("protocol", [""])):
        every += [each._replace(destination=destination, protocol=protocol) for each in found]
    return rule._replace(found=tuple(every))


def _nft_field(words: list[str]) -> tuple[dict[str, Any] | None, int]:
    """What the first of the words say, and how many these are; None: something that has no field here.

    What is a list holds for any of its values.
    """
    first, second, third = [*words, "", ""][:3]
    family = {"family": _FAMILIES[first]} if first in ("ip", "ip6") else {}
    if (first, second) in _SELECTORS:
        name, of_one = _SELECTORS[first, second]
        values, used = _values(words)
        return _field(name, _each(of_one, values), family), used
    if second == "dport" and first in (*forms.PROTOCOLS, "th"):
        values, used = _values(words)
        return _field("ports", _ports(values), {} if first == "th" else {"protocol": [first]}), used
    for known, name, read in _IN_NFT:
        if tuple(words[: len(known)]) == known:
            family = {"family": _FAMILIES[third]} if third in _FAMILIES else {}
            return _field(name, read("".join(words[len(known) : len(known) + 1])), family), len(known) + 1
    return None, 1


def _values(words: list[str]) -> tuple[list[str], int]:
    """The values behind two words, and how many words there are up to their end. A negation is no value."""
    if words[2:3] == ["{"] and "}" in words:
        end = words.index("}")
        return [each for each in words[3:end] if each != ","], end + 1
    return words[2:3], 3


def _nft_addresses(words: list[str]) -> list[str]:
    """What follows ``snat``: an address, or several in turn. Of anything else the kernel chooses one."""
    rest = [each for each in words if each not in ("ip", "ip6", "to", ",")]
    rest = rest[: rest.index("comment")] if "comment" in rest else rest
    while rest[-1:] and rest[-1] in _HOW_PORTS:
        rest.pop()
    if rest[:3] == ["numgen", "inc", "mod"] and rest[4:6] == ["map", "{"] and rest[-1] == "}":
        numbers, colons, addresses = rest[6:-1:3], rest[7:-1:3], rest[8:-1:3]
        if numbers == [str(each) for each in range(len(addresses))] and set(colons) == {":"}:
            return addresses
    return rest if len(rest) == 1 else []


# Values


def _contradicts(field: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether what is said now was said before in another way. That of a family is only said more closely."""
    return any(known.get(name, value) not in (value, 0) for name, value in field.items())


def _field(name: str, value: Any, others: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any] | None:
    return None if value is None else {**others, name: value}


def _each(read: Callable[[str], str | None], values: Sequence[str]) -> list[str] | None:
    found = [read(each) for each in values]
    return [each for each in found if each] if found and None not in found else None


def _mark(text: str) -> int | None:
    found = int(text, 0) if _NUMBER.match(text) else None
    return found if found in forms.FIREWALL_MARKS else None


def _whole_mark(text: str) -> int | None:
    """A mark whose mask, where it has one, means all of its bits."""
    mark, _slash, mask = text.partition("/")
    return _mark(mark) if mask.lower() in ("", "0xffffffff") else None


def _port(text: str) -> int | None:
    number = forms.integer(text)
    return number if number in forms.REAL_PORTS else None


def _ports(words: Sequence[str]) -> tuple[str, ...] | None:
    found = []
    for word in words:
        low, _dash, high = word.replace(":", "-").partition("-")
        first, last = _port(low), _port(high or low)
        if first is None or last is None or first > last:
            return None
        found.append(str(first) if first == last else f"{first}-{last}")
    return tuple(found) or None


def _protocol(word: str) -> str | None:
    return _PROTOCOLS.get(word, word if word in forms.PROTOCOLS else None)


def _host(text: str) -> str | None:
    address, _slash, prefix = text.partition("/")
    try:
        found = forms.address(address)
    except forms.BadForm:
        return None
    return forms.spelling(found) if prefix in ("", str(found.max_prefixlen)) else None


def _network(text: str) -> str | None:
    try:
        return _host(text) or str(forms.network(text))
    except forms.BadForm:
        return None


# By the options of iptables, and by the words of nft, what they say of which field.
_OPTIONS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "-d": ("destination", _network),
    "-p": ("protocol", _protocol),
    "--vproto": ("protocol", _protocol),
    "--dport": ("ports", lambda text: _ports([text])),
    "--dports": ("ports", lambda text: _ports(text.split(","))),
    "--vaddr": ("vip", _host),
    "--vport": ("vport", _port),
    "--mark": ("asked_mark", _whole_mark),
    "--every": ("turn", _port),
}
# What holds for each connection of IPVS that is masqueraded, and what goes with --every.
_WHOLE = {("--vmethod", "MASQ"), ("--vdir", "ORIGINAL"), ("--mode", "nth"), ("--packet", "0")}
_SELECTORS: Mapping[tuple[str, str], tuple[str, Callable[[str], str | None]]] = {
    ("ip", "daddr"): ("destination", _network),
    ("ip6", "daddr"): ("destination", _network),
    ("meta", "l4proto"): ("protocol", _protocol),
    ("ip", "protocol"): ("protocol", _protocol),
    ("ip6", "nexthdr"): ("protocol", _protocol),
}
_IN_NFT: Sequence[tuple[tuple[str, ...], str, Callable[[str], Any]]] = (
    (("meta", "nfproto"), "family", forms.FAMILIES.get),
    (("meta", "mark"), "asked_mark", _mark),
    (("ct", "original", "ip", "daddr"), "vip", _host),
    (("ct", "original", "ip6", "daddr"), "vip", _host),
    (("ct", "original", "proto-dst"), "vport", _port),
)
