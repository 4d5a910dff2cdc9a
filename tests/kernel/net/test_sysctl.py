# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysctl_profile and arp_tuning on a real kernel, judged by sysctl and arping."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import IPVS_NAMES

FORWARD = "net.ipv4.ip_forward"
PROFILE = Path("/etc/sysctl.d/99-zz-lvs-topology-lvs.conf")
ARP = Path("/etc/sysctl.d/99-zz-lvs-topology-lvs-arp.conf")
LEDGER = Path("/var/lib/lvs-topology/ledger.json")


def value(sh, key: str) -> str:
    return sh(f"sysctl -n '{key}'").strip()


def test_create_modify_delete(run_module, sh) -> None:
    was = value(sh, FORWARD)
    assert was == "0"
    wanted = {"values": {FORWARD: "1", "net.ipv4.conf.all.send_redirects": "0"}}
    predicted = run_module("sysctl_profile", wanted, check=True)
    assert value(sh, FORWARD) == "0"
    assert not PROFILE.exists()
    assert not LEDGER.exists()
    result = run_module("sysctl_profile", wanted)
    assert (
        result["changes"]
        == predicted["changes"]
        == [
            f"sysctl -w {FORWARD}=1",
            "sysctl -w net.ipv4.conf.all.send_redirects=0",
            f"write {PROFILE}",
        ]
    )
    assert result["diff"] == predicted["diff"]
    # The kernel switches the one that nobody asked for.
    assert result["diff"]["before"].splitlines() == [
        f"{FORWARD} = 0",
        "net.ipv4.conf.all.accept_redirects = 1",
        "net.ipv4.conf.all.send_redirects = 1",
    ]
    assert value(sh, FORWARD) == "1"
    assert value(sh, "net.ipv4.conf.all.send_redirects") == "0"
    assert PROFILE.stat().st_mode & 0o777 == 0o644
    again = run_module("sysctl_profile", wanted)
    assert (again["changed"], again["changes"]) == (False, [])

    sh(f"sysctl -w {FORWARD}=0")
    repaired = run_module("sysctl_profile", wanted)
    assert repaired["changes"] == [f"sysctl -w {FORWARD}=1"]

    PROFILE.write_text(PROFILE.read_text().replace("ip_forward = 1", "ip_forward = 0"))
    assert run_module("sysctl_profile", wanted)["changes"] == [f"write {PROFILE}"]
    PROFILE.chmod(0o600)
    assert run_module("sysctl_profile", wanted)["changes"] == [f"chmod 0644 {PROFILE}"]

    only = {"values": {FORWARD: "1"}, "purge": True}
    assert run_module("sysctl_profile", only, check=True)["changes"] == run_module("sysctl_profile", only)["changes"]
    assert value(sh, "net.ipv4.conf.all.send_redirects") == "1"

    gone = run_module("sysctl_profile", {"state": "absent"}, check=True)
    assert value(sh, FORWARD) == "1"
    assert run_module("sysctl_profile", {"state": "absent"})["changes"] == gone["changes"]
    assert value(sh, FORWARD) == "0"
    assert not PROFILE.exists()
    assert not LEDGER.exists()
    assert not run_module("sysctl_profile", {"state": "absent"})["changed"]


def test_the_file_is_what_sysctl_reads(run_module, sh) -> None:
    sh("ip link add v0.100 type veth peer name v1")
    key = "net/ipv4/conf/v0.100/rp_filter"
    run_module("sysctl_profile", {"values": {key: "2", "net.ipv4.tcp_rmem": "4096 131072  6291456"}})
    assert value(sh, key) == "2"
    assert not run_module("sysctl_profile", {"values": {"net.ipv4.conf.v0/100.rp_filter": "2"}})["changed"]
    sh(f"sysctl -w {key}=0")
    sh(f"sysctl -p {PROFILE}")
    assert value(sh, key) == "2"


