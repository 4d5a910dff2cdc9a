# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of sessions, announcements and routes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_info
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bgp_sessions import packets_of, plan_sessions
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import sessions_of
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Counters, Service, ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import draining
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import bgp_findings
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import active

VIP, VIP6 = "198.51.100.1", "2001:db8:100::1"
UNIT = {"active": True, "enabled": True, "failed": False}
# As BIRD 2.0.12 prints it, but for what nobody reads.
PRINTED = """\
BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     16:07:10.111

lvs_routes4 Kernel     lvs4       up     16:07:10.111
  Channel ipv4
    State:          UP

lvs4_10_0_0_1 BGP        ---        up     16:07:14.331  Established
  BGP state:          Established
    Neighbor address: 10.0.0.1
    Neighbor AS:      65000

lvs6_2001_db8_b__1 BGP        ---        start  16:07:14.331  Connect       Socket: No route to host
  BGP state:          Connect
    Neighbor address: 2001:db8:b::1%eth1
    Neighbor AS:      65000
    Last error:       Socket: No route to host
others     BGP        ---        up     16:07:14.331  Established
  BGP state:          Established
"""


def session(address: str, state: str = "Established", error: str = "") -> dict[str, str]:
    kind = 6 if ":" in address else 4
    name = "".join(each if each.isalnum() else "_" for each in address)
    return {"name": f"lvs{kind}_{name}", "neighbour": address, "state": state, "error": error}


def table(weight: int = 1) -> dict[str, Any]:
    def service(address: str, *real_servers: str) -> dict[str, Any]:
        pool = [{"address": each, "port": 80, "weight": weight} for each in real_servers]
        return {"protocol": "tcp", "address": address, "port": 80, "real_servers": pool}

    return {
        "services": [
            service(VIP, "10.0.0.51", "10.0.0.52"),
            service(VIP6, "2001:db8:b::51", "2001:db8:b::52"),
        ]
    }


def well() -> dict[str, Any]:
    announced = [{"address": f"{VIP}/32", "metric": 65616}, {"address": f"{VIP6}/128", "metric": 65616}]
    answers: dict[str, Any] = {
        f"lb{number}": {
            "bgp": {
                "unit": UNIT,
                "sessions": [session("10.0.0.1"), session("2001:db8:b::1")],
                "announced": list(announced),
                "aggregates": [],
                "ways": {},
            },
            "table": table(),
        }
        for number in (1, 2, 3)
    }
    sessions = [session(f"{network}{number}") for network in ("10.0.0.2", "2001:db8:b::2") for number in (1, 2, 3)]
    ways = {
        VIP: [f"10.0.0.2{number}" for number in (1, 2, 3)],
        VIP6: [f"2001:db8:b::2{number}" for number in (1, 2, 3)],
    }
    of_router = {"unit": UNIT, "sessions": sessions, "announced": [], "aggregates": [], "ways": ways}
    answers["router"] = {"bgp": of_router, "table": None}
    return copy.deepcopy(answers)


def found(answers: dict[str, Any], manager: str = "checker") -> list[tuple[str, str, str]]:
    model = active(manager)
    site = site_of(model.hostvars, model.groups, [])
    return [(each.degree, each.host, each.what) for each in bgp_findings.every(site, answers)]


def test_nothing_is_found_where_all_is_well() -> None:
    assert found(well()) == []


def test_what_is_asked() -> None:
    model = active()
    site = site_of(model.hostvars, model.groups, [])
    assert bgp_findings.questions(site, "lb1") == {"table": 1819, "vips": [], "aggregates": []}
    assert bgp_findings.questions(site, "router") == {"table": None, "vips": [VIP, VIP6], "aggregates": []}
    assert bgp_findings.questions(site, "web1") is None


def test_bird_does_not_run() -> None:
    answers = well()
    answers["lb2"]["bgp"] |= {"unit": {**UNIT, "active": False}, "sessions": []}
    answers["router"]["bgp"]["unit"] = {**UNIT, "enabled": False}
    assert found(answers) == [
        ("at risk", "lb2", "BIRD does not run"),
        ("at risk", "router", "BIRD is not started at boot"),
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            session("10.0.0.1", "Active", "Socket: Connection refused"),
            "its state is Active, and the last error was",
        ),
        (None, "BIRD does not know it"),
    ],
)
def test_a_session_that_is_not_there(change: dict[str, str] | None, said: str) -> None:
    answers = well()
    answers["lb1"]["bgp"]["sessions"][:1] = [change] if change else []
    ((degree, host, what),) = found(answers)
    assert (degree, host) == ("at risk", "lb1")
    assert what.startswith("no BGP session with 10.0.0.1 (router): ")
    assert said in what


