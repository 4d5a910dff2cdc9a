# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on which something is gone, is smaller than usual, or is not UTF-8."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import managers
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import address_plan, gateway_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._net.source_route_plan import (
    Rule,
    copies,
    in_free_table,
    is_ours,
    of_others,
    plan_source_routes,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import encodable


@pytest.mark.parametrize(
    ("version", "limits", "expected"),
    [
        (4, {}, 1440),
        (4, {"advmss": 1200}, 1200),
        (4, {"advmss": 9000}, 1440),
        (4, {"mtu": 1300}, 1260),
        (4, {"mtu": 1300, "advmss": 1100}, 1100),
        (4, {"mtu": 9000}, 1440),
        (4, {"mtu": 68}, 256),
        (6, {"mtu": 1300}, 1240),
        (6, {"mtu": 1280}, 1220),
    ],
)
def test_a_copy_announces_the_smaller_segment_size(version: int, limits: dict[str, int], expected: int) -> None:
    route = Route(version, gateway="fe80::1" if version == 6 else "10.0.0.1", interface="eth0", **limits)
    (copy,) = copies([route], Rule("fd00::100" if version == 6 else "10.0.0.100", 11440))
    assert (copy.advmss, copy.mtu, copy.table) == (expected, limits.get("mtu"), 11440)


@pytest.mark.parametrize("there", [True, False])
def test_an_address_whose_interface_is_gone_is_passed_over(there: bool) -> None:
    key = "10.0.0.100/32 dev eth1"
    ledger = Ledger().claim("address", key, "me", {"label": None, "deprecated": False})
    interfaces = {"lo", "eth1"} if there else {"lo"}
    plan, settlement = address_plan.plan_addresses(
        ledger, "me", [], None, present=False, purge=False, interfaces=interfaces
    )
    assert [change.line for change in plan.changes] == ([f"ip address add {key}"] if there else [])
    said = [] if there else [f"{key} cannot be put back, because eth1 does not exist any more"]
    assert address_plan.lost(settlement, interfaces) == said
    assert settlement.settled.owned("address", "me") == {}


def test_a_process_may_have_any_bytes_in_its_name(tmp_path: Path) -> None:
    program = tmp_path / os.fsdecode(b"\xff\xfe")
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "600"]) as process:
        try:
            assert not managers.is_running("no such process")
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("é", "é"),
        (os.fsdecode(b"a\xffb"), "a\\xffb"),
        ("\ud800", "\\ud800"),
        ({os.fsdecode(b"\xff"): [os.fsdecode(b"\xff"), 1, None, ("x",)]}, {"\\xff": ["\\xff", 1, None, ["x"]]}),
    ],
)
def test_the_bytes_of_others_are_shown_as_escapes(value: object, expected: object) -> None:
    assert encodable(value) == expected


@pytest.mark.parametrize("present", [True, False])
def test_routes_of_others_in_our_tables_are_left_alone(present: bool) -> None:
    rule = Rule("10.0.0.100", 11440)
    main = [Route(4, gateway="10.0.0.1", interface="eth0"), Route(4, "10.0.0.0", 24, interface="eth0", scope=253)]
    theirs = [
        Route(4, "198.51.100.0", 24, gateway="10.0.0.7", interface="eth0", table=11440),
        Route(4, gateway="10.0.0.8", interface="eth0", table=11440),
    ]
    stale = Route(4, "10.9.0.0", 24, interface="eth0", table=11440, advmss=1440)
    ledger = Ledger().claim("source_route", rule.key, "me")
    rules = [] if present else [rule]
    wishes = [rule] if present else None
    plan, _settlement = plan_source_routes(
        ledger, "me", rules, main, [*theirs, stale], wishes, present=present, purge=False
    )
    link = "ip route replace 10.0.0.0/24 dev eth0 proto static scope link table 11440 advmss 1440"
    come = [link, "ip rule add from 10.0.0.100 lookup 11440 priority 32100"]
    gone = [] if present else ["ip rule del from 10.0.0.100 lookup 11440 priority 32100"]
    assert [change.line for change in plan.changes] == [
        *(come if present else gone),
        "ip route del 10.9.0.0/24 dev eth0 proto static table 11440 advmss 1440",
    ]
    said = of_others([rule], lambda table: [*theirs, stale] if table == 11440 else [])
    assert [each.split(" was put")[0] for each in said] == [str(route) for route in theirs]
    # Of the other family, and so in nobody's way.
    assert of_others([Rule("fd00::100", 11440)], lambda _table: theirs) == []


@pytest.mark.parametrize(
    ("used", "table"),
    [
        ({}, 11440),
        # What is ours, of whatever size, and what is of the other family, is in nobody's way.
        ({11440: [{"advmss": 1440}, {"advmss": 1200}, {"version": 6}]}, 11440),
        ({11440: [{}]}, 81440),
        ({11440: [{"advmss": 9000}], 81440: [{"advmss": 1440}]}, 81440),
        ({11440: [{}], 81440: [{}]}, 151440),
        # Then both are in one table, and that is said.
        ({11440: [{}], 81440: [{}], 151440: [{}]}, 11440),
    ],
)
def test_a_table_that_others_use_is_left_to_them(used: dict[int, list[dict[str, int]]], table: int) -> None:
    held = {
        number: [Route(**{"version": 4, "gateway": "10.0.0.7", "table": number, **each}) for each in routes]
        for number, routes in used.items()
    }
    rule = in_free_table(Rule("10.0.0.100", 11440), lambda number: held.get(number, []))
    assert (rule.table, rule.advmss) == (table, 1440)
    assert is_ours(32100, table)


def test_tables_that_cannot_be_ours() -> None:
    assert not any(is_ours(32100, table) for table in (254, 10535, 75476, 80535, 221440, None))


@pytest.mark.parametrize(("now", "changed"), [("192.168.50.1", False), ("192.168.50.9", True)])
def test_a_gateway_in_a_network_that_is_to_come_is_predicted(now: str, changed: bool) -> None:
    routes = [Route(4, gateway=now, interface="eth0")]
    doubts: list[str] = []
    mistakes = Mistakes()
    options = [{"gateway": "192.168.50.1", "metric": 0}]
    wishes = gateway_plan.check(options, mistakes, {"eth0"}, routes, frozenset(), doubts)
    mistakes.raise_if_any()
    plan, _settlement, _warnings = gateway_plan.plan_gateways(
        Ledger(), "me", {"eth0"}, routes, wishes, present=True, purge=False
    )
    assert len(doubts) == 1
    expected = ["ip route replace default via 192.168.50.1 proto static"] if changed else []
    assert [change.line for change in plan.changes] == expected
