# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel_modules and arp_filter on a real kernel, judged by lsmod, arptables and arping."""

from __future__ import annotations

from pathlib import Path

import pytest

AT_BOOT = Path("/etc/modules-load.d/lvs-topology-lvs.conf")
LEDGER = Path("/var/lib/lvs-topology/ledger.json")


def loaded(sh) -> set[str]:
    return {line.split()[0] for line in sh("lsmod").splitlines()[1:]}


@pytest.fixture
def without_ipvs(sh) -> set[str]:
    """What is loaded once nothing of IPVS is."""
    for name in sorted(loaded(sh) & {"ip_vs_rr", "ip_vs_sed", "ip_vs_wlc", "ip_vs_ftp"}):
        sh(f"modprobe -r {name}")
    sh("for name in $(lsmod | awk '/^ip_vs_/ {print $1}') ip_vs; do rmmod $name 2>/dev/null || true; done")
    # Once loaded, IPv6 never goes.
    sh("modprobe ipv6")
    before = loaded(sh)
    assert "ip_vs" not in before
    return before


def test_modules_create_modify_delete(run_module, sh, without_ipvs) -> None:
    wanted = {"modules": ["ip_vs", "ip-vs-rr"]}
    predicted = run_module("kernel_modules", wanted, check=True)
    assert loaded(sh) == without_ipvs
    result = run_module("kernel_modules", wanted)
    assert result["changes"] == predicted["changes"] == ["modprobe ip_vs", "modprobe ip_vs_rr", f"write {AT_BOOT}"]
    assert result["diff"] == predicted["diff"]
    assert loaded(sh) >= {"ip_vs", "ip_vs_rr"}
    assert loaded(sh) - without_ipvs == set(result["diff"]["after"].split("#")[0].split())
    assert AT_BOOT.read_text().splitlines()[1:] == ["ip_vs", "ip_vs_rr"]
    assert not run_module("kernel_modules", wanted)["changed"]
    sh("rmmod ip_vs_rr")
    assert run_module("kernel_modules", wanted)["changes"] == ["modprobe ip_vs_rr"]

    both = run_module("kernel_modules", {"modules": ["ip_vs_sed"]})
    assert both["changes"] == ["modprobe ip_vs_sed", f"write {AT_BOOT}"]
    assert AT_BOOT.read_text().splitlines()[1:] == ["ip_vs", "ip_vs_rr", "ip_vs_sed"]
    purged = run_module("kernel_modules", {"modules": ["ip_vs_rr"], "purge": True})
    assert purged["changes"] == ["rmmod ip_vs_sed", f"write {AT_BOOT}"]

    gone = run_module("kernel_modules", {"state": "absent"}, check=True)
    assert run_module("kernel_modules", {"state": "absent"})["changes"] == gone["changes"]
    assert loaded(sh) == without_ipvs
    assert not AT_BOOT.exists()
    assert not LEDGER.exists()


@pytest.mark.usefixtures("without_ipvs")
def test_what_is_in_use_stays_loaded(run_module, sh) -> None:
    run_module("kernel_modules", {"modules": ["ip_vs_rr"]})
    sh("ipvsadm -A -t 10.0.0.100:80 -s rr")
    try:
        result = run_module("kernel_modules", {"state": "absent"})
        assert set(result["still_in_use"]) >= {"ip_vs", "ip_vs_rr"}
        assert loaded(sh) >= {"ip_vs", "ip_vs_rr"}
        assert not AT_BOOT.exists()
    finally:
        sh("ipvsadm -C")


def test_what_is_not_listed_and_in_use_goes_later(run_module, sh, without_ipvs) -> None:
    """The old scheduler of a table that changes only after the modules."""
    run_module("kernel_modules", {"modules": ["ip_vs_rr"]})
    sh("ipvsadm -A -t 10.0.0.100:80 -s rr")
    new = {"modules": ["ip_vs_sed"], "purge": True}
    changed = run_module("kernel_modules", new)
    assert changed["changes"] == ["modprobe ip_vs_sed", f"write {AT_BOOT}"]
    assert changed["still_in_use"] == changed["left_over"] == ["ip_vs_rr"]
    again = run_module("kernel_modules", new)
    assert (again["changed"], again["left_over"]) == (False, ["ip_vs_rr"])
    sh("ipvsadm -E -t 10.0.0.100:80 -s sed")
    later = run_module("kernel_modules", new)
    assert (later["changes"], later["left_over"]) == (["rmmod ip_vs_rr"], [])
    sh("ipvsadm -C")
    run_module("kernel_modules", {"state": "absent"})
    assert loaded(sh) == without_ipvs


@pytest.mark.usefixtures("without_ipvs")
def test_check_mode_knows_the_sysctls_of_what_is_not_loaded_yet(run_module, sh) -> None:
    values = {"net.ipv4.vs.expire_nodest_conn": "1", "net.ipv4.ip_forward": "1"}
    predicted = run_module("sysctl_profile", {"values": values}, check=True)
    assert predicted["missing"] == []
    assert "expire_nodest_conn" not in str(predicted.get("warnings"))
    assert run_module("sysctl_profile", {"values": values, "missing": "fail"}, check=True)["changed"]
    # Without the module they are missing, as are those of a newer kernel with it.
    assert run_module("sysctl_profile", {"values": values, "missing": "fail"})["failed"]
    sh("modprobe ip_vs")
    unknown = run_module("sysctl_profile", {"values": {"net.ipv4.vs.no_such": "1"}}, check=True)
    assert unknown["missing"] == ["net.ipv4.vs.no_such"]
    result = run_module("sysctl_profile", {"values": values})
    assert result["changes"] == predicted["changes"]
    assert result["diff"]["after"] == predicted["diff"]["after"]
    assert sh("sysctl -n net.ipv4.vs.expire_nodest_conn") == "1\n"
    run_module("sysctl_profile", {"state": "absent"})
    assert sh("sysctl -n net.ipv4.vs.expire_nodest_conn") == "0\n"


