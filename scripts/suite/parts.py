# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts there are, which are asked for, and in which order they begin. Pure: nothing is read or started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

FAILED = "failed"
_PREFIX = "molecule-"


class Unknown(Exception):
    """Somebody asked for a part that does not exist; the message lists those that do."""


@dataclass(frozen=True)
class Part:
    """A target of make, and the targets that must have passed before it begins."""

    target: str
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: a scenario of molecule by the scenario's name."""
        return self.target.removeprefix(_PREFIX)


def parse(words: Iterable[str]) -> list[Part]:
    """Read TARGET or TARGET:NEEDED,NEEDED."""
    parts = []
    for word in words:
        target, _colon, needs = word.partition(":")
        parts.append(Part(target, tuple(one for one in needs.split(",") if one)))
    return parts


def choose(parts: Sequence[Part], only: str, last: Mapping[str, Any], later: str = "") -> list[Part]:
    """The parts that are asked for by name, with what they need; failed means those that did not pass the last time.

    Those of ``later`` run only where they are named or needed, or where they were and did not pass.
    """
    names = only.replace(",", " ").split()
    by_name = {word: part for part in parts for word in (part.name, part.target)}
    waiting = {by_name[name].target for name in later.split() if name in by_name}
    at_once = [part for part in parts if part.target not in waiting]
    unknown = [name for name in names if name not in by_name and name != FAILED]
    if unknown:
        known = " ".join(part.name for part in parts)
        raise Unknown(f"ONLY={only}: there is no part {', '.join(unknown)}. The parts are: {known}, and {FAILED}.")
    wanted = {by_name[name].target for name in names if name != FAILED}
    if not names:
        wanted = {part.target for part in at_once}
    if FAILED in names:
        tried = [part for part in parts if part in at_once or part.name in last]
        wanted |= {part.target for part in tried if last.get(part.name, {}).get("result") != "passed"}
    grown = True
    while grown:
        needed = {need for part in parts if part.target in wanted for need in part.needs}
        grown = not needed <= wanted
        wanted |= needed
    return [part for part in parts if part.target in wanted]


def in_order(parts: Sequence[Part], last: Mapping[str, Any]) -> list[Part]:
    """What others need first, then what took longest the last time; what has no time yet as it was given."""
    needed = {need for part in parts for need in part.needs}
    longest = max([entry.get("seconds", 0) for entry in last.values()], default=0)

    def key(part: Part) -> tuple[bool, float]:
        return part.target not in needed, -last.get(part.name, {}).get("seconds", longest)

    return sorted(parts, key=key)
