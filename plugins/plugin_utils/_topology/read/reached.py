# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which address directors reach a host whose lvs_address is not set: what the networks of both tell.

Ansible may reach hosts in a network for that alone. So ansible_host is taken where nothing speaks against it, and where
several addresses are possible nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.facts import Own, own_addresses
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory


@dataclass(frozen=True)
class Side:
    """What a host is looked at from: the directors of a service, its VIPs, and its address family.

    ``foreign`` are all addresses that are no host's own, although facts may show them on one.
    """

    directors: tuple[str, ...] = ()
    vips: frozenset[Address] = frozenset()
    family: int | None = None
    foreign: frozenset[Address] = frozenset()


def address_of(inventory: Inventory, host: str, family: int, side: Side) -> Address | Mistake:
    """The host's address of a family, or what has to be set, for an inventory that does not say it."""
    ansibles = as_address(inventory.variable(host, "ansible_host")[1])
    problem = None if ansibles is None else forms.OWN_ADDRESS.problem(ansibles)
    here = ansibles if ansibles is not None and problem is None and ansibles.version == family else None
    if inventory.facts(host).interfaces is not None:
        return _by_facts(inventory, host, family, side, here)
    if here is None:
        reason = f", and its ansible_host {ansibles} {problem}" if problem else ""
        return _needed(host, f"no IPv{family} address of {host} is known{reason}")
    if _is_beside(inventory, here, side):
        return here
    remedy = f"{_remedy(host)}, or do not limit the run"
    return _needed(host, f"whether its ansible_host {here} is for Ansible alone, only facts of {host} tell", remedy)


def _by_facts(inventory: Inventory, host: str, family: int, side: Side, here: Address | None) -> Address | Mistake:
    """``here`` is where Ansible reaches the host."""
    written = next(iter(inventory.host(host).addresses), None) if inventory.names_address(host) else None
    every = own_addresses(inventory.facts(host), family, written, side.foreign)
    elsewhere = {each.ip for each in own_addresses(inventory.facts(host), family, None, side.foreign)}
    if here in elsewhere.difference(each.ip for each in every):
        here = None  # lvs_address names another interface
    near = _nearest(inventory, host, every, side)
    unknown = [each for each in _others(inventory, host, side) if inventory.facts(each).interfaces is None]
    if not near and here is not None and not (unknown and any(each.ip != here for each in every)):
        return here  # behind a router, perhaps known there by an address that the host itself does not have
    found = near or list(every)
    addresses = dict.fromkeys(each.ip for each in found)
    if len(addresses) == 1 and (near or here is None):
        return found[0].ip
    if here in addresses and len({each.network for each in found}) == 1:
        return here
    problem = f"facts show no IPv{family} address of {host}" + (f" beside {written}" if written else "")
    if found:
        named = [f"{each.ip} ({each.interface}{', its ansible_host' if each.ip == here else ''})" for each in found]
        if unknown and not near and here is not None and here not in addresses:
            named.append(f"its ansible_host {here}")
        problem = f"{host} has several IPv{family} addresses that may be meant: {', '.join(named)}"
        if unknown and not near:
            problem += f", and nothing is known of the networks of {', '.join(unknown)}"
    if written:
        return _needed(host, problem, f"make it a list of {written} and the IPv{family} address")
    return _needed(host, problem)


def _needed(host: str, problem: str, remedy: str | None = None) -> Mistake:
    return Mistake(f"{host}: lvs_address", f"is needed: {problem}", remedy or _remedy(host))


def _remedy(host: str) -> str:
    return f"set it to the address by which directors reach {host}"


def _nearest(inventory: Inventory, host: str, every: Iterable[Own], side: Side) -> list[Own]:
    """What is in a network with a VIP or an lvs_address of a director, else with anything of a director's.

    An address that a director has as well, such as that of a bridge for containers, leads nowhere.
    """
    directors = _others(inventory, host, side)
    links = [own for name in directors for own in _own(inventory, name, side)]
    possible = [each for each in every if each.ip not in {own.ip for own in links}]
    named = {ip for name in directors if inventory.names_address(name) for ip in inventory.host(name).addresses}
    return _around(possible, {*side.vips, *named}) or _around(possible, {own.ip for own in links})


def _others(inventory: Inventory, host: str, side: Side) -> list[str]:
    return [each for each in side.directors if each != host and each in inventory]


def _around(every: Iterable[Own], addresses: set[Address]) -> list[Own]:
    return [
        each
        for each in every
        if each.network.prefixlen < full_prefix(each.ip) and any(address in each.network for address in addresses)
    ]


def _own(inventory: Inventory, name: str, side: Side) -> list[Own]:
    facts = inventory.facts(name)
    return [each for family in (4, 6) for each in own_addresses(facts, family, None, side.foreign)]


def _is_beside(inventory: Inventory, address: Address, side: Side) -> bool:
    """Whether directors have the address in a network with a VIP or their lvs_address, or nothing is known of them."""
    directors = [each for each in side.directors if each in inventory]
    named = {ip for name in directors if inventory.names_address(name) for ip in inventory.host(name).addresses}
    links = [own for name in directors for own in _own(inventory, name, side)]
    around = [own.network for own in links if address in own.network]
    return not links or any(one in network for network in around for one in {*side.vips, *named})
