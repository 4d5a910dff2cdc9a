# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ipvs_timeouts, ipvs_sync_daemon and ipvs_zero do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc, settings_options, settings_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import open_table
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import carry_out, one_by_one

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def ensure_timeouts(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    params = module.params
    owner, present = params["owner"], params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(owner)
    wanted = settings_options.wanted_timeouts(params, mistakes)
    mistakes.raise_if_any()
    ledger = book.load()
    if not wanted and not ledger.owned(settings_plan.TIMEOUT_KIND, owner):
        return {"changed": False, "changes": [], "left_over": []}
    with open_table(module, mistakes, may_load=bool(present and wanted)) as kernel:
        plan, settlement = settings_plan.plan_timeouts(
            ledger, owner, kernel.timeouts(), wanted, present=present, purge=params["purge"]
        )
        apply_all = one_by_one(kernel.change)
        result = carry_out_booked(module, plan, apply_all, book, settlement.claimed, settlement.settled)
    return {**result, "left_over": list(settlement.left_over)}


def ensure_daemons(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    params = module.params
    owner, present, items = params["owner"], params["state"] == "present", params["daemons"]
    mistakes = Mistakes()
    mistakes.owner(owner)
    interfaces = proc.mtus()
    wishes: Any = items
    if items is not None:
        daemons = settings_options.wanted_daemons(items, interfaces, mistakes) if present else ()
        wishes = daemons if present else {item["state"] for item in items}
    mistakes.raise_if_any()
    ledger = book.load()
    if not items and not ledger.owned(settings_plan.DAEMON_KIND, owner):
        return {"changed": False, "changes": [], "left_alone": [], "left_over": []}
    with open_table(module, mistakes, may_load=bool(present and items)) as kernel:
        plan, settlement, warnings = settings_plan.plan_daemons(
            ledger,
            owner,
            set(interfaces),
            kernel.daemons() if kernel.loaded else None,
            wishes,
            present=present,
            purge=params["purge"],
        )
        apply_all = one_by_one(kernel.change)
        result = carry_out_booked(module, plan, apply_all, book, settlement.claimed, settlement.settled)
    for warning in warnings:
        module.warn(warning)
    return {**result, "left_alone": list(settlement.left_alone), "left_over": list(settlement.left_over)}


def ensure_zero(module: AnsibleModule) -> dict[str, Any]:
    mistakes = Mistakes()
    key = settings_options.zero_key(module.params, mistakes)
    mistakes.raise_if_any()
    with Ipvs(load_module=None) as kernel:
        table = kernel.table(counters=True)
        if key is not None and key not in table:
            mistakes.add("fwmark" if key.fwmark else "address", f"the IPVS table has no service {key}")
            mistakes.raise_if_any()
        plan = settings_plan.plan_zero(table, proc.total_counters(), key)
        return carry_out(module, plan, one_by_one(kernel.change))
