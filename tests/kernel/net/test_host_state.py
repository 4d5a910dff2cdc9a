# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_state: one order, nothing touched where something is refused, and what is said where the kernel refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

LEDGER = Path("/var/lib/lvs-topology/ledger.json")
SERVICES = [
    {
        "address": "10.0.0.100",
        "port": 80,
        "scheduler": "rr",
        "real_servers": [{"address": "10.0.1.1", "forward": "dr", "weight": 1}],
    }
]
PLAN: dict[str, Any] = {
    "kernel_modules": ["ip_vs", "ip_vs_rr"],
    "sysctls": {"net.ipv4.vs.expire_nodest_conn": "1", "net.ipv4.conf.lo.rp_filter": "2"},
    "arp": [{"interface": "lo", "arp_ignore": 1, "arp_announce": 2}],
    "addresses": [{"address": "10.0.0.100", "interface": "lo"}],
    "timeouts": {"tcp": 600},
    "services": SERVICES,
    "purge": ["real_servers"],
    "manager": "kernel",
    "commands": ["ip"],
}
# The first word of each line of a change, by concern, in the order of adding.
ORDER = ["modprobe", "sysctl", "ip", "ipvsadm", "write"]


def args(plan: dict[str, Any] = PLAN, **options: Any) -> dict[str, Any]:
    return {"owner": "director", "plan": plan, **options}


@pytest.fixture(autouse=True)
def _own_units(sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")


def state(sh) -> str:
    return sh(
        "ip -4 -o address show dev lo | sed 's/valid_lft.*//'; ipvsadm -S -n; ipvsadm -Ln --timeout;"
        " cd /proc/sys/net/ipv4; grep . conf/lo/arp_ignore conf/lo/rp_filter vs/expire_nodest_conn;"
        " find /etc/sysctl.d /etc/modules-load.d /etc/lvs-topology /etc/systemd /var/lib/lvs-topology -type f | sort"
    )


def words(changes: list[str]) -> list[str]:
    """The kinds of changes in the order in which they come, each once in a row."""
    found: list[str] = []
    for line in changes:
        word = line.split()[0]
        if not found or found[-1] != word:
            found.append(word)
    return found


def test_a_plan_is_predicted_brought_about_and_put_back(run_module, sh) -> None:
    before = state(sh)
    predicted = run_module("host_state", args(), check=True)
    assert state(sh) == before
    done = run_module("host_state", args())
    assert done["changes"] == predicted["changes"]
    assert done["diff"] == predicted["diff"]
    assert [each["before_header"] for each in done["diff"]] == [
        name
        for name in ("kernel_modules", "sysctls", "arp", "addresses", "timeouts", "services", "boot")
        if name in {each["before_header"] for each in done["diff"]}
    ]
    assert "10.0.0.100/32" in sh("ip -o address show dev lo")
    assert sh("ipvsadm -S -n").splitlines() == [
        "-A -t 10.0.0.100:80 -s rr",
        "-a -t 10.0.0.100:80 -r 10.0.1.1:80 -g -w 1",
    ]
    assert sh("cat /proc/sys/net/ipv4/conf/lo/arp_ignore") == "1\n"
    after = state(sh)
    assert not run_module("host_state", args())["changed"]
    # What a plan has not, is put back by an empty one.
    gone = run_module("host_state", args({"services": []}))
    assert words(gone["changes"])[-1] in ("rmmod", "remove", "sysctl")
    assert "10.0.0.100" not in state(sh)
    assert not run_module("host_state", args({"services": []}))["changed"]
    run_module("host_state", args())
    assert state(sh) == after
    predicted = run_module("host_state", {"owner": "director", "state": "absent"}, check=True)
    assert state(sh) == after
    gone = run_module("host_state", {"owner": "director", "state": "absent"})
    # Whether somebody else still uses a kernel module shows when what we had there is gone.
    assert [line for line in gone["changes"] if "rmmod" not in line] == predicted["changes"]
    assert not LEDGER.exists()
    assert not run_module("host_state", {"owner": "director", "state": "absent"})["changed"]
    assert "10.0.0.100" not in state(sh)


def test_it_agrees_with_the_modules_for_one_thing_each(run_module) -> None:
    run_module("host_state", args())
    for module, options in {
        "kernel_modules": {"modules": PLAN["kernel_modules"]},
        "sysctl_profile": {"values": PLAN["sysctls"]},
        "arp_tuning": {"interfaces": PLAN["arp"]},
        "vip_address": {"addresses": PLAN["addresses"]},
        "ipvs_timeouts": PLAN["timeouts"],
        "ipvs_table": {"services": SERVICES},
        "boot_restore": {"addresses": PLAN["addresses"], "services": SERVICES, "timeouts": PLAN["timeouts"]},
    }.items():
        assert not run_module(module, {"owner": "director", **options})["changed"], module


def test_adding_and_releasing_apart(run_module, sh) -> None:
    run_module("host_state", args())
    smaller = {**PLAN, "addresses": [], "arp": []}
    added = run_module("host_state", args(smaller, steps=["add"]))
    assert added["left_over"] == ["arp", "addresses"]
    assert "10.0.0.100/32" in sh("ip -o address show dev lo")
    released = run_module("host_state", args(smaller, steps=["release"]))
    # The VIP goes before the ARP tuning that keeps it quiet.
    assert words(released["changes"])[0] == "ip"
    assert "10.0.0.100/32" not in sh("ip -o address show dev lo")
    assert run_module("host_state", args(smaller, steps=["add"]))["left_over"] == []
    assert not run_module("host_state", args(smaller))["changed"]


def test_less_than_all_of_a_plan(run_module, sh) -> None:
    only = run_module("host_state", args(concerns=["addresses"]))
    assert only["changes"] == ["ip address add 10.0.0.100/32 dev lo"]
    assert sh("ipvsadm -S -n") == ""


def test_what_keepalived_manages_is_left_to_it(run_module, sh) -> None:
    sh("ipvsadm -A -t 10.0.0.100:80 -s rr && ip address add 10.0.0.100/32 dev lo")
    before = sh("ipvsadm -S -n; ip -o address show dev lo")
    run_module(
        "host_state", args({"sysctls": PLAN["sysctls"], "services": [], "addresses": [], "manager": "keepalived"})
    )
    assert sh("ipvsadm -S -n; ip -o address show dev lo") == before


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ({"addresses": [{"address": "10.0.0.300", "interface": "lo"}]}, "addresses: addresses[0].address: "),
        ({"addresses": [{"address": "10.0.0.3", "interface": "eth77"}]}, "addresses: addresses[0].interface: "),
        ({"services": [{**SERVICES[0], "port": 99999}]}, "services: services[0].port: "),
        ({"services": [{**SERVICES[0], "prot": "tcp"}]}, "services: "),
        ({"timeouts": {"tcp": "soon"}}, "timeouts: "),
        ({"sysctls": {"net.ipv4/../../x": "1"}}, "sysctls: "),
        ({"packet_rules": {"marks": [{"mark": 0, "address": "10.0.0.1"}]}}, "packet_rules: "),
    ],
)
def test_what_the_last_concern_refuses_is_refused_before_the_first_is_touched(
    part: dict[str, Any], where: str, run_module, sh
) -> None:
    before = state(sh)
    for check in (True, False):
        failed = run_module("host_state", args({**PLAN, **part}), check=check)
        assert failed["failed"]
        assert failed["msg"].startswith(where)
        assert "Nothing was changed." in failed["msg"]
        assert failed["applied"] == []
        assert state(sh) == before
    assert not LEDGER.exists()


