# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tunnel_endpoint on a real kernel, judged by ip and sysctl, and what boot_restore makes of it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

LEDGER = Path("/var/lib/lvs-topology/ledger.json")
SYSCTLS = Path("/etc/sysctl.d/99-zz-lvs-topology-lvs-tunnels.conf")
RIP, RIP6 = "10.0.0.2", "fd00::2"
ENDS = [
    {"type": "ipip", "interface": "tunl0"},
    {"type": "ip6tnl", "interface": "ip6tnl0"},
    {"type": "sit", "interface": "lvs-sit", "local": RIP},
    {"type": "ip6tnl", "interface": "lvs-ip6tnl", "local": RIP6},
    {"type": "gre", "interface": "lvs-gre", "local": RIP, "checksum": True},
    {"type": "ip6gre", "interface": "lvs-ip6gre", "local": RIP6},
    {"type": "gue", "port": 6080},
    {"type": "gue", "port": 6080, "family": "ipv6"},
]
LINES = [
    "ip link add lvs-sit type sit mode ip6ip local 10.0.0.2",
    "ip link add lvs-ip6tnl type ip6tnl mode any local fd00::2",
    "ip link add lvs-gre type gre local 10.0.0.2 csum",
    "ip link add lvs-ip6gre type ip6gre local fd00::2",
    "sysctl -w net.ipv4.conf.lvs-gre.rp_filter=2",
    "sysctl -w net.ipv4.conf.lvs-ip6gre.rp_filter=2",
    "sysctl -w net.ipv4.conf.lvs-ip6tnl.rp_filter=2",
    "sysctl -w net.ipv4.conf.tunl0.rp_filter=2",
    f"write {SYSCTLS}",
    "ip link set tunl0 up",
    "ip link set ip6tnl0 up",
    "ip link set lvs-sit up",
    "ip link set lvs-ip6tnl up",
    "ip link set lvs-gre up",
    "ip link set lvs-ip6gre up",
    "ip fou add port 6080 gue",
    "ip fou add port 6080 gue -6",
]
# As ip -details says it of each link, in a line.
DETAILS = {
    "lvs-sit": "sit ip6ip remote any local 10.0.0.2",
    "lvs-ip6tnl": "ip6tnl any remote any local fd00::2",
    "lvs-gre": "gre remote any local 10.0.0.2 ttl inherit icsum ocsum",
    "lvs-ip6gre": "ip6gre remote any local fd00::2",
}


@pytest.fixture(autouse=True)
def _modules(run_module, sh) -> None:
    run_module("kernel_modules", {"modules": ["ipip", "sit", "ip6_tunnel", "ip_gre", "ip6_gre", "fou"]})
    sh(f"ip link add eth0 type dummy && ip link set eth0 up && ip address add {RIP}/24 dev eth0")
    sh(f"ip address add {RIP6}/64 dev eth0 nodad")
    LEDGER.unlink(missing_ok=True)


def state(sh) -> str:
    """Everything that the module may touch; a link has another number each time, and some words once it was up."""
    passing = "s/^[0-9]+: //; s/permaddr [^ ]+//; s/ (qdisc|addrgenmode) [^ ]+//g"
    links = f"ip -details -oneline link show | sed -E '{passing}'"
    sysctls = "sysctl -a 2>/dev/null | grep '[.]rp_filter'"
    return sh(f"{links}; ip fou show; {sysctls}; ip -oneline address | sed -E 's/^[0-9]+: //'; ls /etc/sysctl.d")


def both(run_module, args: dict) -> dict:
    """Check, run, run again: the prediction holds and the second run changes nothing."""
    predicted = run_module("tunnel_endpoint", args, check=True)
    result = run_module("tunnel_endpoint", args)
    assert not result.get("failed"), result
    for key in ("changed", "changes", "diff"):
        assert result.get(key) == predicted.get(key), key
    again = run_module("tunnel_endpoint", args)
    assert (again["changed"], again["changes"]) == (False, [])
    return result


