# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import found, held against the check of the inventory: what that would refuse is listed, and not written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._import.together import PRIORITY, Cluster
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.checks import check_membership, check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.roles import NEEDS

# Each round takes away whatever the one before found: more of them would be an error of ours.
_MOST_ROUNDS = 50
_SERVICE = re.compile(r"(?:.*: )?lvs_services\[(\d+)\](?:\.(\w+))?")
_VARIABLE = re.compile(r"(?:(.*): )?(lvs_\w+)(?:\.(\w+))?(?:\[(\d+)\])?(?:\.(\w+))?")
_POSITION = re.compile(r"\[(\d+)\]")
_ELEMENT = re.compile(r".*\]")
_TRACKED = re.compile(r"lvs_vrrp(?:\.instances\[(\d+)\])?\.(track_scripts|track_processes)\[(\d+)\]")
# Without these there is no service.
_NEEDED = frozenset({"name", "address", "port", "protocol", "fwmark", "family", "forward", "real_servers"})
# What only the facts of a host tell.
_BY_FACTS = "where facts do not tell"
# A template would be evaluated when the file is read.
_TEMPLATE = re.compile(r"\{[{%#]")


def accept(clusters: list[Cluster], groups: dict[str, list[str]], remarks: Remarks) -> None:
    """Take away what no check accepts. Afterwards ``mistakes`` finds nothing but what facts have to tell."""
    for cluster in clusters:
        _take_templates(cluster, remarks)
    for _round in range(_MOST_ROUNDS):
        found = list(dict.fromkeys(wrong(clusters, groups)))
        if not found:
            return
        _repair(clusters, found, remarks)


def wrong(clusters: list[Cluster], groups: dict[str, list[str]]) -> Iterator[Mistake]:
    """What the check of the inventory says against it."""
    hostvars = {name: values for cluster in clusters for name, values in cluster.hostvars().items()}
    mistakes: list[Mistake] = []
    site = site_of(hostvars, groups, mistakes)
    mistakes += check_site(site)
    mistakes += check_membership(site)
    for role in ("director", "keepalived"):
        for name in groups["lvs_directors"]:
            if name in site.services:
                mistakes += [each for each in NEEDS[role](site, name) if isinstance(each, Mistake)]
    for each in mistakes:
        if _BY_FACTS not in each.problem and not each.path.endswith(": facts"):
            yield each


def _repair(clusters: list[Cluster], found: list[Mistake], remarks: Remarks) -> None:
    lost: dict[int, set[int]] = {}
    touched: set[str] = set()
    # From the end of each list, so that what goes does not move what is named by its place. An element of which two
    # things are wrong is looked at again in the next round.
    for each in sorted(found, key=lambda mistake: [*map(int, _POSITION.findall(mistake.path))], reverse=True):
        in_service, element = _SERVICE.match(each.path), _ELEMENT.match(each.path)
        if not in_service and element and element.group() in touched:
            continue
        touched.add(element.group() if element else each.path)
        for number, cluster in enumerate(clusters):
            if not _concerns(each.path, cluster, clusters):
                continue
            if in_service:
                position, key = int(in_service.group(1)), in_service.group(2)
                is_there = position < len(cluster.services) and position not in lost.get(number, ())
                if is_there and _drop_key(cluster.services[position], key, each, remarks):
                    lost.setdefault(number, set()).add(position)
            else:
                _drop_variable(cluster, each, remarks)
    for number, positions in lost.items():
        cluster = clusters[number]
        cluster.services[:] = [each for at, each in enumerate(cluster.services) if at not in positions]


def _concerns(path: str, cluster: Cluster, clusters: list[Cluster]) -> bool:
    """Whether a mistake is in this cluster: its path begins with one of its directors, or there is only one."""
    host, colon, _rest = path.partition(": ")
    return len(clusters) == 1 or (bool(colon) and host in cluster.own)


