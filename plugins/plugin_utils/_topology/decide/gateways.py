# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Default gateways of real servers: what the topology asks for, and what they will be."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site


def towards(site: Site, director: str, entry: RealServer) -> Address | Mistake:
    """The director's address that the real server reaches directly, for its way back through the director.

    Where several directors may be that, the one that moves with the VIPs.
    """
    host, rip = str(entry.host), entry.address
    floating = [each.address for each in site.floating_of(director)]
    moves = bool(floating) or len(site.partners(director)) > 1
    candidates = [each for each in (floating if moves else site.addresses(director)) if each.version == rip.version]
    problem = f"is needed: no address of the director {director} is on a network of {host}"
    if site.is_known(host):
        # The network that holds the RIP comes first: that is where the director sends the packets to.
        links = sorted(site.on_link(host), key=lambda each: rip not in each.own.network)
        if not (moves or site.is_known(director) or site.inventory.names_address(director)):
            # All that is known is where Ansible reaches the director, which may be in a network for that alone.
            problem = f"is needed: only facts of {director} tell its address in the network of {rip}"
            links = [each for each in links if rip in each.own.network] or links
        reachable = [each for link in links for each in candidates if each in link.own.network]
    elif site.is_known(director):
        networks = [each.own.network for each in site.on_link(director) if rip in each.own.network]
        reachable = [each for each in candidates if any(each in network for network in networks)]
    else:
        reachable = candidates
        problem = f"is needed: the director {director} has no lvs_address, and its facts are not known"
    if reachable:
        return reachable[0]
    if moves:
        partners = " and ".join(site.partners(director))
        problem = f"is needed: no floating address of {partners} is on a network of {host}"
        remedy = f"add one in the network of {rip} to addresses in lvs_vrrp, which moves with the VIPs, or set it"
        return Mistake(f"{host}: lvs_gateway", problem, remedy)
    return Mistake(f"{host}: lvs_gateway", problem, "set it to the gateway that leads back through the director")


def expected(site: Site, name: str, family: int) -> tuple[Address, ...]:
    """The default gateways that the host will have: as the inventory says, else as NAT needs it, else as they are."""
    return site.once(("expected gateways", name, family), lambda: _find_expected(site, name, family))


def _find_expected(site: Site, name: str, family: int) -> tuple[Address, ...]:
    gateways = asked_for(site, name, family) or site.facts(name).gateways
    return tuple(each for each in gateways if each.version == family)


def asked_for(site: Site, name: str, family: int) -> tuple[Address, ...]:
    """The default gateways that the inventory gives the host, or that NAT needs. None: what is there stays."""
    return site.once(("asked for gateways", name, family), lambda: _find_asked_for(site, name, family))


def _find_asked_for(site: Site, name: str, family: int) -> tuple[Address, ...]:
    gateways = site.host(name).gateways
    if gateways is None:
        gateways = tuple(dict.fromkeys(gateway for _service, gateway in wanted_by_nat(site, name, family)))
    return tuple(each for each in gateways if each.version == family)


def wanted_by_nat(site: Site, name: str, family: int) -> list[tuple[Service, Address]]:
    """The services for which the host answers through their director, with the gateway that leads there."""
    return site.once(("wanted by NAT", name, family), lambda: _find_wanted(site, name, family))


def _find_wanted(site: Site, name: str, family: int) -> list[tuple[Service, Address]]:
    wanted = [
        (service, towards(site, director, entry))
        for director, service, entry in site.listings.get(name, ())
        if service.forward == "nat" and service.family == family and director != name
    ]
    return [(service, gateway) for service, gateway in wanted if not isinstance(gateway, Mistake)]
