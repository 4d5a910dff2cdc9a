# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a director tries itself when a site is verified: each of its real servers, by name. Pure.

A real server of NAT and FULLNAT serves its own address, and a connection to that tells enough. One of DR and TUN
serves the VIP: the director reaches it there by a firewall mark, see through_vip.py. As long as it tries, it has a
service by that mark. Where health checks go through the VIP, keepalived does so all the time.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, BROKEN, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Sysctl
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import Info, endpoint, service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    kernel_forward,
    real_server,
    virtual_service,
    whole_service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.clients import tcp_endpoints

# Connections of one director; those that nobody answers are waited for.
_MOST = 500
_REFUSED, _NO_WAY = os.strerror(errno.ECONNREFUSED), os.strerror(errno.ENETUNREACH)
# What keeps a process from trying, and says nothing of whom it would have tried.
_OWN = {os.strerror(each) for each in (errno.EPERM, errno.EACCES, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE)}


# Not compared by value: that would look at all real servers of its service.
@dataclass(frozen=True, eq=False)
class Attempt:
    """A connection to one real server. ``source`` None: whichever the kernel chooses."""

    service: Service
    entry: RealServer
    address: Address
    port: int
    source: Address | None = None

    @property
    def is_through_vip(self) -> bool:
        return self.address != self.entry.address


def questions(site: Site, director: str, *, through: bool) -> dict[str, Any]:
    """The options of the modules that try it. ``through``: also through the VIP, by these services and sysctls."""
    tried = _attempts(site, director, through=through)
    ways = _ways(site, director, tried)
    sysctls = (
        need
        for each in tried
        if each.is_through_vip
        for need in through_vip.answers_let_in(site, director, each.service, each.entry)
    )
    return {
        "endpoints": [_endpoint(each, ways) for each in tried],
        "services": [whole_service(each) for each in ways.values()],
        "sysctls": {each.key: each.value for each in sysctls if isinstance(each, Sysctl)},
    }


def packets(site: Site, director: str, *, through: bool) -> list[dict[str, Any]]:
    """The answers that have to get in, as host_info asks for packets."""
    tried = (each for each in _attempts(site, director, through=through) if each.is_through_vip)
    return [*{answer["name"]: answer for answer in (_answer(site, director, each) for each in tried)}.values()]


def _answer(site: Site, director: str, each: Attempt) -> dict[str, Any]:
    if each.source is None:
        raise AssertionError(f"{each.entry.path} is tried through the VIP from nowhere")
    return through_vip.answer_of(site, director, "tcp", str(each.address), each.port, each.source)


def _ways(site: Site, director: str, tried: Iterable[Attempt]) -> Mapping[through_vip.Key, Service]:
    through = [each for each in tried if each.is_through_vip]
    if not through:
        return {}
    entries = {through_vip.key_of(each.service, each.entry): each.entry for each in through}
    others = through_vip.check_services(site, director)
    # With one real server they are all alike. Another one than the service's would be a kernel module that stays.
    return through_vip.services_by_mark(site, director, entries, others, through[0].service.scheduler)


def _endpoint(each: Attempt, ways: Mapping[through_vip.Key, Service]) -> dict[str, Any]:
    asked: dict[str, Any] = {"name": each.service.name, "address": str(each.address), "port": each.port}
    if each.is_through_vip:
        way = ways[through_vip.key_of(each.service, each.entry)]
        asked |= {"source": str(each.source), "fwmark": way.fwmark}
    return asked


def _attempts(site: Site, director: str, *, through: bool) -> list[Attempt]:
    every = (each for each in _every_attempt(site, director) if through or not each.is_through_vip)
    return [*islice(every, _MOST)]


def _every_attempt(site: Site, director: str) -> Iterator[Attempt]:
    for service in site.services.get(director, ()):
        for entry in service.real_servers:
            # Who gets no client may be down, and a director itself is reached in no such way.
            if entry.weight and entry.host != director and not entry.address.is_loopback:
                yield from _of_entry(site, director, service, entry)


def _of_entry(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Attempt]:
    if kernel_forward(service) == "nat":
        for port in dict.fromkeys(entry.port or port for _vip, port in tcp_endpoints(service)):
            yield Attempt(service, entry, entry.address, port)
    elif not (site.is_checked(director) and through_vip.goes_through_vip(service, entry)):
        source = site.address_towards(director, entry.address, service.family)
        if source is not None and not through_vip.is_passive_as_backup(site, director):
            for vip, port in tcp_endpoints(service):
                yield Attempt(service, entry, vip, port, source)


def of_answers(
    site: Site, director: str, answers: Iterable[Mapping[str, Any]], said: Mapping[str, Any] | None, *, through: bool
) -> Iterator[Finding]:
    """What it found. ``said`` is what the director says of itself. Whom a check took out, its table says already."""
    info: Info | None = said["table"] if said else None
    listed = {} if info is None else {service_name(each): each["real_servers"] for each in info["services"]}
    is_master = any(site.holds(director, vip) for vip in site.vips_of(director))
    told, tried = [*answers], _attempts(site, director, through=through)
    if not _are_of(told, tried):
        yield Finding(AT_RISK, director, "what it tried is not what it was asked to try", "Nothing follows from it.")
        return
    deaf = _unheard(site, director, tried, told, said)
    for each, answer in zip(tried, told):
        pool = {endpoint(one): one["weight"] for one in listed.get(service_name(virtual_service(each.service)), ())}
        if each not in deaf and (info is None or pool.get(endpoint(real_server(each.entry)))):
            yield from _of_answer(director, each, answer, BROKEN if is_master else AT_RISK)


