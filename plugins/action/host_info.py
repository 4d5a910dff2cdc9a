# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module host_info: a plan that is text is a mapping to the module, and has no packets."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import plan_text


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Call the module."""

    _supports_check_mode = True
    _supports_async = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if isinstance(arguments.get("parts"), list):
            arguments["parts"] = [_asked(each) for each in arguments["parts"]]
        answer: dict[str, Any] = self._execute_module(
            module_name="lvs.topology.host_info",
            module_args=arguments,
            task_vars=task_vars,
            wrap_async=self._task.async_val,
        )
        return {**result, **answer}


def _asked(part: Any) -> Any:
    """The part as the module gets it: what the packet filter drops is asked by an option, and not for each part."""
    part = plan_text.with_its_plan(part)
    if not isinstance(part, dict) or not isinstance(part.get("plan"), dict):
        return part
    return {**part, "plan": {key: value for key, value in part["plan"].items() if key != "passing"}}
