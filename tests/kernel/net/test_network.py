# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vip_address, default_gateway and static_neighbour on a real kernel, judged by ip and tcpdump."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink

LEDGER = Path("/var/lib/lvs-topology/ledger.json")


def state(sh) -> str:
    """Everything these modules may touch, as the ip command shows it."""
    return sh(
        "ip -o address show | sed 's/valid_lft.*//; s/ tentative//'; ip route; ip -6 route;"
        " ip neigh show nud permanent; ip -6 neigh show nud permanent"
    )


@pytest.fixture
def segment(wire, sh) -> None:
    """A client on a bridge, and this host on it with an address of each family."""
    wire("client", "10.0.0.1/24", "fd00::1/64")
    sh("ip address add 10.0.0.2/24 dev br0 && ip address add fd00::2/64 dev br0 nodad")
    sh("ip link add dummy0 type veth peer name dummy1 && ip link set dummy0 up && ip link set dummy1 up")


@pytest.fixture(autouse=True)
def _on_the_segment(segment) -> None:
    pass


def both(run_module, name: str, args: dict) -> dict:
    """Check, run, run again: the prediction holds and the second run changes nothing."""
    predicted = run_module(name, args, check=True)
    result = run_module(name, args)
    assert not result.get("failed"), result
    assert {key: result.get(key) for key in ("changed", "changes", "diff")} == {
        key: predicted.get(key) for key in ("changed", "changes", "diff")
    }
    again = run_module(name, args)
    assert (again["changed"], again["changes"]) == (False, [])
    return result


def test_address_create_modify_delete(run_module, sh) -> None:
    before = state(sh)
    vips = [{"address": "10.0.0.100", "interface": "lo"}, {"address": "fd00::100", "interface": "lo"}]
    run_module("vip_address", {"addresses": vips}, check=True)
    assert state(sh) == before
    assert not LEDGER.exists()
    result = both(run_module, "vip_address", {"addresses": vips})
    assert result["changes"] == ["ip address add 10.0.0.100/32 dev lo", "ip address add fd00::100/128 dev lo nodad"]
    assert "inet 10.0.0.100/32 scope global lo" in sh("ip address show lo")
    assert "inet6 fd00::100/128" in sh("ip address show lo")

    sh("ip address del 10.0.0.100/32 dev lo")
    repaired = both(run_module, "vip_address", {"addresses": vips})
    assert repaired["changes"] == ["ip address add 10.0.0.100/32 dev lo"]

    # Moves: added at the new place first.
    vips[0] = {"address": "10.0.0.100/24", "interface": "br0", "label": "br0:vip"}
    moved = both(run_module, "vip_address", {"addresses": vips})
    assert moved["changes"] == [
        "ip address add 10.0.0.100/24 dev br0 label br0:vip",
        "ip address del 10.0.0.100/32 dev lo",
    ]
    vips[0]["label"] = "br0:web"
    both(run_module, "vip_address", {"addresses": vips})
    assert "br0:web" in sh("ip address show br0")
    # An option left out is left alone.
    assert not run_module("vip_address", {"addresses": [{"address": "10.0.0.100/24", "interface": "br0"}]})["changed"]

    for deprecated in (True, False):
        for vip in vips:
            vip["deprecated"] = deprecated
        both(run_module, "vip_address", {"addresses": vips})
        assert sh("ip address show to 10.0.0.100").count("deprecated") == int(deprecated)
        assert sh("ip -6 address show to fd00::100").count("deprecated") == int(deprecated)

    both(run_module, "vip_address", {"addresses": vips[:1], "purge": True})
    assert "fd00::100" not in sh("ip address show lo")
    both(run_module, "vip_address", {"state": "absent"})
    assert state(sh) == before
    assert not LEDGER.exists()


