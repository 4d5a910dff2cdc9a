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
        if source not in _own(site, director):
            yield Mistake(
                path,
                _why(site, director, source, "all its checks from there fail"),
                f"leave it out, or give {director} services of its own with an address that it has by itself",
            )


def check_source_of_adverts(site: Site, director: str, path: str, source: Address | None) -> Iterator[Mistake]:
    """Of unicast adverts. What a partner hears from another address, it takes for nobody's."""
    if source is not None and site.is_known(director) and source not in _own(site, director):
        problem = _why(site, director, source, "no advert is sent from there")
        yield Mistake(path, problem, "write one of its own, or leave it out")


def _sources(service: Service) -> Iterator[tuple[str, Address]]:
    every = [(service.path, service.supervision.health_checks)]
    every += [(entry.path, entry.watch.checks) for entry in service.real_servers if entry.watch.checks]
    for path, checks in every:
        for position, check in enumerate(checks or ()):
            source = as_address(check.get("source"))
            if source is not None:
                place = f"[{position}]" if len(checks or ()) > 1 else ""
                yield f"{path}.health_check{place}.source", source


def _own(site: Site, director: str) -> frozenset[Address]:
    """What the director has at all times. What moves between directors, facts may show on any of them."""
    if _is_alone(site, director):
        return site.held(director) | {*site.serving_addresses(director)}
    return site.held(director) - site.moving


def _is_alone(site: Site, director: str) -> bool:
    """Whether nobody takes away what it has: its VIPs are its own, or no other director has them."""
    return not site.is_moved(director) or len(site.partners(director)) == 1


def _why(site: Site, director: str, source: Address, effect: str) -> str:
    if source in site.moving and not _is_alone(site, director):
        return f"{director} has {source} only while it is the master, and otherwise {effect}"
    return f"{source} is not an address of the director {director}, so {effect}"
