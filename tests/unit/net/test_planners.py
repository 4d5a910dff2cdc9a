# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planners of _net as tables: what is, what is wanted, what is done."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot_plan, boot_script
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    gateway_plan,
    kmod_plan,
    sysctl_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.address_plan import Held, Wish
from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Hop, Route
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import settle, to_let_go


def lines(plan: Plan) -> list[str]:
    return [change.line for change in plan.changes]


# The ledger around a run


@pytest.mark.parametrize(
    ("owners", "current", "wanted", "claimed_by", "wrong"),
    [
        # owners before, value now, value wanted: who claims it then, and whether it has to be changed
        ([], None, "1", ("me",), True),
        ([], "0", "1", ("me",), True),
        ([], "1", "1", (), False),
        (["me"], "1", "1", ("me",), False),
        (["other"], "1", "1", ("me", "other"), False),
        (["other"], "0", "1", ("me", "other"), True),
    ],
)
def test_what_is_right_is_claimed_only_where_it_is_ours(
    owners: list[str], current: str | None, wanted: str, claimed_by: tuple[str, ...], wrong: bool
) -> None:
    ledger = Ledger()
    for owner in owners:
        ledger = ledger.claim("k", "key", owner, "before")
    now = {} if current is None else {"key": current}
    settlement = settle(ledger, "k", "me", now, {"key": wanted}, set())
    assert settlement.claimed.owners("k", "key") == claimed_by
    assert settlement.settled == settlement.claimed
    assert bool(settlement.wrong) is wrong
    if wrong:
        assert settlement.claimed.owned("k", "me") == {"key": "before" if owners else current}


@pytest.mark.parametrize(
    ("owners", "restore", "left_alone"),
    [(["me"], {"key": "0"}, ()), (["me", "other"], {}, ()), (["other"], {}, ()), ([], {}, ("key",))],
)
def test_letting_go(owners: list[str], restore: dict[str, Any], left_alone: tuple[str, ...]) -> None:
    ledger = Ledger()
    for owner in owners:
        ledger = ledger.claim("k", "key", owner, "0")
    settlement = settle(ledger, "k", "me", {"key": "1"}, {}, {"key"})
    assert settlement.restore == restore
    assert settlement.left_alone == left_alone
    # Claims are given up after the change, not before.
    assert settlement.claimed == ledger
    assert "me" not in settlement.settled.owners("k", "key")


@pytest.mark.parametrize(
    ("listed", "present", "purge", "expected"),
    [
        ({"b", "c"}, True, False, set()),
        ({"b", "c"}, True, True, {"a"}),
        (set(), True, True, {"a", "b"}),
        ({"b", "c"}, False, False, {"b", "c"}),
        (None, False, False, {"a", "b"}),
    ],
)
def test_what_is_let_go(listed: set[str] | None, present: bool, purge: bool, expected: set[str]) -> None:
    ledger = Ledger().claim("k", "a", "me").claim("k", "b", "me").claim("k", "x", "other").claim("other", "y", "me")
    assert to_let_go(ledger, "k", "me", listed, present=present, purge=purge) == expected


@pytest.mark.parametrize(
    ("listed", "let_go", "expected"),
    [
        ({"b"}, set(), ("a", "c")),
        ({"b"}, {"a", "c"}, ()),
        ({"a", "b", "c"}, set(), ()),
        (set(), set(), ("a", "b", "c")),
        (None, {"a"}, ()),
    ],
)
def test_what_is_left_over(listed: set[str] | None, let_go: set[str], expected: tuple[str, ...]) -> None:
    ledger = Ledger().claim("k", "x", "other").claim("other", "y", "me")
    for key in "cba":
        ledger = ledger.claim("k", key, "me")
    assert settle(ledger, "k", "me", {}, {}, let_go, listed=listed).left_over == expected


def test_mistakes_are_told_together() -> None:
    mistakes = Mistakes()
    mistakes.raise_if_any()
    mistakes.add("a[0].b", "is wrong")
    with pytest.raises(BadRequest, match=r"^a\[0\]\.b: is wrong$"):
        mistakes.raise_if_any()
    mistakes.owner("a/b")
    with pytest.raises(BadRequest, match=r"^2 mistakes: \(1\) a\[0\]\.b: is wrong \(2\) owner: 'a/b' may only"):
        mistakes.raise_if_any()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a:b", "0123456789abcdef"])