def test_every_end_is_made_and_put_back(run_module, sh) -> None:
    before = state(sh)
    run_module("tunnel_endpoint", {"tunnels": ENDS}, check=True)
    assert state(sh) == before
    assert not LEDGER.exists()
    result = both(run_module, {"tunnels": ENDS})
    assert result["changes"] == LINES
    for name, words in DETAILS.items():
        assert words in " ".join(sh(f"ip -details link show {name}").split()), name
    assert sorted(sh("ip fou show").split("\n")) == ["", "port 6080 gue", "port 6080 gue -6"]
    for name in ("tunl0", "lvs-gre", "lvs-ip6gre", "lvs-ip6tnl"):
        assert sh(f"sysctl -n net.ipv4.conf.{name}.rp_filter") == "2\n", name
        assert f"net.ipv4.conf.{name}.rp_filter = 2" in SYSCTLS.read_text()

    # What somebody changes is put right, and nothing else is touched.
    sh("ip link set tunl0 down && ip link del lvs-sit && ip fou del port 6080 && ip link set lvs-gre down")
    repaired = both(run_module, {"tunnels": ENDS})
    assert repaired["changes"] == [LINES[0], LINES[9], LINES[11], LINES[13], LINES[15]]

    # Another address: the link is made anew, with its sysctl.
    moved = [{**end, "local": "10.0.0.3"} if end["type"] == "gre" else end for end in ENDS]
    sh("ip address add 10.0.0.3/24 dev eth0")
    assert both(run_module, {"tunnels": moved})["changes"] == [
        "ip link del lvs-gre",
        "ip link add lvs-gre type gre local 10.0.0.3 csum",
        "sysctl -w net.ipv4.conf.lvs-gre.rp_filter=2",
        "ip link set lvs-gre up",
    ]
    sh("ip address del 10.0.0.3/24 dev eth0")

    fewer = both(run_module, {"tunnels": moved[:1], "purge": True})
    assert "ip link del lvs-gre" in fewer["changes"]
    assert sh("ip fou show") == ""
    assert "lvs-" not in SYSCTLS.read_text().split("\n", 1)[1]
    both(run_module, {"state": "absent"})
    assert state(sh) == before
    assert not LEDGER.exists()


def test_left_over_until_purged(run_module) -> None:
    run_module("tunnel_endpoint", {"tunnels": ENDS[:1] + ENDS[6:7]})
    for check in (True, False):
        kept = run_module("tunnel_endpoint", {"tunnels": ENDS[:1]}, check=check)
        assert (kept["changed"], kept["left_over"]) == (False, ["fou port 6080"])
    assert run_module("tunnel_endpoint", {"tunnels": ENDS[:1], "purge": True})["left_over"] == []
    assert run_module("tunnel_endpoint", {"state": "absent"})["left_over"] == []


def test_the_operators_ends_stay(run_module, sh) -> None:
    sh("ip link set tunl0 up && sysctl -w net.ipv4.conf.tunl0.rp_filter=1 && ip fou add port 6080 gue")
    sh(f"ip link add lvs-gre type gre local {RIP} csum")
    before = state(sh)
    result = both(run_module, {"tunnels": [ENDS[0], ENDS[4], ENDS[6]]})
    assert result["changes"] == [LINES[4], LINES[7], LINES[8], LINES[13]]
    put_back = run_module("tunnel_endpoint", {"state": "absent"})
    assert "ip link set lvs-gre down" in put_back["changes"]
    assert state(sh) == before
    assert not LEDGER.exists()


def test_what_somebody_else_made_is_not_taken(run_module, sh) -> None:
    sh("ip link add lvs-gre type dummy && ip link add lvs-sit type sit local 10.0.0.9")
    before = state(sh)
    message = run_module("tunnel_endpoint", {"tunnels": ENDS})["msg"]
    for text in (
        "tunnels[2].interface: lvs-sit is something else already (lvs-sit type sit mode ip6ip local 10.0.0.9)",
        "tunnels[4].interface: lvs-gre is something else already; use another name",
    ):
        assert text in message
    assert state(sh) == before
    assert not LEDGER.exists()


def test_a_port_that_is_taken(run_module) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 6080))
        result = run_module("tunnel_endpoint", {"tunnels": ENDS[:1] + ENDS[6:7]})
    assert "ip fou add port 6080 gue failed: something else listens on UDP port 6080" in result["msg"]
    assert result["applied"][-1] == "ip link set tunl0 up"
    # Claimed before it was tried; a later run makes it.
    assert run_module("tunnel_endpoint", {"tunnels": ENDS[:1] + ENDS[6:7]})["changes"] == ["ip fou add port 6080 gue"]


