# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a keepalived that runs what it has put into the kernel's table. It writes that into a file when it gets a signal.

The file is removed afterwards: keepalived writes a new one whenever it is asked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
import time
from typing import Iterator

from ansible_collections.lvs.topology.plugins.module_utils._daemons.processes import parent_of, program_of
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_data import (
    Unreadable,
    Watch,
    read_dump,
)
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_files import LOCK
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# As keepalived's main process has them, first those of later releases.
PID_FILES = ("/run/keepalived/checkers.pid", "/run/checkers.pid")
_DUMP = "/tmp/keepalived_check.data"  # noqa: S108 # where keepalived writes it
_PATIENCE = 30.0
_PAUSE = 0.01


def checker() -> int | None:
    """The process of keepalived that checks real servers; None where there is none in our network namespace."""
    for path in PID_FILES:
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            process = int(file.read())
            if _is_checker(process):
                return process
    return None


def ask(process: int) -> Watch:
    """What the checker says it has in the table. Refused says why that is not known."""
    # A checker may live in a /tmp of its own.
    path = f"/proc/{process}/root{_DUMP}"
    try:
        with _alone():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            os.kill(process, signal.SIGUSR1)
            _wait_for(process, path)
            text = _content(path)
            space = os.statvfs(path)
            os.unlink(path)
    except OSError as problem:
        raise Refused(f"keepalived cannot be asked what it has in the table ({path}): {problem.strerror}.") from problem
    # keepalived does not say so where it cannot write all of it. A file system without a limit counts no blocks.
    if space.f_blocks and not space.f_bfree:
        raise Refused(f"What keepalived says of the table may not be whole: there is no space left for {_DUMP}.")
    try:
        return read_dump(text)
    except Unreadable as problem:
        raise Refused(f"What keepalived says of the table ({_DUMP}) cannot be read here: {problem}.") from problem


def _is_checker(process: int) -> bool:
    """Whether that is a child of keepalived in our network namespace: the number may be another process's by now."""
    ours, its = (os.readlink(f"/proc/{each}/ns/net") for each in ("self", process))
    return ours == its and all(program_of(each) == "keepalived" for each in (process, parent_of(process)))


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One at a time: what the one is waiting for, the next would remove."""
    # In /run only root makes files, so that nobody else holds the lock.
    with open(LOCK, "a", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Refused(
                        f"Another task has been asking keepalived for more than {_PATIENCE:.0f} s ({LOCK}). "
                        "See what it waits for, then run the task again."
                    ) from None
                time.sleep(_PAUSE)
        yield


def _wait_for(process: int, path: str) -> None:
    """Wait until the file is there and keepalived has closed it."""
    deadline = time.monotonic() + _PATIENCE
    while not os.path.exists(path) or _has_open(process):
        if not os.path.exists(f"/proc/{process}"):
            raise Refused("keepalived has ended while it was asked what it has in the table. Run the task again.")
        if time.monotonic() > deadline:
            raise Refused(
                f"keepalived (process {process}) did not say within {_PATIENCE:.0f} s what it has in the table. "
                "See in `journalctl -u keepalived` what keeps it, then run the task again."
            )
        time.sleep(_PAUSE)


def _has_open(process: int) -> bool:
    directory = f"/proc/{process}/fd"
    for name in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"{directory}/{name}") == _DUMP:
                return True
    return False


def _content(path: str) -> str:
    """The text of a file that root alone may have written: anybody may put one of that name into /tmp."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(handle, encoding="utf-8", errors="replace") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            raise Refused(f"{_DUMP} is not root's alone, so it may not be keepalived's; see who put it there.")
        return file.read()
