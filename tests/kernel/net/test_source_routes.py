# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""source_route on a real kernel, judged by ip, and by what a client is told in a handshake."""

from __future__ import annotations

import errno
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

LEDGER = Path("/var/lib/lvs-topology/ledger.json")
VIPS = [{"source": "10.0.0.100", "advmss": 1440}, {"source": "fd00::100", "advmss": 1400}]
CHANGES = [
    "ip route replace default via 10.0.0.9 dev br0 table 11440 advmss 1440",
    "ip route replace 10.0.0.0/24 dev br0 proto kernel scope link src 10.0.0.2 table 11440 advmss 1440",
    "ip route replace 192.0.2.0/24 proto static metric 7 table 11440 advmss 1440 "
    "nexthop via 10.0.0.8 dev br0 weight 1 nexthop via 10.0.0.9 dev br0 weight 2",
    "ip -6 route replace fd00::/64 dev br0 proto kernel metric 256 table 11400 advmss 1400",
    "ip -6 route replace default via fd00::9 dev br0 metric 1024 table 11400 advmss 1400",
    "ip rule add from 10.0.0.100 lookup 11440 priority 32100",
    "ip -6 rule add from fd00::100 lookup 11400 priority 32100",
]


def state(sh) -> str:
    tables = "ip route show table all; ip -6 route show table all"
    return sh(f"ip rule; ip -6 rule; ({tables}) | grep -v -E 'fe80|ff00|table local'")


def both(run_module, args: dict) -> dict:
    """Check, run, run again: the prediction holds and the second run changes nothing."""
    predicted = run_module("source_route", args, check=True)
    result = run_module("source_route", args)
    assert not result.get("failed"), result
    for key in ("changed", "changes", "diff"):
        assert result.get(key) == predicted.get(key), key
    again = run_module("source_route", args)
    assert (again["changed"], again["changes"]) == (False, [])
    return result


@pytest.fixture(autouse=True)
def _routes(wire, sh) -> None:
    wire("client", "10.0.0.1/24", "fd00::1/64")
    sh("ip address add 10.0.0.2/24 dev br0 && ip address add fd00::2/64 dev br0 nodad")
    sh("ip route add default via 10.0.0.9 && ip -6 route add default via fd00::9 dev br0")
    hops = "nexthop via 10.0.0.8 weight 1 nexthop via 10.0.0.9 weight 2"
    sh(f"ip route add 192.0.2.0/24 proto static metric 7 {hops}")


def test_tables_come_and_go(run_module, sh) -> None:
    before = state(sh)
    result = both(run_module, {"source_routes": VIPS})
    assert sorted(result["changes"]) == sorted(CHANGES)
    assert "from 10.0.0.100 lookup 11440" in sh("ip rule")
    assert "advmss 1440" in sh("ip route get 192.0.2.1 from 10.0.0.100 2>&1; ip route show table 11440")

    # The main table changes: so does the copy, and only what differs.
    sh("ip route replace default via 10.0.0.8 && ip route del 192.0.2.0/24 metric 7")
    followed = both(run_module, {"source_routes": VIPS})["changes"]
    assert followed[0] == CHANGES[0].replace("10.0.0.9", "10.0.0.8")
    assert followed[1].startswith("ip route del 192.0.2.0/24 ")
    assert len(followed) == 2

    # Another size is another table, and the old one is emptied behind it.
    smaller = both(run_module, {"source_routes": [{**VIPS[0], "advmss": 1400}, VIPS[1]]})["changes"]
    assert smaller.index("ip rule add from 10.0.0.100 lookup 11400 priority 32100") < smaller.index(
        "ip rule del from 10.0.0.100 lookup 11440 priority 32100"
    )
    assert sh("ip route show table 11440 2>/dev/null") == ""
    sh("ip rule del from 10.0.0.100")
    assert len(both(run_module, {"source_routes": [{**VIPS[0], "advmss": 1400}, VIPS[1]]})["changes"]) == 1
    kept = run_module("source_route", {"source_routes": VIPS[1:]})
    assert (kept["changed"], kept["left_over"]) == (False, ["from 10.0.0.100"])
    both(run_module, {"source_routes": VIPS[1:], "purge": True})
    both(run_module, {"state": "absent"})
    sh("ip route replace default via 10.0.0.9")
    sh("ip route add 192.0.2.0/24 proto static metric 7 nexthop via 10.0.0.8 weight 1 nexthop via 10.0.0.9 weight 2")
    assert state(sh) == before
    assert not LEDGER.exists()


