# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several directors that announce the same VIPs by BGP: what each of them has."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, rs

PASSWORD = "s3cret of the session"  # noqa: S105, it is looked for in what is shown
NEIGHBOURS = [
    {"address": "10.0.0.1", "asn": 65000, "password": PASSWORD, "bfd": True},
    {"address": "2001:db8:b::1", "asn": 65000, "bfd": {"interval": 100, "multiplier": 3}},
]


def active(manager: str = "checker") -> Model:
    """Three directors behind a router, with one service of each family."""
    service = {
        "port": 80,
        "forward": "dr",
        "scheduler": "mh",
        "scheduler_flags": ["mh-port"],
        "health_check": {"type": "http"},
        "real_servers": rs("web1", "web2"),
    }
    six = [{"address": "2001:db8:b::51"}, {"address": "2001:db8:b::52"}]
    services = [
        {"name": "web", "address": "198.51.100.1", **service},
        {"name": "web6", "address": "2001:db8:100::1", **service, "real_servers": six},
    ]
    hosts: dict[str, dict[str, Any]] = {}
    for number in (1, 2, 3):
        own = [f"10.0.0.2{number}", f"2001:db8:b::2{number}"]
        hosts[f"lb{number}"] = {
            "lvs_address": own,
            "lvs_manager": manager,
            "lvs_bgp": {"asn": 65001, "neighbours": copy.deepcopy(NEIGHBOURS)},
            "lvs_services": copy.deepcopy(services),
            "ansible_facts": facts(nic("eth1", f"{own[0]}/24", f"{own[1]}/64"), gateway="10.0.0.1"),
        }
    for number in (1, 2):
        own = [f"10.0.0.5{number}", f"2001:db8:b::5{number}"]
        hosts[f"web{number}"] = {
            "lvs_address": own,
            "ansible_facts": facts(nic("eth1", f"{own[0]}/24", f"{own[1]}/64"), gateway="10.0.0.1"),
        }
    neighbours = [
        {"address": f"10.0.0.2{number}", "asn": 65001, "password": PASSWORD, "bfd": True} for number in (1, 2, 3)
    ] + [{"address": f"2001:db8:b::2{number}", "asn": 65001, "bfd": True} for number in (1, 2, 3)]
    hosts["router"] = {
        "lvs_address": ["10.0.0.1", "2001:db8:b::1"],
        "lvs_bgp": {"asn": 65000, "neighbours": neighbours},
        "ansible_facts": facts(nic("eth1", "192.0.2.1/24"), nic("eth2", "10.0.0.1/24", "2001:db8:b::1/64")),
    }
    groups = {
        "all": [*hosts],
        "lvs_directors": ["lb1", "lb2", "lb3"],
        "lvs_real_servers": ["web1", "web2"],
        "lvs_routers": ["router"],
    }
    return Model(hosts, groups)


def every(model: Model, **more: Any) -> Model:
    """Change lvs_bgp of all directors."""
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_bgp"].update(copy.deepcopy(more))
    return model


def serving(model: Model, position: int = 0, **more: Any) -> Model:
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_services"][position].update(copy.deepcopy(more))
    return model


def test_nothing_is_wrong() -> None:
    assert active().mistakes() == []
    assert active("kernel").mistakes() == []


@pytest.mark.parametrize("manager", ["checker", "kernel"])
def test_a_director_has_the_vips_on_lo_and_a_route_for_each_service(manager: str) -> None:
    def by(service: str) -> dict[str, str]:
        """keepalived is asked about it."""
        return {"service": service} if manager == "checker" else {}

    plan = active(manager).plan("lb1", "director")
    assert plan["addresses"] == [
        {"address": "198.51.100.1/32", "interface": "lo"},
        {"address": "2001:db8:100::1/128", "interface": "lo"},
    ]
    assert plan["announcements"] == {
        "table": 1819,
        "by_checks": manager == "checker",
        "routes": [
            {"address": "198.51.100.1/32", "metric": 65616, **by("tcp 198.51.100.1:80")},
            {"address": "2001:db8:100::1/128", "metric": 65616, **by("tcp [2001:db8:100::1]:80")},
        ],
    }
    assert plan["sysctls"]["net.ipv4.vs.sloppy_tcp"] == "1"
    assert plan["sysctls"]["net.ipv4.vs.schedule_icmp"] == "1"
    assert "notes" not in plan or "scheduler" not in str(plan["notes"])


