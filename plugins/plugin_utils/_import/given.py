# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of the filter and the lookup as_inventory -> an import. What is wrong with them is a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.disk import Disk, Resolver
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Known, as_data, imported
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.given import evaluated, mapping, names
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import Mistake, WrongModel, show


def inventory_of(files: Any, first: Any, hosts: Any = None, meanings: Any = None) -> dict[str, Any]:
    """Of files that somebody read."""
    texts = mapping(evaluated(files, "files"), "files")
    for name, text in texts.items():
        if not isinstance(text, str):
            raise WrongModel([Mistake(f"files.{name}", f"must be text, is {show(text)}", "give what is in the file")])
    mains = names([first] if isinstance(first, str) else first, "first")
    for each in mains:
        if each not in texts:
            raise WrongModel([Mistake("first", f"{show(each)} is none of the files", "name one of them")])
    return as_data(imported(Given(texts), mains, _hosts(hosts), Known(_meanings(meanings))))


def inventory_of_disk(paths: Any, hosts: Any = None, names: Any = None, resolve: Any = False) -> dict[str, Any]:
    """Of files of this machine."""
    disk = Disk()
    mains = [disk.first(each) for each in _listed(paths, "paths")]
    meanings = _meanings(names)
    return as_data(imported(disk, mains, _hosts(hosts), Resolver(meanings) if resolve else Known(meanings)))


def _hosts(value: Any) -> list[str] | None:
    return _listed(value, "hosts") if value else None


def _listed(value: Any, what: str) -> list[str]:
    """Text as a command line has it, with commas, or a list."""
    given = evaluated(value, what)
    listed = names([given] if isinstance(given, str) else given, what)
    return [part.strip() for each in listed for part in each.split(",") if part.strip()]


def _meanings(value: Any) -> Mapping[str, Any]:
    return mapping(evaluated(value, "names"), "names") if value else {}
