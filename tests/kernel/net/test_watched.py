# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table that keepalived fills and somebody changes: host_state puts right what keepalived does not look at."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

DUMP = Path("/tmp/keepalived_check.data")
# 52 fails its check and goes out of the table, 53 fails it and stays with weight 0; at .101 nobody is left to serve.
CONFIGURATION = """\
global_defs {
    script_user root
    enable_script_security
}
vrrp_instance lvs {
    interface br0
    virtual_router_id 51
    virtual_ipaddress {
        10.0.0.29/32 dev br0
    }
}
virtual_server 10.0.0.100 80 {
    protocol TCP
    lvs_sched rr
    lvs_method NAT
    delay_loop 1
    real_server 10.0.0.51 80 {
        weight 3
        MISC_CHECK {
            misc_path "/usr/bin/true"
        }
    }
    real_server 10.0.0.52 80 {
        weight 3
        MISC_CHECK {
            misc_path "/usr/bin/false"
            retry 0
        }
    }
    real_server 10.0.0.53 80 {
        weight 3
        inhibit_on_failure
        MISC_CHECK {
            misc_path "/usr/bin/false"
            retry 0
        }
    }
}
virtual_server 10.0.0.101 80 {
    protocol TCP
    lvs_sched wrr
    lvs_method NAT
    delay_loop 1
    sorry_server 10.0.0.9 80
    real_server 10.0.0.51 80 {
        weight 3
        MISC_CHECK {
            misc_path "/usr/bin/false"
            retry 0
        }
    }
}
"""
TABLE = """\
-A -t 10.0.0.100:80 -s rr
-a -t 10.0.0.100:80 -r 10.0.0.51:80 -m -w 3
-a -t 10.0.0.100:80 -r 10.0.0.53:80 -m -w 0
-A -t 10.0.0.101:80 -s wrr
-a -t 10.0.0.101:80 -r 10.0.0.9:80 -m -w 1
"""


def service(address: str, scheduler: str, *real_servers: int) -> dict[str, Any]:
    return {
        "address": address,
        "port": 80,
        "protocol": "tcp",
        "scheduler": scheduler,
        "scheduler_flags": [],
        "one_packet": False,
        "persistence": {"timeout": 0},
        "real_servers": [
            {
                "address": f"10.0.0.{last}",
                "port": 80,
                "forward": "nat",
                "weight": 3,
                "upper_threshold": 0,
                "lower_threshold": 0,
            }
            for last in real_servers
        ],
    }


WATCHED = {
    "services": [service("10.0.0.100", "rr", 51, 52, 53), service("10.0.0.101", "wrr", 51)],
    "timeouts": {"tcp": 600},
    # The addresses are nowhere, so keepalived would be backup. One that is new is not in its configuration yet.
    "sync_daemon": {"interface": "br0", "syncid": 5, "addresses": ["10.0.0.28", "10.0.0.29"]},
}
ASKED = {"owner": "director", "plan": {"manager": "keepalived", "watched": WATCHED}, "concerns": ["watched"]}
# For preflight, which would refuse a keepalived without VRRP where it is to move VIPs.
LOOKED_AT = {"owner": "director", "plan": {"manager": "checker", "watched": WATCHED}}