def test_names_that_no_interface_can_have(name: str) -> None:
    assert not Mistakes().interface("path", name)


# Files


def test_a_file_is_compared_by_text_and_mode() -> None:
    right = File("text\n", 0o644)
    assert plan_file("/f", right, right) == Plan()
    assert lines(plan_file("/f", None, right)) == ["write /f"]
    assert lines(plan_file("/f", File("other\n"), right)) == ["write /f"]
    assert lines(plan_file("/f", File("text\n", 0o600), right)) == ["chmod 0644 /f"]
    assert lines(plan_file("/f", right, None)) == ["remove /f"]
    assert plan_file("/f", File("old\n"), right).before == ("# /f", "old")
    assert plan_file("/f", File("old\n"), right).after == ("# /f", "text")


# Sysctls


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ("vm.swappiness", "vm.swappiness"),
        ("forward", None),
        ("", None),
        ("/net/ipv4/ip_forward", None),
        ("net/ipv4/../../kernel/hostname", None),
        ("net..ipv4", None),
        ("net.ipv4.a b", None),
        ("net.ipv4.a=b", None),
    ],
)
def test_names_of_sysctls(key: str, expected: str | None) -> None:
    assert sysctl_plan.canonical(key) == expected
    if expected is not None:
        assert sysctl_plan.canonical(sysctl_plan.path_of(expected)) == expected


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("net.ipv4.conf.eth1.100.rp_filter", "net.ipv4.conf.eth1/100.rp_filter"),
        ("net.ipv6.neigh.a.b.c.gc_stale_time", "net.ipv6.neigh.a/b/c.gc_stale_time"),
        ("net.ipv4.conf.eth1/100.rp_filter", None),
        ("net.ipv4.conf.eth1.rp_filter", None),
        ("net.ipv4.route.a.b.c", None),
        ("vm.swappiness", None),
    ],
)
def test_a_key_with_an_interfaces_dots_as_separators(key: str, meant: str | None) -> None:
    assert sysctl_plan.with_dotted_interface(key) == meant


@pytest.mark.parametrize("value", [True, None, {}, [], "", " ", "1\n2"])
def test_values_that_no_sysctl_has(value: object) -> None:
    mistakes = Mistakes()
    sysctl_plan.check_values({"net.ipv4.ip_forward": value}, mistakes)
    with pytest.raises(BadRequest, match=r"^values\[net\.ipv4\.ip_forward\]: "):
        mistakes.raise_if_any()


def test_a_sysctl_in_both_notations() -> None:
    mistakes = Mistakes()
    sysctl_plan.check_values({"net.ipv4.ip_forward": "1", "net/ipv4/ip_forward": "0"}, mistakes)
    with pytest.raises(BadRequest, match=r"the sysctl net\.ipv4\.ip_forward is listed twice"):
        mistakes.raise_if_any()


def arp(all_value: int, own_value: int) -> dict[str, str]:
    return {
        f"net.ipv4.conf.{interface}.{name}": str(value)
        for interface, value in (("all", all_value), ("eth0", own_value))
        for name in sysctl_plan.ARP_NAMES
    }


@pytest.mark.parametrize(
    ("all_now", "own_now", "wanted", "expected"),
    [
        # The kernel uses the larger one: what has eth0's own value to be for it to have what is wanted?
        (0, 0, 1, "1"),
        (0, 1, 1, "1"),
        (0, 2, 1, "1"),
        (1, 0, 1, None),
        (1, 1, 1, None),
        (1, 2, 1, "1"),
        (0, 1, 0, "0"),
        (2, 0, 1, "unreachable"),
    ],
)
def test_what_counts_on_an_interface(all_now: int, own_now: int, wanted: int, expected: str | None) -> None:
    mistakes = Mistakes()
    wish = sysctl_plan.ArpWish("eth0", arp_ignore=wanted)
    demand = sysctl_plan.arp_demand([wish], arp(all_now, own_now), mistakes)
    if expected == "unreachable":
        with pytest.raises(BadRequest, match=r"interfaces\[0\]\.arp_ignore: 1 cannot take effect on eth0"):
            mistakes.raise_if_any()
        return
    mistakes.raise_if_any()
    key = "net.ipv4.conf.eth0.arp_ignore"
    assert demand.live == ({} if expected is None else {key: expected})
    assert demand.persisted == {key: str(wanted)}


