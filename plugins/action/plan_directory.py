# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of plan_directory: what hosts would be is rendered, and written into a folder of the controller."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.module_utils._screen import printable
from ansible_collections.lvs.topology.plugins.plugin_utils._folder import Folder
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import on_paper
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping, names
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Connects to nobody, and needs no rights but those of whoever runs Ansible."""

    _supports_check_mode = True
    _requires_connection = False
    _VALID_ARGS = frozenset({"path", "hosts", "known"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        path = self._task.args.get("path")
        if not isinstance(path, str) or not path:
            raise AnsibleActionFail("Nothing was written. Name a folder of this machine with path.")
        folder = Folder(path)
        done: list[str] = []
        try:
            found = self._carry_out(folder, done)
        except (WrongModel, on_paper.NotPlanned) as wrong:
            raise AnsibleActionFail(f"Nothing was written. {wrong}") from None
        except OSError as problem:
            before = f"Written before: {', '.join(done)}." if done else "Nothing was written."
            raise AnsibleActionFail(f"{problem.filename}: {problem.strerror}. {before}") from None
        return {**result, **found}

    def _carry_out(self, folder: Folder, done: list[str]) -> dict[str, Any]:
        asked = mapping(evaluated(self._task.args.get("hosts"), "hosts"), "hosts")
        known = names(self._task.args.get("known"), "known")
        self._refuse(folder.obstacles([on_paper.INDEX]))
        changes = on_paper.changes_of(asked, folder.text(on_paper.INDEX) or "", known)
        self._refuse(folder.obstacles([*changes.files, *changes.gone]))
        before = {each: folder.text(each) for each in (*changes.files, *changes.gone)}
        written = [each for each, text in changes.files.items() if text != before[each]]
        removed = [each for each in changes.gone if before[each] is not None]
        if not self._task.check_mode:
            # The index is the last file: until then, what an earlier run has written is listed as it was.
            for each in changes.gone:
                folder.remove(each)
                done.append(each)
            for each in written:
                folder.write(each, changes.files[each])
                done.append(each)
        found: dict[str, Any] = {"changed": bool(written or removed), "written": written, "removed": removed}
        if self._task.diff:
            found["diff"] = [
                {
                    "before": printable(before[each] or ""),
                    "after": printable(changes.files.get(each, "")),
                    "before_header": each,
                    "after_header": each,
                }
                for each in (*written, *removed)
            ]
        return found

    @staticmethod
    def _refuse(obstacles: list[str]) -> None:
        if obstacles:
            raise AnsibleActionFail(f"Nothing was written. Remove what is in the way: {', '.join(obstacles)}.")
