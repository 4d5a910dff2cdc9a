# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of the lookup as_inventory -> an import. What is wrong with them is a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.validation import check_type_dict
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.beside import lines_of_settings
from ansible_collections.lvs.topology.plugins.plugin_utils._import.disk import Disk, Resolver
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Known, as_data, imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.of_hosts import files_of_hosts
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.beside_table import Beside
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, WrongModel, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, harmless
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import read_info

# What the playbook adopt registers of a director: what configuration_files and ipvs_info answered.
FILES, TABLES = "__lvs_files", "__lvs_info"
# In place of paths.
OF_HOSTS = "hosts"


def inventory_of_hosts(
    hostvars: Any, directors: list[str], meanings: Any = None, resolve: Any = False
) -> dict[str, Any]:
    """Of what directors answered to configuration_files and ipvs_info, as the playbook adopt registers it."""
    known = mapping(hostvars, "hostvars")
    answers: dict[str, tuple[Mapping[str, Any] | None, list[str] | None, Beside | None]] = {}
    odd: list[str] = []
    for host in directors:
        given = mapping(known.get(host) or {}, f"hostvars.{host}")
        read, table = (evaluated(given.get(each) or {}, each) for each in (FILES, TABLES))
        if isinstance(read, Mapping) and read.get("skipped") is True:
            continue  # a director that is to be put back has no part in this
        rules = table.get("rules") if isinstance(table, Mapping) else None
        info = _info(host, harmless(table), odd) if isinstance(rules, list) else {}
        answers[host] = (
            read if isinstance(read, Mapping) and "files" in read else None,
            [*(each for each in rules if isinstance(each, str)), *lines_of_settings(info)]
            if isinstance(rules, list)
            else None,
            info.get("beside"),
        )
    found = files_of_hosts(answers)
    found["unread"] += odd
    if not found["first"]:
        problem = f"nothing was read: {'; '.join(found['unread']) or 'no director has a part in this'}"
        raise WrongModel([Mistake(OF_HOSTS, problem, "name files of this machine")])
    directors_files = Given(found["files"])
    read_in = imported(
        directors_files,
        found["first"],
        found["hosts"],
        _names(meanings, resolve),
        found["tables"],
        found["besides"],
    )
    return {**as_data(read_in), "unread": found["unread"]}


def _info(host: str, table: Any, odd: list[str]) -> dict[str, Any]:
    """What ipvs_info returned besides the rules of the table; nothing where that has not its form."""
    try:
        return read_info({**table, "services": []}, host)
    except WrongModel as wrong:
        odd.append(f"{host}: what it has beside its table cannot be read: {'; '.join(wrong.lines)}")
        return {}


def inventory_of_disk(paths: Any, hosts: Any = None, meanings: Any = None, resolve: Any = False) -> dict[str, Any]:
    """Of files of this machine."""
    disk = Disk()
    mains = [disk.first(each) for each in _listed(paths, "paths")]
    return {**as_data(imported(disk, mains, _hosts(hosts), _names(meanings, resolve))), "unread": []}


def _names(meanings: Any, resolve: Any) -> Known:
    known = _known(mapping(_of_text(evaluated(meanings, "names")), "names")) if meanings else {}
    return Resolver(known) if resolve else Known(known)


def _of_text(value: Any) -> Any:
    """A command line has a mapping as text. What modules take for one, the first check of a playbook has taken."""
    if not isinstance(value, str):
        return value
    try:
        return check_type_dict(value)
    except TypeError:
        problem = f"{show(value)} is no mapping"
        raise WrongModel([Mistake("names", problem, "write it such as www=192.0.2.10,http-alt=8080")]) from None


def _known(meanings: Mapping[str, Any]) -> dict[str, str | int]:
    """What each name means. On a command line a port is text."""
    known: dict[str, str | int] = {}
    wrong: list[Mistake] = []
    for name, meaning in meanings.items():
        port = forms.integer(meaning)
        if port in forms.PORTS:
            known[name] = port
        elif as_address(meaning) is not None:
            known[name] = meaning
        else:
            problem = f"{show(meaning)} is neither an IP address nor a port"
            wrong.append(Mistake(f"names.{forms.word(name)}", problem, "write it such as 192.0.2.10, or 8080"))
    if wrong:
        raise WrongModel(wrong)
    return known


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
