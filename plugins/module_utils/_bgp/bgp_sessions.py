# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module bgp_sessions: withdraw a director from its routers for a while, and announce it again."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Callable, Collection, Iterable, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_info, graceful_shutdown
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import Route
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcements import routes_of
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import DISABLED, ESTABLISHED, sessions_of
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Service
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import (
    Change,
    Plan,
    Refused,
    carry_out,
    joined,
    one_by_one,
)

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
    "announced": bird_info.BGP,
    "graceful_shutdown": {"type": "int", "default": 0},
    "check_marks": {"type": "list", "elements": "int", "default": []},
    "timeout": {"type": "int", "default": 60},
    "on_timeout": {"type": "str", "choices": ["fail", "proceed"], "default": "fail"},
}
_PAUSE = 1.0
# The kernel sums counters up every two seconds.
_QUIET = 5.0


def ensure_sessions(module: AnsibleModule) -> dict[str, Any]:
    """What the module does."""
    params = module.params
    mistakes = Mistakes()
    if params["announced"] is not None:
        bird_info.read(params["announced"], "announced", mistakes)
    if params["timeout"] < 0:
        mistakes.add("timeout", f"{params['timeout']} is below 0")
    seconds, table = params["graceful_shutdown"], (params["announced"] or {}).get("table")
    mistakes.within("graceful_shutdown", seconds, graceful_shutdown.SECONDS, "a number of seconds")
    if seconds and table is None:
        mistakes.add("announced.table", "is missing: graceful_shutdown changes what that announces")
    mistakes.raise_if_any()
    sessions = _sessions()
    if not sessions:
        raise Refused("BIRD has no session of lvs.topology here. Run lvs.topology.site first.")
    plan = plan_sessions(sessions, enabled=params["state"] == "enabled")
    routes = [] if table is None else routes_of(table)
    before = {} if table is None else {"announced": {"table": table, "vips": _vips_of(routes)}}
    # Only sessions that go on tell routers anything.
    is_going = bool(seconds and plan.changes) and params["state"] == "disabled"
    leaving = routes if is_going else []
    returning = routes if params["state"] == "enabled" else []
    said = joined(graceful_shutdown.plan_farewell(leaving, seconds), graceful_shutdown.plan_return(returning))
    plan = joined(said, plan)
    with contextlib.nullcontext() if module.check_mode else graceful_shutdown.restored(leaving):
        result = {**carry_out(module, plan, one_by_one(_apply)), **before}
    if module.check_mode:
        return {**result, "missing": []}
    if params["state"] == "disabled":
        missing = _wait(params["timeout"], _still_sent(module))
    else:
        missing = _wait(params["timeout"], lambda: _not_announced(params["announced"]))
    if missing and params["on_timeout"] == "fail":
        raise Refused(
            f"After {params['timeout']} seconds: {'; '.join(missing)}.",
            facts={"changed": result["changed"], "applied": result["changes"], "missing": missing},
        )
    return {**result, "missing": missing}


def plan_sessions(sessions: Sequence[dict[str, str]], *, enabled: bool) -> Plan:
    """Those that are not as they shall be. A session that is enabled may be on its way up."""
    wrong = [each["name"] for each in sessions if (each["state"] == DISABLED) is enabled]
    word, before, after = ("enable", "down", "up") if enabled else ("disable", "up", "down")
    return Plan(
        tuple(Change(f"birdc {word} {name}", (word, name)) for name in wrong),
        tuple(f"{name} {before}" for name in wrong),
        tuple(f"{name} {after}" for name in wrong),
    )


def _sessions() -> list[dict[str, str]]:
    return sessions_of(_birdc("show", "protocols", "all"))


def _birdc(*words: str) -> str:
    birdc = _commands.find("birdc")
    if birdc is None:
        raise Refused("There is no birdc. Install the package bird2.")
    status, output, errors = _commands.run([birdc, *words])
    if status != 0:
        raise Refused(f"birdc {' '.join(words)} failed: {(errors or output).strip()}. See whether BIRD runs.")
    return output


def _apply(action: Any) -> None:
    if isinstance(action, (graceful_shutdown.Farewell, graceful_shutdown.Return, graceful_shutdown.Pause)):
        graceful_shutdown.apply(action)
    else:
        _birdc(*action)


def _wait(timeout: int, look: Callable[[], list[str]]) -> list[str]:
    """What is missing still when it is over, or time is."""
    deadline = time.monotonic() + timeout
    while True:
        missing = look()
        if not missing or time.monotonic() >= deadline:
            return missing
        time.sleep(_PAUSE)


def _still_sent(module: AnsibleModule) -> Callable[[], list[str]]:
    """Says whether routers sent something within the last seconds. Whoever counts nothing is waited for as long."""
    marks = frozenset(module.params["check_marks"])
    known = _packets(marks)
    since = time.monotonic()
    said = f"whether packets of clients still come shows only after {_QUIET:g} seconds"
    if known is None:
        module.warn("The kernel has no IPVS table, so whether packets still come is not known")

    def look() -> list[str]:
        nonlocal known, since, said
        now = _packets(marks)
        if now != known:
            known, since, said = now, time.monotonic(), "packets of clients still come"
        return [] if time.monotonic() - since >= _QUIET else [said]

    return look


def _packets(marks: Collection[int]) -> int | None:
    """How many packets of clients came to services of this host; None where that is not known."""
    with Ipvs(load_module=None) as kernel:
        return packets_of(kernel.services(counters=True), marks) if kernel.loaded else None


def packets_of(services: Iterable[Service], marks: Collection[int]) -> int:
    """The packets that came to these services, but for those of checks through a VIP, which have marks of their own."""
    return sum(each.counters.inpkts for each in services if each.counters and each.key.fwmark not in marks)


def _vips_of(routes: Iterable[Route]) -> list[str]:
    return list(dict.fromkeys(each.address.partition("/")[0] for each in routes))


def _not_announced(asked: dict[str, Any] | None) -> list[str]:
    """Which sessions are not up, and which VIPs are not announced."""
    missing = [
        f"no session with {each['neighbour']}, {each['error'] or each['state']}"
        for each in _sessions()
        if each["state"] != ESTABLISHED
    ]
    if asked is not None and asked["table"] is not None:
        there = _vips_of(routes_of(asked["table"]))
        missing += [f"{vip} is not announced" for vip in asked["vips"] if vip not in there]
    return missing
