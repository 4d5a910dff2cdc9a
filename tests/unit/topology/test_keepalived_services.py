# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keepalived.conf says of services, their health checks and the commands that keepalived runs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import dr_pair, facts, nic, r5, rs
from ansible_collections.lvs.topology.tests.unit.topology.test_keepalived_plans import (
    both,
    configuration,
    instance,
    notes,
    serving,
)

TIMES = {"interval": 3, "timeout": 3, "retries": 1, "retry_delay": 1}


def test_scripts_processes_and_who_runs_them() -> None:
    model = r5()
    both(
        model,
        track_scripts=[
            {"name": "up", "script": "/usr/bin/check 1"},
            {
                "name": "all",
                "script": "/usr/bin/check 'two words'",
                "interval": 5,
                "timeout": 4,
                "rise": 2,
                "fall": 3,
                "weight": -20,
                "user": "nobody",
            },
        ],
        track_processes=[{"name": "bgp", "process": "bird", "weight": 5, "delay": 0.5}],
    )
    made = configuration(model)
    assert made["global_defs"] == {"router_id": "lb1", "script_user": "keepalived_script"}
    usual = {"interval": 1, "rise": 1, "fall": 1, "weight": 0}
    assert made["scripts"] == [
        {"name": "up", "script": "/usr/bin/check 1", **usual},
        {
            "name": "all",
            "script": "/usr/bin/check 'two words'",
            "interval": 5,
            "timeout": 4,
            "rise": 2,
            "fall": 3,
            "weight": -20,
            "user": "nobody",
        },
    ]
    assert made["processes"] == [{"name": "bgp", "process": "bird", "weight": 5, "delay": 0.5}]
    assert made["instances"][0]["track_scripts"] == ["up", "all"]
    assert made["instances"][0]["track_processes"] == ["bgp"]


@pytest.mark.parametrize(
    ("vrrp", "service"),
    [
        ({"notify": {"master": "/bin/tell"}}, {}),
        ({"track_scripts": [{"name": "up", "script": "/bin/up"}]}, {}),
        ({}, {"quorum_up": "/bin/up"}),
        ({}, {"quorum_down": "/bin/down"}),
        ({}, {"health_check": {"type": "misc", "script": "/bin/check"}}),
    ],
)
def test_whatever_runs_commands_has_a_user(vrrp: dict[str, Any], service: dict[str, Any]) -> None:
    assert "script_user" not in configuration(r5())["global_defs"]
    model = serving(both(r5(), **vrrp), **service)
    model.hostvars["lb1"]["lvs_keepalived"] = {"script_user": "checker", "router_id": "left"}
    assert configuration(model)["global_defs"] == {"router_id": "left", "script_user": "checker"}


def test_the_operator_s_own_text() -> None:
    model = serving(r5(), raw="# {\n")
    model.hostvars["lb1"]["lvs_keepalived"] = {"global_raw": "enable_dbus\n", "raw": "bfd_instance x {\n}\n"}
    made = configuration(model)
    assert made["global_defs"]["raw"] == "enable_dbus\n"
    assert made["raw"] == "bfd_instance x {\n}\n"
    assert made["services"][0]["raw"] == "# {\n"


@pytest.mark.parametrize(
    ("check", "planned"),
    [
        ({"type": "tcp"}, {**TIMES}),
        ({"type": "ping"}, {**TIMES}),
        ({"type": "tcp", "port": 8080, "warmup": 0}, {**TIMES, "port": 8080, "warmup": 0}),
        (
            {"type": "tcp", "interval": 0.5, "timeout": "1.5", "retries": 0, "retry_delay": 2},
            {"interval": 0.5, "timeout": 1.5, "retries": 0, "retry_delay": 2},
        ),
        ({"type": "http"}, {**TIMES, "urls": [{"path": "/", "status": ["200"]}]}),
        (
            {"type": "http", "path": "/up?a=b&c=%21", "status": "200-299", "virtual_host": "www.example.com:80"},
            {
                **TIMES,
                "urls": [
                    {"path": "/up?a=b&c=%21", "status": ["200-299"], "virtual_host": "www.example.com:80"},
                ],
            },
        ),
        (
            {"type": "http", "status": [200, "301-302"]},
            {**TIMES, "urls": [{"path": "/", "status": ["200", "301-302"]}]},
        ),
        ({"type": "http", "digest": "0" * 32}, {**TIMES, "urls": [{"path": "/", "digest": "0" * 32}]}),
        (
            {
                "type": "https",
                "sni": True,
                "virtual_host": "one",
                "urls": [{"path": "/a"}, {"path": "/b", "status": 204, "virtual_host": "two"}],
            },
            {
                **TIMES,
                "sni": True,
                "urls": [
                    {"path": "/a", "status": ["200"], "virtual_host": "one"},
                    {"path": "/b", "status": ["204"], "virtual_host": "two"},
                ],
            },
        ),
        ({"type": "smtp", "helo_name": "lb.example.com"}, {**TIMES, "helo_name": "lb.example.com"}),
        ({"type": "dns"}, {**TIMES, "query_type": "SOA"}),
        (
            {"type": "dns", "name": "example.com", "query_type": "AAAA"},
            {**TIMES, "name": "example.com", "query_type": "AAAA"},
        ),
        ({"type": "udp"}, {**TIMES}),
        (
            {"type": "udp", "payload": "0a1B", "require_reply": True},
            {**TIMES, "payload": "0a1B", "require_reply": True},
        ),
        ({"type": "udp", "require_reply": "0axX"}, {**TIMES, "require_reply": "0axX"}),
        ({"type": "udp", "require_reply": False}, {**TIMES}),
    ],
)
def test_health_checks(check: dict[str, Any], planned: dict[str, Any]) -> None:
    model = serving(r5(), health_check=check)
    assert model.mistakes() == []
    (service,) = configuration(model)["services"]
    for server in service["real_servers"]:
        assert said(service, server) == [{"type": check["type"], **planned}]


