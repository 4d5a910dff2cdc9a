# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors that share VIPs: whichever is master, it does the same, and they understand each other's adverts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DEFAULT_TIMEOUTS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    RealServer,
    Service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import (
    Instance,
    Vrrp,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import vrrp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Note
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    kernel_forward,
    real_server,
    virtual_service,
)

_SAME = "directors that share VIPs need the same"


def check_pairs(site: Site) -> Iterator[Mistake]:
    yield from _check_active(site)
    moved = [director for director in site.services if site.is_moved(director)]
    for position, director in enumerate(moved):
        partners = [each for each in site.partners(director) if each in moved[:position]]
        yield from _check_unprepared(site, director)
        if partners:
            yield from _check_services(site, partners[0], director)
            if not (site.host(partners[0]).vrrp.is_wrong or site.host(director).vrrp.is_wrong):
                yield from _check_vrrp(site, partners[0], director)
            yield from _check_sync(site, partners[0], director)
            yield from _check_conntrackd(site, partners[0], director)
        for other in moved[:position]:
            if other in partners:
                yield from _check_priorities(site, other, director)
            else:
                yield from _check_strangers(site, other, director)


def _check_active(site: Site) -> Iterator[Mistake]:
    """Directors that all get packets for a VIP: what one has and another has not breaks when routes change."""
    routed = [director for director in site.services if site.is_routed(director) and not site.is_moved(director)]
    for position, director in enumerate(routed):
        partners = [each for each in site.partners(director) if each in routed[:position]]
        if partners:
            yield from _check_services(site, partners[0], director)


def _check_unprepared(site: Site, director: str) -> Iterator[Mistake]:
    """A director that is a real server too, and is listed by its address alone: nobody keeps packets from a loop."""
    others = site.at_other_directors(director)
    for service in site.services[director] if others else ():
        for entry in service.real_servers if kernel_forward(service) != "nat" else ():
            other = others.get(entry.address) if entry.host is None else None
            # With both, the kernel keeps a backup from handing on; somebody has seen to it.
            if other and not (_is_guarded(site, other) and _is_guarded(site, director)):
                problem = f"{entry.address} is {other}, a director of the same VIPs, and would hand packets on again"
                remedy = f"write host: {other}, and add it to the group {site.inventory.group_name('lvs_real_servers')}"
                yield Mistake(entry.path, problem, remedy)


def _is_guarded(site: Site, director: str) -> bool:
    host = site.host(director)
    return host.sync is not None and dict(host.sysctls).get("net.ipv4.vs.backup_only") == "1"


def _check_services(site: Site, first: str, other: str) -> Iterator[Mistake]:
    if site.services[first] is site.services[other]:
        return
    theirs, ours = ({_key(each): each for each in site.services[name]} for name in (first, other))
    for name, known, elsewhere in ((other, ours, theirs), (first, theirs, ours)):
        for key, service in elsewhere.items():
            if service.directors:
                yield from _check_alone(site, name, service)
            elif key not in known:
                problem = f"has no service such as {service.label}"
                yield Mistake(f"{name}: lvs_services", problem, f"{_SAME} services: add it, or take it away there")
    for key, service in ours.items():
        if key in theirs:
            yield from _compare(theirs[key], service)


def _check_alone(site: Site, partner: str, service: Service) -> Iterator[Mistake]:
    """A service that a partner does not have: the partner holds its VIP nevertheless, or nobody would."""
    for vip in service.vips:
        if vip.address not in site.vips_of(partner):
            problem = f"leaves {vip.address} to these: {partner}, which shares other VIPs with them, would not hold it"
            remedy = f"have another service on {vip.address} that all of the directors have, or leave the key out"
            yield Mistake(f"{service.path}.directors", problem, remedy)


def _key(service: Service) -> tuple[Any, ...]:
    if service.address is None:
        return service.family, service.fwmark
    return service.protocol, service.address, service.port