def test_ipv6_prefix_changes_in_place(run_module, sh) -> None:
    before = state(sh)
    both(run_module, "vip_address", {"addresses": [{"address": "fd00::100/64", "interface": "br0"}]})
    result = both(run_module, "vip_address", {"addresses": [{"address": "fd00::100", "interface": "br0"}]})
    assert result["changes"] == ["ip address del fd00::100/64 dev br0", "ip address add fd00::100/128 dev br0 nodad"]
    refused = run_module("vip_address", {"addresses": [{"address": "fd00::2", "interface": "br0"}]})
    assert "already there with another prefix length" in refused["msg"]
    run_module("vip_address", {"state": "absent"})
    assert state(sh) == before


def test_the_operators_address_stays(run_module, sh) -> None:
    sh("ip address add 10.0.0.100/32 dev lo")
    before = state(sh)
    vip = [{"address": "10.0.0.100", "interface": "lo"}]
    assert not run_module("vip_address", {"addresses": vip})["changed"]
    result = run_module("vip_address", {"addresses": vip, "state": "absent"})
    assert (result["changed"], result["left_alone"]) == (False, ["10.0.0.100/32 dev lo"])
    run_module("vip_address", {"state": "absent"})
    assert state(sh) == before


def test_two_owners_of_an_address(run_module, sh) -> None:
    before = state(sh)
    vip = [{"address": "10.0.0.100", "interface": "lo"}]
    run_module("vip_address", {"addresses": vip, "owner": "one"})
    run_module("vip_address", {"addresses": vip, "owner": "two"})
    assert not run_module("vip_address", {"owner": "one", "state": "absent"})["changed"]
    assert "10.0.0.100" in sh("ip address show lo")
    run_module("vip_address", {"owner": "two", "state": "absent"})
    assert state(sh) == before


def test_other_addresses_of_the_subnet_survive(run_module, sh) -> None:
    # The kernel drops the secondary addresses of a subnet with the first one, unless told otherwise.
    sh("sysctl -w net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.br0.promote_secondaries=0")
    run_module("vip_address", {"addresses": [{"address": "10.9.0.100/24", "interface": "br0"}]})
    sh("ip address add 10.9.0.2/24 dev br0")
    run_module("vip_address", {"state": "absent"})
    assert "10.9.0.2/24" in sh("ip address show br0")
    assert "10.9.0.100" not in sh("ip address show br0")
    assert sh("sysctl -n net.ipv4.conf.br0.promote_secondaries") == "0\n"


def test_the_operators_route_survives_a_moving_vip(run_module, sh, until) -> None:
    sh("sysctl -w net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.dummy0.promote_secondaries=0")
    run_module("vip_address", {"addresses": [{"address": "192.168.50.128/24", "interface": "dummy0"}]})
    sh("ip route add default via 192.168.50.1 dev dummy0")
    sh("ip monitor route >/tmp/routes 2>&1 & echo $! >/tmp/monitor")
    seen = Path("/tmp/routes")

    def is_seen(mark: str) -> bool:
        sh(f"ip route add {mark} dev dummy0 && ip route del {mark} dev dummy0")
        return mark in seen.read_text()

    until(lambda: is_seen("198.51.100.1"))
    new = {"addresses": [{"address": "192.168.50.130/24", "interface": "dummy0"}], "purge": True}
    result = run_module("vip_address", new)
    until(lambda: is_seen("198.51.100.2"))
    sh("kill $(cat /tmp/monitor)")
    assert result["changes"] == [
        "ip address add 192.168.50.130/24 dev dummy0",
        "ip address del 192.168.50.128/24 dev dummy0",
    ]
    assert sh("ip -4 -o address show dev dummy0").split()[3] == "192.168.50.130/24"
    assert "secondary" not in sh("ip address show dev dummy0")
    assert sh("ip route show default dev dummy0") == "default via 192.168.50.1 \n"
    # Not even for a moment.
    assert "default" not in seen.read_text()
    assert sh("sysctl -n net.ipv4.conf.dummy0.promote_secondaries") == "0\n"


