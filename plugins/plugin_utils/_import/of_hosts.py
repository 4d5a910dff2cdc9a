# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts have answered -> the files of each director, by the names that an import knows them by. Pure."""

from __future__ import annotations

import posixpath
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons.configuration_files import FILES, FOLDERS
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import decoded
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.beside_table import Beside

# Each form of configuration, by the file that says it.
_FORMS = ("keepalived.conf", "ldirectord.cf", "ipvsadm.rules")
TABLE = "table"


def files_of_hosts(
    hosts: Mapping[str, tuple[Mapping[str, Any] | None, list[str] | None, Beside | None]],
) -> dict[str, Any]:
    """The arguments of an import. Of each host what configuration_files answered, the rules of its table, and the rest.

    Any of them may be None: not known.
    """
    found: dict[str, Any] = {"files": {}, "first": [], "hosts": [], "tables": {}, "besides": {}, "unread": []}
    for host, (answer, rules, beside) in hosts.items():
        if answer is None:
            found["unread"].append(f"{host}: it was not asked, or did not answer")
            continue
        found["unread"] += [
            f"{host}: {forms.word(str(each.get('path')))}: {forms.word(str(each.get('reason')))}"
            for each in _mappings(answer.get("unread"))
        ]
        texts = dict(_texts(host, _mappings(answer.get("files")), found["unread"]))
        first = _first(host, texts, found["unread"])
        if rules is None:
            found["unread"].append(f"{host}: its table could not be read")
        else:
            texts[f"{host}/{TABLE}"] = "\n".join(rules)
        if first is None and rules:
            first = f"{host}/{TABLE}"
            found["unread"].append(
                f"{host}: no file says its table, which is read in its place. It has no health checks"
            )
        elif first is None:
            found["unread"].append(f"{host}: it has no file that is known, and nothing in its table")
            continue
        elif rules is not None:
            found["tables"][first] = f"{host}/{TABLE}"
        found["files"].update(texts)
        found["first"].append(first)
        if beside is not None:
            found["besides"][first] = beside
        found["hosts"].append(host)
    return found


def _texts(host: str, answers: list[Mapping[str, Any]], unread: list[str]) -> Iterator[tuple[str, str]]:
    for answer in answers:
        path, content = answer.get("path"), answer.get("content")
        if not isinstance(path, str) or not isinstance(content, str):
            continue
        name = FILES.get(path)
        for folder in FOLDERS if name is None else ():
            if path.startswith(f"{folder}/"):
                name = posixpath.normpath(path[len(folder) + 1 :])
        if name is None or name.startswith("../"):
            continue
        try:
            yield f"{host}/{name}", decoded(b64decode(content), f"{host}/{name}")
        except (Unreadable, Error, ValueError) as problem:
            # Not every file beside keepalived.conf is part of it: a script may be a program.
            if name in _FORMS:
                unread.append(f"{host}: {forms.word(path)}: {problem}")


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _first(host: str, texts: Mapping[str, str], unread: list[str]) -> str | None:
    """The file that says the services; others that say some, too, are named."""
    there = [f"{host}/{each}" for each in _FORMS]
    # Packages come with files that have comments alone.
    known = [each for each in there if _says_something(texts.get(each, ""))]
    # Beside ldirectord and rules, keepalived often has VRRP alone.
    serving = [each for each in known if not each.endswith(".conf") or "virtual_server" in _every(texts)]
    first = next(iter([*serving, *known]), None)
    unread += [
        f"{each} is not read beside {first}. Read it by itself with lvs_adopt_from, and put the two together"
        for each in known
        if each != first
    ]
    return first


def _says_something(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith(("#", "!")) for line in text.splitlines())


def _every(texts: Mapping[str, str]) -> str:
    return "\n".join(text for name, text in texts.items() if not name.endswith((".cf", ".rules", "default/ipvsadm")))
