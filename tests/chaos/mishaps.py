# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes together on a pair: two losses at once, daemons that end before a loss, a full table, an upgrade."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import measure, pair
from .failures import ESTABLISHED, recovered
from .pair import say
from .table import Result, Table

# The one of each pool that is lost.
FIRST = {"nat": "web1", "dr": "app1"}
# How long connection tracking has no room.
FULL = 10
_KILL = "kill -KILL $(systemctl show --property MainPID --value {unit})"


def both_lost(times: int = 3) -> Result:
    """The master and a real server of each pool lose power at the same moment."""
    inventory, result = pair.model(), Result()
    pair.bring(inventory)
    hosts = inventory["lvs_real_servers"]["hosts"]
    rows: dict[str, list[list[Any]]] = {target: [] for target in pair.VIPS}
    for number in range(times):
        pair.wait_ready(inventory)
        master = pair.master()
        say(f"both lost: {number + 1} of {times}: {master}")
        with pair.load(downloads=6) as load:
            time.sleep(ESTABLISHED + 2)
            owners = measure.Owners()
            owners.add(pair.run(master, "ipvsadm -Lnc"))
            _at_once(lambda host: pair.HOSTS.cut_power(host, lambda: load.mark("cut")), [master, *FIRST.values()])
            cut = load.record.marks["cut"]
            recovered(load, cut)
            calm = load.mark("calm")
            record = load.finish()
        _at_once(lambda host: pair.lab("power-on", pair.NAME, host), [master, *FIRST.values()])
        for target, host in FIRST.items():
            part, vip = record.of(target), f"{pair.VIPS[target]}:80"
            lost = len(measure.failed(part.requests, cut - 3))
            under_way = measure.under_way(part, cut, ESTABLISHED)
            others = [one for one in under_way if owners.of(one, vip) != hosts[host]["lvs_address"]]
            survived = sum(one.digest == pair.DIGEST for one in others)
            rows[target].append([measure.silence(part, cut, calm), lost, len(others), survived])
    columns = [
        "topology",
        "times",
        "silent s: median",
        "worst",
        "lost",
        "downloads of the other real server",
        "survived",
    ]
    found = Table("The master and a real server of each pool lose power at the same moment", columns)
    for target, figures in rows.items():
        silent, losses, begun, kept = zip(*figures)
        row = [statistics.median(silent), max(silent), statistics.median(losses), sum(begun), sum(kept)]
        found.rows.append([target, times, *row])
        result.must_all(sum(kept), sum(begun), f"{target}: downloads of the other real server arrive whole")
    result.tables.append(found)
    return result


def daemons() -> Result:
    """What tells the other director of connections ends on both, and then the master's power is cut."""
    result = Result()
    columns = ["ended on both", "topology", "silent, s", "lost", "downloads", "survived"]
    found = Table("Daemons end on both directors, and 2 s later the master loses power", columns)
    stop = "ipvsadm --stop-daemon $(ipvsadm -Ln --daemon | cut -d' ' -f1)"
    for title, inventory, command, told in (
        ("IPVS's sync daemons", pair.model(), stop, ("nat", "dr")),
        ("conntrackd, killed", _fullnat(), _KILL.format(unit="conntrackd"), ("nat", "dr")),
    ):
        pair.bring(inventory)
        say(f"daemons: {title}")
        master = pair.master()
        with pair.load(downloads=6) as load:
            time.sleep(ESTABLISHED + 2)
            _at_once(lambda host, command=command: pair.run(host, command), pair.DIRECTORS)
            time.sleep(2)
            pair.HOSTS.cut_power(master, lambda: load.mark("cut"))
            cut = load.record.marks["cut"]
            recovered(load, cut)
            calm = load.mark("calm")
            record = load.finish()
        pair.lab("power-on", pair.NAME, master)
        pair.wait_ready(inventory)
        for target in told:
            part = record.of(target)
            some, whole = measure.survivors(part, pair.DIGEST, cut, ESTABLISHED + 2)
            lost = len(measure.failed(part.requests, cut - 3))
            topology = pair.service(inventory, target)["forward"]
            found.rows.append([title, topology, measure.silence(part, cut, calm), lost, some, whole])
            result.must_all(whole, some, f"{title}, {topology}: downloads arrive whole")
    result.tables.append(found)
    return result


def full() -> Result:
    """Connection tracking of the master has no room for new connections; those that it has go on."""
    inventory, result = _fullnat(), Result()
    pair.bring(inventory)
    master, name = pair.master(), "/proc/sys/net/netfilter/nf_conntrack_max"
    room = pair.run(master, f"cat {name}").strip()
    with pair.load(downloads=6) as load:
        time.sleep(ESTABLISHED + 2)
        filled = load.mark("full")
        pair.run(master, f"echo $(($(conntrack -C) / 2)) >{name}")
        time.sleep(FULL)
        pair.run(master, f"echo {room} >{name}")
        roomy = load.mark("room")
        recovered(load, roomy)
        record = load.finish()
    columns = ["topology", "failed meanwhile", "of", "failed afterwards", "downloads", "survived"]
    found = Table(f"Connection tracking of the master is full for {FULL} s", columns)
    for target in pair.VIPS:
        part, topology = record.of(target), pair.service(inventory, target)["forward"]
        failed = len(measure.failed(part.requests, filled - 3, roomy))
        later = len(measure.failed(part.requests, roomy))
        total = sum(filled <= one.start < roomy for one in part.requests)
        some, whole = measure.survivors(part, pair.DIGEST, filled, ESTABLISHED)
        found.rows.append([topology, failed, total, later, some, whole])
        result.must_all(whole, some, f"{topology}: downloads arrive whole while connection tracking is full")
        result.must(not later, f"{topology}: {later} requests failed when there was room again")
    result.tables.append(found)
    return result


def upgrade(times: int = 4) -> Result:
    """keepalived is restarted, as an upgrade of its package does: on the backup, and on the master."""
    inventory, result = pair.model(), Result()
    pair.bring(inventory)
    versions = {host: pair.run(host, "keepalived --version 2>&1").split()[1].lstrip("v") for host in pair.DIRECTORS}
    columns = ["on", "its release", "of the other one", "topology", "silent, s", "lost", "downloads", "survived"]
    found = Table("keepalived is restarted, as by an upgrade", columns)
    for number in range(times):
        pair.wait_ready(inventory)
        master = pair.master()
        host, role = (master, "the master") if number % 2 else (pair.other(master), "the backup")
        say(f"upgrade: keepalived of {host}, {role}")
        with pair.load(downloads=6) as load:
            time.sleep(ESTABLISHED + 2)
            cut = load.mark("cut")
            pair.run(host, "systemctl restart keepalived")
            time.sleep(3)
            recovered(load, cut)
            calm = load.mark("calm")
            record = load.finish()
        for target in pair.VIPS:
            part = record.of(target)
            some, whole = measure.survivors(part, pair.DIGEST, cut, ESTABLISHED)
            lost = len(measure.failed(part.requests, cut - 3))
            row = [versions[host], versions[pair.other(host)], target, measure.silence(part, cut, calm), lost]
            found.rows.append([role, *row, some, whole])
            result.must_all(whole, some, f"restart on {role}, {target}: downloads arrive whole")
            result.must(role == "the master" or not lost, f"restart on {role}, {target}: {lost} requests were lost")
    result.tables.append(found)
    return result


def _fullnat() -> dict[str, Any]:
    inventory = pair.model()
    pair.by_fullnat(inventory)
    inventory["lvs_directors"]["vars"]["lvs_conntrackd"] = True
    return inventory


def _at_once(action: Any, hosts: list[str]) -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(action, hosts))
