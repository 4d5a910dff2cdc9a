# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No VIP, and nothing that moves with VIPs, is what a host has by itself, be it one that directors do not send to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, r1, r5

REMEDY = "use an address that no host has by itself"
VIP = "192.168.246.250"


def one_director(gateway: str | None = None) -> Model:
    """Real servers by DR; the VIP is the address that the tests are about."""
    model = r1()
    model.service["address"] = VIP
    for name, address in (("lb1", "192.168.246.166"), ("web1", "192.168.246.161"), ("web2", "192.168.246.162")):
        model.hostvars[name]["ansible_facts"] = facts(nic("eth0", f"{address}/24"), gateway=gateway)
    return model


def with_host(group: str, **variables: Any) -> Model:
    model = one_director()
    model.hostvars["other"] = variables
    model.groups[group] = [*model.groups.get(group, []), "other"]
    return model


@pytest.mark.parametrize(
    ("group", "kind"), [("lvs_routers", "router"), ("lvs_real_servers", "real server"), ("lvs_clients", "client")]
)
def test_a_vip_that_the_inventory_gives_to_another_host(group: str, kind: str) -> None:
    said = with_host(group, lvs_address=VIP).mistakes()
    assert said == [f"lvs_services[0].address: the VIP {VIP} is the own address of the {kind} other; {REMEDY}"]


def test_by_what_ansible_reaches_a_host_counts_where_facts_show_it_there() -> None:
    """A director may send on what comes to a port of its VIP, also to Ansible's end of a host."""
    model = with_host("lvs_routers", ansible_host=VIP)
    assert model.mistakes() == []
    model.hostvars["other"]["ansible_facts"] = facts(nic("eth0", f"{VIP}/24"))
    assert model.mistakes() == [
        f"lvs_services[0].address: the VIP {VIP} is the own address of the router other; {REMEDY}"
    ]


def test_a_host_that_is_to_be_put_back_has_no_part() -> None:
    assert with_host("lvs_routers", lvs_address=VIP, lvs_state="absent").mistakes() == []


@pytest.mark.parametrize("forward", ["dr", "nat", "tun", "fullnat"])
def test_a_vip_that_is_the_directors_router(forward: str) -> None:
    """Nothing is said of the real servers' gateway: who follows that advice takes away the route to the true router."""
    model = one_director(gateway=VIP)
    model.service["forward"] = forward
    assert model.mistakes() == [
        f"lvs_services[0].address: the VIP {VIP} is the default gateway of the director lb1; {REMEDY}"
    ]


def test_a_director_that_has_its_vip_is_no_router_of_others() -> None:
    """As on a director that got its VIP by an earlier run, and whose default route somebody has led to itself."""
    model = one_director(gateway="192.168.246.1")
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth0", "192.168.246.166/24", f"{VIP}/32"), gateway=VIP)
    assert model.mistakes() == []


def test_a_gateway_that_is_a_vip_of_the_director_itself() -> None:
    model = one_director()
    model.hostvars["lb1"]["lvs_gateway"] = VIP
    said = f"lb1: lvs_gateway: {VIP} is an address of lb1 itself; write the router's, or none to leave the route alone"
    assert model.mistakes() == [said]


def test_a_backup_may_have_what_moves_for_its_gateway() -> None:
    """Also in the moment when nobody holds it, in which a run has to be possible."""
    model = r5()
    for name, number in (("lb1", 11), ("lb2", 12)):
        nics = (nic("eth1", f"192.168.0.{number}/24"), nic("eth2", f"10.0.0.{number}/24"))
        model.hostvars[name]["ansible_facts"] = facts(*nics, gateway="10.0.0.29")
    assert model.mistakes() == []


def test_what_moves_with_vips() -> None:
    model = r5()
    for name in ("lb1", "lb2"):
        vrrp = model.hostvars[name]["lvs_vrrp"]
        vrrp["addresses"] = [*vrrp["addresses"], "10.0.0.254/24"]
    assert model.mistakes() == []
    model.hostvars["gate"] = {"lvs_address": "10.0.0.254"}
    model.groups["lvs_routers"] = [*model.groups.get("lvs_routers", []), "gate"]
    problem = "10.0.0.254 is the own address of the router gate, and could not move"
    assert model.mistakes() == [f"lvs_vrrp.addresses[1] (lb1, lb2): {problem}; {REMEDY}"]