def test_the_value_wanted_for_all_counts_too() -> None:
    mistakes = Mistakes()
    wishes = [sysctl_plan.ArpWish("eth0", arp_ignore=1), sysctl_plan.ArpWish("all", arp_ignore=0)]
    demand = sysctl_plan.arp_demand(wishes, arp(8, 0), mistakes)
    mistakes.raise_if_any()
    assert demand.live == {"net.ipv4.conf.eth0.arp_ignore": "1", "net.ipv4.conf.all.arp_ignore": "0"}
    assert demand.warnings == ()


def test_a_larger_value_of_an_unlisted_interface_is_a_warning() -> None:
    demand = sysctl_plan.arp_demand([sysctl_plan.ArpWish("all", arp_ignore=1)], arp(0, 2), Mistakes())
    assert len(demand.warnings) == 1
    assert "net.ipv4.conf.eth0.arp_ignore = 2 is larger than 1" in demand.warnings[0]


REDIRECTS = "net.ipv4.conf.all.accept_redirects"
FORWARD = "net.ipv4.ip_forward"


@pytest.mark.parametrize("switch", [FORWARD, "net.ipv4.conf.all.forwarding"])
@pytest.mark.parametrize(
    ("before", "wanted", "after", "back"),
    [
        # forwarding and redirects before, what is wanted of both, what is set then, what is set to take it down
        (("0", "0"), ("1", None), ["switch=1"], ["switch=0", "redirects=0"]),
        (("0", "1"), ("1", None), ["switch=1"], ["switch=0"]),
        (("0", "1"), ("1", "1"), ["switch=1", "redirects=1"], ["switch=0"]),
        (("0", "0"), ("1", "1"), ["switch=1", "redirects=1"], ["switch=0", "redirects=0"]),
        (("1", "0"), ("0", None), ["switch=0", "redirects=0"], ["switch=1"]),
        (("1", "1"), ("0", None), ["switch=0"], ["switch=1", "redirects=1"]),
        (("1", "1"), ("0", "0"), ["switch=0", "redirects=0"], ["switch=1", "redirects=1"]),
    ],
)
def test_redirects_are_not_switched_by_accident(
    switch: str, before: tuple[str, str], wanted: tuple[str, str | None], after: list[str], back: list[str]
) -> None:
    def plan(ledger: Ledger, live: dict[str, str], let_go: set[str]) -> tuple[list[str], Ledger]:
        made, settlement = sysctl_plan.plan_sysctls(ledger, "me", state, live, let_go, None, "/f", None, None)
        for change in made.changes:
            state[change.action.key] = change.action.value
            if change.action.key == switch:
                state[REDIRECTS] = "1" if change.action.value == "0" else "0"
        texts = [line.replace("sysctl -w ", "") for line in lines(made)]
        short = [text.replace(switch, "switch").replace(REDIRECTS, "redirects") for text in texts]
        assert dict(line.split(" = ", 1) for line in made.after if " = " in line).items() <= state.items()
        return short, Ledger.from_json(settlement.settled.to_json())

    state = dict(zip((switch, REDIRECTS), before))
    live = {key: value for key, value in zip((switch, REDIRECTS), wanted) if value is not None}
    changes, ledger = plan(Ledger(), live, set())
    assert changes == after
    assert plan(ledger, live, set()) == ([], ledger)
    assert plan(ledger, {}, set(live)) == (back, Ledger())
    assert state == dict(zip((switch, REDIRECTS), before))


def test_the_file_sets_switches_first() -> None:
    file = sysctl_plan.render("lvs", {REDIRECTS: "0", FORWARD: "1", "net.ipv4.a": "1"})
    head = "# Managed by lvs.topology (owner lvs). Changes are overwritten."
    assert file == File(f"{head}\n{FORWARD} = 1\nnet.ipv4.a = 1\n{REDIRECTS} = 0\n")


