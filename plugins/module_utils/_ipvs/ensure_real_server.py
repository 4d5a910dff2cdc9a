# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ipvs_real_server does: one real server of a service that is there, drained on its way out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import drain, options, proc
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Connections,
    Destination,
    ServiceKey,
    WantedDestination,
    WantedService,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import open_table, read_table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Request, plan_table
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Refused, carry_out

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def ensure_real_server(module: AnsibleModule) -> dict[str, Any]:
    mistakes = Mistakes()
    key = options.service_key(module.params["service"], "service", mistakes)
    destination = options.wanted_destination(module.params, "", key, mistakes)
    drain.check_share(module.params, mistakes)
    if destination and destination.weight is not None:
        destination = destination._replace(weight=drain.share_of(destination.weight, module.params["share"]))
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
    with open_table(module, mistakes, may_load=bool(request.wanted)) as kernel:
        current = read_table(kernel, mistakes)
        if request.wanted and key not in current:
            _missing_service(module, mistakes, key)
        outcome = plan_table(current, request, mistakes)
        return carry_out(module, outcome.plan, kernel.apply)


def _drain(
    module: AnsibleModule, mistakes: Mistakes, key: ServiceKey | None, wanted: WantedDestination | None
) -> dict[str, Any]:
    """Weight 0 in place, wait, delete. Check mode plans the same and does not wait."""
    patience = drain.read_patience(module.params, key, mistakes)
    remove = module.params["remove"]
    with open_table(module, mistakes, may_load=False) as kernel:
        current = read_table(kernel, mistakes, counters=True)
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
            "drained": True,
        }
        if entry is None or there is None:
            return {**carry_out(module, outcome.plan, kernel.apply), **facts}
        service, destination, former = entry.service, there.key, there.weight
        for warning in drain.warnings(service, patience, proc.sysctls(drain.SYSCTLS), kernel.timeouts()):
            module.warn(warning)

        what = f"real server {destination} of the service {service.key}"
        before = module.params["waited"]
        if before is not None and former:
            raise Refused(_taken_back(what, former), facts=facts)

        def look() -> Destination | None:
            return kernel.destination(service.key, destination)

        def apply_all(changes: Sequence[Change]) -> None:
            quiesce = [change for change in changes if change.action.verb == "edit"]
            kernel.apply(quiesce)
            ending = drain.wait(look, patience, bool(quiesce), time.monotonic, time.sleep)
            waited = round(ending.waited + (before or 0.0), 1)
            is_drained = ending.verdict in (drain.DRAINED, drain.GONE)
            facts.update(waited=waited, connections=vars(ending.connections), removed=False, drained=is_drained)
            problem = _not_drained(ending, what, former, waited, module)
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
    """A weight in place of 0, or of a lower one.

    What is not there, or has another weight than that, is the word of whoever else writes the table.
    """
    if module.params["weight"] is None:
        mistakes.add("weight", "missing; say which weight it gets back")
    with open_table(module, mistakes, may_load=False) as kernel:
        current = read_table(kernel, mistakes)
        entry = current.get(key) if key else None
        there = entry.destinations.get(wanted.key) if entry and wanted else None
        weight = there.weight if there else None
        request = Request()
        wished = (wanted.weight if wanted else None) or 0
        if key and there and drain.raised(there.weight, wished, module.params["raises"]):
            weight = wished
            request = Request(weighed=((key, there.key, weight),))
        outcome = plan_table(current, request, mistakes)
        return {**carry_out(module, outcome.plan, kernel.apply), "weight": weight}


def _taken_back(what: str, weight: int) -> str:
    return (
        f"Something else gave the {what} the weight {weight} while it was drained. See what writes the table "
        "(keepalived, a health checker), then run the task again."
    )


def _not_drained(ending: drain.Ending, what: str, former: int, waited: float, module: AnsibleModule) -> str | None:
    if ending.verdict == drain.TAKEN_BACK:
        return _taken_back(what, ending.weight)
    if ending.verdict == drain.OVER and module.params["on_timeout"] == "fail":
        had = f" (it had {former})" if former else ""
        return (
            f"The {what} still has connections after {waited:g} s: {drain.left_text(ending.connections)}. It "
            f"stays at weight 0{had} and gets no new ones. Run the task again to wait on; "
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