def test_address_mistakes_come_together(run_module, sh) -> None:
    before = state(sh)
    bad = {
        "10.0.0.0/24 br0": "is a network",
        "10.0.0.255/24 br0": "is the broadcast address",
        "224.0.0.1 br0": "is a multicast address",
        "0.0.0.0 br0": "is the unspecified address",
        "127.0.0.5 lo": "is a loopback address",
        "10.0.0.100/24 lo": "would take the whole of 10.0.0.0/24 for itself",
        "fd00::100/64 lo": "would take the whole of fd00::/64 for itself",
        "10.0.0.7 eth9": "the interface eth9 does not exist",
        "10.0.0.7/33 br0": "is out of range",
        "web br0": "is not an IPv4 or IPv6 address",
    }
    addresses = [dict(zip(("address", "interface"), one.split())) for one in bad]
    addresses += [{"address": "10.0.0.8", "interface": "br0"}, {"address": "10.0.0.8/24", "interface": "br0"}]
    addresses += [{"address": "10.0.0.9", "interface": "br0", "label": "web"}]
    message = run_module("vip_address", {"addresses": addresses})["msg"]
    assert message.startswith(f"{len(bad) + 2} mistakes: ")
    for position, text in enumerate(bad.values()):
        assert f"addresses[{position}]." in message
        assert text in message
    assert f"addresses[{len(bad) + 1}].address: 10.0.0.8 is already listed in addresses[{len(bad)}]" in message
    assert state(sh) == before


@pytest.mark.parametrize(
    ("vip", "pattern", "frames"),
    [("10.0.0.100", "arp", 6), ("fd00::100", "'icmp6 and ip6[40] == 136 and dst host ff02::1'", 3)],
)
def test_a_new_address_is_announced(run_module, sh, until, vip, pattern, frames) -> None:
    sh(f"ip netns exec client tcpdump -U -n -v -e -i eth0 -c {frames} {pattern} >/tmp/announced 2>/tmp/ready &")
    until(lambda: "listening on" in Path("/tmp/ready").read_text())
    mac = sh("cat /sys/class/net/br0/address").strip()
    # The neighbour knows somebody else under this address.
    sh(f"ip -n client neigh replace {vip} lladdr 02:00:00:00:00:99 dev eth0 nud reachable")
    wanted = {"addresses": [{"address": vip, "interface": "br0", "announce": "br0"}]}
    result = run_module("vip_address", wanted)
    assert len(result["changes"]) == 2
    until(lambda: Path("/tmp/announced").read_text().count(f"{mac} >") >= frames)
    seen = Path("/tmp/announced").read_text()
    assert seen.count(f"{mac} >") == frames, seen
    assert "bad icmp6 cksum" not in seen
    if ":" in vip:
        assert seen.count(f"tgt is {vip}, Flags [override]") == frames, seen
    else:
        assert seen.count(f"Request who-has {vip}") == 3, seen
        assert seen.count(f"Reply {vip} is-at {mac}") == 3, seen
    assert mac in sh(f"ip -n client neigh show {vip}")
    assert run_module("vip_address", wanted)["changes"] == []


