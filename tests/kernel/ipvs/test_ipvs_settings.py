# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IPVS has besides its table, judged by ipvsadm: timeouts, synchronisation daemons, counters, connections."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

LEDGER = Path("/var/lib/lvs-topology/ledger.json")


def timeouts(sh) -> list[int]:
    return [int(word) for word in sh("ipvsadm -Ln --timeout").split(":")[1].split()]


def daemons(sh) -> list[str]:
    """Each as ipvsadm prints it, cut down to its words."""
    return [line for line in sh("ipvsadm -Ln --daemon").splitlines() if line]


@pytest.fixture
def ensure(run_module, sh):
    """Run a module in check mode, really and once more: the prediction is exact, and the second run changes nothing."""

    def run(name: str, args: dict[str, Any], changes: list[str]) -> dict[str, Any]:
        look = "ipvsadm -Ln --timeout; ipvsadm -Ln --daemon; cat /var/lib/lvs-topology/* 2>/dev/null || true"
        before = sh(look)
        predicted = run_module(name, args, check=True)
        assert sh(look) == before
        result = run_module(name, args)
        assert "failed" not in result, result
        assert {**predicted, "invocation": 0} == {**result, "invocation": 0}
        assert result["changes"] == changes
        assert result["changed"] == bool(changes)
        after = sh(look)
        again = run_module(name, args)
        assert (again["changed"], again["changes"]) == (False, [])
        assert "diff" not in again
        assert sh(look) == after
        return result

    return run


@pytest.fixture
def nic(sh) -> None:
    """A NIC with both families, and an MTU above Ethernet's."""
    sh("modprobe ipv6 && ip link add eth1 mtu 9000 type veth peer name peer mtu 9000")
    sh("ip link set peer up && ip link set eth1 up")
    sh("ip address add 10.0.0.1/24 dev eth1 && ip address add fd00::1/64 dev eth1 nodad")


# Timeouts


def test_timeouts(ensure, sh) -> None:
    assert timeouts(sh) == [900, 120, 300]
    result = ensure("ipvs_timeouts", {"tcp": 7200, "udp": 60}, ["ipvsadm --set 7200 0 60"])
    assert result["diff"] == {"before": "--set 900 120 300\n", "after": "--set 7200 120 60\n"}
    assert timeouts(sh) == [7200, 120, 60]
    # Left out and 0 are left alone, and what is right already is nobody's.
    ensure("ipvs_timeouts", {"tcpfin": 120, "udp": 0}, [])
    assert "tcpfin" not in LEDGER.read_text()
    # By hand, then put right.
    sh("ipvsadm --set 1 2 3")
    result = ensure("ipvs_timeouts", {"tcp": 7200, "tcpfin": 30}, ["ipvsadm --set 7200 30 0"])
    assert result["left_over"] == ["udp"]
    ensure("ipvs_timeouts", {"tcp": 7200, "tcpfin": 30, "purge": True}, ["ipvsadm --set 0 0 300"])
    # Another owner wants one of them too: it stays.
    ensure("ipvs_timeouts", {"tcp": 7200, "owner": "other"}, [])
    ensure("ipvs_timeouts", {"state": "absent"}, ["ipvsadm --set 0 2 0"])
    assert timeouts(sh) == [7200, 2, 300]
    ensure("ipvs_timeouts", {"state": "absent", "owner": "other"}, ["ipvsadm --set 900 0 0"])
    assert not LEDGER.exists()


def test_timeouts_out_of_range_touch_nothing(run_module, sh) -> None:
    result = run_module("ipvs_timeouts", {"tcp": -1, "tcpfin": 2678401, "udp": 5})
    assert result["msg"] == (
        "2 mistakes: (1) tcp: -1 is not a number of seconds from 0 to 2678400 "
        "(2) tcpfin: 2678401 is not a number of seconds from 0 to 2678400"
    )
    # The longest and the shortest that both take.
    for seconds in (2678400, 1):
        assert "failed" not in run_module("ipvs_timeouts", {"tcp": seconds, "tcpfin": seconds, "udp": seconds})
        assert timeouts(sh) == [seconds] * 3


# Synchronisation daemons

MASTER = "ipvsadm --start-daemon master --mcast-interface eth1 --syncid 5 --sync-maxlen 1472"
BACKUP = "ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 5 --sync-maxlen 8972"
V4 = " --mcast-group 224.0.0.81 --mcast-port 8848 --mcast-ttl 1"


