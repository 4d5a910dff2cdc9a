# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_state: one order, nothing touched where something is refused, and what is said where the kernel refuses."""

from __future__ import annotations

import json
import subprocess
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


def args(plan: Any = None, **options: Any) -> dict[str, Any]:
    return {"owner": "director", "plan": PLAN if plan is None else plan, **options}


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
    assert added["left_over"] == ["addresses", "arp"]
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


def test_preflight_says_what_there_is_to_do_and_what_would_be_refused(run_module, sh) -> None:
    before = state(sh)
    asked = {"owner": "director", "plan": PLAN}
    assert run_module("preflight", asked)["in_place"] is False
    assert state(sh) == before
    run_module("host_state", args())
    assert run_module("preflight", asked)["in_place"] is True
    # Less than what is there is something to do as well.
    assert run_module("preflight", {**asked, "plan": {**PLAN, "addresses": []}})["in_place"] is False
    for damage, repair in (
        ("ip address del 10.0.0.100/32 dev lo", None),
        ("ipvsadm -E -t 10.0.0.100:80 -s wlc", None),
        ("rm /etc/lvs-topology/director.ip", None),
        ("sysctl -qw net.ipv4.conf.lo.arp_ignore=0", None),
        ("ipvsadm --set 900 0 0", None),
        # What others put there is said by host_state in each run.
        ("ipvsadm -A -t 198.51.100.1:80 -s rr", "ipvsadm -D -t 198.51.100.1:80"),
    ):
        sh(damage)
        assert run_module("preflight", asked)["in_place"] is False, damage
        run_module("host_state", args())
        sh(repair or "true")
        assert run_module("preflight", asked)["in_place"] is True, damage
    refused = run_module("preflight", {**asked, "plan": {**PLAN, "addresses": [{"address": "x", "interface": "lo"}]}})
    assert "plan: addresses: addresses[0].address: " in refused["msg"]
    # A keepalived that goes on shares nothing with the director.
    moved = {**asked, "plan": {**PLAN, "manager": "keepalived", "addresses": [], "services": []}}
    run_module("host_state", {"owner": "director", "state": "absent"})
    run_module("host_state", args(moved["plan"]))
    assert run_module("preflight", moved)["in_place"] is True
    ledger = json.loads(LEDGER.read_text())
    before = {"enabled": False, "active": False}
    ledger["keepalived_config"] = {"/etc/keepalived/keepalived.conf": {"owners": ["keepalived"], "was": None}}
    ledger["keepalived_unit"] = {"keepalived.service": {"owners": ["keepalived"], "was": before}}
    LEDGER.write_text(json.dumps(ledger))
    assert run_module("preflight", moved)["in_place"] is True
    run_module("host_state", args())
    assert run_module("preflight", asked)["in_place"] is False
    # Another role of ours may change what both have.
    run_module("vip_address", {"owner": "real_server", "addresses": [{"address": "10.0.0.7", "interface": "lo"}]})
    assert run_module("preflight", asked)["in_place"] is False


def test_a_damaged_ledger_is_taken_down_as_far_as_it_can_be_read(run_module, sh) -> None:
    run_module("host_state", args())
    ledger = json.loads(LEDGER.read_text())
    ledger["address"]["10.0.0.100/32 dev lo"]["was"] = [7]
    LEDGER.write_text(json.dumps(ledger))
    gone = run_module("host_state", {"owner": "director", "state": "absent"})
    assert not gone.get("failed")
    assert "10.0.0.100/32 dev lo" in str(gone["warnings"])
    assert sh("ipvsadm -S -n") == ""
    assert list(json.loads(LEDGER.read_text())) == ["address", "version"]
    assert "10.0.0.100/32" in sh("ip -o address show dev lo")


