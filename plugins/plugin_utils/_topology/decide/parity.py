# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services are called in answers, and where a pair differs: what only one knows is lost when the other takes over.

Compared is what the kernels have, as the module ipvs_info returns it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

Info = Mapping[str, Any]
# What counts and measures differs by itself.
_OF_SERVICE = ("scheduler", "scheduler_flags", "one_packet", "persistence")
_OF_REAL_SERVER = ("forward", "weight", "upper_threshold", "lower_threshold", "tunnel")
_OF_DAEMON = ("syncid", "group", "port")
_BY_HEALTH = " (each director's health checks decide for themselves)"


def differences(infos: Mapping[str, Info]) -> list[str]:
    """Every difference between directors that serve the same VIPs, a line each. Empty: they have the same."""
    return [*_services(infos), *_timeouts(infos), *_daemons(infos)]


def _services(infos: Mapping[str, Info]) -> Iterator[str]:
    tables = {director: {service_name(each): each for each in info["services"]} for director, info in infos.items()}
    for name in _every(tables.values()):
        there = {director: table[name] for director, table in tables.items() if name in table}
        yield from _missing(name, there, tables)
        yield from _values(name, there, _OF_SERVICE)
        pools = {
            director: {endpoint(each): each for each in service["real_servers"]} for director, service in there.items()
        }
        for member in _every(pools.values()):
            listed = {director: pool[member] for director, pool in pools.items() if member in pool}
            label = f"{name}, real server {member}"
            yield from _missing(label, listed, pools, _BY_HEALTH)
            yield from _values(label, listed, _OF_REAL_SERVER, {"weight": _BY_HEALTH})


def _timeouts(infos: Mapping[str, Info]) -> Iterator[str]:
    known = {director: info["timeouts"] or {} for director, info in infos.items()}
    yield from _values("timeout", known, _every(known.values()))


def _daemons(infos: Mapping[str, Info]) -> Iterator[str]:
    running = {director: info["daemons"] for director, info in infos.items() if info["daemons"]}
    if running:
        yield from _missing("synchronisation daemon", running, infos)
        first = {director: daemons[0] for director, daemons in running.items()}
        yield from _values("synchronisation daemon", first, _OF_DAEMON)


def service_name(service: Mapping[str, Any]) -> str:
    """What a service of ipvs_info, or of a plan, is called in a message."""
    if "fwmark" in service:
        return f"firewall mark {service['fwmark']} ({service['family']})"
    return f"{service['protocol']} {endpoint(service)}"


def endpoint(thing: Mapping[str, Any]) -> str:
    # Whoever wrote it: the kernel spells some addresses otherwise than Python does.
    address = forms.canonical_address(thing["address"])
    return f"[{address}]:{thing['port']}" if ":" in address else f"{address}:{thing['port']}"


def _every(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _missing(label: str, there: Mapping[str, Any], directors: Iterable[str], why: str = "") -> Iterator[str]:
    missing = [director for director in directors if director not in there]
    if missing:
        yield f"{label}: is on {', '.join(there)}, and not on {', '.join(missing)}{why}"


def _values(
    label: str, things: Mapping[str, Mapping[str, Any]], keys: Iterable[str], why: Mapping[str, str] | None = None
) -> Iterator[str]:
    for key in keys:
        values = {director: thing.get(key) for director, thing in things.items()}
        if len({repr(value) for value in values.values()}) > 1:
            words = ", ".join(f"{value} on {director}" for director, value in values.items())
            yield f"{label}: {key} is {words}{(why or {}).get(key, '')}"
