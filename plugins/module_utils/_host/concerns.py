# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_state looks after on a host, in the one order in which it is added. Releasing goes backwards.

The order matters: net.ipv4.vs.* exists only once ip_vs is loaded, ARP must be tuned before there is a VIP to answer
for, and the table comes late, when everything that it sends packets through is ready.

A concern's work is imported when a host needs it: Python compiles a module's source anew in every run on a host, and
what most hosts have nothing of would be most of it.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Tuple

from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

# What the compiler planned for a host and role.
Wanted = Mapping[str, Any]
# What a module's function takes is the module and the ledger.
Work = Tuple[Dict[str, Any], Callable[..., Dict[str, Any]]]
BOOT = "boot"
_REPLICA = ("held", "own", "partner", "interface", "port", "real_servers", "connections")
TAKE_OVER = "take_over"
WATCHED = "watched"
METRICS = "metrics"
WITHDRAWALS, ANNOUNCEMENTS = "withdrawals", "announcements"


class Concern(NamedTuple):
    """One part of a host's state: what a plan means for the module that brings it about by itself."""

    options: Callable[[Wanted], dict[str, Any]]
    # The argument spec of that module, and what it does.
    work: Callable[[], Work]
    # What an earlier run had and the plan has not goes when no other host uses it any more, by the option purge.
    is_released: bool = True


def _kernel_modules() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.kmod import ensure_modules
    from ansible_collections.lvs.topology.plugins.module_utils._options import KERNEL_MODULES_SPEC

    return KERNEL_MODULES_SPEC, ensure_modules


def _sysctls() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import ensure_profile
    from ansible_collections.lvs.topology.plugins.module_utils._options import SYSCTL_PROFILE_SPEC

    return SYSCTL_PROFILE_SPEC, ensure_profile


def _arp() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import ensure_arp
    from ansible_collections.lvs.topology.plugins.module_utils._options import ARP_TUNING_SPEC

    return ARP_TUNING_SPEC, ensure_arp


def _arp_filters() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.arptables import ensure_filters
    from ansible_collections.lvs.topology.plugins.module_utils._options import ARP_FILTER_SPEC

    return ARP_FILTER_SPEC, ensure_filters


def _tunnels() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.tunnels import ensure_tunnels
    from ansible_collections.lvs.topology.plugins.module_utils._options import TUNNEL_ENDPOINT_SPEC

    return TUNNEL_ENDPOINT_SPEC, ensure_tunnels


def _addresses() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_addresses
    from ansible_collections.lvs.topology.plugins.module_utils._options import VIP_ADDRESS_SPEC

    return VIP_ADDRESS_SPEC, ensure_addresses


def _gateways() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_gateways
    from ansible_collections.lvs.topology.plugins.module_utils._options import DEFAULT_GATEWAY_SPEC

    return DEFAULT_GATEWAY_SPEC, ensure_gateways


def _source_routes() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_source_routes
    from ansible_collections.lvs.topology.plugins.module_utils._options import SOURCE_ROUTE_SPEC

    return SOURCE_ROUTE_SPEC, ensure_source_routes


def _neighbours() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_neighbours
    from ansible_collections.lvs.topology.plugins.module_utils._options import STATIC_NEIGHBOUR_SPEC

    return STATIC_NEIGHBOUR_SPEC, ensure_neighbours


def _packet_rules() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_filter import ensure_packet_rules
    from ansible_collections.lvs.topology.plugins.module_utils._options import PACKET_RULES_SPEC

    return PACKET_RULES_SPEC, ensure_packet_rules


def _firewall() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall import FIREWALL_SPEC, ensure_firewall

    return FIREWALL_SPEC, ensure_firewall


def _conntrackd() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd import (
        CONNTRACKD_SPEC,
        ensure_conntrackd,
    )

    return CONNTRACKD_SPEC, ensure_conntrackd


def _take_over() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
    from ansible_collections.lvs.topology.plugins.module_utils._keepalived.take_over import (
        TAKE_OVER_SPEC,
        ensure_taken_over,
    )

    return TAKE_OVER_SPEC, readable(ensure_taken_over)


def _timeouts() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_settings import ensure_timeouts
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import TIMEOUTS_SPEC

    return TIMEOUTS_SPEC, readable(ensure_timeouts)


def _services() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_table import ensure_table
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import TABLE_SPEC

    return TABLE_SPEC, readable(ensure_table)


def _watched() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
    from ansible_collections.lvs.topology.plugins.module_utils._keepalived.watched import WATCHED_SPEC, ensure_watched

    return WATCHED_SPEC, readable(ensure_watched)


def _sync_daemons() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_settings import ensure_daemons
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import readable
    from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import DAEMONS_SPEC

    return DAEMONS_SPEC, readable(ensure_daemons)


def _withdrawals() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcements

    return announcements.WITHDRAWALS_SPEC, announcements.ensure_withdrawals


def _announcements() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcements

    return announcements.ANNOUNCEMENTS_SPEC, announcements.ensure_announcements


def _bird() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird import BIRD_SPEC, ensure_bird

    return BIRD_SPEC, ensure_bird