def test_what_is_only_in_the_ledger_is_brought_up_to_date(run_module, sh) -> None:
    run_module("host_state", args())
    # A VIP that leaves the plan, and that somebody has taken away before.
    sh("ip address del 10.0.0.100/32 dev lo")
    smaller = {**PLAN, "addresses": []}
    assert run_module("preflight", {"owner": "director", "plan": smaller})["in_place"] is False
    run_module("host_state", args(smaller))
    assert "address" not in json.loads(LEDGER.read_text())
    sh("ip address add 10.0.0.100/32 dev lo")
    run_module("host_state", args(smaller))
    assert "10.0.0.100/32" in sh("ip -o address show dev lo"), "the operator's own address is gone"
    # A ledger that was lost: what is right in the table is ours again.
    LEDGER.unlink()
    run_module("host_state", args(smaller))
    assert json.loads(LEDGER.read_text())["service"]
    run_module("host_state", args({**smaller, "services": []}))
    assert sh("ipvsadm -S -n") == ""


def test_a_line_of_a_file_that_was_never_claimed_leaves_with_the_plan(run_module, sh) -> None:
    """It was right before, so there is nothing to put back, and a check and a run still agree."""
    sh("sysctl -qw net.ipv4.ip_forward=1")
    more = {**PLAN, "sysctls": {**PLAN["sysctls"], "net.ipv4.ip_forward": "1"}}
    run_module("host_state", args(more))
    line = "net.ipv4.ip_forward = 1"
    file = Path("/etc/sysctl.d/99-zz-lvs-topology-director.conf")
    assert line in file.read_text()
    added = run_module("host_state", args(steps=["add"]))
    assert added["left_over"] == ["sysctls"]
    predicted = run_module("host_state", args(), check=True)
    assert run_module("host_state", args())["changes"] == predicted["changes"] == [f"write {file}"]
    assert line not in file.read_text()
    assert not run_module("host_state", args(), check=True)["changed"]
    assert sh("sysctl -n net.ipv4.ip_forward") == "1\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"owner": "director"}, "state is present but all of the following are missing: plan"),
        ({"owner": "director", "plan": PLAN, "steps": []}, "steps: none is given"),
        ({"owner": "director", "plan": {**PLAN, "timeouts": {"state": "absent"}}}, "timeouts: state is not known"),
        ({"owner": "director", "plan": {**PLAN, "packet_rules": {"owner": "x"}}}, "packet_rules: owner is not known"),
        ({"owner": "../x", "plan": PLAN}, "owner: "),
    ],
)
def test_half_a_request_takes_nothing_away(options: dict[str, Any], said: str, run_module, sh) -> None:
    run_module("host_state", args())
    before = state(sh)
    refused = run_module("host_state", options)
    assert refused["failed"]
    assert said in refused["msg"]
    assert state(sh) == before


def test_teardown_goes_as_far_as_it_can(run_module, sh) -> None:
    run_module("host_state", args())
    # A file of ours that is none any more: what goes before it is gone, and what keeps the VIP quiet is not.
    file = Path("/etc/sysctl.d/99-zz-lvs-topology-director-arp.conf")
    file.unlink()
    file.mkdir()
    refused = run_module("host_state", {"owner": "director", "state": "absent"})
    assert refused["msg"].startswith("arp: ")
    assert refused["not_begun"] == ["sysctls", "kernel_modules"]
    assert "ipvsadm -D -t 10.0.0.100:80" in refused["applied"]
    assert "10.0.0.100/32" not in sh("ip -o address show dev lo")
    assert sh("sysctl -n net.ipv4.conf.lo.arp_ignore") == "1\n"
    file.rmdir()
    run_module("host_state", {"owner": "director", "state": "absent"})
    assert not LEDGER.exists()