def _compare(first: Service, other: Service) -> Iterator[Mistake]:
    theirs, ours = said(first), said(other)
    for key, value in ours.items():
        if value != theirs[key]:
            problem = f"is not what {first.path}.{key} is"
            yield Mistake(f"{other.path}.{key}", problem, f"{_SAME} services: write it once, for both")


def said(service: Service) -> dict[str, Any]:
    """Everything that the service says, by key of the model."""
    extra, sorry = service.supervision, service.sorry_server
    return {
        **virtual_service(service),
        "address": (service.address, service.prefix),
        "forward": service.forward,
        "marked": [(each.vip.address, each.vip.prefix, each.protocol, each.ports) for each in service.marked],
        "snat_addresses": service.snat_addresses,
        "helper": service.helper,
        "health_check": [_check(each) for each in extra.health_checks],
        "quorum": extra.quorum,
        "hysteresis": extra.hysteresis,
        "min_up": extra.min_up,
        "quorum_up": extra.quorum_up,
        "quorum_down": extra.quorum_down,
        "inhibit_on_failure": extra.inhibit_on_failure,
        "alpha": extra.alpha,
        "omega": extra.omega,
        "smtp_alert": extra.smtp_alert,
        "group": extra.group,
        "one_way": service.one_way,
        "raw": extra.raw,
        "sorry_server": real_server(sorry) if sorry else None,
        "real_servers": sorted(
            map(_real_server, service.real_servers), key=lambda each: (each["address"], each["port"])
        ),
    }


def _real_server(entry: RealServer) -> dict[str, Any]:
    watch = entry.watch
    checks = None if watch.checks is None else [_check(each) for each in watch.checks]
    return {**real_server(entry), "watch": replace(watch, checks=None), "health_check": checks}


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    """A health check without the director's own part of it."""
    return {key: value for key, value in check.items() if key != "source"}


def _check_vrrp(site: Site, first: str, other: str) -> Iterator[Mistake]:
    theirs, ours = site.host(first).vrrp, site.host(other).vrrp
    path, there = f"{other}: lvs_vrrp", f"{first}: lvs_vrrp"
    instances = _twins(theirs, ours)
    if {each.name for each in ours.instances} != set(instances):
        names = ", ".join(each.name for each in ours.instances)
        problem = f"are {names} here, and {', '.join(instances)} at {there}"
        yield Mistake(f"{path}.instances", problem, f"{_SAME} instances")
        return
    if len(instances) > 1 and ours.sync_group != theirs.sync_group:
        yield _differs(f"{path}.sync_group", ours.sync_group, f"{there}.sync_group", theirs.sync_group)
    if [*map(_members, ours.sync_groups)] != [*map(_members, theirs.sync_groups)]:
        yield Mistake(f"{path}.sync_groups", f"are not those of {there}.sync_groups", f"{_SAME} groups")
    yield from _check_floating(f"{path}.addresses", f"{there}.addresses", theirs, ours)
    for each in ours.instances:
        yield from _check_instance(instances[each.name], each)
    known = _carried(site, first) == _carried(site, other)
    twins = {each.settings.name: each for each in vrrp.carriers(site, first)}
    for carrier in vrrp.carriers(site, other):
        twin, settings = twins.get(instances[carrier.settings.name].name), carrier.settings
        if twin is None:
            continue
        if twin.version != carrier.version and settings.advert_int == twin.settings.advert_int:
            yield _differs(settings.at("version"), carrier.version, twin.settings.at("version"), twin.version)
        if twin.family != carrier.family:
            problem = f"sends its adverts by IPv{carrier.family}, and {first} by IPv{twin.family}"
            yield Mistake(settings.path, problem, "give all directors an lvs_address of that family")
        elif not settings.unicast and not _meet(site, (first, twin), (other, carrier)):
            problem = f"{carrier.interface} is not in a network of {twin.interface} of {first}, and adverts go by these"
            yield Mistake(settings.at("interface"), problem, "name interfaces of one network, or set unicast: true")
        if known and {each.address for each in carrier.carried} != {each.address for each in twin.carried}:
            problem = f"{settings.name} does not carry what {twin.settings.name} of {first} does, by their interfaces"
            yield Mistake(f"{settings.path}.vips", problem, "name the VIPs of each instance in its vips")
        elif known and twin.family == carrier.family and _in_adverts(twin) != _in_adverts(carrier):
            problem = f"is not that of {twin.settings.at('in_adverts')}, and each would drop what the other one sends"
            yield Mistake(settings.at("in_adverts"), problem, f"{_SAME} addresses in them")


