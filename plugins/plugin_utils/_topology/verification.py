# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify: what is asked of which host, and every finding that follows from the answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import findings, running
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.findings import AT_RISK, DEGREES, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.table import virtual_service

_MISTAKES = "mistakes of the inventory: without an answer of every host much seems to be wrong that is not"
# Of a service with very many real servers.
_MOST_CONNECTIONS = 50


def questions(site: Site, host: str) -> dict[str, Any]:
    """The options of host_info for a host, but for its plans."""
    is_director = host in site.services
    ports = {entry.port for _director, _service, entry in site.listings.get(host, ()) if entry.port}
    return {"arp": [*_arp(site, host)] if is_director else [], "ports": sorted(ports), "table": is_director}


def _arp(site: Site, director: str) -> Iterator[dict[str, str]]:
    """The director's VIPs, on the interfaces where it holds them."""
    for vip in sorted(site.vips_of(director), key=str):
        for interface in site.holding(director, vip) if vip.version == 4 else ():
            if interface.name != "lo":
                yield {"address": str(vip), "interface": interface.name}


def endpoints(site: Site) -> list[dict[str, Any]]:
    """Where clients can connect by TCP, to services that have anybody to serve, and how often to meet all of them."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for _director, service in site.pairs():
        count = min(2 * len(service.real_servers), _MOST_CONNECTIONS)
        for address, port in _tcp(service) if count else ():
            found.setdefault(
                (address, port), {"name": service.name, "address": address, "port": port, "connections": 0}
            )
            found[address, port]["connections"] = max(count, found[address, port]["connections"])
    return list(found.values())


def _tcp(service: Service) -> Iterator[tuple[str, int]]:
    if service.address is not None and service.protocol == "tcp" and service.port:
        yield str(service.address), service.port
    for each in service.marked:
        # Of a range of ports nobody knows on which of them a program listens.
        for low, high in each.ports if each.protocol == "tcp" else ():
            if low == high:
                yield str(each.vip.address), low


def every_finding(
    site: Site, hosts: Iterable[str], answers: Mapping[str, Any], probes: Mapping[str, Any]
) -> list[Finding]:
    """The worst first, each once. Of these hosts, one whose answer is missing was not looked at."""
    found: list[Finding] = []
    tables: dict[str, Any] = {}
    changes: dict[str, list[str]] = {}
    for host in hosts:
        answer = answers.get(host)
        if answer is None:
            found.append(Finding(AT_RISK, host, "could not be looked at", "Nothing is known of it."))
            continue
        found += findings.of_parts(host, answer["parts"])
        found += findings.of_arp(site, host, answer["arp"], answers)
        found += findings.of_listeners(site, host, answer["listeners"])
        found += findings.of_host(site, host, answer)
        differences = [each for part in answer["parts"].values() for each in part["differences"]]
        changes[host] = [line for each in differences for line in each["changes"]]
        if answer["table"]:
            tables[host] = answer["table"]
    found += running.of_addresses(site, answers)
    idle = {host for host, answer in answers.items() if answer["keepalived"] and not answer["keepalived"]["active"]}
    idle = {host for host in idle if host in site.services and site.is_moved(host)}
    found += running.of_tables(site, tables, changes, idle)
    for client, answered in probes.items():
        found += findings.of_probes(client, answered)
    return sorted(dict.fromkeys(found), key=lambda each: DEGREES.index(each.degree))


def unseen(
    site: Site, hosts: Iterable[str], members: Iterable[str], answers: Mapping[str, Any], probes: Mapping[str, Any]
) -> list[str]:
    """What was not looked at, and why. ``hosts`` take part in the run, ``members`` have a role on the site."""
    ours, asked = [*members], [*hosts]
    said = [] if all(host in answers for host in ours) else [_MISTAKES]
    said += [f"{host}: {each}" for host, answer in answers.items() for each in answer["unseen"]]
    said += [f"{host}: it is not part of this run (--limit)" for host in ours if host not in asked]
    clients = [host for host in site.inventory.clients if host in asked]
    said += [f"{host}: it did not go through the VIPs as a client" for host in clients if host not in probes]
    if not clients:
        said.append("no client went through the VIPs: there is none in the inventory (lvs_clients), or in this run")
    if any(vip.version == 6 for vip in site.vips):
        said.append("who else answers for an IPv6 VIP was not asked on the LAN")
    services = dict.fromkeys(service for _director, service in site.pairs() if service.real_servers)
    said += [
        f"{service.name}: no client connected to {service_name(virtual_service(service))}, which has no TCP port to try"
        for service in services
        if not any(_tcp(service))
    ]
    return list(dict.fromkeys(said))
