# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on which something is gone, is smaller than usual, or is not UTF-8."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._disk import advice
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import managers
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._look import places, probe
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    gateway_plan,
    kmod,
    rtnetlink,
    sysctl_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._net.host_lists import HostLists
from ansible_collections.lvs.topology.plugins.module_utils._net.source_route_plan import (
    Rule,
    copies,
    in_free_table,
    is_ours,
    of_others,
    plan_source_routes,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused, encodable


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


@pytest.mark.parametrize("read", [(), ("arp_ignore",), ("arp_announce",)])
def test_an_interface_that_goes_while_its_arp_settings_are_read_is_passed_over(read: tuple[str, ...]) -> None:
    current = {sysctl_plan.conf_key("all", name): "2" for name in sysctl_plan.ARP_NAMES}
    current.update({sysctl_plan.conf_key("veth1", name): "8" for name in read})
    mistakes = Mistakes()
    demand = sysctl_plan.arp_demand([sysctl_plan.ArpWish("all", 1, 2)], current, mistakes)
    assert not demand.warnings
    assert sysctl_plan.effective(current) == {}
    # Also one that the task names: where all has what is wanted, nothing is to be set on it.
    own = sysctl_plan.arp_demand([sysctl_plan.ArpWish("veth1", 2, 2)], current, mistakes)
    assert own.live == {sysctl_plan.conf_key("veth1", name): "2" for name in read}
    mistakes.raise_if_any()


def test_interfaces_are_known_without_sys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may have no /sys, and whoever only enters a network namespace has that of another one."""

    def nothing_there(path: str) -> list[str]:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    monkeypatch.setattr(os, "listdir", nothing_there)
    assert proc.mtus()["lo"] >= 65536
    assert set(proc.mtus()) == {name for _index, name in socket.if_nameindex()}
    with pytest.raises(Refused, match="Mount sysfs on /sys"):
        kmod.Modules().loaded()


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENODEV])
def test_a_module_that_goes_while_it_is_looked_at_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    (tmp_path / "ip_vs").mkdir()
    (tmp_path / "ip_vs/refcnt").write_text("0\n")
    listed = os.listdir

    def gone(path: str) -> list[str]:
        if path.endswith("holders"):
            raise OSError(number, os.strerror(number), path)
        return listed(path)

    monkeypatch.setattr(kmod, "_SYS", str(tmp_path))
    monkeypatch.setattr(os, "listdir", gone)
    assert kmod.Modules().loaded() == {}


@pytest.mark.parametrize("rules", [[11400, 11440], [11440, 11400]])
@pytest.mark.parametrize("present", [True, False])
def test_of_two_rules_that_a_killed_run_left_only_the_wanted_one_stays(rules: list[int], present: bool) -> None:
    there = [Rule("10.0.0.100", table) for table in rules]
    ledger = Ledger().claim("source_route", "from 10.0.0.100", "me")
    wishes = [Rule("10.0.0.100", 11440)] if present else None
    plan, _settlement = plan_source_routes(ledger, "me", there, [], [], wishes, present=present, purge=True)
    gone = [table for table in rules if not (present and table == 11440)]
    assert [change.line for change in plan.changes] == [
        f"ip rule del from 10.0.0.100 lookup {table} priority 32100" for table in gone
    ]
    # Where nobody of ours asked for it, none of them is ours.
    plan, _settlement = plan_source_routes(Ledger(), "me", there, [], [], None, present=present, purge=True)
    assert not plan.changes


def test_a_host_without_room_for_a_netlink_socket_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_given: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket, "socket", none_left)
    with pytest.raises(Refused, match=r"cannot be asked about links, .*: Too many open files"):
        HostLists()


def test_a_file_where_a_directory_is_to_be(tmp_path: Path) -> None:
    (tmp_path / "lvs-topology").write_text("")
    problem = places._problem_with(str(tmp_path / "lvs-topology/more"))
    assert problem is not None
    assert "lvs-topology is no directory. Put aside what is there" in advice(problem)


def test_the_largest_firewall_mark_can_be_set() -> None:
    with socket.socket() as asked:
        try:
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1)
        except PermissionError:
            # The kernel lets root alone set any mark, and unit tests are for others, too. CI is root.
            pytest.skip("needs CAP_NET_ADMIN")
        conversation = probe._Conversation(
            {"patience": 1, "protocol": "tcp", "fwmark": 2**32 - 1, "source": None}, b"", 1
        )
        conversation.socket = asked
        conversation._take_its_way()
        assert asked.getsockopt(socket.SOL_SOCKET, socket.SO_MARK) & 0xFFFFFFFF == 2**32 - 1


@pytest.mark.parametrize("was", [None, Route(4, gateway="10.0.0.9", interface="eth0")])
@pytest.mark.parametrize("protocol", [3, 4, 16])
def test_the_default_route_that_somebody_else_has_set_since_stays(was: Route | None, protocol: int) -> None:
    """Who takes it away may not reach the host any more. Ours are static (4)."""
    ledger = Ledger().claim("gateway", "ipv4 default metric 0", "me", was.state if was else None)
    now = Route(4, gateway="10.0.0.5", interface="eth0", protocol=protocol)
    plan, settlement, warnings = gateway_plan.plan_gateways(
        ledger, "me", {"eth0"}, [now], None, present=False, purge=True
    )
    assert not settlement.settled.claims
    if protocol == 4:
        assert [change.line.split()[2] for change in plan.changes] == ["replace" if was else "del"]
        assert not warnings
    else:
        assert not plan.changes
        assert warnings == [
            f"{now} is left alone: somebody else has put it in place of the route that was set here",
        ]


def test_a_route_of_which_nobody_knows_where_it_led_is_not_put_back() -> None:
    ledger = Ledger().claim("gateway", "ipv4 default metric 0", "me", Route(4, protocol=3).state)
    ours = Route(4, gateway="10.0.0.1", interface="eth0")
    plan, settlement, warnings = gateway_plan.plan_gateways(
        ledger, "me", {"eth0"}, [ours], None, present=False, purge=True
    )
    assert not plan.changes
    assert not settlement.settled.claims
    assert len(warnings) == 1
    assert "did not tell where it led (nhid" in warnings[0]


def test_a_route_that_does_not_tell_where_it_leads_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Route(4, "10.7.0.0", 16, interface="eth0", scope=253)
    nowhere = Route(4, "10.8.0.0", 16, kind="unreachable")
    with rtnetlink.Rtnetlink() as kernel:
        routes = [(Route(4, protocol=3), ""), (there, ""), (nowhere, "")]
        monkeypatch.setattr(kernel, "_routes", lambda _table: routes)
        assert kernel.plain_routes() == [there, nowhere]
        assert kernel.warnings == [
            "default: the kernel does not tell where it leads (nhid, with net.ipv4.nexthop_compat_mode=0), so it is "
            "not copied"
        ]
