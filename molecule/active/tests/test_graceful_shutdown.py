# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director that is going says so first: the router prefers the others while the session still stands (RFC 8326)."""

from __future__ import annotations

import re
from typing import Any

import pytest

VIP, VIP6, AGGREGATE = "198.51.100.1", "2001:db8:100::1", "198.51.100.0/24"
OWN, OWN6 = "10.0.0.21", "2001:db8:b::21"


def preference(scenario: Any, to: str, own: str) -> str:
    """What the router's BIRD thinks of a director's way to a VIP or prefix; nothing where it has none."""
    family, length = (6, 128) if ":" in to else (4, 32)
    prefix = to if "/" in to else f"{to}/{length}"
    said = scenario.run("router", f"birdc show route all {prefix} table lvs{family}")
    # One way after the other, each with its gateway.
    found = re.findall(rf"via {re.escape(own)} (?:.*\n)+?.*BGP.local_pref: (\d+)", said)
    return found[0] if found else ""


def sends(scenario: Any, vip: str, own: str) -> bool:
    family = 6 if ":" in vip else 4
    return f"via {own} " in scenario.run("router", f"ip -{family} route show {vip}").replace("\n", " ") + " "


def test_a_director_that_is_going_is_left_out_before_its_session_ends(scenario: Any) -> None:
    """What bgp_sessions does in these seconds, one step after the other."""
    for vip, own, session in ((VIP, OWN, "lvs4_10_0_0_21"), (VIP6, OWN6, "lvs6_2001_db8_b__21")):
        family, prefix = (6, 128) if ":" in vip else (4, 32)
        route = f"{vip}/{prefix} table 1819 proto static metric 65616"
        scenario.wait("the router sends to lb1", lambda vip=vip, own=own: sends(scenario, vip, own))
        assert preference(scenario, vip, own) == "100"
        scenario.run("lb1", f"ip -{family} route change prohibit {route}")
        scenario.wait("it prefers others", lambda vip=vip, own=own: not sends(scenario, vip, own))
        assert preference(scenario, vip, own) == "0"
        # It was the only VIP in the aggregate.
        if vip == VIP:
            scenario.wait("nor by the aggregate", lambda own=own: not sends(scenario, AGGREGATE, own))
            assert preference(scenario, AGGREGATE, own) == "0"
        assert "(65535,0)" in scenario.run("router", f"birdc show route all {vip}/{prefix} table lvs{family}")
        assert "Established" in scenario.run("router", f"birdc show protocols {session}")
        scenario.run("lb1", f"ip -{family} route change blackhole {route}")
        scenario.wait("it sends to lb1 again", lambda vip=vip, own=own: sends(scenario, vip, own))


@pytest.mark.exhaustive
def test_a_drain_says_so_first_and_leaves_the_routes_as_they_were(scenario: Any) -> None:
    name = ("--extra-vars", "lvs_drain_directors=lb1")
    before = scenario.run("lb1", "ip route show table 1819; ip -6 route show table 1819")
    assert "prohibit" not in before
    with scenario.load() as answers:
        said = scenario.playbook("lvs.topology.drain_directors", *name, "-v")
        assert f"ip route change prohibit {VIP}/32 table 1819 proto static metric 65616" in said
        assert "wait 3 s for routers" in said
    assert answers.lost == {}
    assert scenario.run("lb1", "ip route show table 1819; ip -6 route show table 1819") == before
    assert preference(scenario, VIP, OWN) == preference(scenario, VIP6, OWN6) == ""
    scenario.playbook("lvs.topology.drain_directors", *name, "--extra-vars", "lvs_drain_directors_state=present")
    scenario.wait("the router sends to lb1", lambda: sends(scenario, VIP, OWN) and sends(scenario, VIP6, OWN6))
    assert preference(scenario, VIP, OWN) == "100"
