# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module preflight: what an operator should know, and the end of a turn."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.lvs.topology.plugins.plugin_utils import _plays, _run
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import filtering

_display = Display()


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Call the module, and hand on the plans of the parts with what was found out about each."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        ends = boolean(arguments.get("give_turn_back", False), strict=False)
        given = arguments.get("parts")
        # The module may make mappings of text, as Ansible does. Those have no plan.
        asked = {each["name"]: each for each in given if isinstance(each, dict)} if isinstance(given, list) else {}
        if isinstance(given, list):
            arguments["parts"] = [_asked(each) for each in given]
        answer: dict[str, Any] = self._execute_module(
            module_name="lvs.topology.preflight", module_args=arguments, task_vars=task_vars
        )
        if answer.get("failed") or answer.get("unreachable"):
            return {**result, **answer}
        host = (task_vars or {}).get("inventory_hostname", "the host")
        for name, part in answer["parts"].items():
            part["plan"] = asked.get(name, {}).get("plan") or {}
            # What was looked at is of no use to what comes later, and what BIRD is to have has passwords.
            passing = part["plan"].get("passing") or []
            part["plan"] = {key: value for key, value in part["plan"].items() if key not in ("passing", "bird")}
            for line in filtering.warnings(host, passing, part["dropped"], part["firewall"]):
                _display.warning(line)
            for line in filtering.not_looked_at(host, len(passing)):
                _display.warning(f"not looked at: {line}")
            for line in part["unseen"]:
                _display.warning(f"{host}: not looked at: {line}. What it drops is not known.")
            for note in part["plan"].get("notes") or ():
                _display.display(f"Works, but should be known of {host}: {note}")
        if ends and not self._task.check_mode and all(map(_plays.is_settled, answer["parts"].values())):
            _run.give_back(self._low_level_execute_command)
        return {**result, **answer}


def _asked(part: Any) -> Any:
    """The part as the module gets it: each packet is led through all rules of a filter, which may be thousands."""
    plan = part.get("plan") if isinstance(part, dict) else None
    if not isinstance(plan, dict) or not plan.get("passing"):
        return part
    return {**part, "plan": {**plan, "passing": plan["passing"][: filtering.MOST_PACKETS]}}
