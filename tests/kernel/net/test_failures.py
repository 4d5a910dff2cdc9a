# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Full disks, read-only directories, and modules that are killed: a rerun converges, and what is not ours stays."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _disk

LEDGER = Path("/var/lib/lvs-topology/ledger.json")
ADDRESSES = {"addresses": [{"address": f"10.0.0.{number}", "interface": "lo"} for number in range(100, 110)]}
SYSCTLS = {"values": {"net.ipv4.conf.lo.arp_ignore": "1", "net.ipv4.conf.default.arp_announce": "2"}}
SERVICES = {
    "services": [
        {
            "address": f"10.0.0.{number}",
            "port": 80,
            "scheduler": "rr",
            "real_servers": [{"address": "10.0.1.1", "forward": "dr", "weight": 1}],
        }
        for number in range(100, 110)
    ]
}
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("sysctl_profile", SYSCTLS),
    ("vip_address", ADDRESSES),
    ("ipvs_table", SERVICES),
    ("boot_restore", {**ADDRESSES, **SERVICES}),
]


@pytest.fixture
def somebody_else(sh) -> Path:
    """An address, a service, a sysctl and files that belong to others."""
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    sh(
        "ip address add 198.51.100.1/32 dev lo && ipvsadm -A -t 198.51.100.1:80 -s rr"
        " && echo 2 >/proc/sys/net/ipv4/conf/lo/rp_filter"
    )
    for path in ("/etc/sysctl.d/zz.conf", "/etc/sysctl.d/.99-zz-lvs-topology-lvs.conf.swp", "/etc/lvs-topology/notes"):
        Path(path).write_text("of others\n")
    return Path("/etc/lvs-topology/notes")


def state(sh) -> str:
    """All that the modules may change, and what belongs to others."""
    return sh(
        "ip -o address show dev lo | sed 's/valid_lft.*//' | sort; ipvsadm -S -n | sort;"
        " cd /proc/sys/net/ipv4/conf; grep . lo/arp_ignore default/arp_announce lo/rp_filter;"
        " find /etc/sysctl.d /etc/lvs-topology /etc/systemd/system /var/lib/lvs-topology -type f | sort |"
        ' while read -r file; do echo "$file"; [ $file = /var/lib/lvs-topology/ledger.json ] || cat "$file"; done'
    )


def everything(run_module, sh) -> str:
    for name, args in STEPS:
        assert not run_module(name, args).get("failed")
    for name, args in STEPS:
        assert not run_module(name, args)["changed"]
    return state(sh)


def nothing(run_module, sh) -> str:
    for name, _args in reversed(STEPS):
        assert not run_module(name, {"state": "absent"}).get("failed")
    return state(sh)


def kill(run_module, name: str, args: dict[str, Any], after: float) -> None:
    """Run the module in a child with everything imported, and kill it after so many seconds."""
    child = os.fork()
    if child == 0:
        try:
            run_module(name, args)
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.usefixtures("somebody_else")
def test_modules_killed_at_twenty_random_moments(run_module, sh) -> None:
    seed = random.randrange(2**32)  # noqa: S311, a choice of moments
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311, as above
    # A module by itself leaves the table empty once IPVS is loaded, so let that be before.
    before = state(sh)
    start = time.monotonic()
    whole = everything(run_module, sh)
    # Long enough that some of them come to their end.
    longest = (time.monotonic() - start) / len(STEPS)
    assert nothing(run_module, sh) == before
    for _moment in range(20):
        step = chance.randrange(len(STEPS))
        for name, args in STEPS[:step]:
            run_module(name, args)
        going = chance.random() < 0.3
        name, args = STEPS[step]
        if going:
            run_module(name, args)
        kill(run_module, name, {"state": "absent"} if going else args, chance.uniform(0, longest))
        if chance.random() < 0.5:
            assert everything(run_module, sh) == whole, seed
        assert nothing(run_module, sh) == before, seed
    assert not LEDGER.exists()


def test_what_a_killed_run_has_left_goes(run_module) -> None:
    """Also where nothing is to be written any more, and wherever it is."""
    anywhere = Path("/tmp/anywhere")
    anywhere.mkdir()
    places = [*map(Path, _disk.PLACES), anywhere]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / ".some.conf.lvs-topology.abc_0123").write_text("half of")
        (place / ".some.conf.lvs-topology.swp").write_text("of others")
    config = {"path": str(anywhere / "keepalived.conf"), "state": "absent"}
    assert not run_module("keepalived_config", config, check=True)["changed"]
    assert all(len([*place.glob(".some.conf.*")]) == 2 for place in places)
    assert not run_module("keepalived_config", config)["changed"]
    assert {name.name for place in places for name in place.glob(".some.conf.*")} == {".some.conf.lvs-topology.swp"}
    for place in places:
        (place / ".some.conf.lvs-topology.swp").unlink()