def _drop_key(service: Found, key: str | None, mistake: Mistake, remarks: Remarks) -> bool:
    """Whether the whole service has to go."""
    name = service.entry["name"]
    if key is None or key in _NEEDED or key not in service.entry:
        remarks.lost(service.place, [name], f"the service is left out: {mistake.problem}")
        return True
    del service.entry[key]
    place = service.places.get(_KEYWORDS.get(key, key), service.places.get(key, service.place))
    remarks.lost(place, [name, key], mistake.problem)
    return False


# Under which word of keepalived.conf a key of the model stands there.
_KEYWORDS = {"one_packet": "ops", "persistence": "persistence_timeout"}


def _drop_variable(cluster: Cluster, mistake: Mistake, remarks: Remarks) -> None:
    found = _VARIABLE.match(mistake.path)
    if not found:
        remarks.lost(cluster.directors[0].place, [mistake.path], f"{mistake.problem}; {mistake.remedy}")
        cluster.services.clear()
        return
    _host, variable, key, position, inner = found.groups()
    words = [mistake.path.rpartition(": ")[2]]
    tracked = _TRACKED.search(mistake.path)
    name = _name_of_tracked(cluster, tracked) if tracked else None
    place = cluster.place(variable) if name is None else cluster.place(f"tracked {name}")
    remarks.lost(place, words if name is None else [name, *words], mistake.problem)
    if variable == "lvs_vrrp" and key == "priority":
        for own in cluster.own.values():
            own.pop(PRIORITY, None)
    for values in (cluster.variables, *cluster.own.values()):
        if variable not in values:
            continue
        value = values[variable]
        if not isinstance(value, dict) or key is None or not _drop_inside(value, key, position, inner):
            del values[variable]
            for own in cluster.own.values() if variable == "lvs_vrrp" else ():
                own.pop(PRIORITY, None)


def _name_of_tracked(cluster: Cluster, found: re.Match[str]) -> str | None:
    """The name of the script or process of a path."""
    instance, key, position = found.groups()
    for values in (cluster.variables, *cluster.own.values()):
        vrrp = values.get("lvs_vrrp", {})
        instances = vrrp.get("instances", [])
        if instance is not None and int(instance) < len(instances):
            vrrp = instances[int(instance)]
        listed = vrrp.get(key, [])
        if int(position) < len(listed):
            return str(listed[int(position)].get("name", ""))
    return None


def _drop_inside(value: dict[str, Any], key: str, position: str | None, inner: str | None) -> bool:
    """Take a key of a variable away, or one of a list below it; whether there was anything."""
    there = value.get(key)
    if isinstance(there, list) and position is not None and int(position) < len(there):
        element = there[int(position)]
        if isinstance(element, dict) and inner in element and inner not in ("name", "script", "process", "address"):
            value[key] = [dict(each) for each in there]
            del value[key][int(position)][inner]
        elif inner is None or key != "instances":
            value[key] = [each for at, each in enumerate(there) if at != int(position)]
        else:
            return False
        return True
    if key in value:
        value.pop(key)
        return True
    # What stands in an instance is named by the instance's path.
    return any(each.pop(key, None) is not None for each in value.get("instances", []))


def _take_templates(cluster: Cluster, remarks: Remarks) -> None:
    for service in cluster.services:
        for key in [key for key, value in service.entry.items() if _has_template(value)]:
            del service.entry[key]
            reason = "it holds {{, {% or {#, which Ansible would take for a template"
            remarks.lost(service.places.get(key, service.place), [service.entry.get("name", ""), key], reason)
    for values in (cluster.variables, *cluster.own.values()):
        for variable in [key for key, value in values.items() if _has_template(value)]:
            reason = "it holds {{, {% or {#, which Ansible would take for a template"
            remarks.lost(cluster.place(variable), [variable], reason)
            value = values[variable]
            if isinstance(value, dict):
                values[variable] = {key: each for key, each in value.items() if not _has_template(each)}
            else:
                del values[variable]


def _has_template(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_template, value.values()))
    if isinstance(value, list):
        return any(map(_has_template, value))
    return isinstance(value, str) and bool(_TEMPLATE.search(value))
