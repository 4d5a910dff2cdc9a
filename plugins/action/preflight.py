# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module preflight: what an operator should know, and the end of a turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.lvs.topology.plugins.plugin_utils import _before_forks, _plays, _run
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import filtering, plan_text

_display = Display()
# Where a role is used by itself, the process that forks imports this file before it forks for the first plan.
_before_forks.load()


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Call the module, and hand on the plans of the parts with what was found out about each."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        ends = boolean(arguments.get("give_turn_back", False), strict=False)
        given = arguments["parts"] if isinstance(arguments.get("parts"), list) else []
        parts = [plan_text.with_its_plan(each) for each in given]
        # The module may make mappings of text, as Ansible does. Those have no plan.
        packets = {name: len(plan.get("passing") or ()) for name, plan in _plans_of(parts)}
        # Of those that it is not asked for, nothing is kept: they may be most of the plan.
        parts = [_asked(each) for each in parts]
        if parts:
            arguments["parts"] = parts
        answer: dict[str, Any] = self._execute_module(
            module_name="lvs.topology.preflight", module_args=arguments, task_vars=task_vars
        )
        if answer.get("failed") or answer.get("unreachable"):
            return {**result, **answer}
        host = (task_vars or {}).get("inventory_hostname", "the host")
        plans = dict(_plans_of(parts))
        texts = {each["name"] for each in given if isinstance(each, dict) and isinstance(each.get("plan"), str)}
        for name, part in answer["parts"].items():
            plan = plans.get(name, {})
            part["planned"] = _planned(plan, part["kernel_modules"])
            going_on = _going_on(plan, part["planned"])
            part["plan"] = plan_text.written(going_on) if plan and name in texts else going_on
            for line in filtering.warnings(host, plan.get("passing") or [], part["dropped"], part["firewall"]):
                _display.warning(line)
            for line in filtering.not_looked_at(host, packets.get(name, 0)):
                _display.warning(f"not looked at: {line}")
            for line in part["unseen"]:
                _display.warning(f"{host}: not looked at: {line}. What it drops is not known.")
            for note in plan.get("notes") or ():
                _display.display(f"Works, but should be known of {host}: {note}")
        if ends and not self._task.check_mode and all(map(_plays.is_settled, answer["parts"].values())):
            _run.give_back(self._low_level_execute_command)
        return {**result, **answer}


def _plans_of(parts: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The plans that are mappings, each with the name of its part."""
    for part in parts:
        if isinstance(part, dict) and isinstance(part.get("name"), str) and isinstance(part.get("plan"), dict):
            yield part["name"], part["plan"]


def _asked(part: Any) -> Any:
    """The part as the module gets it: each packet is led through all rules of a filter, which may be thousands."""
    plan = part.get("plan") if isinstance(part, dict) else None
    if not isinstance(plan, dict) or not plan.get("passing"):
        return part
    return {**part, "plan": {**plan, "passing": plan["passing"][: filtering.MOST_PACKETS]}}


def _planned(plan: Mapping[str, Any], kernel_modules: Iterable[str]) -> dict[str, Any]:
    """What a playbook asks of a plan, which may be one long text: who manages the host, and how much there is."""
    return {
        "manager": plan.get("manager"),
        # What its packet filter needs for the plan, only the host knows.
        "kernel_modules": [*dict.fromkeys([*(plan.get("kernel_modules") or ()), *kernel_modules])],
        "services": len(plan.get("services") or ()),
    }


def _going_on(plan: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """The plan for what comes later, which looks at no packets. What BIRD is to have has passwords."""
    kept = {key: value for key, value in plan.items() if key not in ("passing", "bird")}
    return {**kept, "kernel_modules": planned["kernel_modules"]} if planned["kernel_modules"] else kept
