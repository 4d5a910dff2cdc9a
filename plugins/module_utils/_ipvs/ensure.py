# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each ipvs_* module does: arguments to request, table to plan, plan to kernel."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Callable, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands, _plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import drain, options, proc, settings_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import (
    Purge,
    Request,
    plan_table,
    rules_of,
    unmanaged,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.socket import Ipvs, LoadModule
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.types import (
    Connections,
    Destination,
    ServiceKey,
    Table,
    WantedDestination,
    WantedService,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger, LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.settle import forget
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer
from ansible_collections.lvs.topology.plugins.module_utils._plan import (
    BadRequest,
    Change,
    Refused,
    carry_out,
    do_nothing,
    one_by_one,
)

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

KIND = "service"


def run(module: AnsibleModule, ensure: Callable[..., dict[str, Any]]) -> None:
    """Run one of the functions below and leave the module, with its result or with what went wrong."""
    _plan.run(module, readable(ensure))


def readable(ensure: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """One of the functions below that says so where the kernel's answer cannot be read."""

    @functools.wraps(ensure)
    def guarded(*given: Any) -> dict[str, Any]:
        try:
            return ensure(*given)
        except OddAnswer as problem:
            raise Refused(
                f"The kernel's IPVS answered something that this collection cannot read: {problem}."
            ) from problem

    return guarded


def ensure_service(module: AnsibleModule) -> dict[str, Any]:
    mistakes = Mistakes()
    wanted = options.wanted_service(module.params, "", mistakes)
    if module.params["state"] == "present":
        request = Request(wanted=_those(wanted))
    else:
        request = Request(unwanted=frozenset(each.key for each in _those(wanted)))
    with _open(module, mistakes, may_load=bool(request.wanted)) as kernel:
        outcome = plan_table(_read(kernel, mistakes), request, mistakes)
        return carry_out(module, outcome.plan, kernel.apply)


def ensure_real_server(module: AnsibleModule) -> dict[str, Any]:
    mistakes = Mistakes()
    key = options.service_key(module.params["service"], "service", mistakes)
    destination = options.wanted_destination(module.params, "", key, mistakes)
    if module.params["state"] == "drained":
        return _drain(module, mistakes, key, destination)
    if module.params["state"] == "restored":
        return _restore(module, mistakes, key, destination)
    request = Request()
    if key and destination:
        if module.params["state"] == "present":
            request = Request(wanted=(WantedService(key, "service", destinations=(destination,)),))
        else:
            request = Request(unwanted_destinations=((key, destination.key),))
    with _open(module, mistakes, may_load=bool(request.wanted)) as kernel:
        current = _read(kernel, mistakes)
        if request.wanted and key not in current:
            _missing_service(module, mistakes, key)
        outcome = plan_table(current, request, mistakes)
        return carry_out(module, outcome.plan, kernel.apply)


def _drain(
    module: AnsibleModule, mistakes: Mistakes, key: ServiceKey | None, wanted: WantedDestination | None
) -> dict[str, Any]:
    """Weight 0 in place, wait, delete. Check mode plans the same and does not wait."""
    patience = options.patience(module.params, key, mistakes)
    remove = module.params["remove"]
    with _open(module, mistakes, may_load=False) as kernel:
        current = _read(kernel, mistakes, counters=True)
        entry = current.get(key) if key else None
        there = entry.destinations.get(wanted.key) if entry and wanted else None
        meant = ((entry.service.key, there.key),) if entry and there else ()
        weighed = tuple((*each, 0) for each in meant)
        outcome = plan_table(current, Request(weighed=weighed, unwanted_destinations=meant if remove else ()), mistakes)
        facts: dict[str, Any] = {
            "former_weight": there.weight if there else None,
            "waited": 0.0,
            "connections": vars(there.connections if there and there.connections else Connections()),
            "removed": bool(there and remove),
        }
        if entry is None or there is None:
            return {**carry_out(module, outcome.plan, kernel.apply), **facts}
        service, destination, former = entry.service, there.key, there.weight
        for warning in drain.warnings(service, patience, proc.sysctls(drain.SYSCTLS), kernel.timeouts()):
            module.warn(warning)

        def look() -> Destination | None:
            return kernel.destination(service.key, destination)

        def apply_all(changes: Sequence[Change]) -> None:
            quiesce = [change for change in changes if change.action.verb == "edit"]
            kernel.apply(quiesce)
            ending = drain.wait(look, patience, bool(quiesce), time.monotonic, time.sleep)
            facts.update(waited=ending.waited, connections=vars(ending.connections), removed=False)
            problem = _not_drained(ending, f"real server {destination} of the service {service.key}", former, module)
            if problem:
                raise Refused(problem, applied=len(quiesce), facts=facts)
            if remove and ending.verdict != drain.GONE:
                try:
                    kernel.apply(changes[len(quiesce) :])
                except Refused as refusal:
                    refusal.applied += len(quiesce)
                    raise
                facts["removed"] = True

        result = carry_out(module, outcome.plan, apply_all)
        if not outcome.plan.changes and not module.check_mode:
            apply_all(())  # at weight 0 already, and to stay: there is only the waiting
    return {**result, **facts}


def _restore(
    module: AnsibleModule, mistakes: Mistakes, key: ServiceKey | None, wanted: WantedDestination | None
) -> dict[str, Any]:
    """A weight in place of 0. What is not there, or has a weight, is the word of whoever else writes the table."""
    if module.params["weight"] is None:
        mistakes.add("weight", "missing; say which weight it gets back")
    with _open(module, mistakes, may_load=False) as kernel:
        current = _read(kernel, mistakes)
        entry = current.get(key) if key else None
        there = entry.destinations.get(wanted.key) if entry and wanted else None
        weight = there.weight if there else None
        request = Request()
        if key and there and there.weight == 0 and wanted and wanted.weight:
            weight = wanted.weight
            request = Request(weighed=((key, there.key, weight),))
        outcome = plan_table(current, request, mistakes)
        return {**carry_out(module, outcome.plan, kernel.apply), "weight": weight}


def _not_drained(ending: drain.Ending, what: str, former: int, module: AnsibleModule) -> str | None:
    if ending.verdict == drain.TAKEN_BACK:
        return (
            f"Something else gave the {what} the weight {ending.weight} while it was drained. See what writes the "
            "table (keepalived, a health checker), then run the task again."
        )
    if ending.verdict == drain.OVER and module.params["on_timeout"] == "fail":
        return (
            f"The {what} still has connections after {ending.waited:g} s: {drain.left_text(ending.connections)}. It "
            f"stays at weight 0 (it had {former}) and gets no new ones. Run the task again to wait on; "
            "set on_timeout: proceed to do without them; or put it back with its weight. "
            "`ipvsadm -Lcn`, or ipvs_info with gather_subset: [connections], shows whose they are."
        )
    return None


def _missing_service(module: AnsibleModule, mistakes: Mistakes, key: ServiceKey | None) -> None:
    text = f"the IPVS table has no service {key}; add it with lvs.topology.ipvs_service first"
    if module.check_mode:
        # An earlier task of the play, which was not carried out either, may be the one that adds it.
        module.warn(f"service: {text}. Check mode goes on as if it were there with default settings.")
    else:
        mistakes.add("service", text)


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
    with _open(module, mistakes, may_load=present) as kernel:
        current = _read(kernel, mistakes)
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
        # Services that another owner declares as well stay.
        if not settled.owners(KIND, name):
            unwanted.add(ServiceKey.from_text(name))
    return settled, frozenset(unwanted)


def _claimed_keys(ledger: Ledger) -> frozenset[ServiceKey]:
    return frozenset(ServiceKey.from_text(name) for kind, name in ledger.claims if kind == KIND)


def ensure_timeouts(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    params = module.params
    owner, present = params["owner"], params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(owner)
    wanted = options.wanted_timeouts(params, mistakes)
    mistakes.raise_if_any()
    ledger = book.load()
    if not wanted and not ledger.owned(settings_plan.TIMEOUT_KIND, owner):
        return {"changed": False, "changes": [], "left_over": []}
    with _open(module, mistakes, may_load=bool(present and wanted)) as kernel:
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
        daemons = options.wanted_daemons(items, interfaces, mistakes) if present else ()
        wishes = daemons if present else {item["state"] for item in items}
    mistakes.raise_if_any()
    ledger = book.load()
    if not items and not ledger.owned(settings_plan.DAEMON_KIND, owner):
        return {"changed": False, "changes": [], "left_alone": [], "left_over": []}
    with _open(module, mistakes, may_load=bool(present and items)) as kernel:
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
    key = options.zero_key(module.params, mistakes)
    mistakes.raise_if_any()
    with Ipvs(load_module=None) as kernel:
        table = kernel.table(counters=True)
        if key is not None and key not in table:
            mistakes.add("fwmark" if key.fwmark else "address", f"the IPVS table has no service {key}")
            mistakes.raise_if_any()
        plan = settings_plan.plan_zero(table, proc.total_counters(), key)
        return carry_out(module, plan, one_by_one(kernel.change))


def _those(wanted: WantedService | None) -> tuple[WantedService, ...]:
    return () if wanted is None else (wanted,)


def _open(module: AnsibleModule, mistakes: Mistakes, *, may_load: bool) -> Ipvs:
    """Open the table. IPVS is loaded to add to the table, not to look, and not to take away.

    A task with mistakes only looks, as in check mode, for those that only the table shows.
    """
    try:
        mistakes.raise_if_any()
    except BadRequest:
        return Ipvs(load_module=None)
    return Ipvs(load_module=_loader() if may_load and not module.check_mode else None)


def _read(kernel: Ipvs, mistakes: Mistakes, counters: bool = False) -> Table:
    try:
        return kernel.table(counters)
    except Refused:
        mistakes.raise_if_any()
        raise


def _loader() -> LoadModule:
    def load(name: str) -> str | None:
        modprobe = _commands.find("modprobe")
        if modprobe is None:
            return "modprobe is not installed; the package is kmod"
        code, _out, error = _commands.run([modprobe, "--", name])
        return None if code == 0 else (error.strip() or f"modprobe {name} ended with {code}")

    return load
