# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several directors that announce the same VIPs by BGP: what is refused, and what should be known."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import (
    NEIGHBOURS,
    PASSWORD,
    active,
    every,
    serving,
)

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"asn": None}, "lb1: lvs_bgp.asn: is missing"),
    ({"asn": 0}, "lb1: lvs_bgp.asn: 0 is the number of no network"),
    ({"asn": 23456}, "lb1: lvs_bgp.asn: 23456 is the number of no network"),
    ({"asn": 2**32}, "lb1: lvs_bgp.asn: 4294967296 is the number of no network"),
    ({"asn": "one"}, "lb1: lvs_bgp.asn: 'one' is no number of a network"),
    ({"asn": True}, "lb1: lvs_bgp.asn: "),
    ({"neighbours": []}, "lb1: lvs_bgp.neighbours: is needed: nobody would hear of the VIPs"),
    ({"neighbours": [], "bfd": True}, "lb1: lvs_bgp.neighbours: is needed: bfd watches neighbours, and there is none"),
    ({"neighbours": None}, "lb1: lvs_bgp.neighbours: has nothing below it"),
    ({"neighbours": "10.0.0.1"}, "lb1: lvs_bgp.neighbours: must be a list of neighbours"),
    ({"neighbours": [{"asn": 65000}]}, "lb1: lvs_bgp.neighbours[0].address: is missing"),
    ({"neighbours": [{"address": "10.0.0.1"}]}, "lb1: lvs_bgp.neighbours[0].asn: is missing"),
    (
        {"neighbours": [{"address": "router", "asn": 1}]},
        "lb1: lvs_bgp.neighbours[0].address: 'router' is no IP address",
    ),
    ({"neighbours": NEIGHBOURS[:1] * 2}, "lb1: lvs_bgp.neighbours[1].address: 10.0.0.1 is that of"),
    ({"neighbours": [{**NEIGHBOURS[0], "multihop": 1}]}, "lb1: lvs_bgp.neighbours[0].multihop: 1 is out of range"),
    ({"neighbours": [{**NEIGHBOURS[0], "bfd": 3}]}, "lb1: lvs_bgp.neighbours[0].bfd: 3 is neither a boolean"),
    ({"neighbours": [{**NEIGHBOURS[0], "pasword": "x"}]}, "lb1: lvs_bgp.neighbours[0].pasword: is not a known key"),
    ({"communities": ["65536:1"]}, "lb1: lvs_bgp.communities[0]: '65536:1' is no community"),
    ({"communities": "65001:1"}, "lb1: lvs_bgp.communities: must be a list"),
    ({"table": 254}, "lb1: lvs_bgp.table: 254 is the kernel's own"),
    ({"med": -1}, "lb1: lvs_bgp.med: -1 is out of range"),
    ({"graceful_shutdown": 601}, "lb1: lvs_bgp.graceful_shutdown: 601 is out of range"),
    ({"hold_time": 1}, "lb1: lvs_bgp.hold_time: 1 is out of range"),
    ({"router_id": "::1"}, "lb1: lvs_bgp.router_id: '::1' is not written as an IPv4 address"),
    ({"raw": 1}, "lb1: lvs_bgp.raw: must be text"),
    ({"ans": 1}, "lb1: lvs_bgp.ans: is not a known key"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said for _change, said in WRONG])
def test_what_is_wrong_is_said_with_its_path(change: dict[str, Any], said: str) -> None:
    model = active()
    model.hostvars["lb1"]["lvs_bgp"].update(copy.deepcopy(change))
    lines = model.mistakes()
    assert any(line.startswith(said) for line in lines), lines


@pytest.mark.parametrize("number", ["65001", "1.10", 4200000000])
def test_numbers_of_four_bytes(number: Any) -> None:
    model = active()
    model.hostvars["lb1"]["lvs_bgp"]["asn"] = number
    assert not [line for line in model.mistakes() if line.startswith("lb1: lvs_bgp.asn")]


def test_a_password_is_never_shown() -> None:
    for password in ('with "quotes', 1234567, ["s3cr"], "s3cr\nt", "x" * 81):
        model = active()
        model.hostvars["lb1"]["lvs_bgp"]["neighbours"][0]["password"] = password
        (line, *_others) = [each for each in model.mistakes() if "password" in each]
        assert str(password) not in line
        assert "s3cr" not in line


REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "keepalived moves them",
        {"lvs_manager": "keepalived"},
        {},
        "announces the VIPs from every director, and with lvs_manager: keepalived VRRP moves them to one",
    ),
    ("a NIC", {"lvs_vip_interface": "eth1"}, {}, "eth1 has neighbours"),
    ("commands", {}, {"quorum_up": "/bin/true"}, ".quorum_up: is what announces the VIP here"),
    ("NAT", {}, {"forward": "nat"}, ".forward: nat keeps the state of a connection in one director"),
    ("FULLNAT", {}, {"forward": "fullnat"}, ".forward: fullnat keeps the state of a connection in one director"),
    ("a director", {}, {"real_servers": [{"address": "10.0.0.22"}]}, "lb2 is a director of the same VIPs"),
]


