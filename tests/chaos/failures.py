# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails: each case brings the hosts to its model, does harm under load, and measures."""

from __future__ import annotations

import functools
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

from . import measure, pair
from .measure import Record
from .pair import Load, say
from .table import Result, Table

CUTS = 10
# A download counts as established once the daemon had time to tell the other director of it: more than twice of what it
# takes on a slow machine, and half of what a download takes.
ESTABLISHED = 8


# The master director dies


def failover(cuts: int = CUTS) -> Result:
    """Adverts each second: keepalived's default."""
    return _lose_masters("advert_int 1, sync", pair.model(), cuts)


def failover_fast(cuts: int = CUTS) -> Result:
    """Adverts five times a second."""
    inventory = pair.model()
    vrrp = inventory["lvs_directors"]["vars"]["lvs_vrrp"]
    vrrp["advert_int"] = 0.2
    # VRRP version 3 has none.
    del vrrp["auth_pass"]
    return _lose_masters("advert_int 0.2, sync", inventory, cuts)


def failover_alone(cuts: int = CUTS) -> Result:
    """No director tells the other of its connections."""
    inventory = pair.model()
    del inventory["lvs_directors"]["vars"]["lvs_sync"]
    return _lose_masters("advert_int 1, no sync", inventory, cuts)


def failover_others(cuts: int = 3) -> Result:
    """FULLNAT from the floating inside address, and TUN.

    Sync tells the other director of IPVS's connections; nobody tells it what connection tracking knows, so those of
    FULLNAT need not survive.
    """
    inventory = pair.model()
    pair.by_fullnat(inventory)
    pair.service(inventory, "dr")["forward"] = "tun"
    return _lose_masters("advert_int 1, sync", inventory, cuts)


def failover_fullnat(cuts: int = CUTS) -> Result:
    """The same FULLNAT, with conntrackd between the directors. DR beside it is not concerned."""
    inventory = pair.model()
    pair.by_fullnat(inventory)
    inventory["lvs_directors"]["vars"]["lvs_conntrackd"] = True
    return _lose_masters("advert_int 1, sync, conntrackd", inventory, cuts, downloads=6)


def handover(times: int = 5) -> Result:
    """Maintenance of a director: its keepalived is stopped, and says so to the other one."""
    return _lose_masters("advert_int 1, sync", pair.model(), times, planned=True)


def _lose_masters(how: str, inventory: dict[str, Any], times: int, planned: bool = False, downloads: int = 3) -> Result:
    result = Result()
    pair.bring(inventory)
    titles = (f"{how}: {number + 1} of {times}" for number in range(times))
    records = [_lose_master(inventory, title, planned, downloads) for title in titles]
    columns = ["pair", "topology", "times", "silent s: median", "worst", "lost", "downloads", "survived"]
    title = "keepalived is stopped on the master director" if planned else "The power of the master director is cut"
    found = Table(title, columns)
    for target in pair.VIPS:
        parts = [record.of(target) for record in records]
        silent = [measure.silence(part, part.marks["cut"], part.marks["calm"]) for part in parts]
        lost = [len(measure.failed(part.requests, part.marks["cut"] - 3)) for part in parts]
        kept = [measure.survivors(part, pair.DIGEST, part.marks["cut"], ESTABLISHED) for part in parts]
        begun, survived = sum(some for some, _whole in kept), sum(whole for _some, whole in kept)
        # Requests lost: of 25 a second, within their patience of 3 seconds.
        figures = [statistics.median(silent), max(silent), statistics.median(lost), begun, survived]
        topology = pair.service(inventory, target)["forward"]
        found.rows.append([how, topology, times, *figures])
        told = inventory["lvs_directors"]["vars"]
        if "lvs_sync" in told and (topology != "fullnat" or "lvs_conntrackd" in told):
            result.must_all(survived, begun, f"{how}, {target}: downloads arrive whole")
    result.tables.append(found)
    return result


