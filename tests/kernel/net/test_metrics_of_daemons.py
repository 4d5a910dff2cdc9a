# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program of the metrics tells of a real BIRD that has a real router, by a user with nothing but its group."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

PROGRAM, DESCRIPTION = "/etc/lvs-topology/metrics.pyz", "/etc/lvs-topology/metrics.json"
PID = Path("/run/bird/bird.pid")
VIP, VIP6 = "198.51.100.1", "2001:db8:100::1"
# Own address, own number, and those of the other end.
ENDS = {"director": ("21", 65001, "1", 65000), "router": ("1", 65000, "21", 65001)}
BFD = "bfd { min rx interval 500 ms; min tx interval 500 ms; multiplier 20; };"
SESSIONS = (("lvs4_10_0_0_1", "10.0.0.1"), ("lvs6_2001_db8_b__1", "2001:db8:b::1"))
RIGHT = "--inh-caps=+net_admin --ambient-caps=+net_admin --bounding-set=-all,+net_admin --no-new-privs"


def configuration(name: str) -> str:
    own, number, other, others_number = ENDS[name]
    parts = [f"router id 10.0.0.{own};\nprotocol device {{ }}\nprotocol bfd {{ }}"]
    for family, network, kind in ((4, "10.0.0.", "10_0_0_"), (6, "2001:db8:b::", "2001_db8_b__")):
        parts.append(f"""
ipv{family} table lvs{family};
protocol kernel lvs_routes{family} {{
    kernel table 1819;
    learn;
    scan time 1;
    ipv{family} {{ table lvs{family}; import where dest = RTD_BLACKHOLE; export none; }};
}}
protocol bgp lvs{family}_{kind}{other} {{
    local {network}{own} as {number};
    neighbor {network}{other} as {others_number};
    direct;
    hold time 90;
    connect delay time 1;
    {BFD}
    ipv{family} {{ table lvs{family}; import all; export all; next hop self; }};
}}
""")
    return "".join(parts)


@pytest.fixture(autouse=True)
def _two_ends(sh, tmp_path) -> Iterator[None]:
    sh("mount -t tmpfs tmpfs /etc/systemd/system; mkdir -p /run/bird; mount -t tmpfs tmpfs /run/bird")
    sh("modprobe ipv6; chown bird:bird /run/bird; ip netns add router")
    sh("ip link add eth1 type veth peer name eth2 netns router")
    for command, card, last in (("ip", "eth1", 21), ("ip -n router", "eth2", 1)):
        sh(f"{command} address add 10.0.0.{last}/24 dev {card}; {command} link set {card} up")
        sh(f"{command} address add 2001:db8:b::{last}/64 dev {card} nodad")
    for name, directory in (("director", PID.parent), ("router", tmp_path)):
        (directory / f"{name}.conf").write_text(configuration(name))
    sh(f"bird -u bird -g bird -c {PID.parent}/director.conf -P {PID}")
    sh(f"ip netns exec router bird -c {tmp_path}/router.conf -s {tmp_path}/router.ctl -P {tmp_path}/router.pid")
    yield
    sh("birdc down; true")
    sh(f"birdc -s {tmp_path}/router.ctl down; ip netns del router")


@pytest.fixture
def tell(run_module, sh, tmp_path) -> Callable[[], dict[str, float]]:
    """Run the program as a unit for the user nobody does, and read what it wrote."""
    directory = tmp_path / "collector"
    directory.mkdir()
    metrics: dict[str, Any] = {
        "directory": str(directory),
        "interval": 30,
        "directors": ["lb1"],
        "keepalived": False,
        "sync_daemons": 0,
        "vips": [
            {"address": vip, "interface": "lo", "holders": 1, "announcers": 1, "aggregate": ""} for vip in (VIP, VIP6)
        ],
        "aggregates": [],
        "sessions": [{"name": name, "neighbour": "router", "address": to, "bfd": True} for name, to in SESSIONS],
        "conntrackd": False,
        "hidden": [],
        "services": [],
    }
    run_module("host_state", {"owner": "metrics", "plan": {"metrics": metrics}})
    for each in (tmp_path, *tmp_path.parents):
        each.chmod(each.stat().st_mode | 0o055)
    sh(f"chown nobody {directory}")

    def told() -> dict[str, float]:
        sh(f"setpriv --reuid=nobody --regid=nogroup --groups=bird {RIGHT} python3 -I -S {PROGRAM} {DESCRIPTION}")
        lines = (directory / "lvs-topology.prom").read_text().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    return told


def of(found: dict[str, float], metric: str) -> list[float]:
    """The values of a metric, IPv4's first."""
    return [value for name, value in sorted(found.items()) if name.partition("{")[0] == metric]


