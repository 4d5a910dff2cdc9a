# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a director no file of an import says, from what its host has beside its table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DEFAULT_TIMEOUTS, Daemon, Timeouts
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import daemon_line, timeouts_line
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director, Found, written
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.beside_table import (
    ELSEWHERE,
    Beside,
    Endpoint,
    changed_sysctls,
    of_all,
    said_of,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address

# What the model sets on every director, for FULLNAT, and where conntrackd runs.
_SET_ALWAYS: Mapping[str, int | str] = {"net.ipv4.vs.expire_nodest_conn": 1, "net.ipv4.vs.expire_quiescent_template": 1}
_SET_FOR_FULLNAT: Mapping[str, int | str] = {"net.ipv4.vs.conntrack": 1}
_SET_FOR_CONNTRACKD: Mapping[str, int | str] = {"net.ipv4.vs.sync_threshold": "1 5"}
_UNREAD = ("conntrackd", "bird")


def complete(director: Director, beside: Beside, remarks: Remarks) -> None:
    """What the host says for certain is written. Of the rest there is a note."""
    entries = [each.entry for each in director.services]
    marks = {(each["fwmark"], forms.FAMILIES[each["family"]]) for each in entries if "fwmark" in each}
    for service in director.services:
        said = said_of(service.entry, _endpoints(director, service), beside, marks)
        keys = dict(said.keys)
        # With one of its own the director does that anyway, and its partner with its own.
        if set(keys.get("snat_addresses", ())) <= set(director.addresses):
            keys.pop("snat_addresses", None)
        service.entry = written({**service.entry, **keys})
        for note in said.notes:
            remarks.note(service.place, [service.entry["name"]], note)
    for note in of_all([each.entry for each in director.services], beside):
        remarks.note(director.place, [director.name], note)
    known = dict(_SET_ALWAYS)
    if any(each.entry["forward"] == "fullnat" for each in director.services):
        known |= _SET_FOR_FULLNAT
    if "lvs_conntrackd" in director.variables:
        known |= _SET_FOR_CONNTRACKD
    sysctls = {key: value for key, value in changed_sysctls(beside).items() if known.get(key) != value}
    if sysctls:
        director.variables["lvs_sysctls"] = sysctls
    for program in beside.programs:
        if program in _UNREAD and f"lvs_{program}" not in director.variables:
            remarks.note(director.place, [program], f"it runs there, and its files are not read: {ELSEWHERE[program]}")


def _endpoints(director: Director, service: Found) -> Iterator[Endpoint]:
    for each in service.entry["real_servers"]:
        address = as_address(each["address"])
        if address and not address.is_loopback and each["address"] not in director.addresses:
            yield Endpoint(address, each.get("port") or service.entry.get("port") or 0)


def lines_of_settings(info: Mapping[str, Any]) -> Iterator[str]:
    """What a kernel says besides its table, as commands of ipvsadm: timeouts that were set, and its daemons."""
    timeouts = info.get("timeouts", {})
    times = {name: timeouts.get(name, seconds) for name, seconds in DEFAULT_TIMEOUTS.items()}
    if times != DEFAULT_TIMEOUTS:
        yield timeouts_line(Timeouts(**times))
    for each in info.get("daemons", ()):
        # Of the length, what fits is the default.
        yield daemon_line(
            Daemon(each["state"], each["interface"] or "", each["syncid"], 0, each["group"], each["port"], each["ttl"])
        )
