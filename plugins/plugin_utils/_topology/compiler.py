# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology compiler: hostvars and groups -> the plan of one host in one role, or every mistake of the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import ARP_NAMES
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import vrrp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adoption import as_model
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.checks import check_membership, check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.infos import read_info, read_infos, read_listings
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.inventory import (
    DEFAULT_PURGE,
    OVERRIDABLE,
    Inventory,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.keepalived import keepalived_plan, weight
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.listings import left_empty, listings
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.methods import METHODS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import (
    Mistake,
    WrongModel,
    as_lines,
    choose,
    did_you_mean,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import (
    ROLES,
    Address,
    Host,
    RealServer,
    Service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.nat import forwarding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.needs import (
    Arp,
    ArpFilter,
    Command,
    Gateway,
    KernelModule,
    KernelOption,
    KernelRelease,
    Mark,
    Need,
    Neighbour,
    Note,
    SegmentSize,
    SourceNat,
    SyncDaemon,
    Sysctl,
    TunnelEnd,
    VirtualAddress,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.parse import parse_services, written_vips
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.status import status
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.table import (
    kernel_forward,
    real_server,
    virtual_service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.trouble import trouble
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import harmless, plain

_T = TypeVar("_T")

_COMMANDS = {
    "director": ["ip", "ipvsadm", "modprobe"],
    "real_server": ["ip"],
    "router": ["ip"],
    "keepalived": [],
}
# A connection whose real server is gone starts anew at once, and persistence does not outlive a weight of 0.
_IPVS_SYSCTLS = ("net.ipv4.vs.expire_nodest_conn", "net.ipv4.vs.expire_quiescent_template")


def host_plan(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    host: str,
    role: str,
    services: Any = None,
    directors: Iterable[str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The plan of a host in a role; WrongModel with every mistake where there is any."""
    mistakes: list[Mistake] = []
    hostvars, groups = _mapping(hostvars, "hostvars"), _mapping(groups, "groups")
    if role not in ROLES:
        raise WrongModel([Mistake("role", f"{show(role)} is not known", choose(role, ROLES))])
    if not isinstance(host, str) or host not in hostvars:
        raise WrongModel([Mistake("host", f"{show(host)} is not in the inventory", "name one of its hosts")])
    # Ansible makes empty text of a template that says none.
    services = None if services == "" else _plain(services, "services")
    overrides = _overrides(variables, mistakes)
    prepared = host if role == "real_server" else None
    inventory = Inventory(hostvars, groups, mistakes, reader=host, overrides=overrides, prepared=prepared)
    names = list(inventory.directors if directors is None else _names(directors, "directors"))
    is_director = role in ("director", "keepalived")
    if is_director and host not in names:
        names.append(host)
    site = _site(inventory, names, services, mistakes, asked=host if is_director else None)
    needs = list(_NEEDS[role](site, host))
    # A list that is given to the role of a real server or router is that of all its directors: it does not tell which
    # of them holds a VIP, or what moves it.
    mistakes += check_site(site, are_holders_known=is_director or not services)
    # A role may be used by itself, with its directors given and without any of our groups.
    if is_director and (directors is None or inventory.has_group("lvs_real_servers")):
        mistakes += check_membership(site)
    mistakes += [need for need in needs if isinstance(need, Mistake)]
    if mistakes:
        raise WrongModel(mistakes)
    needs += _lost_routes(site, host, needs)
    return _plan(role, site, host, needs)


def mistakes_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    hosts: Iterable[str] | None = None,
) -> list[str]:
    """Every mistake of the inventory. With ``hosts``, only these hosts' plans have to be complete."""
    mistakes: list[Mistake] = []
    inventory = Inventory(_mapping(hostvars, "hostvars"), _mapping(groups, "groups"), mistakes)
    site = _site(inventory, inventory.directors, None, mistakes)
    mistakes += check_site(site)
    if inventory.has_group("lvs_real_servers"):
        mistakes += check_membership(site)
    members = {
        "director": site.services,
        "real_server": dict.fromkeys([*inventory.real_servers, *site.listings]),
        "router": inventory.routers,
        "keepalived": site.services,
    }
    wanted = None if hosts is None else set(_names(hosts, "hosts"))
    for role, names in members.items():
        for name in names:
            if (wanted is None or name in wanted) and not inventory.is_absent(name):
                mistakes += [need for need in _NEEDS[role](site, name) if isinstance(need, Mistake)]
    return as_lines(mistakes)


def trouble_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any], infos: Mapping[str, Any]) -> list[str]:
    """What is wrong on the directors as they run, or with the inventory that says how they should."""
    mistakes: list[Mistake] = []
    inventory = Inventory(_mapping(hostvars, "hostvars"), _mapping(groups, "groups"), mistakes)
    site = _site(inventory, inventory.directors, None, mistakes)
    if mistakes:
        return as_lines(mistakes)
    return list(
        trouble(site, read_infos(_shown(infos, "infos")), {name: _vips_on(site, name) for name in site.listings})
    )


def _vips_on(site: Site, real_server: str) -> list[Address]:
    """The VIPs that the host has to hold as a real server."""
    needs = _real_server_needs(site, real_server)
    return [need.address for need in needs if isinstance(need, VirtualAddress)]


def status_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any], infos: Mapping[str, Any]) -> list[str]:
    """What the directors do at the moment. Mistakes of the inventory are no reason not to look."""
    inventory = Inventory(_mapping(hostvars, "hostvars"), _mapping(groups, "groups"), [])
    return list(status(_site(inventory, inventory.directors, None, []), read_infos(_shown(infos, "infos"))))


def endpoints_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where clients can connect by TCP, on directors that are present and to services that have anybody to serve."""
    inventory = Inventory(_mapping(hostvars, "hostvars"), _mapping(groups, "groups"), [])
    site = _site(inventory, inventory.directors, None, [])
    found = {
        (service.address, service.port): service.name
        for _director, service in site.pairs()
        if service.address is not None and service.protocol == "tcp" and service.port and service.real_servers
    }
    return [{"name": name, "address": str(address), "port": port} for (address, port), name in found.items()]


def model_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    info: Mapping[str, Any],
    host: str | None = None,
    weight: Any = None,
) -> dict[str, Any]:
    """The lvs_services that ask for a director's table as it is, and what of it they cannot say.

    ``host`` is the director, and ``weight`` what a real server gets whose weight is 0.
    """
    inventory = Inventory(_mapping(hostvars, "hostvars"), _mapping(groups, "groups"), [])
    director = host or next(iter(inventory.directors), "")
    if director not in inventory:
        raise WrongModel([Mistake("host", f"{show(director)} is not in the inventory", "name the director")])
    given = None if weight in (None, "") else forms.integer(weight)
    if weight not in (None, "") and (given is None or not forms.WEIGHTS.low < given <= forms.WEIGHTS.high):
        raise WrongModel([Mistake("weight", f"{show(weight)} is no weight", f"use 1 to {forms.WEIGHTS.high}")])
    site = Site(inventory, {})
    hosts = {address: name for name in inventory.real_servers for address in site.addresses(name)}
    found, problems = as_model(read_info(_shown(info, "info"), "info")["services"], hosts, given)
    if not _adopted(inventory, director, found):
        return {"services": found, "problems": problems}
    services: list[Any] = []
    for each in found:
        # What each of them cannot be by itself, or beside those that stay.
        wrong = _adopted(inventory, director, [*services, each])
        if wrong:
            problems += [f"{each['name']}: left out, because no model can say it so: {line}" for line in wrong]
        else:
            services.append(each)
    return {"services": services, "problems": problems}


def _adopted(inventory: Inventory, director: str, services: list[Any]) -> list[str]:
    """What is wrong with services that somebody else's table has."""
    mistakes: list[Mistake] = []
    site = Site(inventory, {director: parse_services(services, "", inventory, mistakes)})
    mistakes += check_site(site)
    return as_lines(each for each in mistakes if "lvs_services" in each.path)


def listings_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any], hosts: Any) -> list[dict[str, Any]]:
    """Where these hosts are listed as real servers; WrongModel with every mistake where there is any."""
    mistakes: list[Mistake] = []
    groups = _mapping(groups, "groups")
    inventory = Inventory(_mapping(hostvars, "hostvars"), groups, mistakes)
    site = _site(inventory, inventory.directors, None, mistakes)
    found = listings(site, groups, _plain(hosts, "hosts"), mistakes)
    if mistakes:
        raise WrongModel(mistakes)
    return found


def emptied_of(found: Any, tables: Any, batches: Any) -> list[str]:
    """Which services would have no usable real server while each batch of hosts is drained."""
    infos = {
        director: read_info({"services": services}, f"tables.{forms.word(director)}")["services"]
        for director, services in _mapping(_shown(tables, "tables"), "tables").items()
    }
    return left_empty(read_listings(_plain(found, "listings")), infos, _batches(batches))


def _batches(batches: Any) -> list[list[str]]:
    listed = _plain(batches, "batches")
    if not isinstance(listed, list):
        problem = f"must be a list of lists of hosts, is {show(batches)}"
        raise WrongModel([Mistake("batches", problem, "give the hosts that are drained together as one list")])
    return [_names(each, f"batches[{position}]") for position, each in enumerate(listed)]


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongModel([Mistake(what, f"must be a mapping, is {show(value)}", f"give {what} as Ansible has it")])
    return value


def _names(value: Any, what: str) -> list[str]:
    names = _plain(value, what)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WrongModel([Mistake(what, f"must be a list of names of hosts, is {show(value)}", "write each as text")])
    return names


def _shown(value: Any, what: str) -> Any:
    """What a host answered, harmless to show."""
    return harmless(_plain(value, what))


def _plain(value: Any, what: str) -> Any:
    try:
        return plain(value)
    except Exception as error:  # a template may raise anything
        message = " ".join(str(error).split())
        raise WrongModel([Mistake(what, f"cannot be evaluated: {message}", "give plain values")]) from None


def _overrides(variables: Mapping[str, Any] | None, mistakes: list[Mistake]) -> dict[str, Any]:
    overrides = _mapping({} if variables is None else _plain(variables, "variables"), "variables")
    for name in overrides:
        if name not in OVERRIDABLE:
            mistakes.append(Mistake(f"variables.{forms.word(name)}", "is not known", choose(name, OVERRIDABLE)))
    # Of a gateway, null says something: that the default route is left alone.
    return {name: value for name, value in overrides.items() if value is not None or name == "lvs_gateway"}


def _site(
    inventory: Inventory, directors: Iterable[str], given: Any, mistakes: list[Mistake], asked: str | None = None
) -> Site:
    """Every director's services. Directors with the same list share them, and their paths have no director's name.

    A director that is absent has none, unless it is the one whose plan is asked for.
    """
    names = list(map(str, directors))
    if not names and not mistakes:
        group = forms.word(inventory.group_name("lvs_directors"))
        mistakes.append(Mistake("lvs_services", f"no host is in the group {group}", "put the director there"))
    raw: dict[str, Any] = {}
    partners = {} if asked is None else _partners(inventory, asked, given, names)
    for director in names:
        if director != asked and inventory.is_absent(director):
            continue
        if director not in inventory:
            close = did_you_mean(director, inventory.names())
            mistakes.append(Mistake("directors", f"{show(director)} is not in the inventory", f"{close}add it there"))
            continue
        is_set, services = inventory.variable(director, "lvs_services") if given is None else (True, given)
        if is_set:
            raw[director] = services
        else:
            remedy = "set it, to [] where there shall be no service"
            mistakes.append(Mistake(f"{director}: lvs_services", "is not set for this director", remedy))
    raw |= partners
    # Reading what floats is reading hosts, which needs no service.
    floating = frozenset(each.address for name in raw for each in inventory.host(name).vrrp.floating)
    lists = list(raw.values())
    # Of a director whose services cannot be read there is a mistake, and no plan.
    unread = dict.fromkeys([] if asked is None or asked not in inventory else [asked], ())
    if lists and all(each == lists[0] for each in lists):
        shared = parse_services(lists[0], "", inventory, mistakes, floating)
        return Site(inventory, {**unread, **dict.fromkeys(raw, shared)})
    read = {name: parse_services(each, f"{name}: ", inventory, mistakes, floating) for name, each in raw.items()}
    return Site(inventory, {**unread, **read})


def _partners(inventory: Inventory, name: str, given: Any, named: list[str]) -> dict[str, Any]:
    """The directors beside those named that share VIPs with this one, which keepalived manages, and their services.

    Its plan depends on them, and the role asks for the plan of its own host. A list of services that only the role has
    is that of all of them.
    """
    if name not in inventory or inventory.host(name).manager != "keepalived":
        return {}
    own = inventory.variable(name, "lvs_services")[1]
    mine = own if given is None else given
    partners = {}
    for other in inventory.directors:
        if other in named or inventory.is_absent(other):
            continue
        if mine != own and inventory.host(other).manager == "keepalived":
            partners[other] = mine
            continue
        theirs = inventory.variable(other, "lvs_services")[1]
        if written_vips(mine) & written_vips(theirs):
            partners[other] = theirs
    return partners


def _director_needs(site: Site, name: str) -> Iterator[Need]:
    is_moved = site.is_moved(name)
    yield KernelModule("ip_vs")
    for key in _IPVS_SYSCTLS:
        yield Sysctl(key, "1")
    for service in site.services.get(name, ()):
        yield KernelModule(f"ip_vs_{service.scheduler}")
        if service.persistence and service.persistence.engine != "none":
            yield KernelModule(f"ip_vs_pe_{service.persistence.engine}")
        if service.address is not None:
            yield KernelOption(f"IP_VS_PROTO_{service.protocol.upper()}")
        if service.family == 6:
            yield KernelOption("IP_VS_IPV6")
        if not is_moved:
            if not service.real_servers:
                yield Note(f"{service.path}.real_servers: is empty: nobody serves its clients")
            yield from _idle(service)
            yield from _vip_needs(site, name, service)
        for entry in service.targets:
            yield from _reached_elsewhere(site, name, service, entry)
        for each in service.marked:
            yield Mark(service.fwmark or 0, each.vip.address, each.protocol, each.ports)
        yield from METHODS[service.forward].director(site, name, service)
    if is_moved:
        yield from _loop_guard(site, name)
    else:
        yield from _sync_needs(site, name)
        if site.inventory.variable(name, "lvs_vrrp")[1]:
            yield Note(f"{name}: lvs_vrrp: nothing moves addresses while lvs_manager is kernel")
    yield from _inventory_gateways(site, site.host(name))


def _reached_elsewhere(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Need]:
    """The address by which ansible reaches a host is often in a network for that alone."""
    host, address = entry.host, entry.address
    if host is None or host == director or not site.inventory.is_reached_at(host, address):
        return
    if any(_in_one_network(site, host, address, vip.address) for vip in service.vips):
        return
    towards = [*(vip.address for vip in service.vips), *site.addresses(director)]
    for link in site.on_link(host):
        if link.own.version == address.version and address not in link.own.network:
            near = next((each for each in towards if each in link.own.network), None)
            if near is not None:
                yield Note(
                    f"{host}: lvs_address is not set, and packets go to its ansible_host {address}. It also has "
                    f"{link.own.ip} in {link.own.network}, where {near} of the director's side is: set lvs_address to "
                    "the one that they shall go to"
                )
                return


def _in_one_network(site: Site, host: str, one: Address, other: Address) -> bool:
    return any(one in link.own.network and other in link.own.network for link in site.on_link(host))


def _idle(service: Service) -> Iterator[Need]:
    """What only keepalived does."""
    given = [*service.supervision.given, *(["sorry_server"] if service.sorry_server else [])]
    if "health_check" in given:
        yield Note(f"{service.path}.health_check: nothing checks while lvs_manager is kernel")
    others = [key for key in given if key != "health_check"]
    if others:
        yield Note(f"{service.path}: nothing acts on {', '.join(others)} while lvs_manager is kernel")


def _loop_guard(site: Site, name: str) -> Iterator[Need]:
    """A director that is a real server too must hand on nothing while another one is master."""
    entry = vrrp.may_loop(site, name)
    if entry is None:
        return
    yield Sysctl("net.ipv4.vs.backup_only", "1")
    if vrrp.has_several_masters(site, name):
        problem = f"is false, and {entry.path} makes the director {name} a real server too"
        remedy = (
            "leave it out, and give each director one priority for all instances: as backup of one it hands on "
            "nothing, of the other instances neither"
        )
        yield Mistake(f"{name}: lvs_vrrp.sync_group", problem, remedy)
    if site.host(name).sync is None:
        problem = f"is needed: {entry.path} makes the director {name} a real server too"
        remedy = (
            "set it to {syncid: 1}: without a backup daemon net.ipv4.vs.backup_only has no effect, and packets loop"
        )
        yield Mistake(f"{name}: lvs_sync", problem, remedy)


def _sync_needs(site: Site, name: str) -> Iterator[Need]:
    host = site.host(name)
    if host.sync is None:
        return
    path, interface = f"{name}: lvs_sync.interface", host.sync.interface
    if interface is None:
        links = (site.link_to(name, address) for address in host.addresses)
        link = next((each for each in links if each), None)
        if link is None:
            problem = "is needed where facts do not tell the interface that holds lvs_address"
            yield Mistake(path, problem, "name the one on which the directors reach each other")
            return
        interface = link.interface.name
    elif site.is_known(name) and not site.interface(name, interface):
        names = [each.name for each in site.facts(name).interfaces or ()]
        yield Mistake(path, f"{name} has no interface {interface!r}", choose(interface, names))
    for state in host.sync.states:
        yield SyncDaemon(state, interface, host.sync)
    if (
        not site.is_moved(name)
        and len(host.sync.states) == 2
        and dict(host.sysctls).get("net.ipv4.vs.backup_only") == "1"
    ):
        yield Mistake(
            f"{name}: lvs_sync.role",
            "is both, and with net.ipv4.vs.backup_only a director whose backup daemon runs forwards nothing",
            "take net.ipv4.vs.backup_only out of lvs_sysctls, or use one role at a time",
        )


def _vip_needs(site: Site, name: str, service: Service) -> Iterator[Need]:
    for vip in (each.address for each in service.vips):
        yield site.virtual_address(name, vip)


def _keepalived_needs(site: Site, name: str) -> Iterator[Need]:
    if site.is_moved(name):
        yield Command("keepalived")
        yield from vrrp.needs(site, name)
        yield from _sync_needs(site, name)
        yield from _unsaid(site, name)


def _unsaid(site: Site, name: str) -> Iterator[Need]:
    """What the model says, and keepalived cannot be told."""
    for service in site.services.get(name, ()):
        quorum = service.supervision.quorum
        if not service.real_servers:
            yield Note(f"{service.path}: keepalived takes no service without real servers; it is left out until then")
        elif weight(service) < quorum:
            yield Note(
                f"{service.path}.quorum: {quorum} is above the weight of all real servers together; it is lowered"
            )
    every = vrrp.carriers(site, name)
    if site.host(name).sync and len(every) > 1 and vrrp.has_several_masters(site, name):
        first = every[0].settings.name
        yield Note(
            f"{name}: lvs_sync: whoever is master of {first} sends; connections of the other instances stay apart"
        )
    if site.host(name).keep_weights:
        yield Note(f"{name}: lvs_keep_weights: keepalived sets the weights; they are not kept")
    if set(site.host(name).purge).difference(DEFAULT_PURGE):
        yield Note(f"{name}: lvs_purge: keepalived leaves alone what others put in the table; nothing is purged")


def _real_server_needs(site: Site, name: str) -> Iterator[Need]:
    gateways: dict[int, Gateway] = {}
    vips: dict[Address, VirtualAddress] = {}
    is_tuned = False
    # Without a director that is present all real servers are put back, as was asked for.
    if site.services and name not in site.listings:
        yield _unlisted(site, name)
    for director, service, entry in site.listings.get(name, ()):
        for need in METHODS[service.forward].real_server(site, director, service, entry):
            if isinstance(need, Gateway):
                first = gateways.setdefault(need.address.version, need)
                if first.address != need.address:
                    yield _two_gateways(name, first, need)
                    continue
            # A packet to the VIP is local whichever interface holds it: one is enough.
            if isinstance(need, VirtualAddress) and vips.setdefault(need.address, need) != need:
                continue
            is_tuned = is_tuned or isinstance(need, Arp)
            yield need
    if is_tuned:
        yield from _second_tuning(site.host(name))
    yield from _inventory_gateways(site, site.host(name))


def _unlisted(site: Site, name: str) -> Note:
    """What looks like success would leave the clients of whoever meant this host waiting."""
    known = ", ".join(map(str, site.addresses(name))) or "not known"
    others = [str(entry.address) for _director, service in site.pairs() for entry in service.targets if not entry.host]
    listed = f" They list {', '.join(dict.fromkeys(others))}, which no host of the inventory is." if others else ""
    return Note(
        f"{name}: NO SERVICE LISTS THIS HOST as a real server ({', '.join(site.services)}). Nothing is configured "
        f"on it, and what an earlier run configured is put back. Its addresses are {known}.{listed} "
        f"List it with host: {name}, or "
        "with one of its addresses"
    )


def _second_tuning(host: Host) -> Iterator[Mistake]:
    for key, _value in host.sysctls:
        if key.startswith("net.ipv4.conf.") and key.rpartition(".")[2] in ARP_NAMES:
            problem = "is set by lvs_arp_method: sysctl here, and the two would overwrite each other"
            yield Mistake(f"{host.name}: lvs_sysctls[{key}]", problem, "leave it out, or use another lvs_arp_method")


def _two_gateways(name: str, one: Gateway, other: Gateway) -> Mistake:
    problem = f"is needed: {one.because} wants {one.address} as default gateway, {other.because} wants {other.address}"
    return Mistake(f"{name}: lvs_gateway", problem, "set it to the one that leads back through all of them")


def _router_needs(site: Site, name: str) -> Iterator[Need]:
    yield forwarding(4)
    for director, service in site.pairs():
        if service.family == 6:
            yield forwarding(6)
        yield from METHODS[service.forward].router(site, director, service, name)
    yield from _inventory_gateways(site, site.host(name))


def _lost_routes(site: Site, name: str, needs: list[Need]) -> Iterator[Need]:
    """The kernel drops default routes from router advertisements when forwarding is switched on."""
    host = site.host(name)
    sysctls = _sysctls(needs, host)
    forwards = sysctls.get(forwarding(6).key) == forwarding(6).value
    keeps = any(key.endswith(".accept_ra") and value == "2" for key, value in sysctls.items())
    has_route, is_static = (
        any(each.version == 6 for each in of or ()) for of in (site.facts(name).gateways, host.gateways)
    )
    if forwards and has_route and not is_static and not keeps:
        yield Note(
            "IPv6 forwarding makes the kernel ignore router advertisements, and drop the default routes that came from "
            f"them: give {name} its IPv6 default gateway with lvs_gateway, or net.ipv6.conf.INTERFACE.accept_ra: 2 in "
            "lvs_sysctls"
        )


def _inventory_gateways(site: Site, host: Host) -> Iterator[Need]:
    # What moves is on another director now, which may be the gateway of this one.
    own = frozenset(site.addresses(host.name)).difference(site.moving)
    for address in host.gateways or ():
        if address in own:
            problem = f"{address} is an address of {host.name} itself"
            yield Mistake(f"{host.name}: lvs_gateway", problem, "write the router's, or none to leave the route alone")
        yield Gateway(address, "lvs_gateway")


_NEEDS = {
    "director": _director_needs,
    "real_server": _real_server_needs,
    "router": _router_needs,
    "keepalived": _keepalived_needs,
}


def _plan(role: str, site: Site, name: str, needs: list[Need]) -> dict[str, Any]:
    """The needs of a host, each once, as plain data."""
    host = site.host(name)
    plan: dict[str, Any] = {"commands": [*_COMMANDS[role], *(each.name for each in _each(needs, Command))]}
    notes = [each.text for each in _each(needs, Note)]
    said = {"notes": notes} if notes else {}
    if role == "keepalived":
        daemon = next(iter(_each(needs, SyncDaemon)), None)
        return plan | keepalived_plan(site, name, daemon) | said
    if role != "router":
        plan["kernel_modules"] = [each.name for each in _each(needs, KernelModule)]
    if role == "director":
        plan["kernel_options"] = [each.name for each in _each(needs, KernelOption)]
    releases = [{"release": each.release, "because": each.because} for each in _each(needs, KernelRelease)]
    if releases:
        plan["kernels"] = releases
    plan["sysctls"] = _sysctls(needs, host)
    if role == "real_server":
        plan["arp"] = [
            {"interface": each.interface, "arp_ignore": each.arp_ignore, "arp_announce": each.arp_announce}
            for each in _each(needs, Arp)
        ]
        plan["arp_filters"] = [
            _given(vip=str(each.vip), source=str(each.source), interface=each.interface)
            for each in _each(needs, ArpFilter)
        ]
        plan["tunnels"] = [_given(**_words(each)) for each in _each(needs, TunnelEnd)]
    if role != "router":
        plan["addresses"] = [
            _given(
                address=f"{each.address}/{each.prefix}",
                interface=each.interface,
                announce=each.announce,
                deprecated=each.deprecated,
            )
            for each in _each(needs, VirtualAddress)
        ]
    gateways = dict.fromkeys(str(each.address) for each in _each(needs, Gateway))
    plan["gateways"] = [{"gateway": address} for address in gateways]
    if role == "real_server":
        plan["source_routes"] = _source_routes(needs)
    if role == "router":
        plan["neighbours"] = [
            {"address": str(each.address), "lladdr": each.lladdr, "interface": each.interface}
            for each in _each(needs, Neighbour)
        ]
    if role == "director":
        plan["packet_rules"] = _packet_rules(needs, host)
        services = () if site.is_moved(name) else site.services.get(name, ())
        plan["manager"] = host.manager
        plan["services"] = [_service(service) for service in services]
        plan["purge"] = list(host.purge)
        plan["keep_weights"] = host.keep_weights
        plan["timeouts"] = {} if site.is_moved(name) else dict(host.timeouts)
        plan["sync_daemons"] = [_sync_daemon(each) for each in _each(needs, SyncDaemon)]
    return plan | said


def _sync_daemon(daemon: SyncDaemon) -> dict[str, Any]:
    sync = daemon.sync
    return {
        "state": daemon.state,
        "interface": daemon.interface,
        "syncid": sync.syncid,
        "maxlen": sync.maxlen,
        "group": str(sync.group),
        "port": sync.port,
        "ttl": sync.ttl,
    }


def _packet_rules(needs: list[Need], host: Host) -> dict[str, Any]:
    """Empty where there is no rule: then it does not matter which packet filter the host has."""
    marks = [
        _given(
            mark=each.mark,
            address=str(each.address),
            protocol=each.protocol,
            ports=[str(low) if low == high else f"{low}-{high}" for low, high in each.ports] or None,
        )
        for each in _each(needs, Mark)
    ]
    source_nat = [_source_nat(each) for each in _each(needs, SourceNat)]
    return {"backend": host.packet_filter, "marks": marks, "source_nat": source_nat} if marks or source_nat else {}


def _source_nat(need: SourceNat) -> dict[str, Any]:
    if len(need.service) == 2:
        mark, family = need.service
        service: dict[str, Any] = {"fwmark": mark, "family": f"ipv{family}"}
    else:
        address, protocol, port = need.service
        service = {"address": str(address), "port": port, "protocol": protocol}
    addresses = [str(each) for each in need.destinations]
    return service | _given(destinations=addresses or None) | {"to": [str(each) for each in need.to]}


def _sysctls(needs: list[Need], host: Host) -> dict[str, str]:
    sysctls = {each.key: each.value for each in _each(needs, Sysctl)} | dict(host.sysctls)
    return {key: value for key, value in sysctls.items() if value is not None}


def _each(needs: list[Need], kind: type[_T]) -> list[_T]:
    return list(dict.fromkeys(need for need in needs if isinstance(need, kind)))


def _source_routes(needs: list[Need]) -> list[dict[str, Any]]:
    """What answers from a VIP announce: the smallest of what its tunnels can take."""
    sizes: dict[Address, int] = {}
    for each in _each(needs, SegmentSize):
        sizes[each.address] = min(each.size, sizes.get(each.address, each.size))
    return [{"source": str(address), "advmss": size} for address, size in sizes.items()]


def _words(end: TunnelEnd) -> dict[str, Any]:
    words = {"type" if name == "kind" else name: value for name, value in asdict(end).items()}
    return words | {"local": str(end.local) if end.local else None}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _service(service: Service) -> dict[str, Any]:
    """The service for ipvs_table: what is left out there would be left alone."""
    forward = {"forward": kernel_forward(service)}
    return virtual_service(service) | {"real_servers": [real_server(each) | forward for each in service.real_servers]}
