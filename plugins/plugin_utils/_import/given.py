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
from ansible_collections.lvs.topology.plugins.plugin_utils._import.of_hosts import files_of_hosts
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.given import evaluated, mapping, names
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import Mistake, WrongModel, show

# What the playbook adopt registers of a director: the answers of slurp, and what ipvs_info says.
FILES, TABLES = "__lvs_files", "__lvs_info"


def inventory_of(files: Any, first: Any, hosts: Any = None, meanings: Any = None, tables: Any = None) -> dict[str, Any]:
    """Of files that somebody read."""
    texts = mapping(evaluated(files, "files"), "files")
    for name, text in texts.items():
        if not isinstance(text, str):
            raise WrongModel([Mistake(f"files.{name}", f"must be text, is {show(text)}", "give what is in the file")])
    mains = _listed(first, "first")
    for each in mains:
        if each not in texts:
            raise WrongModel([Mistake("first", f"{show(each)} is none of the files", "name one of them")])
    live = mapping(evaluated(tables, "tables"), "tables") if tables else {}
    for main, name in live.items():
        if main not in mains or name not in texts:
            problem = f"{show(main)}: {show(name)} is no first file with one of the files"
            raise WrongModel([Mistake("tables", problem, "name the file with the rules of that director's table")])
    return as_data(imported(Given(texts), mains, _hosts(hosts), Known(_meanings(meanings)), live))


def files_of(hostvars: Any, hosts: Any) -> dict[str, Any]:
    """Of what hosts answered to slurp and ipvs_info, as the playbook adopt registers it."""
    known = mapping(hostvars, "hostvars")
    answers: dict[str, tuple[list[Mapping[str, Any]] | None, list[str] | None]] = {}
    for host in names(hosts, "hosts"):
        given = mapping(known.get(host) or {}, f"hostvars.{host}")
        read, table = (evaluated(given.get(each) or {}, each) for each in (FILES, TABLES))
        if isinstance(read, Mapping) and read.get("skipped") is True:
            continue  # a director that is to be put back has no part in this
        results = read.get("results") if isinstance(read, Mapping) else None
        rules = table.get("rules") if isinstance(table, Mapping) else None
        answers[host] = (
            [each for each in results if isinstance(each, Mapping)] if isinstance(results, list) else None,
            [each for each in rules if isinstance(each, str)] if isinstance(rules, list) else None,
        )
    return files_of_hosts(answers)


def inventory_of_disk(paths: Any, hosts: Any = None, meanings: Any = None, resolve: Any = False) -> dict[str, Any]:
    """Of files of this machine."""
    disk = Disk()
    mains = [disk.first(each) for each in _listed(paths, "paths")]
    known = _meanings(meanings)
    return as_data(imported(disk, mains, _hosts(hosts), Resolver(known) if resolve else Known(known)))


def _hosts(value: Any) -> list[str] | None:
    return _listed(value, "hosts") if value else None


def _listed(value: Any, what: str) -> list[str]:
    """Text as a command line has it, with commas, or a list of such; a lookup gets a list of what it is given."""
    given = evaluated(value, what)
    flat = [part for each in (given if isinstance(given, list) else [given]) for part in _parts(each)]
    for each in flat:
        if not isinstance(each, str):
            raise WrongModel([Mistake(what, f"must be text or a list of it, is {show(each)}", "separate by commas")])
    return [part.strip() for each in flat for part in each.split(",") if part.strip()]


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _meanings(value: Any) -> Mapping[str, Any]:
    return mapping(evaluated(value, "names"), "names") if value else {}
