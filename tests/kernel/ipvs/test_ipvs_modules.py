# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ipvs_* modules on a real kernel, judged by ipvsadm: create, modify, delete, in check mode and really, twice."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from typing import Any

import pytest

VIP = "10.0.0.1"
WEB = {"address": VIP, "port": 80}


def save(sh) -> str:
    return sh("ipvsadm -Sn")


def as_printed(text: str) -> str:
    """Our rules as ipvsadm prints them: without thresholds."""
    return re.sub(r" -x \d+ -y \d+", "", text)


@pytest.fixture
def ensure(run_module, sh):
    """Run a module in check mode, really and once more: the prediction is exact, and the second run changes nothing."""

    def run(name: str, args: dict[str, Any], changes: list[str]) -> dict[str, Any]:
        before = sh("ipvsadm -Sn; ipvsadm -Ln --thresholds; cat /var/lib/lvs-topology/* 2>/dev/null || true")
        predicted = run_module(name, args, check=True)
        after_check = sh("ipvsadm -Sn; ipvsadm -Ln --thresholds; cat /var/lib/lvs-topology/* 2>/dev/null || true")
        assert after_check == before
        result = run_module(name, args)
        assert "failed" not in result, result
        # What differs between the two is only what tells them apart.
        assert {**predicted, "invocation": 0} == {**result, "invocation": 0}
        assert result["changes"] == changes
        assert result["changed"] == bool(changes)
        table = save(sh)
        if changes:
            lines = as_printed(result["diff"]["after"]).splitlines() if "diff" in result else []
            # ipvsadm's order of real servers of mixed families is its own.
            assert sorted(line for line in table.splitlines() if line in lines) == sorted(lines)
        again = run_module(name, args)
        assert not again["changed"]
        assert again["changes"] == []
        assert "diff" not in again
        assert save(sh) == table
        return result

    return run


def test_service_create_modify_delete(ensure, sh) -> None:
    sh("ipvsadm -A -t 10.9.9.9:9 && ipvsadm -a -t 10.9.9.9:9 -r 10.9.9.1:9 -m -w 9")
    foreign = save(sh)
    result = ensure("ipvs_service", WEB, ["ipvsadm -A -t 10.0.0.1:80 -s wlc"])
    assert result["diff"] == {"before": "", "after": "-A -t 10.0.0.1:80 -s wlc\n"}
    ensure(
        "ipvs_service",
        {**WEB, "scheduler": "sh", "scheduler_flags": ["sh-port", "sh-fallback"], "persistence": {}},
        ["ipvsadm -E -t 10.0.0.1:80 -s sh -p 300 -b sh-fallback,sh-port"],
    )
    # Left out is left alone.
    ensure("ipvs_service", WEB, [])
    ensure(
        "ipvs_service",
        {**WEB, "persistence": {"netmask": "255.255.0.0"}},
        ["ipvsadm -E -t 10.0.0.1:80 -s sh -p 300 -M 255.255.0.0 -b sh-fallback,sh-port"],
    )
    ensure(
        "ipvs_service",
        {**WEB, "persistence": {"timeout": 50}},
        ["ipvsadm -E -t 10.0.0.1:80 -s sh -p 50 -M 255.255.0.0 -b sh-fallback,sh-port"],
    )
    # The flags are the scheduler's and go with it.
    ensure("ipvs_service", {**WEB, "scheduler": "mh"}, ["ipvsadm -E -t 10.0.0.1:80 -s mh -p 50 -M 255.255.0.0"])
    ensure("ipvs_service", {**WEB, "persistence": {"timeout": 0}}, ["ipvsadm -E -t 10.0.0.1:80 -s mh"])
    ensure("ipvs_service", {**WEB, "persistence": {}}, ["ipvsadm -E -t 10.0.0.1:80 -s mh -p 300"])
    result = ensure("ipvs_service", {**WEB, "state": "absent"}, ["ipvsadm -D -t 10.0.0.1:80"])
    assert result["diff"] == {"before": "-A -t 10.0.0.1:80 -s mh -p 300\n", "after": ""}
    assert save(sh) == foreign