@pytest.mark.parametrize("plan", [{"adresses": []}, {"services": 5}, {"sysctls": [1]}, {"addresses": {"a": 1}}, "x"])
def test_what_is_no_plan_is_refused_by_name(plan: Any, run_module, sh) -> None:
    before = state(sh)
    failed = run_module("host_state", args(plan))
    assert failed["failed"]
    assert "plan" in failed["msg"] or "dictionary requested" in failed["msg"]
    assert state(sh) == before


def test_a_refusal_in_the_middle_says_what_was_applied_and_a_rerun_goes_on(run_module, sh) -> None:
    """A file that cannot be written comes last: everything before it is there, and said to be."""
    sh("mount -o remount,ro /etc/lvs-topology")
    failed = run_module("host_state", args())
    assert failed["failed"]
    assert failed["msg"].startswith("boot: ")
    assert "services" in failed["msg"]
    assert "ipvsadm -A -t 10.0.0.100:80 -s rr" in failed["applied"]
    assert failed["not_begun"] == []
    assert "-A -t 10.0.0.100:80" in sh("ipvsadm -S -n")
    assert json.loads(LEDGER.read_text())["service"]
    sh("mount -o remount,rw /etc/lvs-topology")
    done = run_module("host_state", args())
    assert words(done["changes"]) == ["write"]
    assert not run_module("host_state", args())["changed"]


def test_what_others_put_into_the_table_is_said(run_module, sh) -> None:
    sh("ipvsadm -A -t 198.51.100.1:80 -s rr")
    assert run_module("host_state", args())["unmanaged"] == ["-A -t 198.51.100.1:80 -s rr"]
    assert run_module("host_state", args())["unmanaged"] == ["-A -t 198.51.100.1:80 -s rr"]
    run_module("host_state", {"owner": "director", "state": "absent"})
    assert sh("ipvsadm -S -n") == "-A -t 198.51.100.1:80 -s rr\n"


def test_host_facts_agree_with_ip(run_module, sh) -> None:
    sh(
        "ip link add eth5 type veth peer name peer5 && ip link set eth5 up && ip link set peer5 up"
        " && ip link set eth5 mtu 1400 address 02:00:00:00:00:05"
        " && ip address add 10.5.0.1/24 dev eth5 label eth5:vip && ip address add fd05::1/64 dev eth5 nodad"
        " && ip route add default via 10.5.0.254"
    )
    found = run_module("host_facts", {})["ansible_facts"]["lvs_topology"]
    by_name = {each["device"]: each for each in found["interfaces"]}
    assert set(by_name) == {line.split(": ")[1].split("@")[0] for line in sh("ip -o link show").splitlines()}
    assert by_name["eth5"]["mtu"] == 1400
    assert by_name["eth5"]["macaddress"] == "02:00:00:00:00:05"
    assert {"address": "10.5.0.1", "prefix": 24} in by_name["eth5"]["addresses"]
    assert {"address": "fd05::1", "prefix": 64} in by_name["eth5"]["addresses"]
    assert found["default_ipv4"] == {"gateway": "10.5.0.254"}
    assert "default_ipv6" not in found
