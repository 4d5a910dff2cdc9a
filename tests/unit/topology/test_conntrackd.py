# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FULLNAT in a pair whose directors tell each other of its connections: plans, mistakes, packets and findings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import UNREADABLE
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import verifying
from ansible_collections.lvs.topology.tests.unit.topology.inventories import QUIET, Model, facts, nic, r5, r7, rs

Change = Callable[[Model], object]
VIP, FLOATING = "192.168.0.29", "10.0.0.29"


def pair(master: str = "lb1", settings: Any = True) -> Model:
    """R5 by FULLNAT, with a LAN between the directors."""
    model = r5()
    for number, name in ((11, "lb1"), (12, "lb2")):
        variables = model.hostvars[name]
        variables["lvs_services"][0]["forward"] = "fullnat"
        variables["lvs_sync"] = {"syncid": 1, "interface": "eth3"}
        variables["lvs_conntrackd"] = copy.deepcopy(settings)
        held = ([f"{VIP}/32"], [f"{FLOATING}/24"]) if name == master else ([], [])
        variables["ansible_facts"] = facts(
            nic("eth1", f"192.168.0.{number}/24", *held[0]),
            nic("eth2", f"10.0.0.{number}/24", *held[1]),
            nic("eth3", f"10.9.0.{number}/24", f"fd09::{number}/64"),
        )
    return model


def host(*names: str, **more: Any) -> Change:
    """Change variables of hosts; None takes one away."""

    def change(model: Model) -> None:
        for name in names or ("lb1", "lb2"):
            model.hostvars[name].update(copy.deepcopy(more))
            for key in [key for key, value in more.items() if value is None]:
                del model.hostvars[name][key]

    return change


def vrrp(**more: Any) -> Change:
    return lambda model: [model.hostvars[name]["lvs_vrrp"].update(copy.deepcopy(more)) for name in ("lb1", "lb2")]


def service(**more: Any) -> Change:
    return lambda model: [
        model.hostvars[each]["lvs_services"][0].update(copy.deepcopy(more)) for each in ("lb1", "lb2")
    ]


def director(model: Model, name: str = "lb1") -> dict[str, Any]:
    return model.plan(name, "director")


@pytest.mark.parametrize("master", ["lb1", "lb2"])
def test_the_plans_mirror_each_other_whoever_is_master(master: str) -> None:
    common = {
        "held": FLOATING,
        "interface": "eth3",
        "port": 3780,
        "real_servers": ["10.0.0.51", "10.0.0.52"],
        "connections": 1000000,
    }
    model = pair(master)
    assert director(model)["conntrackd"] == {**common, "own": "10.9.0.11", "partner": "10.9.0.12"}
    assert director(model, "lb2")["conntrackd"] == {**common, "own": "10.9.0.12", "partner": "10.9.0.11"}
    for name in ("lb1", "lb2"):
        plan = director(model, name)
        assert plan["commands"] == ["ip", "ipvsadm", "modprobe", "conntrackd"]
        assert plan["sysctls"]["net.ipv4.vs.sync_threshold"] == "1 5"
        assert not [note for note in plan["notes"] if "failover" in note]
        assert model.plan(name, "keepalived")["keepalived"]["global_defs"]["follower"] == "lvs"


def test_settings_stand_above_what_follows_from_the_pair() -> None:
    model = pair(settings={"interface": "eth2", "port": 4000, "connections": 5000})
    host(lvs_sysctls={"net.ipv4.vs.sync_threshold": "3 10"})(model)
    plan = director(model)
    assert plan["conntrackd"]["interface"] == "eth2"
    assert plan["conntrackd"]["own"] == "10.0.0.11"
    assert plan["conntrackd"]["partner"] == "10.0.0.12"
    assert plan["conntrackd"]["port"] == 4000
    assert plan["conntrackd"]["connections"] == 5000
    assert plan["sysctls"]["net.ipv4.vs.sync_threshold"] == "3 10"


def test_directors_that_have_only_ipv6_between_them() -> None:
    model = pair()
    for number, name in ((11, "lb1"), (12, "lb2")):
        model.hostvars[name]["ansible_facts"] = facts(
            nic("eth1", f"192.168.0.{number}/24"), nic("eth2", f"10.0.0.{number}/24"), nic("eth3", f"fd09::{number}/64")
        )
    plan = director(model)["conntrackd"]
    assert (plan["own"], plan["partner"]) == ("fd09::11", "fd09::12")


