# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of packet filters, from what iptables-save and ``nft list ruleset`` print. Pure.

A word that is not known here becomes a condition that nobody can decide, so that nothing is concluded from its rule.
What the known ones ask of a packet, ``filter_words`` says.
"""

from __future__ import annotations

import re
import shlex
from typing import Iterator, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_words
from ansible_collections.lvs.topology.plugins.module_utils._filter.filter_words import UNKNOWN, condition
from ansible_collections.lvs.topology.plugins.module_utils._filter.verdicts import (
    ACCEPT,
    CONTINUE,
    DROP,
    HOOKS,
    PREROUTING,
    RETURN,
    TRANSLATION,
    UNSURE,
    Chain,
    Condition,
    Rule,
    Verdict,
)

# By the options of iptables, the field that they ask for. What lists their values separates them by commas.
_ASKS = {
    "-p": "protocol",
    "-s": "source",
    "-d": "destination",
    "-i": "iif",
    "-o": "oif",
    "--dport": "port",
    "--dports": "port",
    "--sport": "source_port",
    "--sports": "source_port",
    "--ctstate": "state",
    "--state": "state",
    "--icmp-type": "icmp",
    "--icmpv6-type": "icmp",
}
# Extensions whose options are all in the list above, or say nothing: the other ones may hold by themselves.
_EXTENSIONS = {"tcp", "udp", "sctp", "icmp", "icmp6", "ipv6-icmp", "multiport", "conntrack", "state", "comment"}
_TARGETS = {"ACCEPT": ACCEPT, "DROP": DROP, "REJECT": DROP, "RETURN": RETURN}
# What goes on with the next rule.
_PASSING = {
    *("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "HMARK", "CT", "NOTRACK", "TCPMSS", "TOS", "DSCP", "ECN", "TTL"),
    *("CLASSIFY", "CONNSECMARK", "SECMARK", "SET", "TRACE", "AUDIT", "CHECKSUM", "TEE", "IDLETIMER", "LED", "RATEEST"),
    *("HL", "TCPOPTSTRIP"),
}


# By table and chain of iptables, the chains that packets are led through.
_BASES = {
    **{(table, hook.upper()): hook for hook in HOOKS for table in ("filter", "mangle")},
    ("nat", "PREROUTING"): TRANSLATION,
    ("mangle", "PREROUTING"): PREROUTING,
    ("raw", "PREROUTING"): PREROUTING,
    ("raw", "OUTPUT"): "output",
}
_POLICIES = {"ACCEPT": ACCEPT, "DROP": DROP}


def of_iptables(
    text: str, family: int, command: str = "iptables", *, unread: list[str] | None = None
) -> dict[str, Chain]:
    """The chains of one table, as iptables-save prints it; ``command`` is the one that changes them.

    Lines that begin a chain or a rule and do not say which are added to ``unread``.
    """
    chains: dict[str, Chain] = {}
    table, said = "filter", command
    for line in text.splitlines():
        words = line.split()
        if line.startswith("*"):
            table = line[1:].strip()
            said = command if table == "filter" else f"{command} -t {table}"
        elif line.startswith(":") and len(words) > 1 and words[0] != ":":
            name = words[0][1:]
            policy = _POLICIES.get(words[1], UNSURE)
            hook = "" if words[1] == "-" else _BASES.get((table, name), "")
            chains[name] = Chain([], hook, policy, (family,), f"{said} -P {name} {words[1]}", is_early=table == "raw")
        elif line.startswith("-A ") and len(words) > 1 and words[1] in chains:
            chains[words[1]].rules.append(_iptables_rule(line, said, chains))
        elif line.startswith((":", "-A")) and unread is not None:
            unread.append(line)
    return chains


def _iptables_rule(line: str, command: str, chains: Mapping[str, Chain]) -> Rule:
    try:
        words = shlex.split(line)
    except ValueError:
        # No shell would take it either; in which chain it stands is plain.
        return Rule(line, (UNKNOWN,), UNSURE)
    conditions: list[Condition] = []
    verdict: Verdict | str = CONTINUE
    goes = negated = False
    rest = iter(words[2:])
    for word in rest:
        if word == "!":
            negated = True
            continue
        if word in ("-j", "-g"):
            target = next(rest, "")
            goes = word == "-g"
            verdict = _target(target, chains)
            break
        if word == "-m":
            if next(rest, "") not in _EXTENSIONS:
                conditions.append(UNKNOWN)
        elif word == "--comment":
            next(rest, "")
        elif word in _ASKS:
            values, field = next(rest, ""), _ASKS[word]
            listed = [_interface(values)] if field in ("iif", "oif") else values.lower().split(",")
            conditions.append(condition(field, listed, negated))
        else:
            conditions.append(UNKNOWN)
        negated = False
    return Rule(f"{command} {line.strip()}", tuple(conditions), verdict, goes)


def _target(name: str, chains: Mapping[str, Chain]) -> Verdict | str:
    """What is no target that is known here is a chain, or an extension of which nobody knows here what it does."""
    if name in _TARGETS or name in _PASSING:
        # Whoever calls a chain like a target, which nft can, leaves open which of the two is meant.
        return UNSURE if name in chains else _TARGETS.get(name, CONTINUE)
    return name


def _interface(name: str) -> str:
    """The name in nft's words, which has an asterisk where iptables has a plus."""
    written = name.replace("\\", "\\\\").replace("*", "\\*")
    return f"{written[:-1]}*" if written.endswith("+") else written


