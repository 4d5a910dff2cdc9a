# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table that keepalived fills, as tables: what is there, what keepalived decided, and what is put right."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Daemon, DestinationKey, ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Request
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_data import Pool, Sorry, Watch
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.watched_plan import (
    plan_daemons,
    plan_unasked,
    plan_watched,
)
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes

KEY = ServiceKey("ipv4", "tcp", "10.0.0.1", 80)
SERVICE = "-A -t 10.0.0.1:80 -s rr\n"
ONE, TWO, THREE, SORRY = (DestinationKey(f"10.0.0.{last}", 80) for last in (51, 52, 53, 9))


def request(*purge: str, keep_weights: bool = False) -> Request:
    """Two real servers of weight 3 each."""
    servers = [
        {"address": key.address, "port": 80, "forward": "dr", "weight": 3, "upper_threshold": 0, "lower_threshold": 0}
        for key in (ONE, TWO)
    ]
    service: dict[str, Any] = {
        "address": "10.0.0.1",
        "port": 80,
        "scheduler": "rr",
        "scheduler_flags": [],
        "one_packet": False,
        "persistence": {"timeout": 0},
        "real_servers": servers,
    }
    mistakes = Mistakes()
    wanted = Request(
        options.wanted_services([service], "services", mistakes),
        options.purge(purge or ("real_servers",), mistakes),
        keep_weights,
    )
    mistakes.raise_if_any()
    return wanted


def real(key: DestinationKey, more: str = "-g -w 3") -> str:
    return f"-a -t 10.0.0.1:80 -r {key} {more}\n"


def changes(plan: Any) -> list[str]:
    return [change.line.replace("ipvsadm ", "", 1) for change in plan.changes]


BOTH = SERVICE + real(ONE) + real(TWO)
SAYS_SORRY = Sorry(SORRY, "nat", is_needed=True, may_wait=False)
WAITS = Sorry(SORRY, "nat", is_needed=False, may_wait=True)
HEALTHY = Pool({ONE: 3, TWO: 3})


@pytest.mark.parametrize(
    ("there", "pool", "done"),
    [
        (BOTH, HEALTHY, []),
        # By hand.
        (BOTH.replace("-s rr", "-s sh"), HEALTHY, ["-E -t 10.0.0.1:80 -s rr"]),
        (SERVICE + real(ONE, "-m -w 3") + real(TWO), HEALTHY, ["-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 3"]),
        (SERVICE + real(ONE, "-g -w 9") + real(TWO), HEALTHY, ["-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 3"]),
        # By a drain, which whoever drains it ends.
        (SERVICE + real(ONE, "-g -w 0") + real(TWO), HEALTHY, []),
        (SERVICE + real(ONE, "-m -w 0") + real(TWO), HEALTHY, ["-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 0"]),
        (SERVICE + real(ONE, "-g -w 3 -x 9") + real(TWO), HEALTHY, ["-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 3"]),
        (SERVICE + real(ONE), HEALTHY, ["-a -t 10.0.0.1:80 -r 10.0.0.52:80 -g -w 3"]),
        (BOTH + real(THREE), HEALTHY, ["-d -t 10.0.0.1:80 -r 10.0.0.53:80"]),
        ("", HEALTHY, ["-A -t 10.0.0.1:80 -s rr", "-a -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 3",
                       "-a -t 10.0.0.1:80 -r 10.0.0.52:80 -g -w 3"]),
        # What keepalived decided.
        (SERVICE + real(ONE), Pool({ONE: 3, TWO: None}), []),
        (SERVICE + real(ONE) + real(TWO, "-g -w 0"), Pool({ONE: 3, TWO: 0}), []),
        (SERVICE + real(ONE, "-g -w 7") + real(TWO), Pool({ONE: 7, TWO: 3}), []),
        (SERVICE + real(SORRY, "-m -w 1"), Pool({ONE: None, TWO: None}, SAYS_SORRY), []),
        (BOTH + real(SORRY, "-m -w 0"), HEALTHY._replace(sorry=WAITS), []),
        # A sorry server that somebody took away, and one that nobody needs.
        (SERVICE, Pool({ONE: None, TWO: None}, SAYS_SORRY), ["-a -t 10.0.0.1:80 -r 10.0.0.9:80 -m -w 1"]),
        (SERVICE, Pool({ONE: None, TWO: None}, SAYS_SORRY._replace(forward=None)), []),
        (BOTH + real(SORRY, "-m -w 1"), HEALTHY._replace(sorry=SAYS_SORRY._replace(is_needed=False)),
         ["-d -t 10.0.0.1:80 -r 10.0.0.9:80"]),
        # Against what keepalived decided: a dead real server that somebody put back, and one that says sorry no longer.
        (BOTH, Pool({ONE: 3, TWO: None}), ["-d -t 10.0.0.1:80 -r 10.0.0.52:80"]),
        (BOTH, Pool({ONE: 3, TWO: 0}), ["-e -t 10.0.0.1:80 -r 10.0.0.52:80 -g -w 0"]),
        # What keepalived has not read yet, or is going to take away.
        (SERVICE + real(ONE), Pool({ONE: 3}), []),
        (SERVICE + real(ONE) + real(THREE), Pool({ONE: 3, THREE: 3}), []),
        (SERVICE + real(ONE) + real(TWO, "-m -w 9"), Pool({ONE: 3}), ["-e -t 10.0.0.1:80 -r 10.0.0.52:80 -g -w 9"]),
    ],
)  # fmt: skip
def test_what_is_put_right(there: str, pool: Pool, done: list[str]) -> None:
    table = save_parser.parse(there)
    outcome = plan_watched(table, request(), Watch({KEY: pool}))
    assert changes(outcome.plan) == done
    # And then there is nothing more to do.
    assert changes(plan_watched(outcome.after, request(), Watch({KEY: pool})).plan) == []


