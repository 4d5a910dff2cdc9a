# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director's files held against the table that its kernel has: what differs is said. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_parser import Names
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director, Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ipvsadm_save import read_ipvsadm
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

# What a table says of a service besides its real servers. Thresholds are compared with these.
_KEYS: Mapping[str, Any] = {
    "forward": None,
    "scheduler": "wlc",
    "scheduler_flags": None,
    "persistence": None,
    "one_packet": False,
}
_OF_REAL_SERVER: Mapping[str, Any] = {"upper_threshold": 0, "lower_threshold": 0, "tunnel": None}


def compare_with_table(director: Director, files: Files, name: str, names: Names | None, remarks: Remarks) -> None:
    """``name`` is the file with the rules of the table."""
    said = Remarks()
    table = read_ipvsadm(files, name, said, names)
    there = {each.key: each for each in table.services}
    for variable, value in table.variables.items():
        _compare_variable(director, variable, value, remarks)
    # Those without real servers or with several methods, of which no model says anything.
    others = {_key_of(each) for each in save_parser.read(files.text(name), names).table} - set(there)
    for each in director.services:
        live = there.pop(each.key, None)
        if live:
            _compare(each, live, remarks)
        elif each.key in others:
            reason = "the table has the service, with no real server now, or with several methods"
            remarks.note(each.place, [each.entry["name"]], reason)
            others.discard(each.key)
        else:
            remarks.note(each.place, [each.entry["name"]], "the table has no such service now")
    for each in there.values():
        if each.entry.get("fwmark") in director.check_marks:
            continue
        reason = "only the table has this service; no file of the director says it"
        remarks.lost(each.place, [each.entry["name"]], reason)
    for key in sorted(others, key=str):
        reason = "only the table has this service, and no real server of it, or some of several methods"
        remarks.lost(Place(name, 1), [" ".join(map(str, key))], reason)


def _compare_variable(director: Director, key: str, now: Any, remarks: Remarks) -> None:
    """Timeouts and daemons. What the file says of a daemon is all that is to be said of it."""
    mine = director.variables.get(key)
    if mine is None:
        remarks.lost(
            director.place, [key], f"only the kernel has it now, as {_said(now)}; no file of the director says it"
        )
    elif key == "lvs_timeouts" and any(mine.get(each, value) != value for each, value in now.items()):
        reason = f"in the kernel it is {_said(now)} now, and {_said(mine)} in the file, which is written"
        remarks.note(director.places.get(key, director.place), [key], reason)


def _key_of(key: ServiceKey) -> tuple[Any, ...]:
    """What Found.key is for a service of a table."""
    if key.fwmark:
        return "mark", key.family, key.fwmark
    return key.protocol, ip_address(key.address or ""), key.port


def _compare(written: Found, live: Found, remarks: Remarks) -> None:
    name = written.entry["name"]
    for key, default in _KEYS.items():
        mine, there = written.entry.get(key, default), live.entry.get(key, default)
        if mine != there and not (isinstance(mine, list) and isinstance(there, list) and sorted(mine) == sorted(there)):
            said = f"in the table it is {_said(there)}, and {_said(mine)} in the file, which is written"
            remarks.note(written.places.get(key, written.place), [name, key], said)
    for words, reason, is_lost, place in _real_servers(written, live):
        tell = remarks.lost if is_lost else remarks.note
        tell(place, [name, *words], reason)


def _real_servers(written: Found, live: Found) -> Iterator[tuple[list[str], str, bool, Place]]:
    there = {_key(each): each for each in live.entry["real_servers"]}
    sorry = written.entry.get("sorry_server")
    for each in written.entry["real_servers"]:
        mine = there.pop(_key(each), None)
        words = ["real_servers", _label(each)]
        if mine is None:
            yield (
                words,
                "the table does not have it now: a health check or a drain may have taken it out",
                False,
                written.place,
            )
            continue
        weight, now = each.get("weight", 1), mine.get("weight", 1)
        if weight != now:
            reason = f"its weight is {now} in the table, and {weight} in the file, which is written"
            yield words, reason, False, written.place
        for key, default in _OF_REAL_SERVER.items():
            if each.get(key, default) != mine.get(key, default):
                now, said = _said(mine.get(key)), _said(each.get(key))
                yield (
                    words,
                    f"{key} is {now} in the table, and {said} in the file, which is written",
                    False,
                    written.place,
                )
    for at, each in there.items():
        if sorry and at == _key(sorry):
            yield ["sorry_server", _label(each)], "the table has it now: no real server serves", False, written.place
        else:
            reason = "only the table has this real server; no file of the director says it"
            yield ["real_servers", _label(each)], reason, True, live.place


def _key(server: Mapping[str, Any]) -> tuple[Any, Any]:
    return server["address"], server.get("port")


def _label(server: Mapping[str, Any]) -> str:
    return f"{server['address']} port {server['port']}" if "port" in server else str(server["address"])


def _said(value: Any) -> str:
    return "not there" if value is None else str(value)
