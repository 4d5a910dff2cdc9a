# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing or wrong in the VRRP instances of a director."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import special
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import (
    Floating,
    Instance,
    TrackProcess,
    TrackScript,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import owners
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Note
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.own_sources import check_source_of_adverts
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.sync_groups import is_grouped
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.vrrp import (
    Carrier,
    carriers,
    distinct_vips,
    floating_address,
    may_loop,
    own_of,
    sender,
    twin_of,
)


def needs(site: Site, name: str) -> Iterator[Mistake | Note]:
    """What is missing or wrong in the instances of one director."""
    if len(site.partners(name)) > 1 and site.inventory.is_of_the_role_alone(name, "lvs_vrrp"):
        problem = "is set for the role alone, and the other directors, which have to agree with it, do not see it"
        yield Mistake(f"{name}: lvs_vrrp", problem, "set lvs_vrrp in the inventory")
    for vip in distinct_vips(site, name):
        place = site.virtual_address(name, vip)
        if isinstance(place, Mistake):
            yield place
    for floating in site.host(name).vrrp.floating:
        place = floating_address(site, name, floating)
        if isinstance(place, Mistake):
            yield place
    every = carriers(site, name)
    for position, carrier in enumerate(every):
        yield from _check_carrier(site, name, carrier)
        yield from _check_unicast(site, name, carrier)
        for other in every[:position]:
            key, first = _identity(carrier), _identity(other)
            if key == first:
                problem = f"{key[0]} is that of {other.settings.name} too, on {carrier.interface}"
                yield Mistake(carrier.settings.at("router_id"), problem, "give every instance of an interface its own")
    for carrier in every:
        grouped = is_grouped(site.host(name).vrrp, carrier.settings.name, len(every))
        yield from _check_weights(site, name, carrier.settings, is_grouped=grouped)
        if carrier.settings.auth_pass:
            yield Note(
                f"{carrier.settings.at('auth_pass')}: whoever is on that LAN can read it, and become master by it. "
                "keepalived from 2.4.2 on signs adverts, with auth_hmac"
            )


def _check_source(site: Site, name: str, carrier: Carrier) -> Iterator[Mistake]:
    """IPv6 sends adverts from its link-local address, and unicast from lvs_address."""
    interface = site.interface(name, carrier.interface)
    if carrier.family == 6 or carrier.settings.unicast or interface is None:
        return
    if not any(each.version == 4 and each.ip not in site.moving for each in interface.addresses):
        problem = f"{interface.name} of {name} has no IPv4 address of its own to send adverts from"
        yield Mistake(carrier.settings.at("interface"), problem, "name the interface that holds lvs_address")


def _identity(carrier: Carrier) -> tuple[int, int, str | None]:
    return carrier.settings.router_id, carrier.family, carrier.interface


def _tracked(instance: Instance) -> Iterator[tuple[str, TrackScript | TrackProcess]]:
    """What the instance tracks besides interfaces, each with its path."""
    for position, script in enumerate(instance.track_scripts):
        yield f"{instance.at('track_scripts')}[{position}]", script
    for position, process in enumerate(instance.track_processes):
        yield f"{instance.at('track_processes')}[{position}]", process


def _check_weights(site: Site, name: str, settings: Instance, *, is_grouped: bool) -> Iterator[Mistake | Note]:
    for path, each in _tracked(settings):
        if not each.weight:
            continue
        if is_grouped:
            problem = (
                "has no meaning in a sync group: keepalived ignores what would change the priority of one instance"
            )
            remedy = "leave it out, so that a failure makes the director give way"
            if not may_loop(site, name):
                remedy += ", or set sync_group: false"
            yield Mistake(f"{path}.weight", problem, remedy)
        elif not settings.preempt:
            yield Note(
                f"{path}.weight: while preempt is false, the master stays master whatever its priority; leave it out, "
                "so that a failure makes the director give way, or set preempt: true"
            )


def _check_unicast(site: Site, name: str, carrier: Carrier) -> Iterator[Mistake | Note]:
    settings = carrier.settings
    if not settings.unicast:
        return
    path, family = settings.at("unicast"), carrier.family
    others = () if settings.peers else tuple(each for each in site.partners(name) if each != name)
    for each in (name, *others):
        known = carrier.source if each == name else sender(site, each, twin_of(site, each, settings), family)
        if site.named_address(each, family) is None and known is None:
            problem = f"needs the IPv{family} address of {each}, and the inventory does not tell it"
            yield Mistake(path, problem, f"set lvs_address of {each}")
    if site.named_address(name, family) is not None and carrier.source is None:
        yield _no_sender(name, settings, family)
    for each in others:
        yield from _check_peer(site, each, settings, family)
    if settings.peers and not own_of(site, name, settings):
        yield from _check_strange(site, name, carrier, path)
    if settings.peers:
        yield from _check_heard(site, name, carrier, path)
    if not carrier.peers and not others:
        yield Mistake(path, "has no other director to send to", "list the addresses of the others, or leave it out")
    for peer in carrier.peers:
        if peer.version != family:
            problem = f"{peer} is IPv{peer.version}, and {settings.name} sends its adverts by IPv{family}"
            yield Mistake(path, problem, f"write the IPv{family} address")


def _check_peer(site: Site, other: str, settings: Instance, family: int) -> Iterator[Mistake]:
    """Whether it is certain where another director listens: who is sent to elsewhere hears nothing, and is master."""
    twin = twin_of(site, other, settings)
    if twin.interface is None or site.named_address(other, family) is None:
        return
    if not site.is_known(other):
        problem = f"needs the address of {other} on {twin.interface}, and nothing is known of that"
        remedy = f"run without --limit, so that facts of {other} are gathered, or list the addresses of all directors"
        yield Mistake(settings.at("unicast"), problem, remedy)
    elif sender(site, other, twin, family) is None:
        yield _no_sender(other, twin, family)


def _no_sender(name: str, settings: Instance, family: int) -> Mistake:
    problem = f"needs the address from which {name} sends: {settings.interface} has no single IPv{family} address"
    remedy = "list the addresses of all directors, that of this one too"
    return Mistake(settings.at("unicast"), f"{problem} of its own", remedy)


def _check_strange(site: Site, name: str, carrier: Carrier, path: str) -> Iterator[Mistake]:
    """Without facts, an address that nobody is known to have may be the director's own: it would be its own peer."""
    if site.is_known(name):
        return
    elsewhere = {own for other in site.partners(name) if other != name for own in site.addresses(other)}
    strange = [str(each) for each in carrier.peers if each not in elsewhere]
    if strange:
        problem = f"does not tell which of {', '.join(strange)} is an address of {name} itself"
        yield Mistake(path, problem, f"gather facts of {name}, or list lvs_address of each director")


def _check_heard(site: Site, name: str, carrier: Carrier, path: str) -> Iterator[Mistake | Note]:
    """Of directors whose facts are known: who is not sent to hears nothing, and becomes master as well."""
    partners = site.partners(name)
    known = {each: {*site.addresses(each), *site.held(each)} for each in partners if site.is_known(each)}
    peers = {each for each in carrier.peers if each.version == carrier.family and not each.is_link_local}
    nobodys = sorted(map(str, peers.difference(*known.values())))
    for other, addresses in known.items() if peers and not nobodys else ():
        if other != name and not addresses & peers:
            problem = f"lists no address of {other}, which would hear nothing, and be master as well"
            yield Mistake(path, problem, f"add the address that {other} has on that LAN")
    # An address that is translated on the way is seen on nobody.
    if nobodys and len(partners) == len(known) > 1:
        yield Note(
            f"{path}: no director of these VIPs has {', '.join(nobodys)}. Unless a router translates it to an address "
            "of one, nobody hears what is sent there"
        )


def check(site: Site, name: str) -> Iterator[Mistake]:
    """What can be said of a director's instances whatever is known of its network."""
    vrrp, vips = site.host(name).vrrp, site.vips_of(name)
    named: dict[Address, Instance] = {}
    for instance in vrrp.instances:
        for position, vip in enumerate(instance.vips):
            path = f"{instance.path}.vips[{position}]"
            first = named.setdefault(vip, instance)
            if vip not in vips:
                yield Mistake(path, f"no service of {name} has the VIP {vip}", "correct it, or take it out")
            elif first is not instance:
                yield Mistake(path, f"{vip} is with {first.name} already", "name each VIP once")
    seen: dict[Address, Floating] = {}
    for each in vrrp.floating:
        if each.address in vips:
            yield Mistake(each.path, f"{each.address} is a VIP, which moves anyway", "take it out")
        elif seen.setdefault(each.address, each) is not each:
            yield Mistake(each.path, f"{each.address} is {seen[each.address].path} already", "keep one")
        for host in dict.fromkeys([*site.services, *site.listings]):
            if each.address in site.host(host).addresses:
                problem = f"{each.address} is the own address of {host}, and could not move"
                yield Mistake(each.path, problem, "use an address that no host has by itself")
        if each.address in owners.neighbours(site):
            problem = f"{each.address} is {owners.neighbours(site)[each.address]}, and could not move"
            yield Mistake(each.path, problem, "use an address that no host has by itself")
    yield from _check_definitions(vrrp.instances)
    if site.host(name).vip_interface == "lo":
        problem = "lo has no neighbours to whom keepalived could announce the VIPs"
        yield Mistake(f"{name}: lvs_vip_interface", problem, "name the NIC whose network holds them")


def check_identifier(site: Site, name: str) -> Iterator[Mistake]:
    """How keepalived calls itself, with VRRP and without."""
    if special(site.host(name).keepalived.router_id):
        problem = f"is needed: keepalived's configuration does not take the name {name!r}"
        yield Mistake(f"{name}: lvs_keepalived.router_id", problem, "write one with letters, digits, and - _ .")


def _check_definitions(instances: tuple[Instance, ...]) -> Iterator[Mistake]:
    """A script has one definition, whichever instances track it."""
    known: dict[tuple[type, str], tuple[TrackScript | TrackProcess, str, Instance]] = {}
    for instance in instances:
        for path, each in _tracked(instance):
            first, there, other = known.setdefault((type(each), each.name), (each, path, instance))
            if there != path and (first != each or other is instance):
                yield Mistake(path, f"{each.name} is the name of {there} too", "give each a name of its own")


def _check_adverts(site: Site, name: str, carrier: Carrier) -> Iterator[Mistake]:
    """Adverts name what the instance carries. Of an address whose interface is not known, that is said already."""
    settings = carrier.settings
    own = {each.address for each in carrier.carried if each.address.version == carrier.family}
    placed = {each.address for other in carriers(site, name) for each in other.carried}
    held = {*site.vips_of(name), *(each.address for each in site.host(name).vrrp.floating)}
    for address in settings.in_adverts:
        if address not in own and address not in held - placed:
            problem = f"{settings.name} carries no IPv{carrier.family} address {address}, by which it sends adverts"
            yield Mistake(settings.at("in_adverts"), problem, "take it out")


def _check_carrier(site: Site, name: str, carrier: Carrier) -> Iterator[Mistake]:
    settings = carrier.settings
    if carrier.priority is None:
        problem = f"is needed: {name} has no place among the directors of the inventory by which it could be chosen"
        yield Mistake(settings.at("priority"), problem, "write 1 to 254, another one for each director")
    if carrier.interface == "lo":
        problem = "is lo, where no partner hears adverts"
        yield Mistake(settings.at("interface"), problem, "name the interface on which the directors see each other")
    if settings.unicast:
        yield from check_source_of_adverts(site, name, settings.at("unicast_source"), settings.unicast_source)
    if site.is_known(name):
        names = [each.name for each in site.facts(name).interfaces or ()]
        for key, interfaces in (("interface", (settings.interface,)), ("track_interfaces", settings.track_interfaces)):
            for interface in interfaces or ():
                if interface is not None and interface not in names:
                    yield Mistake(settings.at(key), f"{name} has no interface {interface!r}", choose(interface, names))
        yield from _check_source(site, name, carrier)
    yield from _check_adverts(site, name, carrier)
    if carrier.version == 2:
        if carrier.family == 6:
            problem = "2 knows no IPv6, which this instance carries"
            yield Mistake(settings.at("version"), problem, "use 3, or leave it out")
        elif not float(settings.advert_int).is_integer():
            problem = f"2 counts in whole seconds, and advert_int is {settings.advert_int}"
            yield Mistake(settings.at("version"), problem, "use 3, or leave it out")
    elif settings.auth_pass is not None:
        because = "version" if settings.version else "IPv6" if carrier.family == 6 else "advert_int"
        problem = f"VRRP version 3, which {because} asks for here, has no authentication"
        yield Mistake(settings.at("auth_pass"), problem, "leave it out, or use version 2 with IPv4 and whole seconds")
