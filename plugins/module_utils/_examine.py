# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_info: how a host differs from its plans, and what else may be in the way. It changes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._host import Difference, differences
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.info import table_facts
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    counters,
    filter_rules,
    keepalived,
    obstacles,
    offload,
    preflight,
    verdicts,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.arp_question import who_has
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.listeners import listeners
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible_collections.lvs.topology.plugins.module_utils._module import Module

# Sysctls below net.ipv4.vs by which the kernel gives up connections and packets of others (0: never).
_DEFENCES = ("drop_entry", "drop_packet", "secure_tcp")
_CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack_"
# By the kernel modules whose rules they show, but for the table. Without these they would load them.
_SAVES = {
    "iptable": (4, ("iptables-save", "iptables-legacy-save")),
    "ip6table": (6, ("ip6tables-save", "ip6tables-legacy-save")),
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
    "state": {"type": "str", "choices": ["new", *verdicts.STATES]},
}


def examine(module: Module) -> dict[str, Any]:
    """What the module does."""
    params = module.params
    mistakes = Mistakes()
    asked = []
    for position, each in enumerate(params["parts"]):
        path = f"parts[{position}]"
        try:
            part = {**preflight.NOTHING, **validated(preflight.PART, each)}
            asked.append(preflight.read(part, f"{path}.", mistakes))
        except BadRequest as problem:
            mistakes.add(path, str(problem))
    for position, each in enumerate(params["arp"]):
        mistakes.address(f"arp[{position}].address", each["address"], forms.HOST)
        mistakes.interface(f"arp[{position}].interface", each["interface"])
    for position, name in enumerate(params["interfaces"]):
        mistakes.interface(f"interfaces[{position}]", name)
    for position, port in enumerate(params["ports"]):
        mistakes.within(f"ports[{position}]", port, forms.REAL_PORTS, "a port")
    packets = [_packet(each, f"packets[{position}]", mistakes) for position, each in enumerate(params["packets"])]
    mistakes.raise_if_any()
    tentative = counters.tentative_addresses()
    host, problems = preflight.this_host()
    parts = {part.params["name"]: _part(module, part, host) for part in asked}
    unseen: list[str] = []
    filters = _filters(unseen)
    return {
        "changed": False,
        "problems": problems,
        "parts": parts,
        "arp": _arp(params["arp"], unseen),
        "listeners": [each._asdict() for each in listeners(set(params["ports"]))],
        "failed_addresses": counters.failed_addresses(),
        # Those that were so before the other questions were asked, and are still.
        "tentative_addresses": [each for each in counters.tentative_addresses() if each in tentative],
        "large_receive": offload.large_receive(params["interfaces"]),
        "counters": counters.counters(),
        "defences": {name: value for name, value in proc.sysctls(_DEFENCES).items() if value},
        "conntrack": _conntrack(),
        "obstacles": [each._asdict() for each in dict.fromkeys(filters.obstacles)],
        "dropped": _dropped(packets, filters),
        "keepalived": _keepalived(),
        "table": _table(unseen) if params["table"] else None,
        "unseen": unseen,
    }


def _part(module: Module, part: preflight.Part, host: preflight.Host) -> dict[str, Any]:
    preflight.look_at(part, host)
    found: list[Difference] = []
    unmanaged: list[str] = []
    if part.params["plan"] is not None and not part.packages:
        found, unmanaged = differences(module, part.whole_plan, part.params["owner"])
    if part.params["keepalived"] is not None and not part.packages:
        found += _configuration(module, part.params["keepalived"])
    lacking = [f"packages are missing: {', '.join(part.packages)}"] if part.packages else []
    return {
        "problems": [*part.problems, *lacking],
        "differences": [each._asdict() for each in found],
        "unmanaged": unmanaged,
    }


def _configuration(module: Module, asked: Mapping[str, Any]) -> list[Difference]:
    """What keepalived_config would change."""
    try:
        changes = keepalived.ask(module, asked)["changes"]
    except (BadRequest, Refused) as problem:
        return [Difference("keepalived", [], str(problem))]
    return [Difference("keepalived", changes)] if changes else []


def _arp(items: list[Mapping[str, str]], unseen: list[str]) -> dict[str, list[str]]:
    by_interface: dict[str, list[str]] = {}
    for each in items:
        by_interface.setdefault(each["interface"], []).append(each["address"])
    found: dict[str, list[str]] = {}
    for interface, addresses in by_interface.items():
        try:
            found.update(who_has(interface, addresses))
        except Refused as problem:
            unseen.append(f"who answers ARP: {problem}")
    return found


def _conntrack() -> dict[str, int] | None:
    """How full the table of netfilter's connections is; None where there is none."""
    try:
        count, limit = (_number(f"{_CONNTRACK}{name}") for name in ("count", "max"))
    except FileNotFoundError:
        return None
    return {"count": count, "max": limit}


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())


@dataclass
class _Filters:
    """The packet filters: what they drop whatever the rules for single services, and their chains."""

    obstacles: list[obstacles.Obstacle] = field(default_factory=list)
    chains: list[Mapping[str, verdicts.Chain]] = field(default_factory=list)
    # Of a packet that is kept out of netfilter's table the state is none of those that are asked about.
    keeps_states: bool = True


def _filters(unseen: list[str]) -> _Filters:
    """Looking must not load any of them."""
    found = _Filters()
    if os.path.exists("/sys/module/nf_tables"):
        text = _said(unseen, ["nft", "list", "ruleset"])
        found.obstacles += obstacles.of_nft(text)
        found.chains += filter_rules.of_nft(text)
        found.keeps_states = "notrack" not in text
    for name, (family, commands) in _SAVES.items():
        for command in commands if os.path.exists(f"/sys/module/{name}_filter") else ():
            if _commands.find(command):
                text = _said(unseen, [command, "-t", "filter"])
                found.obstacles += obstacles.of_iptables(text, command[: -len("-save")])
                found.chains.append(filter_rules.of_iptables(text, family, command[: -len("-save")]))
                if os.path.exists(f"/sys/module/{name}_raw"):
                    found.keeps_states &= "-j CT --notrack" not in _said(unseen, [command, "-t", "raw"])
    return found


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


def _packet(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> Mapping[str, Any]:
    """The packet of a question, with its family: that of its addresses where it has any."""
    addresses = [mistakes.address(f"{path}.{key}", given[key]) for key in ("source", "destination") if given[key]]
    for key in ("source_port", "port"):
        mistakes.within(f"{path}.{key}", given[key], forms.REAL_PORTS, "a port")
    families = {each.version for each in addresses if each}
    if len(families) > 1:
        mistakes.add(path, "source and destination are of two families")
    return {**given, "family": max(families, default=given["family"])}


def _dropped(packets: list[Mapping[str, Any]], filters: _Filters) -> list[dict[str, str]]:
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


def _keepalived() -> dict[str, bool] | None:
    """What systemd says of keepalived; None where that does not run."""
    unit = keepalived.unit_of_keepalived()
    if unit is None:
        return None
    return {"active": unit.active, "enabled": unit.enabled, "failed": unit.failed, "masked": unit.masked}


def _table(unseen: list[str]) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = readable(table_facts)()
    except Refused as problem:
        unseen.append(f"the IPVS table: {problem}")
        return None
    return found