def test_services_of_every_kind(ensure, sh) -> None:
    sip = {"address": VIP, "port": 5060, "protocol": "udp", "one_packet": True}
    ensure(
        "ipvs_service",
        {**sip, "scheduler": "rr", "persistence": {"timeout": 60, "engine": "sip"}},
        ["ipvsadm -A -u 10.0.0.1:5060 -s rr -p 60 --pe sip -o"],
    )
    ensure("ipvs_service", {**sip, "one_packet": False}, ["ipvsadm -E -u 10.0.0.1:5060 -s rr -p 60 --pe sip"])
    ensure("ipvs_service", {**sip, "persistence": {"engine": "none"}}, ["ipvsadm -E -u 10.0.0.1:5060 -s rr -p 60 -o"])
    ensure(
        "ipvs_service",
        {"address": "fd00:0::1", "port": 0, "protocol": "sctp", "persistence": {"netmask": "64"}},
        ["ipvsadm -A --sctp-service [fd00::1]:0 -s wlc -p 300 -M 64"],
    )
    ensure("ipvs_service", {"fwmark": 10, "family": "ipv6"}, ["ipvsadm -A -f 10 -6 -s wlc"])
    ensure("ipvs_service", {"fwmark": 10}, ["ipvsadm -A -f 10 -s wlc"])
    ensure("ipvs_service", {"fwmark": 10, "family": "ipv6", "state": "absent"}, ["ipvsadm -D -f 10 -6"])
    assert save(sh).splitlines()[-1] == "-A -f 10 -s wlc"


def test_real_server_create_modify_delete(ensure, run_module, sh) -> None:
    sh("ipvsadm -A -t 10.0.0.1:80 && ipvsadm -a -t 10.0.0.1:80 -r 10.9.9.1:80 -g")
    foreign = save(sh)
    one = {"service": WEB, "address": "10.0.0.2"}
    add = "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:80"
    edit = "ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80"
    ensure("ipvs_real_server", one, [f"{add} -g -w 1"])
    ensure("ipvs_real_server", {**one, "forward": "nat", "weight": 0}, [f"{edit} -m -w 0"])
    ensure(
        "ipvs_real_server",
        {**one, "upper_threshold": 10, "lower_threshold": 7},
        [f"{edit} -m -w 0 -x 10 -y 7"],
    )
    assert sh("ipvsadm -Ln --thresholds").splitlines()[-2].split()[1:4] == ["10.0.0.2:80", "10", "7"]
    ensure("ipvs_real_server", {**one, "weight": 5}, [f"{edit} -m -w 5 -x 10 -y 7"])
    ensure("ipvs_real_server", one, [])
    gue = {"type": "gue", "port": 5555, "checksum": "remote"}
    ensure(
        "ipvs_real_server",
        {**one, "forward": "tun", "tunnel": gue, "upper_threshold": 0, "lower_threshold": 0},
        [f"{edit} -i -w 5 --tun-type gue --tun-port 5555 --tun-remcsum"],
    )
    ensure(
        "ipvs_real_server",
        {**one, "tunnel": {"checksum": "on"}},
        [f"{edit} -i -w 5 --tun-type gue --tun-port 5555 --tun-csum"],
    )
    # The port and the checksum were the other tunnel's.
    ensure("ipvs_real_server", {**one, "tunnel": {"type": "gre"}}, [f"{edit} -i -w 5 --tun-type gre --tun-nocsum"])
    ensure("ipvs_real_server", {**one, "forward": "dr"}, [f"{edit} -g -w 5"])
    ensure("ipvs_real_server", {**one, "state": "absent"}, ["ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.2:80"])
    assert save(sh) == foreign
    # Its service is nobody's: a clear error, in check mode a warning.
    result = run_module("ipvs_real_server", {"service": {"fwmark": 7}, "address": "10.0.0.2"})
    assert result["msg"].startswith("service: the IPVS table has no service fwmark 7 ipv4")
    result = run_module("ipvs_real_server", {"service": {"fwmark": 7}, "address": "10.0.0.2"}, check=True)
    assert "ipvsadm -a -f 7 -r 10.0.0.2:0 -g -w 1" in result["changes"]
    assert save(sh) == foreign
    gone = {"service": {"fwmark": 7}, "address": "10.0.0.2", "state": "absent"}
    ensure("ipvs_real_server", gone, [])


