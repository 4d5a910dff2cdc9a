# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three active directors behind a router: one after the other is lost, drained or cut off, under load."""

from __future__ import annotations

import statistics
import time
from typing import Any, Callable

import yaml

from . import measure, pair
from .hosts import CHECKOUT, HERE, Hosts, lab, say, wait
from .table import Result, Table

HOSTS = Hosts(HERE / "active.yml")
DIRECTORS = {"lb1": "10.0.0.21", "lb2": "10.0.0.22", "lb3": "10.0.0.23"}
VIP = "198.51.100.1"
TIMES = 10
DOWNLOADS = 12
# A download is under way for so many seconds when something happens.
ESTABLISHED = 4
TITLE = "One of three active directors is lost"
COLUMNS = ["what", "BFD", "times", "requests fail for s: median", "worst", "lost", "of", "downloads", "survived"]


def model(bfd: Any) -> dict[str, Any]:
    """The inventory of the document, with this BFD on both sides."""
    content: dict[str, Any] = yaml.safe_load((CHECKOUT / "docs/examples/active.yml").read_text())
    for each in content["lvs_directors"]["vars"]["lvs_bgp"]["neighbours"]:
        each["bfd"] = bfd
    content["lvs_routers"]["hosts"]["router"]["lvs_bgp"]["bfd"] = bfd
    return content


def power(times: int = TIMES) -> Result:
    """The power is cut, with BFD at 100 ms and without."""
    return _both("power cut", times, _power_cut, _power_on)


def cable(times: int = 3) -> Result:
    """The cable to the router is cut, which neither side sees."""
    return _both("cable cut", times, _cable("down"), _cable("up"))


def bird(times: int = 3) -> Result:
    """BIRD is killed: its sessions end, and systemd starts it again."""
    return _both("BIRD killed", times, _script("systemctl kill --signal=KILL bird"), _nothing, planned=True)


def drain(times: int = TIMES) -> Result:
    """Maintenance: nobody may notice."""
    result = Result()
    inventory = _bring(model(bfd={"interval": 300, "multiplier": 5}))

    def withdraw(host: str) -> None:
        HOSTS.playbook("drain_directors", inventory, "-e", f"lvs_drain_directors={host}")

    def announce(host: str) -> None:
        words = ["-e", f"lvs_drain_directors={host}", "-e", "lvs_drain_directors_state=present"]
        HOSTS.playbook("drain_directors", inventory, *words)

    result.tables.append(_rows("drained", "yes", times, withdraw, announce, result, planned=True))
    HOSTS.down()
    return result


def _both(
    what: str, times: int, harm: Callable[[str], object], repair: Callable[[str], object], planned: bool = False
) -> Result:
    result = Result()
    for bfd, said in (({"interval": 100, "multiplier": 3}, "3 of 100 ms"), (False, "no")):
        _bring(model(bfd))
        result.tables.append(_rows(what, said, times, harm, repair, result, planned=planned))
    HOSTS.down()
    return result


def _bring(inventory: dict[str, Any]) -> dict[str, Any]:
    pair.down()
    HOSTS.up()
    for server in inventory["lvs_real_servers"]["hosts"]:
        HOSTS.run(server, f"mkdir -p /srv/files; seq {pair.LINES} >/srv/files/download")
    HOSTS.playbook("site", inventory)
    _wait_whole()
    return inventory


def _rows(
    what: str,
    bfd: str,
    times: int,
    harm: Callable[[str], object],
    repair: Callable[[str], object],
    result: Result,
    planned: bool,
) -> Table:
    records = []
    for number in range(times):
        victim = [*DIRECTORS][number % len(DIRECTORS)]
        records.append(_lose(victim, harm, repair, f"{what}, BFD {bfd}: {number + 1} of {times}"))
    silent, lost, requests, downloads, survived = [], 0, 0, 0, 0
    for record in records:
        cut, calm = record.marks["cut"], record.marks["calm"]
        lost += len(measure.failed(record.requests, cut - 3))
        requests += len(record.requests)
        # Two directors of three go on meanwhile, so that it is never silent: until when did requests fail?
        silent.append(measure.chosen_until(record, cut, calm))
        some, whole = measure.survivors(record, pair.DIGEST, cut, ESTABLISHED)
        downloads, survived = downloads + some, survived + whole
    result.must(survived == downloads, f"{what}, BFD {bfd}: {downloads - survived} downloads broke")
    if planned:
        result.must(lost == 0, f"{what}, BFD {bfd}: {lost} requests were lost")
    row = [what, bfd, times, statistics.median(silent), max(silent), lost, requests, downloads, survived]
    return Table(TITLE, COLUMNS, [row])


def _lose(victim: str, harm: Callable[[str], object], repair: Callable[[str], object], title: str) -> measure.Record:
    _wait_whole()
    with HOSTS.load({"web": (VIP, 80)}, 50, 3, DOWNLOADS) as load:
        time.sleep(ESTABLISHED + 3)
        cut = load.mark("cut")
        harm(victim)
        wait("answers again", lambda: load.answered(100, cut))
        load.mark("calm")
        record = load.finish()
    fails = measure.chosen_until(record, cut, record.marks["calm"])
    say(f"{title}: {victim}, requests failed for {fails:.2f} s")
    repair(victim)
    return record


def _wait_whole() -> None:
    """The router sends to all directors."""

    def ways() -> str:
        return HOSTS.run("router", f"ip route show {VIP}")

    wait("the router sends to all", lambda: all(f"via {own} " in ways() for own in DIRECTORS.values()))


def _power_cut(host: str) -> None:
    lab("power-off", HOSTS.name, host, "--power-cut")


def _power_on(host: str) -> None:
    lab("power-on", HOSTS.name, host)


def _cable(state: str) -> Callable[[str], object]:
    return lambda host: lab("link", HOSTS.name, host, "back", state)


def _script(script: str) -> Callable[[str], object]:
    return lambda host: HOSTS.run(host, script)


def _nothing(_host: str) -> None:
    """It mends itself."""
