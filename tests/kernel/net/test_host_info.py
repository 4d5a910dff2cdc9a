# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_info and probe on a real kernel: who answers ARP, who listens, what differs from a plan, who lets clients in."""

from __future__ import annotations

import socket
import subprocess
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._look import offload

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
    # It stays so when the other host has given it up, until somebody takes it away and adds it.
    sh("ip netns exec app1 ip address del fd00::29/64 dev eth0")
    plan = {"addresses": [{"address": "fd00::29/64", "interface": "br0"}]}
    changes = ["ip address del fd00::29/64 dev br0", "ip address add fd00::29/64 dev br0 nodad"]
    part = {"name": "director", "owner": "director", "plan": plan}
    (difference,) = [
        each
        for each in run_module("host_info", {"parts": [part]})["parts"]["director"]["differences"]
        if each["concern"] == "addresses"
    ]
    assert difference["changes"] == changes
    assert changes[0] in run_module("host_state", {"owner": "director", "plan": plan})["changes"]
    assert run_module("host_info", {})["failed_addresses"] == []
    assert "dadfailed" not in sh("ip -6 address show dev br0 to fd00::29")
    assert not run_module("host_state", {"owner": "director", "plan": plan})["changed"]


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


def test_which_packets_are_dropped_for_certain(run_module, sh) -> None:
    """As the packet filter itself does with such packets."""
    asked = {
        "packets": [
            {
                "name": "web",
                "hook": "input",
                "protocol": "tcp",
                "destination": "10.0.0.2",
                "port": 8080,
                "state": "new",
            },
            {
                "name": "other",
                "hook": "input",
                "protocol": "tcp",
                "destination": "10.0.0.2",
                "port": 8081,
                "state": "new",
            },
            {"name": "vrrp", "hook": "input", "protocol": "112"},
            {
                "name": "back",
                "hook": "forward",
                "protocol": "tcp",
                "source": "10.0.0.51",
                "source_port": 80,
                "state": "answer",
            },
        ]
    }
    rules = (
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -p tcp -m multiport --dports 8080,8085:8090 -j DROP",
        "-A INPUT -p 112 -j DROP",
        "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
    )
    assert run_module("host_info", asked)["dropped"] == []
    sh(" && ".join(f"iptables-legacy {rule}" for rule in rules))
    try:
        dropped = run_module("host_info", asked)["dropped"]
        before_a_change = run_module("preflight", {"plan": {"passing": asked["packets"]}})["dropped"]
        with socket.create_server(("10.0.0.2", 8080)), socket.create_server(("10.0.0.2", 8081)):
            tried = "ip netns exec app1 timeout 2 bash -c 'echo >/dev/tcp/10.0.0.2/{}' && echo yes || echo no"
            came = {port: sh(tried.format(port)).strip() for port in (8080, 8081)}
    finally:
        sh("iptables-legacy -F INPUT; iptables-legacy -F FORWARD")
    assert {each["name"] for each in dropped} == {"web", "vrrp", "back"}
    assert {each["name"] for each in before_a_change} == {"web", "vrrp", "back"}
    assert dropped[0]["said"].startswith("iptables-legacy -A INPUT -p tcp -m multiport --dports 8080,8085:8090")
    assert came == {8080: "no", 8081: "yes"}
    odd = [
        {"name": "odd", "hook": "input", "protocol": "tcp", "source": "10.0.0.1", "destination": "fd00::1", "port": 0}
    ]
    said = run_module("host_info", {"packets": odd})["msg"]
    assert all(each in said for each in ("packets[0].port", "two families"))


def test_an_address_that_is_not_used_yet(run_module, sh, until) -> None:
    sh("sysctl -qw net.ipv6.conf.br0.dad_transmits=300 && ip address add fd00::30/64 dev br0")
    assert "fd00::30 dev br0" in run_module("host_info", {})["tentative_addresses"]
    sh("sysctl -qw net.ipv6.conf.br0.dad_transmits=1; ip address add fd00::31/64 dev br0")
    until(lambda: "tentative" not in sh("ip -6 address show dev br0 to fd00::31"))
    assert "fd00::31 dev br0" not in run_module("host_info", {})["tentative_addresses"]


