# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director's own address without lvs_address: what Ansible reaches it by, unless facts tell otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, r4, r5, r7

# What a provider translates to the address that the director has.
TRANSLATED = "198.51.100.11"


def pair(ansible_host: str, **vrrp: Any) -> Model:
    """The pair with adverts by unicast, whose first director the inventory names only by ansible_host."""
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"] |= {"unicast": True, **vrrp}
    del model.hostvars["lb1"]["lvs_address"]
    model.hostvars["lb1"]["ansible_host"] = ansible_host
    return model


@pytest.mark.parametrize("ansible_host", ["10.0.0.11", TRANSLATED, "lb1.example.com"])
def test_facts_tell_from_where_adverts_come(ansible_host: str) -> None:
    model = pair(ansible_host, interface="eth2")
    assert model.mistakes() == []
    plans = [model.plan(name, "keepalived")["keepalived"]["instances"][0]["unicast"] for name in ("lb1", "lb2")]
    assert plans == [
        {"source": "10.0.0.11", "peers": ["10.0.0.12"]},
        {"source": "10.0.0.12", "peers": ["10.0.0.11"]},
    ]


@pytest.mark.parametrize("ansible_host", [TRANSLATED, "lb1.example.com"])
def test_what_the_director_does_not_have_is_not_its_address(ansible_host: str) -> None:
    """Without an interface for adverts there are several to choose from."""
    model = pair(ansible_host)
    (said,) = {each for each in model.mistakes() if "needs the" in each}
    assert said.endswith("needs the IPv4 address of lb1, and the inventory does not tell it; set lvs_address of lb1")
    model.hostvars["lb1"]["lvs_address"] = "10.0.0.11"
    assert model.mistakes() == []


def behind_a_router(ansible_host: str) -> Model:
    """FULLNAT whose real servers are in no network of the director, which the inventory names by ansible_host."""
    model = r7()
    model.services.pop()
    lb1 = model.hostvars["lb1"]
    del lb1["lvs_address"]
    lb1["ansible_host"] = ansible_host
    return model


def test_connections_leave_with_an_address_that_the_director_has() -> None:
    model = behind_a_router("10.1.0.2")
    (rule,) = model.plan("lb1", "director")["packet_rules"]["source_nat"]
    assert rule["to"] == ["10.1.0.2"]
    model = behind_a_router(TRANSLATED)
    problem = "is needed: the director lb1 has no IPv4 address towards web1 (10.2.0.51); list the addresses"
    assert any(problem in each for each in model.mistakes())
    # Without facts of the director, the inventory is all that there is.
    model.without_facts("lb1")
    model.hostvars["lb1"]["lvs_vip_interface"] = "eth1"
    (rule,) = model.plan("lb1", "director")["packet_rules"]["source_nat"]
    assert rule["to"] == [TRANSLATED]


MANAGEMENT = "172.31.0.30"
TWO_NETWORKS = facts(nic("eth0", "172.31.0.51/24"), nic("eth1", "10.0.0.51/24"))


@pytest.mark.parametrize(
    ("director", "known", "here", "gateway"),
    [
        ({"lvs_address": "10.0.0.30"}, False, TWO_NETWORKS, "10.0.0.30"),
        ({"ansible_host": "10.0.0.30"}, False, TWO_NETWORKS, "10.0.0.30"),
        # Facts of the director tell which of its addresses is in the network of the real server's.
        ({"ansible_host": MANAGEMENT}, True, TWO_NETWORKS, "10.0.0.30"),
        ({"ansible_host": MANAGEMENT}, False, TWO_NETWORKS, None),
        # Somebody says so.
        ({"lvs_address": MANAGEMENT}, False, TWO_NETWORKS, MANAGEMENT),
        # There is one network, and what the director sends to comes from elsewhere.
        ({"ansible_host": MANAGEMENT}, False, facts(nic("eth0", "172.31.0.51/24")), MANAGEMENT),
        ({"ansible_host": MANAGEMENT}, False, None, MANAGEMENT),
    ],
)
def test_the_gateway_of_a_real_server(
    director: dict[str, Any], known: bool, here: dict[str, Any] | None, gateway: str | None
) -> None:
    model = r4()
    del model.services[0]["real_servers"][1:]
    lb1 = model.hostvars["lb1"]
    del lb1["lvs_address"]
    lb1 |= {**director, "lvs_vip_interface": "eth1"}
    lb1["ansible_facts"] = facts(
        nic("eth0", f"{MANAGEMENT}/24"), nic("eth1", "192.168.0.30/24"), nic("eth2", "10.0.0.30/24")
    )
    if not known:
        model.without_facts("lb1")
    if here is None:
        model.without_facts("app1")
    else:
        model.hostvars["app1"]["ansible_facts"] = here
    if gateway is None:
        problem = "app1: lvs_gateway: is needed: only facts of lb1 tell its address in the network of 10.0.0.51; set it"
        assert [each for each in model.refusal("app1", "real_server") if each.startswith(problem)]
    else:
        assert [each["gateway"] for each in model.plan("app1", "real_server")["gateways"]] == [gateway]