def test_switching_forwarding_also_switches_redirects(run_module, sh) -> None:
    # The kernel sets conf.all.accept_redirects to the opposite whenever forwarding is switched.
    redirects = "net.ipv4.conf.all.accept_redirects"
    for accept in ("1", "0"):
        sh(f"sysctl -w {FORWARD}=0 {redirects}=1")
        wanted = {"values": {redirects: accept, FORWARD: "1"}}
        predicted = run_module("sysctl_profile", wanted, check=True)["changes"]
        assert run_module("sysctl_profile", wanted)["changes"] == predicted
        assert value(sh, redirects) == accept
        assert not run_module("sysctl_profile", wanted)["changed"]
        run_module("sysctl_profile", {"state": "absent"})
        assert (value(sh, FORWARD), value(sh, redirects)) == ("0", "1")


@pytest.mark.parametrize("before", ["00", "01", "10", "11"])
@pytest.mark.parametrize("wanted", ["0", "1"])
def test_redirects_are_as_before_after_teardown(run_module, sh, before, wanted) -> None:
    redirects = "net.ipv4.conf.all.accept_redirects"
    sh(f"sysctl -w {FORWARD}={before[0]}; sysctl -w {redirects}={before[1]}")
    run_module("sysctl_profile", {"values": {FORWARD: wanted}})
    if wanted == "0":
        assert value(sh, redirects) == before[1]
    for arguments in ({"values": {FORWARD: wanted}}, {"state": "absent"}):
        predicted = run_module("sysctl_profile", arguments, check=True)
        result = run_module("sysctl_profile", arguments)
        assert (result["changes"], result.get("diff")) == (predicted["changes"], predicted.get("diff"))
    assert value(sh, FORWARD) + value(sh, redirects) == before


def test_the_file_sets_forwarding_first(run_module, sh) -> None:
    redirects = "net.ipv4.conf.all.accept_redirects"
    run_module("sysctl_profile", {"values": {redirects: "1", FORWARD: "1"}})
    # As at boot.
    sh(f"sysctl -w {FORWARD}=0; sysctl -w {redirects}=0; sysctl -p {PROFILE}")
    assert (value(sh, FORWARD), value(sh, redirects)) == ("1", "1")


def test_two_owners_share_a_key(run_module, sh) -> None:
    for owner in ("one", "two"):
        run_module("sysctl_profile", {"values": {FORWARD: "1"}, "owner": owner})
    run_module("sysctl_profile", {"state": "absent", "owner": "one"})
    assert value(sh, FORWARD) == "1"
    run_module("sysctl_profile", {"state": "absent", "owner": "two"})
    assert value(sh, FORWARD) == "0"
    assert not list(Path("/etc/sysctl.d").iterdir())


def test_what_was_right_before_stays(run_module, sh) -> None:
    sh(f"sysctl -w {FORWARD}=1")
    run_module("sysctl_profile", {"values": {FORWARD: "1"}})
    run_module("sysctl_profile", {"state": "absent"})
    assert value(sh, FORWARD) == "1"


def test_missing_names_and_bad_values(run_module, sh) -> None:
    wanted = {"values": {FORWARD: "1", "net.ipv4.no_such": "1"}}
    refused = run_module("sysctl_profile", {**wanted, "missing": "fail"})
    assert refused["failed"]
    assert "net.ipv4.no_such" in refused["msg"]
    assert value(sh, FORWARD) == "0"
    result = run_module("sysctl_profile", wanted)
    assert result["missing"] == ["net.ipv4.no_such"]
    assert "no_such" not in PROFILE.read_text()
    bad = run_module("sysctl_profile", {"values": {"a/../b": "1", FORWARD: True}})
    assert bad["msg"].startswith("2 mistakes: (1) values[a/../b]: ")
    broken = run_module("sysctl_profile", {"values": {FORWARD: "x"}})
    assert broken["failed"]
    assert "the kernel does not accept this value" in broken["msg"]


