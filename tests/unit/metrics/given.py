# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director in figures: what the model says of it, and what its kernel has."""

from __future__ import annotations

from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import Said
from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import Counts
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Connections,
    Counters,
    Daemon,
    Destination,
    DestinationKey,
    Entry,
    Service,
    ServiceKey,
    Table,
)
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state
from ansible_collections.lvs.topology.plugins.module_utils._metrics.samples import About, Readings

WEB = ServiceKey("ipv4", "tcp", "192.0.2.1", 80)
# More than fits into 32 bits.
MANY = 2**40
ABOUT = About("0123456789ab", "3.11.2", 1000.5, 0.25)


def real_server(name: str, address: str, weight: int = 1, port: int = 80) -> dict[str, Any]:
    return {"name": name, "address": address, "port": port, "weight": weight}


def described(**changes: Any) -> dict[str, Any]:
    """A description as the plan has it."""
    return {
        "directory": "/var/lib/prometheus/node-exporter",
        "interval": 30,
        "directors": ["lb1", "lb2"],
        "keepalived": True,
        "sync_daemons": 1,
        "vips": [{"address": "192.0.2.1", "interface": "eth1", "holders": 1, "announcers": 1, "aggregate": ""}],
        "aggregates": [{"prefix": "192.0.2.0/24", "announcers": 2}],
        "sessions": [{"name": "lvs4_10_0_0_1", "neighbour": "router", "address": "10.0.0.1", "bfd": True}],
        "conntrackd": True,
        "hidden": ["fwmark 65 ipv4"],
        "services": [
            {
                "name": "web",
                "virtual_server": "tcp 192.0.2.1:80",
                "quorum": 2,
                "guard": "[192.0.2.1]:tcp:80",
                "real_servers": [real_server("web1", "10.0.0.51"), real_server("web2", "10.0.0.52", 3)],
                "others": [real_server("sorry", "10.0.0.99")],
            }
        ],
        **changes,
    }


def destination(address: str, weight: int = 1, **counted: int) -> Destination:
    connections = Connections(active=1, inactive=2, persistent=3)
    key = DestinationKey(address, 80)
    return Destination(key, "nat", weight, connections=connections, counters=Counters(**counted))


def table(*destinations: Destination, key: ServiceKey = WEB, **counted: int) -> Table:
    service = Service(key, counters=Counters(**counted))
    return {key: Entry(service, {each.key: each for each in destinations})}


def readings(**changes: Any) -> Readings:
    found: dict[str, Any] = {
        "sources": {"ipvs": True, "connections": True},
        "table": table(destination("10.0.0.51", conns=MANY), destination("10.0.0.52", 3, inbytes=7), conns=MANY + 1),
        "totals": Counters(1, 2, 3, 4, 5),
        "buckets": 4096,
        "daemons": (Daemon("master", "eth1"),),
        "states": {(WEB, "ESTABLISHED"): 4},
        "conntrack": (10, 100),
        "conntrack_failures": {"drop": 1},
        "addresses": frozenset({("192.0.2.1", "eth1")}),
        "running": frozenset({"keepalived", "bird", "conntrackd"}),
        "bird": Said(
            {"lvs4_10_0_0_1": "Established"}, frozenset({"10.0.0.1"}), frozenset({"192.0.2.1", "192.0.2.0/24"})
        ),
        "replicated": Counts(own=1, taken=2, failed=3, sent=4, received=5, lost=6),
        "guard": guard_state.State(1, "2", frozenset()),
        **changes,
    }
    return Readings(**found)
