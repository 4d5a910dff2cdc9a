# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an import, as text: what asks for them knows no disk. Pure."""

from __future__ import annotations

import codecs
import posixpath
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Protocol

from ansible_collections.lvs.topology.plugins.module_utils._daemons.configuration_files import FOLDERS
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Unreadable

# Larger than any configuration that a person or a program wrote for a director.
MOST_BYTES = 16 * 2**20
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
# What text of any encoding of one byte has none of, but for tabs, ends of lines and pages.
_CONTROL = frozenset(range(32)) - {9, 10, 12, 13}


class Files(Protocol):
    """Where files come from: a disk, or a mapping."""

    def matching(self, pattern: str) -> list[str]:
        """The names of the files that a pattern of the shell means, sorted."""

    def text(self, name: str) -> str:
        """What is in a file; Unreadable where that is no text."""


class Given:
    """Files that somebody else has read: text by name."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def matching(self, pattern: str) -> list[str]:
        if pattern in self._texts:
            return [pattern]
        parts = pattern.split("/")
        return sorted(each for each in self._texts if _matches(each.split("/"), parts))

    def text(self, name: str) -> str:
        return checked(self._texts[name], name)


def _matches(name: list[str], pattern: list[str]) -> bool:
    # A star does not reach into another folder.
    return len(name) == len(pattern) and all(map(fnmatchcase, name, pattern))


def beside(name: str, pattern: str) -> str | None:
    """The pattern that an include of a file means, where that file was copied from a director; None: elsewhere.

    What a director has in /etc/keepalived lies beside the file that includes it. Nothing else is looked for: it
    would be a file of this machine.
    """
    folder = posixpath.dirname(name)
    for home in FOLDERS:
        if pattern.startswith(f"{home}/"):
            pattern = pattern[len(home) + 1 :]
            break
    if pattern.startswith("/"):
        return None
    joined = posixpath.normpath(posixpath.join(folder, pattern))
    return None if joined.startswith("../") or joined == ".." else joined


def decoded(raw: bytes, name: str) -> str:
    """The text of a file; Unreadable where it is none."""
    place = Place(name, 1)
    if len(raw) > MOST_BYTES:
        raise Unreadable(
            place, f"the file has more than {MOST_BYTES >> 20} MiB", "name the configuration of a director"
        )
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            raise Unreadable(place, f"the file is {encoding}", f"convert it: iconv -f {encoding} -t UTF-8")
    # Windows marks UTF-8 so, and keepalived would take the mark for a part of the first word.
    raw = raw[len(codecs.BOM_UTF8) :] if raw.startswith(codecs.BOM_UTF8) else raw
    if any(each in _CONTROL for each in set(raw)):
        line = next(number for number, each in enumerate(raw.split(b"\n"), 1) if _CONTROL.intersection(each))
        raise Unreadable(Place(name, line), "the file is not text", "name the configuration of a director")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # Only comments and names that nobody compares may have such characters; every byte is one of them.
        return raw.decode("latin-1")


def checked(text: str, name: str) -> str:
    """Text that somebody else has read: it is held to the same as bytes are."""
    return decoded(text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "replace"), name)


def _is_escaped(text: str) -> bool:
    return any("\udc80" <= each <= "\udcff" for each in text)
