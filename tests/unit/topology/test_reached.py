# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which address directors reach a host without lvs_address, where Ansible may reach it in a network of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, r1

MANAGEMENT, DATA, INSIDE = "172.31.0.61", "192.168.246.161", "10.0.0.61"
BEHIND_NAT = {"forward": "nat", "address": "203.0.113.10"}
NEEDED = "web1: lvs_address: is needed: "
SET_IT = "; set it to the address by which directors reach web1"


@dataclass(frozen=True)
class Case:
    """What facts show of the real server and of the director, and the address, or what is said in place of one."""

    here: list[dict[str, Any]] | None
    there: list[dict[str, Any]] | None
    found: str
    ansible_host: str = MANAGEMENT
    director: dict[str, Any] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)


def legs(*addresses: str) -> list[dict[str, Any]]:
    return [nic(f"eth{number}", *each.split()) for number, each in enumerate(addresses)]


TWO = legs("172.31.0.61/24", "192.168.246.161/24")
DIRECTOR = legs("172.31.0.66/24", "192.168.246.166/24")
BOTH_SHARED = (
    f"{NEEDED}web1 has several IPv4 addresses that may be meant: 172.31.0.61 (eth0, its ansible_host), "
    f"10.0.0.61 (eth1){SET_IT}"
)
NOT_LIMITED = (
    f"{NEEDED}whether its ansible_host 172.31.0.61 is for Ansible alone, only facts of web1 tell{SET_IT}, "
    "or do not limit the run"
)
CASES = {
    "the network of the VIP": Case(TWO, DIRECTOR, DATA),
    "the network of the VIP, whatever is known of the director": Case(TWO, None, DATA),
    "one leg, which is that of the VIP": Case(legs("192.168.246.161/24"), DIRECTOR, DATA, ansible_host=DATA),
    "a name for ansible": Case(TWO, DIRECTOR, DATA, ansible_host="web1.example.com"),
    "a port of this machine that leads there": Case(
        legs("10.0.2.15/24", "192.168.246.161/24"),
        legs("10.0.2.15/24", "192.168.246.166/24"),
        DATA,
        ansible_host="127.0.0.1",
    ),
    "the network of the director's lvs_address": Case(
        legs("172.31.0.61/24", "10.0.0.61/24"),
        legs("172.31.0.66/24", "203.0.113.9/24", "10.0.0.66/24"),
        INSIDE,
        director={"lvs_address": "10.0.0.66"},
        service=BEHIND_NAT,
    ),
    "the only network that both are in": Case(
        legs("172.31.0.61/24", "10.0.0.61/24"),
        legs("172.30.0.66/24", "203.0.113.9/24", "10.0.0.66/24"),
        INSIDE,
        service=BEHIND_NAT,
    ),
    "a bridge that both have is no network between them": Case(
        [*legs("10.0.0.61/24"), nic("docker0", "172.17.0.1/16")],
        [*legs("10.0.0.66/24", "203.0.113.9/24"), nic("docker0", "172.17.0.1/16")],
        INSIDE,
        ansible_host="web1",
        service=BEHIND_NAT,
    ),
    "behind a router": Case(
        legs("172.31.9.61/24", "10.9.0.61/24"), DIRECTOR, "172.31.9.61", ansible_host="172.31.9.61", service=BEHIND_NAT
    ),
    "an address that the host itself does not have": Case(
        legs("10.9.0.61/24"), DIRECTOR, "198.51.100.61", ansible_host="198.51.100.61", service=BEHIND_NAT
    ),
    "two in one network, one of them ansible's": Case(
        legs("192.168.246.161/24 192.168.246.171/24"), DIRECTOR, "192.168.246.171", ansible_host="192.168.246.171"
    ),
    "a mark without an address": Case(
        TWO, legs("172.30.0.66/24", "192.168.246.166/24"), DATA, service={"fwmark": 5, "family": "ipv4"}
    ),
    "what is marked": Case(
        TWO, DIRECTOR, DATA, service={"fwmark": 5, "family": "ipv4", "marked": [{"address": "192.168.246.160"}]}
    ),
    "networks of the director that nobody knows": Case(
        legs("172.31.0.61/24", "10.0.0.61/24"),
        None,
        BOTH_SHARED.replace(SET_IT, f", and nothing is known of the networks of lb1{SET_IT}"),
        service=BEHIND_NAT,
    ),
    "an address that the host itself does not have, and networks that nobody knows": Case(
        legs("10.9.0.61/24"),
        None,
        f"{NEEDED}web1 has several IPv4 addresses that may be meant: 10.9.0.61 (eth0), its ansible_host 172.31.0.61, "
        f"and nothing is known of the networks of lb1{SET_IT}",
        service=BEHIND_NAT,
    ),
    "one leg, and networks of the director that nobody knows": Case(
        legs("172.31.0.61/24"), None, MANAGEMENT, service=BEHIND_NAT
    ),
    "nothing is known": Case(None, None, MANAGEMENT),
    "no facts of the host, in the network of the VIP": Case(None, DIRECTOR, DATA, ansible_host=DATA),
    "no facts of the host, in another network": Case(None, DIRECTOR, NOT_LIMITED),
    "both share the network of management too": Case(
        legs("172.31.0.61/24", "10.0.0.61/24"),
        legs("172.31.0.66/24", "203.0.113.9/24", "10.0.0.66/24"),
        BOTH_SHARED,
        service=BEHIND_NAT,
    ),
    "the VIP in one network, lvs_address of the director in another": Case(
        legs("192.168.246.161/24", "10.0.0.61/24"),
        DIRECTOR,
        f"{NEEDED}web1 has several IPv4 addresses that may be meant: 192.168.246.161 (eth0), 10.0.0.61 (eth1){SET_IT}",
        director={"lvs_address": "10.0.0.66"},
    ),
    "two in one network, none of them ansible's": Case(
        legs("192.168.246.161/24 192.168.246.171/24"),
        DIRECTOR,
        f"{NEEDED}web1 has several IPv4 addresses that may be meant: 192.168.246.161 (eth0), 192.168.246.171 (eth0)"
        f"{SET_IT}",
    ),
    "several networks, none of them the director's": Case(
        legs("10.8.0.61/24", "10.9.0.61/24"),
        DIRECTOR,
        f"{NEEDED}web1 has several IPv4 addresses that may be meant: 10.8.0.61 (eth0), 10.9.0.61 (eth1){SET_IT}",
        ansible_host="web1",
        service=BEHIND_NAT,
    ),
}