@pytest.mark.usefixtures("without_ipvs")
def test_what_was_loaded_before_stays_loaded(run_module, sh) -> None:
    sh("modprobe ip_vs_rr")
    before = loaded(sh)
    run_module("kernel_modules", {"modules": ["ip_vs_rr"]})
    run_module("kernel_modules", {"state": "absent"})
    assert loaded(sh) == before


def test_a_module_that_does_not_exist(run_module) -> None:
    result = run_module("kernel_modules", {"modules": ["ip_vs_nosuch", "ip_vs"]}, check=True)
    assert "has no module ip_vs_nosuch" in result["msg"]
    assert "Install the package linux-" in result["msg"]
    bad = run_module("kernel_modules", {"modules": ["ip_vs", "ip-vs", "a b"]})
    assert bad["msg"].startswith("2 mistakes: (1) modules[1]: ip_vs is already listed in modules[0]")


FILTERS = [{"vip": "10.0.0.100", "source": "10.0.0.2"}]


@pytest.fixture
def arptables(sh) -> str:
    """The command that works on this kernel."""
    for name in ("arptables", "arptables-legacy", "arptables-nft"):
        if sh(f"unshare --net {name} -A INPUT -j ACCEPT >/dev/null 2>&1 && echo works || true"):
            return name
    raise AssertionError("no arptables works here")


@pytest.fixture
def real_server(wire, sh) -> None:
    wire("client", "10.0.0.1/24")
    sh("ip address add 10.0.0.2/24 dev br0")
    sh("ip address add 10.0.0.100/32 dev lo")


@pytest.mark.usefixtures("real_server")
def test_arp_filter_create_modify_delete(run_module, sh, arptables, answers_arp, is_silent, until) -> None:
    sh(f"{arptables} -A INPUT -s 10.0.0.0/24 -d 10.0.0.77 -j DROP")
    before = sh(f"{arptables} -n -L")
    until(lambda: answers_arp("10.0.0.100"))
    predicted = run_module("arp_filter", {"filters": FILTERS}, check=True)
    assert sh(f"{arptables} -n -L") == before
    result = run_module("arp_filter", {"filters": FILTERS})
    assert (
        result["changes"]
        == predicted["changes"]
        == [
            "arptables -A INPUT -j DROP -d 10.0.0.100",
            "arptables -A OUTPUT -j mangle -s 10.0.0.100 --mangle-ip-s 10.0.0.2",
        ]
    )
    assert is_silent("10.0.0.100", "10.0.0.2")
    assert not run_module("arp_filter", {"filters": FILTERS})["changed"]

    # The host's own requests carry the RIP where they would carry the VIP.
    sh("ip route add 10.0.0.50/32 dev br0 src 10.0.0.100")
    sh("ip netns exec client tcpdump -l -n -c 1 -i eth0 arp and host 10.0.0.50 >/tmp/asked 2>/tmp/asking &")
    until(lambda: "listening on" in Path("/tmp/asking").read_text())
    sh("ping -c 1 -W 1 10.0.0.50 >/dev/null || true")
    until(lambda: "who-has" in Path("/tmp/asked").read_text())
    assert "who-has 10.0.0.50 tell 10.0.0.2" in Path("/tmp/asked").read_text()

    sh(f"{arptables} -D INPUT -d 10.0.0.100 -j DROP")
    assert run_module("arp_filter", {"filters": FILTERS})["changes"] == result["changes"][:1]
    other = [{"vip": "10.0.0.101", "source": "10.0.0.2", "interface": "br0"}]
    changed = run_module("arp_filter", {"filters": other, "purge": True})
    assert changed["changes"] == [
        "arptables -A INPUT -j DROP -i br0 -d 10.0.0.101",
        "arptables -A OUTPUT -j mangle -o br0 -s 10.0.0.101 --mangle-ip-s 10.0.0.2",
        "arptables -D INPUT -j DROP -d 10.0.0.100",
        "arptables -D OUTPUT -j mangle -s 10.0.0.100 --mangle-ip-s 10.0.0.2",
    ]
    assert not run_module("arp_filter", {"filters": other, "purge": True})["changed"]
    run_module("arp_filter", {"state": "absent"})
    assert sh(f"{arptables} -n -L") == before
    assert not LEDGER.exists()


def test_arp_filter_mistakes_come_together(run_module) -> None:
    filters = [
        {"vip": "fd00::1", "source": "10.0.0.2"},
        {"vip": "10.0.0.100", "source": "10.0.0.100"},
        {"vip": "10.0.0.100", "source": "10.0.0.2", "interface": "eth9"},
        {"vip": "10.0.0.100", "source": "10.0.0.3"},
    ]
    message = run_module("arp_filter", {"filters": filters})["msg"]
    for text in ("filters[0].vip: fd00::1 is an IPv6", "filters[1].source:", "eth9 does not exist", "filters[3]:"):
        assert text in message
    assert message.startswith("4 mistakes: ")
