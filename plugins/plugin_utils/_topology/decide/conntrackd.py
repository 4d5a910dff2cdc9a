# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conntrackd: a director tells its partner what netfilter knows of FULLNAT's connections, so that they survive it.

IPVS's own daemon tells which real server a connection has. Which source address and port it has there, only connection
tracking knows, and without that the new master resets what real servers send. With it, netfilter translates both ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import has_statement
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import fullnat, vrrp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import (
    Command,
    Need,
    Note,
    Replication,
    SourceNat,
    Sysctl,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import OnLink, Site

# IPVS of the other director hears of a connection with its first packet, and again with every fifth. Netfilter alone
# carries it there, and IPVS counts it: for a drain that waits, for limits, and for the scheduler.
_THRESHOLD = "1 5"
_FIFO = "vrrp_notify_fifo"


def is_used(site: Site, name: str) -> bool:
    """Whether conntrackd runs on the director."""
    return site.host(name).conntrackd is not None and site.is_moved(name) and bool(_translated(site, name))


def needs(site: Site, name: str) -> Iterator[Need]:
    """What keeps the director's FULLNAT connections through a failover, or a note that nothing does."""
    settings, path = site.host(name).conntrackd, f"{name}: lvs_conntrackd"
    if settings is None:
        yield from _unsaid(site, name)
    elif not site.is_moved(name):
        problem = f"has no meaning while lvs_manager is {site.host(name).manager}: the VIPs stay where they are"
        yield Mistake(path, problem, "set lvs_manager: keepalived, or leave it out")
    elif not _translated(site, name):
        yield Note(
            f"{path}: no service of {name} has forward: fullnat, so nothing is told, and conntrackd is left alone"
        )
    else:
        yield from _of_pair(site, name, path)


def _translated(site: Site, name: str) -> list[Service]:
    return [each for each in site.services.get(name, ()) if each.forward == "fullnat" and each.targets]


def _others(site: Site, name: str) -> list[str]:
    return [each for each in site.partners(name) if each != name]


def _unsaid(site: Site, name: str) -> Iterator[Note]:
    if site.is_moved(name) and site.host(name).sync and _others(site, name) and _translated(site, name):
        yield Note(
            f"{name}: established connections of forward: fullnat break at a failover, in spite of lvs_sync: nobody "
            "tells the other director which source address and port they have. Set lvs_conntrackd: true where they are "
            "to survive"
        )


def _of_pair(site: Site, name: str, path: str) -> Iterator[Need]:
    host, others = site.host(name), _others(site, name)
    if not others:
        problem = f"no other director shares VIPs with {name}, so there is nobody to tell"
        yield Mistake(path, problem, "leave it out, or add the other director")
    elif len(others) > 1:
        problem = f"tells one other director of connections, and {name} shares its VIPs with {', '.join(others)}"
        yield Mistake(path, problem, "leave it out, or have two directors share these VIPs")
    if host.sync is None:
        problem = (
            "is needed beside lvs_conntrackd: IPVS of the other director would not count the connections that it takes "
            "over, and no drain would wait for them"
        )
        yield Mistake(f"{name}: lvs_sync", problem, "set it to {syncid: 1}, or leave lvs_conntrackd out")
    if vrrp.has_several_masters(site, name):
        problem = "is false, and lvs_conntrackd tells of connections in one direction"
        yield Mistake(f"{name}: lvs_vrrp.sync_group", problem, "leave it out, or leave lvs_conntrackd out")
    for key, lines in (("global_raw", host.keepalived.global_raw), ("raw", host.keepalived.raw)):
        if has_statement(lines, _FIFO):
            problem = f"has a {_FIFO} of its own, and lvs_conntrackd needs the only one that keepalived can have"
            yield Mistake(f"{name}: lvs_keepalived.{key}", problem, "use lvs_vrrp.notify in its place")
    yield from _of_sources(site, name)
    if len(others) == 1 and host.sync is not None:
        replication = replicated(site, name)
        if replication is not None:
            yield replication
    yield Command("conntrackd")
    yield Sysctl("net.ipv4.vs.sync_threshold", _THRESHOLD)


def _of_sources(site: Site, name: str) -> Iterator[Mistake]:
    """A source address that stays behind takes the answers of real servers with it."""
    moving = {*site.serving_addresses(name)}
    seen: set[Address] = set()
    for service in _translated(site, name):
        for need in fullnat.director(site, name, service):
            for position, address in enumerate(need.to if isinstance(need, SourceNat) else ()):
                if address in moving or address in seen:
                    continue
                seen.add(address)
                problem = f"{address} does not move with the VIPs, and lvs_conntrackd cannot keep connections from it"
                remedy = "add an address that moves to lvs_vrrp.addresses, in the network of the real servers"
                if service.snat_addresses:
                    yield Mistake(
                        f"{service.path}.snat_addresses[{position}]", problem, f"name one that does, or {remedy}"
                    )
                else:
                    yield Mistake(f"{name}: lvs_vrrp.addresses", f"{service.label}: {problem}", remedy)


def replicated(site: Site, name: str) -> Replication | Mistake | None:
    """Who tells whom, and by which way. None: what is missing is said elsewhere."""
    settings, others = site.host(name).conntrackd, _others(site, name)
    interface = _interface(site, name)
    held = [each.announced[0].address for each in vrrp.carriers(site, name)]
    if settings is None or len(others) != 1 or interface is None or not held:
        return None
    path, (partner,) = f"{name}: lvs_conntrackd.interface", others
    there = _interface(site, partner)
    if not site.is_known(name):
        return _unknown(path, name, interface)
    for each, where in ((name, interface), (partner, there)):
        if where is not None and site.is_known(each) and not site.interface(each, where):
            names = [one.name for one in site.facts(each).interfaces or ()]
            problem = f"{each} has no interface {where!r}"
            return Mistake(f"{each}: lvs_conntrackd.interface", problem, choose(where, names))
    partners = _addresses(site, partner, there)
    if not partners:
        return _unknown(path, partner, there)
    for own in _links(site, name, interface):
        for address in partners:
            if address in own.own.network:
                ends = held[0], own.own.ip, address, interface
                return Replication(*ends, settings.port, _real_servers(site, name), settings.connections)
    problem = f"{interface} of {name} and {there or 'lvs_address'} of {partner} have no addresses in one network"
    return Mistake(path, problem, "name the interfaces by which the two directors reach each other")


def _unknown(path: str, name: str, interface: str | None) -> Mistake:
    where = interface or "the interface of lvs_address"
    problem = f"is needed where facts do not tell the address of {name} on {where}"
    return Mistake(path, problem, f"run without --limit, so that facts of {name} are gathered")


def _interface(site: Site, name: str) -> str | None:
    """The interface that is named here or for the other daemon, else the one that holds the director's address."""
    host = site.host(name)
    for named in (host.conntrackd, host.sync):
        if named is not None and named.interface is not None:
            return named.interface
    links = (site.link_to(name, address) for address in host.addresses)
    return next((each.interface.name for each in links if each), None)


def _addresses(site: Site, name: str, interface: str | None) -> list[Address]:
    """The director's own addresses there. Without facts, those of the inventory where no other interface is named."""
    if site.is_known(name):
        return [each.own.ip for each in _links(site, name, interface)]
    return [] if interface else [*site.host(name).addresses]


def _links(site: Site, name: str, interface: str | None) -> list[OnLink]:
    """What the director has there by itself: IPv4 first, and the address that the inventory names."""
    named = site.host(name).addresses
    found = [each for each in site.on_link(name) if each.interface.name == interface and each.own.ip not in site.moving]
    return sorted(found, key=lambda each: (each.own.version, each.own.ip not in named, int(each.own.ip)))


def _real_servers(site: Site, name: str) -> tuple[Address, ...]:
    every = {
        entry.address
        for service in _translated(site, name)
        for entry in service.targets
        if entry.host != name and not entry.address.is_loopback and entry.address.version == service.family
    }
    return tuple(sorted(every, key=lambda each: (each.version, int(each))))
