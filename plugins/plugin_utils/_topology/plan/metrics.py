# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the role metrics: what the model says of a director, for the program that writes its metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp, conntrackd, guard
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.bird_conf import name_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import VirtualAddress
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pool_shares import quorum
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import key_text
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.through_vip import check_services
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.vrrp import carriers, distinct_vips


def plan_of_metrics(site: Site, name: str) -> dict[str, Any]:
    """What module_utils/_metrics/description.py reads; nothing where the director writes no metrics."""
    host = site.host(name)
    if host.metrics is None:
        return {}
    is_moved, is_checked = site.is_moved(name), site.is_checked(name)
    states = () if host.sync is None else host.sync.states
    # keepalived takes no service without real servers.
    services = [each for each in site.services.get(name, ()) if each.real_servers or not is_checked]
    return {
        "directory": host.metrics.directory,
        "interval": host.metrics.interval,
        "directors": sorted(site.partners(name)),
        "keepalived": is_checked,
        # Where keepalived moves addresses, there is one at a time: a master's or a backup's.
        "sync_daemons": min(len(states), 1) if is_moved else len(states),
        "vips": [
            {
                "address": str(each.address),
                "interface": each.interface,
                "holders": _holders(site, name, each.address),
                "announcers": _announcers(site, name, each.address),
                "aggregate": _in_place_of(site, name, each.address),
            }
            for each in dict.fromkeys(_held(site, name))
        ],
        "aggregates": [
            {
                "prefix": forms.prefix(str(each.prefix)),
                "announcers": sum(
                    any(each.prefix == other.prefix for other in bgp.aggregates(site, director))
                    for director in site.partners(name)
                ),
            }
            for each in bgp.aggregates(site, name)
        ],
        "sessions": list(_sessions(site, name)),
        "conntrackd": conntrackd.is_used(site, name),
        "hidden": [key_text(each) for each in check_services(site, name)] if is_checked else [],
        "services": [_service(each, is_checked=is_checked) for each in services],
    }


def _holders(site: Site, name: str, vip: Address) -> int:
    """On how many directors an address is at once: VRRP has one master, and routers may know several directors."""
    if not site.is_routed(name):
        return 1
    return sum(vip in site.vips_of(each) for each in site.partners(name))


def _announcers(site: Site, name: str, vip: Address) -> int:
    """How many directors announce an address; 0 where this one does not."""

    by = [vip in _announced(site, director) for director in site.partners(name)]
    return sum(by) if vip in _announced(site, name) else 0


def _announced(site: Site, director: str) -> frozenset[Address]:
    return site.once(
        ("announced", director), lambda: frozenset(each.address for each in bgp.announcements(site, director))
    )


def _in_place_of(site: Site, name: str, vip: Address) -> str:
    """The prefix that the director announces in place of an address; empty where it announces that itself."""
    aggregate = bgp.only_aggregate(site, name, vip)
    return forms.prefix(str(aggregate.prefix)) if aggregate else ""


def _sessions(site: Site, name: str) -> Iterator[dict[str, Any]]:
    own = bgp.own(site, name)
    for each in own.neighbours if own else ():
        address = forms.spelling(each.address)
        neighbour = bgp.host_of(site, each.address) or address
        yield {"name": name_of(each), "neighbour": neighbour, "address": address, "bfd": each.bfd is not None}


def _held(site: Site, name: str) -> Iterator[VirtualAddress]:
    """What the director holds, all the time or while it is master."""
    if site.is_moved(name):
        for carrier in carriers(site, name):
            yield from carrier.carried
        return
    for vip in distinct_vips(site, name):
        place = site.virtual_address(name, vip)
        if isinstance(place, VirtualAddress):
            yield place


def _service(service: Service, *, is_checked: bool) -> dict[str, Any]:
    sorry = service.sorry_server
    return {
        "name": service.name,
        "virtual_server": key_text(service),
        "quorum": quorum(service),
        "guard": guard.name_of(service) if is_checked and service.supervision.min_up else "",
        "real_servers": [_real_server(each) for each in service.real_servers],
        "others": [_real_server(sorry)] if sorry else [],
    }


def _real_server(entry: RealServer) -> dict[str, Any]:
    address = forms.spelling(entry.address)
    return {"name": entry.host or address, "address": address, "port": entry.port, "weight": entry.weight}