def test_what_the_kernel_counted(run_module, sh, until) -> None:
    """As nstat has it: packets whose source is reached by another interface."""

    def counted() -> int:
        return int(sh("nstat -asz TcpExtIPReversePathFilter | awk '/Reverse/ {print $2}'"))

    first = counted()
    sh("modprobe ip_vs; sysctl -qw net.ipv4.vs.drop_packet=3")
    found = run_module("host_info", {})
    sh("sysctl -qw net.ipv4.vs.drop_packet=0")
    assert (found["counters"]["reverse_path"], found["defences"]) == (first, {"drop_packet": 3})
    sh("sysctl -qw net.ipv4.conf.br0.rp_filter=1; ip link add far0 type dummy; ip link set far0 up")
    sh("ip route add 10.99.0.0/24 dev far0; ip netns exec app1 ip address add 10.99.0.9/32 dev eth0")
    # What asks for an address in the name of such a source is not answered either.
    sh("ip netns exec app1 ip neighbour replace 10.0.0.2 dev eth0 lladdr $(cat /sys/class/net/br0/address)")
    bound = "s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('10.99.0.9', 0)); s.sendto(b'x', ('10.0.0.2', 9))"
    sh(f'ip netns exec app1 python3 -c "import socket; {bound}"')
    until(lambda: counted() > first)
    found = run_module("host_info", {})["counters"]
    assert found["reverse_path"] == counted()
    assert found["packets"] > found["no_room"]


def test_what_a_card_does_to_packets(sh, monkeypatch) -> None:
    """No interface here has LRO, so that the flag beside it is looked at, as ethtool has it. A VLAN is on its card."""
    sh("ip link add card0 type veth peer name card1 && ip link add link card0 name card0.7 type vlan id 7")
    asked = ["card0.7", "nowhere"]
    assert offload.large_receive(asked) == []
    monkeypatch.setattr(offload, "_ETH_FLAG_LRO", 1 << 7)  # ETH_FLAG_TXVLAN
    for state in ("off", "on"):
        sh(f"ethtool -K card0 txvlan {state}")
        assert sh("ethtool -k card0 | awk '/tx-vlan-offload/ {print $2}'").strip() == state
        assert ("card0" in offload.large_receive(asked)) is (state == "on")


def test_large_receive_offload_of_a_bond_is_that_of_its_ports(sh, monkeypatch) -> None:
    """The flag beside it again: a bond has that one whatever its ports do, as it may have LRO."""
    sh("ip link add card0 type veth peer name card1 && ip link add bond7 type bond && ip link set card0 master bond7")
    monkeypatch.setattr(offload, "_ETH_FLAG_LRO", 1 << 7)  # ETH_FLAG_TXVLAN
    for state, found in (("off", []), ("on", ["card0"])):
        sh(f"ethtool -K card0 txvlan {state}")
        assert sh("ethtool -k bond7 | awk '/tx-vlan-offload/ {print $2}'").strip() == "on"
        assert offload.large_receive(["bond7"]) == found


ANSWERS = """
import socket, threading
def echo():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.bind(("10.0.0.51", 53))
    while True:
        said, who = one.recvfrom(512); one.sendto(said[:2], who)
threading.Thread(target=echo).start()
server = socket.create_server(("10.0.0.51", 80))
while True:
    connection, _who = server.accept()
    def answer(connection=connection):
        said = b""
        while b"\\r\\n\\r\\n" not in said:
            said += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n"); connection.close()
    threading.Thread(target=answer).start()
"""


