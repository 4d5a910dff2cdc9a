# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long site takes with thousands of services, and how much memory: the first run, an unchanged one, one weight.

A director of its own (large.yml), with real servers that are no hosts of the inventory. The unchanged run is there with
the services in the file of the inventory as well, which Ansible reads twice and copies, and by another checkout of this
collection, in turns with this one. Without the host, what is measured is what the controller does in an unchanged run.

Where keepalived fills the table, it reads its file in the background. So what changes something also has the time until
ipvsadm lists the change, from the beginning of the run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hosts import CACHE, CHECKOUT, HERE, LAB, booted
from unchanged import tree

SIZES = (1_000, 10_000)
REAL_SERVERS = 4
_PORTS_OF_A_VIP = 100
_DIRECTOR = "director"
# Who fills the table: the collection, or keepalived, which checks nothing here.
_MANAGERS = ("kernel", "checker")
# How long keepalived may take to read its file. It only ends a failure.
_LIMIT = 3_600
_GROUP = "lvs_directors"
# Where the services are written: as most inventories have them, and in the file that names the hosts.
PLACES = ("group_vars", "inventory")


class Run(NamedTuple):
    """Seconds of a run and of the controller's processors, its largest process in MiB, and what the run printed."""

    seconds: float
    processor: float
    memory: int
    said: str


def services(count: int, weight: int) -> list[dict[str, Any]]:
    """So many of them, a hundred ports of each VIP. The first one's first real server has this weight."""
    return [
        {
            "name": f"service {number}",
            "address": f"10.0.0.{number // _PORTS_OF_A_VIP + 1}",
            "port": 1_000 + number % _PORTS_OF_A_VIP,
            "forward": "dr",
            "scheduler": "wrr",
            "real_servers": [
                {"address": f"192.168.246.{161 + each}", "weight": weight if number == each == 0 else 1}
                for each in range(REAL_SERVERS)
            ],
        }
        for number in range(count)
    ]


def inventory(count: int, weight: int, place: str, host: Mapping[str, str]) -> Path:
    """The file of an inventory, with the services in that place."""
    folder = CACHE / f"large-{place}"
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    listed = {"lvs_services": services(count, weight)}
    variables = {"lvs_address": "192.168.246.166", "lvs_vip_interface": "eth1", **host}
    if place == "group_vars":
        (folder / f"group_vars/{_GROUP}.yml").write_text(yaml.safe_dump(listed))
    else:
        variables.update(listed)
    file = folder / "hosts.yml"
    file.write_text(yaml.safe_dump({_GROUP: {"hosts": {_DIRECTOR: variables}}}))
    return file


def run(file: Path, collections: Path, playbook: str = "lvs.topology.site") -> Run:
    """Run a playbook of the collection that is there."""
    here = {"ANSIBLE_HOST_KEY_CHECKING": "0", "ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1"}
    here["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    hosts = CACHE / "large.yml"
    command = ["ansible-playbook", *(["-i", str(hosts)] if hosts.exists() else []), "-i", str(file), playbook]
    start = time.monotonic()
    with open(CACHE / "large.log", "w+") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **here}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        log.seek(0)
        said = log.read()
    if status:
        sys.exit(f"{playbook} failed:\n{said}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, said)


def _show(count: int, what: str, done: Run, *, changes: bool) -> None:
    if ("changed=0" in done.said) is changes:
        sys.exit(f"What changes is not what was asked for:\n{done.said}")
    print(f"{count:<10,}{what:42}{done.seconds:8.1f} s{done.processor:8.1f} s{done.memory:8,} MiB", flush=True)


def _listed(pattern: str) -> int:
    """How many lines ipvsadm has, and not this collection, which say that."""
    command = f"ipvsadm -Sn | grep -c -- '{pattern}' || true"
    done = subprocess.run([LAB, "ssh", "large", _DIRECTOR, command], stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def _change(count: int, what: str, file: Path, collections: Path, pattern: str, listed: int) -> None:
    start = time.monotonic()
    _show(count, what, run(file, collections), changes=True)
    while _listed(pattern) != listed:
        if time.monotonic() > start + _LIMIT:
            sys.exit(f"ipvsadm lists {_listed(pattern)} times {pattern}, and not {listed} times")
        time.sleep(1)
    print(f"{'':10}{'  and ipvsadm lists it':42}{time.monotonic() - start:8.1f} s", flush=True)


def _unchanged(count: int, compared: Mapping[str, Path], rounds: int, host: Mapping[str, str]) -> None:
    for place in PLACES:
        written = inventory(count, 1, place, host)
        for _round in range(rounds):
            for by, collections in compared.items():
                _show(count, f"unchanged, {place}{by}", run(written, collections), changes=False)


def _with_host(count: int, compared: Mapping[str, Path], rounds: int, host: Mapping[str, str]) -> None:
    ours = compared[""]
    _change(count, "first", inventory(count, 1, PLACES[0], host), ours, "^-a", count * REAL_SERVERS)
    _unchanged(count, compared, rounds, host)
    file = inventory(count, 2, PLACES[0], host)
    _change(count, "one weight changed", file, ours, "^-a.* -w 2$", 1)
    run(file, ours, "lvs.topology.teardown")


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="a checkout whose unchanged run is measured in turns with this one's")
    parser.add_argument("--rounds", type=int, default=1, help="unchanged runs of each (default: 1)")
    parser.add_argument("--without-host", action="store_true", help="a program answers in place of the director")
    parser.add_argument("--manager", choices=_MANAGERS, default=_MANAGERS[0], help="lvs_manager (default: kernel)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many services (default: 1000 10000)")
    options = parser.parse_args()
    host = {"lvs_manager": options.manager}
    if options.without_host:
        host |= {"ansible_connection": "local", "ansible_python_interpreter": str(HERE / "stand_in.py")}
    compared = {"": CHECKOUT / ".cache/collections"}
    if options.base:
        compared[f" by {options.base.name}"] = tree(options.base)
    CACHE.mkdir(parents=True, exist_ok=True)
    with nullcontext() if options.without_host else booted(HERE / "large.yml"):
        print(f"\n{'services':10}{'run':42}{'':>10}{'processors':>10}{'memory':>12}")
        for count in options.sizes:
            (_unchanged if options.without_host else _with_host)(count, compared, options.rounds, host)


if __name__ == "__main__":
    main()
