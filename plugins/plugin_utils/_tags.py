# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags by which a run does only a part of what the roles do: one call brings about all parts of a host's state."""

from __future__ import annotations

from collections.abc import Collection, Mapping

# The tag of each concern of the module host_state.
TAGS: Mapping[str, str] = {
    "kernel_modules": "lvs_modules",
    "sysctls": "lvs_sysctl",
    "arp": "lvs_arp",
    "arp_filters": "lvs_arp",
    "tunnels": "lvs_tunnels",
    "addresses": "lvs_addresses",
    "gateways": "lvs_routes",
    "source_routes": "lvs_routes",
    "neighbours": "lvs_neighbours",
    "packet_rules": "lvs_packet_rules",
    "firewall": "lvs_firewall",
    "conntrackd": "lvs_conntrackd",
    "take_over": "lvs_table",
    "timeouts": "lvs_timeouts",
    # Before a service goes, and so with it.
    "withdrawals": "lvs_table",
    "services": "lvs_table",
    "watched": "lvs_table",
    "sync_daemons": "lvs_sync",
    "announcements": "lvs_announcements",
    "bird": "lvs_announcements",
    "boot": "lvs_boot",
    "metrics": "lvs_metrics",
}


def chosen_concerns(own: Collection[str], run: Collection[str], skip: Collection[str]) -> list[str]:
    """What a run is to look after, by the tags of the task, and by --tags and --skip-tags.

    The task is always run, so its own tags besides are those that somebody gave to a play or a role: these mean all.
    """
    if {"all", "tagged"} & set(skip):
        return []
    whole = bool(({"all", "tagged", *own} - {"always"}) & set(run))
    return [concern for concern, tag in TAGS.items() if (whole or tag in run) and tag not in skip]
