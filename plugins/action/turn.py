# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module turn: which run this is, whether the other one has ended, and the waiting."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.lvs.topology.plugins.plugin_utils import _run
from ansible_collections.lvs.topology.plugins.plugin_utils._run import Run
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler

# Every task of every host has a process of its own, a copy of the one that loads this file. The compiler is loaded here
# once, and not by each copy that makes a plan.
PRELOADED = (compiler,)
_display = Display()
# Asking costs the host a module call.
_INTERVAL = 5.0


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Ask the host until it is this run's turn."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.check_mode and not boolean(self._task.args.get("look", False), strict=False):
            return {**result, "changed": False, "taken": True, "run": ""}
        if self._task.args.get("state") == "given_back":
            _run.give_back(self._low_level_execute_command)
            return {**result, "changed": False, "taken": False, "run": str(Run.this())}
        host = (task_vars or {}).get("inventory_hostname", "the host")
        patience = _seconds(self._task.args.get("patience", 1800))
        deadline = time.monotonic() + patience
        this = Run.this()
        ended: list[str] = []
        waits_for = None
        while True:
            arguments = {**self._task.args, "run": str(this), "who": this.who, "ended": ended}
            answer: dict[str, Any] = self._execute_module(
                module_name="lvs.topology.turn", module_args=arguments, task_vars=task_vars
            )
            if answer.get("failed") or answer.get("unreachable") or answer.get("taken") or "holder" not in answer:
                return {**result, **answer}
            holder = answer["holder"]
            other = Run.from_text(str(holder["run"]))
            if other is not None and str(other) not in ended and other.has_ended():
                ended.append(str(other))
                continue
            if patience == 0:
                return {**result, **answer}
            if time.monotonic() > deadline:
                raise AnsibleActionFail(
                    f"Another run has been at work on {host} for too long: {holder['who']}, since {holder['since']}. "
                    "Nothing was changed. Run this again once the other one has ended; one that says nothing for an "
                    "hour has lost its turn."
                )
            if holder != waits_for:
                waits_for = holder
                _display.display(f"Waiting for another run on {host}: {holder['who']}, since {holder['since']}.")
            time.sleep(_INTERVAL)


def _seconds(given: Any) -> int:
    try:
        seconds = int(given)
    except (TypeError, ValueError):
        seconds = -1
    if seconds < 0:
        raise AnsibleActionFail(f"patience: {given!r} is not a number of seconds")
    return seconds
