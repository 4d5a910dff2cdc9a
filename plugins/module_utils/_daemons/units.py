# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemctl: what it says of a unit, and calling it for a change."""

from __future__ import annotations

import glob
import os

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._disk import sync_directory
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# Where systemctl enable and disable change something: links of units, and of init scripts that have no unit.
_LINKS = ("/etc/systemd/system", "/etc/systemd/system/*.wants", "/etc/systemd/system/*.requires", "/etc/rc[0-6S].d")
ACTIVE = ("active", "activating", "reloading")


def runs() -> bool:
    """Whether systemd is what starts services on this host."""
    return os.path.isdir("/run/systemd/system")


def is_active(unit: str) -> bool:
    """Whether systemd has the unit running. What it has not heard of is not."""
    if not runs():
        return False
    return ask("show", "-p", "ActiveState", "--value", unit).strip() in ACTIVE


def ask(*words: str) -> str:
    """What systemctl prints. How it ends tells no more: of a unit that does not run it says so, and fails."""
    _status, output, _errors = _commands.run([_systemctl(), *words])
    return output


def call(action: Systemctl) -> None:
    status, _output, errors = _commands.run([_systemctl(), *action.words])
    if status != 0:
        # What systemd itself does is in the journal of the first process.
        journal = " ".join(f"-u {unit}" for unit in action.units) or "_PID=1"
        raise Refused(f"systemctl {' '.join(action.words)} failed: {errors.strip()} `journalctl {journal}` says more.")
    if action.verb in ("enable", "disable"):
        # systemctl leaves that to chance, and a unit that is not enabled is not there after a power cut.
        for directory in (found for pattern in _LINKS for found in glob.glob(pattern)):
            sync_directory(directory)


def _systemctl() -> str:
    return _commands.find("systemctl") or "systemctl"
