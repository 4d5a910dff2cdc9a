# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small configuration files that are wholly ours: read, replaced whole and removed, as _file_plan.py has it planned."""

from __future__ import annotations

import os
import stat

from ansible_collections.lvs.topology.plugins.module_utils._disk import (
    advice,
    remove_empty,
    remove_file,
    replace_file,
    sync_directory,
)
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, RemoveFile, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused


def read_file(path: str) -> File | None:
    """The file as it is; None where there is none."""
    try:
        # What is not a regular file may keep a reader waiting for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            # A link to /dev/null, by which systemd masks units, reads as an empty file.
            is_null = stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev
            if not (stat.S_ISREG(status.st_mode) or is_null):
                raise Refused(f"{path} is not a regular file. Remove it, or the link that leads to it.")
            return File(file.read().decode("utf-8", "surrogateescape"), stat.S_IMODE(status.st_mode))
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise Refused(f"{path} cannot be read: {advice(problem)}") from problem


def apply_file(action: WriteFile | RemoveFile) -> None:
    """Carry out one change of a file."""
    try:
        if isinstance(action, WriteFile):
            _replace(action.path, action.file)
        else:
            remove_file(action.path, follows=action.follows)
            if action.own_directory:
                remove_empty(os.path.dirname(action.path))
    except OSError as problem:
        verb = "written" if isinstance(action, WriteFile) else "removed"
        raise Refused(f"{action.path} cannot be {verb}: {advice(problem)}") from problem


def _replace(path: str, file: File) -> None:
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        os.makedirs(directory)
        # Whatever the umask: these files are there to be read.
        os.chmod(directory, 0o755)  # noqa: S103, others read it
        sync_directory(os.path.dirname(directory))
    replace_file(path, file.text.encode("utf-8", "surrogateescape"), file.mode)
