# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining a real server that real clients are connected to, judged by ipvsadm and by the clients."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import Any, Callable, Iterator

import pytest

VIP = "10.0.0.100"
SERVICE = {"address": VIP, "port": 80}
ONE = {"service": SERVICE, "address": "10.0.0.11", "state": "drained", "poll_interval": 0.2}
EDIT = "ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 0"
DELETE = "ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.11:80"
# Answers each line and each datagram with its name.
SERVER = """
import socket, socketserver, sys, threading
class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(sys.argv[1].encode() + b"\\n")
class Udp(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(sys.argv[1].encode())
socketserver.ThreadingTCPServer.daemon_threads = True
tcp = socketserver.ThreadingTCPServer(("10.0.0.100", 80), Tcp)
udp = socketserver.UDPServer(("10.0.0.100", 53), Udp)
threading.Thread(target=udp.serve_forever, daemon=True).start()
print(flush=True)
tcp.serve_forever()
"""
CLIENT = """
import socket, sys
connection = socket.create_connection(("10.0.0.100", 80), 120)
for line in sys.stdin:
    connection.sendall(line.encode())
    print(connection.recv(100).decode(), end="", flush=True)
"""
DATAGRAM = """
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(120)
client.bind(("", 5300))
client.sendto(b"who", ("10.0.0.100", 53))
print(client.recv(100).decode())
"""


class Client:
    """A connection through the VIP that stays open until it is closed."""

    def __init__(self) -> None:
        command = ["ip", "netns", "exec", "client", sys.executable, "-c", CLIENT]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self) -> str:
        """Who is at the other end."""
        self.process.stdin.write("who\n")
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture
def connect(wire, sh) -> Iterator[Callable[[], Client]]:
    """Two real servers behind a VIP in DR, and what connects to it."""
    wire("client", "10.0.0.9/24")
    sh(f"ip address add 10.0.0.1/24 dev br0 && ip address add {VIP}/32 dev br0")
    servers, clients = [], []
    for name, rip in (("one", "10.0.0.11"), ("two", "10.0.0.12")):
        wire(name, f"{rip}/24")
        sh(f"ip netns exec {name} sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")
        sh(f"ip -n {name} address add {VIP}/32 dev lo")
        command = ["ip", "netns", "exec", name, sys.executable, "-c", SERVER, name]
        servers.append(subprocess.Popen(command, stdout=subprocess.PIPE))
    for server in servers:
        assert server.stdout.readline() == b"\n"

    def client() -> Client:
        clients.append(Client())
        return clients[-1]

    yield client
    for process in [*servers, *(each.process for each in clients)]:
        process.kill()
        process.communicate()


def fill(sh, weight: int = 3, options: str = "", servers: tuple[str, ...] = ("10.0.0.11",)) -> None:
    sh(f"ipvsadm -A -t {VIP}:80 -s rr {options}")
    for server in servers:
        sh(f"ipvsadm -a -t {VIP}:80 -r {server}:80 -g -w {weight}")


def shown(sh, rip: str = "10.0.0.11") -> list[int] | None:
    """Weight, active and inactive connections, as ipvsadm shows them; None where it is not there."""
    for line in sh("ipvsadm -Ln").splitlines():
        words = line.split()
        if len(words) == 6 and words[1].startswith(f"{rip}:"):
            return [int(word) for word in words[3:]]
    return None


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, error = process.communicate(timeout=600)
    assert out, error
    return json.loads(out)