def _are_of(told: Sequence[Mapping[str, Any]], tried: Sequence[Attempt]) -> bool:
    return [(each["address"], each["port"]) for each in told] == [(str(each.address), each.port) for each in tried]


def _unheard(
    site: Site,
    director: str,
    tried: Sequence[Attempt],
    told: Sequence[Mapping[str, Any]],
    said: Mapping[str, Any] | None,
) -> set[Attempt]:
    """The attempts through the VIP that say nothing: the director's own packet filter may have dropped the answers."""
    ways = {each: answer for each, answer in zip(tried, told) if each.is_through_vip}
    # Where a real server answers, the filter lets such answers in, and whoever is silent is so by itself.
    is_silence = all(answer["silent"] for answer in ways.values())
    if said is None:
        return {*ways} if is_silence else set()
    if is_silence and any(each["hook"] == "input" for each in said["obstacles"]):
        return {*ways}
    lost = {each["name"] for each in said["dropped"]} | {*(said["undecided"] if is_silence else ())}
    return {each for each in ways if _answer(site, director, each)["name"] in lost}


def _of_answer(director: str, each: Attempt, answer: Mapping[str, Any], degree: str) -> Iterator[Finding]:
    where = f"through the VIP {each.address}" if each.is_through_vip else "at its own address"
    who = f"{each.entry.label} ({each.service.name})"
    name = each.entry.host or str(each.entry.address)
    if answer["silent"]:
        remedy = f"see whether {name} or something in between drops it"
        if each.is_through_vip:
            remedy = f"see whether {name} has the VIP (a run of lvs.topology.site gives it), and lets packets in"
        what = f"{who} does not answer on port {each.port} {where}"
        yield Finding(degree, director, what, "Clients that are sent there wait in vain.", remedy)
    for reason in answer["failed"]:
        if _says_nothing(each, reason):
            continue
        what = f"{who} cannot be reached on port {each.port} {where}: {reason}"
        remedy = f"see whether {name} is up; or ansible-playbook lvs.topology.drain -e lvs_drain={name}"
        if reason == _REFUSED:
            what = f"{who} refuses connections on port {each.port} {where}"
            remedy = f"start its program; or ansible-playbook lvs.topology.drain -e lvs_drain={name}"
        yield Finding(degree, director, what, "Clients that are sent there get no answer.", remedy)


def _says_nothing(each: Attempt, reason: str) -> bool:
    """Whether it is the director's own trouble."""
    # Who does not hold the VIP may have no way to it, and IPVS comes after that.
    return reason in _OWN or (each.is_through_vip and reason == _NO_WAY)


def of_what_is_left(site: Site, hosts: Iterable[str]) -> Iterator[Finding]:
    """The directors that did not say that the way through the VIP was taken away again."""
    for director in hosts:
        if director in site.services and questions(site, director, through=True)["services"]:
            what = "it may still have what verify needed for the way through the VIP"
            effect = "Services by firewall mark, and answers from the VIP that get in: clients notice nothing."
            remedy = "ansible-playbook lvs.topology.verify -e lvs_verify_through_vip=true"
            yield Finding(AT_RISK, director, what, effect, remedy)


def untried(
    site: Site,
    directors: Iterable[str],
    attempts: Mapping[str, Sequence[Mapping[str, Any]]],
    answers: Mapping[str, Mapping[str, Any]],
    *,
    through: bool,
    did_clients: bool,
) -> list[str]:
    """What of the real servers these directors did not try, and why. ``did_clients``: clients tried the VIPs."""
    said: dict[str, None] = {}
    for director in directors:
        every = [*_every_attempt(site, director)]
        tried = _attempts(site, director, through=through)
        told = attempts.get(director, ())
        if tried and director not in attempts:
            said[f"{director}: it did not connect to its real servers"] = None
        elif len(tried) == _MOST < len(every):
            said[f"{director}: it connected to {_MOST} of {len(every)} ports of its real servers"] = None
        if not (through or did_clients) and any(each.is_through_vip for each in every):
            said["real servers one by one through the VIP: set lvs_verify_through_vip=true"] = None
        if through:
            said |= dict.fromkeys(_without_way(site, director))
        if not _are_of(told, tried):
            continue
        if _unheard(site, director, tried, told, answers.get(director)):
            said[f"{director}: real servers one by one through the VIP: its packet filter may drop the answers"] = None
        for each, answer in zip(tried, told):
            for reason in answer["failed"]:
                if _says_nothing(each, reason):
                    said[f"{director}: {each.entry.label} ({each.service.name}): {reason}"] = None
    return list(said)


def _without_way(site: Site, director: str) -> Iterator[str]:
    """The services whose real servers the director cannot try through the VIP."""
    for service in site.services.get(director, ()):
        entries = [each for each in service.real_servers if not through_vip.goes_through_vip(service, each)]
        if kernel_forward(service) == "nat" or not entries:
            continue
        about = f"{director}: real servers of {service.name} one by one through the VIP"
        if through_vip.is_passive_as_backup(site, director):
            yield f"{about}: with net.ipv4.vs.backup_only a backup forwards nothing"
        elif any(site.address_towards(director, each.address, service.family) is None for each in entries):
            yield f"{about}: it has no IPv{service.family} address towards them"
