# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pictures and pages of a site show: its hosts, its services and who serves them, as planned and as seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    AT_RISK,
    BROKEN,
    DEGREES,
    WORTH_KNOWING,
    Finding,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.gateways import asked_for as gateways_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import Info, endpoint, service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    kernel_forward,
    real_server,
    virtual_service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.through_vip import check_names

# What only a table has, or what nothing can be said of because not all of the model could be read.
UNDECLARED, UNKNOWN = "not in lvs_services", "not in what could be read"


@dataclass(frozen=True)
class Seen:
    """What a run learned. ``tables`` are those of directors that answered; ``silent`` ones were asked and did not.

    ``is_whole``: nothing of the model could not be read, as it is where a host's addresses are not known.
    """

    tables: Mapping[str, Info]
    silent: tuple[str, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True)
class Node:
    """A host, or an address outside of the inventory. ``role`` is empty, or what a director does at the moment.

    ``details`` are its addresses, ``words`` what else is said of it. ``held`` are the VIPs and floating addresses that
    a director has, or that only it can have.
    """

    name: str
    details: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    role: str = ""
    degree: str = ""
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A service's way to one of its real servers.

    ``weight`` is the model's, None where the model has no such real server. ``counts`` are None without a table.
    ``way`` says what is particular about it: another port, a kind of tunnel.
    """

    target: str
    where: str
    weight: int | None
    way: str = ""
    is_sorry: bool = False
    weight_there: int | None = None
    counts: Mapping[str, int] | None = None
    note: str = ""
    degree: str = ""


@dataclass(frozen=True)
class Served:
    """A service with its links, and the director in whose table it was seen. Without a declaration ``name`` says so."""

    name: str
    where: str
    scheduler: str
    forward: str
    links: tuple[Link, ...]
    director: str = ""
    is_declared: bool = True
    note: str = ""
    degree: str = ""


@dataclass(frozen=True)
class Group:
    """Directors that share VIPs, and what they serve. ``shared`` are the addresses of which no holder is known."""

    directors: tuple[Node, ...]
    services: tuple[Served, ...]
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """``seen`` is None where all this is from the model alone. ``unseen`` is what was not looked at."""

    clients: tuple[Node, ...]
    routers: tuple[Node, ...]
    groups: tuple[Group, ...]
    targets: Mapping[str, Node]
    seen: Seen | None
    findings: tuple[Finding, ...] = ()
    unseen: tuple[str, ...] = ()

    def services(self) -> Iterator[tuple[Group, Served]]:
        for group in self.groups:
            for service in group.services:
                yield group, service


def view(site: Site, seen: Seen | None = None) -> View:
    """The site, before anything is said of its hosts."""
    groups = tuple(_group(site, names, seen) for names in _shared(site))
    targets = {name: _target(site, seen, name, addresses) for name, addresses in _addresses(site).items()}
    for group in groups:
        for served in group.services:
            for link in served.links:
                targets.setdefault(link.target, Node(link.target, (), (link.note,)))
    routers = (name for name in site.inventory.routers if not site.inventory.is_absent(name))
    return View(tuple(map(Node, site.inventory.clients)), tuple(map(Node, routers)), groups, targets, seen)


def marked(drawn: View, findings: tuple[Finding, ...], unseen: tuple[str, ...]) -> View:
    """The same with what was found, each host with the worst of it."""
    worst = _worst(findings)

    def mark(nodes: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(replace(node, degree=worst.get(node.name, node.degree)) for node in nodes)

    return replace(
        drawn,
        clients=mark(drawn.clients),
        routers=mark(drawn.routers),
        groups=tuple(replace(group, directors=mark(group.directors)) for group in drawn.groups),
        targets={node.name: node for node in mark(drawn.targets.values())},
        findings=findings,
        unseen=unseen,
    )


def _addresses(site: Site) -> dict[str, dict[str, None]]:
    """Every real server with the addresses by which it is one."""
    found: dict[str, dict[str, None]] = {}
    for _director, service in site.pairs():
        for entry in service.targets:
            found.setdefault(_name(entry), {})[str(entry.address)] = None
    return found


def _target(site: Site, seen: Seen | None, name: str, addresses: Iterable[str]) -> Node:
    if name not in site.listings:
        return Node(name, (), ("not in the inventory",))
    return Node(name, tuple(addresses), () if seen else _part(site, name))


def _part(site: Site, name: str) -> tuple[str, ...]:
    """What each method asks of the host."""
    forwards = {service.forward for _director, service, _entry in site.listings.get(name, ())}
    gateways = [*gateways_of(site, name, 4), *gateways_of(site, name, 6)]
    through = f"gateway {', '.join(map(str, gateways))}" if gateways else ""
    words = {"dr": "VIP on lo", "tun": "VIP at the tunnel's end", "nat": through}
    return tuple(word for forward, word in words.items() if word and forward in forwards)


def _worst(findings: tuple[Finding, ...]) -> dict[str, str]:
    """The worst degree of each host. What concerns a pair is said of both."""
    worst: dict[str, str] = {}
    for each in sorted(findings, key=lambda one: DEGREES.index(one.degree)):
        for host in {each.host, *each.host.split(" and ")}:
            worst.setdefault(host, each.degree)
    return worst


def _shared(site: Site) -> Iterator[list[str]]:
    """The directors, each once, with those that share VIPs with the first of them."""
    placed: set[str] = set()
    for director in site.services:
        if director not in placed:
            names = [each for each in site.partners(director) if each not in placed]
            placed.update(names)
            yield names


def _name(entry: RealServer) -> str:
    return entry.host or str(entry.address)


@dataclass(frozen=True)
class _Known:
    """Who has which address, and what to say of an entry of a table that the model does not have."""

    hosts: Mapping[Any, str]
    undeclared: str


def _group(site: Site, names: list[str], seen: Seen | None) -> Group:
    services = {service_name(virtual_service(each)): each for name in names for each in site.services[name]}
    tables = {
        name: {service_name(each): each for each in seen.tables[name]["services"]}
        for name in names
        if seen and name in seen.tables
    }
    hosts = {entry.address: _name(entry) for name in names for each in site.services[name] for entry in each.targets}
    known = _Known(hosts, UNDECLARED if seen is None or seen.is_whole else UNKNOWN)
    served = []
    for where, service in services.items():
        director = next((name for name in tables if _holds(site, name, service)), next(iter(tables), None))
        planned = _planned(where, service)
        served.append(planned if director is None else _found(planned, service, director, tables[director], known))
    for name, table in tables.items():
        # They are there for keepalived alone, and a real server is in its service as well.
        of_checks = check_names(site, name)
        for where, found in table.items():
            if where not in services and where not in of_checks:
                served.append(_only_there(where, found, name, known))
    directors = tuple(_director(site, name, seen, is_alone=len(names) == 1) for name in names)
    held = {address for each in directors for address in each.held}
    every = dict.fromkeys(str(address) for name in names for address in site.serving_addresses(name))
    return Group(directors, tuple(served), tuple(address for address in every if address not in held))


def _only_there(where: str, found: Info, director: str, known: _Known) -> Served:
    """A service that a table has and the model has not."""
    links = tuple(_undeclared(each, known) for each in found["real_servers"])
    forward = next((each["forward"] for each in found["real_servers"]), "")
    note = f"in the table of {director}"
    scheduler = found["scheduler"]
    return Served(known.undeclared, where, scheduler, forward, links, director, False, note, WORTH_KNOWING)


def _holds(site: Site, director: str, service: Service) -> bool:
    return any(site.holds(director, vip.address) for vip in service.vips)


def _director(site: Site, name: str, seen: Seen | None, *, is_alone: bool) -> Node:
    addresses = tuple(map(str, site.host(name).addresses))
    serving = site.serving_addresses(name)
    if seen is None:
        return Node(name, addresses, held=tuple(map(str, serving)) if is_alone else ())
    if name in seen.silent:
        return Node(name, addresses, (), "did not answer", AT_RISK)
    if name not in seen.tables:
        return Node(name, addresses, (), "was not asked")
    if not site.is_known(name):
        return Node(name, addresses, (), "addresses unknown", AT_RISK)
    held = tuple(str(address) for address in serving if site.holds(name, address))
    if not serving:
        return Node(name, addresses, (), "has no VIP")
    is_whole = len(held) == len(serving)
    some = f"holds {len(held)} of {len(serving)}"
    if site.is_moved(name):
        role = "master" if is_whole else some if held else "standby"
    else:
        role = "holds all VIPs" if is_whole else some
    return Node(name, addresses, (), role, "", held)


def _planned(where: str, service: Service) -> Served:
    links = tuple(_entry(service, entry) for entry in service.targets)
    return Served(service.name, where, service.scheduler, service.forward, links)


def _entry(service: Service, entry: RealServer) -> Link:
    """A real server as the model has it."""
    port = f"port {entry.port}" if service.port and entry.port != service.port else ""
    tunnel = entry.tunnel.kind.upper() if entry.tunnel else ""
    is_sorry = entry is service.sorry_server
    return Link(_name(entry), endpoint(real_server(entry)), entry.weight, tunnel or port, is_sorry)


def _found(planned: Served, service: Service, director: str, table: Mapping[str, Info], known: _Known) -> Served:
    """The service as a table has it, with what the model has besides."""
    found = table.get(planned.where)
    if found is None:
        note, degree = ("not in the table", BROKEN) if service.real_servers else ("", "")
        return replace(planned, director=director, note=note, degree=degree)
    pool = {endpoint(each): each for each in found["real_servers"]}
    is_served = any(each["weight"] for each in pool.values()) or not service.real_servers
    links = [_link(service, entry, pool.pop(endpoint(real_server(entry)), None)) for entry in service.targets]
    links += [_undeclared(each, known) for each in pool.values()]
    note, degree = ("", "") if is_served else ("nobody serves new clients", BROKEN)
    return replace(
        planned, scheduler=found["scheduler"], links=tuple(links), director=director, note=note, degree=degree
    )


def _link(service: Service, entry: RealServer, listed: Info | None) -> Link:
    """One real server of the model, and what the table has of it."""
    planned = _entry(service, entry)
    if listed is None:
        # A sorry server is in the table only while nobody else serves.
        is_missing = entry.weight and not planned.is_sorry
        note, degree = ("not in the table", AT_RISK) if is_missing else ("", "")
        return replace(planned, counts={}, note=note, degree=degree)
    weight, note, degree = listed["weight"], "", ""
    if listed["forward"] != kernel_forward(service):
        note, degree = f"the table says {listed['forward']}", BROKEN
    elif planned.is_sorry:
        note, degree = "serves in place of all others", AT_RISK
    elif weight == 0 and entry.weight:
        note, degree = "it gets no new clients", AT_RISK
    elif weight != entry.weight:
        note, degree = f"weight {entry.weight} in the model", WORTH_KNOWING
    return replace(planned, weight_there=weight, counts=listed["connections"], note=note, degree=degree)


def _undeclared(listed: Info, known: _Known) -> Link:
    address = as_address(listed["address"])
    name = known.hosts.get(address, str(address))
    weight, counts = listed["weight"], listed["connections"]
    link = Link(name, endpoint(listed), None, weight_there=weight, counts=counts)
    return replace(link, note=known.undeclared, degree=WORTH_KNOWING)