def test_the_metric_of_a_service_does_not_depend_on_others() -> None:
    model = active()
    for name in model.groups["lvs_directors"]:
        first = {**model.hostvars[name]["lvs_services"][0], "name": "tls", "port": 443}
        model.hostvars[name]["lvs_services"].insert(0, first)
    metrics = [each["metric"] for each in model.plan("lb1", "director")["announcements"]["routes"]]
    assert metrics == [65536 + 443, 65536 + 80, 65536 + 80]


def test_keepalived_announces_and_withdraws_by_itself() -> None:
    plan = active().plan("lb2", "keepalived")
    web = plan["keepalived"]["services"][0]
    route = "198.51.100.1/32 table 1819 proto static metric 65616"
    # When the first real server is well, the checks of the others begin within their interval of 3 seconds.
    steps = (f"ip route add throw {route}", "/usr/bin/sleep 6", f"ip route change blackhole {route}")
    up = f"/usr/bin/sh -c '/usr/sbin/{steps[0]}; {steps[1]}; /usr/sbin/{steps[2]}'"
    assert web["quorum_up"] == {"script": up, "user": "root"}
    assert web["quorum_down"] == {"script": f"/usr/sbin/ip route del {route}", "user": "root"}
    # Nothing is announced before a check has succeeded, and nothing when keepalived has ended.
    assert web["alpha"] is True
    assert web["omega"] is True
    assert f'quorum_up "{up}" root' in real_tools.rendered(plan)
    if real_tools.why_not("keepalived") is None:
        # This machine need not have the user whom the role makes.
        plan["keepalived"]["global_defs"]["script_user"] = "nobody"
        assert real_tools.keepalived_refuses(plan) is None


@pytest.mark.parametrize(
    ("check", "seconds"),
    [
        ({"interval": 10, "warmup": 0, "timeout": 2}, 2),
        ({"interval": 2.5}, 6),
        # What keepalived makes of a state that it is told has no times.
        ({"type": "file", "path": "/run/{address}"}, None),
    ],
)
def test_a_vip_is_announced_when_all_real_servers_were_checked(check: dict[str, Any], seconds: int | None) -> None:
    model = active()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_services"][0]["health_check"] = {"type": "http", **check}
    up = model.plan("lb1", "keepalived")["keepalived"]["services"][0]["quorum_up"]["script"]
    if seconds is None:
        assert up.startswith("/usr/sbin/ip route replace blackhole 198.51.100.1/32 ")
    else:
        assert f" /usr/bin/sleep {seconds}; " in up


def test_one_real_server_is_waited_for_by_nobody() -> None:
    model = active()
    for name in model.groups["lvs_directors"]:
        del model.hostvars[name]["lvs_services"][0]["real_servers"][1:]
    up = model.plan("lb1", "keepalived")["keepalived"]["services"][0]["quorum_up"]["script"]
    assert up.startswith("/usr/sbin/ip route replace blackhole 198.51.100.1/32 ")


def marking(count: int) -> Model:
    """Active directors with a service of one mark, which so many VIPs carry."""
    marked = [{"address": f"198.51.100.{7 + number}", "protocol": "tcp", "ports": [80]} for number in range(count)]
    model = active()
    for name in model.groups["lvs_directors"]:
        service = model.hostvars[name]["lvs_services"][0]
        del service["address"], service["port"]
        service |= {"fwmark": 7, "family": "ipv4", "marked": marked, "health_check": {"type": "tcp", "port": 80}}
    return model


def test_several_vips_of_one_mark() -> None:
    plan = marking(2).plan("lb1", "keepalived")
    up = plan["keepalived"]["services"][0]["quorum_up"]["script"]
    assert up.startswith("/usr/bin/sh -c '/usr/sbin/ip route add throw 198.51.100.7/32 ")
    assert up.count("metric 262151") == 4
    if real_tools.why_not("keepalived") is None:
        # This machine need not have the user whom the role makes.
        plan["keepalived"]["global_defs"]["script_user"] = "nobody"
        assert real_tools.keepalived_refuses(plan) is None


def test_more_vips_of_one_mark_than_a_line_of_keepalived_takes() -> None:
    assert marking(4).mistakes() == []
    assert marking(5).mistakes() == [
        "lvs_services[0].marked: has 5 addresses, more than keepalived's line for announcing them takes; give some of "
        "them to a service with another mark"
    ]