@pytest.mark.usefixtures("nic")
def test_sync_daemons(ensure, sh) -> None:
    master = {"state": "master", "interface": "eth1", "syncid": 5}
    backup = {**master, "state": "backup"}
    result = ensure("ipvs_sync_daemon", {"daemons": [backup, master]}, [MASTER + V4, BACKUP + V4])
    assert result["diff"]["after"].splitlines()[1] == (BACKUP + V4).replace("ipvsadm ", "")
    both = ["(mcast=eth1, syncid=5, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)"]
    both.append(both[0].replace("1472", "8972"))
    assert daemons(sh) == [f"{state} sync daemon {words}" for state, words in zip(("master", "backup"), both)]
    # One is changed, and the other keeps its thread.
    threads = sh("ps ax -o pid,comm | grep ipvs-b")
    other = {**master, "group": "ff02::81", "port": 9000, "ttl": 7, "maxlen": 1400, "syncid": 255}
    ensure(
        "ipvs_sync_daemon",
        {"daemons": [other, backup]},
        [
            "ipvsadm --stop-daemon master",
            "ipvsadm --start-daemon master --mcast-interface eth1 --syncid 255 --sync-maxlen 1400"
            " --mcast-group ff02::81 --mcast-port 9000 --mcast-ttl 7",
        ],
    )
    assert daemons(sh)[0] == (
        "master sync daemon (mcast=eth1, syncid=255, maxlen=1400, group=ff02::81, port=9000, ttl=7)"
    )
    assert sh("ps ax -o pid,comm | grep ipvs-b") == threads
    assert ensure("ipvs_sync_daemon", {"daemons": [other]}, [])["left_over"] == ["backup"]
    ensure("ipvs_sync_daemon", {"daemons": [other], "purge": True}, ["ipvsadm --stop-daemon backup"])
    ensure("ipvs_sync_daemon", {"state": "absent"}, ["ipvsadm --stop-daemon master"])
    assert daemons(sh) == []
    assert not LEDGER.exists()


@pytest.mark.usefixtures("nic")
def test_a_daemon_that_was_there_before_comes_back(ensure, sh) -> None:
    sh("ipvsadm --start-daemon master --mcast-interface eth1 --syncid 9")
    ours = {"state": "master", "interface": "eth1", "syncid": 5}
    # Right already: the operator's.
    ensure("ipvs_sync_daemon", {"daemons": [{**ours, "syncid": 9}]}, [])
    assert ensure("ipvs_sync_daemon", {"state": "absent", "daemons": [ours]}, [])["left_alone"] == ["master"]
    before = daemons(sh)
    ensure("ipvs_sync_daemon", {"daemons": [ours]}, ["ipvsadm --stop-daemon master", MASTER + V4])
    ensure(
        "ipvs_sync_daemon",
        {"state": "absent"},
        ["ipvsadm --stop-daemon master", (MASTER + V4).replace("syncid 5", "syncid 9")],
    )
    assert daemons(sh) == before
    assert not LEDGER.exists()


@pytest.mark.usefixtures("nic")
def test_a_daemon_that_is_stopped_at_once(run_module, sh) -> None:
    """Its thread has not run yet, so netlink acknowledges nothing: no task may wait for that."""
    args = {"daemons": [{"state": "master", "interface": "eth1"}]}
    for _turn in range(8):
        for each in (args, {"state": "absent"}):
            result = run_module("ipvs_sync_daemon", each)
            assert result.get("changed"), result
        assert daemons(sh) == []


BAD_DAEMONS = [
    ({"interface": None}, "daemons[0].interface: missing"),
    ({"interface": "eth9"}, "daemons[0].interface: the interface eth9 does not exist; there are eth1, lo"),
    ({"syncid": 256}, "daemons[0].syncid: 256 is not a sync id from 0 to 255"),
    ({"syncid": -1}, "daemons[0].syncid: -1 is not a sync id"),
    ({"port": 0}, "daemons[0].port: 0 is not a port from 1 to 65535"),
    ({"ttl": 0}, "daemons[0].ttl: 0 is not a ttl from 1 to 255"),
    ({"ttl": 256}, "daemons[0].ttl: 256 is not a ttl"),
    ({"group": "10.0.0.1"}, "daemons[0].group: 10.0.0.1 is not a multicast address"),
    ({"group": "fd00::1"}, "daemons[0].group: fd00::1 is not a multicast address"),
    ({"group": "all"}, "daemons[0].group: 'all' is not an IPv4 or IPv6 address"),
    ({"maxlen": 65508}, "daemons[0].maxlen: 65508 is not a length of a master's messages from 1 to 65507"),
    ({"maxlen": 65488, "group": "ff02::81"}, "from 1 to 65487"),
    ({"maxlen": 1023, "state": "backup"}, "1023 is not a length of a backup's messages from 1024 to 65507"),
]


