# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dashboard of Grafana shows of the metrics of the catalogue. Pure."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

# Grafana fills them in: the directors and services that are chosen, and the time that lies between two points.
_DIRECTORS, _SERVICES = 'instance=~"$instance"', 'service=~"$service"'
_OF_DIRECTORS, _OF_SERVICES = f"{{{_DIRECTORS}}}", f"{{{_DIRECTORS},{_SERVICES}}}"
_RATE = "[$__rate_interval]"
_WIDTH, _PER_ROW, _HEIGHT = 24, 3, 8


class Query(NamedTuple):
    """An expression, and what its lines are called, with labels in double braces."""

    expression: str
    legend: str


class Panel(NamedTuple):
    """One panel. ``unit`` is Grafana's word for it."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"


def _rate_of(metric: str, by: str, chosen: str) -> str:
    return f"sum by ({by}) (rate({metric}{chosen}{_RATE}))"


def _both_ways(title: str, what: str, by: str, chosen: str, *, of: str = "", back: str = "from") -> Panel:
    """How many packets, or bytes, go each way. ``of`` is of whom the counters are; of the director itself, nothing."""
    name = f"{{{{{by}}}}}"
    return Panel(
        title,
        {"packets": "pps", "bytes": "Bps"}[what],
        tuple(
            Query(_rate_of(f"lvs_{of}{way}_{what}_total", by, chosen), f"{said} {name}")
            for way, said in (("incoming", "to"), ("outgoing", back))
        ),
    )


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Directors",
        (
            Panel(
                "Who holds which VIP",
                "short",
                (
                    Query(f"lvs_vip_held{_OF_DIRECTORS}", "{{vip}} on {{instance}} ({{interface}})"),
                    Query(f"max by (directors, vip) (lvs_vip_holders{_OF_DIRECTORS})", "{{vip}}: meant to be held by"),
                ),
            ),
            Panel(
                "Who announces which VIP",
                "short",
                (
                    Query(f"lvs_vip_announced{_OF_DIRECTORS}", "{{vip}} by {{instance}}"),
                    Query(
                        f"max by (directors, vip) (lvs_vip_announcers{_OF_DIRECTORS})",
                        "{{vip}}: meant to be announced by",
                    ),
                    Query(f"lvs_aggregate_announced{_OF_DIRECTORS}", "{{prefix}} by {{instance}}"),
                    Query(
                        f"max by (directors, prefix) (lvs_aggregate_announcers{_OF_DIRECTORS})",
                        "{{prefix}}: meant to be announced by",
                    ),
                ),
            ),
            Panel(
                "Sessions of BGP",
                "short",
                (
                    Query(f"lvs_bgp_session_up{_OF_DIRECTORS}", "{{instance}} with {{neighbour}} {{address}}"),
                    Query(
                        f"lvs_bgp_session_bfd_up{_OF_DIRECTORS}", "BFD of {{instance}} with {{neighbour}} {{address}}"
                    ),
                    Query(f"lvs_bgp_session_enabled{_OF_DIRECTORS} == bool 0", "drained: {{instance}}, {{address}}"),
                ),
            ),
            Panel(
                "Daemons",
                "short",
                (
                    Query(f"lvs_keepalived_running{_OF_DIRECTORS}", "keepalived on {{instance}}"),
                    Query(f"lvs_bird_running{_OF_DIRECTORS}", "BIRD on {{instance}}"),
                    Query(f"lvs_conntrackd_running{_OF_DIRECTORS}", "conntrackd on {{instance}}"),
                    Query(f"lvs_sync_daemon_running{_OF_DIRECTORS}", "{{state}} daemon on {{instance}}"),
                    Query(f"lvs_sync_daemons_configured{_OF_DIRECTORS}", "daemons meant on {{instance}}"),
                ),
            ),
            Panel(
                "New connections",
                "cps",
                (Query(_rate_of("lvs_accepted_connections_total", "instance", _OF_DIRECTORS), "{{instance}}"),),
            ),
            _both_ways("Packets", "packets", "instance", _OF_DIRECTORS, back="back by"),
            _both_ways("Bytes", "bytes", "instance", _OF_DIRECTORS, back="back by"),
            Panel(
                "How full tables are",
                "percentunit",
                (
                    Query(
                        f"lvs_conntrack_entries{_OF_DIRECTORS} / lvs_conntrack_entries_limit{_OF_DIRECTORS}",
                        "netfilter's on {{instance}}",
                    ),
                    Query(
                        f"lvs_connection_table_entries{_OF_DIRECTORS} / lvs_connection_table_buckets{_OF_DIRECTORS}",
                        "connections of each place on {{instance}}",
                    ),
                ),
            ),
            Panel(
                "What conntrackd tells and hears",
                "pps",
                tuple(
                    Query(
                        f"rate(lvs_conntrackd_{way}_packets_total{_OF_DIRECTORS}{_RATE})", f"{way} by {{{{instance}}}}"
                    )
                    for way in ("sent", "received")
                ),
            ),
            Panel(
                "Connections and messages of conntrackd",
                "short",
                (
                    Query(f"lvs_conntrackd_connections{_OF_DIRECTORS}", "connections of {{instance}}"),
                    *(
                        Query(
                            f"rate(lvs_conntrackd_{name}_messages_total{_OF_DIRECTORS}{_RATE})",
                            f"messages {name}, {{{{instance}}}}",
                        )
                        for name in ("taken", "failed", "lost")
                    ),
                ),
            ),
            Panel(
                "What netfilter could not keep track of",
                "short",
                (Query(f"rate(lvs_conntrack_failures_total{_OF_DIRECTORS}{_RATE})", "{{reason}} on {{instance}}"),),
            ),
        ),
    ),
    (
        "Services",
        (
            Panel(
                "New connections of services",
                "cps",
                (Query(_rate_of("lvs_service_accepted_connections_total", "service", _OF_SERVICES), "{{service}}"),),
            ),
            _both_ways("Packets of services", "packets", "service", _OF_SERVICES, of="service_"),
            _both_ways("Bytes of services", "bytes", "service", _OF_SERVICES, of="service_"),
            Panel(
                "Real servers that are available",
                "short",
                (
                    Query(
                        f"min by (service, virtual_server) (lvs_service_available_real_servers{_OF_SERVICES})",
                        "{{service}} {{virtual_server}}",
                    ),
                    Query(
                        f"max by (service, virtual_server) (lvs_service_configured_real_servers{_OF_SERVICES})",
                        "{{service}} {{virtual_server}}, declared",
                    ),
                ),
            ),
            Panel(
                "Weight that is available, less the quorum",
                "short",
                (
                    Query(
                        f"min by (service, virtual_server) (lvs_service_available_weight{_OF_SERVICES}"
                        f" - lvs_service_quorum{_OF_SERVICES})",
                        "{{service}} {{virtual_server}}",
                    ),
                ),
            ),
            Panel(
                "Services with less than min_up, which all real servers serve",
                "short",
                (
                    Query(
                        f"max by (service, virtual_server) (lvs_service_fails_open{_OF_SERVICES})",
                        "{{service}} {{virtual_server}}",
                    ),
                ),
            ),
            Panel(
                "Services that the table lacks",
                "short",
                (Query(f"sum by (instance) (lvs_service_present{_OF_SERVICES} == bool 0)", "{{instance}}"),),
            ),
            Panel(
                "Connections by state",
                "short",
                (
                    Query(f"sum by (state) (lvs_service_connections{_OF_SERVICES})", "{{state}}"),
                    Query(f"min(lvs_connection_states_counted{_OF_DIRECTORS})", "counted everywhere (1) or not (0)"),
                ),
            ),
        ),
    ),
    (
        "Real servers",
        (
            Panel(
                "New connections of real servers",
                "cps",
                (
                    Query(
                        _rate_of("lvs_real_server_accepted_connections_total", "service, real_server", _OF_SERVICES),
                        "{{real_server}} of {{service}}",
                    ),
                ),
            ),
            _both_ways("Packets of real servers", "packets", "real_server", _OF_SERVICES, of="real_server_"),
            _both_ways("Bytes of real servers", "bytes", "real_server", _OF_SERVICES, of="real_server_"),
            Panel(
                "Connections of real servers",
                "short",
                tuple(
                    Query(
                        f"sum by (service, real_server) (lvs_real_server_{name}_connections{_OF_SERVICES})",
                        "{{real_server}} of {{service}}, " + name,
                    )
                    for name in ("active", "inactive", "persistent")
                ),
            ),
            Panel(
                "Real servers that have failed, in services with min_up",
                "short",
                (
                    Query(
                        f"max by (service, real_server) (lvs_real_server_check_failed{_OF_SERVICES})",
                        "{{real_server}} of {{service}}",
                    ),
                ),
            ),
            Panel(
                "Weights",
                "short",
                (
                    Query(f"lvs_real_server_weight{_OF_SERVICES}", "{{real_server}} of {{service}} on {{instance}}"),
                    Query(
                        f"max by (service, real_server) (lvs_real_server_configured_weight{_OF_SERVICES})",
                        "{{real_server}} of {{service}}, declared",
                    ),
                ),
            ),
        ),
    ),
    (
        "Looking",
        (
            Panel(
                "Findings of verify",
                "short",
                (
                    Query("sum by (degree) (lvs_verify_findings)", "{{degree}}"),
                    Query("sum(lvs_verify_unseen)", "not looked at"),
                ),
            ),
            Panel(
                "Ages",
                "s",
                (
                    Query(
                        f"time() - lvs_topology_last_run_timestamp_seconds{_OF_DIRECTORS}", "metrics of {{instance}}"
                    ),
                    Query("time() - lvs_verify_last_run_timestamp_seconds", "report of verify"),
                ),
            ),
            Panel(
                "Cost of reading, and what could be read",
                "percentunit",
                (
                    Query(
                        f"lvs_topology_run_duration_seconds{_OF_DIRECTORS}"
                        f" / lvs_topology_interval_seconds{_OF_DIRECTORS}",
                        "share of the time on {{instance}}",
                    ),
                    Query(f"lvs_topology_source_up{_OF_DIRECTORS}", "{{source}} on {{instance}}"),
                ),
            ),
        ),
    ),
)
PANELS: tuple[Panel, ...] = tuple(panel for _title, panels in ROWS for panel in panels)


def dashboard_text() -> str:
    """The file for Grafana, version 9 or later."""
    return json.dumps(_dashboard(), indent=2) + "\n"


def _dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"h": 1, "w": _WIDTH, "x": 0, "y": top},
            }
        )
        top += 1
        for position, panel in enumerate(row):
            place = (position % _PER_ROW * (_WIDTH // _PER_ROW), top + position // _PER_ROW * _HEIGHT)
            panels.append(_panel(len(panels) + 1, panel, *place))
        top += -(-len(row) // _PER_ROW) * _HEIGHT
    return {
        "title": "Linux Virtual Server",
        "uid": "lvs-topology",
        "tags": ["lvs"],
        "schemaVersion": 37,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                },
                _choice("instance", "Director", "label_values(lvs_topology_build_info, instance)"),
                _choice("service", "Service", "label_values(lvs_service_quorum, service)"),
            ]
        },
        "panels": panels,
    }


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def _choice(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "sort": 1,
    }


def _panel(number: int, panel: Panel, left: int, top: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"h": _HEIGHT, "w": _WIDTH // _PER_ROW, "x": left, "y": top},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": chr(ord("A") + position),
                "datasource": _SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
            }
            for position, query in enumerate(panel.queries)
        ],
    }