def test_clients_are_told(run_module, sh, until) -> None:
    for vip in VIPS:
        sh(f"ip address add {vip['source']} dev lo")
    sh("ip -n client route add 10.0.0.100 via 10.0.0.2 && ip -n client -6 route add fd00::100 via fd00::2")
    sh("python3 -m http.server --bind :: 80 >/dev/null 2>&1 & echo $! >/tmp/server.pid")
    until(lambda: sh("ss -Hltn sport = :80"))
    run_module("source_route", {"source_routes": VIPS})
    with open("/tmp/handshakes", "wb") as output, open("/tmp/listens", "wb") as said:
        filters = "(tcp and src port 80) or (ip6 and src host fd00::100) or (ip6 and src host fd00::2)"
        watcher = subprocess.Popen(["tcpdump", "-l", "-n", "-i", "br0", filters], stdout=output, stderr=said)
    until(lambda: "listening on" in Path("/tmp/listens").read_text())
    for address in ("10.0.0.100", "[fd00::100]", "10.0.0.2"):
        sh(f"ip netns exec client curl --silent --max-time 120 http://{address}/ >/dev/null")
    sh("kill $(cat /tmp/server.pid)")

    def told() -> dict[str, str]:
        seen = Path("/tmp/handshakes").read_text()
        return dict(re.findall(r"IP6? (\S+)\.80 > .*Flags \[S\.\].*mss (\d+)\b.*\n", seen))

    until(lambda: len(told()) == 3)
    watcher.terminate()
    watcher.wait(300)
    # The host's own address is not concerned.
    assert told() == {"10.0.0.100": "1440", "fd00::100": "1400", "10.0.0.2": "1460"}


