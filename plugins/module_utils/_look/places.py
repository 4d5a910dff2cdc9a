# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the places that a run writes to can be written. Looking leaves nothing there."""

from __future__ import annotations

import errno
import os

from ansible_collections.lvs.topology.plugins.module_utils import _turn
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot_script
from ansible_collections.lvs.topology.plugins.module_utils._disk import advice
from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES

# More than all files of a host with some thousand services.
_ROOM = 4 * 1024 * 1024
# File systems that know no files without a name answer so.
_NO_NAMELESS_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)


def problems() -> list[str]:
    """One line for each reason why something cannot be written, with the places and what to do."""
    found: dict[str, list[str]] = {}
    paths = [PATH, boot_script.SCRIPT_PATH, boot_script.UNIT_PATH, _turn.PATH]
    paths += [trace.path("any") for trace in TRACES.values() if trace.file]
    for directory in sorted({os.path.dirname(path) for path in paths}):
        problem = _problem_with(directory)
        if problem is not None:
            found.setdefault(advice(problem), []).append(directory)
    return [f"files: {', '.join(places)} cannot be written: {what}" for what, places in found.items()]


def _problem_with(directory: str) -> OSError | None:
    """What becomes of a file of some size there, which never gets a name."""
    while not os.path.isdir(directory):
        if os.path.lexists(directory):
            return OSError(errno.ENOTDIR, f"{directory} is no directory")
        directory = os.path.dirname(directory)
    try:
        file = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        return _unwritable(directory) if problem.errno in _NO_NAMELESS_FILES else problem
    try:
        os.posix_fallocate(file, 0, _ROOM)
    except OSError as problem:
        return problem if problem.errno in (errno.ENOSPC, errno.EDQUOT) else None
    finally:
        os.close(file)
    return _without_inodes(directory)


def _unwritable(directory: str) -> OSError | None:
    """The same by asking alone."""
    system = os.statvfs(directory)
    if system.f_flag & os.ST_RDONLY:
        return OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not os.access(directory, os.W_OK | os.X_OK):
        return OSError(errno.EACCES, os.strerror(errno.EACCES))
    if system.f_bfree * system.f_frsize < _ROOM:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return _without_inodes(directory)


def _without_inodes(directory: str) -> OSError | None:
    """Whether a dozen files more are too many. File systems that count none say 0 of 0."""
    system = os.statvfs(directory)
    if system.f_files and system.f_ffree < 12:
        return OSError(errno.ENOSPC, "No inodes left on device")
    return None