def test_a_table_that_is_taken_over_is_given_back_as_it_was(run_module, sh, tmp_path, request) -> None:
    sh("modprobe ip_vs; ipvsadm -A -t 10.0.0.100:80 -s wlc; ipvsadm -a -t 10.0.0.100:80 -r 10.0.1.9:80 -g -w 4")
    sh("ipvsadm -A -t 10.0.0.200:80 -s rr")
    # No systemd runs here: what is called is written down.
    calls, wants = tmp_path / "calls", Path("/etc/systemd/system/multi-user.target.wants")
    systemctl, runs = tmp_path / "systemctl", Path("/run/systemd/system")
    links = f"disable) rm -f {wants}/$2;; enable) ln -sf /etc/systemd/system/$2 {wants}/$2;;"
    systemctl.write_text(f"#!/bin/sh\ncase $1 in show) exit;; {links} esac\necho $* >>{calls}\n")
    systemctl.chmod(0o755)
    sh(f"mount --bind {systemctl} $(command -v systemctl)")
    runs.mkdir(parents=True, exist_ok=True)
    request.addfinalizer(runs.rmdir)
    sh("mkdir -p /etc/systemd/system/multi-user.target.wants /etc/default; mount -t tmpfs tmpfs /etc/default")
    (wants / "ipvsadm.service").symlink_to("/dev/null")
    Path("/etc/default/ipvsadm").write_text('AUTO="true"\n')
    before = sh("ipvsadm -Sn | sort")
    plan = {**PLAN, "take_over": True}
    foreseen = run_module("host_state", args(plan), check=True)
    assert "systemctl disable ipvsadm.service" in foreseen["changes"]
    assert not calls.exists()
    made = run_module("host_state", args(plan))
    assert made["changes"] == foreseen["changes"]
    assert [line for line in calls.read_text().splitlines() if "ipvsadm" in line] == ["disable ipvsadm.service"]
    assert "10.0.1.9" not in sh("ipvsadm -Sn")
    # Nobody has to agree again, and nobody is ended again.
    assert not run_module("host_state", args())["changed"]
    assert not run_module("host_state", args(plan))["changed"]
    assert "systemctl enable ipvsadm.service" in run_module("host_state", args({}, state="absent"))["changes"]
    ended = [line for line in calls.read_text().splitlines() if "ipvsadm" in line]
    assert ended == ["disable ipvsadm.service", "enable ipvsadm.service"]
    assert sh("ipvsadm -Sn | sort") == before
    assert not LEDGER.exists()


def test_beside_a_keepalived_that_only_moves_addresses_the_services_are_given_back(run_module, sh, until) -> None:
    sh("modprobe ip_vs; ip link add d7 type dummy && ip link set d7 up")
    sh("ipvsadm -A -t 10.0.0.100:80 -s wlc; ipvsadm -a -t 10.0.0.100:80 -r 10.0.1.9 -m -w 7")
    before = sh("ipvsadm -Sn | sort")
    config = Path("/etc/keepalived/keepalived.conf")
    config.write_text("vrrp_instance a {\n interface d7\n virtual_router_id 7\n priority 9\n}\n")
    running = subprocess.Popen(["keepalived", "--dont-fork", "--no-syslog"])
    try:
        until(lambda: "keepalived" in sh("cat /proc/[0-9]*/comm"))
        run_module("host_state", args({**PLAN, "take_over": True}))
        assert "10.0.1.9" not in sh("ipvsadm -Sn")
        run_module("host_state", args({}, state="absent"))
        assert sh("ipvsadm -Sn | sort") == before
    finally:
        running.terminate()
        running.wait(timeout=300)
        config.unlink()
        sh("ip link del d7; ipvsadm -C")


def test_a_service_that_leaves_the_model_is_not_given_back(run_module, sh) -> None:
    sh("modprobe ip_vs; ipvsadm -A -t 10.0.0.100:80 -s wlc")
    run_module("host_state", args({**PLAN, "take_over": True}))
    run_module("host_state", args({**PLAN, "services": []}))
    assert sh("ipvsadm -Sn").strip() == ""
    run_module("host_state", args({}, state="absent"))
    assert sh("ipvsadm -Sn").strip() == ""
