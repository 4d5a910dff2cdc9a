# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of packet filters, from what iptables-save and ``nft list ruleset`` print. Pure.

A word that is not known here becomes a condition that nobody can decide, so that nothing is concluded from its rule.
"""

from __future__ import annotations

import re
import shlex
from typing import Iterator

from ansible_collections.lvs.topology.plugins.module_utils._net.verdicts import (
    ACCEPT,
    CONTINUE,
    DROP,
    HOOKS,
    RETURN,
    UNSURE,
    Chain,
    Condition,
    Rule,
)

_UNKNOWN = Condition("unknown", ())
# By the options of iptables, the field that they ask for. What lists their values separates them by commas.
_ASKS = {
    "-p": "protocol",
    "-s": "source",
    "-d": "destination",
    "-i": "interface",
    "-o": "interface",
    "--dport": "port",
    "--dports": "port",
    "--sport": "source_port",
    "--sports": "source_port",
    "--ctstate": "state",
    "--state": "state",
    "--ctstatus": "status",
    "--icmp-type": "icmp",
    "--icmpv6-type": "icmp",
}
# Extensions whose options are all in the list above, or say nothing: the other ones may hold by themselves.
_EXTENSIONS = {"tcp", "udp", "sctp", "icmp", "icmp6", "ipv6-icmp", "multiport", "conntrack", "state", "comment"}
_TARGETS = {"ACCEPT": ACCEPT, "DROP": DROP, "REJECT": DROP, "RETURN": RETURN}
# What goes on with the next rule.
_PASSING = {
    "LOG",
    "NFLOG",
    "ULOG",
    "MARK",
    "CONNMARK",
    "CT",
    "TCPMSS",
    "TOS",
    "DSCP",
    "TTL",
    "CLASSIFY",
    "CONNSECMARK",
    "SECMARK",
    "SET",
    "TRACE",
    "AUDIT",
    "CHECKSUM",
    "HL",
}


def of_iptables(text: str, family: int, command: str = "iptables") -> dict[str, Chain]:
    """The chains of the table filter, as iptables-save prints it; ``command`` is the one that changes them."""
    chains: dict[str, Chain] = {}
    for line in text.splitlines():
        if line.startswith(":"):
            name, policy = line[1:].split()[:2]
            said = f"{command} -P {name} {policy}"
            hook = name.lower() if policy != "-" else ""
            chains[name] = Chain([], hook, DROP if policy == "DROP" else ACCEPT, (family,), said)
        elif line.startswith("-A "):
            name, rule = _iptables_rule(line, command)
            if name in chains:
                chains[name].rules.append(rule)
    return chains


def _iptables_rule(line: str, command: str) -> tuple[str, Rule]:
    try:
        words = shlex.split(line)
    except ValueError:
        # No shell would take it either; where it stands is plain.
        return line.split()[1], Rule(line, (_UNKNOWN,), UNSURE)
    conditions: list[Condition] = []
    verdict, goes, negated = CONTINUE, False, False
    rest = iter(words[2:])
    for word in rest:
        if word == "!":
            negated = True
            continue
        if word in ("-j", "-g"):
            target = next(rest, "")
            goes = word == "-g"
            # What is neither of them is a chain, or an extension of which nobody knows here what it does.
            verdict = _TARGETS.get(target, CONTINUE if target in _PASSING else target)
            break
        if word == "-m":
            if next(rest, "") not in _EXTENSIONS:
                conditions.append(_UNKNOWN)
        elif word == "--comment":
            next(rest, "")
        elif word in _ASKS:
            values = tuple(each.lower() for each in next(rest, "").split(","))
            conditions.append(Condition(_ASKS[word], values, negated))
        elif word.startswith("-"):
            conditions.append(_UNKNOWN)
        negated = False
    return words[1], Rule(f"{command} {line.strip()}", tuple(conditions), verdict, goes)


_OPENS = re.compile(r"^\s*(table|chain) (.+) \{$")
_HOOK = re.compile(r"type filter hook (\w+) priority .*?(?:policy (\w+))?;$")
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
# By the first two words of a condition of nft, the field that it asks for, and the family that it implies.
_SELECTORS = {
    ("ip", "protocol"): "protocol",
    ("ip6", "nexthdr"): "protocol",
    ("meta", "l4proto"): "protocol",
    ("ip", "saddr"): "source",
    ("ip", "daddr"): "destination",
    ("ip6", "saddr"): "source",
    ("ip6", "daddr"): "destination",
    ("tcp", "dport"): "port",
    ("udp", "dport"): "port",
    ("sctp", "dport"): "port",
    ("th", "dport"): "port",
    ("tcp", "sport"): "source_port",
    ("udp", "sport"): "source_port",
    ("sctp", "sport"): "source_port",
    ("th", "sport"): "source_port",
    ("ct", "state"): "state",
    ("ct", "status"): "status",
    ("meta", "nfproto"): "family",
    ("icmp", "type"): "icmp",
    ("icmpv6", "type"): "icmp",
}
_WORDS = re.compile(r'"[^"]*"|[{},]|[^\s{},]+')
_STATES = {"new", "established", "related", "invalid", "untracked"}
_NFT_VERDICTS = {"accept": ACCEPT, "drop": DROP, "reject": DROP, "return": RETURN}
# How many words follow that say nothing of the packet.
_SILENT = {"counter": 0, "packets": 1, "bytes": 1, "comment": 1, "log": 0, "prefix": 1, "level": 1, "notrack": 0}


def of_nft(text: str) -> Iterator[dict[str, Chain]]:
    """The chains of each table with a chain that filters, as ``nft list ruleset`` prints them."""
    chains: dict[str, Chain] = {}
    families: tuple[int, ...] = ()
    name = None
    for line in text.splitlines():
        opens = _OPENS.match(line)
        hook = _HOOK.search(line)
        if opens and opens[1] == "table":
            if chains:
                yield chains
            chains, families, name = {}, _FAMILIES.get(opens[2].split()[0], ()), None
        elif opens:
            name = opens[2]
            chains[name] = Chain([], families=families)
        elif line.strip() == "}":
            name = None
        elif hook and name is not None and hook[1] in HOOKS:
            policy = DROP if hook[2] == "drop" else ACCEPT
            chains[name] = Chain([], hook[1], policy, families, f"nft: {line.strip()}")
        elif name is not None and line.strip() and not line.lstrip().startswith("type "):
            chains[name].rules.append(_nft_rule(line.strip()))
    if chains:
        yield chains


def _nft_rule(line: str) -> Rule:
    words = [each for each in _WORDS.findall(line.partition(" # handle ")[0]) if each != ","]
    conditions: list[Condition] = []
    verdict, goes, place = CONTINUE, False, 0
    while place < len(words):
        word, following = words[place], words[place + 1] if place + 1 < len(words) else ""
        if word in _NFT_VERDICTS:
            verdict = _NFT_VERDICTS[word]
            break  # `reject with` says how
        if word in ("jump", "goto"):
            verdict, goes = following, word == "goto"
            break
        if word in _SILENT:
            place += 1 + _SILENT[word]
        elif word in ("iifname", "iif", "oifname", "oif"):
            place = _condition(words, place + 1, "interface", conditions)
        elif (word, following) in _SELECTORS:
            _imply(word, conditions)
            place = _condition(words, place + 2, _SELECTORS[word, following], conditions)
        else:
            # What the rest asks or does is not known: it may decide, too.
            return Rule(f"nft: {line}", (*conditions, _UNKNOWN), _last(words[place:]))
    return Rule(f"nft: {line}", tuple(conditions), verdict, goes)


def _last(words: list[str]) -> str:
    """The verdict after words that are not known. A map of verdicts, a queue or a chain may do anything."""
    last = next((each for each in reversed(words) if each in _NFT_VERDICTS), "")
    may_decide = {"vmap", "jump", "goto", "queue", "dup", "fwd", "synproxy"} & {*words}
    return UNSURE if may_decide else _NFT_VERDICTS.get(last, CONTINUE)


def _imply(word: str, conditions: list[Condition]) -> None:
    """A port is one of its protocol, and an address one of its family."""
    if word in ("tcp", "udp", "sctp", "icmp", "icmpv6"):
        conditions.append(Condition("protocol", (word,)))
    elif word in ("ip", "ip6"):
        conditions.append(Condition("family", ("4" if word == "ip" else "6",)))


def _condition(words: list[str], place: int, field: str, conditions: list[Condition]) -> int:
    """Read the value, or the set of values, at a place; the place after it."""
    negated = place < len(words) and words[place] == "!="
    place += negated
    if place < len(words) and words[place] == "vmap":
        conditions.append(_UNKNOWN)
        return place
    values = words[place : place + 1]
    if values == ["{"]:
        end = words.index("}", place) if "}" in words[place:] else len(words)
        values = words[place + 1 : end]
        place = end
    else:
        # `established,related` is several words here, of which none begins a condition of its own.
        while field == "state" and place + 1 < len(words) and words[place + 1] in _STATES:
            place += 1
            values.append(words[place])
    cleaned = tuple({"ipv4": "4", "ipv6": "6"}.get(each, each).strip('"').lower() for each in values)
    if any(each.startswith(("@", "$", "&", "<", ">")) for each in cleaned):
        conditions.append(_UNKNOWN)
    else:
        conditions.append(Condition(field, cleaned, bool(negated)))
    return place + 1
