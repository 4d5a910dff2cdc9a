# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role keepalived has written beside keepalived.conf: what of it is missing, or left over. It only looks.

The role takes such files away once keepalived has read that it does not need them any more. A run that is killed right
before that leaves them, passwords among them, and the next one goes by what is there.
"""

from __future__ import annotations

import os
from typing import Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils._files import read_file
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state

# Where the files are that checks with a login read.
CREDENTIALS = "/etc/keepalived/lvs_checks"
# What keeps tasks apart that ask keepalived what it has put into the table.
LOCK = "/run/lvs-topology-keepalived.lock"
_OF_GUARD = (guard_state.SCRIPT, guard_state.PATH, f"{guard_state.PATH}.lock")


def left_over(asked: Mapping[str, Any] | None) -> list[str]:
    """What a configuration with these credentials and this guard does not need. None: there is to be none at all."""
    wanted = frozenset((asked or {}).get("credentials") or ())
    # The folder goes with the last of them.
    found = [os.path.join(CREDENTIALS, name) for name in _names() if name not in wanted] if wanted else [CREDENTIALS]
    if not (asked or {}).get("guard"):
        found += _OF_GUARD
    if asked is None:
        found.append(LOCK)
    return [each for each in found if os.path.lexists(each)]


def missing(asked: Mapping[str, Any]) -> list[str]:
    """The files that are not there, or not as they are to be. What credentials say is not looked at."""
    there = set(_names())
    found = [os.path.join(CREDENTIALS, name) for name in asked.get("credentials") or [] if name not in there]
    return found if is_guard(asked.get("guard") or "") else [*found, guard_state.SCRIPT]


def is_guard(guard: str) -> bool:
    """Whether the script for min_up is as it is to be. keepalived would not read it before it runs it anew."""
    there = read_file(guard_state.SCRIPT)
    is_there = there is not None and (there.text.rstrip("\n"), there.mode) == (guard.rstrip("\n"), guard_state.MODE)
    return is_there or not guard


def _names() -> list[str]:
    """What is in the folder, and be it the hidden file of a copy that was killed."""
    try:
        return sorted(os.listdir(CREDENTIALS))
    except OSError:
        return []