def test_gateway_create_modify_delete(run_module, sh) -> None:
    sh("ip route add default via 10.0.0.9 dev br0 src 10.0.0.2 metric 0 mtu 1400 proto dhcp")
    sh("ip route add default via 10.0.0.8 metric 500")
    sh("ip -6 route add default via fd00::9 dev br0 proto static")
    before = state(sh)
    gateways = [{"gateway": "10.0.0.1"}, {"gateway": "fd00::1"}, {"gateway": "10.0.0.1", "metric": 77}]
    run_module("default_gateway", {"gateways": gateways}, check=True)
    assert state(sh) == before
    result = both(run_module, "default_gateway", {"gateways": gateways})
    assert result["changes"] == [
        "ip route replace default via 10.0.0.1 dev br0 proto static",
        "ip -6 route replace default via fd00::1 dev br0 proto static metric 1024",
        "ip route replace default via 10.0.0.1 dev br0 proto static metric 77",
    ]
    assert sh("ip route show default").splitlines() == [
        "default via 10.0.0.1 dev br0 proto static ",
        "default via 10.0.0.1 dev br0 proto static metric 77 ",
        "default via 10.0.0.8 dev br0 metric 500 ",
    ]
    sh("ip route replace default via 10.0.0.5")
    repaired = both(run_module, "default_gateway", {"gateways": gateways})
    assert repaired["changes"] == result["changes"][:1]
    sh("ip route del default via 10.0.0.1 metric 0")
    both(run_module, "default_gateway", {"gateways": gateways})
    both(run_module, "default_gateway", {"gateways": gateways[:2], "purge": True})
    assert "metric 77" not in sh("ip route")
    both(run_module, "default_gateway", {"state": "absent"})
    assert state(sh) == before
    assert not LEDGER.exists()


def test_an_ipv6_gateway_of_the_model_counts_beside_what_routers_advertise(run_module, sh) -> None:
    """As a release before had it, the route has the kernel's own metric, which is that of advertised ones."""
    advertised = "default via fd00::9 dev br0 proto ra metric 1024"
    sh(f"ip -6 route add {advertised} expires 1800")
    run_module("host_state", {"owner": "real_server", "plan": {"gateways": [{"gateway": "fd00::1"}]}})
    assert "via fd00::9" not in sh("ip -6 route show default")
    plan = {"gateways": [{"gateway": "fd00::1", "metric": 64}]}
    first, *_others = run_module("host_state", {"owner": "real_server", "plan": plan})["changes"]
    assert first == "ip -6 route replace default via fd00::1 dev br0 proto static metric 64"
    assert "via fd00::1 " in sh("ip -6 route get 2001:db8:ffff::1")
    assert "via fd00::9 dev br0" in sh("ip -6 route show default metric 1024")
    assert run_module("host_state", {"owner": "real_server", "plan": plan})["changes"] == []
    run_module("host_state", {"owner": "real_server", "state": "absent"})
    assert "via fd00::9 " in sh("ip -6 route get 2001:db8:ffff::1")


def test_gateway_puts_the_whole_route_back(run_module, sh) -> None:
    sh("ip route add default nexthop via 10.0.0.8 weight 1 nexthop via 10.0.0.9 weight 3")
    sh("ip route add default dev br0 scope link metric 5")
    sh("ip route add default via inet6 fe80::9 dev br0 metric 6 mtu lock 1400 initcwnd 20 quickack 1")
    sh("ip route add unreachable default metric 7")
    before = state(sh)
    gateways = [{"gateway": "10.0.0.1", "metric": metric} for metric in (0, 5, 6, 7)]
    assert len(both(run_module, "default_gateway", {"gateways": gateways})["changes"]) == len(gateways)
    both(run_module, "default_gateway", {"state": "absent"})
    assert state(sh) == before


def test_gateway_mistakes_come_together(run_module, sh) -> None:
    sh("ip route add default via 10.0.0.9")
    before = state(sh)
    gateways = [
        {"gateway": "192.0.2.1"},
        {"gateway": "10.0.0.2", "metric": 1},
        {"gateway": "10.0.0.1", "metric": 2, "interface": "eth9"},
        {"gateway": "10.0.0.1", "metric": 3, "interface": "dummy0"},
        {"gateway": "fe80::1"},
        {"gateway": "10.0.0.1", "metric": 4},
        {"gateway": "10.0.0.3", "metric": 4},
    ]
    message = run_module("default_gateway", {"gateways": gateways})["msg"]
    assert message.startswith("6 mistakes: ")
    for text in (
        "gateways[0].gateway: 192.0.2.1 is not directly reachable; directly reachable are 10.0.0.0/24 on br0",
        "gateways[1].gateway: 10.0.0.2 is an address of this host itself",
        "gateways[2].interface: the interface eth9 does not exist",
        "gateways[3].gateway: 10.0.0.1 is not directly reachable on dummy0",
        "gateways[4].interface: is needed for fe80::1",
        "gateways[6]: gateways[5] is already the ipv4 default metric 4",
    ):
        assert text in message
    assert state(sh) == before