def with_legs(case: Case) -> Model:
    model = r1()
    lb1, web1 = model.hostvars["lb1"], model.hostvars["web1"]
    del web1["lvs_address"]
    del lb1["lvs_address"]
    web1["ansible_host"] = case.ansible_host
    lb1 |= case.director
    for name, known in (("lb1", case.there), ("web1", case.here)):
        if known is None:
            model.without_facts(name)
        else:
            model.hostvars[name]["ansible_facts"] = facts(*known)
    if "fwmark" in case.service:
        for key in ("address", "port", "protocol"):
            model.service.pop(key, None)
    model.service.update(case.service, real_servers=[{"host": "web1"}])
    return model


def of_the_host(model: Model) -> list[str]:
    return [each for each in model.mistakes() if "web1" in each]


@pytest.mark.parametrize("name", CASES)
def test_what_networks_tell(name: str) -> None:
    case = CASES[name]
    model = with_legs(case)
    if case.found.startswith(NEEDED):
        assert case.found in model.mistakes()
        # Whatever networks tell, the inventory is right.
        model.hostvars["web1"]["lvs_address"] = case.found.split("meant: ")[-1].split()[0] if case.here else DATA
    else:
        # Other mistakes are about what these inventories leave open.
        model.hostvars["lb1"]["lvs_vip_interface"] = "eth1"
        model.hostvars["web1"]["lvs_gateway"] = "none"
        plan = model.plan("lb1", "director")
        assert [each["address"] for each in plan["services"][0]["real_servers"]] == [case.found]
    assert not [each for each in model.mistakes() if NEEDED in each]


def test_it_is_said_once_for_all_services() -> None:
    model = with_legs(CASES["both share the network of management too"])
    first = model.service
    model.services.append({**first, "name": "second", "port": 443})
    assert [each for each in model.mistakes() if NEEDED in each] == [BOTH_SHARED]


def test_ipv6_beside_a_management_network_of_ipv4() -> None:
    """ansible_host of the other family says nothing of where the host is."""
    here = [nic("eth0", f"{MANAGEMENT}/24", "fd00:31::61/64"), nic("eth1", f"{DATA}/24", "fd00::61/64")]
    there = [nic("eth0", "172.31.0.66/24", "fd00:31::66/64"), nic("eth1", "192.168.246.166/24", "fd00::66/64")]
    model = with_legs(Case(here, there, "fd00::61", service={"address": "fd00::160"}))
    (entry,) = model.plan("lb1", "director")["services"][0]["real_servers"]
    assert entry["address"] == "fd00::61"


def test_lvs_address_of_the_other_family_names_the_interface() -> None:
    """Behind a router, where no network of the directors is around any address."""
    here = [nic("eth0", f"{MANAGEMENT}/24", "fd00:31::61/64"), nic("eth1", f"{DATA}/24", "fd00::61/64")]
    there = [nic("eth0", "172.31.0.66/24", "fd00:66::66/64"), nic("eth1", "192.168.246.166/24", "fd00:6::66/64")]
    service = {"address": "2001:db8::160", "forward": "tun"}
    model = with_legs(Case(here, there, "fd00::61", ansible_host="fd00:31::61", service=service))
    model.hostvars["lb1"]["lvs_vip_interface"] = "eth1"
    model.hostvars["web1"]["lvs_address"] = DATA
    (entry,) = model.plan("lb1", "director")["services"][0]["real_servers"]
    assert entry["address"] == "fd00::61"
