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
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

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


@pytest.mark.parametrize("odd", ["blackhole 192.0.2.1", f"[{VIP}", "{}", "[1]"])
def test_what_is_no_list_of_routes_is_said(said: list[str], odd: str) -> None:
    said += [odd, odd]
    with pytest.raises(Refused, match="table 1819 printed something else than a list of routes in JSON"):
        announcements.routes_of(1819)
    unseen: list[str] = []
    said[:] = [odd]
    assert bird_info.routes_seen({"table": None, "vips": ["192.0.2.1"], "aggregates": []}, unseen) == ([], {})
    assert [each[:20] for each in unseen] == ["the routes of VIPs: "]


def test_packets_that_nobody_has_seen_do_not_still_come(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = [7, 7, 8]
    monkeypatch.setattr(bgp_sessions, "_packets", lambda _marks: packets.pop(0))
    module: Any = SimpleNamespace(params={"check_marks": []})
    look = bgp_sessions._still_sent(module)
    assert look() == ["whether packets of clients still come shows only after 5 seconds"]
    assert look() == ["packets of clients still come"]
