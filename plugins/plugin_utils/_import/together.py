# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors that were read one by one -> clusters, whose directors share their services. Differences are said. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director, Found, written
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

# The variable of a director that holds its priority where all of a cluster share one lvs_vrrp.
PRIORITY = "vrrp_priority"
# What is one host's own.
_OWN = ("lvs_address",)
# The same where there is no partner, whose mails would have another name.
_OWN_ALONE = (*_OWN, "lvs_keepalived")
_NOT_SHOWN = "auth_pass"
_LONGEST = 60
# Variables and keys in which directors of a pair have to agree; in others each may have its own.
_SHARED: Mapping[str, frozenset[str]] = {
    "lvs_manager": frozenset(),
    "lvs_vrrp": frozenset(
        {
            "router_id",
            "advert_int",
            "version",
            "auth_pass",
            "addresses",
            "in_adverts",
            "sync_group",
            "sync_groups",
            "instances",
            "vips",
        }
    ),
    "lvs_sync": frozenset({"syncid", "group", "port"}),
}


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
    if len(group) > 1 and not any(each.vip for each in first.services):
        reason = (
            "the directors have no VIP of a service in common, by which the model knows a pair: name the VIPs of "
            "services by mark in marked"
        )
        remarks.note(first.place, [first.name], reason)
    for each in group if len(group) > 1 else []:
        _name_by_router_id(each)
    services = list(first.services)
    values = {first.name: dict(first.variables)}
    for other in group[1:]:
        _compare_services(first, other, services, remarks)
        values[other.name] = _merged(first, other, remarks)
    _unicast(list(values.values()))
    alone = _OWN if len(group) > 1 or "router_id" not in values[first.name].get("lvs_keepalived", {}) else _OWN_ALONE
    own = {name: {key: mine.pop(key) for key in alone if key in mine} for name, mine in values.items()}
    if len(group) > 1:
        _priorities(values, own)
    common = {
        key: value
        for key, value in values[first.name].items()
        if all(mine.get(key) == value for mine in values.values())
    }
    for name, mine in values.items():
        own[name] |= {key: value for key, value in mine.items() if key not in common}
    return Cluster(group, services, common, own)


def _name_by_router_id(director: Director) -> None:
    """A director is called after its router_id, as long as nobody calls it otherwise: then it need not be written."""
    settings = dict(director.variables.pop("lvs_keepalived", {}))
    if settings.get("router_id") == director.name:
        del settings["router_id"]
    if settings:
        director.variables["lvs_keepalived"] = settings


def _priorities(values: dict[str, dict[str, Any]], own: dict[str, dict[str, Any]]) -> None:
    """Directors may share all of lvs_vrrp but their priority: that is a variable of its own then."""
    settings = [mine.get("lvs_vrrp", {}) for mine in values.values()]
    without = [{key: value for key, value in mine.items() if key != "priority"} for mine in settings]
    if not all("priority" in mine for mine in settings) or any(each != without[0] for each in without):
        return
    for name, mine in values.items():
        own[name][PRIORITY] = mine["lvs_vrrp"]["priority"]
        mine["lvs_vrrp"] = dict(without[0])


def _unicast(values: list[dict[str, Any]]) -> None:
    """Peers are listed once for all directors: each leaves itself out."""
    listed: dict[str, set[str]] = {}
    for name, settings in ((name, each) for mine in values for name, each in _instances(mine)):
        listed.setdefault(name, set()).update(settings.get("unicast", []))
    for mine in values:
        for name, settings in _instances(mine):
            if "unicast" in settings:
                every = sorted(map(ip_address, listed[name]), key=lambda each: (each.version, int(each)))
                settings["unicast"] = [str(each) for each in every]