def test_a_director_that_is_drained_is_named_as_such() -> None:
    answers = well()
    answers["lb1"]["bgp"]["sessions"][0] = session("10.0.0.1", "Down")
    answers["router"]["bgp"]["sessions"][1] = session("10.0.0.22", "Down")
    model = active()
    told = [*bgp_findings.every(site_of(model.hostvars, model.groups, []), answers)]
    assert [(each.host, each.what) for each in told] == [
        ("lb1", "the BGP session with 10.0.0.1 (router) is disabled, as in a drain"),
        ("router", "the BGP session with 10.0.0.22 (lb2) is disabled, as in a drain"),
    ]
    assert "lvs_drain_directors=lb1 -e lvs_drain_directors_state=present" in told[0].remedy
    assert told[1].remedy == "birdc enable lvs4_10_0_0_22 on router"


def test_of_sessions_that_could_not_be_looked_at_nothing_is_said() -> None:
    answers = well()
    answers["lb2"]["bgp"]["sessions"] = answers["router"]["bgp"]["sessions"] = None
    assert found(answers) == []
    # Nobody knows that a router hears of it.
    answers["lb3"]["bgp"]["sessions"] = None
    assert len(lost(answers, "lb1")) == 2


def test_a_vip_that_nobody_serves_is_announced() -> None:
    answers = well()
    answers["lb1"]["table"] = table(0)
    assert ("broken", "lb1", f"announces {VIP}, and has no real server for tcp {VIP}:80 (web)") in found(answers)


def test_of_a_table_that_could_not_be_read_nothing_is_said() -> None:
    answers = well()
    answers["lb1"]["table"] = None
    assert found(answers) == []


def test_without_quorum_nothing_is_announced_and_that_is_right() -> None:
    answers = well()
    answers["lb1"]["table"] = table(0)
    answers["lb1"]["bgp"]["announced"] = []
    for vip in (VIP, VIP6):
        answers["router"]["bgp"]["ways"][vip].pop(0)
    assert found(answers) == []


def test_a_router_that_does_not_take_a_way() -> None:
    answers = well()
    answers["router"]["bgp"]["ways"][VIP] = ["10.0.0.21"]
    assert found(answers) == [("at risk", "router", f"does not send to lb2, lb3 for {VIP}, which they announce to it")]


def test_a_router_without_any() -> None:
    answers = well()
    for name in ("lb1", "lb2", "lb3"):
        answers[name]["bgp"]["announced"] = []
        answers[name]["table"] = table(0)
    answers["router"]["bgp"]["ways"] = {VIP: []}
    assert found(answers) == [("broken", "router", f"has no route to {VIP}")]


def test_what_cannot_be_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_table: int) -> list[Any]:
        raise Refused("ip route show failed")

    monkeypatch.setattr(bird_info, "routes_of", refuse)
    unseen: list[str] = []
    assert bird_info.look({"table": 1819, "vips": [], "aggregates": []}, unseen)["announced"] == []
    assert "the routes of VIPs: ip route show failed" in unseen
    monkeypatch.setattr(bird_info._commands, "find", lambda _name: None)
    said = bird_info.look({"table": 1819, "vips": [], "aggregates": ["198.51.100.0/24"]}, unseen)
    assert said["sessions"] is said["aggregates"] is None
    assert unseen[-1] == "the sessions of BIRD: there is no birdc"


def test_what_bird_prints() -> None:
    assert sessions_of(PRINTED) == [
        {"name": "lvs4_10_0_0_1", "neighbour": "10.0.0.1", "state": "Established", "error": ""},
        {
            "name": "lvs6_2001_db8_b__1",
            "neighbour": "2001:db8:b::1",
            "state": "Connect",
            "error": "Socket: No route to host",
        },
    ]


def results(answers: dict[str, Any]) -> list[dict[str, Any]]:
    """As a loop over announcers() registers them."""
    return [
        {"lvs_announcer": {"director": name}, "bgp": each["bgp"]} for name, each in answers.items() if name != "router"
    ]


def lost(answers: dict[str, Any], *drained: str, **more: Any) -> list[str]:
    model = active()
    return draining.unannounced_of(model.hostvars, model.groups, results(answers), list(drained), **more)


def asked(table: int) -> dict[str, Any]:
    return {"table": table, "vips": [], "aggregates": []}


