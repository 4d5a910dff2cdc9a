# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes that show only when services, hosts and their networks are seen together, whatever the forwarding method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    Marked,
    RealServer,
    Service,
    Vip,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import (
    bgp_checks,
    own_sources,
    owners,
    vrrp_checks,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.groups import check_groups
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.methods import METHODS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Arp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pairs import check_pairs
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site


def check_site(site: Site, *, are_holders_known: bool = True) -> Iterator[Mistake]:
    """``are_holders_known``: whether the services of a director are its own, and not those of several together."""
    if are_holders_known:
        yield from _check_holders(site)
    yield from check_pairs(site)
    for director in site.services:
        if site.is_moved(director):
            yield from vrrp_checks.check(site, director)
        if site.is_checked(director):
            yield from vrrp_checks.check_identifier(site, director)
        if site.is_routed(director):
            yield from bgp_checks.check(site, director)
        yield from _check_vip_interface(site, director)
        yield from _check_vips_on_lo(site, director)
        yield from _check_prefixes(site, director)
        yield from _check_marks(site, director)
        yield from check_groups(site, director)
        yield from own_sources.check_sources(site, director)
    owned = {**owners.neighbours(site), **owners.of_the_model(site)}
    yield from _check_broadcasts(site)
    for director, service in site.pairs():
        for vip in service.vips:
            yield from _check_vip(site, director, vip, owned)
        yield from _check_families(service)
        if site.is_checked(director):
            yield from _check_sorry_server(service)
        yield from _check_one_packet(service)
        yield from METHODS[service.forward].check(site, director, service)


def check_membership(site: Site) -> Iterator[Mistake]:
    """Who is listed by name, but is in no group whose hosts are prepared."""
    members = set(site.inventory.real_servers)
    group = site.inventory.group_name("lvs_real_servers")
    for name, listings in site.listings.items():
        if name not in members:
            for _director, _service, entry in listings:
                problem = f"{name} is not in the group {group}, so nothing prepares it"
                remedy = "add it to the group, or write address: where somebody else prepares it"
                yield Mistake(f"{entry.path}.host", problem, remedy)


def _check_holders(site: Site) -> Iterator[Mistake]:
    """Without a manager that moves it, a VIP can be on one machine only."""
    holders: dict[Address, list[str]] = {}
    for director in site.services:
        for vip in site.vips_of(director):
            holders.setdefault(vip, []).append(director)
    for vip, directors in holders.items():
        unmoved = [each for each in directors if not site.is_moved(each)]
        if len(directors) > 1 and unmoved and not all(map(site.is_routed, directors)):
            (other, *_others) = (each for each in directors if each != unmoved[-1])
            yield Mistake(
                f"{unmoved[-1]}: lvs_services",
                f"the VIP {vip} is on {other} too, and both would answer for it",
                f"set lvs_manager: keepalived for {' and '.join(unmoved)}, which moves it, or lvs_bgp for all of them, "
                "so that routers know each, or give each director VIPs of its own",
            )


def _check_vip_interface(site: Site, director: str) -> Iterator[Mistake]:
    chosen = site.vip_interface(director)
    if chosen is None or not site.is_known(director) or site.interface(director, chosen):
        return
    names = [interface.name for interface in site.facts(director).interfaces or ()]
    yield Mistake(f"{director}: lvs_vip_interface", f"{director} has no interface {chosen!r}", choose(chosen, names))


def _check_vips_on_lo(site: Site, director: str) -> Iterator[Mistake]:
    if site.host(director).vip_interface != "lo" or site.is_moved(director) or site.is_routed(director):
        return
    hides = _hides_what_lo_has(site, director)
    for vip in dict.fromkeys(vip.address for service in site.services[director] for vip in service.vips):
        if not site.is_on_link(director, vip):
            continue
        path = f"{director}: lvs_vip_interface"
        if vip.version == 6:
            problem = f"the VIP {vip} is on lo, for which the kernel answers no neighbour solicitation"
            yield Mistake(path, problem, "name the NIC whose network holds the VIP")
        elif hides:
            problem = (
                f"the VIP {vip} is on lo, and as a real server with lvs_arp_method sysctl {director} answers ARP "
                "for its NIC's addresses only"
            )
            yield Mistake(path, problem, "put the VIP on the NIC: name the one whose network holds it")


def _hides_what_lo_has(site: Site, name: str) -> bool:
    """Whether the host is a real server too, and answers ARP only for what the receiving interface has."""
    return any(
        isinstance(need, Arp)
        for director, service, entry in site.listings.get(name, ())
        for need in METHODS[service.forward].real_server(site, director, service, entry)
    )


def _check_prefixes(site: Site, director: str) -> Iterator[Mistake]:
    first: dict[Address, Vip] = {}
    for vip in (vip for service in site.services[director] for vip in service.vips):
        if vip.prefix is None:
            continue
        other = first.setdefault(vip.address, vip)
        if other.prefix != vip.prefix:
            yield Mistake(
                vip.path,
                f"the VIP {vip.address} has the prefix {vip.prefix} here and {other.prefix} in "
                f"{other.path.rpartition('.')[0]}",
                "write the prefix once",
            )


def _check_marks(site: Site, director: str) -> Iterator[Mistake]:
    """A packet can carry one mark, and goes to the service of that mark whatever its address says."""
    marking: dict[tuple[Address | None, str], list[tuple[Service, Marked]]] = {}
    served: dict[tuple[Address | None, str], list[Service]] = {}
    for service in site.services[director]:
        served.setdefault((service.address, service.protocol), []).append(service)
    for service in site.services[director]:
        for each in service.marked:
            key = (each.vip.address, each.protocol)
            for other, earlier in marking.get(key, ()):
                if overlap := _overlap(each, earlier):
                    problem = f"{each.protocol} {each.vip.address} {overlap} gets mark {other.fwmark} too"
                    yield Mistake(each.path, f"{problem}, from {earlier.path}", "name each port once")
            marking.setdefault(key, []).append((service, each))
            for shadowed in served.get(key, ()):
                if not each.ports or any(low <= shadowed.port <= high for low, high in each.ports):
                    problem = f"its packets get mark {service.fwmark} from {each.path}, and never come here"
                    yield Mistake(shadowed.path, problem, "take the port out there, or this service away")


def _overlap(one: Marked, other: Marked) -> str | None:
    """The first ports that both name, in words."""
    for low, high in one.ports or ((1, 65535),):
        for first, last in other.ports or ((1, 65535),):
            start, end = max(low, first), min(high, last)
            if start <= end:
                return f"port {start}" if start == end else f"ports {start} to {end}"
    return None


def _check_vip(site: Site, director: str, virtual: Vip, owned: Mapping[Address, str]) -> Iterator[Mistake]:
    path, vip = virtual.path, virtual.address
    owner = owned.get(vip) or owners.routers_of(site, director).get(vip)
    if owner:
        problem = f"the VIP {vip} is {owner}"
        yield Mistake(path, problem, "use an address that no host has by itself")


def _check_broadcasts(site: Site) -> Iterator[Mistake]:
    """What no single host can be, among the addresses that somebody is to have, or is sent to."""
    for name in dict.fromkeys([*site.services, *site.listings]):
        ends = _ends(site, name)
        # Any router answers by the one of IPv6 (RFC 4291, section 2.6.1), which makes it a gateway.
        gateways = [each for each in site.host(name).gateways or () if each.version == 4]
        written: list[tuple[str, Address]] = [(f"{name}: lvs_gateway", each) for each in gateways]
        if name in site.services:
            written += [(each.path, each.address) for each in site.floating_of(name)]
        for service in site.services.get(name, ()):
            written += [(vip.path, vip.address) for vip in service.vips]
            written += [(_place(site, entry), entry.address) for entry in service.targets]
        for path, address in written:
            if address in ends:
                yield Mistake(path, f"{address} is {ends[address]}, where {name} is", "use another address of it")


def _ends(site: Site, name: str) -> dict[Address, str]:
    """By address, what it is of a network of the host. The lowest one of IPv4 is like others, from Linux 5.14 on."""
    found: dict[Address, str] = {}
    for link in site.on_link(name):
        network = link.own.network
        if network.prefixlen >= full_prefix(link.own.ip) - 1:
            continue
        if network.version == 4:
            found[network.broadcast_address] = f"the broadcast address of {network}"
        else:
            found[network.network_address] = f"the address of all routers of {network}"
    return found


def _place(site: Site, entry: RealServer) -> str:
    """Where the address of a real server is written."""
    host = entry.host
    if host is not None and site.inventory.names_address(host) and entry.address in site.host(host).addresses:
        return f"{host}: lvs_address"
    return entry.path


def _check_families(service: Service) -> Iterator[Mistake]:
    if service.forward == "tun":
        return  # one family inside the other: the kernel can do it in tunnels, and only there
    for entry in service.targets:
        if entry.address.version != service.family:
            yield Mistake(
                entry.path,
                f"{entry.label} is IPv{entry.address.version}, and the service is IPv{service.family}",
                f"write its IPv{service.family} address as address: beside or instead of host:",
            )


def _check_sorry_server(service: Service) -> Iterator[Mistake]:
    """keepalived refuses one that is a real server as well, where that stays in the table when it fails."""
    sorry = service.sorry_server
    if sorry is None:
        return
    for entry in service.real_servers:
        own = entry.watch.inhibit_on_failure
        stays = service.supervision.inhibit_on_failure if own is None else own
        if stays and (entry.address, entry.port) == (sorry.address, sorry.port):
            problem = f"is {entry.label}, a real server that inhibit_on_failure keeps in the table"
            yield Mistake(sorry.path, problem, "name another one, or leave inhibit_on_failure out")


def _check_one_packet(service: Service) -> Iterator[Mistake]:
    if service.one_packet and not service.one_way and METHODS[service.forward].KERNEL_FORWARD == "nat":
        yield Mistake(
            f"{service.path}.one_packet",
            f"keeps no connection by which the director would know the answers of forward: {service.forward}; "
            "they would reach clients with the real servers' addresses",
            "leave it out, use forward: dr, or say one_way: true where real servers answer nothing, as with syslog",
        )
