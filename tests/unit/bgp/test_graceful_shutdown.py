# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done before the sessions of a director end, and what is put back however that ends."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp import graceful_shutdown
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import GOING, Route
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

FOUR, SIX = Route("198.51.100.1/32", 65616, 1819), Route("2001:db8:100::1/128", 65616, 1819)
TO_FOUR = "198.51.100.1/32 table 1819 proto static metric 65616"
TO_SIX = "2001:db8:100::1/128 table 1819 proto static metric 65616"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that are called. Of IPv6's route, ip says what ``ANSWERS`` has."""
    found: list[str] = []

    def run(words: list[str]) -> tuple[int, str, str]:
        found.append(" ".join(words))
        return (2, "", f"RTNETLINK answers: {ANSWERS[-1]}\n") if ":" in found[-1] and ANSWERS else (0, "", "")

    commands = SimpleNamespace(find=lambda _name: "ip", run=run)
    monkeypatch.setattr(graceful_shutdown, "_commands", commands)
    ANSWERS.clear()
    return found


ANSWERS: list[str] = []


def test_what_is_announced_is_announced_as_going_and_routers_get_time() -> None:
    plan = graceful_shutdown.plan_farewell([FOUR, SIX], 5)
    assert [change.line for change in plan.changes] == [
        f"ip route change prohibit {TO_FOUR}",
        f"ip route change prohibit {TO_SIX}",
        "wait 5 s for routers",
    ]


@pytest.mark.parametrize(("routes", "seconds"), [([], 5), ([FOUR], 0)])
def test_nobody_waits_in_vain(routes: list[Route], seconds: int) -> None:
    assert graceful_shutdown.plan_farewell(routes, seconds).changes == ()


def end_otherwise() -> None:
    """As where BIRD refuses to disable a session."""
    with graceful_shutdown.restored([FOUR, SIX]):
        for change in graceful_shutdown.plan_farewell([FOUR, SIX], 5).changes[:2]:
            graceful_shutdown.apply(change.action)
        raise ZeroDivisionError


def test_routes_are_put_back_however_the_sessions_end(called: list[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        end_otherwise()
    assert called == [f"ip route change {kind} {to}" for kind in ("prohibit", "blackhole") for to in (TO_FOUR, TO_SIX)]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_routes_are_put_back_where_the_operator_has_gone(called: list[str], number: signal.Signals) -> None:
    """Without a handler, these would end the process, and that of the tests with it."""
    before = signal.signal(number, lambda *_: pytest.fail("what ends the task came to nobody"))
    try:
        with pytest.raises(Refused, match=rf"ended by {number.name}"), graceful_shutdown.restored([FOUR]):
            os.kill(os.getpid(), number)
        assert called == [f"ip route change blackhole {TO_FOUR}"]
        with graceful_shutdown.restored([]):
            assert signal.getsignal(number).__name__ == "<lambda>"
    finally:
        signal.signal(number, before)


def test_several_signals_at_once_do_not_end_the_putting_back(called: list[str]) -> None:
    """systemd sends both of them to what is left of a session."""
    both = (signal.SIGHUP, signal.SIGTERM)
    before = [signal.signal(each, lambda *_: pytest.fail("what ends the task came to nobody")) for each in both]
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, both)
        for each in both:
            os.kill(os.getpid(), each)
        with pytest.raises(Refused, match="ended by SIG"), graceful_shutdown.restored([FOUR, SIX]):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
        assert called == [f"ip route change blackhole {to}" for to in (TO_FOUR, TO_SIX)]
    finally:
        for each, handler in zip(both, before):
            assert signal.signal(each, handler).__name__ == "<lambda>"


def test_a_signal_at_the_very_end_does_not_keep_routes_from_being_put_back(
    called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("what ends the task came to nobody"))
    ignore = graceful_shutdown._ignore
    calls: list[Any] = []

    def late(heard: Any) -> None:
        calls.append(heard)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        ignore(heard)

    monkeypatch.setattr(graceful_shutdown, "_ignore", late)
    try:
        with pytest.raises(Refused, match="ended by SIGTERM"), graceful_shutdown.restored([FOUR]):
            pass
        assert called == [f"ip route change blackhole {TO_FOUR}"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_one_that_was_killed_has_left_is_put_back_when_the_director_is_announced_again(called: list[str]) -> None:
    plan = graceful_shutdown.plan_return([FOUR, SIX._replace(kind=GOING)])
    assert [change.line for change in plan.changes] == [f"ip route change blackhole {TO_SIX}"]
    graceful_shutdown.apply(plan.changes[0].action)
    assert called == [f"ip route change blackhole {TO_SIX}"]


def test_what_is_announced_as_going_already_is_not_changed_and_put_back_all_the_same(called: list[str]) -> None:
    left = FOUR._replace(kind=GOING)
    assert [change.line for change in graceful_shutdown.plan_farewell([left], 5).changes] == ["wait 5 s for routers"]
    with graceful_shutdown.restored([left]):
        pass
    assert called == [f"ip route change blackhole {TO_FOUR}"]


def test_one_that_cannot_be_put_back_keeps_no_other_from_it(called: list[str]) -> None:
    ANSWERS.append("Operation not permitted")
    with pytest.raises(Refused, match=r"change blackhole 2001.* not permitted"), graceful_shutdown.restored(
        [SIX, FOUR]
    ):
        pass
    assert called == [f"ip route change blackhole {to}" for to in (TO_SIX, TO_FOUR)]


@pytest.mark.parametrize("answer", ["No such file or directory", "No such process"])
def test_one_that_was_withdrawn_meanwhile_stays_away(called: list[str], answer: str) -> None:
    ANSWERS.append(answer)
    with graceful_shutdown.restored([FOUR, SIX]):
        pass
    assert len(called) == 2


def test_what_else_ip_says_is_told(called: list[str]) -> None:
    ANSWERS.append("Operation not permitted")
    with pytest.raises(Refused, match=r"ip route change prohibit 2001.* failed: RTNETLINK answers: Operation not"):
        graceful_shutdown.apply(graceful_shutdown.Farewell(SIX))
    assert called
