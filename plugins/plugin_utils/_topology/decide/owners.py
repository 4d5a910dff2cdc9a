# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an address is by itself: no VIP can be that, and nothing that moves with VIPs."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site


def of_the_model(site: Site) -> dict[Address, str]:
    """The addresses of directors and of the real servers that they have."""
    owners = {
        entry.address: f"the own address of the real server {entry.host or entry.address}"
        for _director, service in site.pairs()
        for entry in service.targets
    }
    for director in site.services:
        owners.update(dict.fromkeys(site.host(director).addresses, f"the own address of the director {director}"))
    return owners


def neighbours(site: Site) -> Mapping[Address, str]:
    """The addresses that the inventory has for hosts in no service.

    By what address Ansible reaches a host may be somebody else's, who sends it on; facts tell.
    """
    return site.once(("neighbours",), lambda: _neighbours(site))


def _neighbours(site: Site) -> dict[Address, str]:
    inventory = site.inventory
    kinds = (("router", inventory.routers), ("real server", inventory.real_servers), ("client", inventory.clients))
    return {
        address: f"the own address of the {kind} {name}"
        for kind, names in kinds
        for name in names
        if name not in site.services and name not in site.listings and not inventory.is_absent(name)
        for address in inventory.written_addresses(name)
        if inventory.peek(name, "lvs_address") or site.holding(name, address)
    }


def routers_of(site: Site, director: str) -> Mapping[Address, str]:
    """The default gateways of a director. If it takes over the address of one, it is cut off with all behind it.

    A director that is a real server of another one may have an address of that one for its gateway. And what facts show
    on a director is there already. Of what moves with VIPs nothing is said here: a backup may have it for its gateway,
    also while nobody holds it.
    """
    return site.once(("routers of", director), lambda: _routers_of(site, director))


def _routers_of(site: Site, director: str) -> dict[Address, str]:
    if director in site.listings:
        return {}
    return {
        gateway: f"the default gateway of the director {director}"
        for gateway in site.facts(director).gateways
        if not any(site.holding(each, gateway) for each in site.services)
    }
