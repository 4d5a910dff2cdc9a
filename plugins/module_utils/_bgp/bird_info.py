# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of BGP: whether BIRD runs, its sessions, what is announced, and which ways lead to a VIP."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_plan
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcement_plan import ANNOUNCED, TABLES
from ansible_collections.lvs.topology.plugins.module_utils._bgp.announcements import routes_of, routes_shown
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import NO_ROUTE, sessions_of
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon import Daemon
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

BGP: dict[str, Any] = {
    "type": "dict",
    "options": {
        "table": {"type": "int"},
        "vips": {"type": "list", "elements": "str", "default": []},
        "aggregates": {"type": "list", "elements": "str", "default": []},
    },
}


def read(asked: Mapping[str, Any], path: str, mistakes: Mistakes) -> None:
    """Refuse what is no question."""
    if asked["table"] is not None:
        mistakes.within(f"{path}.table", asked["table"], TABLES, "the number of a routing table")
    for position, each in enumerate(asked["vips"]):
        mistakes.address(f"{path}.vips[{position}]", each, forms.VIP)
    for position, each in enumerate(asked["aggregates"]):
        mistakes.form(f"{path}.aggregates[{position}]", each, forms.prefix)


def look(asked: Mapping[str, Any], unseen: list[str]) -> dict[str, Any]:
    """What is found; what could not be looked at joins ``unseen``."""
    unit = Daemon(bird_plan.UNIT).unit()
    state = None if unit is None else {"active": unit.active, "enabled": unit.enabled, "failed": unit.failed}
    runs = unit is None or unit.active
    announced, ways = routes_seen(asked, unseen)
    return {
        "unit": state,
        "sessions": _sessions(unseen) if runs else [],
        "announced": announced,
        "aggregates": _aggregates(asked, unseen) if runs else [],
        "ways": ways,
    }


def routes_seen(asked: Mapping[str, Any], unseen: list[str]) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """The routes by which VIPs are announced, and by VIP or prefix the gateways of the ways that lead to it."""
    announced: list[dict[str, Any]] = []
    ways: dict[str, list[str]] = {}
    try:
        if asked["table"] is not None:
            # Routers prefer others to a director that is going, so nobody is to count on it. That it is, a plan says.
            routes = (each for each in routes_of(asked["table"]) if each.kind == ANNOUNCED)
            announced = [{key: value for key, value in each._asdict().items() if key != "kind"} for each in routes]
        of_router = asked["aggregates"] if asked["table"] is None else ()
        ways = {each: _ways(each) for each in (*asked["vips"], *of_router)}
    except Refused as problem:
        unseen.append(f"the routes of VIPs: {problem}")
    return announced, ways


def _sessions(unseen: list[str]) -> list[dict[str, str]] | None:
    birdc = _commands.find("birdc")
    if birdc is None:
        unseen.append("the sessions of BIRD: there is no birdc")
        return None
    status, output, errors = _commands.run([birdc, "-r", "show", "protocols", "all"])
    if status != 0:
        unseen.append(f"the sessions of BIRD: birdc says: {(errors or output).strip()}")
        return None
    return sessions_of(output)


def _aggregates(asked: Mapping[str, Any], unseen: list[str]) -> list[str] | None:
    """Of the prefixes of a director, those that its BIRD announces by a VIP in them; None: not known."""
    prefixes = [] if asked["table"] is None else asked["aggregates"]
    birdc = _commands.find("birdc")
    if birdc is None or not prefixes:
        return None if prefixes else []
    found = []
    for prefix in prefixes:
        table = f"lvs{6 if ':' in prefix else 4}"
        status, output, errors = _commands.run([birdc, "-r", "show", "route", prefix, "table", table])
        if status == 0:
            found.append(prefix)
        elif NO_ROUTE not in output:
            unseen.append(f"whether BIRD announces {prefix}: birdc says: {(errors or output).strip()}")
            return None
    return found


def _ways(to: str) -> list[str]:
    """The gateways of the route to a VIP, or to the whole of a prefix."""
    family = "-6" if ":" in to else "-4"
    command = [_commands.find("ip") or "ip", family, "-json", "route", "show", to]
    status, output, errors = _commands.run(command)
    if status != 0:
        raise Refused(f"{' '.join(command)} failed: {errors.strip()}.")
    found = []
    for route in routes_shown(command, output):
        hops = route.get("nexthops") or [route]
        found += [each["gateway"] for each in hops if "gateway" in each]
    return found
