# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 8326: have routers prefer other ways while a director still takes packets, before its sessions end.

BIRD adds the community 65535:0 to a VIP whose first route in the announcing table is of the type prohibit.
"""

from __future__ import annotations

import contextlib
import signal
import time
from typing import Any, Iterator, NamedTuple, NoReturn, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import GOING, Route
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused

# What ip says of a route that was withdrawn meanwhile, for IPv4 and IPv6.
_GONE = ("No such file or directory", "No such process")
# By which a module ends whose operator has gone, or that somebody ends. Python would end without putting anything back.
_ENDS = (signal.SIGHUP, signal.SIGTERM)
# How long routers may take to choose. What takes longer is no farewell.
SECONDS = forms.Range(0, 600)


class Farewell(NamedTuple):
    """The VIP of a route is announced with the community from now on."""

    route: Route


class Return(NamedTuple):
    """The VIP of a route is announced without the community again."""

    route: Route


class Pause(NamedTuple):
    """Routers choose another way meanwhile."""

    seconds: int


def plan_farewell(routes: Sequence[Route], seconds: int) -> Plan:
    """Announce what is announced as what will soon be gone, and give routers the time to choose another way."""
    if not routes or not seconds:
        return Plan()
    told = [Change(f"ip route change {_going(each)}", Farewell(each)) for each in routes if each.kind != GOING]
    return Plan((*told, Change(f"wait {seconds} s for routers", Pause(seconds))))


def plan_return(routes: Sequence[Route]) -> Plan:
    """Announce without the community what one that was killed has left: nobody can put anything back after SIGKILL."""
    left = [each for each in routes if each.kind == GOING]
    return Plan(tuple(Change(f"ip route change {each.settled}", Return(each)) for each in left))


def _going(route: Route) -> Route:
    """The route of the type that says that the VIP will soon be gone."""
    return route._replace(kind=GOING)


def apply(action: Farewell | Return | Pause) -> None:
    """Do what the plan says."""
    if isinstance(action, Pause):
        time.sleep(action.seconds)
    else:
        _change(_going(action.route) if isinstance(action, Farewell) else action.route.settled)


@contextlib.contextmanager
def restored(routes: Sequence[Route]) -> Iterator[None]:
    """However the body ends, routes are of the type that announces without the community afterwards.

    Each of them is tried: what keeps one from being put back need not keep others from it.
    """
    heard = [each for each in _ENDS if routes and signal.getsignal(each) not in (signal.SIG_IGN, None)]

    def end(number: int, _frame: Any) -> NoReturn:
        # Several may come at once, as at the end of a session, and an error for the second one would end the putting
        # back. Of Python's, because what is pending already has to find somebody to call.
        for each in heard:
            signal.signal(each, _pass)
        raise Refused(f"The task was ended by {signal.Signals(number).name}.")

    before = [(each, signal.signal(each, end)) for each in heard]
    try:
        try:
            yield
        finally:
            # Where the first one comes in this very moment, its error ends the inner block alone.
            _ignore(heard)
    finally:
        # The commands that put back are to live, too.
        _ignore(heard)
        try:
            _put_back(routes)
        finally:
            for each, handler in before:
                signal.signal(each, handler)


def _ignore(heard: Sequence[signal.Signals]) -> None:
    for each in heard:
        signal.signal(each, signal.SIG_IGN)


def _pass(_number: int, _frame: Any) -> None:
    """What comes after the first one changes nothing."""


def _put_back(routes: Sequence[Route]) -> None:
    problems = []
    for route in routes:
        try:
            _change(route.settled)
        except Refused as problem:
            problems.append(str(problem))
    if problems:
        raise Refused(" ".join(problems))


def _change(route: Route) -> None:
    """Change a route that is there. One that keepalived has withdrawn meanwhile stays away."""
    words = ["route", "change", *str(route).split()]
    status, _output, errors = _commands.run([_commands.find("ip") or "ip", *words])
    if status != 0 and not any(each in errors for each in _GONE):
        raise Refused(f"ip {' '.join(words)} failed: {errors.strip()}.")
