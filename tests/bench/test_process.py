# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole process of ipvs_table on a host, from the start of Python to its end, against those of ipvsadm.

Each fills an empty table of services with 100 real servers each; then the module finds nothing to do, and ipvsadm -Sn
lists the table. All in the same guest, in turns. Only the ratios say something; nothing is asserted about times.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

DIRECTORY = Path(__file__).parents[2] / ".cache/bench"
SIZES = (100, 1000)
REAL_SERVERS = 100
ROUNDS = {100: 5, 1000: 1}


def table(services: int) -> list[dict[str, Any]]:
    """The option services."""
    reals = [{"port": 80, "forward": "nat", "weight": 1} for _real in range(REAL_SERVERS)]
    return [
        {
            "address": f"10.{1 + number // 250}.0.{number % 250 + 1}",
            "port": 80,
            "scheduler": "rr",
            "real_servers": [
                {"address": f"10.{100 + number // 250}.{number % 250}.{real}", **each}
                for real, each in enumerate(reals, 1)
            ],
        }
        for number in range(services)
    ]


def rules(services: int) -> str:
    """The same in the words of ipvsadm-save."""
    return "".join(
        f"-A -t {each['address']}:80 -s rr\n"
        + "".join(f"-a -t {each['address']}:80 -r {real['address']}:80 -m -w 1\n" for real in each["real_servers"])
        for each in table(services)
    )


class Namespace:
    """An empty table, and the seconds that commands take there."""

    def __init__(self) -> None:
        self._into = ["ip", "netns", "exec", "bench"]
        subprocess.run(["ip", "netns", "add", "bench"], check=True)
        # Without any address the kernel takes every real server for a broadcast address.
        subprocess.run(["ip", "-n", "bench", "link", "set", "lo", "up"], check=True)
        self.run("ipvsadm", "-l")

    def run(self, *command: str, text: str = "") -> tuple[float, str]:
        started = time.perf_counter()
        done = subprocess.run([*self._into, *command], input=text, stdout=subprocess.PIPE, text=True, check=False)
        seconds = time.perf_counter() - started
        assert done.returncode == 0, done.stdout[-2000:]
        return seconds, done.stdout

    def module(self, services: int) -> tuple[float, bool]:
        seconds, said = self.run(sys.executable, str(DIRECTORY / f"{services}.py"))
        return seconds, json.loads(said)["changed"]

    def close(self) -> None:
        subprocess.run(["ip", "netns", "del", "bench"], check=True)


def measure(services: int) -> dict[str, float]:
    text, found = rules(services), {}
    theirs = Namespace()
    found["ipvsadm -R"], _said = theirs.run("ipvsadm", "-R", text=text)
    found["ipvsadm -Sn"], listed = theirs.run("ipvsadm", "-Sn")
    assert sorted(listed.splitlines()) == sorted(text.splitlines())
    theirs.close()
    ours = Namespace()
    found["ipvs_table, fills it"], changed = ours.module(services)
    assert changed
    found["ipvs_table, nothing to do"], changed = ours.module(services)
    assert not changed
    assert sorted(ours.run("ipvsadm", "-Sn")[1].splitlines()) == sorted(text.splitlines())
    ours.close()
    return found


def test_whole_process() -> None:
    measure(SIZES[0])
    for services in SIZES:
        os.sync()
        rounds = [measure(services) for _round in range(ROUNDS[services])]
        medians = {what: median(each[what] for each in rounds) for what in rounds[0]}
        reference = medians["ipvsadm -R"]
        print(f"\n{services} services of {REAL_SERVERS} real servers, medians of {len(rounds)}, whole processes")
        for what, seconds in medians.items():
            print(f"{what:28}{seconds:8.3f} s   {seconds / reference:6.3f} of ipvsadm -R")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"the largest of all these processes: {memory} MiB")