def _boot() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._boot.boot import ensure_boot
    from ansible_collections.lvs.topology.plugins.module_utils._options import BOOT_RESTORE_SPEC

    return BOOT_RESTORE_SPEC, ensure_boot


def _metrics() -> Work:
    from ansible_collections.lvs.topology.plugins.module_utils._metrics.ensure import METRICS_SPEC, ensure_metrics

    return METRICS_SPEC, ensure_metrics


def _list(key: str, option: str) -> Callable[[Wanted], dict[str, Any]]:
    return lambda plan: {option: plan.get(key) or []}


def _of_dictionary(key: str, options: dict[str, Any]) -> Callable[[Wanted], dict[str, Any]]:
    """The options of a module by their own names, with what they are where the plan has them not."""

    def of(plan: Wanted) -> dict[str, Any]:
        given = plan.get(key) or {}
        unknown = sorted(set(map(str, given)) - set(options))
        if unknown:
            raise BadRequest(f"{key}: {', '.join(unknown)} is not known; there are {', '.join(options)}")
        return {**options, **given}

    return of


def _table_options(plan: Wanted) -> dict[str, Any]:
    given = {name: plan[name] for name in ("purge", "keep_weights") if plan.get(name) is not None}
    return {"services": plan.get("services") or [], **given}


def _firewall_options(plan: Wanted) -> dict[str, Any]:
    """What netfilter knows of IPVS's connections decides what a firewall makes of their packets."""
    packets = _of_dictionary("firewall", {"packets": []})(plan)
    return {**packets, "conntrack": (plan.get("sysctls") or {}).get("net.ipv4.vs.conntrack")}


def _take_over_options(plan: Wanted) -> dict[str, Any]:
    """With the services that the plan has, whoever fills the table."""
    services = plan.get("services") or (plan.get("watched") or {}).get("services") or []
    return {"take_over": bool(plan.get("take_over")), "services": services}


_ANNOUNCEMENTS = _of_dictionary("announcements", {"table": None, "by_checks": False, "routes": []})


def _boot_options(plan: Wanted) -> dict[str, Any]:
    names = (
        "tunnels",
        "addresses",
        "gateways",
        "source_routes",
        "neighbours",
        "arp_filters",
        "packet_rules",
        "firewall",
        "announcements",
        "services",
        "timeouts",
        "sync_daemons",
    )
    return {name: plan[name] for name in names if plan.get(name)}


CONCERNS: Mapping[str, Concern] = {
    "kernel_modules": Concern(_list("kernel_modules", "modules"), _kernel_modules),
    "sysctls": Concern(lambda plan: {"values": plan.get("sysctls") or {}}, _sysctls),
    "arp": Concern(_list("arp", "interfaces"), _arp),
    "arp_filters": Concern(_list("arp_filters", "filters"), _arp_filters),
    "tunnels": Concern(_list("tunnels", "tunnels"), _tunnels),
    "addresses": Concern(_list("addresses", "addresses"), _addresses),
    "gateways": Concern(_list("gateways", "gateways"), _gateways),
    "source_routes": Concern(_list("source_routes", "source_routes"), _source_routes),
    "neighbours": Concern(_list("neighbours", "neighbours"), _neighbours),
    "packet_rules": Concern(
        _of_dictionary("packet_rules", {"backend": "auto", "marks": [], "source_nat": []}), _packet_rules
    ),
    # Before anything sends packets that the firewall would drop.
    "firewall": Concern(_firewall_options, _firewall),
    # What it hears of connections, packet rules have translated, and the firewall lets pass.
    "conntrackd": Concern(_of_dictionary("conntrackd", dict.fromkeys(_REPLICA)), _conntrackd),
    # Before the table is touched, so that nobody else does. What it has ended stays so until the host is put back.
    TAKE_OVER: Concern(_take_over_options, _take_over, is_released=False),
    "timeouts": Concern(_of_dictionary("timeouts", {"tcp": None, "tcpfin": None, "udp": None}), _timeouts),
    # Routers send elsewhere before a service goes, and hear of a new one when it is there.
    WITHDRAWALS: Concern(_ANNOUNCEMENTS, _withdrawals, is_released=False),
    # Its entries go while it is filled.
    "services": Concern(_table_options, _services, is_released=False),
    # In place of the table, timeouts and daemon where keepalived has them. It gives them back when it ends.
    WATCHED: Concern(lambda plan: dict(plan.get("watched") or {}), _watched, is_released=False),
    "sync_daemons": Concern(_list("sync_daemons", "daemons"), _sync_daemons),
    ANNOUNCEMENTS: Concern(_ANNOUNCEMENTS, _announcements),
    "bird": Concern(_of_dictionary("bird", {"content": None, "secrets": []}), _bird),
    # The files for the next boot say what the plan says, and nothing of what is left over.
    BOOT: Concern(_boot_options, _boot, is_released=False),
    # What is told of all this. It goes first.
    METRICS: Concern(lambda plan: {METRICS: plan.get(METRICS) or {}}, _metrics, is_released=False),
}
