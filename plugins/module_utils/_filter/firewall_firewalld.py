# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes firewalld: rich rules in its zones, and packets that it shall not take for INVALID. Pure.

Both have a priority of ours, by which they are known: neither has a comment or a name. Rules of operators come before.
They are set as firewalld keeps them and as they are now, each by itself, so that nothing is reloaded.
"""

from __future__ import annotations

import shlex
from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_chains, firewall_words
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

PRIORITY = 8848
# What becomes of packets in a zone that refuses all that no rule of it lets pass.
_REFUSE = ("DROP", "%%REJECT%%", "REJECT")
# What changes firewalld's rules as it keeps them, and as they are now; and where it does not run.
SCOPES: Mapping[str, tuple[str, ...]] = {"permanent": ("firewall-cmd", "--permanent"), "now": ("firewall-cmd",)}
OFFLINE: Mapping[str, tuple[str, ...]] = {"permanent": ("firewall-offline-cmd",)}
# Zones that somebody has changed, and direct rules.
FILES = ("/etc/firewalld/zones/*.xml", "/etc/firewalld/direct.xml")


class Rules(NamedTuple):
    """What is ours in one scope: rich rules by zone, and direct rules."""

    rich: Mapping[str, frozenset[str]]
    direct: frozenset[str]


NOTHING = Rules({}, frozenset())


def zones(listed: str, default: str) -> list[str]:
    """The zones by which packets come that are to pass, from what --list-all-zones and --get-default-zone print.

    One that is there to refuse some sources, such as `drop` with a few networks, goes on to do so.
    """
    found = {default.strip()}
    for name, lines in _by_zone(listed):
        said = dict(line.strip().partition(": ")[::2] for line in lines if line.startswith("  "))
        refuses = said.get("target") in _REFUSE
        if said.get("interfaces") or (said.get("sources") and not refuses):
            found.add(name)
    return sorted(found - {""})


def _by_zone(listed: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of each zone. Behind a name may stand what the zone is."""
    name = ""
    lines: list[str] = []
    for line in [*listed.splitlines(), "."]:
        if not line[:1].strip():
            lines.append(line)
            continue
        if name:
            yield name, lines
        name, lines = line.split()[0], []


def has_ours(text: str) -> bool:
    """Whether a file of firewalld has a rule of ours."""
    return f'priority="{PRIORITY}"' in text


def ours_of_zones(listed: str) -> dict[str, frozenset[str]]:
    """Our rich rules by zone, from what --list-all-zones prints."""
    found = {
        name: frozenset(
            line.strip() for line in lines if line.startswith("\trule ") and f' priority="{PRIORITY}" ' in line
        )
        for name, lines in _by_zone(listed)
    }
    return {name: rules for name, rules in found.items() if rules}


def ours_of_direct(listed: str) -> frozenset[str]:
    words = [line.split() for line in listed.splitlines()]
    return frozenset(" ".join(each) for each in words if each[1:4] == ["raw", "PREROUTING", str(PRIORITY)])


def wanted(names: Sequence[str], openings: Iterable[Opening], *, tracks: bool) -> Rules:
    """``tracks``: netfilter knows of IPVS's connections, and so what an ICMP speaks of, which it may have to change."""
    own = [each for each in openings if each.hook == "input"]
    rich = frozenset(_rich(each) for each in own)
    unknown = [each for each in own if each.loose and not (tracks and each.is_icmp)]
    return Rules(dict.fromkeys(names, rich), frozenset(_direct(each) for each in unknown))


def _rich(opening: Opening) -> str:
    return firewall_words.rich_rule(opening).replace("rule ", f'rule priority="{PRIORITY}" ', 1)


def _direct(opening: Opening) -> str:
    """What is not tracked is not INVALID."""
    asks = firewall_chains.rule_options(opening)
    return " ".join([f"ipv{opening.family}", "raw", "PREROUTING", str(PRIORITY), *asks, "-j", "CT", "--notrack"])


def plan_rules(scope: str, command: Sequence[str], current: Rules, wish: Rules) -> Plan:
    """The calls of a command that make one scope right."""
    commands = []
    before, after = [], []
    for name in sorted({*current.rich, *wish.rich}):
        there, asked = current.rich.get(name, frozenset()), wish.rich.get(name, frozenset())
        commands += [[f"--zone={name}", f"--add-rich-rule={each}"] for each in sorted(asked - there)]
        commands += [[f"--zone={name}", f"--remove-rich-rule={each}"] for each in sorted(there - asked)]
        before += [f"zone {name}: {each}" for each in sorted(there)]
        after += [f"zone {name}: {each}" for each in sorted(asked)]
    commands += [["--direct", "--add-rule", *each.split()] for each in sorted(wish.direct - current.direct)]
    commands += [["--direct", "--remove-rule", *each.split()] for each in sorted(current.direct - wish.direct)]
    calls = [(*command, *each) for each in commands]
    return Plan(
        tuple(Change(shlex.join(each), each) for each in calls),
        tuple(f"{scope}: {line}" for line in (*before, *(f"direct {each}" for each in sorted(current.direct)))),
        tuple(f"{scope}: {line}" for line in (*after, *(f"direct {each}" for each in sorted(wish.direct)))),
    )
