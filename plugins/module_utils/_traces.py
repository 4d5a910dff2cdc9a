# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an owner has left something on a host. What is neither wanted nor left there needs no task to look after it."""

from __future__ import annotations

import os
from typing import Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger


class Trace(NamedTuple):
    """What a module calls its claims, what it adds to the owner's name there, and the file that it writes.

    Where nothing is claimed, the kind is empty.
    """

    kind: str
    suffix: str = ""
    file: str = ""

    def claimant(self, owner: str) -> str:
        """The owner's name in the ledger: one of its own, so that purging here never touches what is another's."""
        return f"{owner}{self.suffix}"

    def path(self, owner: str) -> str:
        return self.file.format(owner)


# The last file to set a key wins at boot, and Debian links /etc/sysctl.conf as 99-sysctl.conf.
_SYSCTLS = "/etc/sysctl.d/99-zz-lvs-topology-{}"
# By the names that host_state has for what it looks after.
TRACES: Mapping[str, Trace] = {
    "kernel_modules": Trace("module", file="/etc/modules-load.d/lvs-topology-{}.conf"),
    "sysctls": Trace("sysctl", file=f"{_SYSCTLS}.conf"),
    "arp": Trace("sysctl", ":arp", f"{_SYSCTLS}-arp.conf"),
    "arp_filters": Trace("arp_filter"),
    "tunnels": Trace("tunnel", file=f"{_SYSCTLS}-tunnels.conf"),
    "addresses": Trace("address"),
    "gateways": Trace("gateway"),
    "source_routes": Trace("source_route"),
    "neighbours": Trace("neighbour"),
    "packet_rules": Trace("packet_rule"),
    "firewall": Trace("firewall"),
    "conntrackd": Trace("conntrackd_config"),
    "take_over": Trace("taken"),
    "timeouts": Trace("timeout"),
    "services": Trace("service"),
    "sync_daemons": Trace("sync_daemon"),
    "announcements": Trace("announcement"),
    "bird": Trace("bird_config"),
    "metrics": Trace("", file="/etc/lvs-topology/{}.json"),
}


# A daemon's configuration, and its unit.
BIRD_KINDS = (TRACES["bird"].kind, "bird_unit")
KEEPALIVED_KINDS = ("keepalived_config", "keepalived_unit")
TAKEN_KIND = TRACES["take_over"].kind
TAKEN_SERVICE, TAKEN_UNIT = "service ", "unit "


def traces(ledger: Ledger, owner: str) -> list[str]:
    """The concerns in which something may have to be put back."""
    return [
        concern
        for concern, trace in TRACES.items()
        if ledger.owned(trace.kind, trace.claimant(owner)) or (trace.file and os.path.exists(trace.path(owner)))
    ]