def test_mistakes_come_together(run_module, sh) -> None:
    before = state(sh)
    bad = [
        ({"type": "gue"}, "port: is needed with type gue"),
        ({"type": "gue", "port": 70000}, "port: 70000 is not a port from 1 to 65535"),
        ({"type": "gue", "port": 1, "interface": "tunl0"}, "interface: has no meaning with type gue"),
        ({"type": "ipip"}, "interface: is needed with type ipip"),
        ({"type": "ipip", "interface": "tunl0", "port": 1}, "port: has no meaning with type ipip"),
        ({"type": "ipip", "interface": "gre0"}, "interface: gre0 is the fallback device of type gre"),
        ({"type": "gre", "interface": "gre0", "checksum": True}, "checksum: cannot be set on the fallback device gre0"),
        ({"type": "gre", "interface": "lvs-a"}, "local: is needed, because only gre0 takes packets to every address"),
        ({"type": "gre", "interface": "lvs-b", "local": RIP6}, "local: fd00::2 is not an IPv4 address"),
        ({"type": "sit", "interface": "lvs-c", "local": RIP, "checksum": True}, "checksum: is not possible with type"),
        ({"type": "gre", "interface": "a name", "local": RIP}, "interface: 'a name' is not an interface name"),
    ]
    message = run_module("tunnel_endpoint", {"tunnels": [end for end, _text in bad]})["msg"]
    for position, (_end, text) in enumerate(bad):
        assert f"tunnels[{position}].{text}" in message
    assert state(sh) == before
    twice = run_module("tunnel_endpoint", {"tunnels": ENDS[:1] * 2})["msg"]
    assert twice == "tunnels[1]: dev tunl0 is already listed in tunnels[0]"


def test_in_check_mode_a_module_need_not_be_loaded_yet(run_module, sh) -> None:
    sh("rmmod ipip")
    predicted = run_module("tunnel_endpoint", {"tunnels": ENDS[:1]}, check=True)
    assert predicted["changes"][-1] == "ip link set tunl0 up"
    assert "there is no tunl0: it appears when its kernel module is loaded" in str(predicted["warnings"])
    vip = {"addresses": [{"address": "10.0.0.100", "interface": "tunl0"}]}
    predicted = run_module("vip_address", vip, check=True)
    assert predicted["changes"] == ["ip address add 10.0.0.100/32 dev tunl0"]
    assert "tunl0 does not exist yet" in str(predicted["warnings"])
    assert "tunl0 does not exist" in run_module("vip_address", vip)["msg"]
    assert "there is no tunl0" in run_module("tunnel_endpoint", {"tunnels": ENDS[:1]})["msg"]


def test_the_script_brings_the_ends_back(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    vip = [{"address": "10.0.0.100", "interface": "lvs-gre"}, {"address": "10.0.0.101", "interface": "tunl0"}]
    fresh = state(sh)
    run_module("boot_restore", {"tunnels": ENDS, "addresses": vip})
    assert Path("/etc/lvs-topology/lvs.tunnels").read_text().splitlines()[1:3] == [
        "link set tunl0 up",
        "link set ip6tnl0 up",
    ]
    run_module("tunnel_endpoint", {"tunnels": ENDS})
    run_module("vip_address", {"addresses": vip})
    live = state(sh)
    # On a live host the script disturbs nothing.
    assert sh("/etc/lvs-topology/restore 2>&1") == ""
    assert state(sh) == live
    for name in ("vip_address", "tunnel_endpoint"):
        run_module(name, {"state": "absent"})
    assert state(sh) == fresh
    # As at boot, where sysctl.d is read when the links appear.
    assert sh("/etc/lvs-topology/restore 2>&1") == ""
    for name in ("vip_address", "tunnel_endpoint"):
        option = {"vip_address": {"addresses": vip}, "tunnel_endpoint": {"tunnels": ENDS}}[name]
        changes = run_module(name, option)["changes"]
        assert [line for line in changes if not line.startswith(("sysctl", "write"))] == [], name
