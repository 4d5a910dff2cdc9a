# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host's packet filters do with packets that are asked about: their rules are read, and nothing is sent."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._net import filter_rules, obstacles, verdicts
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes

# By the file that names the tables that there are. Asked for another table, they would load it.
_SAVES = {
    "/proc/net/ip_tables_names": (4, ("iptables-save", "iptables-legacy-save")),
    "/proc/net/ip6_tables_names": (6, ("ip6tables-save", "ip6tables-legacy-save")),
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
    "port": {"type": "int"},
    "interface": {"type": "str"},
    "state": {"type": "str", "choices": ["new", *verdicts.STATES]},
}


@dataclass
class Filters:
    """The packet filters: what they drop whatever the rules for single services, and their chains."""

    obstacles: list[obstacles.Obstacle] = field(default_factory=list)
    chains: list[Mapping[str, verdicts.Chain]] = field(default_factory=list)
    # Of a packet that is kept out of netfilter's table the state is none of those that are asked about.
    keeps_states: bool = True


def read_filters(unseen: list[str]) -> Filters:
    """Looking must not load any of them."""
    found = Filters()
    seen = len(unseen)
    if os.path.exists("/sys/module/nf_tables"):
        text = _said(unseen, ["nft", "list", "ruleset"])
        found.obstacles += obstacles.of_nft(text)
        found.chains += filter_rules.of_nft(text)
        found.keeps_states = "notrack" not in text
    for path, (family, commands) in _SAVES.items():
        tables = _tables(path)
        there = [each for each in commands if _commands.find(each)]
        if tables and not there:
            unseen.append(f"packet filter: there is no {' or '.join(commands)}, and the kernel has rules of its kind")
        for command in there:
            for table in tables:
                text, changes = _said(unseen, [command, "-t", table]), command[: -len("-save")]
                if table == "raw":
                    found.keeps_states &= "notrack" not in text.lower()
                    continue
                if table == "filter":
                    found.obstacles += obstacles.of_iptables(text, changes)
                unread: list[str] = []
                found.chains.append(filter_rules.of_iptables(text, family, changes, unread=unread))
                unseen += [f"packet filter: {command} -t {table}: {forms.word(line)}" for line in unread]
    if len(unseen) > seen:
        # What was not read may make another packet of any, before it comes to what was read.
        found.chains.clear()
    return found


def _tables(path: str) -> list[str]:
    """Those of iptables that are looked at, and that the kernel has in this namespace."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii", errors="replace") as file:
        there = file.read().split()
    return [each for each in ("filter", "nat", "mangle", "raw") if each in there]


def _said(unseen: list[str], words: list[str]) -> str:
    command = _commands.find(words[0])
    if command is None:
        unseen.append(f"packet filter: there is no {words[0]}, and the kernel has rules of its kind")
        return ""
    status, output, errors = _commands.run([command, *words[1:]])
    if status != 0:
        unseen.append(f"packet filter: {' '.join(words)}: {errors.strip()}")
        return ""
    return output


def read(given: Sequence[Mapping[str, Any]], path: str, mistakes: Mistakes) -> list[Mapping[str, Any]]:
    """The packets of the questions, by their form."""
    return [_packet(each, f"{path}[{position}]", mistakes) for position, each in enumerate(given)]


def _packet(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> Mapping[str, Any]:
    """The packet of a question, with its family: that of its addresses where it has any."""
    addresses = [mistakes.address(f"{path}.{key}", given[key]) for key in ("source", "destination") if given[key]]
    for key in ("source_port", "port"):
        mistakes.within(f"{path}.{key}", given[key], forms.REAL_PORTS, "a port")
    if given["interface"] is not None:
        mistakes.interface(f"{path}.interface", given["interface"])
    families = {each.version for each in addresses if each}
    if len(families) > 1:
        mistakes.add(path, "source and destination are of two families")
    return {**given, "family": max(families, default=given["family"])}


def dropped(packets: Sequence[Mapping[str, Any]], filters: Filters) -> list[dict[str, str]]:
    """Of the packets that were asked about, those that are dropped for certain, and by which rule."""
    if not (packets and filters.chains):
        return []
    keeps_track = bool(proc.sysctls(["conntrack"]).get("conntrack"))
    found = []
    for each in packets:
        packet = verdicts.packet_of(each, keeps_track)
        said = verdicts.dropped_by(filters.chains, packet if filters.keeps_states else packet._replace(state=None))
        if said is not None:
            found.append({"name": each["name"], "said": said})
    return found
