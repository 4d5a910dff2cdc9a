# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks through the VIP: the services by firewall mark, the ways of the checks, and what lets answers in."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import adopting, pictures, verifying
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, facts, nic, r6, rs

THROUGH = {"type": "tcp", "through": "vip"}
FIRST = 0x6C760000


def checked(model: Model, **more: Any) -> Model:
    """Check the services of all directors through their VIPs."""
    for director in model.groups["lvs_directors"]:
        for service in model.hostvars[director]["lvs_services"]:
            service["health_check"] = copy.deepcopy(THROUGH | more)
    return model


def tunnels() -> Model:
    model = r6()
    model.hostvars["lb1"]["lvs_manager"] = "keepalived"
    return checked(model)


def services(model: Model, director: str = "lb1") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = model.plan(director, "keepalived")["keepalived"]["services"]
    return found


def ways(real_server: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["way"] for each in real_server["checks"]]


def marks(model: Model) -> dict[str, int]:
    """By real server, the mark of its service."""
    return {each["real_servers"][0]["address"]: each["fwmark"] for each in services(model) if "fwmark" in each}


def test_each_real_server_has_a_service_of_its_own_for_checks() -> None:
    model = checked(dr_pair())
    first = services(model)[0]
    assert (first["fwmark"], first["family"], first["forward"]) == (FIRST + 246 * 256 + 161, "ipv4", "dr")
    assert first["name"] == "checks of web1 (192.168.246.161) through the VIP"
    assert first["real_servers"] == [
        {
            "name": "web1",
            "address": "192.168.246.161",
            "port": 0,
            "weight": 1,
            "upper_threshold": 0,
            "lower_threshold": 0,
        }
    ]
    assert "times" not in first
    assert list(marks(model)) == ["192.168.246.161", "192.168.246.162", "fd00::161", "fd00::162"]


def test_the_check_goes_to_the_vip_with_the_mark_and_from_the_director() -> None:
    model = checked(dr_pair())
    for director, number in (("lb1", 166), ("lb2", 167)):
        by_name = {each["name"]: each for each in services(model, director)}
        assert by_name["web"]["times"] == {"interval": 3, "timeout": 3, "retry_delay": 1}
        assert [each["checks"] for each in by_name["web"]["real_servers"]] == [
            [
                {
                    "type": "tcp",
                    "retries": 1,
                    "way": {
                        "address": "192.168.246.160",
                        "port": 80,
                        "source": f"192.168.246.{number}",
                        "fwmark": FIRST + 246 * 256 + last,
                    },
                }
            ]
            for last in (161, 162)
        ]
        (way,) = ways(by_name["web6"]["real_servers"][0])
        assert (way["address"], way["source"]) == ("fd00::160", f"fd00::{number}")


def test_a_port_of_the_check_is_asked_on_the_vip() -> None:
    (way,) = ways(services(checked(dr_pair(), port=8080))[-1]["real_servers"][0])
    assert way["port"] == 8080


def test_answers_are_let_in() -> None:
    sysctls = checked(dr_pair()).plan("lb1", "director")["sysctls"]
    assert sysctls["net.ipv4.conf.eth1.accept_local"] == "1"
    assert "net.ipv4.conf.eth1.rp_filter" not in sysctls
    assert "net.ipv4.conf.eth1.accept_local" not in dr_pair().plan("lb1", "director")["sysctls"]
    # A route to the VIP that leads to another NIC is what rp_filter looks at.
    model = checked(dr_pair())
    model.hostvars["lb1"]["lvs_vip_interface"] = "eth2"
    known = facts(nic("eth1", "192.168.246.166/24", "fd00::166/64"), nic("eth2", "10.0.0.1/24"))
    model.hostvars["lb1"]["ansible_facts"] = known
    assert model.plan("lb1", "director")["sysctls"]["net.ipv4.conf.eth1.rp_filter"] == "2"


def test_answers_are_let_in_on_a_vlan() -> None:
    """Its name has a dot, which the kernel's path keeps and a key with dots writes as a slash."""
    model = checked(dr_pair())
    model.hostvars["lb1"]["lvs_vip_interface"] = "eth2"
    known = facts(nic("eth1.100", "192.168.246.166/24", "fd00::166/64"), nic("eth2", "10.0.0.1/24"))
    model.hostvars["lb1"]["ansible_facts"] = known
    sysctls = model.plan("lb1", "director")["sysctls"]
    assert sysctls["net.ipv4.conf.eth1/100.accept_local"] == "1"
    assert sysctls["net.ipv4.conf.eth1/100.rp_filter"] == "2"


def test_the_packet_filter_has_to_let_the_answers_in() -> None:
    """It knows nothing of these connections: IPVS keeps what it forwards out of netfilter's table."""
    model = checked(dr_pair())
    packets = model.plan("lb1", "keepalived")["packets"]
    assert packets[0] == {
        "name": "answers from 192.168.246.160 port 80 (tcp) to 192.168.246.166, where checks through the VIP come from",
        "hook": "input",
        "protocol": "tcp",
        "source": "192.168.246.160",
        "source_port": 80,
        "destination": "192.168.246.166",
        "interface": "eth1",
        "state": "answer",
    }
    assert len(packets) == 2
    assert {each["protocol"] for each in checked(dr_pair(), type="dns").plan("lb1", "keepalived")["packets"]} == {"udp"}
    assert dr_pair().plan("lb1", "keepalived")["packets"] == []
    asked = verifying.questions_of(model.hostvars, model.groups)["hosts"]["lb1"]["packets"]
    assert [each for each in asked if each["name"] == packets[0]["name"]] == [packets[0]]


