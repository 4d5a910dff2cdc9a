# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed what on this host, and what was there before. Pure; _ledger_file.py reads and writes it.

The ledger never decides whether a change is needed; that is read from the kernel. It answers only what the kernel
cannot: which of the things present are ours, and what to put back when the last owner lets go.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from typing import Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _ledger_forms
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

PATH = "/var/lib/lvs-topology/ledger.json"
# The format of the file. One without a number is of a release that wrote none, and reads the same.
VERSION = 1
_VERSION_KEY = "version"
# How many damaged entries are named, and how much of each.
_SHOWN, _SHOWN_LENGTH = 10, 100


@dataclass(frozen=True)
class Claim:
    """Who asked for a thing, and what was there before the first of them (None: nothing)."""

    owners: tuple[str, ...]
    was: Any = None


@dataclass(frozen=True)
class Damage:
    """An entry of the file that no release has written so: what it reads, unchanged, and what is wrong with it."""

    content: Any
    problem: str


@dataclass(frozen=True)
class Ledger:
    """All claims of a host, by kind and key. Changing it gives a new one.

    What is damaged is nobody's: it is neither claimed, nor released, nor lost. A kind that is no object is damaged as a
    whole, under the key None.
    """

    claims: Mapping[tuple[str, str], Claim] = field(default_factory=dict)
    damaged: Mapping[tuple[str, str | None], Damage] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Ledger:
        """Read what to_json() wrote; ValueError says what is wrong with a text that is no ledger at all."""
        data = _parse(text)
        claims: dict[tuple[str, str], Claim] = {}
        damaged: dict[tuple[str, str | None], Damage] = {}
        for kind, entries in data.items():
            if not isinstance(entries, dict):
                damaged[kind, None] = Damage(entries, "it is not a JSON object with a claim for each key")
                continue
            for key, entry in entries.items():
                problem = _problem_with(kind, key, entry)
                if problem:
                    damaged[kind, key] = Damage(entry, problem)
                else:
                    claims[kind, key] = Claim(tuple(sorted(set(entry["owners"]))), entry.get("was"))
        return cls(claims, damaged)

    def to_json(self) -> str:
        data: dict[str, Any] = {_VERSION_KEY: VERSION}
        for (kind, key), damage in self.damaged.items():
            if key is None:
                data[kind] = damage.content
            else:
                data.setdefault(kind, {})[key] = damage.content
        for (kind, key), claim in self.claims.items():
            data.setdefault(kind, {})[key] = {"owners": list(claim.owners), "was": claim.was}
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    def damage(self) -> list[str]:
        """The damaged entries, a line each: which, and what is wrong with it."""
        return [
            f"{_quoted(kind)}{'' if key is None else ' ' + _quoted(key)}: {damage.problem}"
            for (kind, key), damage in sorted(self.damaged.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ]

    def claim(self, kind: str, key: str, owner: str, was: Any = None) -> Ledger:
        """Add an owner; what was there before the first one stays as it was noted."""
        for damaged in ((kind, key), (kind, None)):
            if damaged in self.damaged:
                # Noting what is there now would have it put back in place of what really was there before.
                raise Refused(damage_text(self, PATH))
        known = self.claims.get((kind, key))
        if known is None:
            return self._with(kind, key, Claim((owner,), was))
        if owner in known.owners:
            return self
        return self._with(kind, key, Claim(tuple(sorted((*known.owners, owner))), known.was))

    def release(self, kind: str, key: str, owner: str) -> tuple[Ledger, bool, Any]:
        """Take an owner away; the answer says whether that was the last one, and what was there before all of them."""
        known = self.claims.get((kind, key))
        if known is None or owner not in known.owners:
            return self, False, None
        others = tuple(name for name in known.owners if name != owner)
        if others:
            return self._with(kind, key, Claim(others, known.was)), False, known.was
        return self._with(kind, key, None), True, known.was

    def owned(self, kind: str, owner: str) -> dict[str, Any]:
        """The keys that an owner claims, each with what was there before."""
        return {
            key: claim.was
            for (claimed_kind, key), claim in sorted(self.claims.items(), key=lambda item: item[0])
            if claimed_kind == kind and owner in claim.owners
        }

    def owned_by_any(self, kind: str) -> bool:
        """Whether anybody claims anything of this kind."""
        return any(claimed_kind == kind for claimed_kind, _key in self.claims)

    def owners(self, kind: str, key: str) -> tuple[str, ...]:
        """Who claims this key; empty: it is not ours to take away."""
        known = self.claims.get((kind, key))
        return known.owners if known else ()

    def _with(self, kind: str, key: str, claim: Claim | None) -> Ledger:
        claims = dict(self.claims)
        if claim is None:
            del claims[kind, key]
        else:
            claims[kind, key] = claim
        return Ledger(claims, self.damaged)


def damage_text(ledger: Ledger, path: str) -> str:
    """The one message about damaged entries: which they are, what they mean, and how they are mended."""
    lines = ledger.damage()
    listed = " ".join(f"({number}) {line}." for number, line in enumerate(lines[:_SHOWN], 1))
    more = f" And {len(lines) - _SHOWN} more." if len(lines) > _SHOWN else ""
    return (
        f"The ledger {path} of {os.uname().nodename} is damaged in {len(lines)} of its entries: {listed}{more} "
        'An entry notes who asked for something on this host, and what was there before: {"owners": ["director"], '
        '"was": null}. Mend each of these, or restore the file from a backup; an entry may be removed where nothing of '
        "it is left on the host, or once you have put it back by hand. Teardown passes over these, keeps them, and "
        "puts back the rest."
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    if _is_deeper(data, _ledger_forms.DEEPEST):
        raise ValueError("it is nested too deeply")
    version = data.pop(_VERSION_KEY, VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"its version {_quoted(version)} is not the number of a format")
    if version > VERSION:
        raise ValueError(
            f"its format {_quoted(version)} is of a newer release of this collection, and this one knows {VERSION}; "
            "use a release that is at least as new as the last one that worked on this host"
        )
    return data


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"{_quoted(twice)} is there twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{_quoted(text)[1:-1]} is too large")
    return number


def _is_deeper(data: Any, most: int) -> bool:
    level = [data]
    for _depth in range(most):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _problem_with(kind: str, key: str, entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "it is not a JSON object with owners"
    owners = entry.get("owners")
    if not isinstance(owners, list) or not owners or not all(isinstance(name, str) and name for name in owners):
        return "it has no list of owners"
    unknown = sorted(set(entry) - {"owners", "was"})
    if unknown:
        return f"this release knows no field {', '.join(map(_quoted, unknown[:_SHOWN]))}"
    return _ledger_forms.problem_with(kind, key, entry.get("was"))


def _quoted(value: Any) -> str:
    """As somebody may have written it into the file, without what would make a mess of a message."""
    try:
        text = ascii(value)
    except ValueError:
        # A number with more digits than Python is willing to print.
        text = "with too many digits"
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}..."
