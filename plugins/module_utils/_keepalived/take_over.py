# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``take_over`` of host_state: with consent, end others who fill the table; at last, have them back."""

from __future__ import annotations

import glob
import os
import time
from typing import TYPE_CHECKING, Any, Iterator, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._daemons import units
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._files import read_file
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options, table_before
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Action
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import open_table, read_table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import TABLE_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan, managers, take_over_plan
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._options import Spec
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Refused, joined

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

TAKE_OVER_SPEC: Spec = {
    "take_over": {"type": "bool", "default": False},
    # Those of the plan, whoever is to fill the table.
    "services": {**TABLE_SPEC["services"], "default": []},
    "owner": {"type": "str", "default": "lvs"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
# How long a unit whose processes were killed may take to be seen as ended.
_PATIENCE = 30.0
# A file that is included may include others. keepalived itself has no such limit.
_DEEPEST = 10


def ensure_taken_over(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the concern does. Without consent it leaves alone what an earlier run has ended."""
    params, owner, present = module.params, module.params["owner"], module.params["state"] == "present"
    ledger = book.load()
    if present and not params["take_over"]:
        return {"changed": False, "changes": []}
    mistakes = Mistakes()
    declared = [each.key for each in options.wanted_services(params["services"], "services", mistakes)]
    with open_table(module, mistakes, may_load=not present) as kernel:
        table = read_table(kernel, mistakes)
        if present:
            # What a keepalived has in the table, that one puts there again.
            has_keepalived = managers.fills_by_keepalived() or ledger.owned_by_any(keepalived_plan.KIND)
            known = ledger if has_keepalived else table_before.noted(ledger, owner, table, declared)
            outcome = take_over_plan.plan_ended(known, owner, managers.units_to_end())
        else:
            restored, settled = table_before.plan_restored(ledger, owner, table)
            ended = [managers.unit(name) for name in take_over_plan.units_of(ledger, owner)]
            given_back, settled = take_over_plan.plan_given_back(settled, owner, ended)
            outcome = take_over_plan.Outcome(joined(restored, given_back), ledger, settled)
        if any(isinstance(change.action, Systemctl) for change in outcome.plan.changes) and not units.runs():
            raise Refused(
                "systemd does not run here, so no service can be ended or started. Do it by the means of the host."
            )

        def apply(changes: Sequence[Change]) -> None:
            entries = [change for change in changes if isinstance(change.action, Action)]
            kernel.apply(entries)
            for position, change in enumerate(changes[len(entries) :], len(entries)):
                try:
                    _call(change.action)
                except Refused as refusal:
                    refusal.applied = position
                    raise

        return carry_out_booked(module, outcome.plan, apply, book, outcome.claimed, outcome.settled)


def text_of(path: str) -> str:
    """The configuration that keepalived has by the file, with what it includes behind it."""
    return "\n".join(_texts(path, _DEEPEST))


def _texts(path: str, depth: int) -> Iterator[str]:
    file = read_file(path)
    if file is None or depth == 0:
        return
    yield file.text
    for pattern in take_over_plan.includes_of(file.text):
        # As keepalived does: from the directory of the file that includes.
        for each in sorted(glob.glob(os.path.join(os.path.dirname(path), pattern))):
            if os.path.isfile(each):
                yield from _texts(each, depth - 1)


def _call(action: Systemctl) -> None:
    units.call(action)
    if action.verb == "kill":
        (unit,) = action.units
        deadline = time.monotonic() + _PATIENCE
        while managers.unit(unit).active:
            if time.monotonic() > deadline:
                raise Refused(f"{unit} was killed and runs again; see what starts it (`systemctl cat {unit}`).")
            time.sleep(0.1)
