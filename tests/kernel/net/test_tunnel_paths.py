# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the model to answers through every kind of tunnel: what is compiled for both ends fits, and so does the size.

The test's own namespace is the director. The real server is in another network, with a leg to the clients of its own,
and strict reverse path filters everywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import host_plan

VIPS = {4: "10.0.0.100", 6: "fd00::100"}
RIPS = {4: "10.7.0.2", 6: "fd07::2"}
# By outer family, type and checksum: what the packet grows by.
OVERHEADS = {
    (4, "ipip", "none"): (20,),
    (4, "gue", "none"): (32,),
    (4, "gue", "on"): (32,),
    (4, "gre", "none"): (24,),
    (4, "gre", "on"): (28,),
    (6, "ipip", "none"): (40,),
    (6, "gue", "none"): (52,),
    (6, "gue", "on"): (52,),
    (6, "gre", "none"): (44,),
    (6, "gre", "on"): (48,),
    # The kernel counts the eight bytes of a remote checksum only where a packet has its checksum still to be made.
    (4, "gue", "remote"): (32, 40),
    (6, "gue", "remote"): (52, 60),
}
# Minutes in all: for kernel-all, and for the stock kernel.
pytestmark = pytest.mark.slow
SERVER = """
import hashlib, http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        digest = hashlib.sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest()
        self.send_response(200); self.end_headers()
        self.wfile.write(f"{digest} {self.client_address[0]}".encode())
    def do_GET(self):
        self.send_response(200); self.end_headers()
        for number in range(32): self.wfile.write(number.to_bytes(8, "big") * 8192)
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 80), Handler).serve_forever()
"""


@pytest.fixture
def network(wire, sh) -> Iterator[None]:
    wire("client", "10.0.0.1/24", "fd00::1/64")
    wire("web", "10.7.0.2/24", "fd07::2/64", bridge="br1")
    wire("web", "10.0.0.3/24", "fd00::3/64")
    for bridge, addresses in {"br0": ("10.0.0.2/24", "fd00::2/64"), "br1": ("10.7.0.1/24", "fd07::1/64")}.items():
        for address in addresses:
            sh(f"ip address add {address} dev {bridge}" + (" nodad" if ":" in address else ""))
    # Large frames of a virtual card would hide the size of packets.
    sh("ip netns exec client ethtool -K eth0 tso off gso off >/dev/null")
    sh("ip netns exec web sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1")
    sh("modprobe -a ip_vs_rr ipip sit ip6_tunnel ip_gre ip6_gre fou")
    sh("head -c 2000000 /dev/urandom >/tmp/upload")
    Path("/tmp/server.py").write_text(SERVER)
    sh("ip netns exec web python3 /tmp/server.py >/tmp/server.log 2>&1 & echo $! >/tmp/server.pid")
    sh("timeout 300 sh -c 'until ip netns exec web ss -Hltn sport = :80 | grep -q .; do sleep 0.1; done'")
    yield
    sh("kill $(cat /tmp/server.pid)")


@contextlib.contextmanager
def on(namespace: str) -> Iterator[None]:
    """Be on another host for a while."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        assert libc.setns(there, 0) == 0
        yield
    finally:
        assert libc.setns(home, 0) == 0
        os.close(home)
        os.close(there)


def plan(host: str, role: str, service: dict[str, Any]) -> dict[str, Any]:
    def facts(**links: list[str]) -> dict[str, Any]:
        known: dict[str, Any] = {"interfaces": list(links)}
        for name, addresses in links.items():
            both = [address.split("/") for address in addresses]
            known[name] = {
                "device": name,
                "mtu": 1500,
                "ipv4": [{"address": a, "prefix": p} for a, p in both if ":" not in a],
                "ipv6": [{"address": a, "prefix": p} for a, p in both if ":" in a],
            }
        return known

    director = facts(br0=["10.0.0.2/24", "fd00::2/64"], br1=["10.7.0.1/24", "fd07::1/64"])
    web = facts(eth0=["10.7.0.2/24", "fd07::2/64"], eth1=["10.0.0.3/24", "fd00::3/64"])
    hostvars = {
        "director": {"lvs_address": "10.0.0.2", "lvs_services": [service], "ansible_facts": director},
        "web": {"lvs_address": "10.7.0.2", "ansible_facts": web},
    }
    groups = {"lvs_directors": ["director"], "lvs_real_servers": ["web"]}
    return host_plan(hostvars, groups, host, role)


def apply(run_module, plan: dict[str, Any], owner: str) -> None:
    """As the role host_state does it, but for the segment size: clients shall learn by ICMP what fits."""
    for name, option, key in (
        ("sysctl_profile", "values", "sysctls"),
        ("arp_tuning", "interfaces", "arp"),
        ("tunnel_endpoint", "tunnels", "tunnels"),
        ("vip_address", "addresses", "addresses"),
        ("ipvs_table", "services", "services"),
    ):
        if key in plan:
            purge = {} if name == "ipvs_table" else {"purge": True}
            result = run_module(name, {option: plan[key], "owner": owner, **purge})
            assert not result.get("failed"), result


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("inner", [4, 6])
@pytest.mark.parametrize("outer", [4, 6])
def test_every_tunnel(run_module, sh, outer, inner) -> None:
    vip = f"[{VIPS[inner]}]" if inner == 6 else VIPS[inner]
    digest = sh("sha256sum </tmp/upload").split()[0]
    client = {4: "10.0.0.1", 6: "fd00::1"}[inner]
    for (family, kind, checksum), sizes in OVERHEADS.items():
        if family != outer:
            continue
        tunnel = {"type": kind, "checksum": checksum, **({"port": 6080} if kind == "gue" else {})}
        service = {
            "name": "web",
            "address": VIPS[inner],
            "port": 80,
            "forward": "tun",
            "scheduler": "rr",
            "real_servers": [{"host": "web", "address": RIPS[outer], "tunnel": tunnel}],
        }
        # From one tunnel to the next by what site does: the plan, with what is no longer in it taken away.
        with on("web"):
            apply(run_module, plan("web", "real_server", service), "real_server")
        apply(run_module, plan("director", "director", service), "director")
        sh("ip netns exec client ip route flush cache; ip netns exec client ip -6 route flush cache")
        answer = sh(f"ip netns exec client curl --silent --show-error --max-time 300 -T /tmp/upload http://{vip}/")
        assert answer.replace("::ffff:", "") == f"{digest} {client}", tunnel
        assert sh(f"ip netns exec client curl --silent --max-time 300 http://{vip}/ | wc -c") == "2097152\n", tunnel
        learned = re.search(r" mtu (\d+)", sh(f"ip netns exec client ip route get {VIPS[inner]}"))
        assert learned, tunnel
        assert 1500 - int(learned[1]) in sizes, tunnel
    # The filters of tunnel ends are loose, and no other.
    assert sh("ip netns exec web sysctl -n net.ipv4.conf.all.rp_filter") == "1\n"
