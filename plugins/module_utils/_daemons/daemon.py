# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that we run: what systemd says of it, and what changes its files and its unit."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils._daemons import daemon_plan, units
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import RemoveFile, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused, one_by_one

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


class Daemon:
    """A unit of systemd, and the files of what it runs."""

    def __init__(self, name: str) -> None:
        self._name = name

    def unit(self) -> daemon_plan.Unit | None:
        if not units.runs():
            return None
        names = "ActiveState,UnitFileState,StateChangeTimestampMonotonic"
        shown = dict(line.partition("=")[::2] for line in units.ask("show", "-p", names, self._name).splitlines())
        # The state changes with every reload. The two clocks differ by what this moment shows.
        since = int(shown.get("StateChangeTimestampMonotonic") or 0) / 1e6
        return daemon_plan.Unit(
            enabled=shown.get("UnitFileState") == "enabled",
            active=shown.get("ActiveState") in units.ACTIVE,
            failed=shown.get("ActiveState") == "failed",
            masked=shown.get("UnitFileState", "").startswith("masked"),
            read=time.time() - time.monotonic() + since,
        )

    def main_process(self) -> int:
        """The unit's first process; 0: there is none."""
        return int(units.ask("show", "-p", "MainPID", "--value", self._name).strip() or 0)

    def apply(self, action: Any) -> None:
        if isinstance(action, Systemctl):
            units.call(action)
        elif isinstance(action, daemon_plan.Touch):
            _touch(action.path)
        else:
            apply_file(action)


def on_disk(path: str, *beside: str) -> daemon_plan.Files:
    """The configuration with this path, and what else of ours belongs to it."""
    config = read_file(path)
    written = os.stat(path).st_mtime if config else 0.0
    copy = read_file(daemon_plan.copy_of(path))
    return daemon_plan.Files(config, written, copy, {each: read_file(each) for each in beside}, time.time())


def carried_out(
    module: AnsibleModule, daemon: Daemon, book: LedgerFile, outcome: daemon_plan.Outcome, kind: str, path: str
) -> dict[str, Any]:
    """Do what was planned. The copy of the configuration before ours is there first, and goes with the last claim."""
    if outcome.copy and not module.check_mode:
        daemon.apply(WriteFile(daemon_plan.copy_of(path), outcome.copy))
    result = carry_out_booked(module, outcome.plan, one_by_one(daemon.apply), book, outcome.claimed, outcome.settled)
    copy = daemon_plan.copy_of(path)
    if not module.check_mode and not outcome.settled.owners(kind, path) and os.path.exists(copy):
        apply_file(RemoveFile(copy))
    return result


def _touch(path: str) -> None:
    try:
        os.utime(path)
    except OSError as problem:
        raise Refused(f"The time of {path} cannot be set: {problem.strerror}. Run as root.") from problem
