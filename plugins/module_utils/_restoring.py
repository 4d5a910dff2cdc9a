# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that brings a host's state back, and a module that changes it: while one is at work, the other waits."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import Iterator

from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# The script locks itself, for as long as it works on a network that was set anew.
SCRIPT = "/etc/lvs-topology/restore"
_INTERVAL = 0.05


@contextlib.contextmanager
def held(script: str, deadline: float) -> Iterator[None]:
    """Wait until the script has ended, and let it begin no more: what it has read, it would bring back."""
    try:
        handle = os.open(script, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # Nothing of this collection is on the host yet, or preflight says why it cannot be read.
        yield
        return
    try:
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise Refused(
                    f"{script} still brings back what was lost at boot, or when the network was set anew. "
                    f"`fuser -v {script}` shows the process; run the task again once it has ended."
                )
            time.sleep(_INTERVAL)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
