# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The synchronisation daemons of a script, or of Debian's /etc/default/ipvsadm -> lvs_sync. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex

from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import as_integer_of
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

_OPTIONS = {
    "--mcast-interface": "interface",
    "--syncid": "syncid",
    "--sync-maxlen": "maxlen",
    "--mcast-group": "group",
    "--mcast-port": "port",
    "--mcast-ttl": "ttl",
}
_NUMBERS = ("syncid", "maxlen", "port", "ttl")
_ROLES = ("master", "backup")
# What Debian's unit reads the options from, beside /etc/ipvsadm.rules.
_DEFAULT = "default/ipvsadm"
_SETTING = re.compile(r"""\s*(AUTO|DAEMON|IFACE|SYNCID)=["']?([^"'#\s]*)["']?\s*(?:#.*)?""")


def add_daemon(rule: str, place: Place, director: Director, remarks: Remarks) -> None:
    """What a command --start-daemon says. Both of them together are the role both."""
    words = [part for word in shlex.split(rule) for part in word.split("=", 1)]
    role, options = (words[1] if len(words) > 1 else ""), words[2:]
    found = {
        "role": role,
        **{_OPTIONS[name]: value for name, value in zip(options[::2], options[1::2]) if name in _OPTIONS},
    }
    if role not in _ROLES or len(found) != 1 + len(options) / 2:
        remarks.lost(place, words, "the options of a daemon are not read: write it as lvs_sync")
        return
    settings: dict[str, object] = {"syncid": 0, **found}
    settings.update((key, as_integer_of(found[key])) for key in _NUMBERS if key in found)
    _add(settings, place, director, remarks)


def read_debian(files: Files, name: str, director: Director, remarks: Remarks) -> None:
    """What lies beside the rules as Debian has it."""
    where = posixpath.join(posixpath.dirname(name), _DEFAULT)
    if posixpath.basename(name) == posixpath.basename(where) or not files.matching(where):
        return
    found: dict[str, tuple[str, Place]] = {}
    for number, line in enumerate(files.text(where).split("\n"), 1):
        setting = _SETTING.fullmatch(line)
        if setting:
            found[setting.group(1)] = setting.group(2), Place(where, number)
        elif line.strip() and not line.lstrip().startswith("#"):
            remarks.lost(Place(where, number), line.split("=")[:1], "it is none of the options of Debian's ipvsadm")
    auto, place = found.get("AUTO", ("", Place(where, 1)))
    if auto.lower() not in ("true", "yes"):
        remarks.note(place, [f"AUTO={auto}"], "nothing loads the rules at boot; the role restores its own")
    role, place = found.get("DAEMON", ("none", Place(where, 1)))
    if role in _ROLES or role == "both":
        interface, syncid = (found.get(key, ("", place))[0] for key in ("IFACE", "SYNCID"))
        _add(
            {"role": role, "interface": interface or "eth0", "syncid": as_integer_of(syncid) or 0},
            place,
            director,
            remarks,
        )


def _add(found: dict[str, object], place: Place, director: Director, remarks: Remarks) -> None:
    there = director.variables.get("lvs_sync")
    if there and {**there, "role": ""} != {**found, "role": ""}:
        remarks.lost(place, ["daemon", str(found["role"])], "another daemon is there already, with other options")
        return
    roles = {str(found["role"]), str(there["role"]) if there else str(found["role"])}
    director.variables["lvs_sync"] = {**found, "role": "both" if len(roles) > 1 else roles.pop()}
    director.places.setdefault("lvs_sync", place)