def test_real_servers_of_other_families_and_marks(ensure, sh) -> None:
    sh("ipvsadm -A -f 7; ipvsadm -A -t [fd00::1]:80")
    ensure(
        "ipvs_real_server",
        {"service": {"fwmark": 7}, "address": "10.0.0.2", "port": 99, "forward": "nat"},
        ["ipvsadm -a -f 7 -r 10.0.0.2:99 -m -w 1"],
    )
    ensure(
        "ipvs_real_server", {"service": {"fwmark": 7}, "address": "10.0.0.2"}, ["ipvsadm -a -f 7 -r 10.0.0.2:0 -g -w 1"]
    )
    v6 = {"address": "fd00::1", "port": 80}
    ensure(
        "ipvs_real_server",
        {"service": v6, "address": "10.0.0.2", "forward": "tun"},
        ["ipvsadm -a -t [fd00::1]:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip"],
    )
    ensure(
        "ipvs_real_server",
        {"service": v6, "address": "fd00:0::2"},
        ["ipvsadm -a -t [fd00::1]:80 -r [fd00::2]:80 -g -w 1"],
    )


def service(address: str = VIP, servers: list[str] | None = None, **settings: Any) -> dict[str, Any]:
    names = ["10.0.0.2", "10.0.0.3"] if servers is None else servers
    return {"address": address, "port": 80, "real_servers": [{"address": name} for name in names], **settings}


def test_table_create_modify_delete(ensure, sh) -> None:
    sh("ipvsadm -A -t 10.9.9.9:9 && ipvsadm -a -t 10.9.9.9:9 -r 10.9.9.1:9 -m -w 9 -x 3 -y 2")
    foreign = save(sh)
    result = ensure(
        "ipvs_table",
        {"services": [service(), {"fwmark": 3, "real_servers": []}]},
        [
            "ipvsadm -A -t 10.0.0.1:80 -s wlc",
            "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1",
            "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 1",
            "ipvsadm -A -f 3 -s wlc",
        ],
    )
    assert result["unmanaged"] == ["-A -t 10.9.9.9:9 -s wlc"]
    assert result["rules"] == result["diff"]["after"].splitlines()
    # Another real server, one less, one changed, one service less: removals last.
    changed = service(servers=["10.0.0.2", "10.0.0.4"], scheduler="rr")
    changed["real_servers"][0]["weight"] = 7
    result = ensure(
        "ipvs_table",
        {"services": [changed]},
        [
            "ipvsadm -E -t 10.0.0.1:80 -s rr",
            "ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 7",
            "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.4:80 -g -w 1",
            "ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.3:80",
            "ipvsadm -D -f 3",
        ],
    )
    assert result["diff"]["before"].splitlines() == [
        "-A -t 10.0.0.1:80 -s wlc",
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1",
        "-a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 1",
        "-A -f 3 -s wlc",
    ]
    # Real servers left out are left alone.
    ensure("ipvs_table", {"services": [{**WEB, "scheduler": "rr"}]}, [])
    ensure("ipvs_table", {"state": "absent"}, ["ipvsadm -D -t 10.0.0.1:80"])
    assert save(sh) == foreign
    assert sh("ipvsadm -Ln --thresholds").splitlines()[-1].split()[1:4] == ["10.9.9.1:9", "3", "2"]
    assert sh("ls -A /var/lib/lvs-topology") == ""


