# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forwarding methods: one module each, which holds that topology's rules and what it needs on every host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import dr, fullnat, nat, tun
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Need
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site


class Method(Protocol):
    """What a module of a forwarding method provides. KERNEL_FORWARD is one of the kernel's methods: nat, dr, tun."""

    KERNEL_FORWARD: str

    def check(self, site: Site, director: str, service: Service, /) -> Iterator[Mistake]:
        """What is wrong with a service of this method, as far as it is known."""

    def director(self, site: Site, director: str, service: Service, /) -> Iterator[Need]:
        """What the director needs besides VIP and table."""

    def real_server(self, site: Site, director: str, service: Service, entry: RealServer, /) -> Iterator[Need]:
        """What the host of the entry needs."""

    def router(self, site: Site, director: str, service: Service, name: str, /) -> Iterator[Need]:
        """What a router needs besides forwarding."""


METHODS: Mapping[str, Method] = {"dr": dr, "nat": nat, "tun": tun, "fullnat": fullnat}
