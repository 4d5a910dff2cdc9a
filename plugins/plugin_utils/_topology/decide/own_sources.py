# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses from which a director sends by itself: it has to have them, also while another director has the VIPs."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site


def check_sources(site: Site, director: str) -> Iterator[Mistake]:
    """Of health checks, each source once. Where it is not known which addresses a director has, nothing is said."""
    if not (site.is_checked(director) and site.is_known(director)):
        return
    written = {each: None for service in site.services[director] for each in _sources(service)}
    for path, source in written:
        if not _is_own(site, director, source):
            yield Mistake(
                f"{path}.source",
                f"{_why(site, director, source)}, so all its checks from there fail",
                f"leave it out, or give {director} services of its own with an address that it has by itself",
            )


def check_source_of_adverts(site: Site, director: str, path: str, source: Address | None) -> Iterator[Mistake]:
    """Of unicast adverts. What a partner hears from another address, it takes for nobody's."""
    if source is not None and site.is_known(director) and not _is_own(site, director, source):
        problem = f"{_why(site, director, source)}, so no advert is sent from there"
        yield Mistake(path, problem, "write one of its own, or leave it out")


def _sources(service: Service) -> Iterator[tuple[str, Address]]:
    every = [(service.path, service.supervision.health_checks)]
    every += [(entry.path, entry.watch.checks) for entry in service.real_servers if entry.watch.checks]
    for path, checks in every:
        for check in checks or ():
            source = as_address(check.get("source"))
            if source is not None:
                yield f"{path}.health_check", source


def _is_own(site: Site, director: str, source: Address) -> bool:
    own = {each.ip for interface in site.facts(director).interfaces or () for each in interface.addresses}
    own |= {*site.addresses(director)}
    # What somebody else moves, facts may show here or there.
    own = own - site.moving if site.is_moved(director) else own | site.vips_of(director)
    return source in own


def _why(site: Site, director: str, source: Address) -> str:
    if site.is_moved(director) and source in site.moving:
        return f"{director} has {source} only while it is the master"
    return f"{source} is not an address of the director {director}"
