# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planners of tunnel ends and source routes as tables, and which kernels are old."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._look.preflight import older
from ansible_collections.lvs.topology.plugins.module_utils._net import source_route_plan, tunnel_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._net.source_route_plan import Rule
from ansible_collections.lvs.topology.plugins.module_utils._net.tunnel_plan import End, Link, Port

TUNL0 = Link("tunl0", "ipip")
GRE = Link("lvs-gre", "gre", "10.0.0.2")
PORT = Port(6080, 4)
DOWN = replace(TUNL0, up=False)


def lines(now: list[End], wanted: list[End] | None, ledger: Ledger, purge: bool = False) -> tuple[list[str], Ledger]:
    make, start, stop, settlement = tunnel_plan.plan_tunnels(
        ledger, "me", {end.key: end for end in now}, wanted, present=wanted is not None, purge=purge
    )
    return [change.line for plan in (make, start, stop) for change in plan.changes], settlement.settled


@pytest.mark.parametrize(
    ("now", "wanted", "expected", "back"),
    [
        ([DOWN], [TUNL0], ["ip link set tunl0 up"], ["ip link set tunl0 down"]),
        # In check mode, before the module is loaded.
        ([], [TUNL0], ["ip link set tunl0 up"], ["ip link set tunl0 down"]),
        ([TUNL0], [TUNL0], [], []),
        ([], [GRE], ["ip link add lvs-gre type gre local 10.0.0.2", "ip link set lvs-gre up"], ["ip link del lvs-gre"]),
        ([replace(GRE, up=False)], [GRE], ["ip link set lvs-gre up"], ["ip link set lvs-gre down"]),
        ([], [PORT], ["ip fou add port 6080 gue"], ["ip fou del port 6080"]),
        ([], [Port(6080, 6)], ["ip fou add port 6080 gue -6"], ["ip fou del port 6080 -6"]),
        ([PORT], [PORT], [], []),
    ],
)
def test_ends_come_and_are_put_back(now: list[End], wanted: list[End], expected: list[str], back: list[str]) -> None:
    done, ledger = lines(now, wanted, Ledger())
    assert done == expected
    ledger = Ledger.from_json(ledger.to_json())
    assert lines(wanted, wanted, ledger)[0] == []
    undone, settled = lines(wanted, None, ledger)
    assert undone == back
    assert settled == Ledger()


def test_a_link_of_ours_that_differs_is_made_anew() -> None:
    _done, ledger = lines([], [GRE], Ledger())
    again, _ledger = lines([GRE], [replace(GRE, checksum=True)], ledger)
    assert again == [
        "ip link del lvs-gre",
        "ip link add lvs-gre type gre local 10.0.0.2 csum",
        "ip link set lvs-gre up",
    ]


def test_only_links_with_ipv4_inside_are_filtered() -> None:
    sit, mixed = Link("lvs-sit", "sit", "10.0.0.2"), Link("lvs-ip6tnl", "ip6tnl", "fd00::2")
    keys = tunnel_plan.sysctls([TUNL0, GRE, PORT, sit, Link("ip6tnl0", "ip6tnl"), mixed])
    assert keys == {f"net.ipv4.conf.{name}.rp_filter": "2" for name in ("tunl0", "lvs-gre", "lvs-ip6tnl")}


NEAR = Route(4, "10.0.0.0", 24, interface="eth0", protocol=2, scope=253, source="10.0.0.2")
WAY = Route(4, gateway="10.0.0.1", interface="eth0", protocol=16)
LINK_LOCAL = Route(6, "fe80::", 64, 256, interface="eth0", protocol=2)
VIP = Rule("10.0.0.100", 11440)


def copied(route: Route, size: int = 1440) -> Route:
    return replace(route, table=10000 + size, advmss=size)


@pytest.mark.parametrize(
    ("rules", "held", "wanted", "expected"),
    [
        # rules and routes of ours that are there, rules wanted (None: none any more), what is done
        (
            [],
            [],
            [VIP],
            [
                "ip route replace 10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2 table 11440 advmss 1440",
                "ip route replace default via 10.0.0.1 dev eth0 proto dhcp table 11440 advmss 1440",
                "ip rule add from 10.0.0.100 lookup 11440 priority 32100",
            ],
        ),
        ([VIP], [copied(NEAR), copied(WAY)], [VIP], []),
        # The gateway was another one: replaced in one step.
        (
            [VIP],
            [copied(NEAR), copied(replace(WAY, gateway="10.0.0.9"))],
            [VIP],
            ["ip route replace default via 10.0.0.1 dev eth0 proto dhcp table 11440 advmss 1440"],
        ),
        # A route that is gone.
        (
            [VIP],
            [copied(NEAR), copied(WAY), copied(replace(WAY, metric=7))],
            [VIP],
            ["ip route del default via 10.0.0.1 dev eth0 proto dhcp metric 7 table 11440 advmss 1440"],
        ),
        (
            [VIP],
            [copied(NEAR)],
            None,
            [
                "ip rule del from 10.0.0.100 lookup 11440 priority 32100",
                "ip route del 10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2 table 11440 advmss 1440",
            ],
        ),
    ],
)
def test_source_routes(rules: list[Rule], held: list[Route], wanted: list[Rule] | None, expected: list[str]) -> None:
    ledger = Ledger().claim("source_route", VIP.key, "me")
    plan, settlement = source_route_plan.plan_source_routes(
        ledger, "me", rules, [NEAR, WAY, LINK_LOCAL], held, wanted, present=wanted is not None, purge=False
    )
    assert [change.line for change in plan.changes] == expected
    assert (settlement.settled == Ledger()) == (wanted is None)


def test_of_two_routes_to_one_place_the_first_is_copied() -> None:
    second = replace(NEAR, interface="eth1", source="10.0.0.3")
    assert source_route_plan.copies([NEAR, second, WAY], VIP) == [copied(NEAR), copied(WAY)]


@pytest.mark.parametrize(
    ("release", "first", "is_older"),
    [
        ("6.1.0-28-amd64", "5.3", False),
        ("5.3.0", "5.3", False),
        ("5.2.21", "5.3", True),
        ("4.19.0-27-amd64", "5.2", True),
        ("5.14.0-503.el9.x86_64", "5.2", False),
    ],
)
def test_kernels(release: str, first: str, is_older: bool) -> None:
    assert older(release, first) == is_older
