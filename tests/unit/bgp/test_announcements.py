# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of the routes by which BGP announces VIPs, also where it says it in an odd way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcements, bgp_sessions, bird_info
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import GOING, Route
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

VIP_ROUTE = "blackhole 192.0.2.1/32 table 1819 proto static metric 65616"
VIP = '{"type": "blackhole", "dst": "192.0.2.1", "protocol": "static", "metric": 65616}'


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ip prints of IPv4 and of IPv6, in turn."""
    found: list[str] = []
    monkeypatch.setattr(_commands, "find", lambda name: f"/sbin/{name}")
    monkeypatch.setattr(_commands, "run", lambda _words: _commands.Said(0, found.pop(0), ""))
    return found


@pytest.mark.parametrize("nothing", ["", "\n", "[]"])
def test_what_is_announced(said: list[str], nothing: str) -> None:
    said += [f'[{VIP}, {{"type": "throw", "dst": "192.0.2.2"}}]', nothing]
    (route,) = announcements.routes_of(1819)
    assert str(route) == "blackhole 192.0.2.1/32 table 1819 proto static metric 65616"


def test_what_is_announced_as_going(said: list[str]) -> None:
    """Its run may have been killed: only whoever sees it can put it back."""
    said += [f"[{VIP.replace('blackhole', 'prohibit')}]", ""]
    (route,) = announcements.routes_of(1819)
    assert str(route) == "prohibit 192.0.2.1/32 table 1819 proto static metric 65616"
    # Nobody counts on a director that is going.
    said += [f"[{VIP.replace('blackhole', 'prohibit')}, {VIP.replace('.1', '.2')}]", ""]
    announced, _ways = bird_info.routes_seen({"table": 1819, "vips": [], "aggregates": []}, [])
    assert announced == [{"address": "192.0.2.2/32", "metric": 65616, "table": 1819, "protocol": "static"}]


@pytest.mark.parametrize("odd", ["blackhole 192.0.2.1", f"[{VIP}", "{}", "[1]"])
def test_what_is_no_list_of_routes_is_said(said: list[str], odd: str) -> None:
    said += [odd, odd]
    with pytest.raises(Refused, match="table 1819 printed something else than a list of routes in JSON"):
        announcements.routes_of(1819)
    unseen: list[str] = []
    said[:] = [odd]
    assert bird_info.routes_seen({"table": None, "vips": ["192.0.2.1"], "aggregates": []}, unseen) == ([], {})
    assert [each[:20] for each in unseen] == ["the routes of VIPs: "]


@pytest.mark.parametrize(
    ("state", "seconds", "expected"),
    [
        # The way back that rolling_directors and verify name.
        ("enabled", 0, [f"ip route change {VIP_ROUTE}"]),
        # With seconds, routes are changed around the pause, and put back after it.
        ("disabled", 5, ["wait 5 s for routers", "birdc disable lvs4_10_0_0_1"]),
        ("disabled", 0, ["birdc disable lvs4_10_0_0_1"]),
    ],
)
def test_a_graceful_shutdown_that_was_killed_is_seen_by_the_next_one(
    monkeypatch: pytest.MonkeyPatch, state: str, seconds: int, expected: list[str]
) -> None:
    left = Route("192.0.2.1/32", 65616, 1819, kind=GOING)
    session = {"name": "lvs4_10_0_0_1", "neighbour": "10.0.0.1", "state": "Established", "error": ""}
    monkeypatch.setattr(bgp_sessions, "routes_of", lambda _table: [left])
    monkeypatch.setattr(bgp_sessions, "_sessions", lambda: [session])
    announced = {"table": 1819, "vips": ["192.0.2.1"], "aggregates": []}
    params = {**asked(bgp_sessions.SPEC), "state": state, "graceful_shutdown": seconds, "announced": announced}
    module: Any = SimpleNamespace(params=params, check_mode=True, _diff=False, warn=pytest.fail)
    found = bgp_sessions.ensure_sessions(module)
    assert found["changes"] == expected
    assert found["announced"] == {"table": 1819, "vips": ["192.0.2.1"]}


def asked(spec: dict[str, Any]) -> dict[str, Any]:
    """The options of a module that are left out."""
    return {name: option.get("default") for name, option in spec.items()}


def test_packets_that_nobody_has_seen_do_not_still_come(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = [7, 7, 8]
    monkeypatch.setattr(bgp_sessions, "_packets", lambda _marks: packets.pop(0))
    module: Any = SimpleNamespace(params={"check_marks": []})
    look = bgp_sessions._still_sent(module)
    assert look() == ["whether packets of clients still come shows only after 5 seconds"]
    assert look() == ["packets of clients still come"]
