# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three active directors behind a router: one after the other is lost, drained or cut off, under load."""

from __future__ import annotations

import contextlib
import copy
import statistics
import time
from typing import Any, Callable

import yaml

from . import measure, pair
from .hosts import CHECKOUT, HERE, Hosts, Load, lab, say, wait
from .table import Result, Table

HOSTS = Hosts(HERE / "active.yml")
DIRECTORS = {"lb1": "10.0.0.21", "lb2": "10.0.0.22", "lb3": "10.0.0.23"}
VIP, VIP6 = "198.51.100.1", "2001:db8:100::1"
TIMES = 10
# At a time, each so slowly that it takes a minute.
DOWNLOADS, PACE = 60, 65536
# A download is under way for so many seconds when something happens.
ESTABLISHED = 4
TITLE = "One of three active directors is lost, and comes back"
COLUMNS = [
    "what",
    "BFD",
    "times",
    "first packets lost for s: median",
    "worst",
    "requests without answer in 3 s",
    "of",
    "downloads",
    "survived",
]
FAST, QUIET = {"interval": 100, "multiplier": 3}, {"interval": 300, "multiplier": 5}

# What is done to a host; the other function marks the moment from which times are measured.
Harm = Callable[[str, Callable[[], object]], object]


def model(bfd: Any) -> dict[str, Any]:
    """The inventory of the document, with this BFD on both sides."""
    content: dict[str, Any] = yaml.safe_load((CHECKOUT / "docs/examples/active.yml").read_text())
    for each in content["lvs_directors"]["vars"]["lvs_bgp"]["neighbours"]:
        each["bfd"] = bfd
    content["lvs_routers"]["hosts"]["router"]["lvs_bgp"]["bfd"] = bfd
    return content


def power(times: int = TIMES) -> Result:
    """The power is cut, with BFD at 100 ms and without."""
    return _rows("power cut", times, HOSTS.cut_power, power_on, (FAST, False))


def cable(times: int = 3) -> Result:
    """The cable to the router is cut, which neither side sees."""
    return _rows("cable cut", times, lambda host, now: HOSTS.cut_cable(host, 1, now), _plug, (FAST, False))


def bird(times: int = 3) -> Result:
    """BIRD is killed: its sessions end with its sockets, and systemd starts it again."""
    return _rows("BIRD killed", times, _kill_bird, _nothing, (FAST,), planned=True)


def drain(times: int = TIMES) -> Result:
    """Maintenance: nobody may notice."""
    inventory = model(QUIET)

    def withdraw(host: str, now: Callable[[], object]) -> None:
        now()
        HOSTS.playbook("drain_directors", inventory, "-e", f"lvs_drain_directors={host}")

    def announce(host: str) -> None:
        words = ["-e", f"lvs_drain_directors={host}", "-e", "lvs_drain_directors_state=present"]
        HOSTS.playbook("drain_directors", inventory, *words)

    return _rows("drained", times, withdraw, announce, (QUIET,), planned=True)


def _said(bfd: Any) -> str:
    return f"{bfd['multiplier']} of {bfd['interval']} ms" if bfd else "no"


# The model that the hosts are at; none: they are not there.
_now: list[dict[str, Any]] = []


def boot(inventory: dict[str, Any]) -> None:
    """Have the hosts run, whatever they are at."""
    if not _now:
        pair.down()
        HOSTS.up()
        for server in inventory["lvs_real_servers"]["hosts"]:
            HOSTS.run(server, f"mkdir -p /srv/files; seq {pair.LINES} >/srv/files/download")


def bring(inventory: dict[str, Any]) -> None:
    """Have the hosts at a model."""
    boot(inventory)
    if _now != [inventory]:
        HOSTS.playbook("site", inventory)
        _now[:] = [copy.deepcopy(inventory)]
    wait_whole()


def down() -> None:
    """Leave nothing of the lab."""
    HOSTS.down()
    _now.clear()


