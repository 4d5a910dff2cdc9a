# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors that hear what is not for them, and partners that do not hear what is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, facts, nic, r5, rs
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import active, serving


def two_pairs(**sync: Any) -> Model:
    """A second pair on the LANs of the first, with VIPs and real servers of its own."""
    model = r5()
    for director, number in (("lb3", 13), ("lb4", 14)):
        other = copy.deepcopy(model.hostvars["lb1"])
        other["lvs_services"][0] |= {"name": "other", "address": "192.168.0.39", "real_servers": rs("app3")}
        other["lvs_vrrp"] |= {"addresses": ["10.0.0.39/24"], "router_id": 52}
        other["lvs_address"] = f"10.0.0.{number}"
        other["ansible_facts"] = facts(nic("eth1", f"192.168.0.{number}/24"), nic("eth2", f"10.0.0.{number}/24"))
        model.hostvars[director] = other
        model.groups["lvs_directors"].append(director)
    model.hostvars["app3"] = {"lvs_address": "10.0.0.53", "ansible_facts": facts(nic("eth1", "10.0.0.53/24"))}
    model.groups["lvs_real_servers"].append("app3")
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_sync"] = {"syncid": 1}
    for director in ("lb3", "lb4"):
        model.hostvars[director]["lvs_sync"] = sync
    return model


def of_strangers(model: Model, director: str) -> list[str]:
    notes = model.plan(director, "keepalived").get("notes", [])
    return [each for each in notes if "which shares no address" in each]


@pytest.mark.parametrize(
    ("sync", "hear"),
    [
        ({"syncid": 1}, ["lb1", "lb3"]),
        ({"syncid": 0}, ["lb3"]),  # 0 takes everything, and lb1 takes its own number alone
        ({"syncid": 2}, []),
        ({"syncid": 1, "port": 8849}, []),
        ({"syncid": 1, "group": "224.0.0.82"}, []),
        ({"syncid": 1, "interface": "eth1"}, []),
    ],
)
def test_connections_of_another_pair(sync: dict[str, Any], hear: list[str]) -> None:
    model = two_pairs(**sync)
    assert model.mistakes() == []
    assert [each for each in ("lb1", "lb3") if of_strangers(model, each)] == hear
    for each in hear:
        assert len(of_strangers(model, each)) == 2
        assert of_strangers(model, each)[0].startswith(f"{each}: lvs_sync.syncid: lb")


def test_a_standby_without_services_hears_what_it_is_to_hear() -> None:
    model = two_pairs(syncid=1)
    model.hostvars["lb3"] |= {"lvs_manager": "kernel", "lvs_services": [], "lvs_sync": {"syncid": 1, "role": "backup"}}
    assert not [each for each in of_strangers(model, "lb1") if "lb3" in each]


def test_nobody_hears_what_is_sent_on_lo() -> None:
    model = two_pairs(syncid=2, interface="lo")
    assert any("lb3: lvs_sync.interface: is lo" in line for line in model.refusal("lb3", "keepalived"))


def test_how_long_a_connection_is_remembered() -> None:
    model = r5()
    model.hostvars["lb1"]["lvs_timeouts"] = {"tcp": 900, "udp": 30}
    assert model.mistakes() == []
    (said,) = [each for each in model.plan("lb2", "director")["notes"] if "lvs_timeouts" in each]
    assert said == (
        "lb2: lvs_timeouts: comes to tcp 900, tcpfin 120, udp 300, and that of lb1, which shares VIPs, to tcp 900, "
        "tcpfin 120, udp 30: connections that move are remembered for another time"
    )
    model.hostvars["lb2"]["lvs_timeouts"] = {"udp": 30, "tcpfin": 0}
    assert not [each for each in model.plan("lb2", "director").get("notes", []) if "lvs_timeouts" in each]


def sending(*peers: str) -> Model:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"]["unicast"] = True
    model.hostvars["lb1"]["lvs_vrrp"]["unicast"] = [*peers]
    model.hostvars["lb2"]["ansible_facts"]["lo"] = nic("lo", "127.0.0.1/8", "10.9.9.12/32")
    return model


@pytest.mark.parametrize(
    ("peers", "nobodys"),
    [
        (["10.0.0.11", "10.0.0.12"], ""),
        (["192.168.0.12"], ""),
        (["10.0.0.11", "10.0.0.22"], "10.0.0.22"),
        (["10.0.0.12", "10.0.0.98", "10.0.0.99"], "10.0.0.98, 10.0.0.99"),
        # On lo of lb2.
        (["10.9.9.12"], ""),
    ],
)
def test_addresses_that_no_partner_has(peers: list[str], nobodys: str) -> None:
    model = sending(*peers)
    assert model.mistakes() == []
    said = f"lb1: lvs_vrrp.unicast: no director of these VIPs has {nobodys}. Unless a router translates it"
    notes = [each for each in model.plan("lb1", "keepalived").get("notes", []) if "no director of" in each]
    assert [each.startswith(said) for each in notes] == [True] * bool(nobodys)
    model.hostvars["lb2"].pop("ansible_facts")
    assert not [each for each in model.plan("lb1", "keepalived").get("notes", []) if "no director of" in each]