def test_effective_values() -> None:
    assert sysctl_plan.effective(arp(1, 2)) == {"eth0": {"arp_ignore": 2, "arp_announce": 2}}


def test_the_file_keeps_what_is_not_listed_unless_purged() -> None:
    now = File("# Managed by lvs.topology (owner lvs). Changes are overwritten.\nnet.ipv4.a = 1\nnet.ipv4.b = 2\n")
    wanted = {"net.ipv4.b": "3"}
    kept = sysctl_plan.persisted_values(now, wanted, {"net.ipv4.b"}, purge=False)
    assert kept == {"net.ipv4.a": "1", "net.ipv4.b": "3"}
    assert sysctl_plan.persisted_values(now, wanted, {"net.ipv4.b"}, purge=True) == wanted
    assert sysctl_plan.persisted_values(now, {}, {"net.ipv4.b"}, purge=False) == {"net.ipv4.a": "1"}
    assert sysctl_plan.persisted_values(now, {}, None, purge=False) == {}
    assert sysctl_plan.render("lvs", {}) is None


# Addresses

VIP = Wish("10.0.0.1", 32, "lo")


def plan_addresses(current: list[Held], wishes: list[Wish] | None, ledger: Ledger, **options: bool) -> Plan:
    merged = {"present": True, "purge": False, **options}
    return address_plan.plan_addresses(ledger, "me", current, wishes, **merged)[0]


@pytest.mark.parametrize(
    ("current", "wish", "expected"),
    [
        ([], VIP, ["ip address add 10.0.0.1/32 dev lo"]),
        ([Held("10.0.0.1", 32, "lo", "lo")], VIP, []),
        # Of an operator: stays, whatever is wanted besides.
        ([Held("10.0.0.1", 24, "eth0", "eth0")], VIP, ["ip address add 10.0.0.1/32 dev lo"]),
        (
            [Held("10.0.0.1", 32, "lo", "lo")],
            Wish("10.0.0.1", 32, "lo", deprecated=True),
            ["ip address change 10.0.0.1/32 dev lo preferred_lft 0"],
        ),
        (
            [Held("10.0.0.1", 32, "lo", "lo:old", deprecated=True)],
            Wish("10.0.0.1", 32, "lo", label="lo:new"),
            ["ip address del 10.0.0.1/32 dev lo", "ip address add 10.0.0.1/32 dev lo label lo:new preferred_lft 0"],
        ),
        (
            [],
            Wish("fd00::1", 128, "eth0", announce="eth0"),
            ["ip address add fd00::1/128 dev eth0 nodad", "ndsend fd00::1 eth0"],
        ),
        # What the kernel does not use, because another host had it, or may have it.
        (
            [Held("fd00::1", 128, "eth0", deprecated=True, tentative=True)],
            Wish("fd00::1", 128, "eth0", announce="eth0"),
            [
                "ip address del fd00::1/128 dev eth0",
                "ip address add fd00::1/128 dev eth0 preferred_lft 0 nodad",
                "ndsend fd00::1 eth0",
            ],
        ),
    ],
)
def test_addresses(current: list[Held], wish: Wish, expected: list[str]) -> None:
    assert lines(plan_addresses(current, [wish], Ledger())) == expected


def test_an_address_moves_without_being_gone() -> None:
    ledger = Ledger().claim("address", "10.0.0.1/32 dev lo", "me").claim("address", "10.0.0.9/32 dev lo", "me")
    held = [Held("10.0.0.1", 32, "lo"), Held("10.0.0.9", 32, "lo")]
    plan = plan_addresses(held, [Wish("10.0.0.1", 32, "eth0", announce="eth0")], ledger)
    assert lines(plan) == [
        "ip address add 10.0.0.1/32 dev eth0",
        "arping -U -c 3 -I eth0 10.0.0.1",
        "ip address del 10.0.0.1/32 dev lo",
    ]
    assert plan.before == ("address add 10.0.0.1/32 dev lo",)
    assert plan.after == ("address add 10.0.0.1/32 dev eth0",)


def test_a_label_that_was_there_comes_back() -> None:
    was = {"label": "lo:op", "deprecated": False}
    ledger = Ledger().claim("address", "10.0.0.1/32 dev lo", "me", was)
    plan = plan_addresses([Held("10.0.0.1", 32, "lo", "lo:me")], None, ledger, present=False)
    assert lines(plan) == ["ip address del 10.0.0.1/32 dev lo", "ip address add 10.0.0.1/32 dev lo label lo:op"]


