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
        "None of {{ $labels.directors }} holds {{ $labels.vip }}",
        "Clients get no answer. Run lvs.topology.verify, and read journalctl -u keepalived on each director. A"
        " director for which LVSDirectorSilent fires may still hold the VIP.",
    ),
    Alert(
        "LVSVipOnSeveralDirectors",
        "sum by (directors, vip) (lvs_vip_held) > max by (directors, vip) (lvs_vip_holders)",
        "1m",
        CRITICAL,
        "{{ $value }} of {{ $labels.directors }} hold {{ $labels.vip }}",
        "The directors do not receive each other's VRRP adverts. Stop keepalived on all of them but one, then"
        " check the cables, VLANs, firewalls and passwords between them.",
    ),
    Alert(
        "LVSVipAnnouncedByNobody",
        "sum by (directors, vip) (lvs_vip_announced) == 0",
        "30s",
        CRITICAL,
        "None of {{ $labels.directors }} announces {{ $labels.vip }}",
        "No router has a route to the VIP, so clients get no answer. Where LVSNoRealServer fires as well, look at"
        " the real servers. Otherwise run lvs.topology.verify, and on each director birdc show protocols and ip"
        " route show table 1819.",
    ),
    Alert(
        "LVSVipAnnouncedByFewer",
        # Whoever is drained is not missed.
        f"count by (directors, vip) (lvs_vip_announced == 1 or lvs_vip_announced and on (instance) {_DRAINED})"
        " < max by (directors, vip) (lvs_vip_announcers)",
        "2m",
        WARNING,
        "Only {{ $value }} of {{ $labels.directors }} announce {{ $labels.vip }}",
        "The other directors carry its share of the clients. lvs.topology.verify names the director that does not"
        " announce the VIP, and why: its pool has no quorum, it has no session with a router, or it is down.",
    ),
    Alert(
        "LVSBirdDown",
        "lvs_bird_running == 0",
        "1m",
        WARNING,
        "BIRD does not run on {{ $labels.instance }}",
        "Routers send no clients to this director. journalctl -u bird says why it ended; lvs.topology.site starts"
        " it again.",
    ),
    Alert(
        "LVSBgpSessionDown",
        "lvs_bgp_session_up == 0 and lvs_bgp_session_enabled == 1 unless on (instance) lvs_bird_running == 0",
        "1m",
        WARNING,
        "{{ $labels.instance }} has no BGP session with {{ $labels.neighbour }} ({{ $labels.address }})",
        "That router sends no clients to this director. birdc show protocols all shows the last error;"
        " lvs.topology.verify says what to check.",
    ),
    Alert(
        "LVSBfdDown",
        "lvs_bgp_session_bfd_up == 0 and lvs_bgp_session_up == 1",
        "1m",
        WARNING,
        "BFD of {{ $labels.instance }} does not hear {{ $labels.neighbour }} ({{ $labels.address }})",
        "The BGP session is still up, but either side would notice the loss of the other only after hold_time."
        " Check that the router has BFD for this director, and that UDP port 3784 (4784 with multihop) passes.",
    ),
    Alert(
        "LVSDirectorDrained",
        _DRAINED,
        "15m",
        INFO,
        "{{ $labels.instance }} announces nothing, because its sessions are disabled",
        "Somebody has drained it. To announce its VIPs again, run lvs.topology.drain_directors with -e"
        " lvs_drain_directors=NAME -e lvs_drain_directors_state=present.",
    ),
    Alert(
        "LVSServiceMissing",
        f"lvs_service_present == 0 and {_OF_A_SERVICE} lvs_service_configured_real_servers > 0 {_UNLESS_DOWN}",
        "1m",
        CRITICAL,
        "The table of {{ $labels.instance }} lacks {{ $labels.service }} ({{ $labels.virtual_server }})",
        "Somebody has removed it from the table. lvs.topology.site puts it back.",
    ),
    Alert(
        "LVSNoRealServer",
        "lvs_service_available_real_servers == 0"
        f" and {_OF_A_SERVICE} lvs_service_configured_real_servers > 0 and {_OF_A_SERVICE} lvs_service_present == 1",
        "30s",
        CRITICAL,
        "{{ $labels.service }} ({{ $labels.virtual_server }}) has no available real server on {{ $labels.instance }}",
        "Look at the real servers first. Where they answer, the health check may ask for the wrong thing:"
        " journalctl -u keepalived on the director says what failed. Where all of them are drained, put them back"
        " by lvs.topology.drain with -e lvs_drain_state=present.",
    ),
    Alert(
        "LVSPoolBelowQuorum",
        f"lvs_service_available_weight < {_OF_A_SERVICE} lvs_service_quorum"
        f" and {_OF_A_SERVICE} lvs_service_available_real_servers > 0",
        "30s",
        CRITICAL,
        "{{ $labels.service }} ({{ $labels.virtual_server }}) has weight {{ $value }} on {{ $labels.instance }},"
        " below its quorum",
        "The real servers that are left carry more than they are meant to. Bring back those for which"
        " LVSRealServerGone fires.",
    ),
    Alert(
        "LVSPoolFailsOpen",
        "lvs_service_fails_open == 1",
        "30s",
        CRITICAL,
        "{{ $labels.service }} ({{ $labels.virtual_server }}) has less than its min_up on {{ $labels.instance }}",
        "All of its real servers get clients, including those whose health checks fail. Where these serve"
        " nevertheless, the health check asks for the wrong thing: journalctl -u keepalived on the director says"
        " what failed.",
    ),
    Alert(
        "LVSRealServerGone",
        f"lvs_real_server_configured_weight > 0 unless {_OF_A_REAL_SERVER} lvs_real_server_weight {_UNLESS_DOWN}"
        f" or lvs_real_server_check_failed == 1 and {_OF_A_REAL_SERVER} lvs_real_server_configured_weight > 0"
        f" {_UNLESS_DOWN}",
        "1m",
        WARNING,
        "{{ $labels.real_server }} ({{ $labels.address }}) has failed in {{ $labels.service }}, or is missing there,"
        " on {{ $labels.instance }}",
        "Its health check fails, or somebody has removed it from the table. Look at the machine first; journalctl"
        " -u keepalived on the director says which check failed. Where none did, lvs.topology.site puts it back.",
    ),
    Alert(
        "LVSRealServerWithoutWeight",
        f"lvs_real_server_weight == 0 and {_OF_A_REAL_SERVER} lvs_real_server_configured_weight > 0"
        f" unless {_OF_A_REAL_SERVER} lvs_real_server_check_failed == 1",
        "15m",
        INFO,
        "{{ $labels.real_server }} ({{ $labels.address }}) has weight 0 in {{ $labels.service }} on"
        " {{ $labels.instance }}",
        "It gets no new connections. Where somebody has drained it, put it back by lvs.topology.drain with -e"
        " lvs_drain=NAME -e lvs_drain_state=present. Where its service has inhibit_on_failure, or got min_up while it"
        " was down, its health check may fail.",
    ),
    Alert(
        "LVSKeepalivedDown",
        "lvs_keepalived_running == 0",
        "1m",
        CRITICAL,
        "keepalived does not run on {{ $labels.instance }}",
        "It checks no real server, and takes over no VIP. systemctl status keepalived says why it ended;"
        " lvs.topology.site starts it again.",
    ),
    Alert(
        "LVSSyncDaemonMissing",
        f"sum by (instance) (lvs_sync_daemon_running) < on (instance) lvs_sync_daemons_configured {_UNLESS_DOWN}",
        "2m",
        WARNING,
        "The synchronisation daemon does not run on {{ $labels.instance }}",
        "Established connections would break at a failover. lvs.topology.site starts it again.",
    ),
    Alert(
        "LVSConntrackdDown",
        "lvs_conntrackd_running == 0",
        "1m",
        WARNING,
        "conntrackd does not run on {{ $labels.instance }}",
        "Established connections through FULLNAT would break at a failover. journalctl -u conntrackd says why it"
        " ended; lvs.topology.site starts it again.",
    ),
    Alert(
        "LVSConntrackdHearsNothing",
        "rate(lvs_conntrackd_received_packets_total[5m]) == 0"
        # One that does not run is said by itself.
        " and on (directors) count by (directors) (lvs_conntrackd_running == 1) > 1",
        "1m",
        WARNING,
        "conntrackd of {{ $labels.instance }} hears nothing from the other director",
        "Established connections through FULLNAT would break at a failover. See with tcpdump on both directors"
        " whether its UDP packets arrive (port 3780, or that of lvs_conntrackd), and which firewall drops them.",
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
        "{{ $labels.instance }} holds a VIP, and no client has sent it a packet for ten minutes",
        "Clients no longer reach this director. lvs.topology.verify says who answers ARP for the VIP, and what the"
        " director's firewall drops; check the routers in front of it as well.",
    ),
    Alert(
        "LVSConntrackNearlyFull",
        "lvs_conntrack_entries / lvs_conntrack_entries_limit > 0.8",
        "2m",
        WARNING,
        "netfilter's table on {{ $labels.instance }} is {{ $value | humanizePercentage }} full",
        "When it is full, packets that begin a connection are dropped, health checks and the adverts of a new master"
        " among them. Raise net.netfilter.nf_conntrack_max in lvs_sysctls, or set"
        " net.ipv4.vs.conntrack to 0 there where no service is FULLNAT and no firewall rule needs it.",
    ),
    Alert(
        "LVSConnectionTableCrowded",
        "lvs_connection_table_entries / lvs_connection_table_buckets > 8",
        "10m",
        WARNING,
        "The connection table of {{ $labels.instance }} has {{ $value }} connections in each place",
        "Each packet takes longer to find its connection. Write options ip_vs conn_tab_bits=18 into a file in"
        " /etc/modprobe.d; that counts from the next boot on.",
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
        "What its metrics say is out of date. Look at systemctl status lvs-topology-metrics.timer"
        " lvs-topology-metrics.service, and at the director's clock: a wrong one has the same effect.",
    ),
    Alert(
        "LVSDirectorSilent",
        "lvs_topology_build_info offset 10m unless on (instance) lvs_topology_build_info",
        "1m",
        CRITICAL,
        "{{ $labels.instance }} no longer writes metrics",
        "The director is down, or Prometheus does not reach its node_exporter. After a teardown this alert ends by"
        " itself, ten minutes later.",
    ),
    Alert(
        "LVSVerifyBroken",
        'lvs_verify_findings{degree="broken"} > 0',
        "0s",
        CRITICAL,
        "verify found {{ $value }} things broken on {{ $labels.host }}",
        "Clients notice them. Run lvs.topology.verify: it names each one with its remedy.",
    ),
    Alert(
        "LVSVerifyAtRisk",
        'lvs_verify_findings{degree="at risk"} > 0',
        "0s",
        WARNING,
        "verify found {{ $value }} things at risk on {{ $labels.host }}",
        "Clients will notice them when something else fails. Run lvs.topology.verify: it names each one with its"
        " remedy.",
    ),
    Alert(
        "LVSVerifyOverdue",
        "time() - lvs_verify_last_run_timestamp_seconds > 2 * 86400",
        "0s",
        WARNING,
        "verify has written no report for {{ $value | humanizeDuration }}",
        "Nobody looks any more, or looking fails: read the log of what runs lvs.topology.verify on the controller.",
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
