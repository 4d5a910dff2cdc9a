# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that restore a host's state at boot: what is in them, and which have to change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._boot.boot_script import (
    DIRECTORY,
    SCRIPT,
    SCRIPT_PATH,
    UNIT,
    UNIT_PATH,
    UNIT_TEXT,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, owned_file, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._net.address_plan import Wish
from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._net.neighbour_plan import Neighbour
from ansible_collections.lvs.topology.plugins.module_utils._net.source_route_plan import PRIORITY, Rule
from ansible_collections.lvs.topology.plugins.module_utils._net.tunnel_plan import End
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, joined

# In the order in which the script reads them.
SUFFIXES = (
    *("arptables", "tunnels", "ip", "sources", "nft", "iptables", "ip6tables"),
    # A firewall of one kind of iptables, beside another one of which what is above is.
    *("iptables-legacy", "ip6tables-legacy", "iptables-nft", "ip6tables-nft", "nft-firewall"),
    *("timeouts", "ipvsadm", "daemons"),
    # Routers hear of a VIP when the table is there.
    "announcements",
)


@dataclass(frozen=True)
class UnitState:
    """Our unit: whether its link for the boot is there, and whether systemd says that it failed."""

    enabled: bool = False
    failed: bool = False


class Hooks(NamedTuple):
    """What changes for the managers of the host's network, and what systemd is told before and after."""

    before: Plan = Plan()
    units: Plan = Plan()
    files: Plan = Plan()
    after: Plan = Plan()


NO_HOOKS = Hooks()


def owner_path(owner: str, suffix: str) -> str:
    return f"{DIRECTORY}/{owner}.{suffix}"


def render_ip(
    owner: str, addresses: Sequence[Wish], gateways: Sequence[Route], neighbours: Sequence[Neighbour]
) -> File | None:
    """Input of ip -batch: addresses before the routes that may need them."""
    lines = [f"address replace {wish.held}" for wish in addresses]
    lines += [f"route replace {route}" for route in gateways]
    lines += [f"neigh replace {neighbour}" for neighbour in neighbours]
    return _file(owner, "ip -force -batch", lines)


def render_announcements(owner: str, lines: Sequence[str]) -> File | None:
    return _file(owner, "ip -force -batch", lines)


def render_tunnels(owner: str, ends: Sequence[End]) -> File | None:
    return _file(owner, "ip, line by line", [line for end in ends for line in end.lines])


def render_sources(owner: str, rules: Sequence[Rule]) -> File | None:
    lines = [f"-{rule.version} {rule.source} {rule.table} {rule.advmss} {PRIORITY}" for rule in rules]
    return _file(owner, "restore: family, source, table, advmss, priority", lines)


def render_arptables(owner: str, rules: Sequence[str]) -> File | None:
    return _file(owner, "arptables, line by line", [f"-A {rule}" for rule in rules])


def render_ipvsadm(lines: Sequence[str]) -> File | None:
    """Input of ipvsadm -R, which takes no comments."""
    return File("".join(f"{line}\n" for line in lines)) if lines else None


def render_packet_rules(owner: str, suffix: str, lines: Sequence[str]) -> File | None:
    reader = "nft -f" if suffix.startswith("nft") else f"{suffix}-restore --noflush"
    return _file(owner, reader, lines)


def _file(owner: str, reader: str, lines: Sequence[str]) -> File | None:
    return owned_file(owner, lines, f" Read by: {reader}")


def plan_boot(
    owner: str,
    wanted: Mapping[str, File | None],
    current: Mapping[str, File | None],
    others: AbstractSet[str],
    unit_state: UnitState | None,
    hooks: Hooks = NO_HOOKS,
) -> Plan:
    """Write the owner's files, and keep script, unit and hooks as long as any owner has one.

    ``wanted`` goes by suffix and ``current`` by path; ``others`` are the other owners' files; ``unit_state`` is None
    where there is no systemd.
    """
    needed = bool(others) or any(wanted.values())
    own = [
        plan_file(owner_path(owner, suffix), current[owner_path(owner, suffix)], wanted[suffix], own_directory=True)
        for suffix in SUFFIXES
    ]
    script = static(SCRIPT_PATH, current, File(SCRIPT, 0o755) if needed else None)
    unit = static(UNIT_PATH, current, File(UNIT_TEXT) if needed else None)
    if unit_state is None:
        return joined(*own, script, unit)
    reload = systemctl("daemon-reload") if unit.changes or hooks.units.changes else Plan()
    files = joined(*own, script, unit, hooks.units, hooks.files, reload)
    if needed:
        enable = Plan() if unit_state.enabled else systemctl("enable", UNIT)
        return joined(hooks.before, files, enable, hooks.after)
    disable = systemctl("disable", "--now", UNIT) if unit_state.enabled else Plan()
    # A unit that failed is listed as failed even when it is gone.
    forget = systemctl("reset-failed", UNIT) if unit_state.failed else Plan()
    return joined(hooks.before, disable, forget, files)


def static(path: str, current: Mapping[str, File | None], wanted: File | None) -> Plan:
    """A file that is the same on every host: its text is of interest only where somebody changed it."""
    plan = plan_file(path, current[path], wanted, own_directory=path == SCRIPT_PATH)
    if current[path] is None or wanted is None:
        return Plan(plan.changes, plan.before[:1], plan.after[:1])
    return plan
