# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``bird`` of host_state: BIRD's own opinion of a configuration, its file and its unit."""

from __future__ import annotations

import contextlib
import grp
import os
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._disk import advice, draft
from ansible_collections.lvs.topology.plugins.module_utils._ledger import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._net import bird_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.bird_options import BIRD
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.daemon import Daemon
from ansible_collections.lvs.topology.plugins.module_utils._net.daemon_plan import Systemctl, copy_of
from ansible_collections.lvs.topology.plugins.module_utils._net.files import (
    RemoveFile,
    WriteFile,
    apply_file,
    read_file,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.options import OWNED, Spec
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused, one_by_one
from ansible_collections.lvs.topology.plugins.module_utils._screen import printable

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

BIRD_SPEC: Spec = {**BIRD, **OWNED}


def ensure_bird(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the concern does. Without content there is to be none of ours."""
    params = module.params
    owner, content = params["owner"], params["content"]
    mistakes = Mistakes()
    mistakes.owner(owner)
    if "\0" in (content or ""):
        mistakes.add("content", "holds a NUL character; write text")
    mistakes.raise_if_any()
    ledger = book.load()
    wants = params["state"] == "present" and bool(content)
    goes = not wants and (params["state"] == "absent" or params["purge"])
    if not wants and not goes:
        left = ledger.owned(bird_plan.KIND, owner)
        return {"changed": False, "changes": [], "left_over": list(left)}
    config = read_file(bird_plan.PATH)
    written = os.stat(bird_plan.PATH).st_mtime if config else 0.0
    files = bird_plan.Files(config, written, read_file(copy_of(bird_plan.PATH)))
    daemon = Daemon(bird_plan.UNIT)
    unit = daemon.unit()
    if wants:
        _judge(module, content)
        outcome = bird_plan.plan_present(ledger, owner, content, files, unit, params["secrets"])
    else:
        outcome = bird_plan.plan_absent(ledger, owner, files, unit, params["secrets"])
    if unit is None and outcome.plan.changes:
        module.warn("systemd does not run here, so BIRD is neither started nor stopped")
    if outcome.copy and not module.check_mode:
        apply_file(WriteFile(copy_of(bird_plan.PATH), outcome.copy))

    def apply(action: Any) -> None:
        if isinstance(action, Systemctl):
            daemon.apply(action)
            return
        apply_file(action)
        if isinstance(action, WriteFile):
            _give_to_group(action.path)

    result = carry_out_booked(module, outcome.plan, one_by_one(apply), book, outcome.claimed, outcome.settled)
    if files.copy and not module.check_mode and not outcome.settled.owners(bird_plan.KIND, bird_plan.PATH):
        apply_file(RemoveFile(copy_of(bird_plan.PATH)))
    return {**result, "left_over": []}


def _give_to_group(path: str) -> None:
    """BIRD gives up root before it reads its file."""
    with contextlib.suppress(KeyError):
        os.chown(path, -1, grp.getgrnam(bird_plan.GROUP).gr_gid)


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
        for secret in module.params["secrets"]:
            said = said.replace(secret, "***")
        raise BadRequest(f"content: BIRD does not take it: {printable(said)}")
