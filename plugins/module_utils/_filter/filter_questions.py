# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host's packet filters do with packets that are asked about: their rules are read, and nothing is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    filter_rules,
    firewall_words,
    loaded,
    nf_tables,
    obstacles,
    verdicts,
)
from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import STATES, packet_of, protocol_number
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# What a command says that has left something out, and ends well.
_LEFT_OUT = re.compile(r"\bXT \w+ \S+ not found")

# By a chain that it makes wherever it rules, what rules a packet filter.
_MAKES = {
    "filter_INPUT_ZONES": firewall_words.FIREWALLD,
    "INPUT_ZONES": firewall_words.FIREWALLD,
    "ufw-user-input": firewall_words.UFW,
}
# What is asked about a packet that is to pass the packet filter.
PACKET: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "hook": {"type": "str", "choices": list(verdicts.HOOKS), "required": True},
    "protocol": {"type": "str", "required": True},
    "family": {"type": "int", "choices": [4, 6], "default": 4},
    "source": {"type": "str"},
    "destination": {"type": "str"},
    "source_port": {"type": "int"},
    "last_source_port": {"type": "int"},
    "port": {"type": "int"},
    "last_port": {"type": "int"},
    "interface": {"type": "str"},
    "taken": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["new", *STATES]},
}


@dataclass
class Filters:
    """The packet filters: what they drop whatever the rules for single services, and their chains."""

    obstacles: list[obstacles.Obstacle] = field(default_factory=list)
    chains: list[Mapping[str, verdicts.Chain]] = field(default_factory=list)
    # Of a packet that is kept out of netfilter's table the state is none of those that are asked about.
    keeps_states: bool = True
    # Whether all of it was read. If not, there are no chains, and nothing is known of any packet.
    is_whole: bool = True

    @property
    def firewall(self) -> str:
        """What rules them, by the chains that it makes; empty: nobody who is known here."""
        names = {name for chains in self.chains for name in chains}
        return next((firewall for name, firewall in _MAKES.items() if name in names), "")


def read_filters(unseen: list[str]) -> Filters:
    """Looking must not load any of them."""
    found = Filters()
    seen = len(unseen)
    unseen += unreadable()
    _read_nft(found, unseen)
    for path, (family, commands) in loaded.SAVES.items():
        _read_iptables(found, unseen, family, commands, loaded.tables_at(path, unseen))
    if len(unseen) > seen:
        # What was not read may make another packet of any, before it comes to what was read.
        found.chains.clear()
        found.is_whole = False
    return found


def unreadable() -> list[str]:
    """Of which packet filters that are there no command on this host reads the rules."""
    found: list[str] = []
    is_there = nf_tables.is_there()
    if is_there is None:
        found.append("packet filter: whether this kernel has nf_tables built in, nothing on this host tells")
    if is_there and _commands.find("nft") is None:
        try:
            if nf_tables.has_tables():
                found.append(_lacks("nft"))
        except (Refused, OSError) as problem:
            found.append(f"packet filter: whether there are rules of nft: {problem}")
    for path, (_family, commands) in loaded.SAVES.items():
        if loaded.tables_at(path, []) and next(legacy(commands), None) is None:
            found.append(_lacks(" or ".join(commands)))
    return found


def _read_nft(found: Filters, unseen: list[str]) -> None:
    if not nf_tables.is_there() or _commands.find("nft") is None:
        return
    text = said(unseen, ["nft", "list", "ruleset"])
    found.obstacles += obstacles.of_nft(text)
    found.chains += filter_rules.of_nft(text)
    found.keeps_states = "notrack" not in text


def _read_iptables(
    found: Filters, unseen: list[str], family: int, commands: Sequence[str], tables: Sequence[str]
) -> None:
    command = next(legacy(commands), None) if tables else None
    if command is None:
        return
    for table in tables:
        text, changes = said(unseen, [command, "-t", table]), command[: -len("-save")]
        if table == "raw":
            found.keeps_states &= "notrack" not in text.lower()
        if table == "filter":
            found.obstacles += obstacles.of_iptables(text, changes)
        unread: list[str] = []
        found.chains.append(filter_rules.of_iptables(text, family, changes, unread=unread))
        unseen += [f"packet filter: {command} -t {table}: {forms.word(line)}" for line in unread]


