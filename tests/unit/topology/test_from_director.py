# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a director tries of its real servers when a site is verified, and what follows from it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import verifying
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    QUIET,
    Model,
    dr_pair,
    facts,
    nic,
    r1,
    r5,
    r7,
    rs,
)

VIP = "192.168.246.160"
MARK = 0x6C760000 + 246 * 256 + 161


def asked(model: Model, director: str = "lb1", *, through: bool = True) -> dict[str, Any]:
    hosts = verifying.questions_of(model.hostvars, model.groups, through_vip=through)["hosts"]
    tries: dict[str, Any] = hosts[director]["tries"]
    return tries


def answered(asked: dict[str, Any], *ends: dict[str, Any]) -> dict[str, Any]:
    """What probe returns of these endpoints: how the first ones ended; the others connected."""
    counts = {
        "connected": 1,
        "silent": 0,
        "failed": {},
        "answered": 0,
        "unanswered": 0,
        "repeated": 0,
        "packets": {"1500": 1},
    }
    common = {"connections": 1, "protocol": "tcp", "question": None, **counts}
    every = [{**common, **each} for each in asked["endpoints"]]
    ended = zip(every, [*ends, *[{}] * len(every)])
    return {"endpoints": [{**each, **({"connected": 0} | end if end else {})} for each, end in ended]}


def found(model: Model, attempts: dict[str, Any], *, through: bool = True) -> dict[str, Any]:
    return verifying.findings_of(
        model.hostvars, model.groups, {}, {}, ["lb1"], attempts, through_vip=through, put_back=["lb1"]
    )


def whats(found: dict[str, Any]) -> list[str]:
    every = [each for each in found["findings"] if each["what"] != "could not be looked at"]
    return [f"{each['degree']}: {each['host']}: {each['what']}" for each in every]


def test_nat_is_tried_at_the_real_servers_own_addresses() -> None:
    tries = asked(r5(), through=False)
    assert tries == {
        "endpoints": [
            {"name": "web", "address": "10.0.0.51", "port": 80},
            {"name": "web", "address": "10.0.0.52", "port": 80},
        ],
        "services": [],
        "sysctls": {},
    }
    # Of FULLNAT the port is often another one.
    assert {each["port"] for each in asked(r7(), through=False)["endpoints"]} == {8080}


def test_dr_is_tried_through_the_vip_where_that_is_asked_for() -> None:
    assert asked(r1(), through=False) == {"endpoints": [], "services": [], "sysctls": {}}
    tries = asked(r1())
    assert tries["endpoints"][0] == {
        "name": "web",
        "address": VIP,
        "port": 80,
        "source": "192.168.246.166",
        "fwmark": MARK,
    }
    assert tries["sysctls"] == {"net.ipv4.conf.eth1.accept_local": "1"}
    assert [(each["fwmark"], [one["address"] for one in each["real_servers"]]) for each in tries["services"]] == [
        (MARK, ["192.168.246.161"]),
        (MARK + 1, ["192.168.246.162"]),
    ]


def test_a_way_needs_no_scheduler_that_is_not_there_already() -> None:
    """The module of another one would stay, and keep ip_vs from being unloaded when the director is put back."""
    model = r1()
    model.hostvars["lb1"]["lvs_services"][0]["scheduler"] = "mh"
    assert {each["scheduler"] for each in asked(model)["services"]} == {"mh"}


def test_what_keepalived_checks_through_the_vip_is_left_to_it() -> None:
    model = dr_pair()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["health_check"] = {"type": "tcp", "through": "vip"}
    tries = asked(model)
    assert {each["name"] for each in tries["endpoints"]} == {"web6"}
    # Its marks are not taken.
    marks = {each["fwmark"] for each in tries["services"]}
    assert marks.isdisjoint(
        each["fwmark"] for each in model.plan("lb1", "director")["watched"]["services"] if "fwmark" in each
    )


