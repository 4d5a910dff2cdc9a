# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much weight the parts of a pool are."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service


def weight(service: Service) -> int:
    """What the service has at most; a quorum above it could not be met, and keepalived would lower it."""
    return sum(each.weight for each in service.real_servers)


def quorum(service: Service) -> int:
    """The weight that keepalived wants to be up: below it, a service with min_up is served by all."""
    extra, most = service.supervision, max(weight(service), 1)
    return min(extra.quorum if extra.min_up is None else extra.min_up.of(most), most)


def opens_when_gone(service: Service) -> RealServer | None:
    """The real server without which too little is up already, where there is such a one."""
    heaviest = max((each for each in service.real_servers if each.weight), key=lambda each: each.weight, default=None)
    return heaviest if heaviest and weight(service) - heaviest.weight < quorum(service) else None
