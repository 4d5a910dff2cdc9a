# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody may notice, and what must not happen at all: changes of a live pair under load."""

from __future__ import annotations

import json
import time
from typing import Any, Callable

from . import measure, pair
from .pair import say
from .table import Result, Table
from .unnoticed import COLUMNS, under_load

# Each change that nobody may notice has to be made under so many requests.
ENOUGH = 1000
# The one of each pool that comes and goes.
SECOND = {"nat": "web2", "dr": "app2"}
# The first director's own address on the back ends' LAN.
LB1 = "10.0.0.21"


def changes() -> Result:
    """What an operator does to a live pool, one after the other."""
    result, found = _begin()
    inventory = pair.model()
    pair.bring(inventory)

    def weighed() -> None:
        for name in pair.VIPS:
            pair.service(inventory, name).update(scheduler="wrr")
            pair.service(inventory, name)["real_servers"][0]["weight"] = 3
        pair.site(inventory)

    def drained() -> None:
        words = json.dumps({"lvs_drain": list(SECOND.values())})
        pair.playbook("drain", inventory, "--extra-vars", words)

    def removed() -> None:
        for name in pair.VIPS:
            pair.service(inventory, name)["real_servers"].pop()
        pair.site(inventory)

    def added() -> None:
        for name, host in SECOND.items():
            pair.service(inventory, name)["real_servers"].append({"host": host})
        pair.site(inventory)

    def scheduled() -> None:
        for name in pair.VIPS:
            pair.service(inventory, name)["scheduler"] = "wlc"
        pair.site(inventory)

    def reloaded() -> None:
        for director in pair.DIRECTORS:
            pair.run(director, "systemctl reload keepalived")

    def again() -> None:
        again_changed = pair.changed(pair.site(inventory))
        result.must(not again_changed, f"site once more changed {again_changed}")

    for title, action in {
        "scheduler wrr and a weight changed": weighed,
        "a real server of each pool drained": drained,
        "the drained ones removed": removed,
        "they are added again": added,
        "scheduler wlc": scheduled,
        "site once more": again,
        "keepalived reloaded on both": reloaded,
    }.items():
        _unnoticed(title, action, result, found)
    return result


def rolling() -> Result:
    """The playbook that maintains one real server after the other."""
    result, found = _begin()
    inventory = pair.model()
    pair.bring(inventory)
    tasks = f"lvs_rolling_tasks={pair.HERE / 'maintenance.yml'}"

    def roll() -> None:
        pair.playbook("rolling", inventory, "--extra-vars", tasks)

    _unnoticed("each service restarted by rolling", roll, result, found)
    pair.wait_ready(inventory)
    return result


def drift() -> Result:
    """Somebody changes the tables of both directors by hand, and site puts them right. web2 and app2 go on serving."""
    result, found = _begin()
    inventory = pair.model()
    pair.bring(inventory)
    vips = {name: f"{vip}:80" for name, vip in pair.VIPS.items()}
    by_hand = (
        f"ipvsadm -E -t {vips['nat']} -s wrr",
        f"ipvsadm -e -t {vips['nat']} -r 10.0.0.51:80 -g -w 0",
        f"ipvsadm -d -t {vips['dr']} -r 192.168.0.61:80",
        # Nobody is sent there.
        f"ipvsadm -a -t {vips['nat']} -r 10.0.0.99:80 -m -w 0",
        "ipvsadm --stop-daemon $(ipvsadm -Ln --daemon | cut -d' ' -f1)",
    )
    state = "ipvsadm -Sn; ipvsadm -Ln --daemon"
    before = {director: pair.run(director, state) for director in pair.DIRECTORS}
    for director in pair.DIRECTORS:
        pair.run(director, " && ".join(by_hand))
    # Without waiting until all real servers have a weight again.
    _unnoticed("drift on both directors repaired", lambda: pair.playbook("site", inventory), result, found)
    for director in pair.DIRECTORS:
        # Weight 0 may be that of a drain, which site does not end.
        drained = before[director].replace("-r 10.0.0.51:80 -m -w 1", "-r 10.0.0.51:80 -m -w 0")
        left = pair.run(director, state)
        result.must(left == drained, f"the table of {director} is not as before: {left}")
    again = pair.changed(pair.playbook("site", inventory))
    result.must(not again, f"site once more changed {again}")
    words = json.dumps({"lvs_drain": ["web1"], "lvs_drain_state": "present"})
    pair.playbook("drain", inventory, "--extra-vars", words)
    for director in pair.DIRECTORS:
        left = pair.run(director, state)
        result.must(left == before[director], f"the table of {director} is not as before: {left}")
    pair.wait_ready(inventory)
    return result