def _instances(values: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Where peers may stand: in lvs_vrrp itself, and in its instances, by name."""
    vrrp = values.get("lvs_vrrp", {})
    return [("", vrrp), *((each["name"], each) for each in vrrp.get("instances", []))]


def _compare_services(first: Director, other: Director, services: list[Found], remarks: Remarks) -> None:
    theirs = {each.key: each for each in first.services}
    ours = {each.key: each for each in other.services}
    for key, each in theirs.items():
        if key not in ours:
            _of_one(each, first, other, remarks)
    for key, each in ours.items():
        if key not in theirs:
            _of_one(each, other, first, remarks)
            services.append(each)
            continue
        for name, mine, there in _differences(_comparable(each.entry), _comparable(theirs[key].entry)):
            at = f"{first.name} ({theirs[key].place})"
            reason = f"{name} is {mine} at {other.name}, and {there} at {at}, which is written"
            remarks.lost(each.place, [each.entry["name"]], reason)


def _of_one(service: Found, director: Director, other: Director, remarks: Remarks) -> None:
    """A service that only one of two directors has: it is its own where the other one holds the VIP, too."""
    if service.vip is not None and service.vip in {each.vip for each in other.services}:
        service.entry = written({**service.entry, "directors": [director.name]})
        reason = f"{other.name} has no such service: {director.name} alone has it, whichever of the two is master"
    else:
        reason = f"{other.name} has no such service; it is written for both, which need the same services"
    remarks.note(service.place, [service.entry["name"]], reason)


def _merged(first: Director, other: Director, remarks: Remarks) -> dict[str, Any]:
    """The other director's variables, with the first one's wherever both have to agree."""
    found: dict[str, Any] = {}
    for variable in dict.fromkeys([*first.variables, *other.variables]):
        mine, there = other.variables.get(variable), first.variables.get(variable)
        place = other.places.get(variable, other.place)
        if variable in _OWN or variable not in _SHARED:
            found[variable] = mine
            if variable not in _OWN and mine != there:
                _note_own(variable, mine, there, place, remarks)
        elif isinstance(mine, dict) and isinstance(there, dict):
            found[variable] = _agreed(variable, mine, there, place, remarks)
        else:
            found[variable] = there
            if mine != there:
                _lose(variable, mine, there, place, remarks)
    _note_priorities(first, other, remarks)
    return {key: value for key, value in found.items() if value is not None}


def _agreed(path: str, mine: dict[str, Any], there: dict[str, Any], place: Place, remarks: Remarks) -> dict[str, Any]:
    """Settings of which some have to be the same on both directors."""
    found = dict(mine)
    for key in dict.fromkeys([*there, *mine]):
        here, elsewhere = mine.get(key), there.get(key)
        if key in ("priority", "unicast") or _same(here, elsewhere):
            # The order of a list says nothing: what is the same is written in the same way.
            found[key] = here if key in ("priority", "unicast") else elsewhere
        elif key == "instances" and here and elsewhere:
            found[key] = _agreed_instances(path, here, elsewhere, place, remarks)
        elif key in _SHARED[path.partition(".")[0]]:
            found[key] = elsewhere
            _lose(f"{path}.{key}", here, elsewhere, place, remarks)
        else:
            _note_own(f"{path}.{key}", here, elsewhere, place, remarks)
    return {key: value for key, value in found.items() if value is not None}


def _agreed_instances(path: str, mine: list[Any], there: list[Any], place: Place, remarks: Remarks) -> list[Any]:
    waiting = list(mine)
    found = []
    for each in there:
        name = each["name"]
        same = _same_instance(each, waiting)
        if same is None:
            remarks.lost(place, [f"{path}.{name}"], "there is no such instance here; it is written for both")
            found.append({key: value for key, value in each.items() if key != "priority"})
            continue
        waiting.remove(same)
        if same["name"] != name:
            remarks.note(place, [f"{path}.{name}"], f"it is called {same['name']} here; both have the first one's name")
        found.append(_agreed(f"{path}.{name}", {**same, "name": name}, each, place, remarks))
    for each in waiting:
        remarks.lost(
            place, [f"{path}.{each['name']}"], "the first director has no such instance, and both need the same"
        )
    return found


def _same_instance(wanted: dict[str, Any], instances: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Which of them it is: by its name, else by its router_id, else by an address that it holds."""
    for same in (_name_of, _router_id_of):
        for each in instances:
            if same(each) == same(wanted):
                return each
    return next((each for each in instances if _held_by(each) & _held_by(wanted)), None)


def _name_of(instance: dict[str, Any]) -> Any:
    return instance["name"]


def _router_id_of(instance: dict[str, Any]) -> Any:
    return instance.get("router_id", instance["name"])


def _held_by(instance: dict[str, Any]) -> set[str]:
    return {*instance.get("vips", ()), *map(repr, instance.get("addresses", ()))}


def _same(mine: Any, there: Any) -> bool:
    if isinstance(mine, list) and isinstance(there, list):
        return sorted(map(repr, mine)) == sorted(map(repr, there))
    return bool(mine == there)


def _lose(path: str, mine: Any, there: Any, place: Place, remarks: Remarks) -> None:
    remarks.lost(place, [path], f"it is {_shown(path, mine)} here; what is written for both is {_shown(path, there)}")


def _note_own(path: str, mine: Any, there: Any, place: Place, remarks: Remarks) -> None:
    reason = (
        f"the directors differ: {_shown(path, mine)} here, {_shown(path, there)} at the first one. Each keeps its own"
    )
    remarks.note(place, [path], reason)


def _note_priorities(first: Director, other: Director, remarks: Remarks) -> None:
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


def _differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys([*theirs, *ours]):
        mine, there = ours.get(key), theirs.get(key)
        if mine != there:
            yield key, _shown(key, mine), _shown(key, there)


def _shown(path: str, value: Any) -> str:
    """A value in a remark: no password, and of what is long only that it is another one."""
    if value is None:
        return "not there"
    if path.endswith(_NOT_SHOWN):
        return "another password"
    text = repr(value) if isinstance(value, (dict, list)) else forms.shown(value)
    return text if len(text) <= _LONGEST and _NOT_SHOWN not in text else "something else"