def test_who_is_not_tried() -> None:
    model = r1()
    model.service["real_servers"] = [*rs("web1", weight=0), *rs("web2")]
    assert len(asked(model)["endpoints"]) == 1
    model.service["protocol"] = "udp"
    assert asked(model)["endpoints"] == []


@pytest.mark.parametrize(
    ("end", "line"),
    [
        ({"silent": 1}, f"broken: lb1: web1 (192.168.246.161) (web) does not answer on port 80 through the VIP {VIP}"),
        (
            {"failed": {"Connection refused": 1}},
            f"broken: lb1: web1 (192.168.246.161) (web) refuses connections on port 80 through the VIP {VIP}",
        ),
        (
            {"failed": {"No route to host": 1}},
            f"broken: lb1: web1 (192.168.246.161) (web) cannot be reached on port 80 through the VIP {VIP}: "
            "No route to host",
        ),
    ],
)
def test_a_real_server_that_does_not_serve_is_named(end: dict[str, Any], line: str) -> None:
    model = master()
    told = found(model, {"lb1": answered(asked(model), end)})
    assert whats(told) == [line]
    assert not told["is_well"]
    assert told["findings"][0]["remedy"]
    # Of a director that is not master, no client notices it yet.
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "192.168.246.166/24"))
    assert whats(found(model, {"lb1": answered(asked(model), end)})) == [line.replace("broken", "at risk")]


def master() -> Model:
    model = r1()
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "192.168.246.166/24", f"{VIP}/32"))
    return model


def test_what_says_nothing_about_a_real_server_is_no_finding() -> None:
    model = master()
    told = found(model, {"lb1": answered(asked(model), {"failed": {"Operation not permitted": 1}})})
    assert whats(told) == []
    assert "lb1: web1 (192.168.246.161) (web): Operation not permitted" in told["unseen"]
    untold = found(model, {})
    assert "lb1: it did not connect to its real servers" in untold["unseen"]


def test_who_has_no_way_to_the_vip_says_nothing() -> None:
    model = master()
    told = found(model, {"lb1": answered(asked(model), {"failed": {"Network is unreachable": 1}})})
    assert whats(told) == []
    nat = r5()
    told = found(nat, {"lb1": answered(asked(nat), {"failed": {"Network is unreachable": 1}})})
    assert len(whats(told)) == 1


@pytest.mark.parametrize(
    ("filters", "silent", "said"),
    [
        # Of this rule it is certain, and of the policy it may be.
        ({"dropped": [0]}, 1, []),
        ({"obstacles": [{"kind": "policy", "hook": "input", "said": "iptables -P INPUT DROP"}]}, 2, []),
        ({"obstacles": [{"kind": "policy", "hook": "input", "said": "iptables -P INPUT DROP"}]}, 1, ["web1"]),
        ({"obstacles": [{"kind": "policy", "hook": "forward", "said": "x"}]}, 2, ["web1", "web2"]),
        # A set of addresses that may come, and a rejection for the rest; or rules that could not be read.
        ({"undecided": [0]}, 2, []),
        ({"undecided": [0]}, 1, ["web1"]),
        ({"undecided": ["something else"]}, 2, ["web1", "web2"]),
    ],
)
def test_its_own_packet_filter_may_keep_the_answers_out(filters: dict[str, Any], silent: int, said: list[str]) -> None:
    model = master()
    hosts = verifying.questions_of(model.hostvars, model.groups, through_vip=True)["hosts"]["lb1"]
    names = [each["name"] for each in hosts["packets"] if each["name"].startswith("answers from")]
    of_filter = {**filters, **({"dropped": [{"name": names[0], "said": "x"}]} if "dropped" in filters else {})}
    if filters.get("undecided") == [0]:
        of_filter["undecided"] = names
    attempts = {"lb1": answered(asked(model), *[{"silent": 1}] * silent)}
    answers = {"lb1": {**QUIET, **of_filter}}
    told = verifying.findings_of(model.hostvars, model.groups, answers, {}, ["lb1"], attempts, through_vip=True)
    tried = [each for each in whats(told) if "does not answer" in each]
    assert [each.split()[2] for each in tried] == said
    about = "lb1: real servers one by one through the VIP: its packet filter may drop the answers"
    assert (about in told["unseen"]) == (not said)