def test_what_a_client_asks(run_module, sh, until) -> None:
    """A way on which packets of the size of the MTU are lost, and nobody says so."""
    sh(f"cat >/tmp/answers.py <<'EOF'\n{ANSWERS}EOF")
    sh("ip netns exec app1 python3 /tmp/answers.py >/dev/null 2>&1 & echo $! >/tmp/answers.pid")
    until(lambda: sh("ip netns exec app1 ss -Hltn sport = :80").strip())
    web = {"address": "10.0.0.51", "port": 80, "connections": 4, "name": "web"}
    request = {"kind": "http", "path": "/", "host": "www.example.com"}
    endpoints = [
        web,
        {**web, "question": request},
        {**web, "question": {**request, "size": 8000}},
        {**web, "port": 53, "protocol": "udp", "question": {"kind": "dns", "name": "example.com"}},
        {**web, "port": 54, "protocol": "udp", "question": {"kind": "bytes", "payload": "0a"}},
    ]

    def ended() -> list[tuple[int, ...]]:
        found = run_module("probe", {"endpoints": endpoints, "timeout": 3})["endpoints"]
        return [tuple(each[key] for key in ("connected", "answered", "unanswered", "silent")) for each in found]

    try:
        assert ended() == [(4, 0, 0, 0), (4, 4, 0, 0), (4, 4, 0, 0), (0, 4, 0, 0), (0, 0, 0, 0)]
        sh("ip netns exec app1 iptables-legacy -A INPUT -p tcp -m length --length 1300: -j DROP")
        sh("ip netns exec app1 iptables-legacy -A INPUT -p udp -j DROP")
        assert ended() == [(4, 0, 0, 0), (4, 4, 0, 0), (4, 0, 4, 0), (0, 0, 0, 4), (0, 0, 0, 4)]
    finally:
        sh("ip netns exec app1 iptables-legacy -F INPUT; kill $(cat /tmp/answers.pid)")


def test_how_large_packets_are(run_module, sh) -> None:
    """By the segment size that the other end announces, as the routes there have it."""
    endpoint = {"address": "10.0.0.51", "port": 80, "connections": 2}
    sh("ip netns exec app1 python3 -m http.server 80 >/dev/null 2>&1 & echo $! >/tmp/web.pid")
    sh("timeout 60 sh -c 'until ip netns exec app1 ss -Hltn sport = :80 | grep -q .; do sleep 0.2; done'")
    try:
        assert run_module("probe", {"endpoints": [endpoint]})["endpoints"][0]["packets"] == {"1500": 2}
        sh("ip netns exec app1 ip route replace 10.0.0.0/24 dev eth0 src 10.0.0.51 advmss 1400")
        assert run_module("probe", {"endpoints": [endpoint]})["endpoints"][0]["packets"] == {"1440": 2}
        sh("sysctl -qw net.ipv4.tcp_timestamps=0")
        assert run_module("probe", {"endpoints": [endpoint]})["endpoints"][0]["packets"] == {"1440": 2}
    finally:
        sh("sysctl -qw net.ipv4.tcp_timestamps=1; kill $(cat /tmp/web.pid)")


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
    wrong = run_module("probe", {"endpoints": [{"address": "nowhere", "port": 70000, "source": "x", "fwmark": 0}]})
    assert wrong["failed"]
    assert all(f"endpoints[0].{key}" in wrong["msg"] for key in ("address", "port", "source", "fwmark"))


def test_a_director_chooses_the_real_server(run_module, sh) -> None:
    """By marks: of one service two real servers, of which only the second one serves, are each asked for itself."""
    sh("modprobe ip_vs; sysctl -qw net.ipv4.conf.br0.accept_local=1; ip address add 10.0.0.100/32 dev br0")
    for mark, (name, rip) in {11: ("app1", "10.0.0.51"), 12: ("app2", "10.0.0.52")}.items():
        sh(f"ipvsadm -A -f {mark} -s rr; ipvsadm -a -f {mark} -r {rip} -g")
        sh(f"ip netns exec {name} sh -c 'sysctl -qw net.ipv4.conf.all.arp_ignore=1; ip address add {VIP}/32 dev lo'")
        sh(f"ip netns exec {name} ip link set lo up")
    serve = (
        "import socket, time; s = socket.create_server(('10.0.0.100', 8080)); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        ["ip", "netns", "exec", "app2", "python3", "-c", serve], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "up\n"
        way = {"address": VIP, "port": 8080, "source": "10.0.0.2", "connections": 3}
        endpoints = [{**way, "fwmark": mark} for mark in (11, 12)]
        found = run_module("probe", {"endpoints": endpoints, "timeout": 2})["endpoints"]
        assert [(each["connected"], each["failed"]) for each in found] == [(0, {"Connection refused": 3}), (3, {})]
        refused = run_module("probe", {"endpoints": endpoints, "timeout": 2, "must_connect": True})
        server.kill()
    assert refused["failed"]
    named = "10.0.0.100 port 8080 from 10.0.0.2 with firewall mark 11: Connection refused"
    assert refused["msg"].rstrip(".") == f"Not every connection came about: {named}"