def test_a_director_whose_partner_is_not_part_of_the_run() -> None:
    """Its address is known where nothing else is named than the addresses of the inventory."""
    model = pair()
    model.without_facts("lb2")
    (line,) = model.refusal("lb1", "director")
    assert line.startswith(
        "lb1: lvs_conntrackd.interface: is needed where facts do not tell the address of lb2 on eth3"
    )
    host(lvs_sync={"syncid": 1})(model)
    assert director(model)["conntrackd"]["partner"] == "10.0.0.12"


@pytest.mark.parametrize("settings", [None, False, "no", {}])
def test_without_it_a_note_says_what_breaks(settings: Any) -> None:
    model = pair(settings=settings)
    plan = director(model)
    assert "conntrackd" not in plan
    assert "net.ipv4.vs.sync_threshold" not in plan["sysctls"]
    assert [note for note in plan["notes"] if "lvs_conntrackd: true" in note]
    assert "follower" not in model.plan("lb1", "keepalived")["keepalived"]["global_defs"]
    # Who has no synchronisation does not expect anything to survive, and who has no FULLNAT loses nothing.
    host(lvs_sync=None)(model)
    assert not [note for note in director(model)["notes"] if "lvs_conntrackd" in note]
    host(lvs_sync={"syncid": 1})(model)
    service(forward="nat")(model)
    assert "notes" not in director(model)


def test_without_fullnat_it_is_left_alone() -> None:
    model = pair()
    service(forward="nat")(model)
    plan = director(model)
    assert "conntrackd" not in plan
    assert "conntrackd" not in plan["commands"]
    assert plan["notes"] == [
        "lb1: lvs_conntrackd: no service of lb1 has forward: fullnat, so nothing is told, and conntrackd is left alone"
    ]
    assert "follower" not in model.plan("lb1", "keepalived")["keepalived"]["global_defs"]


def alone(model: Model) -> None:
    del model.hostvars["lb2"]
    model.groups["lvs_directors"] = ["lb1"]


def three(model: Model) -> None:
    model.hostvars["lb3"] = copy.deepcopy(model.hostvars["lb2"])
    model.hostvars["lb3"] |= {
        "lvs_address": "10.0.0.13",
        "ansible_facts": facts(
            nic("eth1", "192.168.0.13/24"), nic("eth2", "10.0.0.13/24"), nic("eth3", "10.9.0.13/24")
        ),
    }
    model.groups["lvs_directors"].append("lb3")


def apart(model: Model) -> None:
    model.hostvars["lb2"]["ansible_facts"] = facts(
        nic("eth1", "192.168.0.12/24"), nic("eth2", "10.0.0.12/24"), nic("eth3", "10.8.0.12/24")
    )


def instances(model: Model) -> None:
    vrrp(instances=[{"name": "a", "vips": [VIP]}, {"name": "b", "router_id": 52}], sync_group=False)(model)