# Default routes

NEAR = Route(4, destination="10.0.0.0", length=24, interface="eth0", protocol=2, scope=253)


def test_the_longest_match_tells_whether_a_gateway_is_near() -> None:
    far = Route(4, destination="10.0.0.128", length=25, gateway="10.0.0.9", interface="eth0")
    for gateway, reached in (("10.0.0.1", True), ("10.0.0.129", False), ("10.1.0.1", False)):
        mistakes = Mistakes()
        options = [{"gateway": gateway, "interface": None, "metric": 0}]
        found = gateway_plan.check(options, mistakes, {"eth0"}, [NEAR, far])
        assert [route.interface for route in found] == (["eth0"] if reached else [])


ROUTES = [
    Route(4, gateway="10.0.0.9", interface="eth0", protocol=16, source="10.0.0.2", mtu=1400),
    Route(4, metric=5, interface="ppp0", scope=253, protocol=3),
    Route(4, metric=6, gateway="192.0.2.1", interface="eth0", onlink=True),
    Route(4, metric=7, hops=(Hop("10.0.0.8", "eth0", 1), Hop("10.0.0.9", "eth1", 3))),
    Route(6, metric=1024, gateway="fe80::1", interface="eth0", protocol=9),
    Route(4, metric=8, gateway="fe80::1", interface="eth0", metrics=(("initcwnd", 20), ("quickack", 1))),
]


def test_routes_are_worded_as_ip_does() -> None:
    assert str(ROUTES[-1]) == "default via inet6 fe80::1 dev eth0 proto static metric 8 initcwnd 20 quickack 1"
    assert str(Route(4, "10.0.0.0", 8, kind="unreachable")) == "unreachable 10.0.0.0/8 proto static"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_route_comes_back_as_it_was(route: Route) -> None:
    ours = Route(route.version, metric=route.metric, gateway="10.0.0.1", interface="eth0")
    interfaces = {"eth0", "eth1", "ppp0"}
    plan, settlement, _warnings = gateway_plan.plan_gateways(
        Ledger(), "me", interfaces, [route], [ours], present=True, purge=False
    )
    assert lines(plan) == [str(gateway_plan.SetRoute(ours))]
    ledger = Ledger.from_json(settlement.settled.to_json())
    back, settlement, warnings = gateway_plan.plan_gateways(
        ledger, "me", interfaces, [ours], None, present=False, purge=False
    )
    assert [change.action for change in back.changes] == [gateway_plan.SetRoute(route)]
    assert (settlement.settled, warnings) == (Ledger(), [])
    gone, _settlement, warnings = gateway_plan.plan_gateways(
        ledger, "me", set(), [ours], None, present=False, purge=False
    )
    assert [change.action for change in gone.changes] == [gateway_plan.DeleteRoute(ours)]
    assert len(warnings) == 1


# Kernel modules

LOADED = {
    "nf_conntrack": kmod_plan.Loaded(1, frozenset({"ip_vs"})),
    "ip_vs": kmod_plan.Loaded(2, frozenset({"ip_vs_rr"})),
    "ip_vs_rr": kmod_plan.Loaded(0),
}
SERVICE = {**LOADED, "ip_vs": kmod_plan.Loaded(3, frozenset({"ip_vs_rr"})), "ip_vs_rr": kmod_plan.Loaded(1)}


