# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it should be while all this runs: the directors' tables, and who holds which address.

Only what a run of the site playbook would not show by itself: health checks and failovers change it without a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Address, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.parity import (
    Info,
    differences,
    endpoint,
    service_name,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.table import real_server, virtual_service

# keepalived gives them to an entry that is new, and leaves them alone in one that is there.
_THRESHOLDS = ("upper_threshold", "lower_threshold")


def trouble(site: Site, infos: Mapping[str, Info], vips: Mapping[str, Iterable[Address]]) -> Iterator[str]:
    """A line for everything. ``infos`` is what ipvs_info returned on each director that answered.

    ``vips`` has the virtual addresses that each real server has to hold.
    """
    for director, services in site.services.items():
        if director not in infos:
            yield f"{director}: says nothing of its table"
            continue
        table = {service_name(each): each for each in infos[director]["services"]}
        for service in services:
            yield from _of_service(director, service, table)
    for partners in dict.fromkeys(map(site.partners, site.services)):
        yield from _of_addresses(site, partners)
        yield from differences({each: infos[each] for each in partners if each in infos})
    for name, wanted in vips.items():
        yield from _of_real_server(site, name, wanted)


def _of_real_server(site: Site, name: str, vips: Iterable[Address]) -> Iterator[str]:
    """Without the VIP a real server drops what a director sends to it: those clients wait for nothing."""
    if not site.is_known(name):
        return
    held = {own.ip for interface in site.facts(name).interfaces or () for own in interface.addresses}
    for vip in dict.fromkeys(vips):
        if vip not in held:
            yield f"{name}: the VIP {vip} is on none of its interfaces"


def _of_service(director: str, service: Service, table: Mapping[str, Info]) -> Iterator[str]:
    name = service_name(virtual_service(service))
    if not service.real_servers:
        return  # nobody is to serve, and keepalived leaves such a service out
    if name not in table:
        yield f"{director}: {name} ({service.name}) is not in the table"
        return
    pool = {endpoint(each): each for each in table[name]["real_servers"]}
    for entry in service.real_servers:
        wanted = real_server(entry)
        where = endpoint(wanted)
        if where not in pool:
            yield f"{director}: {name} ({service.name}) has no real server {entry.host or ''} {where}"
            continue
        if pool[where]["weight"] == 0 and entry.weight:
            yield f"{director}: {name} ({service.name}) sends nobody new to {entry.host or ''} {where}: its weight is 0"
        for key in _THRESHOLDS:
            if pool[where][key] != wanted[key]:
                problem = f"{key} of {entry.host or ''} {where} is {pool[where][key]}, and {wanted[key]} in the model"
                yield f"{director}: {name} ({service.name}): {problem}"
    if not any(each["weight"] for each in pool.values()):
        yield f"{director}: {name} ({service.name}) has no real server for new connections"


def _of_addresses(site: Site, partners: tuple[str, ...]) -> Iterator[str]:
    """Each address of the service side is on exactly one of those that share it."""
    known = [each for each in partners if site.is_known(each)]
    for address in dict.fromkeys(address for each in partners for address in site.serving_addresses(each)):
        holders = [each for each in known if site.holds(each, address)]
        if len(holders) > 1:
            yield f"{address}: {' and '.join(holders)} both hold it, and both answer for it"
        elif not holders and len(known) == len(partners):
            yield f"{address}: is on no director of {', '.join(partners)}"