MISTAKES: list[tuple[Change, list[str]]] = [
    (
        host("lb2", lvs_conntrackd=None),
        ["lb2: lvs_conntrackd: is not set, and lb1 has it"],
    ),
    (alone, ["lb1: lvs_conntrackd: no other director shares VIPs with lb1, so there is nobody to tell"]),
    (
        three,
        [
            "lb1: lvs_conntrackd: tells one other director of connections, and lb1 shares its VIPs with lb2, lb3",
            "lb2: lvs_conntrackd: tells one other director of connections, and lb2 shares its VIPs with lb1, lb3",
            "lb3: lvs_conntrackd: tells one other director of connections, and lb3 shares its VIPs with lb1, lb2",
        ],
    ),
    (
        host(lvs_sync=None),
        ["lvs_sync (lb1, lb2): is needed beside lvs_conntrackd: IPVS of the other director would not count"],
    ),
    (
        host("lb1", lvs_conntrackd={"interface": "eth9"}),
        ["lb1: lvs_conntrackd.interface: lb1 has no interface 'eth9'"],
    ),
    (
        host("lb1", lvs_conntrackd={"interface": "eth2"}),
        [
            "lb1: lvs_conntrackd.interface: eth2 of lb1 and eth3 of lb2 have no addresses in one network",
            "lb2: lvs_conntrackd.interface: eth3 of lb2 and eth2 of lb1 have no addresses in one network",
        ],
    ),
    (
        host("lb1", lvs_conntrackd={"port": 4000}),
        ["lb2: lvs_conntrackd.port: is 3780 here and 4000 at lb1: lvs_conntrackd.port"],
    ),
    (
        apart,
        [
            "lb1: lvs_conntrackd.interface: eth3 of lb1 and eth3 of lb2 have no addresses in one network",
            "lb2: lvs_conntrackd.interface: eth3 of lb2 and eth3 of lb1 have no addresses in one network",
        ],
    ),
    (
        host("lb1", "lb2", lvs_conntrackd="eth3"),
        ["lvs_conntrackd (lb1, lb2): must be true or a mapping, is 'eth3'"],
    ),
    (
        host("lb1", lvs_conntrackd={"interface": "eth 2", "port": 0, "connections": 10, "mode": "ftfw"}),
        [
            "lb1: lvs_conntrackd.interface: 'eth 2' is no name of an interface",
            "lb1: lvs_conntrackd.port: 0 is out of range",
            "lb1: lvs_conntrackd.connections: 10 is out of range",
            "lb1: lvs_conntrackd.mode: is not a known key",
        ],
    ),
    (
        vrrp(addresses=[]),
        [
            f"{name}: lvs_vrrp.addresses: lvs_services[0] (web): 10.0.0.1{name[-1]} does not move"
            for name in ("lb1", "lb2")
        ],
    ),
    (
        host(lvs_keepalived={"global_raw": "vrrp_notify_fifo /run/mine\n"}),
        ["lvs_keepalived.global_raw (lb1, lb2): has a vrrp_notify_fifo of its own"],
    ),
    (
        host(lvs_keepalived={"raw": "global_defs {\n  vrrp_notify_fifo_script /bin/mine\n}\n"}),
        ["lvs_keepalived.raw (lb1, lb2): has a vrrp_notify_fifo of its own"],
    ),
    (host(lvs_keepalived={"global_raw": "# vrrp_notify_fifo is that of lvs_conntrackd\n"}), []),
]


@pytest.mark.parametrize(("change", "expected"), MISTAKES)
def test_mistakes(change: Change, expected: list[str]) -> None:
    model = pair()
    change(model)
    lines = model.mistakes()
    assert len(lines) == len(expected), lines
    for line, beginning in zip(lines, expected):
        assert line.startswith(beginning), lines


def test_one_that_nobody_moves() -> None:
    model = r7()
    model.hostvars["lb1"]["lvs_conntrackd"] = True
    (line,) = model.mistakes()
    assert line.startswith("lb1: lvs_conntrackd: has no meaning while lvs_manager is kernel")


def test_a_source_that_stays_behind() -> None:
    model = pair()
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"][0]["snat_addresses"] = [FLOATING]
    assert not model.mistakes()
    host("lb1", "lb2", lvs_services=[{**model.hostvars["lb1"]["lvs_services"][0], "snat_addresses": ["10.0.0.11"]}])(
        model
    )
    assert "lvs_services[0].snat_addresses[0]: 10.0.0.11 does not move with the VIPs" in "\n".join(model.mistakes())


def test_several_instances_that_move_apart() -> None:
    model = pair()
    for name in ("lb1", "lb2"):
        second = {**model.hostvars[name]["lvs_services"][0], "name": "second", "address": "192.168.0.30"}
        model.hostvars[name]["lvs_services"].append({**second, "real_servers": rs("app1", "app2")})
    instances(model)
    assert "lvs_vrrp.sync_group (lb1, lb2): is false, and lvs_conntrackd tells" in "\n".join(model.mistakes())


