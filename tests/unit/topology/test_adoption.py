# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as ipvs_info returns them, in the words of the model, and compiled again."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adoption import as_model
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology.inventories import facts, nic, r1

HOSTS = {ip_address("192.168.246.161"): "web1", ip_address("2001:db8::162"): "web2"}


def _real_server(address: str, port: int = 80, **more: Any) -> dict[str, Any]:
    plain = {"forward": "dr", "weight": 1, "upper_threshold": 0, "lower_threshold": 0, "tunnel": None}
    return {"address": address, "port": port, "connections": {"active": 1}, **plain, **more}


def _service(*real_servers: dict[str, Any], family: str = "ipv4", **more: Any) -> dict[str, Any]:
    off = {"timeout": 0, "netmask": "255.255.255.255" if family == "ipv4" else 128, "engine": "none"}
    plain = {"scheduler": "wlc", "scheduler_flags": [], "one_packet": False, "persistence": off, "counters": {}}
    return {"family": family, **plain, **more, "real_servers": list(real_servers)}


WEB = {"address": "192.168.246.160", "port": 80, "protocol": "tcp"}


def test_what_is_default_is_left_out_and_hosts_have_their_names() -> None:
    table = [_service(_real_server("192.168.246.161"), _real_server("192.168.246.170", weight=0), **WEB)]
    assert as_model(table, HOSTS) == (
        [
            {
                "name": "tcp-192.168.246.160-80",
                **WEB,
                "forward": "dr",
                "real_servers": [{"host": "web1"}, {"address": "192.168.246.170", "weight": 0}],
            }
        ],
        [
            "tcp 192.168.246.160:80: 192.168.246.170:80 has weight 0, perhaps only until a health check or a drain "
            "ends. Correct it in the list, or set lvs_adopt_weight to the weight to write in its place"
        ],
    )


def test_an_address_that_the_inventory_does_not_say_stands_beside_the_name() -> None:
    """What networks tell of the host may be another one."""
    model = r1()
    model.hostvars["web2"].pop("lvs_address")
    model.hostvars["web2"]["ansible_facts"] = facts(nic("eth0", "172.31.0.62/24"), nic("eth1", "192.168.246.162/24"))
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth0", "172.31.0.66/24"), nic("eth1", "192.168.246.166/24"))
    table = [_service(_real_server("192.168.246.161"), _real_server("172.31.0.62"), **WEB)]
    found = compiler.model_of(model.hostvars, model.groups, {"services": table, "sync_daemons": []}, "lb1")
    assert found["services"][0]["real_servers"] == [{"host": "web1"}, {"host": "web2", "address": "172.31.0.62"}]


def test_everything_else_is_said() -> None:
    gue = {"type": "gue", "port": 6080, "checksum": "remote"}
    ipip = {"type": "ipip", "port": 0, "checksum": "none"}
    sticky = {"timeout": 600, "netmask": 64, "engine": "sip"}
    table = [
        _service(
            _real_server("2001:db8::162", 0, forward="tun", tunnel=gue, upper_threshold=9, lower_threshold=3),
            _real_server("2001:db8::163", 0, forward="tun", tunnel=ipip),
            family="ipv6",
            fwmark=10,
            scheduler="mh",
            scheduler_flags=["mh-port"],
            persistence=sticky,
        ),
        _service(_real_server("10.0.0.51", 8080, forward="nat"), **WEB),
    ]
    found, problems = as_model(table, HOSTS)
    assert problems == []
    assert found[0] == {
        "name": "mark-10-ipv6",
        "fwmark": 10,
        "family": "ipv6",
        "forward": "tun",
        "scheduler": "mh",
        "scheduler_flags": ["mh-port"],
        "persistence": sticky,
        "real_servers": [
            {"host": "web2", "upper_threshold": 9, "lower_threshold": 3, "tunnel": gue},
            {"address": "2001:db8::163"},
        ],
    }
    assert found[1]["real_servers"] == [{"address": "10.0.0.51", "port": 8080}]


