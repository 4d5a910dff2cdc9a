# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes by which BGP knows what to announce: what is added, what goes, and when somebody waits."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan as plan
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._host.concerns import CONCERNS
from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import _asked, adding, taking_away
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

WEB = Route("198.51.100.1/32", 65616, 1819)
TLS = Route("198.51.100.1/32", 65979, 1819)
SIX = Route("2001:db8:100::1/128", 65616, 1819)
LINE = "blackhole 198.51.100.1/32 table 1819 proto static metric 65616"


def lines(made: Any) -> list[str]:
    return [each.line for each in made.changes]


def test_what_is_there_stays() -> None:
    assert lines(plan.plan_announcements([WEB, SIX], [WEB, SIX])) == []
    assert lines(plan.plan_withdrawals([WEB, SIX], [WEB, SIX])) == []


def test_what_is_new_is_announced() -> None:
    assert lines(plan.plan_announcements([SIX], [WEB, SIX])) == [f"ip route add {LINE}"]


def test_routers_are_waited_for_when_a_vip_is_withdrawn() -> None:
    assert lines(plan.plan_withdrawals([WEB], [])) == [f"ip route del {LINE}", "wait 1 s for routers"]


def test_nobody_waits_while_another_service_keeps_the_vip() -> None:
    assert lines(plan.plan_withdrawals([WEB, TLS], [TLS])) == [f"ip route del {LINE}"]


def test_a_route_of_somebody_in_our_table_goes() -> None:
    foreign = Route("203.0.113.9/32", 1, 1819)
    assert lines(plan.plan_withdrawals([WEB, foreign], [WEB]))[0].startswith("ip route del blackhole 203.0.113.9/32")


@pytest.mark.parametrize(
    ("shown", "family", "text"),
    [
        ({"dst": "198.51.100.1"}, 4, "blackhole 198.51.100.1/32 table 1819 proto boot metric 0"),
        (
            {"dst": "default", "protocol": "kernel", "metric": 7},
            4,
            "blackhole 0.0.0.0/0 table 1819 proto kernel metric 7",
        ),
        ({"dst": "default", "metric": 1024}, 6, "blackhole ::/0 table 1819 proto boot metric 1024"),
        ({"dst": "10.0.0.0/8", "protocol": "186"}, 4, "blackhole 10.0.0.0/8 table 1819 proto 186 metric 0"),
    ],
)
def test_a_route_of_somebody_is_read_as_it_is_and_goes(shown: dict[str, Any], family: int, text: str) -> None:
    found = plan.route_of({"type": "blackhole", **shown}, family, 1819)
    assert str(found) == text
    assert plan.plan_withdrawals([found], []).changes[0].action == plan.DeleteRoute(found)


GOING = WEB._replace(kind=plan.GOING)


def test_what_a_graceful_shutdown_that_was_killed_has_left_is_announced_as_usual() -> None:
    made = plan.plan_announcements([GOING], [WEB])
    assert lines(made) == [f"ip route change {LINE}"]
    assert (made.before, made.after) == ((f"route {GOING}",), (f"route {WEB}",))
    assert made.changes[0].action == plan.AddRoute(WEB)
    # It is not withdrawn for that: routers would send elsewhere.
    assert lines(plan.plan_withdrawals([GOING], [WEB])) == []
    assert lines(plan.plan_checked([GOING], {WEB: "web"}, {"web": True})) == [f"ip route change {LINE}"]
    assert lines(plan.plan_checked([GOING], {WEB: "web"}, {})) == []


def test_what_a_graceful_shutdown_that_was_killed_has_left_is_withdrawn_as_it_is() -> None:
    expected = [f"ip route del {LINE.replace('blackhole', 'prohibit')}", "wait 1 s for routers"]
    assert lines(plan.plan_withdrawals([GOING], [])) == expected
    assert lines(plan.plan_checked([GOING], {WEB: "web"}, {"web": False})) == expected
    assert lines(plan.plan_withdrawals([GOING, TLS], [TLS])) == expected[:1]


def test_an_old_table_is_emptied() -> None:
    old = WEB._replace(table=100)
    assert lines(plan.plan_withdrawals([old, WEB], [WEB])) == [f"ip route del {old}"]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({"address": "198.51.100.1", "metric": 1}, "routes[0].address"),
        ({"address": "198.51.100.0/24", "metric": 1}, "routes[0].address"),
        ({"address": "router/32", "metric": 1}, "routes[0].address"),
        ({"address": "127.0.0.1/32", "metric": 1}, "routes[0].address"),
        ({"address": "198.51.100.1/32", "metric": 0}, "routes[0].metric"),
        ({"address": "198.51.100.1/32", "metric": 2**32}, "routes[0].metric"),
    ],
)
def test_what_is_no_route_is_refused(route: dict[str, Any], said: str) -> None:
    mistakes = Mistakes()
    plan.check({"table": 1819, "routes": [{"service": None, **route}]}, mistakes, "")
    with pytest.raises(BadRequest) as refused:
        mistakes.raise_if_any()
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("current", "up", "expected"),
    [
        # Already up when keepalived read its new commands: another table, one address more of a mark, or none before.
        ([], {"web": True}, [f"ip route add {LINE}"]),
        # It is up, and all is there.
        ([WEB], {"web": True}, []),
        # It went down while another configuration said how to withdraw it.
        ([WEB], {"web": False}, [f"ip route del {LINE}", "wait 1 s for routers"]),
        ([], {"web": False}, []),
        # keepalived does not know the service yet, and announces it by itself.
        ([], {}, []),
        ([WEB], {}, []),
    ],
)
def test_what_has_its_quorum_is_announced(current: list[Route], up: dict[str, bool], expected: list[str]) -> None:
    assert lines(plan.plan_checked(current, {WEB: "web", SIX: None}, up)) == expected


def test_keepalived_withdraws_before_its_table_goes_and_when_it_is_killed() -> None:
    text = plan.drop_in([1819]).text
    assert text.count("ExecStop=-/sbin/ip -4 route flush table 1819") == 1
    assert text.index("ExecStop=-/bin/sleep") > text.index("ExecStop=-/sbin/ip -6 route flush table 1819")
    assert text.count("ExecStopPost=") == 2
    # systemd reads drop-ins in the order of their names: what moves VIPs ends keepalived.
    assert sorted(["lvs-topology.conf", plan.DROP_IN.rpartition("/")[2]])[0] == plan.DROP_IN.rpartition("/")[2]


def test_the_ledger_knows_the_table() -> None:
    ledger = plan.claimed(Ledger(), "director", 1819)
    assert plan.tables_of(ledger, "director") == [1819]
    assert plan.tables_of(plan.released(ledger, "director", 1819), "director") == []


def test_withdrawals_come_before_the_table_and_announcements_after_it() -> None:
    wanted = {"announcements": {"table": 1819, "routes": []}, "services": [], "manager": "kernel"}
    asked = _asked([*CONCERNS], wanted, [])
    order = [each.concern for each in adding(asked, wanted, "director", purge=True)]
    assert order.index("withdrawals") < order.index("services") < order.index("announcements") < order.index("boot")
    gone = [each.concern for each in taking_away(_asked([*CONCERNS], {}, ["announcements", "services"]), "director")]
    assert gone.index("announcements") < gone.index("services")
