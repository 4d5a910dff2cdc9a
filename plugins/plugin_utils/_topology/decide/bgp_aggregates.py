# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with aggregates of lvs_bgp, and what an operator should know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.bird_conf import has_kernel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Need, Note
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site

_NAMED = 3


def check(site: Site, name: str) -> Iterator[Mistake]:
    """What can be said of a director's aggregates, whatever is known of its network."""
    own = bgp.own(site, name)
    if own is None or own.is_wrong or not own.aggregates:
        return
    families = {each.address.version for each in own.neighbours}
    vips = site.once(
        ("VIPs that are announced",), lambda: frozenset[Address]().union(*map(site.vips_of, bgp.announcing(site)))
    )
    for each in own.aggregates:
        family = each.prefix.version
        if family not in families:
            problem = f"{name} may announce {each.prefix} to nobody: no neighbour of {own.path} is IPv{family}"
            yield Mistake(each.path, problem, f"list the IPv{family} address of a router there, too")
        elif not any(vip in each.prefix for vip in vips):
            problem = f"no director announces a VIP in {each.prefix}, so that it would never be announced"
            yield Mistake(each.path, problem, "correct it, or take it out until there is one")


def of_router(site: Site, name: str) -> Iterator[Mistake]:
    """A router announces nothing."""
    own = bgp.own(site, name)
    if own and own.aggregates:
        problem = f"{name} takes prefixes from directors, and announces none"
        yield Mistake(f"{own.path}.aggregates", problem, "write them into lvs_bgp of the directors")


def needs(site: Site, name: str) -> Iterator[Need]:
    """Notes: what works, and perhaps not as somebody may expect."""
    inside = bgp.aggregates(site, name)
    for each, vips in inside.items():
        strangers = {address: host for address, host in _strangers(site).items() if address in each.prefix}
        if strangers:
            are = "is no VIP" if len(strangers) == 1 else "are no VIPs"
            yield Note(
                f"{each.path}: {_named(strangers)} in {each.prefix} {are}: routers that have no longer prefix for it "
                "send its packets to directors, where they end. Have a longer one on routers and on directors"
            )
        if each.summary_only and len(vips) > 1 and site.is_checked(name) and len(site.partners(name)) > 1:
            yield Note(
                f"{each.path}.summary_only: {each.prefix} is announced as long as any of its {len(vips)} VIPs has its "
                "quorum: where a director has lost that of one, the clients whom routers send there are refused"
            )
    own = bgp.own(site, name)
    if inside and own and has_kernel(own):
        yield Note(
            f"{own.path}.raw: BIRD takes one protocol kernel for each table of the kernel, so that ours does not end "
            "what comes for addresses of aggregates that nobody has. Where the host forwards packets, have yours do so"
        )


def _strangers(site: Site) -> Mapping[Address, str]:
    """The addresses of the inventory that are no VIPs, with those who have them."""
    return site.once(("addresses that are no VIPs",), lambda: _find_strangers(site))


def _find_strangers(site: Site) -> dict[Address, str]:
    found = {address: name for name in site.inventory.members for address in site.addresses(name)}
    for _director, service in site.pairs():
        for entry in service.targets:
            found.setdefault(entry.address, entry.label)
    for name in bgp.announcing(site):
        own = bgp.own(site, name)
        for each in own.neighbours if own else ():
            found.setdefault(each.address, "a neighbour")
    return {address: name for address, name in found.items() if address not in site.vips}


def _named(strangers: Mapping[Address, str]) -> str:
    words = [f"{address} ({name})" for address, name in strangers.items()]
    more = [f"{len(words) - _NAMED} more"] if len(words) > _NAMED else []
    return ", ".join([*words[:_NAMED], *more])