def _rows(
    what: str,
    times: int,
    harm: Harm,
    repair: Callable[[str], object],
    ways: tuple[Any, ...],
    planned: bool = False,
) -> Result:
    """A row for each setting of BFD, and first for the one that the hosts have already."""
    result, found = Result(), Table(TITLE, COLUMNS)
    for bfd in sorted(ways, key=lambda each: _now != [model(each)]):
        bring(model(bfd))
        found.rows.append(_row(what, _said(bfd), times, harm, repair, result, planned))
    found.rows.sort(key=lambda row: row[1] == _said(False))
    result.tables.append(found)
    return result


def _row(
    what: str, bfd: str, times: int, harm: Harm, repair: Callable[[str], object], result: Result, planned: bool
) -> list[Any]:
    records = []
    for number in range(times):
        victim = [*DIRECTORS][number % len(DIRECTORS)]
        records.append(_lose(victim, harm, repair, f"{what}, BFD {bfd}: {number + 1} of {times}"))
    unheard, lost, requests, downloads, survived = [], 0, 0, 0, 0
    for record in records:
        lost += len(measure.failed(record.requests))
        requests += len(record.requests)
        # Two directors of three go on meanwhile, so that it is never silent.
        unheard.append(measure.unheard_until(record, record.marks["cut"], record.marks["calm"]))
        some, whole = measure.survivors(record, pair.DIGEST, record.marks["cut"], ESTABLISHED)
        downloads, survived = downloads + some, survived + whole
    result.must_all(survived, downloads, f"{what}, BFD {bfd}: downloads arrive whole")
    if planned:
        result.must(lost == 0, f"{what}, BFD {bfd}: {lost} requests were lost")
    return [what, bfd, times, statistics.median(unheard), max(unheard), lost, requests, downloads, survived]


def load(pace: int = PACE) -> contextlib.AbstractContextManager[Load]:
    """Load on the first VIP while the body runs."""
    return HOSTS.load({"web": (VIP, 80)}, 50, pair.PATIENCE, DOWNLOADS, pace)


def _lose(victim: str, harm: Harm, repair: Callable[[str], object], title: str) -> measure.Record:
    wait_whole()
    with load() as running:
        time.sleep(ESTABLISHED + 3)
        harm(victim, lambda: running.mark("cut"))
        wait_calm(running)
        # What comes back has flows moved to it, of connections that it has never seen.
        repair(victim)
        wait_whole()
        time.sleep(3)
        record = running.finish()
    unheard = measure.unheard_until(record, record.marks["cut"], record.marks["calm"])
    lost = len(measure.failed(record.requests))
    some, whole = measure.survivors(record, pair.DIGEST, record.marks["cut"], ESTABLISHED)
    say(f"{title}: {victim}, first packets lost for {unheard:.2f} s, {lost} requests, {whole} of {some} downloads")
    for one in measure.broken(record, pair.DIGEST):
        say(f"broke, {one.end - record.marks['cut']:.1f} s after the cut: {one}")
    return record


def wait_calm(running: Load) -> None:
    """Wait until two directors of three answer all requests again."""

    def is_calm() -> bool:
        record = running.snapshot()
        return measure.is_calm(record, record.marks["cut"], pair.PATIENCE, 100)

    wait("answers again", is_calm)
    running.mark("calm")


def wait_whole() -> None:
    """Wait until the router sends to all directors."""

    def ways() -> str:
        return HOSTS.run("router", f"ip route show {VIP}")

    wait("the router sends to all", lambda: all(f"via {own} " in ways() for own in DIRECTORS.values()))


def power_on(host: str) -> None:
    """Boot a host."""
    lab("power-on", HOSTS.name, host)


def _plug(host: str) -> None:
    lab("link", HOSTS.name, host, "back", "up")


def _kill_bird(host: str, now: Callable[[], object]) -> None:
    now()
    # Its first process alone: one that is killed while it forks takes a kernel of the lab along.
    HOSTS.run(host, "kill -KILL $(systemctl show --property MainPID --value bird)")


def _nothing(_host: str) -> None:
    """It mends itself."""