@pytest.mark.usefixtures("nic")
def test_daemons_that_cannot_be(run_module, sh, stop_daemon) -> None:
    good = {"state": "master", "interface": "eth1", "syncid": 1}
    for bad, message in BAD_DAEMONS:
        result = run_module("ipvs_sync_daemon", {"daemons": [{**good, **bad}]})
        assert message in result["msg"], (bad, result)
    twice = run_module("ipvs_sync_daemon", {"daemons": [good, good]})
    assert twice["msg"].startswith("daemons[1]: daemons[0] is a master too")
    assert daemons(sh) == []
    assert not LEDGER.exists()
    # The ranges are the kernel's: it takes the limits as they are, and makes something else of what is beyond.
    for words, printed in (
        ("master --sync-maxlen 1", 1),
        ("master --sync-maxlen 65507", 65507),
        ("backup --sync-maxlen 1023", 1024),
        ("backup --sync-maxlen 1024", 1024),
        ("backup --sync-maxlen 65507 --mcast-group ff02::81", 65487),
    ):
        sh(f"ipvsadm --start-daemon {words} --mcast-interface eth1")
        assert f"maxlen={printed}," in daemons(sh)[0], words
        stop_daemon(words.split()[0])


@pytest.mark.usefixtures("nic")
def test_the_kernel_refuses_a_daemon_for_mixed_families(run_module, sh) -> None:
    sh("ipvsadm -A -t [fd00::9]:80 && ipvsadm -a -t [fd00::9]:80 -r 10.0.0.2:80 -i")
    result = run_module("ipvs_sync_daemon", {"daemons": [{"state": "master", "interface": "eth1"}]})
    assert "The kernel refused `ipvsadm --start-daemon master --mcast-interface eth1 " in result["msg"]
    assert "another address family than its service" in result["msg"]
    assert "EINVAL" in result["msg"]
    # And the other way round.
    sh("ipvsadm -C && ipvsadm --start-daemon backup --mcast-interface eth1 && ipvsadm -A -t [fd00::9]:80")
    mixed = {"service": {"address": "fd00::9", "port": 80}, "address": "10.0.0.2", "forward": "tun"}
    assert "no sync daemon" in run_module("ipvs_real_server", mixed)["msg"]


@pytest.mark.usefixtures("nic")
def test_an_interface_that_is_gone_is_not_needed_to_stop(run_module, ensure, sh) -> None:
    sh("ip link add eth2 type dummy && ip link set eth2 up && ip address add 10.9.0.1/24 dev eth2")
    sh("ipvsadm --start-daemon master --mcast-interface eth2")
    run_module("ipvs_sync_daemon", {"daemons": [{"state": "master", "interface": "eth1"}]})
    sh("ip link del eth2")
    result = ensure("ipvs_sync_daemon", {"state": "absent"}, ["ipvsadm --stop-daemon master"])
    assert "eth2 does not exist any more" in str(result["warnings"])


# Counters and connections


@pytest.fixture
def traffic(sh, wire) -> Callable[[int], None]:
    """A director with a UDP service of each family, and a client that sends datagrams to both."""
    sh("modprobe ipv6")
    wire("rs", "10.1.0.2/24", "fd01::2/64")
    wire("client", "10.1.0.9/24", "fd01::9/64")
    for address in ("10.1.0.1/24", "10.1.0.100/32", "fd01::1/64", "fd01::100/128"):
        sh(f"ip address add {address} dev br0" + (" nodad" if ":" in address else ""))
    for vip, real in (("10.1.0.100", "10.1.0.2"), ("[fd01::100]", "[fd01::2]")):
        sh(f"ipvsadm -A -u {vip}:53 -s rr && ipvsadm -a -u {vip}:53 -r {real}:53 -g")
    script = (
        "import socket, sys\n"
        "for _n in range(int(sys.argv[1])):\n"
        " for family, vip in ((socket.AF_INET, '10.1.0.100'), (socket.AF_INET6, 'fd01::100')):\n"
        "  socket.socket(family, socket.SOCK_DGRAM).sendto(b'x' * 10, (vip, 53))\n"
    )
    Path("/tmp/send.py").write_text(script)
    return lambda count: sh(f"ip netns exec client python3 /tmp/send.py {count}")


