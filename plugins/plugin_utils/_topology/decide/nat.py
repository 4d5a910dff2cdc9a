# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAT (masquerading): the director rewrites both directions, so the answers must come back through it.

It forwards, and it must not tell hosts on its segment of a shorter way: on a one-interface director that would be the
way around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import canonical
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import gateways
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import (
    Gateway,
    KernelModule,
    Need,
    Note,
    Sysctl,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Place, Site

KERNEL_FORWARD = "nat"


def check(site: Site, director: str, service: Service) -> Iterator[Mistake]:
    # Real servers may be anywhere and use any port; whether their answers come back is asked when they are compiled.
    for entry in service.targets:
        if entry.host in site.partners(director) and entry.host != director and site.is_moved(director):
            problem = f"{entry.host} is a director of the same VIPs: as master it would be its own default gateway"
            yield Mistake(entry.path, problem, "use forward: dr or fullnat, or another real server")


def director(site: Site, director: str, service: Service) -> Iterator[Need]:
    yield from way_back(site, director, service)
    if service.helper == "ftp":
        yield KernelModule("ip_vs_ftp")
    links = [site.link_to(director, entry.address) for entry in service.targets if entry.host != director]
    for vip in service.vips:
        if any(link and vip.address in link.own.network for link in links):
            yield Note(
                f"{service.path}: the VIP {vip.address} is in the real servers' network; "
                "clients in that network would get answers that did not come through the director, and drop them"
            )


def way_back(site: Site, director: str, service: Service) -> Iterator[Need]:
    """The director forwards the answers, and sends nobody past itself."""
    yield forwarding(service.family)
    links = [site.link_to(director, entry.address) for entry in service.targets if entry.host != director]
    interfaces = [link.interface.name for link in links if link]
    for vip in service.vips:
        place = site.place(director, vip.address)
        if isinstance(place, Place) and place.announce:
            interfaces.append(place.announce)
    if service.family == 4:
        # Redirects are sent where all or the interface says so.
        for interface in dict.fromkeys(["all", *interfaces]):
            yield _off(service.family, interface, "send_redirects")


def real_server(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Need]:
    if entry.host is None or entry.host in site.partners(director):
        return
    link = site.link_to(entry.host, entry.address)
    for interface in ["all", *([link.interface.name] if link else [])]:
        yield _off(service.family, interface, "accept_redirects")
    if site.host(entry.host).gateways is None:
        gateway = gateways.towards(site, director, entry)
        partners = site.partners(director)
        if len(partners) > 1 and not all(map(site.is_moved, partners)):
            return  # that two hold the VIP is refused elsewhere
        if isinstance(gateway, Mistake) and site.host(director).vrrp.is_wrong:
            return  # what is refused there may be the gateway
        yield gateway if isinstance(gateway, Mistake) else Gateway(gateway, service.label)


def router(_site: Site, _director: str, _service: Service, _name: str) -> Iterator[Need]:
    return iter(())


def forwarding(family: int) -> Sysctl:
    return Sysctl("net.ipv4.ip_forward" if family == 4 else "net.ipv6.conf.all.forwarding", "1")


@lru_cache(maxsize=None)
def _off(family: int, interface: str, name: str) -> Sysctl:
    # The notation with slashes, because an interface's name may have dots in it.
    key = canonical(f"net/ipv{family}/conf/{interface}/{name}")
    return Sysctl(str(key), "0")
