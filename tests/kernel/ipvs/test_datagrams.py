# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams that a client sends from one port: what one-packet scheduling makes of them, in DR and in NAT."""

from __future__ import annotations

import subprocess
from typing import Iterator

import pytest

VIP = "10.0.0.100"
SERVER = """
import select, socket, sys
sockets = []
for port in (53, 54):
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sockets[-1].bind((sys.argv[1], port))
print(flush=True)
while True:
    for ready in select.select(sockets, [], [])[0]:
        ready.sendto(sys.argv[2].encode(), ready.recvfrom(100)[1])
"""
CLIENT = """
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(120)
for port in (53, 54):
    for number in range(4):
        client.sendto(b"who", ("10.0.0.100", port))
        name, peer = client.recvfrom(100)
        print(port, name.decode(), peer[0])
"""


@pytest.fixture
def serve() -> Iterator:
    """Start a server of both ports in a namespace, on an address; it answers with its namespace's name."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(namespace: str, address: str) -> None:
        command = ["ip", "netns", "exec", namespace, "python3", "-c", SERVER, address, namespace]
        servers.append(subprocess.Popen(command, stdout=subprocess.PIPE))

    def ready() -> None:
        for server in servers:
            assert server.stdout.readline() == b"\n"

    yield start, ready
    for server in servers:
        server.kill()
        server.communicate()


def answers(run_module, sh, forward: str, *rips: str) -> dict[str, list[tuple[str, str]]]:
    """Who answered from which address, by port: 53 without one_packet, 54 with it."""
    services = [
        {
            "address": VIP,
            "port": port,
            "protocol": "udp",
            "scheduler": "rr",
            "one_packet": port == 54,
            "real_servers": [{"address": rip, "forward": forward} for rip in rips],
        }
        for port in (53, 54)
    ]
    assert not run_module("ipvs_table", {"services": services}).get("failed")
    said: dict[str, list[tuple[str, str]]] = {}
    for line in sh(f"ip netns exec client python3 -c '{CLIENT}'").splitlines():
        port, name, address = line.split()
        said.setdefault(port, []).append((name, address))
    return said


def test_one_packet_in_direct_routing(run_module, wire, sh, serve) -> None:
    start, ready = serve
    wire("client", "10.0.0.1/24")
    sh(f"ip address add 10.0.0.2/24 dev br0 && ip address add {VIP}/32 dev br0")
    for name, rip in (("one", "10.0.0.11"), ("two", "10.0.0.12")):
        wire(name, f"{rip}/24")
        sh(f"ip netns exec {name} sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")
        sh(f"ip -n {name} address add {VIP}/32 dev lo")
        start(name, VIP)
    ready()
    said = answers(run_module, sh, "dr", "10.0.0.11", "10.0.0.12")
    assert len(set(said["53"])) == 1
    assert [name for name, _address in said["54"]] in (["one", "two"] * 2, ["two", "one"] * 2)
    assert {address for _name, address in said["53"] + said["54"]} == {VIP}


def test_one_packet_in_nat_answers_from_the_wrong_address(run_module, wire, sh, serve) -> None:
    """Why the model refuses it: nothing is kept that would tell the answer's way back."""
    start, ready = serve
    wire("client", "10.0.0.1/24")
    wire("one", "10.1.0.11/24", bridge="br1")
    sh(f"ip address add {VIP}/24 dev br0 && ip address add 10.1.0.1/24 dev br1 && sysctl -q -w net.ipv4.ip_forward=1")
    sh("ip -n one route add default via 10.1.0.1")
    start("one", "10.1.0.11")
    ready()
    said = answers(run_module, sh, "nat", "10.1.0.11")
    assert said == {"53": [("one", VIP)] * 4, "54": [("one", "10.1.0.11")] * 4}
