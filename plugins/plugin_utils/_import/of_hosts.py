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
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import decoded
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Unreadable

# Where each form is on a director, with the folder whose other files it may include.
PLACES: Mapping[str, str] = {
    "/etc/keepalived/keepalived.conf": "keepalived.conf",
    "/usr/local/etc/keepalived/keepalived.conf": "keepalived.conf",
    "/etc/ha.d/ldirectord.cf": "ldirectord.cf",
    "/etc/ldirectord.cf": "ldirectord.cf",
    "/etc/ipvsadm.rules": "ipvsadm.rules",
    "/etc/sysconfig/ipvsadm": "ipvsadm.rules",
    "/etc/default/ipvsadm": "default/ipvsadm",
}
_FOLDERS = ("/etc/keepalived/", "/usr/local/etc/keepalived/")
TABLE = "table"


def files_of_hosts(hosts: Mapping[str, tuple[list[Mapping[str, Any]] | None, list[str] | None]]) -> dict[str, Any]:
    """The arguments of an import. Of each host the answers of slurp, and the rules of its table; None: not known."""
    found: dict[str, Any] = {"files": {}, "first": [], "hosts": [], "tables": {}, "unread": []}
    for host, (answers, rules) in hosts.items():
        if answers is None:
            found["unread"].append(f"{host}: it was not asked, or did not answer")
            continue
        texts = dict(_texts(host, answers, found["unread"]))
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
        found["hosts"].append(host)
    return found


def _texts(host: str, answers: list[Mapping[str, Any]], unread: list[str]) -> Iterator[tuple[str, str]]:
    for answer in answers:
        path, content = answer.get("item"), answer.get("content")
        # A file that is not there has no content.
        if not isinstance(path, str) or not isinstance(content, str):
            continue
        name = PLACES.get(path)
        for folder in _FOLDERS if name is None else ():
            if path.startswith(folder):
                name = posixpath.normpath(path[len(folder) :])
        if name is None or name.startswith("../"):
            continue
        try:
            yield f"{host}/{name}", decoded(b64decode(content), f"{host}/{name}")
        except (Unreadable, Error, ValueError) as problem:
            # Not every file beside keepalived.conf is part of it: a script may be a program.
            if path in PLACES:
                unread.append(f"{host}: {forms.word(path)}: {problem}")


def _first(host: str, texts: Mapping[str, str], unread: list[str]) -> str | None:
    """The file that says the services; others that say some, too, are named."""
    there = [f"{host}/{each}" for each in ("keepalived.conf", "ldirectord.cf", "ipvsadm.rules")]
    known = [each for each in there if each in texts]
    # Beside ldirectord and rules, keepalived often has VRRP alone.
    serving = [each for each in known if not each.endswith(".conf") or "virtual_server" in _every(texts)]
    first = next(iter([*serving, *known]), None)
    unread += [
        f"{each} is not read beside {first}. Read it by itself with lvs_adopt_from, and put the two together"
        for each in known
        if each != first
    ]
    return first


def _every(texts: Mapping[str, str]) -> str:
    return "\n".join(text for name, text in texts.items() if not name.endswith((".cf", ".rules", "default/ipvsadm")))
