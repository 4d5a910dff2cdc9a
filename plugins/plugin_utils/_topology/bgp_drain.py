# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VIPs nobody would announce while some directors are drained, by what directors announce at the moment. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import as_address

_ESTABLISHED = "Established"


def unannounced(site: Site, infos: Mapping[str, Mapping[str, Any]], drained: Collection[str]) -> Iterator[str]:
    """A line for each. ``infos`` are what directors that answered say of BGP."""
    for name in drained:
        if name not in site.services:
            yield f"{name} is no director that is present"
        elif bgp.own(site, name) is None:
            yield f"{name} announces nothing by BGP (lvs_bgp)"
    lost = {vip for name in drained if name in site.services for vip in site.vips_of(name)}
    others = [name for name in bgp.announcing(site) if name not in drained and name in infos]
    for vip in sorted(lost, key=lambda each: (each.version, int(each))):
        if not any(_announces(infos[name], vip) for name in others):
            yield f"nobody besides {', '.join(drained)} announces {vip}"


def _announces(info: Mapping[str, Any], vip: Address) -> bool:
    """Whether a director announces a VIP, and a router hears it."""
    neighbours = (as_address(each["neighbour"]) for each in info["sessions"] if each["state"] == _ESTABLISHED)
    is_heard = any(each is not None and each.version == vip.version for each in neighbours)
    return is_heard and any(as_address(each["address"].partition("/")[0]) == vip for each in info["announced"])