def _lose_master(inventory: dict[str, Any], title: str, planned: bool, downloads: int) -> Record:
    """Switch off whoever is master, and have both directors up again."""
    pair.wait_ready(inventory)
    master = pair.master()
    with pair.load(downloads=downloads) as load:
        time.sleep(ESTABLISHED + 2)
        if planned:
            load.mark("cut")
            pair.run(master, "systemctl stop keepalived")
        else:
            pair.HOSTS.cut_power(master, lambda: load.mark("cut"))
        cut = load.record.marks["cut"]
        recovered(load, cut)
        load.mark("calm")
        record = load.finish()
    silent = {target: round(measure.silence(record.of(target), cut, record.marks["calm"]), 2) for target in pair.VIPS}
    say(f"{title}: {master}, silent {silent}")
    broken = measure.broken(record, pair.DIGEST)
    for one in broken:
        say(f"broke, {cut - one.start:.1f} s old at the cut: {one}")
    if broken:
        # A real server that its health check takes out loses its connections, failover or not.
        say(f"what keepalived did on {pair.other(master)} meanwhile:\n{pair.checked(pair.other(master))}")
    if planned:
        pair.run(master, "systemctl start keepalived")
    else:
        pair.lab("power-on", pair.NAME, master)
    return record


def recovered(load: Load, since: float, limit: float = 300) -> None:
    """Wait until every target answers again, each request for two seconds."""

    def is_calm() -> bool:
        record = load.snapshot()
        return all(measure.is_calm(record.of(target), since, pair.PATIENCE, 50) for target in pair.VIPS)

    pair.wait("answers again", is_calm, limit)


# A real server fails


def real_server() -> Result:
    """One real server of each pool, in four ways."""
    inventory, result = pair.model(), Result()
    pair.bring(inventory)
    victims = {"nat": "web1", "dr": "app1"}
    lan = {"web1": "inside", "app1": "outside"}
    off: list[tuple[str, Callable[[str], object], Callable[[str], object]]] = [
        ("service stopped", _script("systemctl stop nginx"), _script("systemctl start nginx")),
        (
            "service hangs",
            _script("systemctl kill --signal=STOP nginx"),
            _script("systemctl kill --signal=CONT nginx"),
        ),
        (
            "cable cut",
            lambda host: pair.lab("link", pair.NAME, host, lan[host], "down"),
            lambda host: pair.lab("link", pair.NAME, host, lan[host], "up"),
        ),
        (
            "powered off",
            lambda host: pair.lab("power-off", pair.NAME, host, "--power-cut"),
            lambda host: pair.lab("power-on", pair.NAME, host),
        ),
    ]
    columns = ["failure", "topology", "still chosen, s", "requests lost", "of", "serves again after, s"]
    found = Table("A real server of two fails (health check every 3 s)", columns)
    for title, harm, repair in off:
        say(f"a real server: {title}")
        pair.wait_ready(inventory)
        record = _real_server_fails(victims, harm, repair)
        for target, victim in victims.items():
            part = record.of(target)
            fail, repaired = part.marks["fail"], part.marks["repaired"]
            lost = measure.failed(part.requests, fail, repaired)
            chosen = measure.chosen_until(part, fail, repaired)
            total = sum(fail <= one.start < repaired for one in part.requests)
            back = measure.back_after(part, victim, repaired)
            found.rows.append([title, target, chosen, len(lost), total, back])
            result.must(back is not None, f"{title}, {target}: {victim} never served again")
            later = measure.failed(part.requests, repaired)
            result.must(not later, f"{title}, {target}: {len(later)} requests failed after the repair")
    result.tables.append(found)
    return result


def _script(script: str) -> Callable[[str], object]:
    return lambda host: pair.run(host, script)


def _real_server_fails(
    victims: dict[str, str], harm: Callable[[str], object], repair: Callable[[str], object]
) -> Record:
    hosts = pair.model()["lvs_real_servers"]["hosts"]
    addresses = {hosts[name]["lvs_address"] for name in victims.values()}
    with pair.load() as load:
        time.sleep(2)
        fail = load.mark("fail")
        _each(harm, victims.values())
        pair.wait_unlisted(addresses)
        recovered(load, fail)
        # From now on: a host that boots is repaired when it is switched on.
        load.be_patient()
        repaired = load.mark("repaired")
        _each(repair, victims.values())
        pair.wait(
            "the repaired serve again",
            lambda: all(measure.back_after(load.snapshot(), name, repaired) is not None for name in victims.values()),
        )
        time.sleep(3)
        return load.finish()