def test_table_purges_what_it_is_told_to(ensure, sh) -> None:
    for words in ("-t 10.1.0.1:80", "-t 10.2.0.1:80", "-t [fd00::1]:80", "-f 4", "-f 4 -6"):
        sh(f"ipvsadm -A {words}")
    sh("ipvsadm -A -t 10.0.0.1:80 -s wlc && ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.9:80 -g")
    mine = [service(servers=["10.0.0.2"])]
    add, remove = "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1", "ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.9:80"
    result = ensure("ipvs_table", {"services": mine, "purge": []}, [add])
    assert len(result["unmanaged"]) == 5
    ensure("ipvs_table", {"services": mine}, [remove])
    result = ensure("ipvs_table", {"services": mine, "purge": ["10.1.0.0/16"]}, ["ipvsadm -D -t 10.1.0.1:80"])
    assert result["unmanaged"] == [
        "-A -t 10.2.0.1:80 -s wlc",
        "-A -t [fd00::1]:80 -s wlc",
        "-A -f 4 -s wlc",
        "-A -f 4 -6 -s wlc",
    ]
    ensure("ipvs_table", {"services": mine, "purge": ["fwmark"]}, ["ipvsadm -D -f 4", "ipvsadm -D -f 4 -6"])
    # Another owner's is never purged.
    ensure("ipvs_table", {"services": [service("10.2.0.1", [])], "owner": "other"}, [])
    ensure("ipvs_table", {"services": mine, "purge": ["all"]}, ["ipvsadm -D -t [fd00::1]:80"])
    ensure("ipvs_table", {"services": mine, "owner": "other"}, ["ipvsadm -D -t 10.2.0.1:80"])
    # Two owners declare it: it goes with the last one.
    ensure("ipvs_table", {"state": "absent"}, [])
    ensure("ipvs_table", {"state": "absent", "owner": "other"}, ["ipvsadm -D -t 10.0.0.1:80"])
    assert save(sh) == ""


def test_table_absent_takes_away_what_is_listed_too(ensure, sh) -> None:
    sh("ipvsadm -A -t 10.0.0.1:80 && ipvsadm -A -t 10.0.0.7:80")
    ensure("ipvs_table", {"state": "absent", "services": [WEB]}, ["ipvsadm -D -t 10.0.0.1:80"])
    assert save(sh) == "-A -t 10.0.0.7:80 -s wlc\n"


def test_table_keeps_weights(ensure, sh) -> None:
    mine = [service()]
    mine[0]["real_servers"][0]["weight"] = 4
    sh("ipvsadm -A -t 10.0.0.1:80 -s wlc && ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 0")
    ensure(
        "ipvs_table",
        {"services": mine, "keep_weights": True},
        ["ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 1"],
    )
    ensure("ipvs_table", {"services": mine}, ["ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 4"])


def test_what_was_done_by_hand_is_seen_and_repaired(ensure, sh) -> None:
    full = {**service(), "scheduler": "rr", "persistence": {"timeout": 60}}
    for each in full["real_servers"]:
        each.update(forward="nat", weight=2, upper_threshold=5, lower_threshold=4)
    add = [f"ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.{number}:80 -m -w 2 -x 5 -y 4" for number in (2, 3)]
    edit = add[0].replace("-a", "-e", 1)
    ensure("ipvs_table", {"services": [full]}, ["ipvsadm -A -t 10.0.0.1:80 -s rr -p 60", *add])
    right = sh("ipvsadm -Sn; ipvsadm -Ln --thresholds")
    for by_hand, repair in (
        ("ipvsadm -E -t 10.0.0.1:80 -s wlc", ["ipvsadm -E -t 10.0.0.1:80 -s rr -p 60"]),
        ("ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 9 -x 5 -y 4", [edit]),
        ("ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 2", [edit]),
        ("ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 2 -x 5 -y 4", [edit]),
        ("ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.3:80", add[1:]),
        ("ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.8:80 -g", ["ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.8:80"]),
        ("ipvsadm -D -t 10.0.0.1:80", ["ipvsadm -A -t 10.0.0.1:80 -s rr -p 60", *add]),
        ("ipvsadm -C", ["ipvsadm -A -t 10.0.0.1:80 -s rr -p 60", *add]),
    ):
        sh(by_hand)
        ensure("ipvs_table", {"services": [full]}, repair)
        assert sh("ipvsadm -Sn; ipvsadm -Ln --thresholds") == right, by_hand


def connections_so_far(sh) -> int:
    """What the last real server listed has had."""
    return int(sh("ipvsadm -Ln --stats --exact").splitlines()[-1].split()[2])


