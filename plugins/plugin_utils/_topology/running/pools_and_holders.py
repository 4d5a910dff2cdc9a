# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What health checks and failovers change without a run: who is in the directors' tables, and who holds an address."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cache, partial

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import SERVICE_OPTIONS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    AT_RISK,
    BROKEN,
    WORTH_KNOWING,
    Finding,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Network, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import (
    Info,
    differences,
    endpoint,
    service_name,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import real_server, virtual_service

_OTHERS_SERVE = "The others have its share of the clients."
_NOT_ANNOUNCED = "Other directors have its clients, as long as this one does not announce the VIP."
_NOBODY_SERVES = "New clients of the service get no answer."


def of_tables(
    site: Site, infos: Mapping[str, Info], changes: Mapping[str, Iterable[str]], idle: Container[str]
) -> Iterator[Finding]:
    """What directors do otherwise than the model, by themselves.

    ``infos`` are the tables of the directors that answered, and ``changes`` what a run would change of each: of that
    somebody else is the cause, and it is said already. On ``idle`` directors keepalived does not run, as is said too.
    """
    for director, services in site.services.items():
        if director in infos and director not in idle:
            table = {service_name(each): each for each in infos[director]["services"]}
            said = {_entry(line) for line in changes.get(director, ())}
            announced = cache(partial(_announced, site, director, table))
            for service in services:
                yield from _of_service(site, director, service, table, said, announced)
    alone = {
        service_name(virtual_service(each))
        for services in site.services.values()
        for each in services
        if each.directors
    }
    for partners in dict.fromkeys(map(site.partners, site.services)):
        for line in differences({each: _without(infos[each], alone) for each in partners if each in infos}):
            effect = "What only one of them knows is lost when the other takes over."
            yield Finding(WORTH_KNOWING, " and ".join(partners), line, effect)


def _without(info: Info, alone: Container[str]) -> Info:
    """A table without the services that only some directors are to have."""
    return {**info, "services": [each for each in info["services"] if service_name(each) not in alone]}


# A change of the table in the words of ipvsadm: its service, and its real server where it has one.
_Entry = tuple[str, str]


def _entry(line: str) -> _Entry:
    words = line.split()
    service = " ".join(words[2:4]) + (" -6" if "-6" in words else "")
    return service, words[words.index("-r") + 1] if "-r" in words[:-1] else ""


def _words(service: Service) -> str:
    """The service as ipvsadm calls it."""
    if service.address is None:
        return f"-f {service.fwmark}" + (" -6" if service.family == 6 else "")
    return f"{SERVICE_OPTIONS[service.protocol]} {endpoint(virtual_service(service))}"


def _of_service(
    site: Site,
    director: str,
    service: Service,
    table: Mapping[str, Info],
    said: Container[_Entry],
    announced: Callable[[], Container[Network]],
) -> Iterator[Finding]:
    name, words = service_name(virtual_service(service)), _words(service)
    if not service.real_servers:
        return  # nobody is to serve, and keepalived leaves such a service out
    if name not in table:
        if (words, "") not in said:
            what = f"{name} ({service.name}) is not in the table"
            remedy = f"ansible-playbook lvs.topology.site --limit {director}"
            if site.is_checked(director):
                remedy += "; where it is missing after that, systemctl restart keepalived"
            yield Finding(BROKEN, director, what, _NOBODY_SERVES, remedy)
        return
    pool = {endpoint(each): each for each in table[name]["real_servers"]}
    for entry in service.real_servers:
        where = endpoint(real_server(entry))
        problem = _out(site, director, entry, pool.get(where))
        if problem and (words, where) not in said:
            which = f"{entry.host} {where}" if entry.host else where
            what = f"{name} ({service.name}): {problem.format(which)}"
            yield Finding(AT_RISK, director, what, _OTHERS_SERVE, _why(site, director, entry))
    if not any(each["weight"] for each in pool.values()):
        what = f"{name} ({service.name}) has no real server for new connections"
        yield Finding(*_without_pool(site, director, service, announced, what))


def _without_pool(
    site: Site, director: str, service: Service, announced: Callable[[], Container[Network]], what: str
) -> tuple[str, str, str, str]:
    """How bad it is that a director has nobody for new clients of a service: degree, director, what, and effect."""
    if not site.is_routed(director) or len(site.partners(director)) == 1:
        return BROKEN, director, what, _NOBODY_SERVES
    for vip in service.vips:
        prefix = bgp.told_of(site, director, vip.address)
        if prefix in announced():
            told = vip.address if bgp.is_vip(prefix) else prefix
            effect = f"It announces {told} for other services, and refuses clients of this one who come by that."
            return BROKEN, director, what, effect
    return AT_RISK, director, what, _NOT_ANNOUNCED


def _announced(site: Site, director: str, table: Mapping[str, Info]) -> frozenset[Network]:
    """What a director tells routers of the services for whose new clients it has somebody."""
    found: set[Network] = set()
    for service in site.services[director]:
        entry = table.get(service_name(virtual_service(service)))
        is_served = entry and any(each["weight"] for each in entry["real_servers"])
        if is_served and bgp.is_announced(site, director, service):
            found.update(bgp.told_of(site, director, vip.address) for vip in service.vips)
    return frozenset(found)


def _out(site: Site, director: str, entry: RealServer, listed: Info | None) -> str:
    """Why the director sends no new clients to a real server that is to have some, whose name is filled in at {}."""
    if not entry.weight:
        return ""
    by_check = site.is_checked(director)
    if listed is None:
        return "a health check took out {}" if by_check else "the table lacks {}"
    if listed["weight"] == 0:
        return "sends no new clients to {}" + (", because of a health check or a drain" if by_check else "")
    return ""


def _why(site: Site, director: str, entry: RealServer) -> str:
    name = entry.host or str(entry.address)
    if site.is_checked(director):
        return f"see what `journalctl -u keepalived` on {director} says of it, and whether {name} serves"
    return f"ansible-playbook lvs.topology.drain -e lvs_drain={name} -e lvs_drain_state=present"


def of_addresses(site: Site, answered: Container[str]) -> Iterator[Finding]:
    """Each address of the service side is on exactly one of those that share it.

    What a fact cache has of a director that did not answer may be old.
    """
    for partners in dict.fromkeys(map(site.partners, site.services)):
        known = [each for each in partners if each in answered and site.is_known(each)]
        for address in dict.fromkeys(address for each in partners for address in site.serving_addresses(each)):
            holders = [each for each in known if site.holds(each, address)]
            if len(holders) > 1 and not all(map(site.is_routed, partners)):
                what = f"{address} is on {' and '.join(holders)}, and both answer for it"
                effect = "Clients reach the one or the other, and lose connections when that changes."
                remedy = "see whether they hear each other's VRRP adverts (protocol 112), and agree on the password"
                yield Finding(BROKEN, " and ".join(holders), what, effect, remedy)
            elif not holders and len(known) == len(partners):
                what = f"{address} is on no director"
                yield Finding(BROKEN, " and ".join(partners), what, "Nobody answers for it.")