@pytest.fixture
def keepalived(run_module, sh, wire, until, no_configuration) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ARG001, it is a place
    wire("app", "10.0.0.51/24")
    sh("ip address add 10.0.0.2/24 dev br0")
    DUMP.unlink(missing_ok=True)
    run_module("keepalived_config", {"content": CONFIGURATION, "owner": "keepalived"})
    with subprocess.Popen(
        ["keepalived", "--dont-fork", "--check", "--no-syslog"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until(lambda: sh("ipvsadm -Sn") == TABLE)
        yield process
        process.terminate()


@pytest.fixture
def systemd(sh, tmp_path) -> Iterator[Callable[[float], None]]:
    """Have the host look as if systemd ran there, and had keepalived read its configuration some seconds ago."""
    systemctl = tmp_path / "systemctl"

    def says(ago: float) -> None:
        since = int((time.monotonic() - ago) * 1e6)
        shown = f"ActiveState=active\\nUnitFileState=enabled\\nStateChangeTimestampMonotonic={since}"
        systemctl.write_text(
            f"#!/bin/sh\ncase $* in *--value*keepalived*) echo active;; *) printf '{shown}\\n';; esac\n"
        )

    says(0)
    systemctl.chmod(0o755)
    directory = Path("/run/systemd/system")
    there = directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    # In the mount namespace of this test.
    sh(f"mount --bind {systemctl} $(command -v systemctl)")
    yield says
    if not there:
        directory.rmdir()


STATE = "ipvsadm -Sn; ipvsadm -Ln --thresholds; ipvsadm -Ln --timeout; ipvsadm -Ln --daemon"
BY_HAND = [
    "ipvsadm -E -t 10.0.0.100:80 -s sh -p 60",
    "ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.51:80 -g -w 3",
    "ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.51:80 -m -w 3 -x 9 -y 5",
    "ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.51:80 -m -w 9",
    "ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.51:80",
    "ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.52:80 -m -w 3",
    "ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.99:80 -m",
    "ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.53:80 -m -w 3",
    "ipvsadm -d -t 10.0.0.101:80 -r 10.0.0.9:80",
    "ipvsadm -D -t 10.0.0.100:80",
    "ipvsadm -C",
    "ipvsadm --set 10 0 0",
    "ipvsadm --stop-daemon backup",
    "ipvsadm --stop-daemon backup && ipvsadm --start-daemon backup --mcast-interface br0 --syncid 6",
    "ipvsadm --start-daemon master --mcast-interface br0 --syncid 5",
]


@pytest.mark.usefixtures("keepalived")
def test_what_somebody_changed_is_put_right(run_module, sh) -> None:
    # The timeout and the daemon, which this configuration does not have.
    run_module("host_state", ASKED)
    before = sh(STATE)
    for by_hand in BY_HAND:
        sh(by_hand)
        changed = sh(STATE)
        assert changed != before, by_hand
        predicted = run_module("host_state", ASKED, check=True)
        assert sh(STATE) == changed, by_hand
        done = run_module("host_state", ASKED)
        assert done["changes"] == predicted["changes"] != [], by_hand
        assert sh(STATE) == before, by_hand
        assert not run_module("host_state", ASKED)["changed"], by_hand
    assert not DUMP.exists()


@pytest.mark.usefixtures("keepalived")
def test_a_drain_goes_on(run_module, sh) -> None:
    run_module("host_state", ASKED)
    sh("ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.51:80 -g -w 0")
    assert run_module("host_state", ASKED)["changes"] == ["ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.51:80 -m -w 0"]
    assert not run_module("host_state", ASKED)["changed"]


@pytest.mark.usefixtures("keepalived")
def test_whose_daemon_runs(run_module, sh) -> None:
    def daemon() -> str:
        run_module("host_state", ASKED)
        return sh("ipvsadm -Ln --daemon").split(" ")[0]

    assert daemon() == "backup"
    # A real server of the other director has the VIP as well, on lo or at the end of a tunnel.
    sh("ip link add other0 type dummy && ip address add 10.0.0.29/32 dev other0 && ip address add 10.0.0.29/32 dev lo")
    assert daemon() == "backup"
    sh("ip address add 10.0.0.29/32 dev br0")
    assert daemon() == "master"
    # A line of the configuration that somebody has commented out is none.
    edited = CONFIGURATION.replace("        10.0.0.29/32", "        #10.0.0.28/32 dev br0\n        10.0.0.29/32")
    Path("/etc/keepalived/keepalived.conf").write_text(edited)
    assert daemon() == "master"
    # Only with what keepalived has read something can be told.
    new = {**WATCHED, "sync_daemon": {**WATCHED["sync_daemon"], "addresses": ["10.0.0.28"]}}
    assert not run_module("host_state", {**ASKED, "plan": {"manager": "keepalived", "watched": new}})["changed"]


@pytest.mark.usefixtures("keepalived")
def test_a_configuration_that_keepalived_has_not_read_tells_no_master(run_module, sh, systemd) -> None:
    file = Path("/etc/keepalived/keepalived.conf")
    sh("ip address add 10.0.0.29/32 dev br0")
    run_module("host_state", ASKED)
    assert sh("ipvsadm -Ln --daemon").startswith("master")
    # keepalived goes on holding the address where it was.
    file.write_text(CONFIGURATION.replace("10.0.0.29/32 dev br0", "10.0.0.29/32 dev other0"))
    os.utime(file, (time.time() - 1000, time.time() - 1000))
    systemd(2000)
    done = run_module("host_state", ASKED)
    assert done["changes"] == []
    assert "after keepalived had last read it" in str(done["warnings"])
    assert sh("ipvsadm -Ln --daemon").startswith("master")
    assert not run_module("preflight", LOOKED_AT)["in_place"]
    systemd(0)
    assert len(run_module("host_state", ASKED)["changes"]) == 2
    assert sh("ipvsadm -Ln --daemon").startswith("backup")


def test_a_keepalived_whose_processes_have_other_names(keepalived, run_module, sh, until) -> None:
    run_module("host_state", ASKED)
    names = "global_defs {\n    process_name director\n    checker_process_name checks\n"
    Path("/etc/keepalived/keepalived.conf").write_text(CONFIGURATION.replace("global_defs {\n", names))
    keepalived.send_signal(signal.SIGHUP)
    checker = Path("/run/checkers.pid").read_text().strip()
    until(lambda: Path(f"/proc/{checker}/comm").read_text() == "checks\n")
    until(lambda: Path(f"/proc/{keepalived.pid}/comm").read_text() == "director\n")
    sh("ipvsadm -E -t 10.0.0.100:80 -s sh")
    assert run_module("host_state", ASKED)["changes"] == ["ipvsadm -E -t 10.0.0.100:80 -s rr"]


@pytest.mark.usefixtures("keepalived", "systemd")
def test_a_keepalived_that_is_not_found_is_said(run_module, sh) -> None:
    run_module("host_state", ASKED)
    sh("ipvsadm -E -t 10.0.0.100:80 -s sh; mv /run/checkers.pid /run/other.pid")
    try:
        done = run_module("host_state", ASKED)
        seen = run_module("preflight", LOOKED_AT)
    finally:
        sh("mv /run/other.pid /run/checkers.pid")
    assert done["changes"] == []
    assert "which of its processes fills the table is not known" in str(done["warnings"])
    assert not seen["in_place"]
    # There is nothing to be found where the configuration has no virtual servers.
    Path("/etc/keepalived/keepalived.conf").write_text(CONFIGURATION.partition("virtual_server")[0])
    os.utime("/etc/keepalived/keepalived.conf", (0, 0))
    sh("mv /run/checkers.pid /run/other.pid")
    try:
        assert "warnings" not in run_module("host_state", ASKED)
    finally:
        sh("mv /run/other.pid /run/checkers.pid")


@pytest.mark.usefixtures("keepalived")
def test_what_is_seen_without_changing_anything(run_module, sh) -> None:
    run_module("host_state", ASKED)
    assert run_module("preflight", LOOKED_AT)["in_place"]
    sh("ipvsadm -E -t 10.0.0.100:80 -s sh")
    assert not run_module("preflight", LOOKED_AT)["in_place"]
    # Services of others are named, and left to them.
    sh("ipvsadm -E -t 10.0.0.100:80 -s rr; ipvsadm -A -t 10.0.0.102:80 -s rr")
    done = run_module("host_state", ASKED)
    assert (done["changed"], done["unmanaged"]) == (False, ["-A -t 10.0.0.102:80 -s rr"])


@pytest.mark.usefixtures("keepalived")
def test_what_is_not_certain_is_said_and_left_alone(run_module, sh) -> None:
    run_module("host_state", ASKED)
    sh("ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.51:80; ipvsadm -E -t 10.0.0.100:80 -s sh")
    # Something is in the way of what keepalived writes.
    DUMP.mkdir()
    try:
        done = run_module("host_state", ASKED)
    finally:
        DUMP.rmdir()
    assert done["changes"] == ["ipvsadm -E -t 10.0.0.100:80 -s rr"]
    assert "cannot be asked" in str(done["warnings"])
    # And once it can be asked:
    assert run_module("host_state", ASKED)["changes"] == ["ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.51:80 -m -w 3"]


def test_without_checks_no_service_goes(keepalived, run_module, sh, until) -> None:
    """Nothing tells that what keepalived says is whole then, and what nobody declared may be keepalived's."""
    purging = {**ASKED, "plan": {"manager": "keepalived", "watched": {**WATCHED, "purge": ["real_servers", "all"]}}}
    run_module("host_state", purging)
    sh("ipvsadm -A -t 10.0.0.102:80 -s rr")
    assert run_module("host_state", purging)["changes"] == ["ipvsadm -D -t 10.0.0.102:80"]
    without = re.sub(r" *MISC_CHECK \{.*?\}\n", "", CONFIGURATION, flags=re.DOTALL)
    run_module("keepalived_config", {"content": without, "owner": "keepalived"})
    keepalived.send_signal(signal.SIGHUP)
    until(lambda: sh("ipvsadm -Sn").count("-m -w 3") == 4)
    # keepalived has left the sorry server there.
    run_module("host_state", purging)
    sh("ipvsadm -A -t 10.0.0.102:80 -s rr; ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.51:80")
    done = run_module("host_state", purging)
    assert done["changes"] == ["ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.51:80 -m -w 3"]
    assert done["unmanaged"] == ["-A -t 10.0.0.102:80 -s rr"]


@pytest.mark.usefixtures("keepalived")
@pytest.mark.parametrize(
    ("options", "is_full"), [("ramfs", False), ("tmpfs -o size=0", False), ("tmpfs -o size=1M", True)]
)
def test_only_a_file_system_that_is_full_has_no_space_left(run_module, sh, options: str, is_full: bool) -> None:
    run_module("host_state", ASKED)
    sh(f"mount -t {options} none /tmp")
    try:
        if is_full:
            sh("head -c 2M /dev/zero > /tmp/all 2>/dev/null || true")
        sh("ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.51:80")
        done = run_module("host_state", ASKED)
    finally:
        sh("umount /tmp")
    assert done["changed"] is not is_full
    assert ("no space left" in str(done.get("warnings"))) == is_full, done


def test_nothing_is_done_where_keepalived_does_not_run_or_is_somebody_else_s(keepalived, run_module, sh) -> None:
    sh("ipvsadm -E -t 10.0.0.100:80 -s sh")
    run_module("keepalived_config", {"owner": "keepalived", "state": "absent"})
    assert not run_module("host_state", ASKED)["changed"]
    run_module("keepalived_config", {"content": CONFIGURATION, "owner": "keepalived"})
    keepalived.terminate()
    keepalived.wait(timeout=300)
    assert not os.path.exists("/run/checkers.pid")
    assert not run_module("host_state", ASKED)["changed"]
