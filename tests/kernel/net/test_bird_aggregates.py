# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BIRD makes of the configuration of a director with aggregates, by what a router hears of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import host_plan

# Two VIPs in a prefix that is announced beside them, and one in a prefix that is announced in its place.
FIRST, SECOND, SIX = "198.51.100.1/32", "198.51.100.2/32", "2001:db8:100::1/128"
BESIDE, INSTEAD = "198.51.100.0/24", "2001:db8:100::/48"
BGP = {
    "lb1": {
        "asn": 65001,
        "graceful_shutdown": 5,
        "communities": ["65535:65281"],
        "aggregates": [
            {"prefix": BESIDE, "communities": ["65001:200"]},
            {"prefix": INSTEAD, "summary_only": True},
        ],
        "neighbours": [{"address": "10.0.0.1", "asn": 65000}, {"address": "2001:db8:b::1", "asn": 65000}],
        "hold_time": 90,
    },
    "router": {
        "asn": 65000,
        "neighbours": [{"address": "10.0.0.21", "asn": 65001}, {"address": "2001:db8:b::21", "asn": 65001}],
        "hold_time": 90,
    },
}
ADDRESSES = {"lb1": ["10.0.0.21", "2001:db8:b::21"], "router": ["10.0.0.1", "2001:db8:b::1"]}


def configuration(host: str) -> str:
    """What the role announcer has BIRD read there."""
    service = {"port": 80, "forward": "dr", "scheduler": "mh"}
    services = [
        {**service, "name": vip, "address": vip.partition("/")[0], "real_servers": [{"address": real_server}]}
        for vip, real_server in ((FIRST, "10.0.0.51"), (SECOND, "10.0.0.51"), (SIX, "2001:db8:b::51"))
    ]
    hostvars: dict[str, Any] = {
        name: {"lvs_address": ADDRESSES[name], "lvs_bgp": BGP[name], "lvs_services": services} for name in BGP
    }
    groups = {"all": [*hostvars], "lvs_directors": ["lb1"], "lvs_routers": ["router"]}
    return str(host_plan(hostvars, groups, host, "announcer")["bird"]["content"])


@pytest.fixture(autouse=True)
def _two_ends(sh, until, tmp_path: Path) -> Iterator[None]:
    sh("mkdir -p /run/bird; mount -t tmpfs tmpfs /run/bird")
    sh("modprobe ipv6; ip netns add router; ip link add eth1 type veth peer name eth2 netns router")
    for command, card, host in (("ip", "eth1", "lb1"), ("ip -n router", "eth2", "router")):
        four, six = ADDRESSES[host]
        sh(f"{command} address add {four}/24 dev {card}; {command} link set {card} up")
        sh(f"{command} address add {six}/64 dev {card} nodad")
    for host in BGP:
        (tmp_path / f"{host}.conf").write_text(configuration(host))
    sh(f"bird -c {tmp_path}/lb1.conf")
    sh(f"ip netns exec router bird -c {tmp_path}/router.conf -s {tmp_path}/router.ctl -P {tmp_path}/router.pid")
    until(lambda: sh("birdc show protocols").count("Established") == 2)
    yield
    # One of the tests has ended it.
    sh("birdc down; true")
    sh(f"birdc -s {tmp_path}/router.ctl down; ip netns del router")


def announce(sh, *vips: str, kind: str = "blackhole") -> None:
    for vip in vips:
        sh(f"ip {'-6' if ':' in vip else '-4'} route replace {kind} {vip} table 1819 proto static metric 65616")


def withdraw(sh, *vips: str) -> None:
    for vip in vips:
        sh(f"ip {'-6' if ':' in vip else '-4'} route del {vip} table 1819")


@pytest.fixture
def hears(sh, until) -> Callable[..., None]:
    """Wait until the kernel of the router has ways to these prefixes, and to no others that it has heard of."""

    def to(*prefixes: str) -> None:
        wanted = {each.replace("/32", "").replace("/128", "") for each in prefixes}
        lines = "ip -n router -4 route show proto bird; ip -n router -6 route show proto bird"
        until(lambda: {line.split()[0] for line in sh(lines).splitlines()} == wanted)

    return to


def test_an_aggregate_is_there_as_long_as_a_vip_in_it_is(sh, hears, until, tmp_path: Path) -> None:
    hears()
    announce(sh, FIRST, SIX)
    hears(FIRST, BESIDE, INSTEAD)
    announce(sh, SECOND)
    hears(FIRST, SECOND, BESIDE, INSTEAD)
    # Whichever of them came first.
    withdraw(sh, FIRST, SIX)
    hears(SECOND, BESIDE)
    # A VIP whose first checks are under way, and a route of the prefix that is none of ours, announce nothing.
    announce(sh, FIRST, kind="throw")
    announce(sh, BESIDE)
    withdraw(sh, SECOND)
    hears()
    announce(sh, FIRST)
    hears(FIRST, BESIDE)

    def heard(prefix: str) -> str:
        return sh(f"birdc -s {tmp_path}/router.ctl show route all {prefix} table lvs4")

    # Each has communities of its own, and that of RFC 8326 beside them.
    assert "(65535,65281)" in heard(FIRST)
    assert "(65001,200)" in heard(BESIDE)
    assert "(65535,65281)" not in heard(BESIDE)
    # As in a drain, which changes all of them.
    announce(sh, SECOND)
    announce(sh, FIRST, SECOND, kind="prohibit")
    until(lambda: "BGP.local_pref: 0" in heard(BESIDE) and "(65535,0)" in heard(BESIDE))
    announce(sh, FIRST, SECOND)
    until(lambda: "BGP.local_pref: 100" in heard(BESIDE) and "(65535,0)" not in heard(BESIDE))


def test_what_nobody_has_ends_on_the_director(sh, until) -> None:
    """A host that forwards packets would send them back to the router."""
    sh("ip route add default via 10.0.0.1; ip -6 route add default via 2001:db8:b::1")
    sh("ip address add 198.51.100.129/25 dev eth1")

    def way(to: str) -> str:
        return sh(f"ip route get {to} 2>&1 || true")

    until(lambda: "unreachable" in sh("ip route show 198.51.100.0/24; ip -6 route show 2001:db8:100::/48"))
    assert "No route to host" in way("198.51.100.9") or "unreachable" in way("198.51.100.9")
    assert "No route to host" in way("2001:db8:100::9") or "unreachable" in way("2001:db8:100::9")
    # A network that the director is in, and everything else, go on.
    assert "dev eth1" in way("198.51.100.130")
    assert "via 10.0.0.1" in way("203.0.113.1")
    # Its end leaves nothing behind.
    sh("birdc down")
    until(lambda: "bird" not in sh("ip route show; ip -6 route show"))
