# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ipvsadm -S` printed, or a script with its commands -> one director in the words of the model. Pure."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    SCHEDULER_FLAG_NAMES,
    Destination,
    DestinationKey,
    Entry,
    ServiceKey,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import (
    Director,
    Found,
    name_of,
    persistence,
    written,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ipvsadm_daemons import add_daemon, read_debian
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ipvsadm_script import rules_of
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

_METHODS = {"nat": "-m", "dr": "-g", "tun": "-i"}
_CHANGES = "it changes what another rule has added: print what is in the table at the end, with ipvsadm -S -n"
_OTHERS = {
    **dict.fromkeys(("-C", "--clear"), "the role empties nothing that it does not declare: see lvs_purge"),
    **dict.fromkeys(("-Z", "--zero"), "counters are no part of the model"),
    **dict.fromkeys(("-E", "--edit-service", "-D", "--delete-service"), _CHANGES),
    **dict.fromkeys(("-e", "--edit-server", "-d", "--delete-server"), _CHANGES),
    **dict.fromkeys(("-R", "--restore"), "it reads rules from elsewhere: name that file, too, as one of its own"),
    **dict.fromkeys(
        ("-L", "-l", "--list", "-S", "--save", "-h", "--help", "-v", "--version"), "it only shows the table"
    ),
    "--stop-daemon": "the role stops a daemon that lvs_sync does not name",
    "--set": "write the three timeouts as lvs_timeouts",
}


def read_ipvsadm(files: Files, name: str, remarks: Remarks, names: save_parser.Names | None = None) -> Director:
    """The table that the rules make. ``names`` says what names mean that stand in place of numbers."""
    director = Director("", Place(name, 1))
    lines, places = [], []
    for text, place in rules_of(files.text(name), name, remarks):
        rule = _rule(text, place, director, remarks)
        if rule:
            lines.append(rule)
            places.append(place)
    rules = save_parser.read("\n".join(lines), names)
    for number, problem in rules.problems.items():
        remarks.lost(places[number - 1], [lines[number - 1]], problem)
    for key, entry in rules.table.items():
        of_servers = {each.key: places[rules.real_servers[key, each.key] - 1] for each in entry.destinations.values()}
        found = _service(key, entry, places[rules.services[key] - 1], of_servers, remarks)
        if found:
            director.services.append(found)
    read_debian(files, name, director, remarks)
    if rules.table:
        reason = "rules have no health checks, and often no thresholds: add health_check with lvs_manager: keepalived"
        remarks.note(Place(name, 1), ["ipvsadm"], reason)
    return director


def _rule(rule: str, place: Place, director: Director, remarks: Remarks) -> str:
    """What a line adds to the table; empty where it does something else, which is listed or becomes a variable."""
    words = rule.split()
    if words[0] == "--set" and len(words) == 4 and all(each.isascii() and each.isdecimal() for each in words[1:]):
        given = dict(zip(("tcp", "tcpfin", "udp"), map(int, (each[:12] for each in words[1:]))))
        director.variables["lvs_timeouts"] = {key: value for key, value in given.items() if value}
        director.places["lvs_timeouts"] = place
        return ""
    if words[0].partition("=")[0] == "--start-daemon":
        add_daemon(rule, place, director, remarks)
        return ""
    other = _OTHERS.get(words[0].partition("=")[0])
    if other:
        remarks.lost(place, words, other)
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
    members = _on_own_ports(key, members, methods[0], places, remarks)
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


def _on_own_ports(
    key: ServiceKey, members: list[Destination], method: str, places: dict[Any, Place], remarks: Remarks
) -> list[Destination]:
    """The real servers as ipvsadm adds them: only masquerading maps ports, so that others get the service's."""
    if method == "nat" or key.fwmark:
        return members
    found: dict[str, Destination] = {}
    for each in members:
        words = ["-r", str(each.key)]
        if each.key.port != key.port:
            reason = f"with {_METHODS[method]} ipvsadm takes the service's port, {key.port}"
            remarks.note(places[each.key], words, reason)
            places[DestinationKey(each.key.address, key.port)] = places[each.key]
        if each.key.address in found:
            remarks.lost(places[each.key], words, "the real server is there already")
        else:
            found[each.key.address] = replace(each, key=DestinationKey(each.key.address, key.port))
    return list(found.values())


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
