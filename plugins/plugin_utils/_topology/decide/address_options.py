# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the addresses of a director keepalived holds in a way of their own, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import VirtualAddress
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.vrrp import carriers
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.address_words import KEY, words


def planned(site: Site, name: str, held: tuple[VirtualAddress, ...]) -> dict[str, str]:
    """For each of these addresses that has options, what they are in keepalived.conf."""
    given = dict(site.host(name).vrrp.address_options)
    found = {in_words(each): words(dict(given.get(each.address, ()))) for each in held}
    return {address: text for address, text in found.items() if text}


def in_words(each: VirtualAddress) -> str:
    """An address in keepalived.conf: as ip shows it, with which the role compares it when keepalived takes over."""
    return f"{forms.spelling(each.address)}/{each.prefix}"


def needs(site: Site, name: str) -> Iterator[Mistake]:
    """Options of what the director does not hold, and labels of another interface."""
    held = {each.address: each for carrier in carriers(site, name) for each in carrier.carried}
    vrrp = site.host(name).vrrp
    # Where something of what it holds is wrong, it is not known what the director holds.
    for address, options in () if vrrp.is_wrong else vrrp.address_options:
        path = f"{name}: lvs_vrrp.{KEY}[{address}]"
        place, label = held.get(address), dict(options).get("label")
        if place is None and site.is_known(name):
            yield Mistake(path, f"{name} holds no such address", "name a VIP, or one of lvs_vrrp.addresses")
        elif place is not None and label and label.partition(":")[0] != place.interface:
            problem = f"{label} is a label of another interface than {place.interface}, which holds the address"
            yield Mistake(f"{path}.label", problem, f"write it as {place.interface}:NAME")
