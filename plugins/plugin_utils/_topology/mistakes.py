# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of an inventory: collected, never raised one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._forms import shown as show

__all__ = ["Mistake", "WrongModel", "as_lines", "choose", "did_you_mean", "show"]

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Mistake:
    """Where it is, what is wrong, and what to do: one line."""

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.remedy}"


class WrongModel(Exception):
    """The inventory cannot be compiled. Carries all its mistakes."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.lines = as_lines(mistakes)
        super().__init__("\n".join(self.lines))


def as_lines(mistakes: Iterable[Mistake]) -> list[str]:
    """Each mistake once, in the order in which they were found."""
    return list(dict.fromkeys(map(str, mistakes)))


def choose(value: Any, choices: Iterable[str]) -> str:
    """The remedy for a value that is not one of the choices."""
    known = list(choices)
    return f"{did_you_mean(value, known)}use one of {', '.join(known)}"


def did_you_mean(value: Any, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the beginning of a remedy; nothing where none is close."""
    # No name is long, and comparing takes its time.
    close = get_close_matches(value, known, n=1) if isinstance(value, str) and len(value) <= _LONGEST_NAME else []
    return f"did you mean {close[0]}? Otherwise " if close else ""
