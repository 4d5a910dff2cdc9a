# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of three active directors changes, also while one of them is lost: who moves is moved by mh."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

from . import active, measure, pair
from .active import HOSTS, VIP
from .hosts import say
from .table import Result, Table

SERVICE = f"{VIP}:80"
VICTIM, THIRD, THIRD_ADDRESS = "lb1", "web3", "10.0.0.53"
COLUMNS = [
    "what",
    "director lost",
    "requests without answer in 3 s",
    "of",
    "downloads",
    "of them on web3",
    "others that came to another director",
    "of those moved by mh",
    "others broken",
    "not moved, and broken",
]
# A run of site takes a minute and more on a machine that does much else, and downloads have to last for longer.
PACE = 16384


def pool() -> Result:
    """The third real server leaves the model and comes back, and is lost, with and without a director that is lost."""
    result, found = Result(), Table("The pool of three active directors changes", COLUMNS)
    inventory = active.model(active.FAST)
    active.bring(inventory)
    services = inventory["all"]["vars"]["lvs_services"]
    third = {"host": THIRD}

    def removed() -> None:
        for each in services:
            each["real_servers"] = [one for one in each["real_servers"] if one != third]
        HOSTS.playbook("site", inventory)

    def added() -> None:
        for each in services:
            each["real_servers"] = [*each["real_servers"], third]
        HOSTS.playbook("site", inventory)

    def nothing() -> None:
        """Only hosts are lost."""

    for title, change, victims in (
        ("web3 leaves the model", removed, []),
        ("web3 comes back into the model", added, []),
        ("web3 leaves the model", removed, [VICTIM]),
        ("web3 comes back into the model", added, [VICTIM]),
        ("web3 loses power", nothing, [THIRD]),
        ("web3 loses power at the same moment", nothing, [THIRD, VICTIM]),
    ):
        say(f"pool: {title}, power is cut of {' and '.join(victims) or 'nobody'}")
        _wait_pool(inventory)
        found.rows.append(_row(title, change, victims, result))
        for each in victims:
            active.power_on(each)
    result.tables.append(found)
    return result


def _row(title: str, change: Callable[[], object], victims: list[str], result: Result) -> list[Any]:
    active.wait_whole()
    alive = [each for each in active.DIRECTORS if each not in victims]
    with active.load(PACE) as running:
        time.sleep(active.ESTABLISHED + 3)
        running.mark("cut")
        before = _known([*active.DIRECTORS])
        change()
        if victims:
            _cut(victims, lambda: running.mark("off"))
            active.wait_calm(running)
        else:
            running.mark("calm")
            time.sleep(3)
        after = _known(alive)
        record = running.finish()
    under_way = measure.under_way(record, record.marks["cut"], active.ESTABLISHED)
    known = sum(bool(_server(before, one)) for one in under_way)
    result.must_all(known, len(under_way), f"{title}: of every download a director says whose it is")
    others = [one for one in under_way if _server(before, one) != THIRD_ADDRESS]
    if THIRD in victims:
        result.must(len(others) < len(under_way), f"{title}: web3 has downloads")
    newcomers = [
        one
        for one in others
        if any(after[each].of(one, SERVICE) and not before[each].of(one, SERVICE) for each in alive)
    ]
    moved = [
        one
        for one in newcomers
        if any(after[each].of(one, SERVICE) not in ("", _server(before, one)) for each in alive)
    ]
    broken = [one for one in others if one.digest != pair.DIGEST]
    unmoved = [one for one in broken if one not in moved]
    result.must(not unmoved, f"{title}: {len(unmoved)} downloads broke which mh did not move: {unmoved[:1]}")
    lost = measure.failed(record.requests)
    if not victims:
        result.must(not broken, f"{title}: {len(broken)} downloads of other real servers broke")
        result.must(not lost, f"{title}: {len(lost)} requests were lost")
    director = VICTIM if VICTIM in victims else "none"
    figures = [len(lost), len(record.requests), len(under_way), len(under_way) - len(others)]
    return [title, director, *figures, len(newcomers), len(moved), len(broken), len(unmoved)]


def _known(directors: list[str]) -> dict[str, measure.Owners]:
    """The connections that each director knows."""
    known = {each: measure.Owners() for each in directors}
    with ThreadPoolExecutor() as threads:
        for each, listed in zip(directors, threads.map(lambda each: HOSTS.run(each, "ipvsadm -Lnc"), directors)):
            known[each].add(listed)
    return known


def _server(known: dict[str, measure.Owners], one: measure.Download) -> str:
    return next((found for each in known.values() if (found := each.of(one, SERVICE))), "")


def _cut(hosts: list[str], is_off: Callable[[], object]) -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda host: HOSTS.cut_power(host, is_off), hosts))


def _wait_pool(inventory: dict[str, Any]) -> None:
    """Wait until every director has the real servers that the model has: one that was off is back late."""
    hosts = inventory["lvs_real_servers"]["hosts"]
    (web,) = (each for each in inventory["all"]["vars"]["lvs_services"] if each["address"] == VIP)
    wanted = {hosts[each["host"]]["lvs_address"][0] for each in web["real_servers"]}

    def agree() -> bool:
        return all(measure.listed(HOSTS.run(each, "ipvsadm -Sn"), SERVICE) == wanted for each in active.DIRECTORS)

    pair.wait("the pool of the model on all directors", agree)