def test_what_the_kernel_learned_of_a_path_is_no_route(run_module, sh, wire) -> None:
    """Behind the router is a link that carries less; it says so to whoever sends too much, and the kernel remembers."""
    wire("router", "10.0.0.9/24", "fd00::9/64")
    sh("ip netns exec router sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    sh("ip -n router link add narrow mtu 1300 up type dummy")
    sh("ip -n router route add 198.51.100.0/24 dev narrow && ip -n router route add 2001:db8::/64 dev narrow")
    for vip, version, back in ((VIPS[0], "-4", "10.0.0.2"), (VIPS[1], "-6", "fd00::2")):
        sh(f"ip address add {vip['source']} dev lo && ip -n router {version} route add {vip['source']} via {back}")
    result = both(run_module, {"source_routes": VIPS})
    for source in ("10.0.0.2", "fd00::2", *(vip["source"] for vip in VIPS)):
        _send_too_much(source)
    learned = sh("ip -4 route show table all cache; ip -6 route show table all cache")
    assert learned.count("mtu 1300") == 4, learned
    assert run_module("source_route", {"source_routes": VIPS})["changes"] == []
    # The same where they were learned before.
    gone = both(run_module, {"state": "absent"})
    assert len(gone["changes"]) == len(result["changes"])
    assert sorted(both(run_module, {"source_routes": VIPS})["changes"]) == sorted(result["changes"])


def _send_too_much(source: str) -> None:
    family, level, option, destination = (
        (socket.AF_INET6, socket.IPPROTO_IPV6, 23, "2001:db8::1")  # IPV6_MTU_DISCOVER
        if ":" in source
        else (socket.AF_INET, socket.IPPROTO_IP, 10, "198.51.100.1")  # IP_MTU_DISCOVER
    )
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(level, option, 2)  # never fragment
        sender.bind((source, 0))
        for _attempt in range(600):
            try:
                sender.sendto(bytes(1400), (destination, 9))
            except OSError as problem:
                if problem.errno != errno.EMSGSIZE:
                    raise
                return
            time.sleep(0.1)
    raise AssertionError(f"{source} was never told of the smaller MTU")


def test_the_script_copies_what_is_there_at_boot(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    fresh = state(sh)
    run_module("boot_restore", {"source_routes": VIPS})
    run_module("source_route", {"source_routes": VIPS})
    live = state(sh)
    assert sh("/etc/lvs-topology/restore 2>&1") == ""
    assert state(sh) == live
    run_module("source_route", {"state": "absent"})
    assert state(sh) == fresh
    # The gateway is another one by now.
    sh("ip route replace default via 10.0.0.8")
    assert sh("/etc/lvs-topology/restore 2>&1") == ""
    assert "default via 10.0.0.8" in sh("ip route show table 11440")
    assert run_module("source_route", {"source_routes": VIPS})["changes"] == []


def test_the_first_of_two_nics_in_one_subnet_counts(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    sh("ip link add second up type dummy && ip address add 10.0.0.3/24 dev second")
    sh("ip -6 address add fd00::3/64 dev second nodad")
    assert "10.0.0.0/24 dev second" in sh("ip route")
    assert "fd00::/64 dev second" in sh("ip -6 route")
    result = both(run_module, {"source_routes": VIPS})
    assert sorted(result["changes"]) == sorted(CHANGES)
    run_module("boot_restore", {"source_routes": VIPS})
    live = state(sh)
    sh("ip route flush table 11440 && ip -6 route flush table 11400")
    assert sh("/etc/lvs-topology/restore 2>&1") == ""
    assert state(sh) == live


def test_a_table_of_others_is_left_to_them(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    theirs = "ip route show table 11440 2>/dev/null"
    sh("ip route add 198.51.100.0/24 via 10.0.0.8 table 11440 && ip route add default via 10.0.0.8 table 11440")
    before, used = state(sh), sh(theirs)
    result = both(run_module, {"source_routes": VIPS})
    assert sorted(result["changes"]) == sorted(each.replace("11440", "81440") for each in CHANGES)
    assert "warnings" not in result
    run_module("boot_restore", {"source_routes": VIPS})
    live = state(sh)
    sh("ip route flush table 81440 && ip rule del from 10.0.0.100")
    assert sh("/etc/lvs-topology/restore 2>&1") == ""
    assert (state(sh), sh(theirs)) == (live, used)
    both(run_module, {"state": "absent"})
    assert state(sh) == before
    # And one that others begin to use later is left.
    sh("ip route flush table 11440")
    both(run_module, {"source_routes": VIPS})
    sh("ip route add 198.51.100.0/24 via 10.0.0.8 table 11440")
    both(run_module, {"source_routes": VIPS})
    assert "from 10.0.0.100 lookup 81440" in sh("ip rule")
    assert sh(theirs).split() == ["198.51.100.0/24", "via", "10.0.0.8", "dev", "br0"]


def test_routes_are_copied_whole(run_module, sh) -> None:
    """What a host with a routing daemon has: next hops that are objects, of the other family, and dead ends."""
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    sh("ip nexthop add id 20 via 10.0.0.7 dev br0 && ip route replace default nhid 20")
    sh("ip route add unreachable 172.16.0.0/12 && ip -6 route add blackhole 2001:db8::/32")
    sh("ip route add 198.51.100.0/24 mtu lock 1400 initcwnd 20 nexthop via inet6 fe80::9 dev br0 nexthop via 10.0.0.9")
    sh("ip route add 203.0.113.0/24 via inet6 fe80::9 dev br0")
    # It means something else than its copy would, and the kernel lists it before the one for everybody.
    sh("ip -6 route add default from 2001:db8:2::/64 via fd00::8 dev br0")
    sh("ip -6 route add 2001:db8:1::/48 via fd00::9 hoplimit 9")
    main = "(ip -o route; ip -6 -o route) | grep -v -e ^fe80 -e ' from ' | sed 's/ nhid [^ ]*//' | sort"
    ours = "(ip -o route show table 11440; ip -6 -o route show table 11400) | sed 's/ advmss [0-9]*//' | sort"
    # What goes through an MTU of 1400 is smaller than what the tunnel could take.
    sizes = "(ip -o route show table 11440; ip -6 -o route show table 11400) | grep -o 'advmss [0-9]*' | sort | uniq -c"
    both(run_module, {"source_routes": VIPS})
    assert sh(ours) == sh(main)
    expected = sh(sizes)
    assert sorted(set(re.findall(r"advmss (\d+)", expected))) == ["1360", "1400", "1440"]
    assert re.search(r"198\.51\.100\.0/24 .*advmss 1360", sh("ip -o route show table 11440"))
    run_module("boot_restore", {"source_routes": VIPS})
    sh("ip route flush table 11440 && ip -6 route flush table 11400")
    said = sh("/etc/lvs-topology/restore 2>&1")
    assert re.fullmatch(r"lvs-topology: not copied: default from 2001:db8:2::/64 [^\n]*\n", said)
    assert (sh(ours), sh(sizes)) == (sh(main), expected)
    assert run_module("source_route", {"source_routes": VIPS})["changes"] == []
    both(run_module, {"state": "absent"})
    assert sh("ip route show table 11440 2>/dev/null; ip -6 route show table 11400 2>/dev/null") == ""


def test_mistakes_come_together(run_module, sh) -> None:
    before = state(sh)
    bad = [{"source": "10.0.0.0.1", "advmss": 1440}, {"source": "10.0.0.100", "advmss": 100}, {"source": "10.0.0.7"}]
    message = run_module("source_route", {"source_routes": [*bad, *bad[1:2]]})["msg"]
    for text in (
        "source_routes[0].source: '10.0.0.0.1' is not an IPv4 or IPv6 address",
        "source_routes[1].advmss: 100 is not between 536 and 65475",
        "source_routes[2].advmss: is needed where state is present",
        "source_routes[3]: from 10.0.0.100 is already listed in source_routes[1]",
    ):
        assert text in message
    assert state(sh) == before
