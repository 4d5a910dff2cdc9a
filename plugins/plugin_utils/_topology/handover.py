# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How addresses and table go from the kernel's own to keepalived, and back: what a director does in it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._forms import KEEPALIVED, KERNEL
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping, names


@dataclass(frozen=True)
class Found:
    """What preflight has found on a director before anything was changed."""

    managed_by: tuple[str, ...]
    runs: bool
    holds: tuple[str, ...]
    is_in_place: bool
    # Files that earlier runs have written beside the configuration, and that it does not need.
    left_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What the plan of the role keepalived says; of a director that is absent there is none."""

    is_configured: bool
    # The seconds between two adverts of each instance.
    adverts: tuple[float, ...]
    partners: tuple[str, ...]

    @property
    def has_instances(self) -> bool:
        return bool(self.adverts)


def handover_of(
    hostvars: Any, host: Any, hosts: Any, plan: Any = None, director: Any = None, state: str = "present"
) -> dict[str, Any]:
    """The steps of one director. ``director`` is what preflight has found of its other roles, where it was asked."""
    run = names(hosts, "hosts")
    variables = mapping(hostvars, "hostvars")
    seen = {name: found for name in run if (found := _found(variables.get(name))) is not None}
    services = _dig(evaluated(director, "director"), "parts", "director", "planned", "services")
    wanted = None if plan is None else _wanted(mapping(plan, "plan"))
    return steps(host, run, seen, wanted, is_absent=state == "absent", has_services=services != 0)


def steps(
    host: str,
    run: Iterable[str],
    seen: Mapping[str, Found],
    wanted: Wanted | None,
    *,
    is_absent: bool,
    has_services: bool,
) -> dict[str, Any]:
    """What a director does, by what all directors of the run said."""
    own = seen.get(host, Found((), runs=False, holds=(), is_in_place=False))
    # Those that share its VIPs. Of others, such as a pair that has keepalived already, nobody is master of these. Where
    # none is known to share them, all count.
    partners = wanted.partners if wanted else ()
    near = {name: each for name, each in seen.items() if name == host or name in partners} if partners else seen
    is_anywhere = any(each.runs for each in near.values())
    # keepalived is master first where the addresses are now. Where it runs on any of them already, there is a master.
    holders = [name for name, each in near.items() if KERNEL in each.managed_by]
    first = "" if is_anywhere or not holders else holders[0]
    has_it = wanted is not None and wanted.is_configured
    # A checker has no VRRP, and the addresses are the director's.
    moves = wanted is not None and wanted.has_instances
    is_taken_from_kernel = KERNEL in own.managed_by
    # keepalived moved addresses so far, and the director goes on with what it held.
    stays_still = has_it and not moves and bool(own.holds)
    # Nobody knows which VIPs directors hold that were not asked. A keepalived of ours that goes on changes nothing.
    begins = moves and not (own.runs and KEEPALIVED in own.managed_by)
    return {
        "moves": moves,
        "holders": holders if moves and first and len(holders) > 1 else [],
        "unseen": [each for each in wanted.partners if each not in run] if wanted and begins else [],
        "is_first": moves and host == first,
        "stays_still": stays_still,
        # Either it has no services any more, or it leaves other directors, which its last adverts tell.
        "gives_up": is_anywhere if is_absent else wanted is not None and not has_it and not has_services,
        "ends": is_absent or (wanted is not None and not has_it) or stays_still,
        "takes_over": has_it and is_taken_from_kernel and not own.runs,
        # The check has seen that keepalived runs with this very configuration, and nothing was taken over since.
        "configures": has_it and not (own.is_in_place and own.runs and not is_taken_from_kernel),
        # Of those that are new, the first becomes master. Those that run read anew at once: a master and a backup that
        # do not agree any more, on the password for instance, are both masters after three adverts.
        "throttle": 0 if all(each.runs for each in seen.values()) else 1,
        # keepalived has read the configuration that does not need them by the time at which they go.
        "left_over": list(own.left_over),
        # Three adverts that do not come, and what a lower priority waits in addition.
        "agrees_in": math.ceil(4 * max(wanted.adverts)) if wanted and wanted.adverts else 0,
        "forgets": has_it and (is_taken_from_kernel or stays_still),
    }


def _found(variables: Any) -> Found | None:
    """What preflight found there; None where it was not asked, or failed."""
    part = _dig(variables, "__keepalived_checked", "parts", "keepalived")
    if not isinstance(part, Mapping):
        return None
    lists = ("managed_by", "keepalived_holds", "keepalived_left_over")
    managed_by, holds, left_over = (tuple(evaluated(part.get(key), key) or ()) for key in lists)
    runs, is_in_place = (bool(part.get(key)) for key in ("keepalived_runs", "keepalived_in_place"))
    return Found(managed_by, runs, holds, is_in_place, left_over)


def _wanted(plan: Mapping[str, Any]) -> Wanted:
    configuration = plan.get("keepalived") or {}
    adverts = tuple(each["advert_int"] for each in configuration.get("instances") or ())
    return Wanted(bool(configuration), adverts, tuple(plan.get("partners") or ()))


def _dig(value: Any, *keys: str) -> Any:
    """What is below the keys; None where any of them is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
