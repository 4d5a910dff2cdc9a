# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture is made of: boxes, lines and texts at their places, before they are SVG. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from unicodedata import category, east_asian_width

from ansible_collections.lvs.topology.plugins.module_utils._screen import printable

# Of each kind of text: its size, and how wide a character is at most, on average, as a part of the size.
FONTS = {
    "name": (13, 0.61),
    "code": (11, 0.61),
    "label": (11, 0.58),
    "note": (11, 0.58),
    "title": (11, 0.64),
    "chip": (11, 0.68),
}
MONOSPACED = ("name", "code")
_DOTS = "…"


@dataclass(frozen=True)
class Box:
    """``look`` says what it is, ``degree`` what was found of it."""

    x: float
    y: float
    width: float
    height: float
    look: str
    degree: str = ""

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Text:
    """``whole`` is all of a text that is shown shortened."""

    x: float
    y: float
    text: str
    look: str
    anchor: str = "start"
    degree: str = ""
    whole: str = ""


@dataclass(frozen=True)
class Line:
    """Through these points, in a bend between the first two where ``is_bent``, with a tip at the end.

    Answers are drawn with dashes, and what nobody takes at the moment is faint.
    """

    points: tuple[tuple[float, float], ...]
    look: str
    is_answer: bool = False
    is_bent: bool = False
    is_faint: bool = False
    has_tip: bool = True


@dataclass(frozen=True)
class Symbol:
    """The sign of a degree, 12 wide, by its upper left corner."""

    x: float
    y: float
    degree: str


@dataclass
class Picture:
    """``said`` is what it shows, in words."""

    width: float
    said: str
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, look: str, degree: str = "") -> Box:
        box = Box(x, y, width, height, look, degree)
        self.boxes.append(box)
        return box

    def text(
        self, x: float, y: float, text: str, look: str, room: float, *, anchor: str = "start", degree: str = ""
    ) -> float:
        """Write it into this much room, shortened where it has to be; how wide it is at most."""
        text = one_line(text)
        shown = shorten(text, look, room)
        self.texts.append(Text(x, y, shown, look, anchor, degree, "" if shown == text else text))
        return width_of(shown, look)

    def remark(self, x: float, y: float, text: str, degree: str, room: float) -> None:
        """A line of small text, with the sign of its degree before it."""
        if degree:
            self.symbols.append(Symbol(x, y - 10, degree))
        indent = 16 if degree else 0
        self.text(x + indent, y, text, "note" if degree else "label", room - indent, degree=degree)

    def remark_name(self, x: float, y: float, name: str, degree: str, room: float) -> None:
        """A host's name, with the sign of its degree before it."""
        if degree:
            self.symbols.append(Symbol(x, y - 11, degree))
        indent = 17 if degree else 0
        self.text(x + indent, y, name, "name", room - indent)


def one_line(text: str) -> str:
    """Harmless to show, on one line."""
    return printable(" ".join(text.split()))


def _cells(text: str) -> Iterator[int]:
    """How many characters wide each character is."""
    for each in text:
        yield 0 if category(each) in ("Mn", "Me") else 2 if east_asian_width(each) in "WF" else 1


def width_of(text: str, look: str) -> float:
    size, wide = FONTS[look.partition(" ")[0]]
    return sum(_cells(text)) * size * wide


def shorten(text: str, look: str, room: float) -> str:
    """Without its middle, where it is too long: names and addresses differ at their ends."""
    size, wide = FONTS[look.partition(" ")[0]]
    most = max(3, int(room / (size * wide)))
    if len(text) * 2 <= most or sum(_cells(text)) <= most:
        return text
    return _fitting(text, most // 2) + _DOTS + _fitting(text[::-1], (most - 1) // 2)[::-1]


def _fitting(text: str, most: int) -> str:
    taken, used = "", 0
    for each, cells in zip(text, _cells(text)):
        if used + cells > most:
            break
        taken, used = taken + each, used + cells
    return taken


def wrap(text: str, look: str, room: float) -> list[str]:
    """A sentence in lines of this width."""
    lines: list[str] = []
    for word in one_line(text).split(" "):
        if lines and width_of(f"{lines[-1]} {word}", look) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
