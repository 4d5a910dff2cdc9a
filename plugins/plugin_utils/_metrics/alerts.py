# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is worth waking somebody for, as rules of Prometheus over the metrics of the catalogue. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

_COLUMNS = 120
CRITICAL, WARNING, INFO = SEVERITIES = ("critical", "warning", "info")


class Alert(NamedTuple):
    """One rule. ``summary`` may have labels as templates of Prometheus; ``todo`` is what somebody does about it."""

    name: str
    expression: str
    # How long it has to be so before somebody is told.
    lasts: str
    severity: str
    summary: str
    todo: str


_OF_A_REAL_SERVER = "on (instance, service, virtual_server, real_server, address)"
# Of the same service, on the same director.
_OF_A_SERVICE = "on (instance, service, virtual_server)"
# Without keepalived nothing is in its table, which is said once.
_UNLESS_DOWN = "unless on (instance) lvs_keepalived_running == 0"
# Somebody has withdrawn the director, as drain_directors does it.
_DRAINED = "max by (instance) (lvs_bgp_session_enabled) == 0"

ALERTS: tuple[Alert, ...] = (
    Alert(
        "LVSVipNowhere",
        "sum by (directors, vip) (lvs_vip_held) == 0",
        "30s",
        CRITICAL,
        "Nobody of {{ $labels.directors }} holds {{ $labels.vip }}",
        "Clients get no answer. Run lvs.topology.verify, and look at journalctl -u keepalived on each director. One"
        " that tells nothing (LVSDirectorSilent) may hold it all the same.",
    ),
    Alert(
        "LVSVipOnSeveralDirectors",
        "sum by (directors, vip) (lvs_vip_held) > max by (directors, vip) (lvs_vip_holders)",
        "1m",
        CRITICAL,
        "{{ $value }} of {{ $labels.directors }} hold {{ $labels.vip }}",
        "The directors do not hear each other's VRRP: look at cables, VLANs and firewalls between them, and at their"
        " passwords. Stop keepalived on all but one until that is found.",
    ),
    Alert(
        "LVSVipAnnouncedByNobody",
        "sum by (directors, vip) (lvs_vip_announced) == 0",
        "30s",
        CRITICAL,
        "Nobody of {{ $labels.directors }} announces {{ $labels.vip }}",
        "Routers have no way to it, so clients get no answer. Where its pools have no quorum, look at the real servers;"
        " else birdc show protocols and ip route show table 1819 on each director, and lvs.topology.verify.",
    ),
    Alert(
        "LVSVipAnnouncedByFewer",
        # Whoever is drained is not missed.
        f"count by (directors, vip) (lvs_vip_announced == 1 or lvs_vip_announced and on (instance) {_DRAINED})"
        " < max by (directors, vip) (lvs_vip_announcers)",
        "2m",
        WARNING,
        "Only {{ $value }} of {{ $labels.directors }} announce {{ $labels.vip }}",
        "The others have its share of the clients. lvs.topology.verify says which director does not, and why: its"
        " checks fail, it has no session with a router, or it is down.",
    ),
    Alert(
        "LVSBirdDown",
        "lvs_bird_running == 0",
        "1m",
        WARNING,
        "BIRD does not run on {{ $labels.instance }}",
        "Routers send nobody to it. journalctl -u bird; lvs.topology.site starts it.",
    ),
    Alert(
        "LVSBgpSessionDown",
        "lvs_bgp_session_up == 0 and lvs_bgp_session_enabled == 1 unless on (instance) lvs_bird_running == 0",
        "1m",
        WARNING,
        "{{ $labels.instance }} has no session of BGP with {{ $labels.neighbour }} ({{ $labels.address }})",
        "That router sends nobody to it. birdc show protocols all says the last error; lvs.topology.verify says what to"
        " look at.",
    ),
    Alert(
        "LVSBfdDown",
        "lvs_bgp_session_bfd_up == 0 and lvs_bgp_session_up == 1",
        "1m",
        WARNING,
        "BFD of {{ $labels.instance }} does not hear {{ $labels.neighbour }} ({{ $labels.address }})",
        "Their session of BGP goes on, and each would miss the other one only after hold_time. Look whether the router"
        " has BFD for this director, and whether UDP port 3784 passes (4784 with multihop).",
    ),
    Alert(
        "LVSDirectorDrained",
        _DRAINED,
        "15m",
        INFO,
        "{{ $labels.instance }} announces nothing, because its sessions are disabled",
        "Somebody drains it, or forgot to end that: lvs.topology.drain_directors with"
        " lvs_drain_directors_state=present.",
    ),
    Alert(
        "LVSServiceMissing",
        f"lvs_service_present == 0 and {_OF_A_SERVICE} lvs_service_configured_real_servers > 0 {_UNLESS_DOWN}",
        "1m",
        CRITICAL,
        "The table of {{ $labels.instance }} lacks {{ $labels.service }} ({{ $labels.virtual_server }})",
        "Somebody has taken it away: lvs.topology.site puts it back.",
    ),
    Alert(
        "LVSNoRealServer",
        "lvs_service_available_real_servers == 0"
        f" and {_OF_A_SERVICE} lvs_service_configured_real_servers > 0 and {_OF_A_SERVICE} lvs_service_present == 1",
        "30s",
        CRITICAL,
        "{{ $labels.service }} ({{ $labels.virtual_server }}) has no real server on {{ $labels.instance }}",
        "Look at the real servers first. Where they answer, the health check may ask for something else: journalctl -u"
        " keepalived says what failed. Where all are drained, end a drain.",
    ),
    Alert(
        "LVSPoolBelowQuorum",
        f"lvs_service_available_weight < {_OF_A_SERVICE} lvs_service_quorum"
        f" and {_OF_A_SERVICE} lvs_service_available_real_servers > 0",
        "30s",
        CRITICAL,
        "{{ $labels.service }} ({{ $labels.virtual_server }}) has weight {{ $value }} on {{ $labels.instance }},"
        " below its quorum",
        "The real servers that are left carry more than they are meant to. Bring back those of LVSRealServerGone.",
    ),
    Alert(
        "LVSPoolFailsOpen",
        "lvs_service_fails_open == 1",
        "30s",
        CRITICAL,
        "{{ $labels.service }} ({{ $labels.virtual_server }}) has less than its min_up on {{ $labels.instance }}",
        "All of its real servers get clients, those whose health checks fail as well. Where they serve nevertheless,"
        " look at what the health check asks for: journalctl -u keepalived says what failed.",
    ),
    Alert(
        "LVSRealServerGone",
        f"lvs_real_server_configured_weight > 0 unless {_OF_A_REAL_SERVER} lvs_real_server_weight {_UNLESS_DOWN}",
        "1m",
        WARNING,
        "{{ $labels.real_server }} ({{ $labels.address }}) is not in {{ $labels.service }} on {{ $labels.instance }}",
        "Its health check fails, or somebody has taken it away. Look at the machine; journalctl -u keepalived on the"
        " director says what failed.",
    ),
    Alert(
        "LVSRealServerWithoutWeight",
        f"lvs_real_server_weight == 0 and {_OF_A_REAL_SERVER} lvs_real_server_configured_weight > 0",
        "15m",
        INFO,
        "{{ $labels.real_server }} ({{ $labels.address }}) has weight 0 in {{ $labels.service }} on"
        " {{ $labels.instance }}",
        "It gets no new connections. Somebody drains it, or forgot to end that: lvs.topology.drain with"
        " lvs_drain_state=active. With inhibit_on_failure, its health check fails.",
    ),
    Alert(
        "LVSKeepalivedDown",
        "lvs_keepalived_running == 0",
        "1m",
        CRITICAL,
        "keepalived does not run on {{ $labels.instance }}",
        "It checks nothing, and moves no VIP. systemctl status keepalived; lvs.topology.site starts it.",
    ),
    Alert(
        "LVSSyncDaemonMissing",
        f"sum by (instance) (lvs_sync_daemon_running) < on (instance) lvs_sync_daemons_configured {_UNLESS_DOWN}",
        "2m",
        WARNING,
        "The synchronisation daemon does not run on {{ $labels.instance }}",
        "Connections would not outlive a failover. lvs.topology.site starts it; lvs.topology.verify says why it ended.",
    ),
    Alert(
        "LVSConntrackdDown",
        "lvs_conntrackd_running == 0",
        "1m",
        WARNING,
        "conntrackd does not run on {{ $labels.instance }}",
        "Connections through FULLNAT would not outlive a failover. journalctl -u conntrackd says why; lvs.topology.site"
        " starts it.",
    ),
    Alert(
        "LVSConntrackdHearsNothing",
        "rate(lvs_conntrackd_received_packets_total[5m]) == 0"
        # One that does not run is said by itself.
        " and on (directors) count by (directors) (lvs_conntrackd_running == 1) > 1",
        "1m",
        WARNING,
        "conntrackd of {{ $labels.instance }} hears nothing from the other director",
        "Connections through FULLNAT would not outlive a failover. See with tcpdump on both whether UDP packets come"
        " (port 3780 where nothing else is said), and who drops them.",
    ),
    Alert(
        "LVSPassesNothing",
        "sum by (instance) (rate(lvs_service_incoming_packets_total[5m])) == 0"
        " and on (instance) max by (instance) (lvs_vip_held) == 1"
        " and on (instance) sum by (instance) (increase(lvs_service_incoming_packets_total[1h])) > 0"
        # Nor are they to come to one that no router knows of.
        " unless on (instance) max by (instance) (lvs_vip_announced) == 0",
        "5m",
        WARNING,
        "{{ $labels.instance }} holds a VIP, and no packet of a client has come for ten minutes",
        "Clients come no longer, or no longer to this director: look who answers ARP for the VIP (lvs.topology.verify),"
        " at the routers before it, and at its firewall.",
    ),
    Alert(
        "LVSConntrackNearlyFull",
        "lvs_conntrack_entries / lvs_conntrack_entries_limit > 0.8",
        "2m",
        WARNING,
        "netfilter's table on {{ $labels.instance }} is full to {{ $value | humanizePercentage }}",
        "When it is full, new connections are dropped. Raise net.netfilter.nf_conntrack_max with lvs_sysctls, or keep"
        " IPVS out of it where nothing needs net.ipv4.vs.conntrack.",
    ),
    Alert(
        "LVSConnectionTableCrowded",
        "lvs_connection_table_entries / lvs_connection_table_buckets > 8",
        "10m",
        WARNING,
        "The connection table of {{ $labels.instance }} has {{ $value }} connections in each place",
        "Each packet takes longer to find its connection. options ip_vs conn_tab_bits=18 in /etc/modprobe.d, for when"
        " the module is loaded the next time.",
    ),
    Alert(
        "LVSSourceNotRead",
        "lvs_topology_source_up == 0",
        "5m",
        WARNING,
        "{{ $labels.instance }} cannot read {{ $labels.source }}",
        "Its metrics are missing. journalctl -u lvs-topology-metrics on the director says why.",
    ),
    Alert(
        "LVSMetricsStale",
        "time() - lvs_topology_last_run_timestamp_seconds > 4 * lvs_topology_interval_seconds",
        # After a boot node_exporter reads the file of before, until the timer has run for the first time.
        "2m",
        WARNING,
        "{{ $labels.instance }} has not written its metrics for {{ $value | humanizeDuration }}",
        "What it says of itself is old. systemctl status lvs-topology-metrics.timer lvs-topology-metrics.service. Where"
        " the clock of the director is wrong, this is said as well.",
    ),
    Alert(
        "LVSDirectorSilent",
        "lvs_topology_build_info offset 10m unless on (instance) lvs_topology_build_info",
        "1m",
        CRITICAL,
        "{{ $labels.instance }} tells nothing any more",
        "The director is down, or Prometheus does not reach its node_exporter. After a teardown this ends by itself,"
        " ten minutes later.",
    ),
    Alert(
        "LVSVerifyBroken",
        'lvs_verify_findings{degree="broken"} > 0',
        "0s",
        CRITICAL,
        "verify found {{ $value }} things broken on {{ $labels.host }}",
        "Clients notice them. lvs.topology.verify names each with its remedy.",
    ),
    Alert(
        "LVSVerifyAtRisk",
        'lvs_verify_findings{degree="at risk"} > 0',
        "0s",
        WARNING,
        "verify found {{ $value }} things at risk on {{ $labels.host }}",
        "Clients will notice them when something else happens. lvs.topology.verify names each with its remedy.",
    ),
    Alert(
        "LVSVerifyOverdue",
        "time() - lvs_verify_last_run_timestamp_seconds > 2 * 86400",
        "0s",
        WARNING,
        "verify has written no report for {{ $value | humanizeDuration }}",
        "Nobody looks any more, or looking fails: see the log of what runs lvs.topology.verify on the controller.",
    ),
)


def rules_text() -> str:
    """The file for Prometheus."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "---"
    yield "# Written from plugins/plugin_utils/_metrics/alerts.py. What to do about each is in its description."
    yield "groups:"
    yield "  - name: lvs.topology"
    yield "    rules:"
    for alert in ALERTS:
        yield f"      - alert: {alert.name}"
        yield from _folded("        expr", alert.expression)
        yield f"        for: {alert.lasts}"
        yield "        labels:"
        yield f"          severity: {alert.severity}"
        yield "        annotations:"
        yield from _folded("          summary", alert.summary)
        yield from _folded("          description", alert.todo)


def _folded(key: str, text: str) -> Iterator[str]:
    """A text of one line as YAML folds it, in which no character means anything."""
    indent = " " * (len(key) - len(key.lstrip()) + 2)
    yield f"{key}: >-"
    yield from textwrap.wrap(
        text, _COLUMNS, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
