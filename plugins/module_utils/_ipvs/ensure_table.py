# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ipvs_service and ipvs_table do: arguments to request, table to plan, plan to kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey, WantedService
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import open_table, read_table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import (
    Purge,
    Request,
    plan_table,
    rules_of,
    unmanaged,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import carry_out, do_nothing
from ansible_collections.lvs.topology.plugins.module_utils._settle import forget
from ansible_collections.lvs.topology.plugins.module_utils._traces import TAKEN_KIND, TAKEN_SERVICE

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

KIND = "service"


def ensure_service(module: AnsibleModule) -> dict[str, Any]:
    mistakes = Mistakes()
    wanted = options.wanted_service(module.params, "", mistakes)
    if module.params["state"] == "present":
        request = Request(wanted=_those(wanted))
    else:
        request = Request(unwanted=frozenset(each.key for each in _those(wanted)))
    with open_table(module, mistakes, may_load=bool(request.wanted)) as kernel:
        outcome = plan_table(read_table(kernel, mistakes), request, mistakes)
        return carry_out(module, outcome.plan, kernel.apply)


def ensure_table(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    owner = module.params["owner"]
    present = module.params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(owner)
    if module.params["state"] == "forgotten":
        mistakes.raise_if_any()
        ledger = book.load()
        plan, settled = forget(ledger, KIND, owner, None)
        return {**carry_out_booked(module, plan, do_nothing, book, ledger, settled), "rules": [], "unmanaged": []}
    purge = options.purge(module.params["purge"], mistakes)
    listed = options.wanted_services(module.params["services"] or [], "services", mistakes)
    with open_table(module, mistakes, may_load=present) as kernel:
        current = read_table(kernel, mistakes)
        ledger = book.load()
        wanted = listed if present else ()
        claimed = ledger
        for each in wanted:
            claimed = claimed.claim(KIND, str(each.key), owner)
        settled, unwanted = _let_go(claimed, owner, listed, present)
        outcome = plan_table(
            current,
            Request(
                wanted=wanted,
                purge=purge if present else Purge(),
                keep_weights=module.params["keep_weights"],
                unwanted=unwanted,
                claimed=_claimed_keys(settled),
            ),
            mistakes,
        )
        result = carry_out_booked(module, outcome.plan, kernel.apply, book, claimed, settled)
    declared = [each.key for each in wanted]
    return {
        **result,
        "rules": rules_of(outcome.after, declared),
        "unmanaged": unmanaged(outcome.after, {*declared, *_claimed_keys(settled)}),
    }


def _let_go(
    ledger: Ledger, owner: str, listed: tuple[WantedService, ...], present: bool
) -> tuple[Ledger, frozenset[ServiceKey]]:
    """The ledger after this run, and the services that nobody asks for any more."""
    names = {str(each.key) for each in listed}
    owned = set(ledger.owned(KIND, owner))
    settled = ledger
    unwanted = set()
    for name in sorted(owned - names if present else owned | names):
        settled, _last, _was = settled.release(KIND, name, owner)
        if present:
            # Whoever takes a service out of the model does not want back what it was before us.
            settled, _last, _was = settled.release(TAKEN_KIND, f"{TAKEN_SERVICE}{name}", owner)
        # Services that another owner declares as well stay, and those that are given back.
        if not (settled.owners(KIND, name) or settled.owners(TAKEN_KIND, f"{TAKEN_SERVICE}{name}")):
            unwanted.add(ServiceKey.from_text(name))
    return settled, frozenset(unwanted)


def _claimed_keys(ledger: Ledger) -> frozenset[ServiceKey]:
    return frozenset(ServiceKey.from_text(name) for kind, name in ledger.claims if kind == KIND)


def _those(wanted: WantedService | None) -> tuple[WantedService, ...]:
    return () if wanted is None else (wanted,)
