# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ipvsadm -S` printed, or a script with its commands -> one director in the words of the model. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.types import (
    SCHEDULER_FLAG_NAMES,
    Destination,
    Entry,
    ServiceKey,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import (
    Director,
    Found,
    name_of,
    note_open_questions,
    persistence,
    written,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

# In scripts each line begins with the command.
_COMMAND = re.compile(r"(?:sudo\s+)?(?:/(?:usr/)?s?bin/)?ipvsadm\s+(.*)", re.DOTALL)
_METHODS = {"nat": "-m", "dr": "-g", "tun": "-i"}
_OTHERS = {
    "-C": "the role empties nothing that it does not declare: see lvs_purge",
    "--clear": "the role empties nothing that it does not declare: see lvs_purge",
    "-Z": "counters are no part of the model",
    "--start-daemon": "write the daemon as lvs_sync",
    "--set": "write the three timeouts as lvs_timeouts",
}


def read_ipvsadm(files: Files, name: str, remarks: Remarks, names: save_parser.Names | None = None) -> Director:
    """The table that the rules make. ``names`` says what names mean that stand in place of numbers."""
    director = Director("", Place(name, 1))
    lines = []
    for number, line in enumerate(files.text(name).split("\n"), 1):
        lines.append(_rule(line.strip(), Place(name, number), director, remarks))
    rules = save_parser.read("\n".join(lines), names)
    for number, problem in rules.problems.items():
        line = lines[number - 1]
        # What is no rule may be a command with a password.
        words = [line] if line.startswith("-") else line.split()[:1]
        remarks.lost(Place(name, number), words, problem)
    for key, entry in rules.table.items():
        places = {each.key: Place(name, rules.real_servers[key, each.key]) for each in entry.destinations.values()}
        found = _service(key, entry, Place(name, rules.services[key]), places, remarks)
        if found:
            director.services.append(found)
    if rules.table:
        reason = "rules have no health checks, and often no thresholds: add health_check with lvs_manager: keepalived"
        remarks.note(Place(name, 1), ["ipvsadm"], reason)
    note_open_questions(director.services, remarks)
    return director


def _rule(line: str, place: Place, director: Director, remarks: Remarks) -> str:
    """What a line adds to the table; empty where it does something else, which is listed or becomes a variable."""
    found = _COMMAND.fullmatch(line)
    rule = found.group(1).strip() if found else line
    words = rule.split()
    if not words or words[0].startswith("#"):
        return ""
    if words[0] == "--set" and len(words) == 4 and all(each.isascii() and each.isdecimal() for each in words[1:]):
        given = dict(zip(("tcp", "tcpfin", "udp"), map(int, (each[:12] for each in words[1:]))))
        director.variables["lvs_timeouts"] = {key: value for key, value in given.items() if value}
        director.places["lvs_timeouts"] = place
        return ""
    if words[0] in _OTHERS:
        remarks.lost(place, words, _OTHERS[words[0]])
        return ""
    return rule


def _service(key: ServiceKey, entry: Entry, place: Place, places: dict[Any, Place], remarks: Remarks) -> Found | None:
    service, members = entry.service, list(entry.destinations.values())
    label = _label(key)
    methods = sorted({each.forward for each in members})
    if not methods:
        remarks.lost(place, label, "it has no real server, by which its forwarding method would be known")
        return None
    if len(methods) > 1:
        for each in members:
            remarks.lost(places[each.key], ["-r", str(each.key.address), _METHODS[each.forward]], "see its service")
        remarks.lost(place, label, f"its real servers are reached by {' and '.join(methods)}: a service has one method")
        return None
    identity: dict[str, Any] = {"fwmark": key.fwmark, "family": key.family}
    if not key.fwmark:
        identity = {"address": key.address, "port": key.port, "protocol": key.protocol}
    names = {bit: name for name, bit in SCHEDULER_FLAG_NAMES.get(service.scheduler, {}).items()}
    flags = [names[each] for each in sorted(service.flags) if each in names]
    if len(flags) < len(service.flags):
        lost = sorted(set(service.flags).difference(names))
        remarks.lost(place, ["-b", *lost], f"it means nothing to the scheduler {service.scheduler}")
    for each in members:
        if not each.weight:
            reason = "weight 0 is perhaps only there until a health check or a drain ends"
            remarks.note(places[each.key], ["-r", str(each.key), "-w", "0"], reason)
    is_v4 = key.family == "ipv4"
    netmask = str(IPv4Address(service.netmask)) if is_v4 else service.netmask
    found = {
        "name": name_of(identity),
        **identity,
        "forward": methods[0],
        "scheduler": service.scheduler,
        "scheduler_flags": flags,
        "one_packet": service.one_packet,
        "persistence": persistence(service.timeout, netmask, service.engine or None, 4 if is_v4 else 6),
        "real_servers": [_real_server(each, key) for each in members],
    }
    return Found(written(found), place)


def _label(key: ServiceKey) -> list[str]:
    return ["-A", str(key)]


def _real_server(each: Destination, key: ServiceKey) -> dict[str, Any]:
    tunnel: dict[str, Any] = {}
    if each.forward == "tun" and each.tunnel != "ipip":
        tunnel = {"type": each.tunnel, "port": each.tunnel_port, "checksum": each.checksum}
        tunnel = {name: value for name, value in tunnel.items() if value not in (0, "none")}
    return {
        "address": each.key.address,
        "port": each.key.port if each.key.port != key.port else None,
        "weight": each.weight,
        "upper_threshold": each.upper,
        "lower_threshold": each.lower,
        "tunnel": tunnel or None,
    }