_TABLE = re.compile(r"table (\S+) (.*)\{(?: # .*)?$")
_CHAIN = re.compile(r"\s*chain (\S+) \{")
_OF_IPTABLES = re.compile(r"\s*chain (INPUT|FORWARD|OUTPUT) \{")
_DORMANT = re.compile(r"\s*flags .*\bdormant\b")
# Texts are neither escaped nor free of quotes, but stand by themselves.
_QUOTED = re.compile(r'(?<![^\s])"[^"]*"(?![^\s,}])')
HOOK = re.compile(r"\s*type (\w+) hook (\w+) priority (-?\w+)(?: ([+-]) (\d+))?;(?: policy (\w+);)?$")
_HOOKED = {
    **{("filter", hook): hook for hook in (*HOOKS, PREROUTING)},
    ("route", "output"): "output",
    ("nat", "prerouting"): TRANSLATION,
}
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
# IPVS takes packets away, and changes answers, at NF_IP_PRI_NAT_SRC - 2: later chains may see another packet, or none.
_BEFORE_IPVS = 98
# Netfilter looks up a packet's connection at NF_IP_PRI_CONNTRACK.
_TRACKING = -200
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
# By the first two words of a condition of nft, the field that it asks for.
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
_INTERFACES = {"iifname": "iif", "iif": "iif", "oifname": "oif", "oif": "oif"}
_WORDS = re.compile(r'"[^"]*"|[{},]|[^\s{},]+')
# One value, or a range of values, or the name of a set. An operator is none of them.
_VALUE = re.compile(r'"[^"]*"$|[@\w]\S*$|::\S*$')
# What follows a value and makes another one of it, or of the field. The last three are no conditions.
_OPERATORS = {".", "!", "&", "|", "^", "-", "==", "<", ">", "<=", ">=", "<<", ">>", ":", "vmap", "map", "set"}
_NFT_VERDICTS = {"accept": ACCEPT, "drop": DROP, "reject": DROP, "return": RETURN}
# Of these, what a map of verdicts may say, where `return` leaves the chain that the map is in.
_OF_MAPS = {"accept": ACCEPT, "drop": DROP, "continue": CONTINUE}
# How many words follow that say nothing of the packet.
_SILENT = {
    **{"counter": 0, "packets": 1, "bytes": 1, "comment": 1, "notrack": 0},
    **{"log": 0, "prefix": 1, "level": 1, "group": 1, "snaplen": 1, "queue-threshold": 1},
}
# What may end the way of a packet, or make another packet of it. With "#" begins what nft cannot say in its own words,
# with "target" an extension of iptables.
_MAY_DO_ANYTHING = {
    *("vmap", "jump", "goto", "queue", "dup", "fwd", "synproxy"),
    *("dnat", "redirect", "tproxy", "snat", "masquerade", "target", "#"),
}
# What is set beside the packet, or in it where no rule that is read here looks.
_HARMLESS_TO_SET = {
    *("mark", "priority", "nftrace", "dscp", "ecn", "ttl", "hoplimit", "size", "zone", "label"),
    *("helper", "timeout", "expectation", "event"),
}