def _each(action: Callable[[str], object], hosts: Any) -> None:
    """Do the same to several hosts at once."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(action, hosts))


# The whole pair fails, and the pair falls apart


def both_rebooted() -> Result:
    """The power of both directors is cut at the same moment; nobody does anything."""
    inventory, result = pair.model(), Result()
    pair.bring(inventory)
    with pair.load() as load:
        time.sleep(2)
        cut = load.mark("cut")
        pair.lab("reboot", pair.NAME, *pair.DIRECTORS, "--power-cut")
        recovered(load, cut)
        calm = load.mark("calm")
        record = load.finish()
    pair.wait_ready(inventory)
    found = Table("Both directors lose power and boot", ["topology", "silent, s", "masters", "answer ARP for the VIP"])
    for target, vip in pair.VIPS.items():
        silent = measure.silence(record.of(target), cut, calm)
        masters, responders = len(pair.masters()), len(pair.responders(vip))
        found.rows.append([target, silent, masters, responders])
        result.must(masters == 1, f"{masters} masters after both directors booted")
        result.must(responders == 1, f"{target}: {responders} hosts answer ARP for {vip}")
    result.tables.append(found)
    return result


def _is_master(director: str) -> bool:
    return director in pair.masters()


def split() -> Result:
    """The directors do not hear each other any more."""
    inventory, result = pair.model(), Result()
    pair.bring(inventory)

    def isolate(state: str) -> None:
        # Ports of a bridge that are isolated reach all others, but not each other.
        for host in pair.DIRECTORS:
            for card in (1, 2):
                pair.lab("exec", pair.NAME, "--", "bridge", "link", "set", "dev", f"{host}.{card}", "isolated", state)

    def deafen(option: str) -> Callable[[str], object]:
        # Adverts of VRRP, and what the sync daemons tell.
        rules = (f"iptables-legacy {option} INPUT {what} -j DROP" for what in ("-p 112", "-p udp --dport 8848"))
        script = " && ".join(rules)
        return lambda master: pair.run(pair.other(master), script)

    ways: list[tuple[str, Callable[[str], object], Callable[[str], object]]] = [
        ("the backup does not hear the master, which hears it", deafen("-I"), deafen("-D")),
        ("nothing passes between the directors", lambda _master: isolate("on"), lambda _master: isolate("off")),
        (
            "the master's cable on the LAN of the adverts is cut",
            lambda master: pair.lab("link", pair.NAME, master, "inside", "down"),
            lambda master: pair.lab("link", pair.NAME, master, "inside", "up"),
        ),
    ]
    columns = ["what", "topology", "failed while apart", "of", "one master again, s", "failed afterwards", "answer ARP"]
    found = Table("The pair is split for 15 s, and heals", columns)
    for title, cut, heal in ways:
        say(f"split: {title}")
        pair.wait_ready(inventory)
        master = pair.master()
        with pair.load() as load:
            time.sleep(2)
            apart_at = load.mark("apart")
            cut(master)
            # Where it is heard, and has the higher priority, the other one gives way.
            backup = pair.other(master)
            pair.wait(f"{backup} is master", functools.partial(_is_master, backup))
            time.sleep(15)
            heal(master)
            healed = load.mark("healed")
            pair.wait("one master", lambda: len(pair.masters()) == 1)
            single = load.mark("single")
            recovered(load, healed)
            record = load.finish()
        pair.wait_ready(inventory)
        for target, vip in pair.VIPS.items():
            part = record.of(target)
            failures = len(measure.failed(part.requests, apart_at, healed))
            total = sum(apart_at <= one.start < healed for one in part.requests)
            later = len(measure.failed(part.requests, healed))
            responders = len(pair.responders(vip))
            found.rows.append([title, target, failures, total, single - healed, later, responders])
            result.must(responders == 1, f"{title}: {responders} hosts answer ARP for {vip} after healing")
    result.tables.append(found)
    return result