def test_it_waits_for_a_connection_that_is_open_and_takes_no_new_ones(
    connect, run_module, spawn_module, sh, until
) -> None:
    fill(sh)
    held = connect()
    assert held.ask() == "one"
    until(lambda: shown(sh) == [3, 1, 0])
    predicted = run_module("ipvs_real_server", ONE, check=True)
    assert shown(sh) == [3, 1, 0]
    drain = spawn_module("ipvs_real_server", {**ONE, "timeout": 600})
    until(lambda: shown(sh) == [0, 1, 0])
    sh(f"ipvsadm -a -t {VIP}:80 -r 10.0.0.12:80 -g")
    later = [connect() for _number in range(3)]
    assert [each.ask() for each in later] == ["two"] * 3
    time.sleep(2)
    assert drain.poll() is None
    assert shown(sh) == [0, 1, 0]
    assert held.ask() == "one"
    held.close()
    result = ended(drain)
    assert shown(sh) is None
    assert shown(sh, "10.0.0.12") is not None
    assert "failed" not in result, result
    assert result["changes"] == predicted["changes"] == [EDIT, DELETE]
    assert result["diff"] == predicted["diff"]
    assert (result["former_weight"], result["removed"], result["connections"]["active"]) == (3, True, 0)
    assert result["waited"] >= 2
    assert (predicted["former_weight"], predicted["removed"], predicted["waited"]) == (3, True, 0.0)
    assert predicted["connections"] == {"active": 1, "inactive": 0, "persistent": 0}
    again = run_module("ipvs_real_server", ONE)
    assert (again["changed"], again["changes"], again["former_weight"], again["removed"]) == (False, [], None, False)


def test_when_the_time_is_over(connect, run_module, sh, until) -> None:
    fill(sh)
    held = connect()
    assert held.ask() == "one"
    until(lambda: shown(sh) == [3, 1, 0])
    result = run_module("ipvs_real_server", {**ONE, "timeout": 1})
    assert re.search(r"still has connections after [\d.]+ s: 1 active\.", result["msg"])
    assert "stays at weight 0 (it had 3)" in result["msg"]
    assert (result["changed"], result["applied"], result["remaining"]) == (True, [EDIT], [DELETE])
    assert (result["former_weight"], result["removed"]) == (3, False)
    assert result["waited"] >= 1
    assert result["connections"] == {"active": 1, "inactive": 0, "persistent": 0}
    # Once more: there is nothing to change, and still something to wait for.
    result = run_module("ipvs_real_server", {**ONE, "timeout": 0, "remove": False})
    assert result["failed"]
    assert not result.get("changed")
    assert (result["former_weight"], result["connections"]["active"]) == (0, 1)
    assert shown(sh) == [0, 1, 0]
    result = run_module("ipvs_real_server", {**ONE, "timeout": 0, "remove": False, "on_timeout": "proceed"})
    assert (result["changed"], result["connections"]["active"]) == (False, 1)
    assert held.ask() == "one"
    result = run_module("ipvs_real_server", {**ONE, "timeout": 0, "on_timeout": "proceed"})
    assert (result["changes"], result["removed"], result["connections"]["active"]) == ([DELETE], True, 1)
    assert shown(sh) is None


def test_kept_at_weight_0_and_put_back(run_module, sh) -> None:
    fill(sh, weight=7)
    before = sh("ipvsadm -Sn")
    keep = {**ONE, "remove": False}
    predicted = run_module("ipvs_real_server", keep, check=True)
    assert sh("ipvsadm -Sn") == before
    result = run_module("ipvs_real_server", keep)
    assert {**predicted, "invocation": 0} == {**result, "invocation": 0}
    assert (result["changes"], result["former_weight"], result["removed"]) == ([EDIT], 7, False)
    assert shown(sh) == [0, 0, 0]
    again = run_module("ipvs_real_server", keep)
    assert (again["changed"], again["former_weight"]) == (False, 0)
    back = {key: value for key, value in ONE.items() if key not in ("state", "poll_interval")}
    run_module("ipvs_real_server", {**back, "weight": result["former_weight"]})
    assert sh("ipvsadm -Sn") == before


