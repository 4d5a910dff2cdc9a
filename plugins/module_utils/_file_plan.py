# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small configuration files that are wholly ours: what has to change of one. Pure; _files.py reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan


@dataclass(frozen=True)
class File:
    """A file as it is or shall be."""

    text: str
    mode: int = 0o644


@dataclass(frozen=True)
class WriteFile:
    """Make the file read so, whatever is there."""

    path: str
    file: File


@dataclass(frozen=True)
class RemoveFile:
    """Remove the file, and its directory where that is ours and now empty. ``follows`` links to what they lead to."""

    path: str
    own_directory: bool = False
    follows: bool = True


def owned_file(owner: str, lines: Sequence[str], remark: str = "") -> File | None:
    """The file of an owner that has these lines; None where there are none."""
    if not lines:
        return None
    head = f"# Managed by lvs.topology (owner {owner}). Changes are overwritten.{remark}"
    return File("\n".join([head, *lines]) + "\n")


def plan_file(path: str, current: File | None, wanted: File | None, *, own_directory: bool = False) -> Plan:
    """The change that makes one file right; wanted None: it shall not be there."""
    if current == wanted:
        return Plan()
    before = (f"# {path}", *current.text.splitlines()) if current else ()
    if wanted is None:
        return Plan((Change(f"remove {path}", RemoveFile(path, own_directory)),), before, ())
    after = (f"# {path}", *wanted.text.splitlines())
    if current and current.text == wanted.text:
        line = f"chmod {wanted.mode:04o} {path}"
        before = (f"# {path} mode {current.mode:04o}",)
        after = (f"# {path} mode {wanted.mode:04o}",)
    else:
        line = f"write {path}"
    return Plan((Change(line, WriteFile(path, wanted)),), before, after)
