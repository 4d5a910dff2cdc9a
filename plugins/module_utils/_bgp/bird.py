# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``bird`` of host_state: BIRD's own opinion of a configuration, its file and its unit."""

from __future__ import annotations

import contextlib
import grp
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_plan
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_options import BIRD
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon import Daemon, carried_out, on_disk
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import (
    Unit,
    copy_of,
    somebodys,
    unwritable,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import secrets_of, told
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._disk import advice, draft
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._options import OWNED, Spec
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused
from ansible_collections.lvs.topology.plugins.module_utils._screen import printable

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

BIRD_SPEC: Spec = {**BIRD, **OWNED}
# Until a BIRD that was started answers, and in between.
_PATIENCE, _PAUSE = 30.0, 0.1


def ensure_bird(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the concern does. Without content there is to be none of ours."""
    params = module.params
    owner, content = params["owner"], params["content"]
    mistakes = Mistakes()
    mistakes.owner(owner)
    problem = unwritable(content or "")
    if problem:
        mistakes.add("content", problem)
    mistakes.raise_if_any()
    ledger = book.load()
    wants = params["state"] == "present" and bool(content)
    goes = not wants and (params["state"] == "absent" or params["purge"])
    if not wants and not goes:
        left = ledger.owned(bird_plan.KIND, owner)
        return {"changed": False, "changes": [], "left_over": list(left)}
    files = on_disk(bird_plan.PATH)
    daemon = Bird(is_ours=wants)
    unit = daemon.unit()
    if wants:
        _judge(module, content)
        _refuse_to_lose(somebodys(bird_plan.NAMES, ledger, bird_plan.PATH, files.config, unit), content)
        outcome = bird_plan.plan_present(ledger, owner, content, files, unit, params["secrets"])
    else:
        outcome = bird_plan.plan_absent(ledger, owner, files, unit, params["secrets"])
    if unit is None and outcome.plan.changes:
        module.warn("systemd does not run here, so BIRD is neither started nor stopped")
    result = carried_out(module, daemon, book, outcome, bird_plan.KIND, bird_plan.PATH)
    return {**result, "left_over": []}


class Bird(Daemon):
    """BIRD, which says itself when it has read its configuration, and reads it as a user of its own.

    ``is_ours``: whether the configuration is to be ours, and not the one of before.
    """

    def __init__(self, *, is_ours: bool) -> None:
        super().__init__(bird_plan.UNIT)
        self._is_ours = is_ours

    def unit(self) -> Unit | None:
        """What systemd says, and BIRD: to systemd, a reload that failed is a reload."""
        unit = super().unit()
        read = bird_plan.last_read(_status() or "", time.time()) if unit and unit.active else None
        return unit if unit is None or read is None else replace(unit, read=read)

    def apply(self, action: Any) -> None:
        super().apply(action)
        if action == Systemctl(("start", bird_plan.UNIT)):
            self._wait_for_answer()
        elif isinstance(action, WriteFile):
            self._give_to_group(action.path)

    def _give_to_group(self, path: str) -> None:
        """Our file gets BIRD's group, the one of before its own. The copy, for root alone, says which that was."""
        copy = copy_of(bird_plan.PATH)
        with contextlib.suppress(KeyError, OSError):
            if path == copy:
                os.chown(path, -1, os.stat(bird_plan.PATH).st_gid)
            else:
                os.chown(path, -1, grp.getgrnam(bird_plan.GROUP).gr_gid if self._is_ours else os.stat(copy).st_gid)

    def _wait_for_answer(self) -> None:
        """systemd is content with a BIRD that ends as soon as it has begun to read its file."""
        deadline = time.monotonic() + _PATIENCE
        while _status() is None:
            unit = super().unit()
            if unit is None or not unit.active or time.monotonic() > deadline:
                raise Refused("BIRD was started, and does not answer. `journalctl -u bird` says why.")
            time.sleep(_PAUSE)


def _status() -> str | None:
    """What BIRD says of itself; None where it does not answer."""
    birdc = _commands.find("birdc")
    if birdc is None:
        return None
    status, output, _errors = _commands.run([birdc, "-r", "show", "status"])
    return output if status == 0 else None


def _refuse_to_lose(before: str | None, after: str) -> None:
    """Somebody else's BIRD that runs goes on with all that it speaks, or is stopped by its owner."""
    lost = bird_plan.lost(before or "", after)
    if lost:
        raise BadRequest(
            f"content: BIRD runs here with a {bird_plan.PATH} that is not ours, and would lose "
            f"{printable(', '.join(lost))}. Put that into raw of lvs_bgp with the same names, or stop BIRD "
            "(systemctl stop bird) where nobody needs that any more."
        )


def _judge(module: AnsibleModule, content: str) -> None:
    """Refuse what BIRD does not take, before anything is written on any host: preflight asks this, too."""
    bird = _commands.find("bird")
    if bird is None:
        if module.check_mode:
            module.warn("BIRD is not installed yet, so its opinion of the configuration is not known")
            return
        raise Refused("There is no bird. Install the package bird2.")
    directory = os.path.dirname(bird_plan.PATH)
    if not os.path.isdir(directory):
        raise Refused(
            f"There is no {directory}, where BIRD of Debian and Ubuntu has its configuration. Use one of these."
        )
    try:
        with draft(bird_plan.PATH, content) as path:
            status, output, errors = _commands.run([bird, "-p", "-c", path])
    except OSError as problem:
        raise Refused(f"No file can be made in {directory}: {advice(problem)}") from problem
    if status != 0:
        said = (errors or output).replace(path, bird_plan.PATH).strip()
        shown = told(said.splitlines(), secrets_of(content).union(module.params["secrets"]))
        raise BadRequest(f"content: BIRD does not take it: {' '.join(shown)}")