def test_every_partner_is_sent_to() -> None:
    model = sending("10.0.0.12")
    third = copy.deepcopy(model.hostvars["lb2"])
    third |= {"lvs_address": "10.0.0.13", "lvs_manager": "keepalived"}
    third["ansible_facts"] = facts(nic("eth1", "192.168.0.13/24"), nic("eth2", "10.0.0.13/24"))
    model.hostvars["lb3"] = third
    model.groups["lvs_directors"].append("lb3")
    said = "lb1: lvs_vrrp.unicast: lists no address of lb3, which would hear nothing, and be master as well"
    assert any(line.startswith(said) for line in model.mistakes())
    model.hostvars["lb1"]["lvs_vrrp"]["unicast"].append("10.0.0.13")
    assert model.mistakes() == []


def test_a_director_is_a_real_server_by_its_name() -> None:
    """By its address alone nothing would keep it from handing on what it gets."""
    model = dr_pair()
    second = model.groups["lvs_directors"][1]
    address = model.hostvars[second]["lvs_address"]
    own = address if isinstance(address, str) else address[0]
    for director in model.groups["lvs_directors"]:
        model.hostvars[director]["lvs_services"][0]["real_servers"].append({"address": own})
    lines = model.mistakes()
    assert any(f"{own} is {second}, a director of the same VIPs, and would hand packets on" in line for line in lines)
    for director in model.groups["lvs_directors"]:
        model.hostvars[director] |= {"lvs_sysctls": {"net.ipv4.vs.backup_only": 1}, "lvs_sync": {"syncid": 1}}
    assert not [line for line in model.mistakes() if "hand packets on" in line]


def with_bridge(model: Model) -> Model:
    """Each director has a bridge of the same address, on which the service itself may be."""
    for director in model.groups["lvs_directors"]:
        known = model.hostvars[director]["ansible_facts"]
        known["interfaces"].append("docker0")
        known["docker0"] = nic("docker0", "172.17.0.1/16")
        model.hostvars[director]["lvs_services"][0]["real_servers"] = [{"address": "172.17.0.1"}]
    return model


@pytest.mark.parametrize("model", [dr_pair, active])
def test_what_every_director_has_is_its_own_to_each(model: Any) -> None:
    lines = with_bridge(model()).mistakes()
    assert not [line for line in lines if "a director of the same VIPs" in line], lines


def test_an_active_director_is_no_real_server_by_its_address_either() -> None:
    model = serving(active(), real_servers=[{"address": "10.0.0.22"}])
    assert any("lb2 is a director of the same VIPs" in line for line in model.mistakes())


def test_the_address_of_a_real_server_is_that_of_the_host_it_names() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["real_servers"] = [{"host": "app1", "address": "10.0.0.52"}]
    lines = model.mistakes()
    assert any("10.0.0.52 is app2, and host names app1; write host: app2" in line for line in lines), lines
    # Facts show it on app1 as well, under another name or as an address that moves.
    model.hostvars["app1"]["ansible_facts"] = facts(nic("eth1", "10.0.0.51/24", "10.0.0.52/24"))
    assert not [line for line in model.mistakes() if "and host names" in line]
    model.hostvars["app1"]["ansible_facts"] = facts(nic("eth1", "10.0.0.51/24"))
    del model.hostvars["app2"]["lvs_address"]
    assert not [line for line in model.mistakes() if "and host names" in line]


def test_the_address_of_all_routers_is_no_vip() -> None:
    model = dr_pair()
    for director in model.groups["lvs_directors"]:
        model.hostvars[director]["lvs_services"][1]["address"] = "fd00::"
    assert any("fd00:: is the address of all routers of fd00::/" in line for line in model.mistakes())


def test_what_no_host_can_be_is_neither_a_gateway_nor_does_it_move() -> None:
    model = r5()
    model.hostvars["app1"]["lvs_gateway"] = "10.0.0.255"
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"]["addresses"] = ["10.0.0.29/24", "192.168.0.255"]
    lines = model.mistakes()
    for said in (
        "app1: lvs_gateway: 10.0.0.255 is the broadcast address of 10.0.0.0/24, where app1 is; use another "
        "address of it",
        "lb1: lvs_vrrp.addresses[1]: 192.168.0.255 is the broadcast address of 192.168.0.0/24, where lb1 is; use "
        "another address of it",
    ):
        assert said in lines
