# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import found, held against the check of the inventory: what that would refuse is listed, and not written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._import.together import PRIORITY, Cluster
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.checks import check_membership, check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.roles import NEEDS

# Each round takes away whatever the one before found: more of them would be an error of ours.
_MOST_ROUNDS = 50
# A service, its key, and where that is a list of mappings what of them. The first group is what goes as a whole.
_SERVICE = re.compile(r"(?:.*: )?(lvs_services\[(\d+)\](?:\.(\w+)(?:\[(\d+)\](?=\.|\Z))?)?)(?:\.(\w+))?")
_STEP = re.compile(r"(\w+)(?=[.\[]|\Z)|\[(\d+)\]")
# Without these keys there is no element of that list.
_NAMING = {
    "track_scripts": ("name", "script"),
    "track_processes": ("name", "process"),
    "addresses": ("address",),
    "instances": ("name", "router_id"),
}
_POSITION = re.compile(r"\[(\d+)\]")
_ELEMENT = re.compile(r".*\]")
_TRACKED = re.compile(r"lvs_vrrp(?:\.instances\[(\d+)\])?\.(track_scripts|track_processes)\[(\d+)\]")
# Without these there is no service.
_NEEDED = frozenset({"name", "address", "port", "protocol", "fwmark", "family", "forward", "real_servers"})
# What a real server may do without.
_OPTIONS = frozenset(
    [
        *("upper_threshold", "lower_threshold", "health_check", "notify_up", "notify_down"),
        *("inhibit_on_failure", "alpha", "smtp_alert"),
    ]
)
# What only the facts of a host tell.
_BY_FACTS = "where facts do not tell"
# No service by itself is wrong: several directors have the same VIPs.
_WHOLE_LIST = ": lvs_services"
# A template would be evaluated when the file is read.
_TEMPLATE = re.compile(r"\{[{%#]")


def accept(clusters: list[Cluster], groups: dict[str, list[str]], remarks: Remarks) -> None:
    """Take away what no check accepts. Afterwards ``mistakes`` finds nothing but what somebody has to decide.

    That is what facts have to tell, and who holds VIPs that several directors have: it is noted.
    """
    for cluster in clusters:
        _take_templates(cluster, remarks)
    for _round in range(_MOST_ROUNDS):
        every = list(dict.fromkeys(wrong(clusters, groups)))
        found = [each for each in every if not each.path.endswith(_WHOLE_LIST)]
        if not found:
            for each in every:
                _note(clusters, each, remarks)
            return
        _repair(clusters, found, remarks)


def _note(clusters: list[Cluster], mistake: Mistake, remarks: Remarks) -> None:
    cluster = next((each for each in clusters if _concerns(mistake.path, each, clusters)), clusters[0])
    place = cluster.services[0].place if cluster.services else cluster.directors[0].place
    remarks.note(place, [mistake.path], f"{mistake.problem}; {mistake.remedy}")


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
    touched: set[tuple[int, str]] = set()
    # From the end of each list, so that what goes does not move what is named by its place. An element of which two
    # things are wrong is looked at again in the next round.
    for each in sorted(found, key=lambda mistake: [*map(int, _POSITION.findall(mistake.path))], reverse=True):
        in_service, element = _SERVICE.match(each.path), _ELEMENT.match(each.path)
        # Directors of a cluster have one list of services, whichever of them a mistake names.
        part = in_service.group(1) if in_service else element.group() if element else each.path
        for number, cluster in enumerate(clusters):
            if not _concerns(each.path, cluster, clusters) or (number, part) in touched:
                continue
            touched.add((number, part))
            if in_service:
                position, key = int(in_service.group(2)), in_service.group(3)
                is_there = position < len(cluster.services) and position not in lost.get(number, ())
                if is_there and _drop_of_service(cluster.services[position], key, in_service, each, remarks):
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


def _drop_of_service(service: Found, key: str | None, found: re.Match[str], mistake: Mistake, remarks: Remarks) -> bool:
    """Whether the whole service has to go."""
    position, option = found.group(4), found.group(5)
    servers = service.entry["real_servers"]
    if key != "real_servers" or position is None or int(position) >= len(servers):
        return _drop_key(service, key, mistake, remarks)
    server = dict(servers[int(position)])
    kept = [each for at, each in enumerate(servers) if at != int(position)]
    words = [service.entry["name"], "real_servers", server["address"]]
    if option in _OPTIONS:
        server.pop(option, None)
        kept.insert(int(position), server)
        words.append(option)
    if not kept:
        return _drop_key(service, key, mistake, remarks)
    reason = mistake.problem if option in _OPTIONS else f"the real server is left out: {mistake.problem}"
    remarks.lost(service.place, words, reason)
    service.entry["real_servers"] = kept
    return False


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
    path = mistake.path.rpartition(": ")[2]
    steps = [int(number) if number else name for name, number in _STEP.findall(path)]
    variable = str(steps[0]) if steps else ""
    if not variable.startswith("lvs_"):
        remarks.lost(cluster.directors[0].place, [mistake.path], f"{mistake.problem}; {mistake.remedy}")
        cluster.services.clear()
        return
    tracked = _TRACKED.search(mistake.path)
    name = _name_of_tracked(cluster, tracked) if tracked else None
    place = _place_of(cluster, steps) if name is None else cluster.place(f"tracked {name}")
    is_needed = len(steps) > 2 and steps[-1] in _NAMING.get(str(steps[-3]), ())
    reason = f"{path.rpartition('.')[0]} is left out: {mistake.problem}" if is_needed else mistake.problem
    remarks.lost(place, [path] if name is None else [name, path], reason)
    for values in (cluster.variables, *cluster.own.values()):
        if variable in values and not _drop_at(values, steps[:-1] if is_needed else steps):
            del values[variable]
    for own in cluster.own.values():
        # It is part of lvs_vrrp.
        if variable == "lvs_vrrp" and (steps[1:] == ["priority"] or variable not in {**cluster.variables, **own}):
            own.pop(PRIORITY, None)


def _place_of(cluster: Cluster, steps: list[Any]) -> Place:
    """Where what a path leads to was written, as exactly as that is known."""
    first = cluster.directors[0]
    for length in range(len(steps), 0, -1):
        place = first.places.get("/".join(map(str, steps[:length])))
        if place:
            return place
    return first.place


def _drop_at(values: dict[str, Any], steps: list[Any]) -> bool:
    """Take away what a path leads to, and what would be empty without it; whether there was anything."""
    holders: list[tuple[Any, Any]] = [(values, steps[0])]
    for step in steps[1:]:
        holder, key = holders[-1]
        inside = holder[key]
        is_there = (
            step < len(inside)
            if isinstance(inside, list) and isinstance(step, int)
            else (isinstance(inside, dict) and step in inside)
        )
        if not is_there:
            # What stands in an instance may be named as if it were for all of them.
            return isinstance(inside, dict) and any(
                each.pop(step, None) is not None for each in inside.get("instances", [])
            )
        holders.append((inside, step))
    while len(holders) > 1:
        holder, key = holders.pop()
        # The directors of a cluster share what they have in common: it is copied before it changes.
        outer, name = holders[-1]
        rest = (
            [each for at, each in enumerate(holder) if at != key]
            if isinstance(holder, list)
            else {each: value for each, value in holder.items() if each != key}
        )
        outer[name] = rest
        if rest:
            return True
    del values[steps[0]]
    return True


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