def test_the_firewall_lets_it_pass() -> None:
    model = pair()
    packets = {each["name"]: each for each in director(model)["passing"] if "3780" in each["name"]}
    incoming = packets["what the other director's conntrackd says (UDP port 3780)"]
    assert {key: incoming[key] for key in ("hook", "protocol", "source", "destination", "port", "state")} == {
        "hook": "input",
        "protocol": "udp",
        "source": "10.9.0.12",
        "destination": "10.9.0.11",
        "port": 3780,
        "state": "new",
    }
    outgoing = packets["what its own conntrackd says (UDP port 3780)"]
    assert (outgoing["hook"], outgoing["destination"]) == ("output", "10.9.0.12")
    host(lvs_firewall="manage")(model)
    opened = [each for each in director(model)["firewall"]["packets"] if each.get("port") == 3780]
    assert [(each["hook"], each["source"]) for each in opened] == [("input", "10.9.0.12"), ("output", "10.9.0.11")]


COUNTS = {"own": 12, "taken": 5, "failed": 0, "sent": 240, "received": 238, "lost": 0, "hears": True}


def found(model: Model, **answers: Any) -> list[str]:
    said = {name: {**QUIET, "conntrackd": counts} for name, counts in answers.items()}
    findings = verifying.findings_of(model.hostvars, model.groups, said, {}, ["lb1", "lb2"])["findings"]
    return [f"{each['degree']}: {each['host']}: {each['what']}" for each in findings if "conntrackd" in each["what"]]


def test_verify_asks_and_is_silent() -> None:
    model = pair()
    asked = verifying.questions_of(model.hostvars, model.groups)["hosts"]
    assert [asked[name].get("conntrackd") for name in ("lb1", "lb2", "app1")] == [True, True, None]
    assert found(model, lb1=COUNTS, lb2=COUNTS) == []
    # Nobody was a client yet, and nothing came.
    assert found(model, lb1={**COUNTS, "own": 0}, lb2={**COUNTS, "own": 0, "taken": 0}) == []
    assert found(pair(settings=False), lb1=None, lb2=None) == []


@pytest.mark.parametrize(
    ("lb1", "lb2", "expected"),
    [
        (COUNTS, None, ["at risk: lb2: conntrackd does not answer"]),
        (
            COUNTS,
            {**COUNTS, "hears": False},
            ["at risk: lb2: conntrackd hears nothing from lb1 (10.9.0.11, UDP port 3780 on eth3)"],
        ),
        # What the silence comes from is said of the other one.
        ({**COUNTS, "hears": False}, None, ["at risk: lb2: conntrackd does not answer"]),
        (COUNTS, {**COUNTS, "taken": 0}, ["at risk: lb2: conntrackd has none of the 12 connections of lb1"]),
        ({**COUNTS, "taken": 0}, COUNTS, []),
        (
            COUNTS,
            {**COUNTS, "failed": 5, "lost": 3},
            [
                "worth knowing: lb2: conntrackd could not take over 5 of 10 messages of lb1 since it started",
                "worth knowing: lb2: conntrackd has lost 3 messages of lb1 since it started",
            ],
        ),
    ],
)
def test_findings(lb1: Any, lb2: Any, expected: list[str]) -> None:
    assert found(pair(), lb1=lb1, lb2=lb2) == expected


def test_an_answer_that_is_not_understood_is_no_silence() -> None:
    model, odd = pair(), {**QUIET, "conntrackd": None, "unseen": [f"conntrackd: {UNREADABLE}"]}
    said = {"lb1": {**QUIET, "conntrackd": {**COUNTS, "hears": False}}, "lb2": odd}
    whole = verifying.findings_of(model.hostvars, model.groups, said, {}, ["lb1", "lb2"])
    assert [each["host"] for each in whole["findings"] if "conntrackd" in each["what"]] == ["lb1"]
    assert f"lb2: conntrackd: {UNREADABLE}" in whole["unseen"]


@pytest.mark.parametrize("odd", [7, {**COUNTS, "own": "1"}, {**COUNTS, "hears": 1}, {"own": 1}])
def test_what_a_host_answers_may_be_anything(odd: Any) -> None:
    model = pair()
    said = {"lb1": {**QUIET, "conntrackd": odd}}
    findings = verifying.findings_of(model.hostvars, model.groups, said, {}, ["lb1"])["findings"]
    assert [each for each in findings if "cannot be read: answers.lb1.conntrackd" in each["what"]]
