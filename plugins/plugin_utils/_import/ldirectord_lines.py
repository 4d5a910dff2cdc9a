# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of ldirectord.cf -> what stands for all services, and each service as it was written. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks, Unreadable

Given = Mapping[str, tuple[str, Place]]

_LINE = re.compile(r"(\s*)([A-Za-z0-9]+)\s*(?:=\s*(.*))?", re.DOTALL)
_GLOBAL_ONLY_NOTES = {
    "autoreload": "the playbook site is what brings changes to a director",
    "logfile": "keepalived writes to the journal",
    "supervised": "systemd starts keepalived",
    "fork": "keepalived checks in one process",
    "cleanstop": "keepalived takes its services away when it stops",
}
# Why a key is not carried over.
REASONS = {
    "emailalert": "keepalived mails to the same addresses for all services: lvs_keepalived.mail",
    "emailalertfrom": "keepalived mails from the same address for all services: lvs_keepalived.mail",
    "emailalertfreq": "keepalived sends a mail for each change",
    "emailalertstatus": "keepalived sends a mail for each change",
    "smtp": "keepalived mails by the same server for all services: lvs_keepalived.mail",
    "receive": "only the answers of http and https are looked at",
    "fallbackcommand": "write it as quorum_down, and what undoes it as quorum_up",
    "callback": "the playbook site is what brings changes to a director",
    "execute": "the model of one director is one file",
    "readdquiescent": "keepalived puts a real server in with weight 0 only where inhibit_on_failure is set",
    "maintenancedir": "the playbook drain takes a real server out for maintenance",
    "monitorfile": "keepalived writes to the journal",
    "httpmethod": "keepalived asks by GET",
    "checkcount": "keepalived has retries alone, which are said by failurecount",
    "load": "the model has no such check",
}
_COMMON = frozenset(
    [
        *("checktimeout", "negotiatetimeout", "checkinterval", "failurecount", "fallback", "fallback6", "quiescent"),
        *("emailalert", "emailalertfrom", "smtp"),
    ]
)


@dataclass
class Virtual:
    """A virtual service as it was written. ``given`` has each key with its value and place, the last one counts."""

    text: str
    place: Place
    is_v6: bool
    reals: list[tuple[str, Place]] = field(default_factory=list)
    given: dict[str, tuple[str, Place]] = field(default_factory=dict)

    def value(self, key: str) -> str | None:
        return self.given[key][0] if key in self.given else None


def number(key: str, remarks: Remarks, *givens: Given) -> int | None:
    """The number of a key, above 0: where it is given first. None where nobody gives it."""
    given = next((each[key] for each in givens if key in each), None)
    if given is None:
        return None
    value = forms.integer(given[0])
    if not value or value < 0:
        remarks.lost(given[1], [key], "it needs a whole number above 0")
        return None
    return value


def split(text: str, name: str, remarks: Remarks) -> tuple[dict[str, tuple[str, Place]], list[Virtual]]:
    """What stands for all services, and the services."""
    common: dict[str, tuple[str, Place]] = {}
    virtuals: list[Virtual] = []
    inside: Virtual | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        place = Place(name, number)
        line = raw.rstrip()
        if line.lstrip().startswith("#"):
            continue
        # Inside a service a # begins a comment wherever it stands.
        line = (line.partition("#")[0] if inside and line[:1].isspace() else line).rstrip()
        if not line:
            inside = None
            continue
        found = _LINE.fullmatch(line.expandtabs(4))
        if not found:
            raise Unreadable(place, "it is no line of ldirectord.cf", "write KEY=VALUE, or a comment after #")
        indent, key, value = found.groups()
        if not indent:
            inside = None
        if key in ("virtual", "virtual6"):
            inside = Virtual((value or "").strip(), place, key == "virtual6")
            virtuals.append(inside)
        elif inside is None:
            _read_common(key, (value or "").strip(), place, common, remarks)
        elif len(indent) < 4:
            raise Unreadable(place, "it is indented by less than 4 blanks", "indent what belongs to a service by 4")
        elif key in ("real", "real6"):
            inside.reals.append(((value or "").strip(), place))
        else:
            _note_again(key, place, inside.given, remarks)
            inside.given[key] = (_unquoted(value or ""), place)
    return common, virtuals


def _note_again(key: str, place: Place, given: Given, remarks: Remarks) -> None:
    """What is said several times: the last one counts."""
    if key in given:
        remarks.note(given[key][1], [key], f"line {place.line} says it again, and counts")


def _read_common(key: str, value: str, place: Place, common: dict[str, tuple[str, Place]], remarks: Remarks) -> None:
    if key in _GLOBAL_ONLY_NOTES:
        remarks.note(place, [key], f"{_GLOBAL_ONLY_NOTES[key]}: nothing is to be set")
    elif key in _COMMON:
        _note_again(key, place, common, remarks)
        common[key] = (_unquoted(value), place)
    else:
        remarks.lost(place, [key], REASONS.get(key, "ldirectord 1.186 and the model know no such key here"))


def _unquoted(text: str) -> str:
    stripped = text.strip()
    return stripped[1:-1] if len(stripped) > 1 and stripped[0] == stripped[-1] == '"' else stripped