def told(info: dict[str, Any]) -> set[str]:
    """What a result has besides what Ansible adds to each; warnings stay in this process from test to test."""
    return set(info) - {"invocation", "warnings"}


def counted(sh) -> list[list[str]]:
    """The counters of services and real servers in ipvsadm's order."""
    return [line.split()[2:] for line in sh("ipvsadm -Ln --stats --exact").splitlines()[3:]]


def wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_counters_are_zeroed(ensure, run_module, traffic, sh) -> None:
    traffic(3)
    wait_until(lambda: all(row[:2] == ["3", "3"] for row in counted(sh)))
    # The kernel sums up the total at another time.
    wait_until(lambda: run_module("ipvs_info", {"gather_subset": ["services"]})["total"]["inpkts"] == 6)
    info = run_module("ipvs_info", {"gather_subset": ["services"]})
    assert told(info) == {"loaded", "services", "rules", "total"}
    assert info["total"]["conns"] == 6
    rates = [line.split()[2:] for line in sh("ipvsadm -Ln --rate --exact").splitlines()[3:]]
    for service in info["services"]:
        for each in (service, *service["real_servers"]):
            ours = [each["counters"][name] for name in ("conns", "inpkts", "outpkts", "inbytes", "outbytes")]
            assert list(map(str, ours)) in counted(sh)
    assert len(rates) == 4
    one = {"address": "10.1.0.100", "port": 53, "protocol": "udp"}
    result = ensure("ipvs_zero", one, ["ipvsadm -Z -u 10.1.0.100:53"])
    assert result["diff"]["before"] == "udp 10.1.0.100:53: 3 conns, 3 inpkts, 114 inbytes\n"
    assert [row[0] for row in counted(sh)] == ["0", "0", "3", "3"]
    ensure("ipvs_zero", {}, ["ipvsadm -Z"])
    assert [row[0] for row in counted(sh)] == ["0"] * 4
    assert Path("/proc/net/ip_vs_stats").read_text().splitlines()[2].split() == ["0"] * 5
    missing = run_module("ipvs_zero", {**one, "port": 54})
    assert missing["msg"] == "address: the IPVS table has no service udp 10.1.0.100:54"


def test_connections(run_module, traffic, sh) -> None:
    sh("ipvsadm -E -u 10.1.0.100:53 -s rr -p 60 -M 255.255.255.0")
    traffic(5)
    listed = [line.split() for line in sh("ipvsadm -Lnc").splitlines()[2:]]
    assert len(listed) == 11  # with the template of the persistent service
    info = run_module("ipvs_info", {"gather_subset": ["connections"]})
    assert told(info) == {"loaded", "connections", "connection_count", "connection_states"}
    assert info["connection_count"] == 11
    assert info["connection_states"] == Counter(words[2] for words in listed)

    def end(address: str, port: int) -> str:
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    ours = sorted(
        (
            each["protocol"].upper(),
            each["state"],
            end(each["client"], each["client_port"]),
            end(each["address"], each["port"]),
            end(each["real_server"], each["real_server_port"]),
        )
        for each in info["connections"]
    )
    assert ours == sorted((words[0], words[2], *words[3:6]) for words in listed)
    for each in info["connections"]:
        assert 0 <= each["expires"] <= 300
        assert each["engine"] is None

    def count(connection_filter: dict[str, Any] | None = None, **services: Any) -> int:
        args = {"gather_subset": ["connections"], "connection_limit": 2, "connection_filter": connection_filter}
        result = run_module("ipvs_info", {**args, **services})
        assert len(result["connections"]) == min(2, result["connection_count"])
        assert sum(result["connection_states"].values()) == result["connection_count"]
        return int(result["connection_count"])

    assert count(address="10.1.0.100") == 6
    assert count(address="fd01:0::100", port=53, protocol="udp", family="ipv6") == 5
    assert count(protocol="tcp") == count(port=54) == count({"real_server": "10.1.0.3"}) == 0
    assert count({"real_server": "fd01::2", "real_server_port": 53}) == 5
    assert count({"client": "10.1.0.0/24"}) == 6
    assert count({"client": "10.1.0.9"}) == count({"client": "fd01::/64"}) == 5
    assert count({"state": ["udp"]}) == 10
    assert count({"origin": "local"}) == count({"origin": "any"}) == 11
    assert count({"origin": "sync"}) == 0
    (one,) = run_module(
        "ipvs_info",
        {"gather_subset": ["connections"], "connection_filter": {"origin": "local"}, "connection_limit": 1},
    )["connections"]
    assert one["origin"] == "local"
    assert "engine" not in one
    bad = run_module(
        "ipvs_info",
        {"gather_subset": ["connections"], "fwmark": 3, "port": 65536, "connection_filter": {"client": "10.0.0.1/8"}},
    )
    for part in (
        "3 mistakes",
        "fwmark: connections do not tell",
        "port: 65536",
        "connection_filter.client: 10.0.0.1/8",
    ):
        assert part in bad["msg"]


