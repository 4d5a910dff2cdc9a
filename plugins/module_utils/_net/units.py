# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemctl: what it says of a unit, and its words for a change. The only user of it for units that are not ours."""

from __future__ import annotations

import os
from typing import Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._disk import sync_directory
from ansible_collections.lvs.topology.plugins.module_utils._net.boot_plan import LINKS
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# Where an init script without a unit is enabled.
_RUN_LEVELS = tuple(f"/etc/rc{level}.d" for level in "0123456S")
_ACTIVE = ("active", "activating", "reloading")


def runs() -> bool:
    """Whether systemd is what starts services on this host."""
    return os.path.isdir("/run/systemd/system")


def is_active(unit: str) -> bool:
    """Whether systemd has the unit running. What it has not heard of is not."""
    if not runs():
        return False
    _status, output, _errors = _commands.run([_systemctl(), "show", "-p", "ActiveState", "--value", unit])
    return output.strip() in _ACTIVE


def call(words: Sequence[str], unit: str) -> None:
    """Call systemctl with these words, which are about the unit."""
    status, _output, errors = _commands.run([_systemctl(), *words])
    if status != 0:
        raise Refused(f"systemctl {' '.join(words)} failed: {errors.strip()} `journalctl -u {unit}` says more.")
    if words[0] in ("enable", "disable"):
        # systemctl leaves that to chance, and a unit that is not enabled is not there after a power cut.
        for directory in (*LINKS, *_RUN_LEVELS):
            if os.path.isdir(directory):
                sync_directory(directory)


def _systemctl() -> str:
    return _commands.find("systemctl") or "systemctl"