def wait_for(tell: Callable[[], dict[str, float]], **wanted: list[float]) -> dict[str, float]:
    deadline = time.monotonic() + 120
    while True:
        found = tell()
        if {metric: of(found, f"lvs_{metric}") for metric in wanted} == wanted:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def test_what_is_announced_is_what_the_router_has(sh, tell, until, tmp_path) -> None:
    def heard() -> list[bool]:
        routes = sh(f"birdc -r -s {tmp_path}/router.ctl show route table all")
        return [f"{VIP}/32" in routes, f"{VIP6}/128" in routes]

    found = wait_for(tell, bgp_session_up=[1, 1], bgp_session_bfd_up=[1, 1], vip_announced=[0, 0])
    assert of(found, "lvs_bgp_session_enabled") == [1, 1]
    assert found['lvs_topology_source_up{source="bird"}'] == found["lvs_bird_running"] == 1
    until(lambda: heard() == [False, False])
    sh(f"ip route add blackhole {VIP}/32 table 1819 proto static metric 65616")
    wait_for(tell, vip_announced=[1, 0])
    until(lambda: heard() == [True, False])
    # BIRD does not learn it, as while first checks are under way.
    sh(f"ip -6 route add throw {VIP6}/128 table 1819 proto static metric 65616")
    sh(f"ip -6 route replace blackhole {VIP6}/128 table 1819 proto static metric 65617")
    wait_for(tell, vip_announced=[1, 1])
    until(lambda: heard() == [True, True])
    # As drain_directors does it.
    sh("birdc disable lvs4_10_0_0_1")
    wait_for(tell, vip_announced=[0, 1], bgp_session_up=[0, 1], bgp_session_enabled=[0, 1])
    until(lambda: heard() == [False, True])


def test_a_router_that_has_no_bfd_any_more(sh, tell, tmp_path) -> None:
    wait_for(tell, bgp_session_up=[1, 1], bgp_session_bfd_up=[1, 1])
    (tmp_path / "router.conf").write_text(configuration("router").replace(BFD, "", 1))
    sh(f"birdc -s {tmp_path}/router.ctl configure")
    # The session ends for a moment, and comes back without BFD.
    wait_for(tell, bgp_session_up=[1, 1], bgp_session_bfd_up=[0, 1])


def test_a_bird_that_is_stopped_or_does_not_answer(sh, tell, tmp_path) -> None:
    wait_for(tell, bgp_session_up=[1, 1])
    pid = PID.read_text().strip()
    sh(f"kill -STOP {pid}")
    found = tell()
    assert found['lvs_topology_source_up{source="bird"}'] == 0
    assert found["lvs_bird_running"] == 1
    assert of(found, "lvs_bgp_session_up") == of(found, "lvs_vip_announced") == []
    # Here the router's BIRD is a process of the same host, which runs BIRD as long as that does.
    sh(f"kill -CONT {pid}; birdc down; birdc -s {tmp_path}/router.ctl down")
    wait_for(tell, bird_running=[0], bgp_session_up=[0, 0], bgp_session_enabled=[1, 1], vip_announced=[0, 0])
    assert 'lvs_topology_source_up{source="bird"}' not in tell()


def test_conntrackd_answers_root_alone(sh, tell, tmp_path) -> None:
    """Its numbers come from its socket, which is root's; the program says so where it is another user's."""
    sh("mkdir -p /etc/conntrackd; mount -t tmpfs tmpfs /etc/conntrackd")
    Path("/etc/conntrackd/conntrackd.conf").write_text(
        "Sync { Mode FTFW { DisableExternalCache on }\n UDP { IPv4_address 10.0.0.21\n"
        " IPv4_Destination_Address 10.0.0.1\n Port 3780\n Interface eth1\n Checksum on } }\n"
        f"General {{ Systemd on\n Syslog on\n LockFile {tmp_path}/lock\n HashSize 1024\n HashLimit 8192\n"
        " UNIX { Path /run/conntrackd.ctl\n } }\n"
    )
    sh("umask 077; conntrackd -d")
    try:
        described = Path(DESCRIPTION)
        described.write_text(described.read_text().replace('"conntrackd": false', '"conntrackd": true'))
        found = tell()
        assert found['lvs_conntrackd_running{directors="lb1"}'] == 1
        assert found['lvs_topology_source_up{source="conntrackd"}'] == 0
        sh(f"chown -R root {tmp_path}/collector; setpriv --clear-groups {RIGHT} python3 -I -S {PROGRAM} {DESCRIPTION}")
        written = (tmp_path / "collector/lvs-topology.prom").read_text()
        assert 'lvs_topology_source_up{source="conntrackd"} 1' in written
        assert 'lvs_conntrackd_sent_packets_total{directors="lb1"}' in written
    finally:
        sh("conntrackd -k")
