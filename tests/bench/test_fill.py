# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filling an empty IPVS table of 100 services with 100 real servers each: ipvs_table's batch against ipvsadm -R.

Both run in the same guest, in turns and each first as often as second, after a warm-up in which the kernel allocates
its per-CPU counters. Only the ratio says something; nothing is asserted about times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

SERVICES = REAL_SERVERS = 100
ROUNDS = 4

REALS = range(1, REAL_SERVERS + 1)
RULES = "".join(
    f"-A -t 10.1.0.{service}:80 -s rr\n"
    + "".join(f"-a -t 10.1.0.{service}:80 -r 10.2.{service}.{real}:80 -m -w 1\n" for real in REALS)
    for service in range(1, SERVICES + 1)
)

# Each prints the seconds that it took, without the start of Python. The last line of each is the table's size.
OURS = """
import sys, time
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import planner, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import WantedDestination, WantedService
wanted = tuple(
    WantedService(key, "", scheduler=entry.service.scheduler, destinations=tuple(
        WantedDestination(real.key, "", forward=real.forward, weight=real.weight)
        for real in entry.destinations.values()))
    for key, entry in save_parser.parse(sys.stdin.read()).items())
started = time.perf_counter()
with Ipvs(None) as kernel:
    before = kernel.table()
    plan = planner.plan_table(before, planner.Request(wanted=wanted)).plan
    planned = time.perf_counter()
    kernel.apply(plan.changes)
applied = time.perf_counter()
with Ipvs(None) as kernel:
    table = kernel.table()
    read = time.perf_counter()
    planner.plan_table(table, planner.Request(wanted=wanted))
print(applied - started, applied - planned, read - applied, time.perf_counter() - read)
"""
THEIRS = """
import subprocess, sys, time
rules = sys.stdin.read()
started = time.perf_counter()
subprocess.run(["ipvsadm", "-R"], input=rules, text=True, check=True)
print(time.perf_counter() - started)
"""


def measure(script: str) -> list[float]:
    """Fill the empty table of a namespace of its own, and see that it is full."""
    namespace = f"bench{os.getpid()}"
    into = ["ip", "netns", "exec", namespace]
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        # Without any address the kernel takes every real server for a broadcast address.
        subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
        subprocess.run([*into, "ipvsadm", "-l"], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(
            [*into, sys.executable, "-c", script], input=RULES, stdout=subprocess.PIPE, text=True, check=True
        )
        listed = subprocess.run([*into, "ipvsadm", "-Sn"], capture_output=True, text=True, check=True).stdout
        assert listed == RULES
    finally:
        subprocess.run(["ip", "netns", "del", namespace], check=True)
    return [float(word) for word in done.stdout.split()]


def test_fill() -> None:
    scripts = {"ours": OURS, "theirs": THEIRS}
    for script in scripts.values():
        measure(script)
    ours: list[list[float]] = []
    theirs: list[float] = []
    for number in range(ROUNDS):
        for name in sorted(scripts, reverse=bool(number % 2)):
            figures = measure(scripts[name])
            if name == "ours":
                ours.append(figures)
            else:
                theirs += figures
    whole, sending, reading, planning = (median(column) for column in zip(*ours))
    reference = median(theirs)
    print(f"\n{SERVICES} services of {REAL_SERVERS} real servers, {ROUNDS} rounds, medians")
    for what, seconds in (
        ("ipvsadm -R", reference),
        ("ours: read, plan and send", whole),
        ("ours: send alone", sending),
        ("ours: read the full table", reading),
        ("ours: plan with nothing to do", planning),
    ):
        print(f"{what:32}{seconds:8.3f} s   {reference / seconds:6.1f} times as fast as ipvsadm -R")