def test_the_firewall_lets_sessions_pass() -> None:
    model = active()
    asked = [each for each in model.plan("lb1", "director")["passing"] if "B" in each["name"].partition(" ")[0]]
    assert sorted((each["hook"], each["protocol"], each["port"], each.get("source", "")) for each in asked) == [
        (hook, protocol, port, router if hook == "input" else "")
        for hook in ("input", "output")
        for protocol, port in (("tcp", 179), ("udp", 3784))
        for router in ("10.0.0.1", "2001:db8:b::1")
    ]
    for name in model.groups["lvs_directors"]:
        for each in model.hostvars[name]["lvs_bgp"]["neighbours"]:
            each["multihop"] = 3
    assert {each.get("port") for each in model.plan("lb1", "director")["passing"]} >= {179, 4784}


def test_another_announces() -> None:
    model = active()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_bgp"] = "elsewhere"
    del model.hostvars["router"]["lvs_bgp"]
    serving(model, quorum_up="/usr/local/bin/announce up")
    assert model.mistakes() == []
    assert model.plan("lb1", "director").get("announcements") is None
    assert model.plan("lb1", "announcer")["bird"] == {}
    service = model.plan("lb1", "keepalived")["keepalived"]["services"][0]
    assert service["quorum_up"] == "/usr/local/bin/announce up"
    assert service["alpha"] is False


def bird_takes(text: str, tmp_path: Path) -> None:
    """What BIRD itself says, where it is installed."""
    bird = shutil.which("bird", path="/usr/sbin:/usr/bin")
    if bird is None:
        return
    path = tmp_path / "bird.conf"
    path.write_text(text)
    said = subprocess.run([bird, "-p", "-c", str(path)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_the_configuration_of_a_director(tmp_path: Path) -> None:
    model = every(active(), communities=["65001:100", "65001:1:100"], med=20, raw="# mine\nprotocol static mine {\n}\n")
    plan = model.plan("lb1", "announcer")
    text = plan["bird"]["content"]
    assert plan["bird"]["secrets"] == [PASSWORD]
    assert "router id 10.0.0.21;" in text
    assert "    if ! (net ~ [ 198.51.100.1/32 ]) then reject;\n    bgp_med = 20;\n" in text
    assert "bgp_community.add((65001, 100));" in text
    assert "bgp_large_community.add((65001, 1, 100));" in text
    assert "    kernel table 1819;\n    learn;" in text
    assert "protocol bgp lvs4_10_0_0_1 {\n    local as 65001;\n    neighbor 10.0.0.1 as 65000;\n    direct;" in text
    assert text.count("import where dest = RTD_BLACKHOLE;") == 2
    assert text.count("import none;") == 2
    assert text.endswith("protocol static mine {\n}\n")
    bird_takes(text, tmp_path)


def test_a_director_that_says_when_it_is_going(tmp_path: Path) -> None:
    text = every(active(), graceful_shutdown=5).plan("lb1", "announcer")["bird"]["content"]
    assert text.count("import where dest ~ [ RTD_BLACKHOLE, RTD_PROHIBIT ];") == 2
    assert text.count("    if dest = RTD_PROHIBIT then bgp_community.add((65535, 0));\n    accept;") == 2
    bird_takes(text, tmp_path)
    assert "RTD_PROHIBIT" not in active().plan("lb1", "announcer")["bird"]["content"]


def test_the_configuration_of_a_router(tmp_path: Path) -> None:
    model = active()
    text = model.plan("router", "announcer")["bird"]["content"]
    assert text.count("merge paths;") == 2
    assert "learn" not in text
    # A director that is going.
    assert text.count("    if (65535, 0) ~ bgp_community then bgp_local_pref = 0;\n    accept;") == 2
    assert text.count("protocol bgp ") == 6
    assert text.count("export none;") == 6
    bird_takes(text, tmp_path)
    sysctls = model.plan("router", "router")["sysctls"]
    assert sysctls["net.ipv4.fib_multipath_hash_policy"] == "1"
    assert sysctls["net.ipv6.fib_multipath_hash_policy"] == "1"


def test_a_router_without_bgp_of_ours_hashes_by_ports_too() -> None:
    model = active()
    del model.hostvars["router"]["lvs_bgp"]
    assert model.plan("router", "router")["sysctls"]["net.ipv4.fib_multipath_hash_policy"] == "1"
    assert model.plan("router", "announcer")["bird"] == {}


def test_no_service_is_nothing_to_announce(tmp_path: Path) -> None:
    model = active()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_services"] = []
    text = model.plan("lb1", "announcer")["bird"]["content"]
    assert "    reject;\n" in text
    bird_takes(text, tmp_path)
