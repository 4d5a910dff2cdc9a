# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concerns ``withdrawals`` and ``announcements`` of host_state: routes by which BGP knows what to announce."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._daemons import units
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_ask, keepalived_plan
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._options import OWNED, Spec
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, Refused, joined, one_by_one

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ROUTES: Spec = {
    "table": {"type": "int"},
    "by_checks": {"type": "bool", "default": False},
    "routes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "address": {"type": "str", "required": True},
            "metric": {"type": "int", "required": True},
            "service": {"type": "str"},
        },
    },
}
WITHDRAWALS_SPEC: Spec = {**ROUTES, "owner": OWNED["owner"], "state": OWNED["state"]}
ANNOUNCEMENTS_SPEC: Spec = {**ROUTES, **OWNED}
# What ip says of a table in which nobody ever had a route.
_NO_TABLE = "FIB table does not exist"
# Checks that end otherwise than before are followed so often.
_ATTEMPTS = 5


def ensure_withdrawals(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """Take away what is not wanted any more, in every table that the owner has."""
    wanted = _wanted(module)
    ledger = book.load()
    current = [each for table in _tables(module, ledger) for each in routes_of(table)]
    plan = announcement_plan.plan_withdrawals(current, [*wanted])
    return carry_out_booked(module, plan, one_by_one(_apply), book, ledger, ledger)


def ensure_announcements(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """Announce what is wanted. Where checks decide, that is what keepalived says has its quorum."""
    params = module.params
    wanted = _wanted(module)
    ledger = claims = settled = book.load()
    owner, table = params["owner"], params["table"] if params["state"] == "present" else None
    tables = _tables(module, ledger)
    current = [each for number in tables for each in routes_of(number)]
    goes = params["state"] == "absent" or params["purge"]
    if table is not None:
        claims = settled = announcement_plan.claimed(ledger, owner, table)
    plans: list[Plan] = []
    left_over = [number for number in tables if number != table]
    if goes:
        for number in left_over:
            settled = announcement_plan.released(settled, owner, number)
        plans.append(announcement_plan.plan_withdrawals(current, [*wanted]))
    checked = table is not None and params["by_checks"]
    if checked:
        plans.append(_checked(module, ledger, current, wanted))
    elif table is not None:
        plans.append(announcement_plan.plan_announcements(current, [*wanted]))
    if goes or checked:
        unit = announcement_plan.drop_in([table]) if checked and table is not None else None
        has_systemd = units.runs()
        if checked or left_over or read_file(announcement_plan.DROP_IN):
            there = read_file(announcement_plan.DROP_IN)
            plans.append(announcement_plan.plan_unit(there, unit, has_systemd=has_systemd))
    plan = joined(*plans)
    result = carry_out_booked(module, plan, one_by_one(_apply), book, claims, settled)
    if checked and table is not None and plan.changes and not module.check_mode:
        result["changes"] += _again(module, ledger, table, wanted)
    return {**result, "left_over": [] if goes else [f"table {number}" for number in left_over]}


def _checked(
    module: AnsibleModule, ledger: Ledger, current: Sequence[Route], wanted: Mapping[Route, str | None]
) -> Plan:
    """What keepalived has not done. It is asked where it is ours and runs: one that starts announces by itself."""
    process = keepalived_ask.checker() if ledger.owned_by_any(keepalived_plan.KIND) else None
    if process is None:
        return Plan()
    try:
        pools = keepalived_ask.ask(process).pools
    except Refused as problem:
        module.warn(f"{problem} Whether what is announced has its quorum is not known, and was left alone.")
        return Plan()
    up = {str(service): pool.is_up for service, pool in pools.items()}
    return announcement_plan.plan_checked(current, wanted, up)


def _again(module: AnsibleModule, ledger: Ledger, table: int, wanted: Mapping[Route, str | None]) -> list[str]:
    """A check may have ended otherwise than before in the meantime: follow what keepalived says now."""
    lines: list[str] = []
    for _attempt in range(_ATTEMPTS):
        changes = _checked(module, ledger, routes_of(table), wanted).changes
        if not changes:
            break
        one_by_one(_apply)(changes)
        lines += [change.line for change in changes]
    return lines


def _wanted(module: AnsibleModule) -> dict[Route, str | None]:
    mistakes = Mistakes()
    mistakes.owner(module.params["owner"])
    found = announcement_plan.check(module.params, mistakes, "") if module.params["state"] == "present" else {}
    mistakes.raise_if_any()
    return found


def _tables(module: AnsibleModule, ledger: Any) -> list[int]:
    """Those that the owner had, and the one that is asked for."""
    asked = module.params["table"] if module.params["state"] == "present" else None
    return sorted({*announcement_plan.tables_of(ledger, module.params["owner"]), *([asked] if asked else [])})


def routes_of(table: int) -> list[Route]:
    """The routes of a table that say that a VIP is announced."""
    found = []
    kinds = (announcement_plan.ANNOUNCED, announcement_plan.GOING)
    for family in (4, 6):
        command = [_commands.find("ip") or "ip", f"-{family}", "-json", "route", "show", "table", str(table)]
        status, output, errors = _commands.run(command)
        if status != 0:
            if _NO_TABLE in errors:
                continue
            raise Refused(f"{' '.join(command)} failed: {errors.strip()}.")
        shown = routes_shown(command, output)
        found += [announcement_plan.route_of(each, family, table) for each in shown if each.get("type") in kinds]
    return found


def routes_shown(command: Sequence[str], output: str) -> list[dict[str, Any]]:
    """The routes that `ip -json route show` has printed."""
    try:
        shown = json.loads(output) if output.strip() else []
    except ValueError:
        shown = None
    if not isinstance(shown, list) or not all(isinstance(each, dict) for each in shown):
        raise Refused(f"{' '.join(command)} printed something else than a list of routes in JSON.")
    return shown


def _apply(action: Any) -> None:
    if isinstance(action, announcement_plan.Wait):
        time.sleep(action.seconds)
    elif isinstance(action, Systemctl):
        units.call(action)
    elif isinstance(action, announcement_plan.AddRoute):
        _run(["ip", "route", "replace", *str(action.route).split()])
    elif isinstance(action, announcement_plan.DeleteRoute):
        # Whoever was faster has done it: keepalived withdraws by itself.
        _run(["ip", "route", "del", *str(action.route).split()], ("No such process",))
    else:
        apply_file(action)


def _run(words: list[str], fine: tuple[str, ...] = ()) -> None:
    status, _output, errors = _commands.run([_commands.find(words[0]) or words[0], *words[1:]])
    if status != 0 and not any(each in errors for each in fine):
        raise Refused(f"{' '.join(words)} failed: {errors.strip()}.")
