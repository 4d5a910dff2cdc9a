# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_info: how a host differs from its plans, and what else may be in the way. It changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_info
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd
from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_questions
from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import Difference, differences
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived, keepalived_files
from ansible_collections.lvs.topology.plugins.module_utils._look import counters, offload, preflight
from ansible_collections.lvs.topology.plugins.module_utils._look.arp_question import who_has
from ansible_collections.lvs.topology.plugins.module_utils._look.ipvs_info import table_facts
from ansible_collections.lvs.topology.plugins.module_utils._look.listeners import listeners
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible_collections.lvs.topology.plugins.module_utils._module import Module

# Sysctls below net.ipv4.vs by which the kernel gives up connections and packets of others (0: never).
_DEFENCES = ("drop_entry", "drop_packet", "secure_tcp")
_CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack_"


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
    if params["bgp"] is not None:
        bird_info.read(params["bgp"], "bgp", mistakes)
    packets = filter_questions.read(params["packets"], "packets", mistakes)
    mistakes.raise_if_any()
    tentative = counters.tentative_addresses()
    host, problems = preflight.this_host()
    wanted = preflight.sysctls_of(asked)
    parts = {part.params["name"]: _part(module, part, host, wanted) for part in asked}
    unseen: list[str] = []
    filters = filter_questions.read_filters(unseen)
    dropped, undecided = filter_questions.judged(packets, filters)
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
        "dropped": dropped,
        "undecided": undecided,
        "firewall": filters.firewall,
        "keepalived": _keepalived(),
        "conntrackd": conntrackd.look(unseen) if params["conntrackd"] else None,
        "table": _table(unseen) if params["table"] else None,
        "bgp": None if params["bgp"] is None else bird_info.look(params["bgp"], unseen),
        "unseen": unseen,
    }


def _part(module: Module, part: preflight.Part, host: preflight.Host, wanted: Mapping[str, str]) -> dict[str, Any]:
    preflight.look_at(part, host, wanted)
    found: list[Difference] = []
    unmanaged: list[str] = []
    if part.params["plan"] is not None and not part.packages:
        found, unmanaged = differences(module, part.whole_plan, part.params["owner"])
    if part.params["keepalived"] is not None and not part.packages:
        found += _configuration(module, part.params["keepalived"])
    elif part.plan["manager"] == forms.KERNEL:
        found += _left_over(None)
    lacking = [f"packages are missing: {', '.join(part.packages)}"] if part.packages else []
    return {
        "problems": [*part.problems, *lacking],
        "differences": [each._asdict() for each in found],
        "unmanaged": unmanaged,
    }


def _configuration(module: Module, asked: Mapping[str, Any]) -> list[Difference]:
    """What keepalived_config would change, and the role beside it."""
    try:
        changes = keepalived.ask(module, asked)["changes"]
    except (BadRequest, Refused) as problem:
        return [Difference("keepalived", [], str(problem))]
    changes += [f"write {path}" for path in keepalived_files.missing(asked)]
    return _left_over(asked, changes)


def _left_over(asked: Mapping[str, Any] | None, changes: Iterable[str] = ()) -> list[Difference]:
    """These changes, and what a run that was killed has left beside the configuration."""
    every = [*changes, *(f"remove {path}" for path in keepalived_files.left_over(asked))]
    return [Difference("keepalived", every)] if every else []


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
