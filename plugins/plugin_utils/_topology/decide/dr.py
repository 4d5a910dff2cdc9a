# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direct routing: the director only changes the frame's destination, and the real server answers the client itself.

So everyone has the VIP, and only the director may answer ARP for it; ports cannot be mapped; director and real server
share a segment; and the answers must not come back to the director, which would drop packets from its own VIP.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import gateways, owners
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import (
    Arp,
    ArpFilter,
    Command,
    Need,
    Neighbour,
    Note,
    VirtualAddress,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site

KERNEL_FORWARD = "dr"


def check(site: Site, director: str, service: Service) -> Iterator[Mistake]:
    for entry in service.targets:
        yield from check_port(service, entry, "direct routing")
        if entry.host == director or entry.address.is_loopback or entry.address.version != service.family:
            continue  # a director that is a real server too answers by itself; a wrong family is said elsewhere
        yield from _check_segment(site, director, entry)
        yield from check_gateway(site, director, service, entry)
        yield from check_static_neighbour(site, director, service, entry)


def check_port(service: Service, entry: RealServer, method: str) -> Iterator[Mistake]:
    """A real server gets packets as the client sent them."""
    if entry.port == service.port:
        return
    if service.fwmark is None:
        problem = f"{entry.port} differs from the service's port {service.port}, and {method} cannot map ports"
        remedy = "leave it out, or use forward: nat"
    else:
        problem = (
            f"{entry.port} has no meaning here: a service by firewall mark has no port, and with {method} a packet "
            "arrives on the port that the client asked for"
        )
        # Not with persistence: ip_vs_sched_persist maps only the service's own port.
        remedy = f"leave it out, or use forward: nat without persistence, which sends all of them to port {entry.port}"
    yield Mistake(f"{entry.path}.port", problem, remedy)


def _check_segment(site: Site, director: str, entry: RealServer) -> Iterator[Mistake]:
    if site.is_known(director) and not site.link_to(director, entry.address):
        yield Mistake(
            entry.path,
            f"{entry.label} is on no network of the director {director}, and direct routing works on one segment",
            "move it there, correct its lvs_address, or use forward: nat",
        )


def check_gateway(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Mistake]:
    if entry.host is None:
        return
    for gateway in gateways.expected(site, entry.host, service.family):
        if gateway in owners.neighbours(site) or gateway in owners.routers_of(site, director):
            continue  # a VIP that is the router's address is a mistake of the VIP
        if not _is_at(site, director, entry, gateway):
            continue
        nat = [] if site.host(entry.host).gateways else gateways.wanted_by_nat(site, entry.host, service.family)
        problem = (
            f"the default gateway of {entry.host}, {gateway}, is the director {director}, "
            "which drops answers that come from its own VIP"
        )
        other = next((each for each, wanted in nat if wanted == gateway), None)
        if other:
            problem += f", because {other.label} is NAT and {service.label} is not"
            yield Mistake(entry.path, problem, "give one of the two other real servers, or the forward of the other")
        else:
            remedy = f"set lvs_gateway of {entry.host} to another router"
            if not gateways.asked_for(site, entry.host, service.family):
                # Facts cannot tell who set it.
                command = f"ip -{service.family} route del default via {gateway}"
                remedy = (
                    f"take that route away (on {entry.host}: {command}), or set lvs_gateway to the gateway that it "
                    "shall have now (an earlier run with forward: nat may have set this one)"
                )
            yield Mistake(entry.path, problem, f"{remedy}, or use forward: nat for all its services")


def _is_at(site: Site, director: str, entry: RealServer, gateway: Address) -> bool:
    """Whether the gateway is the director, which IPv6 may know by its link-local address on their segment."""
    if gateway.is_link_local:
        link = site.link_to(director, entry.address)
        return link is not None and any(each.ip == gateway for each in link.interface.addresses)
    floating = (each.address for each in site.floating_of(director))
    return gateway in site.vips_of(director) or gateway in (*site.addresses(director), *floating)


def check_static_neighbour(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Mistake]:
    if not service.vips or not _is_static(site, service, entry):
        return
    if (site.is_moved(director) and len(site.partners(director)) > 1) or site.is_routed(director):
        by = "keepalived moves them" if site.is_moved(director) else "routers send to several by routes"
        problem = f"static_neighbour ties the VIPs to one director's MAC, and {by}"
        yield Mistake(f"{entry.host}: lvs_arp_method", problem, "use sysctl or arptables")
        return
    routers = [each for each in site.inventory.routers if not site.inventory.is_absent(each)]
    path = f"{entry.host}: lvs_arp_method"
    if not routers:
        group = site.inventory.group_name("lvs_routers")
        problem = f"static_neighbour needs a router to write to, and the group {group} has none that is present"
        yield Mistake(path, problem, "add the router, or use sysctl")
        return
    for vip in (each.address for each in service.vips):
        if all(site.is_known(each) and not site.link_to(each, vip) for each in routers):
            problem = f"static_neighbour needs a router on the network of the VIP {vip}: {', '.join(routers)}"
            yield Mistake(path, f"{problem} is not there", "add the right router, or use sysctl")


def _is_static(site: Site, service: Service, entry: RealServer) -> bool:
    return service.family == 4 and entry.host is not None and site.host(entry.host).arp_method == "static_neighbour"


def director(_site: Site, _director: str, service: Service) -> Iterator[Need]:
    # The VIP and the table, which every director has, are all.
    if not service.vips:
        yield Note(
            f"{service.path}: the addresses that carry firewall mark {service.fwmark} are not known here; "
            "real servers get the VIPs of the other services only. Name them with marked"
        )


def real_server(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Need]:
    for vip in service.vips:
        # Never with a shorter prefix: on lo that makes a whole network local.
        yield VirtualAddress(vip.address, full_prefix(vip.address), "lo")
    yield from hide_vip(site, director, service, entry)


def hide_vip(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Need]:
    """What keeps a real server that has the VIP from answering ARP for it."""
    if service.family == 6:
        return  # Linux does not answer neighbour solicitations for an address of another interface
    method = site.host(str(entry.host)).arp_method
    if method == "sysctl":
        # The kernel uses the larger of all and the interface; the value of lo itself has no effect.
        yield Arp("all")
    elif method == "arptables" and service.vips and entry.host in site.partners(director) and entry.host != director:
        problem = f"arptables would keep {entry.host} from answering for the VIPs while it is master"
        yield Mistake(f"{entry.host}: lvs_arp_method", problem, "use sysctl")
    elif method == "arptables" and service.vips and entry.host != director:  # which is to answer for it
        yield Command("arptables")
        link = site.link_to(str(entry.host), entry.address)
        for vip in service.vips:
            yield ArpFilter(vip.address, entry.address, link.interface.name if link else None)


def router(site: Site, director: str, service: Service, name: str) -> Iterator[Need]:
    if any(_is_static(site, service, entry) for entry in service.targets):
        for vip in service.vips:
            yield from _neighbour(site, director, vip.address, name)


def _neighbour(site: Site, director: str, vip: Address, name: str) -> Iterator[Need]:
    link = site.link_to(name, vip)
    if link is None:
        if not site.is_known(name):
            problem = f"are needed to find the interface towards the VIP {vip} (lvs_arp_method: static_neighbour)"
            yield Mistake(f"{name}: facts", problem, f"gather the facts of {name}")
        return
    place = site.place(director, vip)
    if isinstance(place, Mistake):
        yield place
        return
    holder = site.interface(director, place.announce)
    if holder is None or not holder.mac:
        problem = f"do not tell the MAC that answers for the VIP {vip} (lvs_arp_method: static_neighbour)"
        yield Mistake(f"{director}: facts", problem, f"gather the facts of {director}, or use lvs_arp_method: sysctl")
        return
    yield Neighbour(vip, holder.mac, link.interface.name)
