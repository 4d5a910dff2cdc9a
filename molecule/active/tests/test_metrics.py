# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each director writes what it announces and to whom, and that is what its router has heard."""

from __future__ import annotations

from typing import Any

from written_metrics import check_unit, new, with_name

DIRECTORS = 'directors="lb1,lb2,lb3"'
AGGREGATE = f'{{{DIRECTORS},prefix="198.51.100.0/24"}}'
VIP, VIP6 = f'{{{DIRECTORS},vip="198.51.100.1"}}', f'{{{DIRECTORS},vip="2001:db8:100::1"}}'
FOUR, SIX = '{neighbour="router",address="10.0.0.1"}', '{neighbour="router",address="2001:db8:b::1"}'


def announced(scenario: Any, host: str) -> tuple[float, float]:
    found = with_name(new(scenario, host), "lvs_vip_announced")
    return found[VIP], found[VIP6]


def heard(scenario: Any, own: str) -> bool:
    """Whether the router has a route by which a director with that address serves the first VIP."""
    return f"via {own} " in scenario.run("router", "birdc show route all 198.51.100.1/32 table lvs4")


def test_what_a_director_announces_is_what_the_router_hears(scenario: Any) -> None:
    for number, host in enumerate(scenario.directors, 1):
        assert announced(scenario, host) == (1, 1)
        assert heard(scenario, f"10.0.0.2{number}")
    found = new(scenario, "lb1")
    assert with_name(found, "lvs_vip_announcers") == {VIP: 3, VIP6: 3}
    assert with_name(found, "lvs_aggregate_announced") == {AGGREGATE: 1}
    assert with_name(found, "lvs_aggregate_announcers") == {AGGREGATE: 3}
    for name in ("up", "enabled", "bfd_up"):
        assert with_name(found, f"lvs_bgp_session_{name}") == {FOUR: 1, SIX: 1}, name
    assert found["lvs_bird_running"] == 1


def test_one_vip_is_withdrawn(scenario: Any) -> None:
    scenario.run("lb1", "ip route flush table 1819 198.51.100.1/32")
    scenario.wait("lb1 says so", lambda: announced(scenario, "lb1") == (0, 1))
    assert not heard(scenario, "10.0.0.21")
    assert with_name(new(scenario, "lb1"), "lvs_aggregate_announced") == {AGGREGATE: 0}
    scenario.run("lb1", "ip route add blackhole 198.51.100.1/32 table 1819 proto static metric 65616")
    scenario.wait("lb1 announces both", lambda: announced(scenario, "lb1") == (1, 1))


def test_a_session_is_disabled_and_bird_is_stopped(scenario: Any) -> None:
    scenario.run("lb2", "birdc disable lvs4_10_0_0_1")
    found = new(scenario, "lb2")
    assert with_name(found, "lvs_bgp_session_up") == {FOUR: 0, SIX: 1}
    assert with_name(found, "lvs_bgp_session_enabled") == {FOUR: 0, SIX: 1}
    assert with_name(found, "lvs_vip_announced") == {VIP: 0, VIP6: 1}
    scenario.run("lb2", "systemctl stop bird")
    found = new(scenario, "lb2")
    assert found["lvs_bird_running"] == 0
    assert with_name(found, "lvs_bgp_session_up") == {FOUR: 0, SIX: 0}
    assert with_name(found, "lvs_vip_announced") == {VIP: 0, VIP6: 0}
    scenario.run("lb2", "systemctl start bird")
    scenario.wait("lb2 announces both", lambda: announced(scenario, "lb2") == (1, 1))


def test_the_program_reaches_bird_and_no_password(scenario: Any) -> None:
    check_unit(
        scenario,
        "lb3",
        "RestrictAddressFamilies=AF_NETLINK AF_UNIX",
        "SupplementaryGroups=bird",
        "InaccessiblePaths=-/etc/bird",
    )