def said(service: dict[str, Any], server: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks of a real server, with the times and the port that they have in the end."""
    found = []
    for each in server["checks"]:
        check = {**service["times"], **each, **each.get("times", {})}
        way = check.pop("way", {})
        check.pop("times", None)
        found.append({**check, **way})
    return found


def test_a_script_knows_whom_it_checks() -> None:
    check = {"type": "misc", "script": "/bin/check '{address}' {port}", "dynamic_weight": True, "user": "nobody"}
    (service,) = configuration(serving(r5(), health_check=check))["services"]
    for last, server in enumerate(service["real_servers"], start=51):
        command = f"/bin/check '10.0.0.{last}' 80"
        expected = {"type": "misc", **TIMES, "script": command, "dynamic_weight": True, "user": "nobody"}
        assert said(service, server) == [expected]


def test_a_file_of_each_real_server_or_of_all() -> None:
    model = serving(r5(), health_check={"type": "file", "path": "/run/{address}", "weight": -2})
    made = configuration(model)
    assert made["files"] == [
        {"name": "file_1", "path": "/run/10.0.0.51"},
        {"name": "file_2", "path": "/run/10.0.0.52"},
    ]
    (service,) = made["services"]
    assert [each["checks"] for each in service["real_servers"]] == [
        [{"type": "file", "weight": -2, "track_file": name}] for name in ("file_1", "file_2")
    ]
    made = configuration(serving(model, health_check={"type": "file", "path": "/run/up"}))
    assert made["files"] == [{"name": "file_1", "path": "/run/up"}]
    tracked = {each["track_file"] for server in made["services"][0]["real_servers"] for each in server["checks"]}
    assert tracked == {"file_1"}


def test_without_a_check_the_real_servers_are_always_up() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["lvs_services"][0]["health_check"]
    (service,) = configuration(model)["services"]
    assert "times" not in service
    assert not any("checks" in each for each in service["real_servers"])


def test_what_else_a_service_says() -> None:
    more = {
        "quorum": 2,
        "hysteresis": 1,
        "quorum_up": "/bin/up",
        "quorum_down": "/bin/down 1",
        "inhibit_on_failure": True,
        "alpha": True,
        "omega": True,
        "sorry_server": {"address": "127.0.0.1", "port": 8080},
    }
    (service,) = configuration(serving(r5(), **more))["services"]
    assert {key: service[key] for key in more} == {
        **more,
        "sorry_server": {"address": "127.0.0.1", "port": 8080, "forward": "nat"},
    }


def test_a_quorum_that_cannot_be_met_is_lowered() -> None:
    model = serving(r5(), quorum=5, hysteresis=4)
    plan = model.plan("lb1", "keepalived")
    (service,) = plan["keepalived"]["services"]
    assert (service["quorum"], service["hysteresis"]) == (2, 1)
    assert notes(plan) == ["lvs_services[0].quorum: 5 is above the weight of all real servers together; it is lowered"]
    serving(model, real_servers=rs("app1", weight=0))
    (service,) = configuration(model)["services"]
    assert (service["quorum"], service["hysteresis"]) == (1, 0)


def test_what_keepalived_cannot_be_told() -> None:
    model = serving(r5(), real_servers=[])
    plan = model.plan("lb1", "keepalived")
    assert plan["keepalived"]["services"] == []
    assert notes(plan) == [
        "lvs_services[0]: keepalived takes no service without real servers; it is left out until then",
    ]
    # The VIP is there all the same.
    assert plan["keepalived"]["instances"][0]["excluded"][0]["address"] == "192.168.0.29/32"


def test_the_sorry_server_is_prepared_like_a_real_server() -> None:
    model = dr_pair()
    model.hostvars["web3"] = {
        "lvs_address": "192.168.246.163",
        "ansible_facts": facts(nic("eth1", "192.168.246.163/24")),
    }
    model.groups["lvs_real_servers"].append("web3")
    assert model.plan("web3", "real_server")["addresses"] == []
    serving(model, sorry_server={"host": "web3"})
    assert model.plan("web3", "real_server")["addresses"] == [{"address": "192.168.246.160/32", "interface": "lo"}]
    service = configuration(model)["services"][0]
    assert service["sorry_server"] == {"address": "192.168.246.163", "port": 80, "forward": "dr"}


@pytest.mark.parametrize(
    ("forward", "kernel", "server"),
    [
        ("dr", "dr", {}),
        ("tun", "tun", {"tunnel": {"type": "ipip", "checksum": "none"}}),
        ("fullnat", "nat", {}),
    ],
)
def test_the_kernel_s_method(forward: str, kernel: str, server: dict[str, Any]) -> None:
    model = serving(dr_pair(), forward=forward, real_servers=rs("web1"))
    service = configuration(model)["services"][0]
    assert service["forward"] == kernel
    (entry,) = service["real_servers"]
    assert {key: entry[key] for key in server} == server


def test_a_service_by_firewall_mark() -> None:
    model = dr_pair()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0] = {
            "name": "marked",
            "fwmark": 10,
            "family": "ipv4",
            "forward": "dr",
            "marked": [{"address": "192.168.246.160", "ports": [80]}],
            "real_servers": rs("web1"),
            "health_check": {"type": "tcp", "port": 80},
        }
    service = configuration(model)["services"][0]
    assert (service["fwmark"], service["family"], "address" in service) == (10, "ipv4", False)
    assert instance(model)["addresses"][0]["address"] == "192.168.246.160/32"
    assert model.plan("lb1", "director")["packet_rules"]["marks"] != []