def test_a_sip_call_tells_its_id(run_module, sh, wire) -> None:
    wire("rs", "10.1.0.2/24")
    wire("client", "10.1.0.9/24")
    sh("ip address add 10.1.0.1/24 dev br0; ip address add 10.1.0.100/32 dev br0")
    sh("ipvsadm -A -u 10.1.0.100:5060 -s rr -p 60 --pe sip && ipvsadm -a -u 10.1.0.100:5060 -r 10.1.0.2:5060 -g")
    script = (
        "import socket\n"
        "call = b'INVITE sip:a@b SIP/2.0\\r\\nCall-ID: a84b4c76e66710@pc33\\r\\n\\r\\n'\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(call, ('10.1.0.100', 5060))\n"
    )
    Path("/tmp/sip.py").write_text(script)
    sh("ip netns exec client python3 /tmp/sip.py")
    found = run_module("ipvs_info", {"gather_subset": ["connections"]})["connections"]
    engines = {(each["engine"], each["engine_data"]) for each in found if each["engine"]}
    assert engines == {("sip", "a84b4c76e66710@pc33")}
    assert "a84b4c76e66710@pc33" in sh("ipvsadm -Lnc --persistent-conn")


@pytest.mark.usefixtures("nic")
def test_info_tells_of_daemons(run_module, sh) -> None:
    sh("ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 3 --mcast-group ff02::81")
    info = run_module("ipvs_info", {"gather_subset": ["settings"]})
    assert told(info) == {"loaded", "version", "table_size", "timeouts", "daemons"}
    (daemon,) = info["daemons"]
    words = ", ".join(f"{name}={daemon[name]}" for name in ("syncid", "maxlen", "group", "port", "ttl"))
    assert daemons(sh) == [f"{daemon['state']} sync daemon (mcast={daemon['interface']}, {words})"]
    # What it tells is what the module takes.
    assert run_module("ipvs_sync_daemon", {"daemons": info["daemons"]})["changes"] == []
    assert run_module("ipvs_timeouts", info["timeouts"])["changes"] == []


def test_two_modules_at_once_lose_no_claim(spawn_module, sh) -> None:
    sh("ip link add dummy0 type dummy && ip link set dummy0 up")
    tasks = [
        spawn_module("vip_address", {"addresses": [{"address": "10.0.0.100/32", "interface": "dummy0"}]}),
        spawn_module("ipvs_timeouts", {"tcp": 500}),
        spawn_module("sysctl_profile", {"values": {"net.ipv4.conf.dummy0.arp_ignore": "1"}}),
        spawn_module("ipvs_table", {"services": [{"address": "10.0.0.100", "port": 80}]}),
    ]
    for task in tasks:
        output, _errors = task.communicate(timeout=600)
        assert json.loads(output)["changed"], output
    assert set(json.loads(LEDGER.read_text())) == {"version", "address", "timeout", "sysctl", "service"}
    assert [path.name for path in LEDGER.parent.iterdir()] == ["ledger.json"]


def test_the_words_are_those_that_ipvsadm_reads(sh, run_module, stop_daemon) -> None:
    """Every command that a result shows can be typed."""
    sh("ip link add eth1 type dummy && ip link set eth1 up")
    changes = run_module("ipvs_timeouts", {"tcp": 5})["changes"]
    changes += run_module("ipvs_sync_daemon", {"daemons": [{"state": "backup", "interface": "eth1"}]})["changes"]
    stop_daemon("backup")
    sh("ipvsadm --set 900 120 300")
    for line in changes:
        assert re.match(r"ipvsadm --(set|start-daemon) ", line)
        sh(line)
    assert timeouts(sh) == [5, 120, 300]
    assert len(daemons(sh)) == 1
