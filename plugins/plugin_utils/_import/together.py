# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors that were read one by one -> clusters, whose directors share their services. Differences are said. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director, Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

# The variable of a director that holds its priority where all of a cluster share one lvs_vrrp.
PRIORITY = "vrrp_priority"
# What is one host's own.
_OWN = ("lvs_address",)
_SECRET = ("auth_pass",)


@dataclass
class Cluster:
    """Directors that serve the same. ``variables`` are common to them, ``own`` are those of each."""

    directors: list[Director]
    services: list[Found]
    variables: dict[str, Any]
    own: dict[str, dict[str, Any]] = field(default_factory=dict)

    def place(self, key: str) -> Place:
        """Where a variable stands in the first director's file."""
        first = self.directors[0]
        return first.places.get(key, first.place)

    def hostvars(self) -> dict[str, dict[str, Any]]:
        """Every variable of each director."""
        services = [each.entry for each in self.services]
        found = {}
        for each in self.directors:
            own = dict(self.own[each.name])
            values = {**self.variables, "lvs_services": services, **own}
            priority = values.pop(PRIORITY, None)
            if priority is not None:
                values["lvs_vrrp"] = {**values["lvs_vrrp"], "priority": priority}
            found[each.name] = values
        return found


def clusters(directors: list[Director], remarks: Remarks) -> list[Cluster]:
    """The directors by what they share."""
    groups: list[list[Director]] = []
    for each in directors:
        mine = _addresses(each)
        partners = next((group for group in groups if mine & _addresses(group[0])), None)
        if partners is None:
            groups.append([each])
        else:
            partners.append(each)
    for group in groups[1:]:
        first = groups[0][0]
        reason = f"no VIP and no other address is one of {first.name}, too: it is a director by itself, not its partner"
        remarks.note(group[0].place, [group[0].name], reason)
    return [_cluster(group, remarks) for group in groups]


def _addresses(director: Director) -> set[Any]:
    """What of a director moves, or may move."""
    found: set[Any] = {each.vip or each.key for each in director.services}
    vrrp = director.variables.get("lvs_vrrp", {})
    for settings in [vrrp, *vrrp.get("instances", [])]:
        for each in settings.get("addresses", []):
            text = each["address"] if isinstance(each, dict) else each
            found.add(ip_address(text.partition("/")[0]))
    return found


def _cluster(group: list[Director], remarks: Remarks) -> Cluster:
    first = group[0]
    own: dict[str, dict[str, Any]] = {each.name: {} for each in group}
    common = dict(first.variables)
    for each in group:
        for key in _OWN:
            if key in each.variables:
                own[each.name][key] = each.variables[key]
    for key in _OWN:
        common.pop(key, None)
    _router_ids(group, common, own)
    if len(group) > 1:
        _priorities(group, common, own)
    services = list(first.services)
    for other in group[1:]:
        _compare_services(first, other, services, remarks)
        _compare_variables(first, other, remarks)
    _unicast(group, common)
    return Cluster(group, services, common, own)


def _router_ids(group: list[Director], common: dict[str, Any], own: dict[str, dict[str, Any]]) -> None:
    """A director is called after its router_id, as long as nobody calls it otherwise: then it need not be written."""
    settings = {each.name: dict(each.variables.get("lvs_keepalived", {})) for each in group}
    if all(mine.get("router_id", name) == name for name, mine in settings.items()):
        shared = {key: value for key, value in settings[group[0].name].items() if key != "router_id"}
        common.pop("lvs_keepalived", None)
        if shared:
            common["lvs_keepalived"] = shared
        return
    shared = {key: value for key, value in settings[group[0].name].items() if key != "router_id"}
    common.pop("lvs_keepalived", None)
    for each in group:
        router_id = settings[each.name].get("router_id")
        mine = {**({"router_id": router_id} if router_id else {}), **shared}
        if mine:
            own[each.name]["lvs_keepalived"] = mine


def _priorities(group: list[Director], common: dict[str, Any], own: dict[str, dict[str, Any]]) -> None:
    """One lvs_vrrp for all, with the priority as a variable of its own; where instances have several, each its own."""
    settings = [each.variables.get("lvs_vrrp") for each in group]
    if not all(settings):
        return
    if all("priority" in mine for mine in settings if mine):
        common["lvs_vrrp"] = {key: value for key, value in common["lvs_vrrp"].items() if key != "priority"}
        for each in group:
            own[each.name][PRIORITY] = each.variables["lvs_vrrp"]["priority"]
        return
    shared = common.pop("lvs_vrrp")
    for each in group:
        own[each.name]["lvs_vrrp"] = _with_priorities(shared, each.variables["lvs_vrrp"])