def test_a_service_that_keepalived_does_not_have_yet_is_its_own_to_add() -> None:
    assert changes(plan_watched({}, request(), Watch({})).plan) == []


def test_weights_are_kept_where_that_is_wished() -> None:
    table = save_parser.parse(SERVICE + real(ONE, "-g -w 9") + real(TWO))
    assert changes(plan_watched(table, request(keep_weights=True), Watch({KEY: HEALTHY})).plan) == []


def test_others_services_go_only_where_that_is_wished() -> None:
    table = save_parser.parse(BOTH + "-A -t 10.0.0.8:80 -s rr\n-A -t 10.0.0.9:80 -s rr\n")
    # Raw lines of keepalived's configuration may have services that the model has not.
    watch = Watch({KEY: HEALTHY, ServiceKey("ipv4", "tcp", "10.0.0.9", 80): Pool({})})
    assert changes(plan_watched(table, request(), watch).plan) == []
    assert changes(plan_watched(table, request("all"), watch).plan) == ["-D -t 10.0.0.8:80"]
    # A group's services have no names there, and what keepalived has not read yet is nobody's to delete.
    assert changes(plan_watched(table, request("all"), watch._replace(is_whole=False)).plan) == []
    assert changes(plan_watched(save_parser.parse(BOTH), request("all"), Watch({})).plan) == []


def test_what_is_certain_where_keepalived_does_not_answer() -> None:
    there = BOTH.replace("-s rr", "-s sh").replace("-r 10.0.0.51:80 -g -w 3", "-r 10.0.0.51:80 -m -w 0")
    table = save_parser.parse(there.replace(real(TWO), "") + real(THREE))
    assert changes(plan_unasked(table, request()).plan) == [
        "-E -t 10.0.0.1:80 -s rr",
        "-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 0",
    ]


MASTER, BACKUP = Daemon("master", "eth1", 5, 1472), Daemon("backup", "eth1", 5, 1472)


@pytest.mark.parametrize(
    ("running", "wanted", "done"),
    [
        ([MASTER], [MASTER], []),
        ([], [MASTER], ["start master"]),
        ([BACKUP], [MASTER], ["stop backup", "start master"]),
        ([MASTER, BACKUP], [BACKUP], ["stop master"]),
        ([Daemon("master", "eth1", 6, 1472)], [MASTER], ["stop master", "start master"]),
    ],
)
def test_the_daemon(running: list[Daemon], wanted: list[Daemon], done: list[str]) -> None:
    lines = changes(plan_daemons(running, wanted))
    assert [" ".join(line.split()[:2]).replace("--", "").replace("-daemon", "") for line in lines] == done


OPEN = Pool({ONE: 0, TWO: 0}, is_up=False)


@pytest.mark.parametrize(
    ("there", "pool", "done"),
    [
        # What guards it has given back the weight.
        (BOTH, OPEN, []),
        (BOTH, Pool({ONE: 0, TWO: 3}, is_up=False), []),
        # It has not, and this is no drain: keepalived gave the 0.
        (SERVICE + real(ONE, "-g -w 0") + real(TWO), OPEN, ["-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 3"]),
        # keepalived takes it for one that is up, so somebody has drained it.
        (SERVICE + real(ONE, "-g -w 0") + real(TWO), Pool({ONE: 3, TWO: 0}, is_up=False), []),
        # As much as is wanted is up.
        (BOTH, Pool({ONE: 0, TWO: 3}), ["-e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 0"]),
    ],
)
def test_a_service_that_all_serve_while_too_few_are_up(there: str, pool: Pool, done: list[str]) -> None:
    table = save_parser.parse(there)
    assert changes(plan_watched(table, request(), Watch({KEY: pool}), {KEY}).plan) == done


def test_a_service_that_nobody_guards_is_as_keepalived_says() -> None:
    table = save_parser.parse(BOTH)
    done = [f"-e -t 10.0.0.1:80 -r {key} -g -w 0" for key in (ONE, TWO)]
    assert changes(plan_watched(table, request(), Watch({KEY: OPEN})).plan) == done