def tables_of_nft(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Family and name of each table that sees packets of IP, and the lines in it. A dormant one sees none."""
    family, table, level = "", "", 0
    lines: list[str] = []
    for line in text.splitlines():
        opens = _TABLE.match(line)
        if level == 0 and opens:
            family, table, lines, level = opens[1], opens[2].strip(), [], 1
            continue
        level = max(level + opened(line), 0)
        if level:
            lines.append(line)
        elif family in _FAMILIES and not any(map(_DORMANT.match, lines)):
            yield family, table, lines
            family = ""


def opened(line: str) -> int:
    """How many blocks more it opens than it closes. A brace elsewhere in the line is that of a set, or in a text."""
    bare = line.strip()
    return bare.endswith("{") - bare.startswith("}")


def of_nft(text: str) -> Iterator[dict[str, Chain]]:
    """The chains of each table that has some, as ``nft list ruleset`` prints them."""
    for family, table, lines in tables_of_nft(text):
        chains: dict[str, Chain] = {}
        name, level = None, 0
        # What iptables has in nf_tables is read here, and changed by its own words.
        is_of_iptables = family != "inet" and table == "filter" and any(map(_OF_IPTABLES.match, lines))
        said = firewall_words.IPTABLES_NFT if is_of_iptables else firewall_words.NFT
        for line in lines:
            opens, hook = _CHAIN.match(line), HOOK.match(line)
            before, level = level, level + opened(line)
            if before == 0:
                name = opens[1] if opens else None
                if opens:
                    chains[opens[1]] = Chain([], families=_FAMILIES[family])
            elif name is None or before > 1 or level == 0 or not line.strip():
                # What is in a block of its own inside a chain is not one of the chain's rules. The rule that leads to
                # it does so to no chain that is known.
                continue
            elif hook:
                policy = DROP if hook[6] == "drop" else ACCEPT
                base = _HOOKED.get((hook[1], hook[2]), "")
                # What IPVS sends on leaves by every chain of output.
                is_late = base in ("input", "forward") and not is_before_ipvs(hook)
                is_early = base in ("output", PREROUTING) and not is_after_tracking(hook)
                text = f"{said}{line.strip()}"
                chains[name] = Chain([], base, policy, _FAMILIES[family], text, is_late, is_early)
            else:
                chains[name].rules.append(_nft_rule(line.strip(), said, chains))
        if chains:
            yield chains


def is_before_ipvs(hook: re.Match[str]) -> bool:
    priority = priority_of(hook)
    return priority is not None and priority < _BEFORE_IPVS


def is_after_tracking(hook: re.Match[str]) -> bool:
    priority = priority_of(hook)
    return priority is not None and priority > _TRACKING


def priority_of(hook: re.Match[str]) -> int | None:
    """The priority of a chain by its line; None: a name that is not known here."""
    base = _PRIORITIES.get(hook[3], forms.integer(hook[3]))
    offset = forms.integer(hook[5] or "0")
    if base is None or offset is None:
        return None
    return base - offset if hook[4] == "-" else base + offset


def _nft_rule(line: str, said: str, chains: dict[str, Chain]) -> Rule:
    text = f"{said}{line}"
    if '"' in _QUOTED.sub("", line):
        # Where a text ends cannot be told, nor what of the line is a word of nft.
        return Rule(text, (UNKNOWN,), UNSURE)
    words = _WORDS.findall(line.partition(" # handle ")[0])
    conditions: list[Condition] = []
    verdict: Verdict | str = CONTINUE
    goes, place = False, 0
    while place < len(words):
        word, following = words[place], words[place + 1] if place + 1 < len(words) else ""
        if word in _NFT_VERDICTS:
            verdict = _NFT_VERDICTS[word]
            conditions += _implied_by(words[place + 1 : place + 4])
            break
        if word in ("jump", "goto"):
            verdict, goes = following, word == "goto"
            break
        if word in _SILENT:
            place += 1 + _SILENT[word]
            continue
        field = _INTERFACES.get(word) or _SELECTORS.get((word, following))
        values = place + (1 if word in _INTERFACES else 2)
        cases = _cases(words[values:], field, text) if field and words[values : values + 1] == ["vmap"] else None
        if cases is not None:
            # A chain that nobody else can name: a name has no blanks.
            verdict = f"vmap {len(chains)}"
            chains[verdict] = Chain(cases)
            _imply(word, conditions)
            break
        asked, after = _asked(words, values, field) if field else (None, place)
        if asked is None:
            # What the rest asks or does is not known: it may decide, too.
            return Rule(text, (*conditions, UNKNOWN), _last(words[place:]))
        _imply(word, conditions)
        conditions.append(asked)
        place = after
    return Rule(text, tuple(conditions), verdict, goes)


def _cases(words: list[str], field: str, text: str) -> list[Rule] | None:
    """The rules of a map of verdicts, which is all that words are; None: they have another form."""
    end = words.index("}") if "}" in words else len(words)
    if words[1:2] != ["{"] or words[end + 1 : end + 2] not in ([], ["comment"]):
        return None
    found: list[Rule] = []
    for case in " ".join(words[2:end]).split(" , "):
        value, colon, said = [*case.split(" ", 2), "", "", ""][:3]
        does, _blank, chain = said.partition(" ")
        is_known = colon == ":" and _VALUE.match(value) and value not in _OPERATORS
        if not is_known or (does not in _OF_MAPS if chain == "" else does not in ("jump", "goto") or " " in chain):
            return None
        asked = condition(field, [value.strip('"')], negated=False)
        found.append(Rule(text, (asked,), chain or _OF_MAPS[does], does == "goto"))
    return found


def _implied_by(words: list[str]) -> list[Condition]:
    """What `reject with` says of the packet. Where it says how to refuse, nft leaves out the condition before it."""
    if words == ["with", "tcp", "reset"]:
        return [condition("protocol", ["tcp"], False)]
    family = {"icmp": 4, "icmpv6": 6}.get(words[1]) if words[:1] == ["with"] and len(words) > 1 else None
    return [Condition("family", (family,))] if family else []


def _last(words: list[str]) -> Verdict:
    """The verdict after words that are not known. A map of verdicts, a queue or a chain may do anything."""
    last = next((each for each in reversed(words) if each in _NFT_VERDICTS), "")
    sets = {before for before, word in zip(words, words[1:]) if word == "set"}
    may_do_anything = _MAY_DO_ANYTHING & {*words} or sets - _HARMLESS_TO_SET
    return UNSURE if may_do_anything else _NFT_VERDICTS.get(last, CONTINUE)


def _imply(word: str, conditions: list[Condition]) -> None:
    """A port is one of its protocol, and an address one of its family."""
    if word in ("tcp", "udp", "sctp", "icmp", "icmpv6"):
        conditions.append(condition("protocol", [word], False))
    elif word in ("ip", "ip6"):
        conditions.append(Condition("family", (4 if word == "ip" else 6,)))


def _asked(words: list[str], place: int, field: str) -> tuple[Condition | None, int]:
    """What the values at a place ask of a field, and the place after them. None: what stands there has another form."""
    negated = words[place : place + 1] == ["!="]
    place += negated
    if words[place : place + 1] == ["{"]:
        end = words.index("}", place) if "}" in words[place:] else len(words)
        values, commas = words[place + 1 : end : 2], words[place + 2 : end : 2]
        end += 1
    else:
        end = place + 1
        while words[end : end + 1] == [","]:
            end += 2
        values, commas = words[place:end:2], words[place + 1 : end : 2]
        # `established,related` is any of these flags, and what is not equal to it may have one of them.
        if negated and commas:
            return None, end
    is_known = all(each == "," for each in commas) and all(map(_VALUE.match, values))
    if not is_known or {*values, *words[end : end + 1]} & _OPERATORS:
        return None, end
    return condition(field, [each.strip('"') for each in values], negated), end
