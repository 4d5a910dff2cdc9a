# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where two directors differ, as tables of what ipvs_info returned."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Callable

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import differences

DAEMON = {"state": "master", "interface": "eth2", "syncid": 1, "maxlen": 1472, "group": "224.0.0.81", "port": 8848}
INFO: dict[str, Any] = {
    "timeouts": {"tcp": 900, "tcpfin": 120, "udp": 300},
    "daemons": [DAEMON],
    "services": [
        {
            "address": "192.168.0.29",
            "port": 80,
            "protocol": "tcp",
            "family": "ipv4",
            "scheduler": "rr",
            "scheduler_flags": [],
            "one_packet": False,
            "persistence": {"timeout": 0, "netmask": "255.255.255.255", "engine": "none"},
            "counters": {"conns": 5},
            "real_servers": [
                {
                    "address": "10.0.0.51",
                    "port": 80,
                    "forward": "nat",
                    "weight": 1,
                    "upper_threshold": 0,
                    "lower_threshold": 0,
                    "tunnel": None,
                    "connections": {"active": 3},
                    "counters": {"conns": 5},
                }
            ],
        },
        {"fwmark": 10, "family": "ipv6", "scheduler": "wlc", "real_servers": []},
    ],
}


def _change(change: Callable[[Any], object]) -> dict[str, Any]:
    info = deepcopy(INFO)
    change(info)
    return {"lb1": INFO, "lb2": info}


def test_the_same_is_no_difference_whatever_was_counted() -> None:
    def count(info: Any) -> None:
        info["services"][0]["counters"]["conns"] = 7
        info["services"][0]["real_servers"][0]["connections"]["active"] = 0
        # The daemon of a standby is the other one.
        info["daemons"] = [{**DAEMON, "state": "backup", "interface": "eth9"}]
        info["services"].reverse()

    assert differences(_change(count)) == []
    assert differences({"lb1": INFO}) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda info: info["services"].pop(0),
            "tcp 192.168.0.29:80: is on lb1, and not on lb2",
        ),
        (
            lambda info: info["services"].pop(1),
            "firewall mark 10 (ipv6): is on lb1, and not on lb2",
        ),
        (
            lambda info: info["services"][0].update(scheduler="wlc"),
            "tcp 192.168.0.29:80: scheduler is rr on lb1, wlc on lb2",
        ),
        (
            lambda info: info["services"][0]["real_servers"].clear(),
            "tcp 192.168.0.29:80, real server 10.0.0.51:80: is on lb1, and not on lb2 "
            "(each director's health checks decide for themselves)",
        ),
        (
            lambda info: info["services"][0]["real_servers"][0].update(weight=0),
            "tcp 192.168.0.29:80, real server 10.0.0.51:80: weight is 1 on lb1, 0 on lb2 "
            "(each director's health checks decide for themselves)",
        ),
        (
            lambda info: info["services"][0]["real_servers"][0].update(upper_threshold=5),
            "tcp 192.168.0.29:80, real server 10.0.0.51:80: upper_threshold is 0 on lb1, 5 on lb2",
        ),
        (
            lambda info: info["timeouts"].update(tcp=7200),
            "timeout: tcp is 900 on lb1, 7200 on lb2",
        ),
        (
            lambda info: info["daemons"].clear(),
            "synchronisation daemon: is on lb1, and not on lb2",
        ),
        (
            lambda info: info.update(daemons=[{**DAEMON, "syncid": 2}]),
            "synchronisation daemon: syncid is 1 on lb1, 2 on lb2",
        ),
        (
            lambda info: info.update(timeouts=None),
            "timeout: tcp is 900 on lb1, None on lb2",
        ),
    ],
)
def test_every_difference_is_a_line(change: Callable[[Any], object], line: str) -> None:
    assert line in differences(_change(change))
