# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module host_state: which concerns the tags of the run choose, and what to say of it."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.lvs.topology.plugins.plugin_utils._tags import chosen_concerns
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import plan_text

_display = Display()


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Call the module, for less than all where the run is for less."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        if "plan" in arguments:
            arguments["plan"] = plan_text.read(arguments["plan"])
        follows = boolean(arguments.get("follow_tags", False), strict=False)
        if follows:
            given = (variables.get(f"ansible_{name}_tags") or () for name in ("run", "skip"))
            arguments["concerns"] = chosen_concerns(self._task.tags, *given)
            if not arguments["concerns"]:
                return {**result, "skipped": True, "msg": "The tags of this run choose nothing of it."}
        answer: dict[str, Any] = self._execute_module(
            module_name="lvs.topology.host_state", module_args=arguments, task_vars=variables
        )
        if follows and "left_over" in answer:
            # For the play that releases, when other hosts have changed in between.
            fact = f"lvs_topology_left_over_{arguments.get('owner', 'lvs')}"
            answer.setdefault("ansible_facts", {})[fact] = answer["left_over"]
        if follows and answer.get("unmanaged"):
            host = variables.get("inventory_hostname", "the host")
            _display.display(f"Left alone on {host}, because nobody declared it here (see lvs_purge):")
            for line in answer["unmanaged"]:
                _display.display(f"  {line}")
        return {**result, **answer}