def test_an_edit_keeps_connections_and_counters(ensure, sh, wire, until) -> None:
    """A connection that is established before the edit goes on after it, to the same real server."""
    wire("rs", "10.1.0.2/24")
    sh("ip address add 10.1.0.1/24 dev br0; ip address add 10.1.0.100/32 dev br0")
    sh("ip -n rs address add 10.1.0.100/32 dev lo && ip netns exec rs sysctl -qw net.ipv4.conf.all.arp_ignore=1")
    wire("client", "10.1.0.9/24")
    vip = {"address": "10.1.0.100", "port": 80}
    ensure(
        "ipvs_table",
        {"services": [{**vip, "real_servers": [{"address": "10.1.0.2"}]}]},
        ["ipvsadm -A -t 10.1.0.100:80 -s wlc", "ipvsadm -a -t 10.1.0.100:80 -r 10.1.0.2:80 -g -w 1"],
    )
    echo = (
        "import socket; s = socket.create_server(('10.1.0.100', 80)); c, _ = s.accept()\n"
        "while (data := c.recv(100)): c.sendall(data)"
    )
    ask = (
        "import socket, sys; s = socket.create_connection(('10.1.0.100', 80), 120); s.settimeout(120)\n"
        "for line in sys.stdin:\n s.sendall(line.encode()); print(s.recv(100).decode(), end='', flush=True)"
    )
    into = ["ip", "netns", "exec"]
    server = subprocess.Popen([*into, "rs", sys.executable, "-c", echo])
    until(lambda: sh("ip netns exec rs ss -Hltn sport = :80"))
    client = subprocess.Popen(
        [*into, "client", sys.executable, "-c", ask],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        client.stdin.write("before\n")
        assert client.stdout.readline() == "before\n"
        deadline = time.monotonic() + 300
        while connections_so_far(sh) != 1:
            assert time.monotonic() < deadline, sh("ipvsadm -Ln --stats --exact")
            time.sleep(0.2)
        active = sh("ipvsadm -Ln").splitlines()[-1].split()[-2:]
        assert active == ["1", "0"]
        ensure(
            "ipvs_table",
            {"services": [{**vip, "scheduler": "rr", "real_servers": [{"address": "10.1.0.2", "weight": 0}]}]},
            ["ipvsadm -E -t 10.1.0.100:80 -s rr", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.2:80 -g -w 0"],
        )
        assert sh("ipvsadm -Ln").splitlines()[-1].split()[-2:] == active
        assert connections_so_far(sh) == 1
        client.stdin.write("after\n")
        assert client.stdout.readline() == "after\n"
    finally:
        for process in (client, server):
            process.kill()
            process.communicate()


BAD = [
    ({**service(), "port": 65536}, "services[0].port: 65536 is not a port from 0 to 65535"),
    ({**service(), "port": 0}, "services[0].port: a service for every port (0) must be persistent"),
    ({"address": VIP}, "services[0].port: missing"),
    ({"port": 80}, "services[0]: a service has either an address (with a port) or a fwmark"),
    ({**WEB, "fwmark": 1}, "services[0]: a service has either an address (with a port) or a fwmark"),
    ({"fwmark": 1, "port": 80}, "services[0].port: a firewall mark service has none"),
    ({"fwmark": 0}, "services[0].fwmark: 0 is not a firewall mark"),
    ({**WEB, "address": "10.0.0.0/24"}, "services[0].address: '10.0.0.0/24' is not an IPv4 or IPv6 address"),
    ({**WEB, "address": "224.0.0.1"}, "services[0].address: 224.0.0.1 is not a unicast address"),
    ({**WEB, "family": "ipv6"}, "services[0].family: 10.0.0.1 is ipv4"),
    ({**WEB, "scheduler": "../rr"}, "services[0].scheduler: '../rr' is not the name of a scheduler"),
    ({**WEB, "scheduler_flags": ["sh-port"]}, "services[0].scheduler_flags: sh-port is no flag of the scheduler wlc"),
    ({**WEB, "scheduler": "mh", "scheduler_flags": ["sh-port"]}, "it knows mh-fallback and mh-port"),
    ({**WEB, "one_packet": True}, "services[0].one_packet: one-packet scheduling is for udp, not tcp"),
    ({**WEB, "persistence": {"timeout": -1}}, "services[0].persistence.timeout: -1 is not a number of seconds from 0"),
    ({**WEB, "persistence": {"netmask": "64"}}, "services[0].persistence.netmask: '64' is not a netmask such as"),
    ({**WEB, "address": "fd00::1", "persistence": {"netmask": "255.0.0.0"}}, "is not a prefix length from 1 to 128"),
    ({**WEB, "persistence": {"timeout": 0, "netmask": "255.0.0.0"}}, "services[0].persistence.netmask: has no meaning"),
    (
        service(servers=["10.0.0.2", "10.0.0.2"]),
        "services[0].real_servers[1]: the same real server as services[0].real_servers[0]",
    ),
    (service(servers=["fd00::2"]), "services[0].real_servers[0].address: fd00::2 is not ipv4 like the service"),
]
BAD_REAL = [
    ({"port": 81}, "port: 81 must be the service's port 80 with forward dr"),
    ({"port": 81, "forward": "tun"}, "port: 81 must be the service's port 80 with forward tun"),
    ({"weight": -1}, "weight: -1 is not a weight from 0 to 2147483647"),
    ({"weight": 2**31}, "weight: 2147483648 is not a weight"),
    ({"upper_threshold": 65536}, "upper_threshold: 65536 is not a threshold from 0 to 65535"),
    ({"lower_threshold": 5}, "lower_threshold: 5 is above the upper threshold 0"),
    ({"tunnel": {"type": "gre"}}, "tunnel: tunnel options need forward tun, not dr"),
    ({"forward": "tun", "tunnel": {"type": "gue"}}, "tunnel.port: a gue tunnel needs the UDP port"),
    ({"forward": "tun", "tunnel": {"port": 5}}, "tunnel.port: only gue tunnels have a port, not ipip"),
    ({"forward": "tun", "tunnel": {"checksum": "on"}}, "tunnel.checksum: on is not possible in ipip tunnels"),
    (
        {"forward": "tun", "tunnel": {"type": "gre", "checksum": "remote"}},
        "tunnel.checksum: remote is not possible in gre",
    ),
    ({"address": "224.0.0.5"}, "address: 224.0.0.5 is not a unicast address"),
    ({"address": "fe80::2%eth0"}, "address: "),
]


def test_bad_input_touches_nothing(run_module, sh) -> None:
    cases = list(BAD)
    for each, message in BAD_REAL:
        one = service(servers=[])
        one["real_servers"] = [{"address": "10.0.0.2", **each}]
        cases.append((one, "services[0].real_servers[0]." + message))
    for bad, message in cases:
        result = run_module("ipvs_table", {"services": [bad, service("10.0.0.8", [])]})
        assert result.get("failed"), bad
        assert message in result["msg"], (bad, result["msg"])
        assert result["msg"].count("services[") in (1, 2), result["msg"]
    result = run_module("ipvs_table", {"services": [WEB, service("10.0.0.8", []), {**WEB, "protocol": "tcp"}]})
    assert result["msg"] == "services[2]: the same service as services[0] (tcp 10.0.0.1:80); name it once"
    result = run_module("ipvs_table", {"services": [], "purge": ["10.0.0.1/8"]})
    assert result["msg"].startswith("purge[0]: 10.0.0.1/8 has host bits set")
    # All mistakes of a call at once, those that only the table shows, too.
    sh("ipvsadm -A -t 10.0.0.7:80 && ipvsadm -a -t 10.0.0.7:80 -r 10.0.0.2:80 -g -x 5")
    bad = service("10.0.0.7", [])
    bad["real_servers"] = [{"address": "10.0.0.2", "lower_threshold": 6}]
    result = run_module("ipvs_table", {"services": [{**WEB, "port": -1}, bad], "owner": "a b"})
    assert result["msg"].startswith("3 mistakes:")
    for part in ("owner: ", "services[0].port: -1", "services[1].real_servers[0].lower_threshold: 6 is above"):
        assert part in result["msg"]
    assert save(sh) == "-A -t 10.0.0.7:80 -s wlc\n-a -t 10.0.0.7:80 -r 10.0.0.2:80 -g -w 1\n"
    assert sh("ls -A /var/lib/lvs-topology") == ""


def test_a_failure_in_the_middle_says_what_was_applied(run_module, sh) -> None:
    mine = [service(f"10.0.0.{number}", ["10.0.1.1"]) for number in (11, 12, 13, 14)]
    mine[2]["scheduler"] = "nosuch"
    sh("ipvsadm -A -t 10.9.9.9:9")
    result = run_module("ipvs_table", {"services": mine, "purge": ["all"]})
    assert "ipvsadm -A -t 10.0.0.13:80 -s nosuch" in result["msg"]
    assert "the module ip_vs_nosuch cannot be loaded" in result["msg"]
    assert "Applied: 4 of 9 changes" in result["msg"]
    assert result["changed"]
    assert [line.split(" ", 1)[1] for line in result["applied"]] == save(sh).splitlines()[:4]
    # Nothing is taken away after a failure.
    assert "-A -t 10.9.9.9:9" in save(sh)
    assert result["remaining"][0] == "ipvsadm -A -t 10.0.0.13:80 -s nosuch"
    assert len(result["remaining"]) == 5
    mine[2]["scheduler"] = "rr"
    result = run_module("ipvs_table", {"services": mine, "purge": ["all"]})
    assert result["changes"] == [
        "ipvsadm -A -t 10.0.0.13:80 -s rr",
        *(
            line
            for line in [
                "ipvsadm -a -t 10.0.0.13:80 -r 10.0.1.1:80 -g -w 1",
                "ipvsadm -A -t 10.0.0.14:80 -s wlc",
                "ipvsadm -a -t 10.0.0.14:80 -r 10.0.1.1:80 -g -w 1",
                "ipvsadm -D -t 10.9.9.9:9",
            ]
        ),
    ]


def test_a_refused_real_server_among_many(run_module, sh) -> None:
    """The kernel goes on with a batch after an error; the report says what took effect all the same."""
    sh("ip link add dummy0 type dummy && ip address add 10.0.0.254/24 dev dummy0 && ip link set dummy0 up")
    # The broadcast address of a network that the director is in: only the kernel knows.
    mine = [service(servers=[f"10.0.0.{number}" for number in (2, 3, 255)] + ["10.0.1.1", "10.0.1.2"])]
    result = run_module("ipvs_table", {"services": mine})
    assert "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.255:80 -g -w 1" in result["msg"]
    assert "only unicast or local addresses" in result["msg"]
    assert [line.split(" ", 1)[1] for line in result["applied"]] == save(sh).splitlines()
    assert len(result["applied"]) == 5
    assert result["remaining"] == ["ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.255:80 -g -w 1"]


def test_without_the_privilege() -> None:
    script = (
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.lvs.topology.plugins.modules import ipvs_service, ipvs_info\n"
        "import sys\n"
        "info, web = (ipvs_info, {}), (ipvs_service, {'address': '10.0.0.1', 'port': 80})\n"
        "module, args = info if sys.argv[1] == 'info' else web\n"
        "with patch_module_args(args): module.main()"
    )
    for what in ("info", "service"):
        done = subprocess.run(
            ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", sys.executable, "-c", script, what],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done
        assert "it needs CAP_NET_ADMIN: run the task with become: true" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr


def test_info(run_module, sh) -> None:
    assert run_module("ipvs_info", {})["services"] == []
    sh("ipvsadm -A -t 10.0.0.1:80 -s sh -b sh-port -p 9 -M 255.255.0.0")
    sh("ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 3 -x 9 -y 2 --tun-type gue --tun-port 5 --tun-csum")
    sh("ipvsadm -A -f 9 -6 && ipvsadm --set 11 12 13")
    before = save(sh)
    for check in (True, False):
        result = run_module("ipvs_info", {}, check=check)
        assert not result.get("changed")
        assert result["loaded"]
        assert f"version {result['version']} (size={result['table_size']})" in sh("ipvsadm -Ln")
        assert result["timeouts"] == {"tcp": 11, "tcpfin": 12, "udp": 13}
        assert as_printed("\n".join(result["rules"])) + "\n" == before
        web, mark = result["services"]
        assert (mark["fwmark"], mark["family"], mark["scheduler"]) == (9, "ipv6", "wlc")
        assert web["persistence"] == {"timeout": 9, "netmask": "255.255.0.0", "engine": "none"}
        assert web["scheduler_flags"] == ["sh-port"]
        (real,) = web["real_servers"]
        assert real["tunnel"] == {"type": "gue", "port": 5, "checksum": "on"}
        assert (real["weight"], real["upper_threshold"], real["lower_threshold"]) == (3, 9, 2)
        assert real["connections"] == {"active": 0, "inactive": 0, "persistent": 0}
    assert [each["port"] for each in run_module("ipvs_info", {"address": "10.0.0.1"})["services"]] == [80]
    assert run_module("ipvs_info", {"protocol": "udp"})["services"] == []
    assert [each["fwmark"] for each in run_module("ipvs_info", {"family": "ipv6"})["services"]] == [9]
    assert run_module("ipvs_info", {"port": 0})["services"] == []
    assert save(sh) == before


def test_what_info_returns_is_what_table_takes(run_module, sh) -> None:
    sh(
        "ipvsadm -A -t 10.0.0.1:80 -s sh -b sh-port -p 9 -M 255.255.0.0 && "
        "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 3"
    )
    sh("ipvsadm -A -f 9 -6 -s rr && ipvsadm -a -f 9 -6 -r [fd00::2]:0 -i")
    before = save(sh)
    services = run_module("ipvs_info", {})["services"]
    for each in services:
        each.pop("counters")
        if not each["persistence"]["timeout"]:
            each["persistence"] = {"timeout": 0}
        if "fwmark" not in each:
            each.pop("family")
        for real in each["real_servers"]:
            real.pop("counters")
            real.pop("connections")
            if real["tunnel"]:
                real["tunnel"] = {"type": real["tunnel"]["type"]}
    result = run_module("ipvs_table", {"services": services})
    assert result["changes"] == []
    sh("ipvsadm -C")
    run_module("ipvs_table", {"services": services})
    assert save(sh) == before


BIG_SERVICES = 40
BIG = BIG_SERVICES * 100


def big_table(weight: int) -> dict[str, Any]:
    return {
        "services": [
            {
                "address": f"10.1.0.{number}",
                "port": 80,
                "scheduler": "rr",
                "real_servers": [
                    {"address": f"10.2.{number}.{last}", "forward": "nat", "weight": weight} for last in range(1, 101)
                ],
            }
            for number in range(1, BIG_SERVICES + 1)
        ]
    }


def any_written(weight: int) -> bool:
    """Whether real servers have this weight already, by a look that costs next to nothing: the start of the listing."""
    with open("/proc/net/ip_vs", "rb", buffering=0) as listing:
        # Each read gives a service or two.
        start = b"".join(listing.read(1 << 16) for _number in range(15))
    return re.search(rb" Masq +%d " % weight, start) is not None


@pytest.mark.slow
def test_killed_in_the_middle_twenty_times(spawn_module, run_module, sh) -> None:
    """SIGKILL at a random moment of a bulk change: a re-run converges, and what is not ours is as it was.

    How long a change takes is the machine's affair: it is killed until enough kills were in the middle.
    """
    sh("ipvsadm -A -t 10.9.9.9:9 && ipvsadm -a -t 10.9.9.9:9 -r 10.9.9.1:9 -m -w 999 -x 3 -y 2")
    sh("ipvsadm -A -f 9 -p 77")
    foreign = save(sh)
    chance = random.Random(20)  # noqa: S311, no secret
    in_the_middle, weight = 0, 0
    while weight < 20 or in_the_middle < 3:
        weight += 1
        assert weight <= 200, f"{in_the_middle} of 200 kills were in the middle"
        if weight % 5 == 1:  # into an empty table; otherwise edits of a full one
            assert not run_module("ipvs_table", {"state": "absent"}).get("failed")
            assert save(sh) == foreign
        process = spawn_module("ipvs_table", big_table(weight))
        mark = f" -m -w {weight}\n"
        deadline = time.monotonic() + 600
        # Wait until the kernel has one of the changes, then for a random part of what the rest takes.
        while not any_written(weight):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.04))
        process.kill()
        process.communicate()
        written = save(sh).count(mark)
        in_the_middle += 0 < written < BIG
        result = run_module("ipvs_table", big_table(weight))
        assert not result.get("failed"), result["msg"]
        assert len([line for line in result["changes"] if "-r" in line]) == BIG - written
        table = save(sh)
        assert table.count(mark) == BIG
        assert table.count("\n") == BIG + BIG_SERVICES + foreign.count("\n")
        assert all(line in table for line in foreign.splitlines())
    assert run_module("ipvs_table", big_table(weight))["changes"] == []
    print(f"{in_the_middle} of {weight} kills were in the middle")
    run_module("ipvs_table", {"state": "absent"})
    assert save(sh) == foreign
    assert sh("ipvsadm -Ln --thresholds").splitlines()[-2].split()[1:4] == ["10.9.9.1:9", "3", "2"]