def test_what_is_watched_has_the_services_of_checks() -> None:
    model = checked(dr_pair())
    watched = model.plan("lb1", "director")["watched"]["services"]
    assert [each["fwmark"] for each in watched if "fwmark" in each] == list(marks(model).values())


def seen(model: Model) -> dict[str, Any]:
    """The table that keepalived makes of the model, as ipvs_info returns it."""
    table = []
    for service in model.plan("lb1", "director")["watched"]["services"]:
        servers = [{"tunnel": None, "connections": {"active": 0}, **each} for each in service["real_servers"]]
        table.append({**service, "real_servers": servers})
    return {"services": table, "timeouts": {}, "daemons": []}


def test_a_table_with_them_is_the_model_s_own() -> None:
    model = checked(dr_pair())
    info = seen(model)
    assert len(info["services"]) == 6
    said = "\n".join(verifying.status_of(model.hostvars, model.groups, {"lb1": info}))
    assert "(checks of web1 (192.168.246.161) through the VIP)" in said
    assert "not in lvs_services" not in said
    page = pictures.site_file_of(model.hostvars, model.groups, {"lb1": info}, "site.html")
    assert "firewall mark" not in page
    adopted = adopting.model_of(model.hostvars, model.groups, info, "lb1")
    assert [each.get("address") for each in adopted["services"]] == ["192.168.246.160", "fd00::160"]


def test_nothing_of_it_without_keepalived() -> None:
    model = r6()
    plan = checked(model).plan("lb1", "director")
    assert len(plan["services"]) == 1
    assert "net.ipv4.conf.eth1.accept_local" not in plan["sysctls"]


def test_what_is_forwarded_otherwise_has_a_mark_of_its_own() -> None:
    model = tunnels()
    first = model.hostvars["lb1"]["lvs_services"][0]
    other = {**copy.deepcopy(first), "name": "gue", "port": 81}
    other["real_servers"] = [{**each, "tunnel": {"type": "gue", "port": 6080}} for each in first["real_servers"]]
    same = {**copy.deepcopy(first), "name": "same", "port": 82}
    model.hostvars["lb1"]["lvs_services"] += [other, same]
    found = [each for each in services(model) if "fwmark" in each]
    assert len(found) == len({each["fwmark"] for each in found}) == 4
    tunnels_of = [each["real_servers"][0]["tunnel"]["type"] for each in found]
    assert sorted(tunnels_of) == ["gue", "gue", "ipip", "ipip"]
    # The second one of an address gets a mark after all those that addresses give.
    assert sorted(each["fwmark"] for each in found)[2:] == [FIRST + 65536, FIRST + 65537]


def test_a_real_server_keeps_its_mark_when_another_one_comes() -> None:
    model = tunnels()
    before = marks(model)
    model.hostvars["lb1"]["lvs_services"][0]["real_servers"].insert(0, {"address": "10.7.0.10"})
    after = marks(model)
    assert len(after) == 3
    assert {address: after[address] for address in before} == before


def test_marks_of_the_model_are_left_to_it() -> None:
    model = tunnels()
    taken = FIRST + 11
    assert marks(model)["10.7.0.11"] == taken
    marked = {"name": "marked", "fwmark": taken, "family": "ipv4", "forward": "tun", "real_servers": rs("web1", "web2")}
    model.hostvars["lb1"]["lvs_services"].append(marked)
    assert taken not in [each["fwmark"] for each in services(model) if each["name"].startswith("checks")]
    model.hostvars["lb1"]["lvs_keepalived"] = {"check_marks": 1000}
    assert {each["fwmark"] for each in services(model) if each["name"].startswith("checks")} == {1011, 1012}


def test_of_a_firewall_mark_the_vips_are_checked_that_carry_the_port() -> None:
    model = tunnels()
    service = model.hostvars["lb1"]["lvs_services"][0]
    del service["address"], service["port"]
    service |= {
        "fwmark": 10,
        "family": "ipv4",
        "health_check": {**THROUGH, "port": 443},
        "marked": [
            {"address": "192.168.0.100", "ports": [80]},
            {"address": "192.168.0.101", "ports": ["400-500"]},
            {"address": "192.168.0.102"},
        ],
    }
    found = ways(services(model)[-1]["real_servers"][0])
    assert [(each["address"], each["port"]) for each in found] == [("192.168.0.101", 443), ("192.168.0.102", 443)]
    service["health_check"]["port"] = 22
    service["marked"].pop()
    found = ways(services(model)[-1]["real_servers"][0])
    assert [each["address"] for each in found] == ["192.168.0.100", "192.168.0.101"]


@pytest.mark.slow
@pytest.mark.parametrize("count", [70_000])
def test_more_real_servers_than_addresses_end_otherwise(count: int) -> None:
    model = tunnels()
    model.hostvars["lb1"]["lvs_services"][0]["real_servers"] = [
        {"address": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"} for n in range(2**17 - count, 2**17)
    ]
    found = [each["fwmark"] for each in services(model) if "fwmark" in each]
    assert len(set(found)) == len(found) == count
    assert max(found) < 2**31
