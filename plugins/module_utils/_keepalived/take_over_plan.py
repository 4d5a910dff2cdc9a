# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending others who fill the table, so that the table stays; and what a reload does not keep of VRRP. Pure."""

from __future__ import annotations

import contextlib
import re
from typing import Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan
from ansible_collections.lvs.topology.plugins.module_utils._traces import TAKEN_KIND, TAKEN_UNIT

# A line may be one host's alone (@NAME), or everybody's but one host's (@^NAME).
_INSTANCE = re.compile(r"^[ \t]*(?:@(\^?)(\S*)[ \t]+)?vrrp_instance[ \t]+\"?((?:\$\{\w+\}|[^\s\"{#!])+)", re.MULTILINE)
_DEFINITION = re.compile(r"^[ \t]*\$(\w+)[ \t]*=[ \t]*([^\s#!]*)", re.MULTILINE)
_USE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_IN_ADVERTS = re.compile(r"^[ \t]*virtual_ipaddress[ \t]*\{((?:\$\{\w+\}|[^}])*)\}", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*include\w*[ \t]+\"?([^\s\"#!]+)", re.MULTILINE)


class Unit(NamedTuple):
    """A unit of somebody who fills the table. ``empties``: its end takes the table away, so it is killed."""

    name: str
    enabled: bool = False
    active: bool = False
    empties: bool = False


class Outcome(NamedTuple):
    """The plan, and the ledger before and after it."""

    plan: Plan
    claimed: Ledger
    settled: Ledger


def plan_ended(ledger: Ledger, owner: str, units: Sequence[Unit]) -> Outcome:
    """Have none of them start at boot. One that only loads the table is not stopped, because its end flushes it."""
    claimed, changes, before, after = ledger, [], [], []
    for unit in units:
        steps: list[tuple[str, ...]] = [("disable", unit.name)] if unit.enabled else []
        is_killed = unit.empties and unit.active
        if is_killed:
            # First, so that nothing of it sees the others go.
            steps += [("kill", "--signal=KILL", unit.name), ("reset-failed", unit.name)]
        if not steps:
            continue
        claimed = claimed.claim(
            TAKEN_KIND, f"{TAKEN_UNIT}{unit.name}", owner, {"enabled": unit.enabled, "active": unit.active}
        )
        changes += [change for words in steps for change in systemctl(*words).changes]
        before.append(_state(unit.name, unit.enabled, unit.active))
        after.append(_state(unit.name, False, unit.active and not is_killed))
    return Outcome(Plan(tuple(changes), tuple(before), tuple(after)), claimed, claimed)


def units_of(ledger: Ledger, owner: str) -> list[str]:
    """The units that an earlier run has ended."""
    return [key[len(TAKEN_UNIT) :] for key in ledger.owned(TAKEN_KIND, owner) if key.startswith(TAKEN_UNIT)]


def plan_given_back(ledger: Ledger, owner: str, units: Sequence[Unit]) -> tuple[Plan, Ledger]:
    """Have each of them as it was. ``units`` are those that are claimed, as they are now.

    The ledger is the one that counts afterwards.
    """
    settled, changes, before, after = ledger, [], [], []
    for unit in units:
        settled, last, was = settled.release(TAKEN_KIND, f"{TAKEN_UNIT}{unit.name}", owner)
        if not last or was is None:
            continue
        steps = [("enable", unit.name)] if was["enabled"] and not unit.enabled else []
        steps += [("start", unit.name)] if was["active"] and not unit.active else []
        if steps:
            changes += [change for words in steps for change in systemctl(*words).changes]
            before.append(_state(unit.name, unit.enabled, unit.active))
            after.append(_state(unit.name, unit.enabled or was["enabled"], unit.active or was["active"]))
    return Plan(tuple(changes), tuple(before), tuple(after)), settled


def instances_of(text: str, host: str = "") -> dict[str, frozenset[str] | None]:
    """The VRRP instances that a host has by a configuration of anybody's, with what their adverts name.

    None: that cannot be told from the text.
    """
    known = dict(_DEFINITION.findall(text))
    found: dict[str, frozenset[str] | None] = {}
    matches = [*_INSTANCE.finditer(text)]
    for match, end in zip(matches, [*(each.start() for each in matches[1:]), len(text)]):
        but, named, name = match.groups()
        if named is None or (named == host.partition(".")[0]) != bool(but):
            block = _IN_ADVERTS.search(text, match.end(), end)
            lines = [re.split(r"[#!]", each, maxsplit=1)[0] for each in (block[1] if block else "").splitlines()]
            named_here = {_address(_filled(each, known)) for each in lines if each.strip()}
            found[_filled(name, known)] = None if None in named_here else frozenset(filter(None, named_here))
    return found


def _filled(text: str, known: Mapping[str, str]) -> str:
    """The text with what its definitions stand for."""
    return _USE.sub(lambda match: known.get(match[1] or match[2], match[0]), text)


def _address(line: str) -> str | None:
    with contextlib.suppress(forms.BadForm):
        return forms.spelling(forms.address(line.split(maxsplit=1)[0].partition("/")[0]))
    return None


def includes_of(text: str) -> list[str]:
    """What a configuration includes, as it is written there."""
    return _INCLUDE.findall(text)


def lost_instances(before: str, after: str, host: str = "") -> list[str]:
    """The instances that keepalived has and would not have: a reload takes the addresses of these away at once.

    Whatever carries them then is new to keepalived, and waits for adverts first.
    """
    kept = instances_of(after)
    return [name for name in instances_of(before, host) if name not in kept]


def deaf_text(before: str, after: str, host: str = "") -> str:
    """What it means where adverts are going to name other addresses than they do; empty: they name the same."""
    new = instances_of(after)
    changed = [
        f"{name} name {_listed(named)} so far, and would name {_listed(new[name])}"
        for name, named in instances_of(before, host).items()
        if name in new and new[name] != named
    ]
    return (
        f"the adverts of vrrp_instance {', and of '.join(changed)}: until the last director has read its new "
        "configuration, directors do not hear each other, and after three adverts both are master. Where it may "
        "take as long, list the addresses as in_adverts of lvs_vrrp, or of its instance (adopt writes them)"
        if changed
        else ""
    )


def _listed(addresses: frozenset[str] | None) -> str:
    return "what cannot be told here" if addresses is None else ", ".join(sorted(addresses)) or "nothing"


def lost_text(names: Sequence[str], after: str) -> str:
    """What the loss of these instances means, and what keeps them."""
    new = ", ".join(instances_of(after)) or "none"
    return (
        f"keepalived has vrrp_instance {', '.join(names)} by a configuration of somebody else's, and would have {new}: "
        "it would take the addresses away for some seconds, until the new ones have waited for adverts. Give them "
        "their names (name in lvs_vrrp, or in each of its instances; lvs.topology.adopt writes them)."
    )


def _state(name: str, enabled: bool, active: bool) -> str:
    return f"{name}: {'enabled' if enabled else 'disabled'}, {'active' if active else 'inactive'}"