def _in_adverts(carrier: vrrp.Carrier) -> set[Any]:
    return {each.address for each in carrier.announced}


def _members(group: tuple[str, tuple[str, ...]]) -> tuple[str, list[str]]:
    return group[0], sorted(group[1])


def _twins(theirs: Vrrp, ours: Vrrp) -> dict[str, Instance]:
    """The first director's instances by what the other one calls them. Where each has one, names do not matter."""
    if len(theirs.instances) == len(ours.instances) == 1:
        return {ours.instances[0].name: theirs.instances[0]}
    return {each.name: each for each in theirs.instances}


def _meet(site: Site, first: tuple[str, vrrp.Carrier], other: tuple[str, vrrp.Carrier]) -> bool:
    """Whether adverts get from one to the other, as far as facts tell. IPv6 goes by link-local addresses anyway."""
    theirs, ours = (_networks(site, name, carrier) for name, carrier in (first, other))
    return bool(theirs & ours) or not (theirs and ours)


def _carried(site: Site, name: str) -> set[Any]:
    return {each.address for carrier in vrrp.carriers(site, name) for each in carrier.carried}


def _check_instance(first: Instance, other: Instance) -> Iterator[Mistake]:
    for key, ours, theirs in (
        ("router_id", other.router_id, first.router_id),
        ("advert_int", other.advert_int, first.advert_int),
        ("unicast", other.unicast, first.unicast),
    ):
        if ours != theirs:
            yield _differs(other.at(key), ours, first.at(key), theirs)
    if other.auth_pass != first.auth_pass:
        yield Mistake(other.at("auth_pass"), f"is not that of {first.at('auth_pass')}", f"{_SAME} password")
    if _hmac(other) != _hmac(first):
        yield Mistake(other.at("auth_hmac"), f"has not the key of {first.at('auth_hmac')}", f"{_SAME} key and id")


def _hmac(instance: Instance) -> tuple[str, int] | None:
    """The modes may differ, while directors get the key one after the other."""
    return None if instance.auth_hmac is None else (instance.auth_hmac.key, instance.auth_hmac.number)


def _check_floating(path: str, there: str, theirs: Vrrp, ours: Vrrp) -> Iterator[Mistake]:
    """A director's only instance has all of its addresses, wherever they are written."""
    if len(ours.instances) == 1:
        path = ours.instances[0].at("addresses") if ours.instances[0].addresses else path
        there = theirs.instances[0].at("addresses") if theirs.instances[0].addresses else there
        places = [(path, ours.floating, there, theirs.floating)]
    else:
        twins = _twins(theirs, ours)
        places = [(path, ours.addresses, there, theirs.addresses)] + [
            (each.at("addresses"), each.addresses, twins[each.name].at("addresses"), twins[each.name].addresses)
            for each in ours.instances
        ]
    for ours_at, own, theirs_at, other in places:
        if _floating(own) != _floating(other):
            yield Mistake(ours_at, f"are not those of {theirs_at}", f"{_SAME} floating addresses")


def _floating(addresses: Any) -> set[tuple[Any, int]]:
    return {(each.address, each.prefix) for each in addresses}


def _differs(path: str, ours: Any, there: str, theirs: Any) -> Mistake:
    ours, theirs = (str(each).lower() if isinstance(each, bool) else each for each in (ours, theirs))
    return Mistake(path, f"is {ours} here and {theirs} at {there}", _SAME)


