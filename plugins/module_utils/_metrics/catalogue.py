# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of every metric: its name, type, unit, labels and meaning. What a director writes is made of it. Pure.

Alerts (``plugin_utils/_metrics/alerts.py``) and panels (``panels.py``) name metrics of this list in their expressions,
and nothing else. Names follow the conventions of Prometheus: base units, and _total at the end of a counter.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple


class Metric(NamedTuple):
    """One metric. ``unit`` is what its value counts or measures, for people who read the list."""

    name: str
    kind: str  # gauge or counter
    unit: str
    labels: tuple[str, ...]
    help: str


GAUGE, COUNTER = "gauge", "counter"
# The services and real servers of which a metric speaks. A service that nobody declared has an empty ``service``.
SERVICE = ("service", "virtual_server")
REAL_SERVER = (*SERVICE, "real_server", "address")
# Which directors share a VIP: all of them have the same text here, so that one can sum up over them.
DIRECTORS = ("directors",)
VIP = (*DIRECTORS, "vip")
AGGREGATE = (*DIRECTORS, "prefix")
# A session of BGP: the inventory's name of the neighbour, or its address where it has none there, and its address.
SESSION = ("neighbour", "address")

# In the order of the kernel's counters, which are those of Counters in _ipvs/entries.py.
_COUNTED = (
    ("accepted_connections_total", "connections", "Connections that IPVS has scheduled"),
    ("incoming_packets_total", "packets", "Packets from clients"),
    ("outgoing_packets_total", "packets", "Packets to clients, which a director sees with masquerading alone"),
    ("incoming_bytes_total", "bytes", "Bytes from clients"),
    ("outgoing_bytes_total", "bytes", "Bytes to clients, which a director sees with masquerading alone"),
)


def _counters(prefix: str, labels: tuple[str, ...], of: str) -> tuple[Metric, ...]:
    return tuple(
        Metric(f"{prefix}_{name}", COUNTER, unit, labels, f"{meaning}, {of}.") for name, unit, meaning in _COUNTED
    )


TOTALS = _counters("lvs", (), "of all services together")
OF_SERVICES = _counters("lvs_service", SERVICE, "of one virtual service")
OF_REAL_SERVERS = _counters("lvs_real_server", REAL_SERVER, "of one real server of a service")

CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "lvs_topology_build_info",
        GAUGE,
        "1",
        ("program", "python"),
        "Which program wrote this file, by the first digits of its SHA-256, and which Python ran it.",
    ),
    Metric(
        "lvs_topology_last_run_timestamp_seconds", GAUGE, "seconds", (), "When this file was written, since the epoch."
    ),
    Metric("lvs_topology_interval_seconds", GAUGE, "seconds", (), "How often this file is to be written."),
    Metric("lvs_topology_run_duration_seconds", GAUGE, "seconds", (), "How long reading took before this was written."),
    Metric(
        "lvs_topology_source_up",
        GAUGE,
        "0 or 1",
        ("source",),
        "Whether this source could be read. What comes from one that could not is missing.",
    ),
    *TOTALS,
    Metric(
        "lvs_connection_table_entries",
        GAUGE,
        "connections",
        (),
        "Connections that the table of IPVS knows, by the counters of all real servers.",
    ),
    Metric("lvs_connection_table_buckets", GAUGE, "places", (), "Places of the table in which IPVS looks for them."),
    Metric(
        "lvs_connection_states_counted",
        GAUGE,
        "0 or 1",
        (),
        "Whether connections were counted by their state. They are not where there are too many of them.",
    ),
    Metric("lvs_conntrack_entries", GAUGE, "connections", (), "Connections that netfilter keeps track of."),
    Metric("lvs_conntrack_entries_limit", GAUGE, "connections", (), "How many netfilter keeps track of at most."),
    Metric(
        "lvs_conntrack_failures_total",
        COUNTER,
        "events",
        ("reason",),
        "What netfilter could not keep track of: packets dropped, and connections forgotten or refused.",
    ),
    Metric("lvs_vip_held", GAUGE, "0 or 1", (*VIP, "interface"), "Whether this director holds the VIP."),
    Metric("lvs_vip_holders", GAUGE, "directors", VIP, "How many directors are to hold the VIP at a time."),
    Metric(
        "lvs_vip_announced",
        GAUGE,
        "0 or 1",
        VIP,
        "Whether BIRD of this director tells a router of the VIP, in a session that is established. With summary_only,"
        " of its aggregate, while the VIP itself has its quorum.",
    ),
    Metric("lvs_vip_announcers", GAUGE, "directors", VIP, "How many directors are to announce the VIP by BGP."),
    Metric(
        "lvs_aggregate_announced",
        GAUGE,
        "0 or 1",
        AGGREGATE,
        "Whether BIRD of this director tells a router of the aggregate, in a session that is established.",
    ),
    Metric(
        "lvs_aggregate_announcers", GAUGE, "directors", AGGREGATE, "How many directors are to announce the aggregate."
    ),
    Metric("lvs_bird_running", GAUGE, "0 or 1", (), "Whether BIRD runs, where it is to announce the VIPs."),
    Metric("lvs_bgp_session_up", GAUGE, "0 or 1", SESSION, "Whether the session of BGP is established."),
    Metric(
        "lvs_bgp_session_enabled", GAUGE, "0 or 1", SESSION, "Whether nobody has disabled the session, as a drain does."
    ),
    Metric(
        "lvs_bgp_session_bfd_up", GAUGE, "0 or 1", SESSION, "Whether BFD, where it is to watch the neighbour, hears it."
    ),
    Metric(
        "lvs_keepalived_running",
        GAUGE,
        "0 or 1",
        (),
        "Whether keepalived runs, where it is to hold the VIPs, to check real servers, or both.",
    ),
    Metric(
        "lvs_sync_daemon_running",
        GAUGE,
        "0 or 1",
        ("state",),
        "Whether the synchronisation daemon of IPVS runs in this state.",
    ),
    Metric("lvs_sync_daemons_configured", GAUGE, "daemons", (), "How many synchronisation daemons are to run."),
    Metric(
        "lvs_conntrackd_running",
        GAUGE,
        "0 or 1",
        DIRECTORS,
        "Whether conntrackd runs, where it is to tell the other director of connections through FULLNAT.",
    ),
    Metric(
        "lvs_conntrackd_connections",
        GAUGE,
        "connections",
        DIRECTORS,
        "Connections of this director of which conntrackd tells the other one.",
    ),
    Metric(
        "lvs_conntrackd_sent_packets_total",
        COUNTER,
        "packets",
        DIRECTORS,
        "Packets that conntrackd sent to the other one.",
    ),
    Metric(
        "lvs_conntrackd_received_packets_total",
        COUNTER,
        "packets",
        DIRECTORS,
        "Packets that conntrackd got from the other one: several in a second as long as it hears it.",
    ),
    Metric(
        "lvs_conntrackd_lost_messages_total",
        COUNTER,
        "messages",
        DIRECTORS,
        "Messages of the other one that did not come, for which conntrackd asks again.",
    ),
    Metric(
        "lvs_conntrackd_taken_messages_total",
        COUNTER,
        "messages",
        DIRECTORS,
        "Messages about connections of the other one that conntrackd has put into netfilter's table.",
    ),
    Metric(
        "lvs_conntrackd_failed_messages_total",
        COUNTER,
        "messages",
        DIRECTORS,
        "Messages about connections of the other one that netfilter's table did not take.",
    ),
    *OF_SERVICES,
    Metric("lvs_service_present", GAUGE, "0 or 1", SERVICE, "Whether the table has the service that is declared."),
    Metric(
        "lvs_service_connections",
        GAUGE,
        "connections",
        (*SERVICE, "state"),
        "Connections to the service that the table knows, by their state.",
    ),
    Metric(
        "lvs_service_fails_open",
        GAUGE,
        "0 or 1",
        SERVICE,
        "Whether less is up than min_up of the service, so that all of its real servers get clients.",
    ),
    Metric("lvs_service_quorum", GAUGE, "weight", SERVICE, "The weight that a service is to have at least."),
    Metric(
        "lvs_service_available_weight",
        GAUGE,
        "weight",
        SERVICE,
        "The weight of the declared real servers that are in the table, together.",
    ),
    Metric(
        "lvs_service_available_real_servers",
        GAUGE,
        "real servers",
        SERVICE,
        "How many of the declared real servers are in the table with a weight above 0.",
    ),
    Metric(
        "lvs_service_configured_real_servers", GAUGE, "real servers", SERVICE, "How many real servers are declared."
    ),
    *OF_REAL_SERVERS,
    Metric("lvs_real_server_weight", GAUGE, "weight", REAL_SERVER, "The weight that a real server has in the table."),
    Metric(
        "lvs_real_server_configured_weight",
        GAUGE,
        "weight",
        REAL_SERVER,
        "The weight that is declared for a real server, whether the table has it or not.",
    ),
    Metric(
        "lvs_real_server_check_failed",
        GAUGE,
        "0 or 1",
        REAL_SERVER,
        "Whether a health check of a real server fails, where its service has min_up: it stays in the table then.",
    ),
    Metric("lvs_real_server_active_connections", GAUGE, "connections", REAL_SERVER, "Connections in use."),
    Metric("lvs_real_server_inactive_connections", GAUGE, "connections", REAL_SERVER, "Connections that begin or end."),
    Metric(
        "lvs_real_server_persistent_connections",
        GAUGE,
        "connections",
        REAL_SERVER,
        "Clients that persistence binds to the real server.",
    ),
    # What verify writes on the controller, with lvs_verify_report.
    Metric(
        "lvs_verify_findings", GAUGE, "findings", ("host", "degree"), "What verify found on a host, by how bad it is."
    ),
    Metric("lvs_verify_unseen", GAUGE, "things", (), "What verify did not look at."),
    Metric(
        "lvs_verify_last_run_timestamp_seconds", GAUGE, "seconds", (), "When verify wrote its report, since the epoch."
    ),
)
METRICS: Mapping[str, Metric] = {each.name: each for each in CATALOGUE}