def test_what_the_model_cannot_say() -> None:
    mixed = _service(_real_server("192.168.246.161"), _real_server("192.168.246.162", forward="nat"), **WEB)
    found, problems = as_model([mixed, _service(fwmark=7)], HOSTS)
    assert found == []
    assert len(problems) == 2
    assert problems[0].startswith("tcp 192.168.246.160:80: ")
    assert problems[1].startswith("firewall mark 7 (ipv4): ")


def test_the_compiler_asks_for_the_same_again() -> None:
    model = r1()
    plan = model.plan("lb1", "director")
    table = [
        {**each, "family": "ipv4", "persistence": {"timeout": 0, "netmask": "255.255.255.255", "engine": "none"}}
        for each in plan["services"]
    ]
    for service in table:
        service["real_servers"] = [{**each, "tunnel": None} for each in service["real_servers"]]
    model.hostvars["lb1"]["lvs_services"] = as_model(table, {})[0]
    assert model.plan("lb1", "director")["services"] == plan["services"]


def adopted(table: list[dict[str, Any]], **more: Any) -> tuple[list[dict[str, Any]], list[str]]:
    model = r1()
    found = compiler.model_of(model.hostvars, model.groups, {"services": table}, "lb1", **more)
    model.hostvars["lb1"]["lvs_services"] = found["services"]
    # Whatever is written is accepted.
    assert model.mistakes() == []
    return found["services"], found["problems"]


def test_what_no_model_takes_is_a_problem() -> None:
    ipip = {"type": "ipip", "port": 0, "checksum": "none"}
    bad = _service(_real_server("192.168.246.161", 80, forward="tun", tunnel=ipip), fwmark=7)
    other = _service(_real_server("192.168.246.161", 8080), **{**WEB, "port": 8080})
    services, problems = adopted([bad, _service(_real_server("192.168.246.161"), **WEB), other])
    assert [each["name"] for each in services] == ["tcp-192.168.246.160-80", "tcp-192.168.246.160-8080"]
    assert problems
    assert all(line.startswith("mark-7-ipv4: left out, because no model can say it so: ") for line in problems)


def test_nat_that_can_only_be_fullnat_is_written_so() -> None:
    """Through NAT the real server's gateway would be the director, which drops what comes from its own VIP."""
    nat = _service(_real_server("192.168.246.161", 8080, forward="nat"), **{**WEB, "port": 8080})
    services, problems = adopted([nat, _service(_real_server("192.168.246.161"), **WEB)])
    assert [(each["port"], each["forward"]) for each in services] == [(8080, "fullnat"), (80, "dr")]
    assert problems == [
        "tcp-192.168.246.160-8080: is written as fullnat, because with nat there could be no tcp-192.168.246.160-80 "
        "beside it"
    ]


def test_a_weight_that_somebody_took_away_is_asked_for() -> None:
    table = [_service(_real_server("192.168.246.161", weight=0), _real_server("192.168.246.162", weight=3), **WEB)]
    services, problems = adopted(table)
    assert services[0]["real_servers"] == [{"host": "web1", "weight": 0}, {"host": "web2", "weight": 3}]
    assert len(problems) == 1
    services, problems = adopted(table, weight="3")
    assert services[0]["real_servers"] == [{"host": "web1", "weight": 3}, {"host": "web2", "weight": 3}]
    assert problems == []
    for wrong in ("x", 0, -1, [3]):
        with pytest.raises(WrongModel, match="is no weight"):
            adopted(table, weight=wrong)


TEMPLATE = "{{ lookup('pipe', 'id') }}"


@pytest.mark.parametrize("key", ["scheduler", "protocol", "address", "port", "scheduler_flags", "forward", "engine"])
def test_no_answer_of_a_director_is_a_template(key: str) -> None:
    service = _service(_real_server("192.168.246.161"), **WEB)
    if key == "forward":
        service["real_servers"][0][key] = TEMPLATE
    elif key == "engine":
        service["persistence"] |= {"timeout": 300, key: TEMPLATE}
    else:
        service[key] = [TEMPLATE] if key == "scheduler_flags" else TEMPLATE
    with pytest.raises(WrongModel):
        adopted([service])


def test_a_scheduler_that_the_model_does_not_know_is_a_problem() -> None:
    services, problems = adopted([_service(_real_server("192.168.246.161"), **WEB, scheduler="own_one")])
    assert services == []
    assert len(problems) == 1
