# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What directors do at the moment, in lines to read: addresses, services, real servers with their connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import Info, endpoint, service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import virtual_service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.through_vip import check_services


def status(site: Site, infos: Mapping[str, Info]) -> Iterator[str]:
    hosts = {entry.address: host for host, entries in site.listings.items() for _director, _service, entry in entries}
    for director, info in infos.items():
        if director not in site.services:
            yield f"{director}: takes no part (lvs_state is absent, or it is no director of the inventory)"
            continue
        every = (*site.services[director], *check_services(site, director))
        names = {service_name(virtual_service(service)): service.name for service in every}
        held = [str(address) for address in site.serving_addresses(director) if site.holds(director, address)]
        yield f"{director}: holds {', '.join(held) or 'no VIP'}{_daemons(info)}"
        for service in info["services"]:
            name = service_name(service)
            yield f"  {name} {service['scheduler']} ({names.get(name, 'not in lvs_services')})"
            for each in service["real_servers"]:
                yield f"    {_real_server(each, hosts)}"


def _daemons(info: Info) -> str:
    words = [f"{each['state']} (syncid {each['syncid']})" for each in info["daemons"]]
    return f"; synchronisation daemon: {', '.join(words)}" if words else ""


def _real_server(each: Mapping[str, Any], hosts: Mapping[Address, str]) -> str:
    address = as_address(each["address"])
    name = hosts.get(address, "-") if address else "-"
    counts = " ".join(f"{kind} {number}" for kind, number in each["connections"].items() if number or kind == "active")
    return f"{name} {endpoint(each)} {each['forward']} weight {each['weight']} {counts}"