def clock() -> Result:
    """The clocks of both directors are set forwards by an hour, and back."""
    result, found = _begin()
    pair.bring(pair.model())

    def turn(by: str) -> None:
        for director in pair.DIRECTORS:
            pair.run(director, f"date --set '{by}'")
        # Health checks and adverts of some rounds.
        time.sleep(15)

    master = pair.master()
    _unnoticed("clocks of both directors an hour forwards", lambda: turn("+1 hour"), result, found)
    _unnoticed("clocks of both directors an hour back", lambda: turn("-1 hour"), result, found)
    pair.wait_ready(pair.model())
    result.must(pair.master() == master, "the clock made the other director master")
    return result


def while_down() -> Result:
    """The model changes while a real server of each pool is down, which stays out, and comes back by the new model."""
    result, found = _begin()
    inventory = pair.model()
    pair.bring(inventory)
    down = {inventory["lvs_real_servers"]["hosts"][host]["lvs_address"] for host in SECOND.values()}
    _each("systemctl stop nginx")
    pair.wait_unlisted(down)

    def changed() -> None:
        for name in pair.VIPS:
            pair.service(inventory, name)["scheduler"] = "wrr"
            for each in pair.service(inventory, name)["real_servers"]:
                each["weight"] = 3
        pair.playbook("site", inventory)

    _unnoticed("scheduler and weights changed, while a real server of each pool is down", changed, result, found)
    for director in pair.DIRECTORS:
        table = pair.table(director)
        result.must(not pair.listed(director) & down, f"{director} sends to real servers that are down: {table}")
    _each("systemctl start nginx")
    pair.wait_ready(inventory)
    for director in pair.DIRECTORS:
        table = pair.table(director)
        weights = {line.rpartition("-w ")[2] for line in table if line.startswith("-a")}
        result.must(weights == {"3"}, f"{director}: not every real server came back with the new weight: {table}")
    return result


def moving() -> Result:
    """One director with the kernel's own table becomes a pair under keepalived, and goes back."""
    result, found = _begin()
    pair.playbook("teardown", pair.model())
    alone = _alone()
    pair.playbook("site", alone)
    # The gateway of the back ends first stays where it is: the address that moves is there only with keepalived.
    joined = pair.model()
    _gateway(joined, LB1)
    paired = pair.model()
    for title, action in {
        "kernel to a keepalived pair": lambda: pair.site(joined),
        "gateway to the pair's address": lambda: pair.site(paired),
        "gateway to the first director's": lambda: pair.site(joined),
        "keepalived pair to kernel": lambda: pair.playbook("site", alone),
    }.items():
        _unnoticed(title, action, result, found)
    left = pair.run("lb2", "ipvsadm -Sn; ip -o address show dev eth1 | grep 192.168.0.2[89]; true").strip()
    result.must(not left, f"the second director still has: {left}")
    return result


def _alone() -> dict[str, Any]:
    """The same services by the first director alone, in the kernel without a keepalived."""
    inventory = pair.model()
    directors = inventory["lvs_directors"]
    directors["vars"] = {"lvs_manager": "kernel"}
    directors["hosts"]["lb2"]["lvs_state"] = "absent"
    _gateway(inventory, LB1)
    return inventory