def _with_priorities(shared: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """The first director's settings, with the priorities of another one."""
    by_name = {each.get("name"): each for each in mine.get("instances", [])}
    instances = []
    for each in shared.get("instances", []):
        twin = by_name.get(each["name"], {})
        priority = twin.get("priority", mine.get("priority", each.get("priority")))
        instances.append({**each, **({"priority": priority} if priority else {})})
    return {**{key: value for key, value in shared.items() if key != "priority"}, "instances": instances}


def _unicast(group: list[Director], common: dict[str, Any]) -> None:
    """Peers are listed once for all directors: each leaves itself out."""
    vrrp = common.get("lvs_vrrp")
    if not vrrp or len(group) < 2:
        return

    def every(path: int | None) -> list[str]:
        found: list[str] = []
        for each in group:
            settings = each.variables.get("lvs_vrrp", {})
            if path is not None:
                instances = settings.get("instances", [])
                settings = instances[path] if path < len(instances) else {}
            found += settings.get("unicast", [])
        return sorted(set(found), key=lambda text: (ip_address(text).version, int(ip_address(text))))

    if "unicast" in vrrp:
        vrrp["unicast"] = every(None)
    for position, each in enumerate(vrrp.get("instances", [])):
        if "unicast" in each:
            each["unicast"] = every(position)


def _compare_services(first: Director, other: Director, services: list[Found], remarks: Remarks) -> None:
    theirs = {each.key: each for each in first.services}
    ours = {each.key: each for each in other.services}
    for key, each in theirs.items():
        if key not in ours:
            reason = f"{other.name} has no such service; it is written for both, which need the same services"
            remarks.note(each.place, [each.entry["name"]], reason)
    for key, each in ours.items():
        if key not in theirs:
            reason = f"{first.name} has no such service; it is written for both, which need the same services"
            remarks.note(each.place, [each.entry["name"]], reason)
            services.append(each)
            continue
        for name, mine, there in _differences(_comparable(each.entry), _comparable(theirs[key].entry)):
            reason = f"{name} is {mine} here, and {there} in {theirs[key].place}, which is written"
            remarks.lost(each.place, [each.entry["name"]], reason)


def _compare_variables(first: Director, other: Director, remarks: Remarks) -> None:
    for variable in dict.fromkeys([*first.variables, *other.variables]):
        if variable in _OWN:
            continue
        mine, there = (_comparable_variable(variable, each.variables.get(variable)) for each in (other, first))
        for name, here, elsewhere in _differences(mine, there):
            place = other.places.get(variable, other.place)
            path = f"{variable}.{name}" if name else variable
            reason = f"it is {here} here, and {elsewhere} at {first.name}, which is written for both"
            remarks.lost(place, [path], reason)
    priorities = {each.name: _priority(each) for each in (first, other)}
    if None not in priorities.values() and len(set(priorities.values())) > 1:
        said = ", ".join(f"{value} at {name}" for name, value in priorities.items())
        remarks.note(other.places.get("priority", other.place), ["priority"], f"each has its own: {said}")


def _priority(director: Director) -> Any:
    return director.variables.get("lvs_vrrp", {}).get("priority")


def _comparable(entry: dict[str, Any]) -> dict[str, Any]:
    """A service in which the order of its real servers says nothing."""
    members = sorted(entry["real_servers"], key=lambda each: (each["address"], each.get("port") or 0))
    return {**entry, "name": "", "real_servers": members}


def _comparable_variable(variable: str, value: Any) -> dict[str, Any]:
    """A variable by its keys, without what is each director's own, and in which order says nothing."""
    if not isinstance(value, dict):
        return {} if value is None else {"": value}
    left_out = {"lvs_vrrp": ("priority", "unicast"), "lvs_keepalived": ("router_id",)}.get(variable, ())
    found = {key: each for key, each in value.items() if key not in left_out}
    for key in ("addresses", "track_scripts", "track_processes"):
        if isinstance(found.get(key), list):
            found[key] = sorted(found[key], key=repr)
    if "instances" in found:
        found["instances"] = sorted((_comparable_variable(variable, each) for each in found["instances"]), key=repr)
    return found


def _differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys([*theirs, *ours]):
        mine, there = ours.get(key), theirs.get(key)
        if mine == there:
            continue
        if key in _SECRET:
            yield key, "another one", "not this one"
        elif isinstance(mine, (dict, list)) or isinstance(there, (dict, list)):
            yield key, "something else", "something else" if there is not None else "not there"
        else:
            yield key, _shown(mine), _shown(there)


def _shown(value: Any) -> str:
    return "not there" if value is None else forms.shown(value)