def test_what_keepalived_judges_is_left_to_it_and_goes_with_whoever_asked(run_module, sh, until) -> None:
    slow = Path("/tmp/slow")
    slow.write_text("#!/bin/sh\nexec sleep 4711\n")
    slow.chmod(0o755)
    sh(f"mount --bind {slow} /usr/sbin/keepalived")

    def drafts() -> list[Path]:
        return [*Path("/etc/keepalived").glob(".keepalived.conf.lvs-topology.*")]

    child = os.fork()
    if child == 0:
        try:
            # Whoever only asks does not hold the ledger's lock.
            run_module("keepalived_config", {"content": "global_defs {\n}\n"}, check=True)
        finally:
            os._exit(0)
    until(drafts)
    until(lambda: sh("pgrep -f '[s]leep 4711' || true"))
    assert not run_module("sysctl_profile", {"state": "absent"})["changed"]
    assert len(drafts()) == 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    sh("pkill -f '[s]leep 4711'")
    assert not run_module("sysctl_profile", {"state": "absent"})["changed"]
    assert not drafts()


@pytest.mark.usefixtures("somebody_else")
@pytest.mark.parametrize("directory", ["/var/lib/lvs-topology", "/etc/sysctl.d", "/etc/lvs-topology"])
@pytest.mark.parametrize("how", ["full", "no inodes", "read-only"])
def test_where_a_directory_cannot_be_written(run_module, sh, directory: str, how: str) -> None:
    before = state(sh)
    # Over what is there, with the same content.
    sh(f"cp -a {directory} /tmp/content && mount -t tmpfs -o size=64k,nr_inodes=64 tmpfs {directory}")
    sh(f"cp -a /tmp/content/. {directory}/ && rm -r /tmp/content")
    filler = Path(directory, "filler")
    if how == "full":
        sh(f"dd if=/dev/zero of={filler} bs=4k 2>/dev/null || true")
    elif how == "no inodes":
        sh(f"mkdir {filler} && (i=0; while : >{filler}/$i; do i=$((i+1)); done) 2>/dev/null || true")
    else:
        sh(f"mount -o remount,ro {directory}")
    reason = "Read-only file system. Mount it writable" if how == "read-only" else "Free space and inodes there"

    said = run_module("preflight", {})
    assert said["failed"]
    assert f"files: {directory} cannot be written:" in said["msg"]
    assert reason in said["msg"]
    refused = []
    for name, args in STEPS:
        result = run_module(name, args)
        if result.get("failed"):
            refused.append(name)
            assert reason in result["msg"]
    expected = {
        "/var/lib/lvs-topology": [name for name, _args in STEPS],
        "/etc/sysctl.d": ["sysctl_profile"],
        "/etc/lvs-topology": ["boot_restore"],
    }
    # Where nothing can be noted, nothing is changed.
    assert refused == expected[directory] or (how == "full" and directory == "/var/lib/lvs-topology" and refused)

    sh(f"mount -o remount,rw {directory}; rm -rf {filler}")
    everything(run_module, sh)
    assert nothing(run_module, sh) == before


def test_preflight_finds_a_read_only_proc_sys_and_run(run_module, sh) -> None:
    # The collection is below /run, so the module has to be loaded before something is mounted there.
    assert not run_module("preflight", {}).get("failed")
    sh("mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys")
    sh("mount -t tmpfs -o ro tmpfs /run")
    wanted = {"sysctls": {"net.ipv4.ip_forward": "1"}, "arp": [{"interface": "lo", "arp_ignore": 1}]}
    message = run_module("preflight", {"plan": wanted})["msg"]
    sh("umount /run")
    assert "sysctls: net.ipv4.ip_forward, net.ipv4.conf.lo.arp_ignore would be set, and /proc/sys/net is" in message
    assert "files: /run cannot be written: Read-only file system" in message
    # Somebody has set them from outside.
    right = {"sysctls": {"net.ipv4.ip_forward": "0"}, "arp": [{"interface": "lo", "arp_ignore": 0}]}
    assert not run_module("preflight", {"plan": right}).get("failed")


def test_preflight_wants_root_and_not_a_capability_alone(sh) -> None:
    run = (
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.lvs.topology.plugins.modules import preflight\n"
        "with patch_module_args({}): preflight.main()\n"
    )
    script = Path("/tmp/preflight_of_a_user.py")
    script.write_text(run)
    script.chmod(0o644)
    said = sh(f"setpriv --reuid 65534 --inh-caps=+net_admin --ambient-caps=+net_admin python3 {script} || true")
    assert "privilege: this is user 65534, who may configure the network, but not write the files" in said


def test_a_damaged_entry_stops_what_adds_and_not_what_puts_back(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    before = state(sh)
    for name, args in STEPS:
        run_module(name, args)
    ledger = json.loads(LEDGER.read_text())
    damaged = "10.0.0.100/32 dev lo"
    ledger["address"][damaged]["was"] = [7]
    LEDGER.write_text(json.dumps(ledger))
    message = run_module("preflight", {})["msg"]
    assert f"is damaged in 1 of its entries: (1) 'address' '{damaged}': what was there before" in message
    for name, _args in reversed(STEPS):
        result = run_module(name, {"state": "absent"})
        assert not result.get("failed")
        assert damaged in json.dumps(result["warnings"])
    kept = json.loads(LEDGER.read_text())
    assert kept == {"version": 1, "address": {damaged: ledger["address"][damaged]}}
    sh(f"ip address del {damaged}")
    refused = run_module("vip_address", ADDRESSES)
    assert f"'{damaged}': what was there before" in refused["msg"]
    # Mended.
    LEDGER.unlink()
    assert state(sh) == before