@pytest.mark.parametrize(
    ("loaded", "ours", "expected", "in_use"),
    [
        (LOADED, ["ip_vs", "ip_vs_rr", "nf_conntrack"], ["rmmod ip_vs_rr", "rmmod ip_vs", "rmmod nf_conntrack"], []),
        (LOADED, ["ip_vs", "nf_conntrack"], [], ["ip_vs", "nf_conntrack"]),
        (LOADED, ["ip_vs_rr"], ["rmmod ip_vs_rr"], []),
        (SERVICE, ["ip_vs", "ip_vs_rr"], [], ["ip_vs", "ip_vs_rr"]),
        ({}, ["ip_vs"], [], []),
    ],
)
def test_unloading(
    loaded: dict[str, kmod_plan.Loaded], ours: list[str], expected: list[str], in_use: list[str]
) -> None:
    ledger = Ledger()
    for name in ours:
        ledger = ledger.claim("module", name, "me")
    plan, settlement, left = kmod_plan.plan_modules(ledger, "me", loaded, None, present=False, purge=False)
    assert lines(plan) == expected
    assert left == in_use
    assert settlement.settled == Ledger()
    # A task that no longer lists them keeps hold of those that cannot go yet.
    plan, settlement, left = kmod_plan.plan_modules(ledger, "me", loaded, {}, present=True, purge=True)
    assert lines(plan) == expected
    assert left == in_use == list(settlement.left_over) == list(settlement.settled.owned("module", "me"))


# Boot

ON = boot_plan.UnitState(enabled=True)
OFF = boot_plan.UnitState()


def test_files_for_boot() -> None:
    addresses = [VIP, Wish("fd00::1", 128, "lo", deprecated=True)]
    text = boot_plan.render_ip("me", addresses, ROUTES[:1], [])
    assert text is not None
    assert text.text.splitlines()[1:] == [
        "address replace 10.0.0.1/32 dev lo",
        "address replace fd00::1/128 dev lo preferred_lft 0 nodad",
        "route replace default via 10.0.0.9 dev eth0 proto dhcp src 10.0.0.2 mtu 1400",
    ]
    assert boot_plan.render_ip("me", [], [], []) is None


@pytest.mark.parametrize(
    ("state", "there", "wanted", "expected"),
    [
        (OFF, False, True, ["write .ip", "write restore", "write unit", "systemctl daemon-reload", "enable"]),
        (None, False, True, ["write .ip", "write restore", "write unit"]),
        (ON, True, True, []),
        (OFF, True, True, ["enable"]),
        (ON, True, False, ["disable", "remove .ip", "remove restore", "remove unit", "systemctl daemon-reload"]),
        (OFF, False, False, []),
        (boot_plan.UnitState(failed=True), False, False, ["forget"]),
    ],
)
def test_when_systemd_is_told(
    state: boot_plan.UnitState | None, there: bool, wanted: bool, expected: list[str]
) -> None:
    file = File("x\n")
    current: dict[str, File | None] = {boot_plan.owner_path("me", suffix): None for suffix in boot_plan.SUFFIXES}
    current[boot_plan.owner_path("me", "ip")] = file if there else None
    current[boot_script.SCRIPT_PATH] = File(boot_script.SCRIPT, 0o755) if there else None
    current[boot_script.UNIT_PATH] = File(boot_script.UNIT_TEXT) if there else None
    files = {**dict.fromkeys(boot_plan.SUFFIXES), "ip": file if wanted else None}
    plan = boot_plan.plan_boot("me", files, current, set(), state)
    short = {
        boot_plan.owner_path("me", "ip"): ".ip",
        boot_script.SCRIPT_PATH: "restore",
        boot_script.UNIT_PATH: "unit",
        "systemctl enable lvs-topology.service": "enable",
        "systemctl disable --now lvs-topology.service": "disable",
        "systemctl reset-failed lvs-topology.service": "forget",
    }
    said = "\n".join(lines(plan))
    for long, brief in short.items():
        said = said.replace(long, brief)
    assert said.splitlines() == expected


def test_the_unit_makes_the_lock_that_its_sandbox_denies_to_iptables() -> None:
    """systemd 252 makes /run read-only or, with a /proc of the service's own, leaves it writable on some kernels."""
    lines = boot_script.UNIT_TEXT.splitlines()
    start = lines.index(f"ExecStart={boot_script.SCRIPT_PATH}")
    assert "ProtectSystem=strict" in lines
    for suffix in ("iptables", "ip6tables"):
        (before,) = [line for line in lines[:start] if f"/*.{suffix} " in line]
        # With a plus: outside of the sandbox. What is there is neither emptied nor given another mode.
        assert before.startswith("ExecStartPre=-+")
        assert "(umask 077; : >>/run/xtables.lock)" in before


def test_the_script_that_runs_at_boot_is_sound() -> None:
    done = subprocess.run(["shellcheck", "-"], input=boot_script.SCRIPT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