def _lacks(command: str) -> str:
    return f"packet filter: there is no {command} that can read the rules of its kind, and the kernel has some"


def legacy(commands: Sequence[str]) -> Iterator[str]:
    """Those of them that read the tables of iptables. A command of the same name may read only what is in nf_tables."""
    for each in commands:
        path = _commands.find(each)
        if path is not None and not speaks_nft(path):
            yield each


def speaks_nft(path: str) -> bool:
    """Whether a command of iptables has its rules in nf_tables. One that knows no --version is older than that."""
    return "nf_tables" in str(_commands.run([path, "--version"]).output)


def said(unseen: list[str], words: list[str]) -> str:
    """What a command printed, also where it has left something out; nothing where it failed."""
    status, output, errors = _commands.run([_commands.find(words[0]) or words[0], *words[1:]])
    lacking = dict.fromkeys(_LEFT_OUT.findall(errors)) if status == 0 else [" ".join(errors.split())]
    unseen += [f"packet filter: {' '.join(words)}: {each}" for each in lacking]
    return output if status == 0 else ""


def read(given: Sequence[Mapping[str, Any]], path: str, mistakes: Mistakes) -> list[Mapping[str, Any]]:
    """The packets of the questions, by their form."""
    return [packet(each, f"{path}[{position}]", mistakes) for position, each in enumerate(given)]


def packet(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> Mapping[str, Any]:
    """The packet of a question, with its family: that of its addresses where it has any."""
    if protocol_number(given["protocol"]) is None:
        problem = (
            f"{forms.shown(given['protocol'])} is no protocol that is known here; write tcp, udp, sctp, icmp or icmpv6"
        )
        mistakes.add(f"{path}.protocol", f"{problem}, or a number from 0 to 255")
    named = [key for key in ("source", "destination") if given[key] is not None]
    addresses = {key: mistakes.address(f"{path}.{key}", given[key]) for key in named}
    for key in ("source_port", "port"):
        mistakes.within(f"{path}.{key}", given[key], forms.REAL_PORTS, "a port")
        mistakes.within(f"{path}.last_{key}", given[f"last_{key}"], forms.Range(given[key] or 1, 65535), "a port")
    if given["interface"] is not None:
        mistakes.interface(f"{path}.interface", given["interface"])
    families = {each.version for each in addresses.values() if each}
    if len(families) > 1:
        mistakes.add(path, "source and destination are of two families")
    return {**given, "family": max(families, default=given["family"])}


def judged(
    packets: Sequence[Mapping[str, Any]], filters: Filters, keeps_track: bool | None = None
) -> tuple[list[dict[str, str]], list[str]]:
    """The packets that are dropped for certain, each with the rule that does it, and the names of those that may be.

    One of a range of ports is dropped where some of these ports are.
    ``keeps_track`` is what net.ipv4.vs.conntrack is going to be; None: what it is.
    """
    if not packets:
        return [], []
    if not filters.is_whole:
        return [], [each["name"] for each in packets]
    if keeps_track is None:
        keeps_track = bool(proc.sysctls(["conntrack"]).get("conntrack"))
    judge = verdicts.Judge(filters.chains)
    found: list[dict[str, str]] = []
    undecided: list[str] = []
    for each in packets:
        asked = packet_of(each, keeps_track)
        known = asked if filters.keeps_states else asked._replace(state=None)
        verdict, said = judge.of_range(known, each["last_source_port"], each["last_port"])
        if verdict is verdicts.DROP:
            found.append({"name": each["name"], "said": said})
        elif verdict is verdicts.UNSURE:
            undecided.append(each["name"])
    return found, undecided
