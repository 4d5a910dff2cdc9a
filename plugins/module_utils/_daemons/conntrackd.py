# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``conntrackd`` of host_state: conntrackd's files and unit, and what conntrackd says of itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import UNREADABLE, Counts, counts_of
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon import Daemon, carried_out, on_disk
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Outcome, somebodys
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._options import OWNED
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Plan

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

CONNTRACKD_SPEC: dict[str, Any] = {**OWNED, **conntrackd_plan.OPTIONS}
# The directors greet each other every second.
_SILENCE, _PAUSE = 5.0, 0.5


def ensure_conntrackd(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the concern does."""
    params = module.params
    owner, path = params["owner"], conntrackd_plan.PATH
    mistakes = Mistakes()
    mistakes.owner(owner)
    replica = conntrackd_plan.read(params, mistakes)
    mistakes.raise_if_any()
    ledger, daemon = book.load(), Daemon(conntrackd_plan.UNIT)
    files = on_disk(path, conntrackd_plan.FOLLOWER, conntrackd_plan.DROP_IN)
    if replica and params["state"] == "present":
        unit = daemon.unit()
        _refuse_to_end(somebodys(conntrackd_plan.NAMES, ledger, path, files.config, unit))
        outcome = conntrackd_plan.plan_present(ledger, owner, replica, files, unit)
    elif params["purge"] or params["state"] == "absent":
        outcome = conntrackd_plan.plan_absent(ledger, owner, files, daemon.unit())
    else:
        outcome = Outcome(Plan(), ledger, ledger)
    result = carried_out(module, daemon, book, outcome, conntrackd_plan.KIND, path)
    left = replica is None and owner in outcome.settled.owners(conntrackd_plan.KIND, path)
    return {**result, "left_over": [path] if left else []}


def _refuse_to_end(text: str | None) -> None:
    """Somebody else's conntrackd tells another host of connections that are none of ours."""
    if text is not None and conntrackd_plan.serves_others(text):
        raise BadRequest(
            f"conntrackd runs here with a {conntrackd_plan.PATH} that is not ours, and tells another host of "
            "connections: that would end. Leave lvs_conntrackd out, or stop conntrackd (systemctl stop conntrackd) "
            "where nobody needs that any more."
        )


def look(unseen: list[str]) -> dict[str, Any] | None:
    """What conntrackd has counted, and whether it hears its partner; None where it does not answer.

    An answer that is not understood joins ``unseen``.
    """
    first = _counts(unseen)
    if first is None:
        return None
    last: Counts | None = first
    deadline = time.monotonic() + _SILENCE
    while last and last.received == first.received and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        last = _counts(unseen)
    if last is None:
        return None
    return {**last._asdict(), "hears": last.received != first.received}


def _counts(unseen: list[str]) -> Counts | None:
    conntrackd = _commands.find("conntrackd")
    if conntrackd is None:
        return None
    status, output, _errors = _commands.run([conntrackd, "-C", conntrackd_plan.PATH, "-s"])
    if status != 0:
        return None
    found = counts_of(output)
    if found is None:
        unseen.append(f"conntrackd: {UNREADABLE}")
    return found