@pytest.mark.parametrize(("_name", "variables", "service", "said"), REFUSED, ids=[each[0] for each in REFUSED])
def test_what_several_directors_cannot_do(
    _name: str, variables: dict[str, Any], service: dict[str, Any], said: str
) -> None:
    model = serving(active(), **service)
    for name in model.groups["lvs_directors"]:
        model.hostvars[name].update(variables)
    if "real_servers" in service:
        model.groups["lvs_real_servers"].append("lb2")
    lines = model.mistakes()
    assert any(said in line for line in lines), lines


def test_one_director_may_keep_state() -> None:
    model = serving(active(), forward="nat")
    for name in ("lb2", "lb3"):
        model.hostvars[name]["lvs_state"] = "absent"
    assert not [line for line in model.mistakes() if "keeps the state" in line]


def test_a_vip_without_a_neighbour_of_its_family() -> None:
    model = every(active(), neighbours=NEIGHBOURS[:1])
    assert any("may announce 2001:db8:100::1 to nobody" in line for line in model.mistakes())


def test_both_ends_agree() -> None:
    model = active()
    router = model.hostvars["router"]["lvs_bgp"]
    router["asn"] = 65009
    assert any("65000 is not what router: lvs_bgp.asn is, 65009" in line for line in model.mistakes())
    router["asn"] = 65000
    router["neighbours"][0]["password"] = PASSWORD[::-1]
    lines = model.mistakes()
    assert any("lb1: lvs_bgp.neighbours[0].password: is not what" in line for line in lines)
    assert PASSWORD not in str(lines)
    router["neighbours"][0] |= {"password": PASSWORD, "bfd": False}
    assert any("lb1: lvs_bgp.neighbours[0].bfd: is on" in line for line in model.mistakes())
    del router["neighbours"][0]
    assert any("names no address of lb1" in line for line in model.mistakes()) is False  # by IPv6 it does


def test_directors_have_the_same_table() -> None:
    model = active()
    model.hostvars["lb2"]["lvs_services"][0]["scheduler_flags"] = []
    assert any("directors that share VIPs need the same" in line for line in model.mistakes())


def test_a_director_that_does_not_announce_cannot_share() -> None:
    model = active()
    del model.hostvars["lb3"]["lvs_bgp"]
    assert any("and both would answer for it" in line for line in model.mistakes())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scheduler": "rr", "scheduler_flags": []}, ".scheduler: with rr, another director sends a connection"),
        ({"scheduler_flags": []}, ".scheduler: with mh without mh-port"),
        ({"persistence": {"timeout": 60}}, ".persistence: each director remembers clients by itself"),
        ({"sorry_server": {"address": "10.0.0.99"}}, ".sorry_server: the VIP is withdrawn"),
    ],
)
def test_what_should_be_known(change: dict[str, Any], said: str) -> None:
    notes = serving(active(), **change).plan("lb1", "director")["notes"]
    assert any(said in note for note in notes), notes


def test_a_vip_with_neighbours() -> None:
    notes = serving(active(), address="10.0.0.100").plan("lb1", "director")["notes"]
    assert any("neighbours there ask for it by ARP" in note for note in notes)


def test_an_identifier_is_one_router_of_an_as() -> None:
    model = every(active(), router_id="10.9.9.9")
    said = [line for line in model.mistakes() if "router_id" in line]
    assert said == [
        "lvs_bgp.router_id (lb2, lb3): 10.9.9.9 is that of lb1 too, in the same AS 65001; give each one of its own"
    ]
    model.hostvars["lb2"]["lvs_state"] = "absent"
    model.hostvars["lb3"]["lvs_bgp"]["router_id"] = "10.9.9.10"
    model.hostvars["router"]["lvs_bgp"]["router_id"] = "10.9.9.9"  # another AS
    assert not [line for line in model.mistakes() if "router_id" in line]


def test_a_neighbour_that_no_network_has() -> None:
    far = {"address": "10.7.0.1", "asn": 65000}
    notes = every(active(), neighbours=[*NEIGHBOURS, far]).plan("lb1", "announcer").get("notes", [])
    assert [each for each in notes if "is in no network of lb1" in each] == [
        "lb1: lvs_bgp.neighbours[2].address: 10.7.0.1 is in no network of lb1, and BIRD opens no session until it is "
        "in one. Where it is behind a router, set multihop"
    ]
    notes = every(active(), neighbours=[*NEIGHBOURS, far | {"multihop": 3}]).plan("lb1", "announcer").get("notes", [])
    assert not [each for each in notes if "is in no network" in each]