def test_restored_where_it_is_there_at_weight_0(run_module, sh) -> None:
    restore = {"service": SERVICE, "address": "10.0.0.11", "state": "restored", "weight": 7}
    result = run_module("ipvs_real_server", restore)
    assert (result["changed"], result["weight"]) == (False, None)
    fill(sh, weight=7)
    before = sh("ipvsadm -Sn")
    run_module("ipvs_real_server", {**ONE, "remove": False})
    predicted = run_module("ipvs_real_server", restore, check=True)
    assert shown(sh) == [0, 0, 0]
    # What it says besides the weight does not matter.
    result = run_module("ipvs_real_server", {**restore, "forward": "nat"})
    assert {**predicted, "invocation": 0} == {**result, "invocation": 0}
    assert (result["changed"], result["weight"]) == (True, 7)
    assert sh("ipvsadm -Sn") == before
    result = run_module("ipvs_real_server", {**restore, "weight": 2})
    assert (result["changed"], result["weight"]) == (False, 7)
    result = run_module("ipvs_real_server", {**restore, "address": "10.0.0.13"})
    assert (result["changed"], result["weight"]) == (False, None)
    assert sh("ipvsadm -Sn") == before
    del restore["weight"]
    assert "weight: missing" in run_module("ipvs_real_server", restore)["msg"]


def test_a_weight_comes_back_in_steps(run_module, sh) -> None:
    step = {"service": SERVICE, "address": "10.0.0.11", "state": "restored", "raises": "lowered", "weight": 10}
    fill(sh, weight=10)
    before = sh("ipvsadm -Sn")
    run_module("ipvs_real_server", {**ONE, "remove": False})
    # A weight of 0 is not raised by a later step.
    result = run_module("ipvs_real_server", {**step, "share": 50})
    assert (result["changed"], result["weight"]) == (False, 0)
    found = [
        run_module("ipvs_real_server", {**step, "raises": raises, "share": share})["weight"]
        for raises, share in (("drained", 10), ("lowered", 55), ("lowered", 20), ("lowered", 100))
    ]
    assert found == [1, 5, 5, 10]
    assert sh("ipvsadm -Sn") == before
    assert "share: 0 is not a share" in run_module("ipvs_real_server", {**step, "share": 0})["msg"]


def test_somebody_gives_it_a_weight_meanwhile(connect, spawn_module, sh, until) -> None:
    fill(sh)
    assert connect().ask() == "one"
    drain = spawn_module("ipvs_real_server", {**ONE, "timeout": 600})
    until(lambda: shown(sh) == [0, 1, 0])
    sh(f"ipvsadm -e -t {VIP}:80 -r 10.0.0.11:80 -g -w 4")
    result = ended(drain)
    assert "the weight 4 while it was drained" in result["msg"]
    assert shown(sh) == [4, 1, 0]


def test_somebody_takes_it_away_meanwhile(connect, spawn_module, sh, until) -> None:
    fill(sh)
    assert connect().ask() == "one"
    drain = spawn_module("ipvs_real_server", {**ONE, "timeout": 600})
    until(lambda: shown(sh) == [0, 1, 0])
    sh(f"ipvsadm -D -t {VIP}:80")
    result = ended(drain)
    assert "failed" not in result, result
    assert result["removed"] is False


@pytest.mark.usefixtures("connect")
def test_datagrams_are_inactive_connections(run_module, sh) -> None:
    """What the kernel makes of UDP, which the default of wait_for goes by."""
    sh(f"ipvsadm -A -u {VIP}:53 -s rr && ipvsadm -a -u {VIP}:53 -r 10.0.0.11:53 -g -w 2 && ipvsadm --set 0 0 300")
    assert sh(f"ip netns exec client {sys.executable} -c '{DATAGRAM}'").strip() == "one"
    assert shown(sh) == [2, 0, 1]
    dns = {**ONE, "service": {"address": VIP, "port": 53, "protocol": "udp"}, "remove": False}
    result = run_module("ipvs_real_server", {**dns, "wait_for": ["active"]})
    assert "counts every UDP connection as inactive" in str(result["warnings"])
    assert result["connections"]["inactive"] == 1
    # To the kernel the next datagram is not new.
    assert sh(f"ip netns exec client {sys.executable} -c '{DATAGRAM}'").strip() == "one"
    result = run_module("ipvs_real_server", {**dns, "timeout": 1, "on_timeout": "proceed"})
    assert "remembers a UDP connection for 300 s" in str(result["warnings"])
    # The next datagram begins the new time.
    sh("ipvsadm --set 0 0 5")
    assert sh(f"ip netns exec client {sys.executable} -c '{DATAGRAM}'").strip() == "one"
    result = run_module("ipvs_real_server", {**dns, "timeout": 600})
    assert "warnings" not in result
    assert result["connections"]["inactive"] == 0


