# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot script, run by sh with commands that only write down how they were called."""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot_script
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# Every argument in brackets, and what comes on standard input.
_STUB = """#!/bin/sh
printf '%s' "${0##*/}" >>"$CALLS"
for word; do printf ' [%s]' "$word" >>"$CALLS"; done
echo >>"$CALLS"
case "$*" in
*"route show"*) cat routes ;;
*"rule show"*) cat rules ;;
*"-batch -"*) cat >>"$CALLS" ;;
esac
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    directory, commands = tmp_path / "files", tmp_path / "bin"
    directory.mkdir()
    commands.mkdir()
    for name in ("ip", "ipvsadm", "arptables"):
        (commands / name).write_text(_STUB)
        (commands / name).chmod(0o755)
    for name in ("routes", "rules"):
        (directory / name).touch()
    return directory


def run(host: Path, *arguments: str) -> list[str]:
    """The lines that the commands wrote down."""
    script = boot_script.SCRIPT.replace("cd /etc/lvs-topology", f"cd {host}").replace(
        "PATH=", f"PATH={host.parent}/bin:"
    )
    script = script.replace("lock=/var/lib/lvs-topology/", f"lock={host.parent}/")
    calls = host.parent / "calls"
    calls.touch()
    subprocess.run(
        ["sh", "-c", script, "restore", *arguments], env={"CALLS": str(calls)}, check=False, capture_output=True
    )
    return calls.read_text().splitlines()


def test_words_of_a_file_are_no_patterns(host: Path) -> None:
    (host / "me.tunnels").write_text("# *\nlink add * type gre local 10.0.0.1\n")
    (host / "me.arptables").write_text("-A INPUT -j mangle -d * \n")
    (host / "me.daemons").write_text("--start-daemon master --mcast-interface *\n")
    calls = run(host)
    assert "ip [link] [add] [*] [type] [gre] [local] [10.0.0.1]" in calls
    assert "arptables [-A] [INPUT] [-j] [mangle] [-d] [*]" in calls
    assert "ipvsadm [--start-daemon] [master] [--mcast-interface] [*]" in calls


def test_a_network_that_was_set_anew_is_no_matter_of_the_table(host: Path) -> None:
    for suffix, line in (("ip", "x"), ("timeouts", "x"), ("ipvsadm", "x"), ("daemons", "--start-daemon master")):
        (host / f"me.{suffix}").write_text(f"{line}\n")
    (host / "me.sources").write_text("-4 10.0.0.100 11440 1440 32100\n")
    calls = run(host, "network")
    assert "ip [-force] [-batch] [me.ip]" in calls
    assert "ip [-4] [rule] [show]" in calls
    assert not [call for call in calls if call.startswith("ipvsadm")]
    assert [call for call in run(host) if call.startswith("ipvsadm")]


def test_nothing_is_brought_back_that_a_module_is_taking_away(host: Path) -> None:
    (host / "me.ip").write_text("x\n")
    lock = host.parent / "ledger.lock"
    with ThreadPoolExecutor() as others:
        with LedgerFile(str(host.parent / "ledger.json")).locked():
            waiting = others.submit(run, host, "network")
            wait_for_who_waits(lock)
            (host / "me.ip").unlink()
        assert waiting.result() == []
    assert not lock.exists()
    # What a killed module has left holds nobody up, and nothing holds up a boot.
    (host / "me.ip").write_text("x\n")
    lock.touch()
    assert run(host, "network") == ["ip [-force] [-batch] [me.ip]"]
    with LedgerFile(str(host.parent / "ledger.json")).locked():
        assert run(host)


def test_no_module_begins_while_something_is_brought_back(host: Path) -> None:
    """What the script has read by then, it would bring back after the module has taken it away."""
    (host / "me.ip").write_text("x\n")
    (host / "restore").write_text("")
    os.mkfifo(host.parent / "go")
    stub = host.parent / "bin/ip"
    stub.write_text(stub.read_text() + f'cat "{host.parent}/go"\n')
    ledger = LedgerFile(str(host.parent / "ledger.json"), restore=str(host / "restore"))
    with ThreadPoolExecutor() as others:
        running = others.submit(run, host, "network")
        # Who opens a pipe waits for the other end.
        with (host.parent / "go").open("w"):
            with pytest.raises(Refused, match="still brings back"), ledger.locked(patience=0.2):
                pass
            assert not (host.parent / "ledger.lock").exists()
        assert running.result() == ["ip [-force] [-batch] [me.ip]"]
        stub.write_text(_STUB)
        with ledger.locked():
            waiting = others.submit(run, host, "network")
            wait_for_who_waits(host.parent / "ledger.lock")
    waiting.result()


def wait_for_who_waits(lock: Path) -> None:
    """Return once somebody waits for the lock, which proc_locks(5) shows with an arrow."""
    end = time.monotonic() + 120
    inode = f":{lock.stat().st_ino} "
    while not any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()):
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("family", "route", "copy"),
    [
        ("-4", "default via 10.0.0.1 dev eth0", "default via 10.0.0.1 dev eth0 table 11440 advmss 1440"),
        ("-4", "10.1.0.0/16 dev eth0 advmss 1200", "10.1.0.0/16 dev eth0 table 11440 advmss 1200"),
        ("-4", "10.1.0.0/16 dev eth0 advmss 9000", "10.1.0.0/16 dev eth0 table 11440 advmss 1440"),
        ("-4", "10.1.0.0/16 dev eth0 mtu 1300", "10.1.0.0/16 dev eth0 mtu 1300 table 11440 advmss 1260"),
        ("-4", "10.1.0.0/16 dev eth0 mtu lock 1300", "10.1.0.0/16 dev eth0 mtu lock 1300 table 11440 advmss 1260"),
        ("-4", "10.1.0.0/16 dev eth0 mtu 9000", "10.1.0.0/16 dev eth0 mtu 9000 table 11440 advmss 1440"),
        ("-4", "10.1.0.0/16 dev eth0 mtu 68", "10.1.0.0/16 dev eth0 mtu 68 table 11440 advmss 256"),
        (
            "-6",
            "fd01::/64 dev eth0 mtu 1300 pref medium",
            "fd01::/64 dev eth0 mtu 1300 pref medium table 11440 advmss 1240",
        ),
        ("-6", "default via fe80::1 dev eth0 expires 30sec", "default via fe80::1 dev eth0 table 11440 advmss 1440"),
        ("-6", "fd01::/64 from fd02::/64 dev eth0", None),
        ("-4", "default nhid 5 metric 7", None),
        ("-4", "blackhole 10.1.0.0/16 nhid 6", "blackhole 10.1.0.0/16 table 11440 advmss 1440"),
        ("-4", "default nhid 5 via 10.0.0.1 dev eth0", "default via 10.0.0.1 dev eth0 table 11440 advmss 1440"),
        (
            "-4",
            "default nhid 5 \\\tnexthop dev eth1 weight 2",
            "default table 11440 advmss 1440 nexthop dev eth1 weight 2",
        ),
        ("-4", "10.1.0.0/16  encap ip id 1 dst 10.0.0.9 via 10.0.0.1 dev eth0", None),
        (
            "-4",
            "default metric 5 advmss 1000 \\\tnexthop via 10.0.0.1 dev eth0 weight 1 linkdown \\\tnexthop dev eth1 "
            "weight 2",
            "default metric 5 table 11440 advmss 1000 nexthop via 10.0.0.1 dev eth0 weight 1 nexthop dev eth1 weight 2",
        ),
    ],
)
def test_the_smaller_segment_size_is_copied(host: Path, family: str, route: str, copy: str | None) -> None:
    (host / "routes").write_text(f"{route}\n")
    (host / "me.sources").write_text(f"{family} 10.0.0.100 11440 1440 32100\n")
    copies = [line for line in run(host) if line.startswith("route replace")]
    assert copies == ([] if copy is None else [f"route replace {copy}"])


def test_a_rule_to_a_table_whose_number_begins_the_same_is_another(host: Path) -> None:
    (host / "rules").write_text("32100:\tfrom 10.0.0.100 lookup 11440\n")
    (host / "me.sources").write_text("-4 10.0.0.100 1144 536 32100\n-4 10.0.0.100 11440 1440 32100\n")
    added = [line for line in run(host) if "[rule] [add]" in line]
    assert added == ["ip [-4] [rule] [add] [from] [10.0.0.100] [lookup] [1144] [priority] [32100]"]