def _check_priorities(site: Site, first: str, other: str) -> Iterator[Mistake]:
    theirs = _twins(site.host(first).vrrp, site.host(other).vrrp)
    orders = []
    for each in site.host(other).vrrp.instances:
        twin = theirs.get(each.name)
        ours, there = vrrp.priority(site, other, each), vrrp.priority(site, first, twin) if twin else None
        if ours is None or there is None or twin is None:
            continue
        orders.append(ours > there)
        if ours == there:
            problem = f"{ours} is that of {twin.at('priority')} too, and it must be clear who is master"
            yield Mistake(each.at("priority"), problem, "give each director its own")
    if len(set(orders)) > 1 and site.host(other).vrrp.sync_group:
        problem = f"is above that of {first} in some instances and below in others, and they are all in one sync group"
        remedy = "put the directors in the same order everywhere"
        # Where one of them is a real server too, one has to be master of everything.
        if not any(vrrp.may_loop(site, name) for name in (first, other)):
            remedy += ", or set sync_group: false"
        yield Mistake(f"{other}: lvs_vrrp.priority", problem, remedy)


def _check_strangers(site: Site, first: str, other: str) -> Iterator[Mistake]:
    """Two pairs in one network would take each other's adverts for their own."""
    for ours in vrrp.carriers(site, other):
        for theirs in vrrp.carriers(site, first):
            if (ours.settings.router_id, ours.family) != (theirs.settings.router_id, theirs.family):
                continue
            common = _networks(site, other, ours) & _networks(site, first, theirs)
            if common and not (ours.settings.unicast and theirs.settings.unicast):
                problem = (
                    f"{ours.settings.router_id} is that of {first} too, which shares no address with {other}, in "
                    f"{min(common, key=str)}"
                )
                yield Mistake(ours.settings.at("router_id"), problem, "use another one from 1 to 255 for one of them")


def _networks(site: Site, name: str, carrier: vrrp.Carrier) -> set[Any]:
    links = (each for each in site.on_link(name) if each.interface.name == carrier.interface)
    return {each.own.network for each in links if each.own.version == carrier.family}


def _check_sync(site: Site, first: str, other: str) -> Iterator[Mistake]:
    theirs, ours = site.host(first).sync, site.host(other).sync
    if (theirs is None) != (ours is None):
        lacks, has = (first, other) if theirs is None else (other, first)
        yield Mistake(f"{lacks}: lvs_sync", f"is not set, and {has} has it", f"{_SAME}: connections go both ways")
    if theirs is None or ours is None:
        return
    for key in ("syncid", "group", "port"):
        if getattr(ours, key) != getattr(theirs, key):
            there = f"{first}: lvs_sync.{key}"
            yield _differs(f"{other}: lvs_sync.{key}", getattr(ours, key), there, getattr(theirs, key))


def notes(site: Site, director: str) -> Iterator[Note]:
    """How long a connection is remembered should not depend on which director has it."""
    ours = _timeouts(site, director)
    other = next((each for each in site.partners(director) if _timeouts(site, each) != ours), None)
    if other:
        said, there = (
            ", ".join(f"{key} {seconds}" for key, seconds in _timeouts(site, each).items())
            for each in (director, other)
        )
        yield Note(
            f"{director}: lvs_timeouts: comes to {said}, and that of {other}, which shares VIPs, to {there}: "
            "connections that move are remembered for another time"
        )


def _timeouts(site: Site, director: str) -> dict[str, int]:
    return {**DEFAULT_TIMEOUTS, **dict(site.host(director).timeouts)}


def _check_conntrackd(site: Site, first: str, other: str) -> Iterator[Mistake]:
    theirs, ours = site.host(first).conntrackd, site.host(other).conntrackd
    if theirs and ours:
        if theirs.port != ours.port:
            yield _differs(f"{other}: lvs_conntrackd.port", ours.port, f"{first}: lvs_conntrackd.port", theirs.port)
    elif theirs or ours:
        lacks, has = (other, first) if theirs else (first, other)
        yield Mistake(f"{lacks}: lvs_conntrackd", f"is not set, and {has} has it", f"{_SAME}: each tells the other")
