# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a power cut must not undo: names in directories are on disk seconds later unless somebody asks for it."""

from __future__ import annotations

import contextlib
import os


def sync_directory(path: str) -> None:
    """Bring to disk which names a directory has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_empty(directory: str) -> None:
    """Remove a directory; it stays where it holds something else or is a mount point."""
    with contextlib.suppress(OSError):
        os.rmdir(directory)
        sync_directory(os.path.dirname(directory))