def _gateway(inventory: dict[str, Any], address: str) -> None:
    for host in ("web1", "web2"):
        inventory["lvs_real_servers"]["hosts"][host]["lvs_gateway"] = address


def _begin() -> tuple[Result, Table]:
    """What a case measures, in its table of what nobody may notice."""
    found = Table("What nobody may notice", ["change", *COLUMNS])
    return Result([found]), found


def _unnoticed(title: str, action: Callable[[], object], result: Result, found: Table) -> None:
    say(f"unnoticed: {title}")
    figures, _answer = under_load(title, action, result, ENOUGH)
    found.rows.append([title, *figures])


def refused() -> Result:
    """Configuration that keepalived does not take never reaches it."""
    result = Result()
    found = Table("What keepalived would refuse", ["given", "site", "file", "keepalived", "requests", "failed"])
    pair.bring(pair.model())
    state = "sha256sum /etc/keepalived/keepalived.conf; pidof keepalived; journalctl -u keepalived | grep -c -i reload"
    for given in ("lvs_keepalived.raw", "lvs_vrrp.raw", "raw of a service"):
        say(f"refused: {given}")
        inventory = pair.model()
        variables = inventory["lvs_directors"]["vars"]
        spoilt = {
            "lvs_keepalived.raw": variables.setdefault("lvs_keepalived", {}),
            "lvs_vrrp.raw": variables["lvs_vrrp"],
            "raw of a service": pair.service(inventory, "dr"),
        }
        spoilt[given]["raw"] = spoilt[given].get("raw", "") + "nonsense 1\n"
        with pair.load(patience=pair.PATIENT) as load:
            before = {host: pair.run(host, state, check=False) for host in pair.DIRECTORS}
            output = pair.playbook("site", inventory, check=False)
            after = {host: pair.run(host, state, check=False) for host in pair.DIRECTORS}
            record = load.finish()
        said, same = "nonsense" in output and pair.refused(output), before == after
        failed = len(measure.failed(record.requests))
        found.rows.append(
            [
                given,
                "refuses it" if said else "ACCEPTS IT",
                "as it was" if same else "CHANGED",
                "runs on" if same else "TOUCHED",
                len(record.requests),
                failed,
            ]
        )
        result.must(said, f"{given}: site did not say what is wrong")
        result.must(same, f"{given}: file or keepalived is not as before: {before} {after}")
        result.must(not failed, f"{given}: {failed} requests failed")
    result.tables.append(found)
    return result


def steady() -> Result:
    """site while a health checker has taken real servers out: it is none of its business."""
    result = Result()
    found = Table("site while real servers are down", ["their entries", "changed", "tables", "weights"])
    for how, inhibit in (("removed by keepalived", False), ("weight 0 by keepalived", True)):
        say(f"steady: {how}")
        inventory = pair.model()
        for name in pair.VIPS:
            pair.service(inventory, name)["inhibit_on_failure"] = inhibit
        pair.bring(inventory)
        down = {inventory["lvs_real_servers"]["hosts"][host]["lvs_address"] for host in SECOND.values()}
        _each("systemctl stop nginx")
        pair.wait_unlisted(down)
        before = {host: pair.table(host) for host in pair.DIRECTORS}
        changed = pair.changed(pair.playbook("site", inventory))
        after = {host: pair.table(host) for host in pair.DIRECTORS}
        _each("systemctl start nginx")
        pair.wait_ready(inventory)
        weights = sorted({line.rpartition("-w ")[2] for line in before["lb1"] if line.startswith("-a")})
        same = before == after
        found.rows.append([how, sum(changed.values()), "as they were" if same else "CHANGED", ", ".join(weights)])
        result.must(not changed, f"{how}: site changed {changed}")
        result.must(same, f"{how}: {before} became {after}")
    result.tables.append(found)
    return result


def _each(script: str) -> None:
    for host in SECOND.values():
        pair.run(host, script)
