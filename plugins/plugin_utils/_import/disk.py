# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only user of the controller's disk and resolver in an import: files of directors that lie here."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator, Mapping
from glob import glob
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import MOST_BYTES, decoded
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Known, first_file
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Unreadable

_DEEPEST = 6
_MOST_NAMES = 10_000


class Disk:
    """Files below the folders of the directors' first files. What a link leads to elsewhere is not read."""

    def __init__(self) -> None:
        self._roots: list[str] = []
        self._texts: dict[str, str] = {}

    def first(self, path: str) -> str:
        """The first file of a director, by its own name or that of its folder."""
        given = os.path.expanduser(path)
        if not os.path.exists(given):
            raise Unreadable(Place(path, 1), "there is no such file", "name a file or folder of this machine")
        if not os.path.isdir(given):
            self._roots.append(os.path.realpath(os.path.dirname(given) or "."))
            # The operator's own word: it may be a link.
            self._texts[given] = self._read(given)
            return given
        self._roots.append(os.path.realpath(given))
        return os.path.join(given, first_file(path, list(self._names(given))))

    def matching(self, pattern: str) -> list[str]:
        return sorted(each for each in glob(pattern) if self._is_below(each) and os.path.isfile(each))

    def text(self, name: str) -> str:
        if name not in self._texts:
            if not self._is_below(name):
                raise Unreadable(Place(name, 1), "it is a link to another folder", "copy the file itself")
            self._texts[name] = self._read(name)
        return self._texts[name]

    def _is_below(self, name: str) -> bool:
        real = os.path.realpath(name)
        return any(os.path.commonpath([real, root]) == root for root in self._roots)

    def _read(self, name: str) -> str:
        place = Place(name, 1)
        try:
            # What is no plain file may never end.
            if not stat.S_ISREG(os.stat(name).st_mode):
                raise Unreadable(place, "it is no plain file", "name the configuration of a director")
            with open(name, "rb") as file:
                return decoded(file.read(MOST_BYTES + 1), name)
        except OSError as error:
            problem = f"cannot be read: {os.strerror(error.errno or 0)}"
            raise Unreadable(place, problem, "make it readable, or copy it") from None

    def _names(self, folder: str) -> Iterator[str]:
        """The files in a folder, by their path in it."""
        count = 0
        for where, folders, names in os.walk(folder):
            inside = os.path.relpath(where, folder)
            if inside.count(os.sep) >= _DEEPEST:
                folders.clear()
            for each in names:
                count += 1
                if count > _MOST_NAMES:
                    raise Unreadable(Place(folder, 1), f"it has more than {_MOST_NAMES} files", "name the file itself")
                yield each if inside == "." else os.path.join(inside, each)


class Resolver(Known):
    """Names as this machine resolves them, where nobody said what they mean. Each is asked for once."""

    def __init__(self, meanings: Mapping[str, Any]) -> None:
        super().__init__(meanings)
        self._asked: dict[tuple[str, int], list[str]] = {}

    def address(self, name: str, in_brackets: bool) -> str:
        try:
            return super().address(name, in_brackets)
        except ValueError:
            found = self._addresses(name, socket.AF_INET6 if in_brackets else socket.AF_INET)
            if len(found) != 1:
                what = "no address" if not found else f"several addresses: {', '.join(found)}"
                raise ValueError(f"{name} has {what} here; write the right one") from None
            return found[0]

    def _addresses(self, name: str, family: int) -> list[str]:
        if (name, family) not in self._asked:
            try:
                found = {str(each[4][0]) for each in socket.getaddrinfo(name, None, family)}
            except (OSError, UnicodeError):
                found = set()
            self._asked[name, family] = sorted(found)
        return self._asked[name, family]

    def port(self, name: str, protocol: str) -> int:
        try:
            return super().port(name, protocol)
        except ValueError:
            try:
                return socket.getservbyname(name, protocol)
            except OSError:
                raise ValueError(f"{name} is no {protocol} port here; write its number") from None