@pytest.mark.parametrize(("silent", "said"), [(2, []), (1, ["web1"])])
def test_a_director_that_says_nothing_of_its_packet_filter(silent: int, said: list[str]) -> None:
    model = master()
    told = found(model, {"lb1": answered(asked(model), *[{"silent": 1}] * silent)})
    assert [each.split()[2] for each in whats(told) if "does not answer" in each] == said
    about = "lb1: real servers one by one through the VIP: its packet filter may drop the answers"
    assert (about in told["unseen"]) == (not said)
    # At its own address a real server is reached as any host is.
    nat = r5()
    attempts = {"lb1": answered(asked(nat), *[{"silent": 1}] * silent)}
    assert len([each for each in whats(found(nat, attempts)) if "does not answer" in each]) == silent


def test_a_way_that_was_not_taken_away_is_said() -> None:
    model = master()
    arguments = (model.hostvars, model.groups, {"lb1": QUIET}, {}, ["lb1"], {"lb1": answered(asked(model))})
    what = "it may still have what verify needed for the way through the VIP"
    left = verifying.findings_of(*arguments, through_vip=True)
    assert ("at risk", "lb1", what) in [(each["degree"], each["host"], each["what"]) for each in left["findings"]]
    done = verifying.findings_of(*arguments, through_vip=True, put_back=["lb1"])
    assert what not in [each["what"] for each in done["findings"]]


@pytest.mark.parametrize(
    ("hosts", "known", "is_left"),
    [
        (["lb1"], None, True),
        (["lb1"], ["lb1", "web1"], True),
        # It answered nothing from the beginning, or is not part of the run.
        (["lb1"], ["web1"], False),
        (["web1"], ["lb1"], False),
    ],
)
def test_a_way_is_left_on_a_director_that_answers_no_more(
    hosts: list[str], known: list[str] | None, is_left: bool
) -> None:
    model = master()
    arguments = (model.hostvars, model.groups, {}, {}, hosts)
    left = verifying.findings_of(*arguments, through_vip=True, put_back=[], known=known)
    what = "it may still have what verify needed for the way through the VIP"
    assert [each["host"] for each in left["findings"] if each["what"] == what] == (["lb1"] if is_left else [])
    assert not verifying.findings_of(*arguments, put_back=[], known=known)["findings"][1:]


def test_a_backup_that_forwards_nothing_says_so() -> None:
    model = dr_pair()
    for director in ("lb1", "lb2"):
        model.hostvars[director] |= {"lvs_sync": {"syncid": 1}, "lvs_sysctls": {"net.ipv4.vs.backup_only": 1}}
    assert asked(model)["endpoints"] == []
    why = "lb1: real servers of web one by one through the VIP: with net.ipv4.vs.backup_only a backup forwards nothing"
    assert why in found(model, {})["unseen"]


def test_an_answer_to_something_else_is_not_believed() -> None:
    model = master()
    answers = answered(asked(model), {"silent": 1})["endpoints"]
    other = copy.deepcopy(answers)
    other[0]["port"] = 81
    for odd in (other, answers[:1], [*answers, *answers]):
        told = found(model, {"lb1": {"endpoints": odd}})
        assert whats(told) == ["at risk: lb1: what it tried is not what it was asked to try"]


def test_very_many_real_servers_are_not_all_tried() -> None:
    model = master()
    model.service["real_servers"] = [{"address": f"192.168.246.{1 + n}"} for n in range(159)]
    model.services.extend({**copy.deepcopy(model.service), "name": f"web{n}", "port": 1000 + n} for n in range(5))
    tries = asked(model)
    assert len(tries["endpoints"]) == 500
    told = found(model, {"lb1": answered(tries)})
    assert "lb1: it connected to 500 of 954 ports of its real servers" in told["unseen"]
