# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import says besides the model: what was not carried over, what is to be decided, and what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

# Not carried over, and only to be known or decided.
LOST, NOTE = "lost", "note"
# Words that are followed by a password: nothing after them is ever shown.
SECRETS = frozenset({"auth_pass", "passwd", "password", "key", "login"})
_SHOWN = 80
_TEMPLATE = re.compile(r"\{(?=[{%#])")


@dataclass(frozen=True)
class Place:
    """Where something stands in a file that was read."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{forms.word(self.file)}:{self.line}"


@dataclass(frozen=True)
class Remark:
    """What stands at a place, and why it is not carried over, or what is to be known of it."""

    place: Place
    words: str
    reason: str
    kind: str

    def __str__(self) -> str:
        said = {LOST: "not carried over: ", NOTE: ""}[self.kind]
        return _harmless(f"{self.place}: {self.words}: {said}{self.reason}")


class Unreadable(Exception):
    """A file that cannot be read at all: where, what is wrong, and what to do."""

    def __init__(self, place: Place, problem: str, remedy: str) -> None:
        super().__init__(_harmless(f"{place}: {problem}; {remedy}"))


class Remarks:
    """Collects remarks. Each place and word is named once for each reason, however often it is read."""

    def __init__(self) -> None:
        self._found: dict[Remark, None] = {}

    def lost(self, place: Place, words: Iterable[str], reason: str) -> None:
        """What stands here is not in the model that comes out."""
        self._found[Remark(place, shown(words), reason, LOST)] = None

    def note(self, place: Place, words: Iterable[str], reason: str) -> None:
        """What stands here is carried over, and somebody has to know or decide something."""
        self._found[Remark(place, shown(words), reason, NOTE)] = None

    def extend(self, others: Iterable[Remark]) -> None:
        self._found.update(dict.fromkeys(others))

    def sorted(self) -> list[Remark]:
        """In the order of the files, what is lost before notes on the same line."""
        return sorted(self._found, key=lambda each: (each.place.file, each.place.line, each.kind))


def shown(words: Iterable[str]) -> str:
    """Words of a file as a message shows them: printable, short, and without what a password may be."""
    listed: list[str] = []
    for each in words:
        listed.append(each)
        if each in SECRETS:
            break
    text = " ".join(listed)
    if not text.isprintable():
        text = ascii(text)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _harmless(text: str) -> str:
    printable = text if text.isprintable() else ascii(text)[1:-1]
    # Ansible takes text with two braces for a template.
    return _TEMPLATE.sub("{ ", printable)
