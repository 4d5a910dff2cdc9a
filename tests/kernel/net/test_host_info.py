# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_info and probe on a real kernel: who answers ARP, who listens, what differs from a plan, who lets clients in."""

from __future__ import annotations

import socket
from typing import Any

import pytest

VIP = "10.0.0.100"
PLAN: dict[str, Any] = {
    "manager": "kernel",
    "addresses": [{"address": f"{VIP}/32", "interface": "lo"}],
    "services": [
        {
            "address": VIP,
            "port": 80,
            "scheduler": "rr",
            "real_servers": [{"address": "10.0.0.51", "forward": "nat", "weight": 1}],
        }
    ],
    "purge": ["real_servers"],
}
PART = {"name": "director", "owner": "director", "plan": PLAN}


@pytest.fixture(autouse=True)
def _on_a_lan(sh, wire) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    wire("app1", "10.0.0.51/24")
    wire("app2", "10.0.0.52/24")
    sh("ip address add 10.0.0.2/24 dev br0")


def test_what_differs_from_a_plan(run_module, sh) -> None:
    asked = {"parts": [PART], "table": True}
    first = run_module("host_info", asked)
    named = {each["concern"]: each["changes"] for each in first["parts"]["director"]["differences"]}
    assert named["addresses"] == [f"ip address add {VIP}/32 dev lo"]
    assert named["services"][0] == f"ipvsadm -A -t {VIP}:80 -s rr"
    assert (first["changed"], VIP in sh("ip address")) == (False, False)
    run_module("host_state", {"owner": "director", "plan": PLAN})
    there = run_module("host_info", asked)
    assert there["parts"]["director"] == {"problems": [], "differences": [], "unmanaged": []}
    assert [each["address"] for each in there["table"]["services"]] == [VIP]
    # What is refused by one concern keeps nobody from looking at the others.
    sh(f"ip address del {VIP}/32 dev lo; ipvsadm -A -t 10.0.0.99:80 -s rr")
    wrong = {**PLAN, "addresses": [*PLAN["addresses"], {"address": "10.0.0.7/32", "interface": "eth99"}]}
    odd = run_module("host_info", {"parts": [{**PART, "plan": wrong}]})["parts"]["director"]
    problems = {each["concern"]: each["problem"] for each in odd["differences"] if each["problem"]}
    assert "eth99 does not exist" in problems["addresses"]
    assert odd["unmanaged"] == ["-A -t 10.0.0.99:80 -s rr"]


def test_who_answers_arp(run_module, sh) -> None:
    asked = {"arp": [{"address": VIP, "interface": "br0"}, {"address": "10.0.0.51", "interface": "br0"}]}
    mac = sh("ip netns exec app1 cat /sys/class/net/eth0/address").strip()
    before = sh("ip netns exec app2 ip neighbour show")
    assert run_module("host_info", asked)["arp"] == {VIP: [], "10.0.0.51": [mac]}
    # A real server whose ARP is not tuned.
    sh(f"ip netns exec app2 ip link set lo up; ip netns exec app2 ip address add {VIP}/32 dev lo")
    other = sh("ip netns exec app2 cat /sys/class/net/eth0/address").strip()
    assert run_module("host_info", asked)["arp"][VIP] == [other]
    sh("ip netns exec app2 sysctl -qw net.ipv4.conf.all.arp_ignore=1")
    assert run_module("host_info", asked)["arp"][VIP] == []
    # Nobody learned an address from that.
    assert sh("ip netns exec app2 ip neighbour show") == before
    # Where nobody can be asked, that is said.
    said = run_module("host_info", {"arp": [{"address": VIP, "interface": "lo"}]})
    assert (said["arp"], "who answers ARP" in said["unseen"][0]) == ({}, True)


def test_who_listens(run_module) -> None:
    with socket.create_server(("10.0.0.2", 8080)), socket.create_server(("::", 8081), family=socket.AF_INET6):
        found = run_module("host_info", {"ports": [8080, 8081, 8082]})["listeners"]
    assert found == [
        {"protocol": "tcp", "address": "10.0.0.2", "port": 8080},
        {"protocol": "tcp", "address": "::", "port": 8081},
    ]


def test_an_address_that_another_host_has(run_module, sh, until) -> None:
    assert run_module("host_info", {})["failed_addresses"] == []
    sh("ip netns exec app1 ip address add fd00::29/64 dev eth0 nodad")
    sh("ip address add fd00::29/64 dev br0")
    until(lambda: run_module("host_info", {})["failed_addresses"] == ["fd00::29 dev br0"])


def test_what_packet_filters_drop(run_module, sh) -> None:
    assert run_module("host_info", {})["obstacles"] == []
    sh("iptables-legacy -P FORWARD DROP && iptables-legacy -A INPUT -m conntrack --ctstate INVALID -j DROP")
    try:
        found = run_module("host_info", {})
    finally:
        sh("iptables-legacy -P FORWARD ACCEPT && iptables-legacy -F INPUT")
    assert [(each["kind"], each["hook"]) for each in found["obstacles"]] == [
        ("policy", "forward"),
        ("invalid", "input"),
    ]
    assert found["conntrack"]["max"] > 0


def test_a_client(run_module, sh) -> None:
    """A service whose second real server drops what it gets."""
    sh("sysctl -qw net.ipv4.ip_forward=1")
    endpoints = [
        {"name": "web", "address": "10.0.0.2", "port": 8080, "connections": 6},
        {"name": "closed", "address": "10.0.0.2", "port": 8082, "connections": 2},
        {"name": "silent", "address": "10.0.0.51", "port": 8083, "connections": 2},
    ]
    sh("ip netns exec app1 iptables-legacy -A INPUT -p tcp --dport 8083 -j DROP")
    with socket.create_server(("10.0.0.2", 8080)):
        found = run_module("probe", {"endpoints": endpoints, "timeout": 2})["endpoints"]
    assert [(each["connected"], each["silent"], each["failed"]) for each in found] == [
        (6, 0, {}),
        (0, 0, {"Connection refused": 2}),
        (0, 2, {}),
    ]
    wrong = run_module("probe", {"endpoints": [{"address": "nowhere", "port": 70000}]})
    assert wrong["failed"]
    assert all(path in wrong["msg"] for path in ("endpoints[0].address", "endpoints[0].port"))
