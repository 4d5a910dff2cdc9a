# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of the controller, into which files of text are written. No link is followed out of it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_FOLDER, _FILE = 0o755, 0o644


class Folder:
    """Paths are relative to the folder, and have no part that leads upwards. Any OSError is the caller's to tell."""

    def __init__(self, path: str) -> None:
        self._root = Path(os.path.realpath(os.path.expanduser(path)))

    def obstacles(self, paths: Iterable[str]) -> list[str]:
        """What is in the way of files with these paths, each of them once."""
        return list(dict.fromkeys(found for path in paths for found in self._obstacles(path)))

    def _obstacles(self, path: str) -> Iterator[str]:
        place = self._root
        parts = Path(path).parts
        for number, part in enumerate(parts, 1):
            is_right, what = (stat.S_ISREG, "file") if number == len(parts) else (stat.S_ISDIR, "folder")
            place /= part
            try:
                mode = place.lstat().st_mode
            except FileNotFoundError:
                return
            if stat.S_ISLNK(mode):
                yield f"{place} is a link"
            elif not is_right(mode):
                yield f"{place} is no {what}"
            else:
                continue
            return

    def text(self, path: str) -> str | None:
        """What is in a file; None where it is not there."""
        try:
            with open(self._root / path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, path: str, text: str) -> None:
        """Replace a file in one step, or make it, with the folders that it needs."""
        place = self._root / path
        self._root.mkdir(parents=True, exist_ok=True)
        for folder in reversed(Path(path).parents[:-1]):
            if not (self._root / folder).is_dir():
                (self._root / folder).mkdir()
                (self._root / folder).chmod(_FOLDER)
        number, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".new")
        try:
            with os.fdopen(number, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                os.fchmod(number, _FILE)
                file.write(text)
            os.replace(name, place)
        except BaseException:
            os.unlink(name)
            raise

    def remove(self, path: str) -> None:
        """Remove a file, and its folder where that holds nothing else."""
        place = self._root / path
        place.unlink(missing_ok=True)
        if place.parent != self._root:
            try:
                place.parent.rmdir()
            except OSError:
                return  # somebody keeps something there, or it was not there