@pytest.mark.parametrize("has_default", [False, True])
def test_a_gateway_that_the_same_play_makes_reachable(run_module, sh, has_default) -> None:
    if has_default:
        sh("ip route add default via 10.0.0.9 dev br0")
    before = state(sh)
    gateway = {"gateways": [{"gateway": "192.0.2.1"}]}
    predicted = run_module("default_gateway", gateway, check=True)
    assert predicted["changes"] == ["ip route replace default via 192.0.2.1 proto static"]
    assert "gateways[0].gateway: 192.0.2.1 is not directly reachable" in str(predicted["warnings"])
    assert "cannot be checked before the addresses are there" in str(predicted["warnings"])
    assert "192.0.2.1 is not directly reachable" in run_module("default_gateway", gateway)["msg"]
    assert state(sh) == before
    run_module("vip_address", {"addresses": [{"address": "192.0.2.2/24", "interface": "br0"}]})
    result = run_module("default_gateway", gateway)
    assert result["changes"] == ["ip route replace default via 192.0.2.1 dev br0 proto static"]
    for name in ("default_gateway", "vip_address"):
        run_module(name, {"state": "absent"})
    assert state(sh) == before


def test_what_was_on_an_interface_that_is_gone_is_passed_over(run_module, sh) -> None:
    """An address of the operator's that changed for a while, on an interface that is taken away before teardown."""
    sh("ip link add gone up type dummy && ip address add fd00:9::1/64 dev gone nodad")
    addresses = [{"address": "fd00:9::1/64", "interface": "gone", "deprecated": True}]
    assert run_module("vip_address", {"addresses": addresses})["changed"]
    sh("ip link del gone")
    result = run_module("vip_address", {"state": "absent"})
    assert "fd00:9::1/64 dev gone cannot be put back" in str(result["warnings"]), result
    assert not run_module("vip_address", {"state": "absent"})["changed"]
    assert not Path("/var/lib/lvs-topology/ledger.json").exists()


def test_an_interface_that_appears_meanwhile_is_no_concern(sh) -> None:
    with Rtnetlink() as kernel:
        sh("ip link add late up type dummy && ip address add 192.0.2.1/24 dev late")
        sh("ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:07 dev late nud permanent")
        sh("ip route add 198.51.100.0/24 nexthop via 192.0.2.8 dev late nexthop via 192.0.2.9 dev late")
        assert "192.0.2.1" in [held.address for held in kernel.addresses()]
        assert "192.0.2.9" in [each.address for each in kernel.permanent_neighbours()]
        assert "198.51.100.0" in [route.destination for route in kernel.routes()]


def test_gateway_of_two_owners(run_module, sh) -> None:
    sh("ip route add default via 10.0.0.9")
    before = state(sh)
    for owner in ("one", "two"):
        run_module("default_gateway", {"gateways": [{"gateway": "10.0.0.1"}], "owner": owner})
    assert not run_module("default_gateway", {"owner": "one", "state": "absent"})["changed"]
    run_module("default_gateway", {"owner": "two", "state": "absent"})
    assert state(sh) == before