def test_persistence(connect, run_module, sh) -> None:
    """With expire_quiescent_template=0 a client that is known is sent to weight 0, which is said."""
    fill(sh, options="-p 3", servers=("10.0.0.11", "10.0.0.12"))
    name = connect().ask()
    rip, other = ("10.0.0.11", "two") if name == "one" else ("10.0.0.12", "one")
    drained = {**ONE, "address": rip, "remove": False, "timeout": 0, "on_timeout": "proceed"}
    sh("sysctl -q -w net.ipv4.vs.expire_quiescent_template=0")
    result = run_module("ipvs_real_server", drained)
    assert "with net.ipv4.vs.expire_quiescent_template=0 a client" in str(result["warnings"])
    assert result["connections"]["persistent"] == 1
    assert connect().ask() == name
    sh("sysctl -q -w net.ipv4.vs.expire_quiescent_template=1")
    assert "warnings" not in run_module("ipvs_real_server", drained)
    assert connect().ask() == other


def test_the_templates_of_persistence_are_waited_for_where_that_is_asked(connect, spawn_module, until, sh) -> None:
    fill(sh, options="-p 3")
    sh("sysctl -q -w net.ipv4.vs.expire_quiescent_template=1 && ipvsadm --set 900 2 0")
    held = connect()
    assert held.ask() == "one"
    drain = spawn_module("ipvs_real_server", {**ONE, "wait_for": ["persistent"], "timeout": 600})
    # A template lives as long as one of its connections, and so it is there when the waiting begins.
    until(lambda: shown(sh) == [0, 1, 0])
    held.close()
    result = ended(drain)
    assert "failed" not in result, result
    assert result["connections"]["persistent"] == 0
    assert result["waited"] > 0
    assert shown(sh) is None


def test_a_client_that_uses_its_port_again(run_module, sh) -> None:
    fill(sh)
    sh("sysctl -q -w net.ipv4.vs.conn_reuse_mode=0")
    result = run_module("ipvs_real_server", {**ONE, "remove": False})
    assert "With net.ipv4.vs.conn_reuse_mode=0 a client" in str(result["warnings"])


def test_what_is_not_there_is_drained(run_module, sh) -> None:
    assert not run_module("ipvs_real_server", ONE)["changed"]
    fill(sh)
    result = run_module("ipvs_real_server", {**ONE, "address": "10.0.0.13"})
    assert (result["changed"], result["former_weight"]) == (False, None)
    assert shown(sh) == [3, 0, 0]


def test_bad_input_touches_nothing(run_module, sh) -> None:
    fill(sh)
    before = sh("ipvsadm -Sn")
    for bad, message in (
        ({"timeout": -1}, "timeout: -1 is not a number of seconds"),
        ({"poll_interval": 0}, "poll_interval: 0.0 is not a number of seconds from 0.1 to 60"),
        ({"wait_for": []}, "wait_for: empty"),
        ({"address": "224.0.0.1"}, "address: 224.0.0.1 is not a unicast address"),
        ({"service": {"address": VIP}}, "service.port: missing"),
    ):
        result = run_module("ipvs_real_server", {**ONE, **bad})
        assert message in result["msg"]
        assert sh("ipvsadm -Sn") == before