def test_a_sysctl_of_a_newer_kernel_is_reported_and_the_rest_is_set(run_module, sh) -> None:
    sh("modprobe ip_vs")
    key = "net.ipv4.vs.expire_nodest_conn"
    wanted = {"values": {key: "1", "net.ipv4.vs.conn_lfactor": "-3"}}
    result = run_module("sysctl_profile", wanted)
    assert result["missing"] == ["net.ipv4.vs.conn_lfactor"]
    assert "net.ipv4.vs.conn_lfactor (which is there since Linux 7.1; this is" in str(result["warnings"])
    assert value(sh, key) == "1"
    assert not run_module("sysctl_profile", wanted)["changed"]


def test_every_sysctl_of_ipvs_is_known(sh) -> None:
    """What the documentation lists and lvs_sysctls takes has all that this kernel offers."""
    sh("modprobe -a ip_vs ip_vs_lblc ip_vs_lblcr")
    offered = {path.name for path in Path("/proc/sys/net/ipv4/vs").iterdir()}
    assert offered <= set(IPVS_NAMES)


def test_a_damaged_ledger_stops_everything(run_module, sh) -> None:
    LEDGER.parent.mkdir(exist_ok=True)
    LEDGER.write_text("{")
    result = run_module("sysctl_profile", {"values": {FORWARD: "1"}})
    assert result["failed"]
    assert f"The ledger {LEDGER} is damaged" in result["msg"]
    assert value(sh, FORWARD) == "0"


@pytest.fixture
def real_server(wire, sh) -> None:
    """The test's own namespace as a real server with the VIP on lo and a client on its segment."""
    wire("client", "10.0.0.1/24")
    sh("ip address add 10.0.0.2/24 dev br0")
    sh("ip address add 10.0.0.100/32 dev lo")


@pytest.mark.usefixtures("real_server")
def test_arp_tuning_silences_the_vip_only(run_module, sh, answers_arp, is_silent, until) -> None:
    until(lambda: answers_arp("10.0.0.100"))
    wanted = {"interfaces": [{"interface": "all", "arp_ignore": 1, "arp_announce": 2}]}
    predicted = run_module("arp_tuning", wanted, check=True)
    until(lambda: answers_arp("10.0.0.100"))
    result = run_module("arp_tuning", wanted)
    assert result["changes"] == predicted["changes"]
    assert result["effective"] == predicted["effective"]
    assert result["effective"]["br0"] == {"arp_ignore": 1, "arp_announce": 2}
    assert is_silent("10.0.0.100", "10.0.0.2")
    assert not run_module("arp_tuning", wanted)["changed"]
    sh("sysctl -w net.ipv4.conf.all.arp_ignore=0")
    assert run_module("arp_tuning", wanted)["changes"] == ["sysctl -w net.ipv4.conf.all.arp_ignore=1"]
    run_module("arp_tuning", {"state": "absent"})
    until(lambda: answers_arp("10.0.0.100"))
    assert value(sh, "net.ipv4.conf.all.arp_announce") == "0"
    assert not ARP.exists()
    assert not LEDGER.exists()


@pytest.mark.usefixtures("real_server")
def test_lo_has_no_effect_as_the_documentation_says(run_module, answers_arp, until) -> None:
    run_module("arp_tuning", {"interfaces": [{"interface": "lo", "arp_ignore": 1}]})
    until(lambda: answers_arp("10.0.0.100"))