def test_neighbour_create_modify_delete(run_module, sh) -> None:
    sh("ip neigh add 10.0.0.100 lladdr 02:00:00:00:00:07 dev br0 nud permanent")
    before = state(sh)
    neighbours = [
        {"address": "10.0.0.100", "lladdr": "02-00-00-00-00-0A", "interface": "br0"},
        {"address": "fd00::100", "lladdr": "02:00:00:00:00:0b", "interface": "br0"},
    ]
    run_module("static_neighbour", {"neighbours": neighbours}, check=True)
    assert state(sh) == before
    result = both(run_module, "static_neighbour", {"neighbours": neighbours})
    assert result["changes"][0] == "ip neigh replace 10.0.0.100 lladdr 02:00:00:00:00:0a dev br0 nud permanent"
    assert "lladdr 02:00:00:00:00:0b PERMANENT" in sh("ip neigh show fd00::100")
    sh("ip neigh replace 10.0.0.100 lladdr 02:00:00:00:00:0c dev br0 nud reachable")
    assert both(run_module, "static_neighbour", {"neighbours": neighbours})["changes"] == result["changes"][:1]
    both(run_module, "static_neighbour", {"neighbours": neighbours[:1], "purge": True})
    assert sh("ip neigh show fd00::100 nud permanent") == ""
    both(run_module, "static_neighbour", {"state": "absent"})
    assert state(sh) == before
    assert not LEDGER.exists()
    bad = [
        {"address": "10.0.0.100", "lladdr": "01:00:5e:00:00:01", "interface": "br0"},
        {"address": "10.0.0.100", "interface": "br0"},
        {"address": "10.0.0.101", "lladdr": "web", "interface": "eth9"},
    ]
    message = run_module("static_neighbour", {"neighbours": bad})["msg"]
    for text in ("multicast MAC", "neighbours[1].lladdr: is needed", "'web' is not a MAC", "eth9 does not exist"):
        assert text in message


@pytest.mark.slow
def test_killed_in_the_middle_nothing_is_forgotten(run_module, spawn_module, sh) -> None:
    before = state(sh)
    vips = [{"address": f"10.1.{third}.{fourth}", "interface": "lo"} for third in range(2) for fourth in range(1, 100)]
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        process = spawn_module("vip_address", {"addresses": vips})
        while not LEDGER.exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # Whatever is there by now is claimed.
        book = LEDGER.read_text()
        there = [line.split()[3] for line in sh("ip -4 -o address show dev lo").splitlines()][1:]
        assert all(f'"{one} dev lo"' in book for one in there)
        run_module("vip_address", {"state": "absent"})
        assert state(sh) == before
    run_module("vip_address", {"addresses": vips})
    assert len(sh("ip -4 -o address show dev lo").splitlines()) == 1 + len(vips)


# Runs modules one after the other in one process, as starting Python costs seconds here. A line of output for each.
_RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from importlib import import_module
from ansible.module_utils.testing import patch_module_args
for name, arguments in json.loads(sys.argv[2]):
    module = import_module("ansible_collections.lvs.topology.plugins.modules." + name)
    try:
        with patch_module_args(arguments):
            module.main()
    except SystemExit:
        print(flush=True)
"""


# Not installed, and what 0.9 says on Python 3.8.
@pytest.mark.parametrize("fault", ["raise ModuleNotFoundError", "raise TypeError('type object is not subscriptable')"])
def test_pyroute2_is_needed_only_where_there_is_something_to_do(tmp_path, fault) -> None:
    (tmp_path / "pyroute2.py").write_text(fault + "\n")
    nothing = [
        (name, arguments)
        for name, option in (
            ("vip_address", "addresses"),
            ("default_gateway", "gateways"),
            ("static_neighbour", "neighbours"),
        )
        for arguments in ({"state": "absent"}, {"state": "absent", option: []}, {option: [], "purge": True})
    ]
    something = ("vip_address", {"addresses": [{"address": "10.0.0.100", "interface": "lo"}]})
    command = [sys.executable, "-c", _RUN, str(tmp_path), json.dumps([*nothing, something])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    *results, last = (json.loads(line) for line in done.stdout.splitlines() if line)
    assert [result.get("changed") for result in results] == [False] * len(nothing), results
    assert last["failed"]
    assert "python3-pyroute2" in last["msg"]