def test_who_is_asked_what_is_announced() -> None:
    model = active()
    model.hostvars["lb1"]["lvs_bgp"]["graceful_shutdown"] = 5
    model.hostvars["lb2"]["lvs_bgp"]["table"] = 7
    model.hostvars["lb3"]["lvs_state"] = "absent"
    assert draining.announcers_of(model.hostvars, model.groups) == [
        {"director": "lb1", "bgp": asked(1819), "graceful_shutdown": 5, "check_marks": []},
        {"director": "lb2", "bgp": asked(7), "graceful_shutdown": 0, "check_marks": []},
    ]
    # What checks through a VIP send is counted by the kernel as what clients send.
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"][0]["health_check"] = {"type": "http", "through": "vip"}
    assert [len(set(each["check_marks"])) for each in draining.announcers_of(model.hostvars, model.groups)] == [2, 2]


def test_others_are_left_while_one_is_drained() -> None:
    assert lost(well(), "lb1") == []
    assert lost(well(), "lb1", "lb2") == []


def test_nobody_is_left() -> None:
    said = [f"nobody besides lb1, lb2, lb3 announces {vip}" for vip in (VIP, VIP6)]
    assert lost(well(), "lb1", "lb2", "lb3") == said


@pytest.mark.parametrize("services", ["oops", [], None])
def test_what_is_announced_counts_where_the_model_cannot_be_read(services: Any) -> None:
    """A mistake in lvs_services takes VIPs out of what the model says, and nobody's word for them out of the check."""
    model = active()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_services"] = services
    answers = well()
    assert draining.unannounced_of(model.hostvars, model.groups, results(answers), ["lb1"]) == []
    for name in ("lb2", "lb3"):
        answers[name]["bgp"]["announced"] = []
    said = [f"nobody besides lb1 announces {vip}" for vip in (VIP, VIP6)]
    assert draining.unannounced_of(model.hostvars, model.groups, results(answers), ["lb1"]) == said


def test_one_whose_session_is_down_is_heard_by_nobody() -> None:
    answers = well()
    del answers["lb3"]
    answers["lb2"]["bgp"]["sessions"][0] = session("10.0.0.1", "Active")
    assert lost(answers, "lb1") == [f"nobody besides lb1 announces {VIP} (lb3 did not answer)"]
    answers["lb2"]["bgp"]["announced"] = []
    assert len(lost(answers, "lb1")) == 2


def test_what_is_no_director_is_not_drained() -> None:
    """Also where nobody need be left: a playbook would do nothing, and say that all is well."""
    said = "web1: is no director that is present; name directors, or groups of them"
    assert lost(well(), "web1") == lost(well(), "web1", allow_empty=True) == [said]
    assert lost(well(), "lb1", "lb2", "lb3", allow_empty=True) == []


def test_whoever_is_meant_by_a_group_is_drained() -> None:
    said = [f"nobody besides lb1, lb2, lb3 announces {vip}" for vip in (VIP, VIP6)]
    assert lost(well(), "lvs_directors") == said


def test_what_cannot_be_an_answer_is_refused() -> None:
    model = active()
    wrong = [{"lvs_announcer": {"director": "lb1"}, "bgp": {"sessions": "none"}}]
    with pytest.raises(WrongModel, match=r"answers\.lb1"):
        draining.unannounced_of(model.hostvars, model.groups, wrong, ["lb2"])
    for other in ("none", [7], {"lb1": {}}):
        with pytest.raises(WrongModel, match="answers: must be a list of results"):
            draining.unannounced_of(model.hostvars, model.groups, other, ["lb2"])
    # Whoever failed has nothing of it.
    failed = [{"lvs_announcer": {"director": "lb2"}, "msg": "no"}, {"msg": "no"}]
    assert "(lb2, lb3 did not answer)" in draining.unannounced_of(model.hostvars, model.groups, failed, ["lb1"])[0]


def test_sessions_are_enabled_and_disabled() -> None:
    up, down = session("10.0.0.1"), session("2001:db8:b::1", "Down")
    assert [each.line for each in plan_sessions([up, down], enabled=False).changes] == ["birdc disable lvs4_10_0_0_1"]
    assert [each.line for each in plan_sessions([up, down], enabled=True).changes] == [
        "birdc enable lvs6_2001_db8_b__1"
    ]


def test_the_packets_that_came() -> None:
    web = Service(ServiceKey("ipv4", "tcp", VIP, 80), "mh", counters=Counters(inpkts=40))
    marked = Service(ServiceKey("ipv4", fwmark=7), "mh", counters=Counters(inpkts=2))
    check = Service(ServiceKey("ipv4", fwmark=4294967295), "rr", counters=Counters(inpkts=1000))
    assert packets_of([web, marked, check], [4294967295]) == 42
    assert packets_of([], []) == 0
