# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FULLNAT: masquerading whose connections leave with an address of the director as their source.

So the answers come back to the director from wherever the real servers are, and these need no route to the clients. The
kernel has no such method by itself: it takes masquerading, net.ipv4.vs.conntrack and source NAT, all three.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import nat
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Need, Note, SourceNat, Sysctl
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site

KERNEL_FORWARD = "nat"


def check(site: Site, director: str, service: Service) -> Iterator[Mistake]:
    if site.is_known(director):
        own = site.held(director) | site.vips_of(director) | {each.address for each in site.floating_of(director)}
        for position, address in enumerate(service.snat_addresses):
            if address not in own:
                yield Mistake(
                    f"{service.path}.snat_addresses[{position}]",
                    f"{address} is not an address of the director {director}, so no answer would come back to it",
                    "configure it there first, or name an address that the director has",
                )


def director(site: Site, director: str, service: Service) -> Iterator[Need]:
    yield from nat.way_back(site, director, service)
    yield Sysctl("net.ipv4.vs.conntrack", "1")
    yield Note(f"{service.path}: real servers see the director as the client of forward: fullnat")
    sources: dict[tuple[Address, ...], list[Address]] = {}
    for entry in service.targets:
        if entry.host == director or entry.address.is_loopback or entry.address.version != service.family:
            continue  # what is local is not forwarded; a wrong family is said elsewhere
        to = service.snat_addresses or _source(site, director, service, entry)
        if isinstance(to, Mistake):
            yield to
        else:
            sources.setdefault(to, []).append(entry.address)
    for to, destinations in sources.items():
        # Only where real servers see different addresses has a rule to name them.
        yield SourceNat(_key(service), tuple(dict.fromkeys(destinations)) if len(sources) > 1 else (), to)


def _key(service: Service) -> tuple[Address, str, int] | tuple[int, int]:
    if service.address is None:
        return service.fwmark or 0, service.family
    return service.address, service.protocol, service.port


def _source(site: Site, director: str, service: Service, entry: RealServer) -> tuple[Address, ...] | Mistake:
    """The director's address towards a real server.

    One that moves with the VIPs comes first: connections that another director takes over go on with it.
    """
    own = site.address_towards(director, entry.address, service.family)
    if own is not None:
        networks = [each.own.network for each in site.on_link(director) if each.own.ip == own]
        floating = (each.address for each in site.floating_of(director))
        return (next((each for each in floating if any(each in network for network in networks)), own),)
    problem = f"is needed: the director {director} has no IPv{service.family} address towards {entry.label}"
    if not site.is_known(director):
        problem = f"is needed: it is not known which address {director} has towards {entry.label}"
    remedy = f"list the addresses of {director} that real servers shall see, or gather facts"
    return Mistake(f"{service.path}.snat_addresses", problem, remedy)


def real_server(_site: Site, _director: str, _service: Service, _entry: RealServer) -> Iterator[Need]:
    # It talks with the director alone, like with any other host.
    return iter(())


def router(_site: Site, _director: str, _service: Service, _name: str) -> Iterator[Need]:
    return iter(())
