# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module ipvs_real_server: while one is drained, say what is waited for, and how long yet.

A module says nothing before it ends. So a long wait is several calls, each of which goes on where the one before ended.
"""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

_display = Display()
# How often it is said, in seconds. Each call costs the start of Python on the host.
_INTERVAL = 10
_TIMEOUT = 300
_ENDINGS = ("fail", "proceed")


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Call the module, once, or for as long as there is something to wait for."""

    _supports_check_mode = True
    _supports_async = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = dict(self._task.args)
        timeout, remove = forms.integer(given.get("timeout", _TIMEOUT)), _truth(given.get("remove", True))
        ending = given.get("on_timeout", "fail")
        # These three are not handed on as they are. What is wrong with them the module refuses before it touches
        # anything, so it has to see them.
        is_right = timeout in forms.TIMEOUTS and remove is not None and ending in _ENDINGS
        waits = given.get("state") == "drained" and is_right and (timeout or 0) > _INTERVAL
        if not waits or self._task.check_mode or self._task.async_val:
            return {**result, **self._ask(given, task_vars)}
        return {**result, **self._drain(given, timeout or 0, bool(remove), task_vars)}

    def _ask(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="lvs.topology.ipvs_real_server",
            module_args=arguments,
            task_vars=task_vars,
            wrap_async=self._task.async_val,
        )
        return answer

    def _drain(
        self, given: dict[str, Any], timeout: int, remove: bool, task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        began = time.monotonic()
        first = answer = self._ask({**given, "timeout": _INTERVAL, "on_timeout": "proceed", "remove": False}, task_vars)
        while not _is_over(answer):
            waited = round(time.monotonic() - began, 1)
            left = timeout - waited
            going_on = {**given, "waited": waited}
            if answer["drained"] or left <= _INTERVAL:
                if answer["drained"] and not remove:
                    break
                answer = self._go_on({**going_on, "timeout": max(int(left), 0)}, task_vars)
                break
            _display.display(_progress(given, answer, int(left), task_vars or {}))
            asked = {**going_on, "timeout": _INTERVAL, "on_timeout": "proceed", "remove": False}
            answer = self._go_on(asked, task_vars)
        return answer if answer is first else _joined(first, answer)

    def _go_on(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """A later call. Where the host has gone meanwhile, what the first call found must not go with it."""
        try:
            return self._ask(arguments, task_vars)
        except AnsibleConnectionFailure as problem:
            return {"unreachable": True, "msg": str(problem)}


def _is_over(answer: dict[str, Any]) -> bool:
    return bool(answer.get("failed") or answer.get("unreachable") or "drained" not in answer)


def _joined(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """The first call set the weight, and knows which one there was."""
    former = first.get("former_weight")
    if former is not None:
        last["former_weight"] = former
    if former and last.get("unreachable"):
        last["msg"] = f"{last.get('msg', '')} The real server has weight 0. Before this task it had weight {former}."
    elif former and last.get("failed"):
        last["msg"] = f"{last.get('msg', '')} Before this task it had weight {former}."
    last["changed"] = bool(first.get("changed") or last.get("changed"))
    for key in ("changes", "applied"):
        if first.get("changes") and (key == "changes" or key in last):
            last[key] = [*first["changes"], *last.get(key, ())]
    if "diff" in first:
        last["diff"] = {**first["diff"], "after": last.get("diff", first["diff"])["after"]}
    return last


def _progress(given: dict[str, Any], answer: dict[str, Any], left: int, variables: dict[str, Any]) -> str:
    kinds = ", ".join(f"{number} {kind}" for kind, number in answer["connections"].items() if number)
    where = f"{given.get('address')}:{given['port']}" if given.get("port") else given.get("address")
    fails = given.get("on_timeout", "fail") == "fail"
    ending = "fails" if fails else "goes on without them"
    host = variables.get("inventory_hostname", "the host")
    return f"{host}: {where} has weight 0 and {kinds or 'no'} connections; the task {ending} in {left} s at the latest."


def _truth(given: Any) -> bool | None:
    """A value as the module reads it; None where the module is going to refuse it."""
    try:
        return bool(boolean(given))
    except (TypeError, ValueError):
        return None
