# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify: what is asked of which host, and every finding that follows from the answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import NONE
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import conntrackd
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Place, Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import filtering
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.passing import Passing, passing
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import (
    bgp_findings,
    clients,
    conntrackd_findings,
    findings,
    from_director,
    pools_and_holders,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.named_hosts import left_out

_MISTAKES = "mistakes of the inventory, perhaps: without what every host says, much seems to be wrong that is not"


def questions(site: Site, host: str, *, through_vip: bool) -> dict[str, Any]:
    """The options of host_info for a host, but for its plans, and what a director tries."""
    is_director = host in site.services
    of_bgp = bgp_findings.questions(site, host)
    ports = {entry.port for _director, _service, entry in site.listings.get(host, ()) if entry.port}
    return {
        "arp": [*_arp(site, host)] if is_director else [],
        "ports": sorted(ports),
        "interfaces": sorted(_forwarding(site, host)) if is_director else [],
        "packets": [
            *(each.question for each in _passing(site, host)[: filtering.MOST_PACKETS]),
            *(from_director.packets(site, host, through=through_vip) if is_director else ()),
        ],
        "table": is_director,
        **({"conntrackd": True} if is_director and conntrackd.is_used(site, host) else {}),
        **({"bgp": of_bgp} if of_bgp else {}),
        **({"tries": from_director.questions(site, host, through=through_vip)} if is_director else {}),
    }


def _passing(site: Site, host: str) -> list[Passing]:
    """The packets that a host is asked about."""
    return [] if site.host(host).firewall == NONE else passing(site, host)


def _arp(site: Site, director: str) -> Iterator[dict[str, str]]:
    """The director's VIPs, on the interfaces where it holds them."""
    for vip in sorted(site.vips_of(director), key=str):
        for interface in site.holding(director, vip) if vip.version == 4 else ():
            if interface.name != "lo":
                yield {"address": str(vip), "interface": interface.name}


def _forwarding(site: Site, director: str) -> set[str]:
    """The interfaces by which packets of clients come, and by which they go on to real servers."""
    places = [site.place(director, vip) for vip in site.vips_of(director)]
    links = [
        site.link_to(director, entry.address) for service in site.services[director] for entry in service.real_servers
    ]
    names = {each.announce or "" for each in places if isinstance(each, Place)}
    return names.union(link.interface.name for link in links if link) - {""}


def every_finding(
    site: Site, hosts: Iterable[str], answers: Mapping[str, Any], probes: Mapping[str, Any]
) -> list[Finding]:
    """What was found. Of these hosts, one whose answer is missing was not looked at."""
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
        found += filtering.of_filter(site, host, answer["dropped"], answer["firewall"])
        differences = [each for part in answer["parts"].values() for each in part["differences"]]
        changes[host] = [line for each in differences for line in each["changes"]]
        if answer["table"]:
            tables[host] = answer["table"]
    found += pools_and_holders.of_addresses(site, answers)
    found += bgp_findings.every(site, answers)
    idle = {host for host, answer in answers.items() if answer["keepalived"] and not answer["keepalived"]["active"]}
    # One that holds VIPs nevertheless was left behind with them, and clients come to it.
    idle = {
        host
        for host in idle
        if host in site.services
        and site.is_checked(host)
        and not any(site.holds(host, address) for address in site.serving_addresses(host))
    }
    found += conntrackd_findings.of_pairs(site, answers)
    found += pools_and_holders.of_tables(site, tables, changes, idle)
    for client, answered in probes.items():
        found += clients.of_probes(site, client, answered)
    is_silence = any(each["silent"] for answered in probes.values() for each in answered)
    for host, answer in answers.items():
        if is_silence or any("rp_filter" in line for line in changes.get(host, ())):
            found += findings.of_reverse_path(host, answer["counters"]["reverse_path"])
    return found


def unseen(
    site: Site, hosts: Iterable[str], members: Iterable[str], answers: Mapping[str, Any], probes: Mapping[str, Any]
) -> list[str]:
    """What was not looked at, and why. ``hosts`` take part in the run, ``members`` have a role on the site."""
    ours, asked = [*members], [*hosts]
    said = [] if all(host in answers for host in ours) else [_MISTAKES]
    said += [f"{host}: {each}" for host, answer in answers.items() for each in answer["unseen"]]
    said += left_out(ours, asked)
    every = [host for host in site.inventory.clients if host in asked]
    if every:
        said += left_out(site.inventory.clients, asked)
    said += [f"{host}: it did not go through the VIPs as a client" for host in every if host not in probes]
    said += [each for client, answered in probes.items() for each in clients.unasked(site, client, answered)]
    if not every:
        said.append("no client went through the VIPs: there is none in the inventory (lvs_clients), or in this run")
    for host in answers:
        if site.host(host).firewall == NONE:
            said.append(f"{host}: its packet filter, because lvs_firewall is {NONE}")
        said += filtering.not_looked_at(host, len(_passing(site, host)))
    if any(vip.version == 6 for vip in site.vips):
        said.append("who else answers for an IPv6 VIP was not asked on the LAN")
    said += clients.untried(site)
    return list(dict.fromkeys(said))
