# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of keepalived.conf -> its blocks, and what is taken of a block by whom. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_words import CLOSE, OPEN, Statement
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import (
    Place,
    Remarks,
    Unreadable,
    shown,
)

# Deeper than any block of keepalived.
_DEEPEST = 16
# As keepalived spells them.
_ON, _OFF = ("true", "on", "yes"), ("false", "off", "no")
# What keepalived would read in its own way in a word that is not quoted.
_NEEDS_QUOTES = re.compile(r"[\s#!{}]")


@dataclass(eq=False)
class Node:
    """A keyword with its arguments, and what stands in its block. Without a block ``children`` is empty.

    It knows how much of it was asked for: what nobody asked for is in no model, and has to be said.
    """

    words: tuple[str, ...]
    place: Place
    inside: list[Node] = field(default_factory=list)
    is_block: bool = False
    _words_read: int = 1
    _is_opened: bool = False

    @property
    def keyword(self) -> str:
        return self.words[0]

    @property
    def children(self) -> list[Node]:
        self._is_opened = True
        return self.inside

    @property
    def arguments(self) -> tuple[str, ...]:
        self._words_read = len(self.words)
        return self.words[1:]

    def argument(self, position: int = 0) -> str | None:
        self._words_read = max(self._words_read, position + 2)
        return self.words[position + 1] if len(self.words) > position + 1 else None

    def ignore(self) -> None:
        """Nothing of it is to be carried over, and that was said."""
        self._words_read, self._is_opened = len(self.words), True

    def list_unread(self, remarks: Remarks) -> None:
        """List what of a statement that was taken nobody asked for."""
        if len(self.words) > self._words_read:
            reason = f"nothing is read here after {shown(self.words[: self._words_read])}"
            remarks.lost(self.place, self.words, reason)
        for each in [] if self._is_opened else self.inside:
            remarks.lost(each.place, each.words, f"{self.keyword} has no block that is read")
        self.ignore()


def blocks(statements: Iterable[Statement]) -> list[Node]:
    """The outermost statements; Unreadable where braces do not match."""
    outermost = Node(("",), Place("", 0))
    opened = [outermost]
    for each in statements:
        inside = opened[-1]
        if each.words == (OPEN,):
            if not inside.inside or inside.inside[-1].is_block:
                raise Unreadable(each.place, "a block begins without a keyword", "write the keyword before {")
            if len(opened) > _DEEPEST:
                raise Unreadable(each.place, f"blocks stand in each other more than {_DEEPEST} deep", "look for a }")
            inside.inside[-1].is_block = True
            opened.append(inside.inside[-1])
        elif each.words == (CLOSE,):
            if inside is outermost:
                raise Unreadable(each.place, "} ends a block that did not begin", "take it out, or write its {")
            opened.pop()
        else:
            inside.inside.append(Node(each.words, each.place))
    if len(opened) > 1:
        last = opened[-1]
        raise Unreadable(last.place, f"the block {last.keyword} does not end", "write its }")
    return outermost.inside


class Block:
    """The statements of a block, taken by keyword. What nobody took is listed at the end."""

    def __init__(self, node: Node, remarks: Remarks) -> None:
        self.node = node
        self.remarks = remarks
        self._by_keyword: dict[str, list[tuple[int, Node]]] = {}
        for position, each in enumerate(node.children):
            self._by_keyword.setdefault(each.keyword, []).append((position, each))

    def all(self, *keywords: str) -> list[Node]:
        """Every statement with one of these keywords, in their order."""
        found = [each for keyword in keywords for each in self._by_keyword.pop(keyword, [])]
        return [node for _position, node in sorted(found, key=lambda each: each[0])]

    def last(self, *keywords: str) -> Node | None:
        """The statement that counts where a keyword stands several times: the last one."""
        found = self.all(*keywords)
        for each in found[:-1]:
            each.ignore()
            self.remarks.note(each.place, each.words, f"line {found[-1].place.line} says it again, and counts")
        return found[-1] if found else None

    def first(self, keyword: str) -> Node | None:
        """Whether a keyword is there, which nobody has taken by that."""
        return next((node for _position, node in self._by_keyword.get(keyword, [])), None)

    def has(self, *keywords: str) -> Node | None:
        """A switch: there, and not followed by a word that turns it off."""
        node = self.last(*keywords)
        word = node.argument() if node else None
        if node and word is not None and word not in (*_ON, *_OFF):
            self.remarks.lost(node.place, node.words, f"it takes one of {', '.join((*_ON, *_OFF))}, or nothing")
            return None
        return node if word is None or word in _ON else None

    def rest(self) -> Iterator[Node]:
        for each in self.node.children:
            if each.keyword in self._by_keyword:
                yield each

    def raw(self, keywords: Iterable[str], indent: int = 0) -> str | None:
        """The lines of these keywords as they are, for a key of the model that takes them so."""
        lines = [line for each in self.all(*keywords) for line in as_lines(each, indent)]
        return "\n".join(lines) + "\n" if lines else None

    def finish(self, reasons: Mapping[str, str], otherwise: str = "the model has no key for it") -> None:
        """List what nobody took, and what of the rest nobody asked for."""
        for each in self.rest():
            each.ignore()
            self.remarks.lost(each.place, each.words, reasons.get(each.keyword, otherwise))
        for each in self.node.children:
            each.list_unread(self.remarks)


def as_lines(node: Node, indent: int = 0) -> Iterator[str]:
    """A statement in the words of keepalived.conf."""
    words = " ".join(f'"{each}"' if not each or _NEEDS_QUOTES.search(each) else each for each in node.words)
    node.ignore()
    if not node.is_block:
        yield f"{' ' * indent}{words}"
        return
    yield f"{' ' * indent}{words} {OPEN}"
    for each in node.children:
        yield from as_lines(each, indent + 4)
    yield f"{' ' * indent}{CLOSE}"