@pytest.mark.usefixtures("real_server")
def test_the_larger_one_counts(run_module, sh) -> None:
    one = {"interfaces": [{"interface": "br0", "arp_ignore": 1}]}
    assert run_module("arp_tuning", one)["changes"][0] == "sysctl -w net.ipv4.conf.br0.arp_ignore=1"
    run_module("arp_tuning", {"state": "absent"})
    sh("sysctl -w net.ipv4.conf.all.arp_ignore=1")
    # What is right through all needs no change of the interface; the file still says it for the next boot.
    assert run_module("arp_tuning", one)["changes"] == [f"write {ARP}"]
    sh("sysctl -w net.ipv4.conf.all.arp_ignore=2")
    refused = run_module("arp_tuning", one)
    assert refused["msg"].startswith("interfaces[0].arp_ignore: 1 cannot take effect on br0")
    sh("sysctl -w net.ipv4.conf.br0.arp_announce=2")
    warned = run_module("arp_tuning", {"interfaces": [{"interface": "all", "arp_announce": 1}]})
    assert any("net.ipv4.conf.br0.arp_announce = 2 is larger than 1" in str(one) for one in warned["warnings"])
    assert warned["effective"]["br0"]["arp_announce"] == 2


def test_arp_mistakes_come_together(run_module) -> None:
    result = run_module(
        "arp_tuning", {"interfaces": [{"interface": "eth9", "arp_ignore": 1}, {"interface": "all"}], "owner": "a b"}
    )
    assert result["msg"].startswith("3 mistakes: ")
    assert "interfaces[0].interface: the interface eth9 does not exist" in result["msg"]
    assert "interfaces[1]: needs arp_ignore" in result["msg"]


def test_arp_and_profile_of_one_owner_are_apart(run_module, sh) -> None:
    run_module("arp_tuning", {"interfaces": [{"interface": "all", "arp_ignore": 1}]})
    run_module("sysctl_profile", {"values": {FORWARD: "1"}, "purge": True})
    assert value(sh, "net.ipv4.conf.all.arp_ignore") == "1"
    run_module("sysctl_profile", {"state": "absent"})
    assert value(sh, "net.ipv4.conf.all.arp_ignore") == "1"
    run_module("arp_tuning", {"state": "absent"})
    assert value(sh, "net.ipv4.conf.all.arp_ignore") == "0"


def test_text_beyond_ascii_comes_and_goes(run_module) -> None:
    domain = Path("/proc/sys/kernel/domainname")
    before = domain.read_bytes()
    wanted = {"values": {"kernel.domainname": "höhle"}}
    try:
        run_module("sysctl_profile", wanted)
        assert domain.read_bytes() == "höhle\n".encode()
        assert "kernel.domainname = höhle" in PROFILE.read_text(encoding="utf-8")
        assert not run_module("sysctl_profile", wanted)["changed"]
        run_module("sysctl_profile", {"state": "absent"})
        assert domain.read_bytes() == before
        domain.write_bytes(b"\xff\n")
        message = run_module("sysctl_profile", wanted)["msg"]
        assert "values[kernel.domainname]: this sysctl has a value that is no text" in message
        # It is said before another host is touched.
        message = run_module("preflight", {"plan": {"sysctls": wanted["values"]}})["msg"]
        assert "plan: sysctls: values[kernel.domainname]: this sysctl has a value that is no text" in message
        # What is not ours is left alone, whatever it is.
        assert not run_module("sysctl_profile", {**wanted, "state": "absent"}).get("failed")
        assert domain.read_bytes() == b"\xff\n"
        # What was there before the claim is known: what somebody put there since does not have to be.
        domain.write_bytes(before)
        run_module("sysctl_profile", wanted)
        for state in ("present", "absent"):
            domain.write_bytes(b"\xff\n")
            assert run_module("sysctl_profile", {**wanted, "state": state})["changed"]
        assert domain.read_bytes() == before
        # The kernel keeps 64 bytes, the last of which are half a letter here.
        cut = {"values": {"kernel.domainname": "a" + "ü" * 40}}
        message = run_module("sysctl_profile", cut)["msg"]
        assert "The kernel took " in message
        assert not run_module("sysctl_profile", {"state": "absent"}).get("failed")
        assert domain.read_bytes() == before
    finally:
        domain.write_bytes(before)
