# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module boot_restore: the files that restore a host's state, and the unit that reads them.

What most hosts have no files of is imported where a host has: Python compiles it anew in every run.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _options
from ansible_collections.lvs.topology.plugins.module_utils._boot import (
    boot_plan,
    boot_script,
    hooks_plan,
    network_managers,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons import units
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    arp_filter_plan,
    gateway_plan,
    neighbour_plan,
    source_route_plan,
    tunnel_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import carry_out, one_by_one
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile

# The lists have the form that they have in the modules which set them now.
_SPEC = _options.RESTORED
_IPVS = ("services", "timeouts", "sync_daemons")


def ensure_boot(module: AnsibleModule, _book: LedgerFile) -> dict[str, Any]:
    """What the module boot_restore does. It claims nothing, but no other module is at work on the host meanwhile."""
    params = module.params
    owner = params["owner"]
    mistakes = Mistakes()
    mistakes.owner(owner)
    wanted: dict[str, File | None] = dict.fromkeys(boot_plan.SUFFIXES)
    if params["state"] == "present":
        lists = _validated(params)
        wanted.update(_render(owner, lists, mistakes))
        wanted.update(_filters(owner, lists, mistakes))
    mistakes.raise_if_any()

    own = {boot_plan.owner_path(owner, suffix) for suffix in boot_plan.SUFFIXES}
    others = _files() - own
    restored = {path.rpartition(".")[2] for path in others} | {suffix for suffix, file in wanted.items() if file}
    unit_state = _unit_state(goes=not restored)
    hooks = boot_plan.NO_HOOKS if unit_state is None else _hooks(restored)
    current = {path: read_file(path) for path in (*own, boot_script.SCRIPT_PATH, boot_script.UNIT_PATH)}
    plan = boot_plan.plan_boot(owner, wanted, current, others, unit_state, hooks)
    if unit_state is None and plan.changes:
        module.warn("systemd does not run here, so nothing restores the state at boot; the files are kept up to date")
    return carry_out(module, plan, one_by_one(_apply))


def _validated(params: dict[str, Any]) -> dict[str, Any]:
    given = {name: params[name] for name in (*_SPEC, "firewall", "announcements", *_IPVS)}
    spec = {**_SPEC, **(_ipvs_spec() if any(given[name] for name in _IPVS) else {})}
    return {**given, **validated(spec, {name: given[name] for name in spec})}


def _ipvs_spec() -> dict[str, Any]:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs import specs

    return {
        "services": specs.TABLE_SPEC["services"],
        "timeouts": specs.TIMEOUTS,
        "sync_daemons": specs.DAEMONS,
    }


def _render(owner: str, lists: dict[str, Any], mistakes: Mistakes) -> dict[str, File | None]:
    tunnels = tunnel_plan.check(lists["tunnels"], mistakes)
    addresses = address_plan.check(lists["addresses"], None, mistakes)
    gateways = gateway_plan.check(lists["gateways"], mistakes)
    sources = source_route_plan.check(lists["source_routes"], mistakes)
    if sources:
        sources = _in_free_tables(sources)
    neighbours = neighbour_plan.check(lists["neighbours"], None, mistakes, present=True)
    rules = arp_filter_plan.check(lists["arp_filters"], None, mistakes, option="arp_filters")
    return {
        "ip": boot_plan.render_ip(owner, addresses, gateways, neighbours),
        "tunnels": boot_plan.render_tunnels(owner, tunnels),
        "sources": boot_plan.render_sources(owner, sources),
        "announcements": _announcements(owner, lists, mistakes) if lists["announcements"] else None,
        "arptables": boot_plan.render_arptables(owner, rules),
        **(_ipvs(lists, mistakes) if any(lists[name] for name in _IPVS) else {}),
    }


def _announcements(owner: str, lists: dict[str, Any], mistakes: Mistakes) -> File | None:
    from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan, announcements

    asked = validated(announcements.ROUTES, lists["announcements"])
    routes = announcement_plan.check(asked, mistakes, "announcements.")
    if asked["by_checks"]:
        # keepalived announces, after a boot as well. networkd is to leave these routes alone all the same.
        return boot_plan.render_announcements(owner, [f"# keepalived announces by table {asked['table']}."])
    return boot_plan.render_announcements(owner, announcement_plan.boot_lines([*routes]))


def _in_free_tables(sources: list[source_route_plan.Rule]) -> list[source_route_plan.Rule]:
    from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink

    with Rtnetlink() as kernel:
        routes_of = functools.lru_cache(None)(kernel.routes)
        return [source_route_plan.in_free_table(source, routes_of) for source in sources]


def _ipvs(lists: dict[str, Any], mistakes: Mistakes) -> dict[str, File | None]:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options as ipvs_options
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs import planner, save_format, settings_options

    request = planner.Request(wanted=ipvs_options.wanted_services(lists["services"], "services", mistakes))
    timeouts = settings_options.wanted_timeouts(lists["timeouts"], mistakes, "timeouts")
    daemons = settings_options.wanted_daemons(lists["sync_daemons"], None, mistakes, "sync_daemons")
    table = planner.plan_table({}, request, mistakes).after
    return {
        "timeouts": boot_plan.render_ipvsadm(save_format.timeouts_lines(timeouts)),
        "ipvsadm": boot_plan.render_ipvsadm(save_format.render(table.values())),
        "daemons": boot_plan.render_ipvsadm([save_format.daemon_line(daemon) for daemon in daemons]),
    }


def _filters(owner: str, lists: dict[str, Any], mistakes: Mistakes) -> dict[str, File | None]:
    """What is put into packet filters. Only the host can tell whether that is nft or iptables."""
    lines = _packet_rules(owner, lists["packet_rules"], mistakes) if lists["packet_rules"] else {}
    if lists["firewall"]:
        from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall

        for suffix, opened in firewall.boot_lines(owner, lists["firewall"], mistakes).items():
            lines[suffix] = [*lines.get(suffix, ()), *opened]
    return {suffix: boot_plan.render_packet_rules(owner, suffix, each) for suffix, each in lines.items()}


def _packet_rules(owner: str, given: dict[str, Any], mistakes: Mistakes) -> dict[str, list[str]]:
    from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_filter, packet_rules_plan

    packet_rules_plan.check_owner(owner, mistakes)
    rules = packet_rules_plan.check(given["marks"] or [], given["source_nat"] or [], mistakes, "packet_rules.")
    mistakes.raise_if_any()
    texts = packet_filter.boot_texts(owner, given["backend"], rules)
    return {suffix: text.splitlines() for suffix, text in texts.items()}


def _hooks(restored: set[str]) -> boot_plan.Hooks:
    """What managers of the network call. Nothing is called where nothing is to be restored."""
    managers = network_managers.managers() if restored else hooks_plan.Managers()
    wanted = hooks_plan.wanted_files(managers, restored, network_managers.drop_ins())
    current = {path: read_file(path) for path in wanted}
    paths = {unit: f"{hooks_plan.SYSTEMD}/{unit}" for unit in (hooks_plan.RESTORE_UNIT, hooks_plan.FIREWALL_UNIT)}
    goes = [unit for unit, path in paths.items() if current[path] and not wanted[path]]
    failed = {unit for unit in goes if _is_failed(unit)}
    watching = {unit for unit in hooks_plan.ENABLED if _is_enabled(unit)}
    return hooks_plan.plan_hooks(wanted, current, watching=watching, failed=failed)


def _files() -> set[str]:
    """The files of all owners."""
    try:
        names = os.listdir(boot_script.DIRECTORY)
    except FileNotFoundError:
        return set()
    return {f"{boot_script.DIRECTORY}/{name}" for name in names if name.rpartition(".")[2] in boot_plan.SUFFIXES}


def _unit_state(*, goes: bool) -> boot_plan.UnitState | None:
    """Our unit, where there is systemd."""
    if not units.runs():
        return None
    # Only where the unit goes does it count whether it failed.
    return boot_plan.UnitState(_is_enabled(boot_script.UNIT), goes and _is_failed(boot_script.UNIT))


def _is_enabled(unit: str) -> bool:
    # A question to systemctl takes as long as all the rest of an unchanged host. Its link says the same.
    return os.path.exists(f"/etc/systemd/system/multi-user.target.wants/{unit}")


def _is_failed(unit: str) -> bool:
    return units.ask("is-failed", unit).strip() == "failed"


def _apply(action: Any) -> None:
    if isinstance(action, Systemctl):
        units.call(action)
    else:
        apply_file(action)
