# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived.conf and what it includes -> its statements: comments, quotes, definitions, ~SEQ and @host are done with.

The rules are those of keepalived's own reader. Pure.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files, beside
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks, Unreadable

OPEN, CLOSE = "{", "}"
# keepalived reads lines of so many bytes.
_LONGEST = 1023
# How a file of the role keepalived begins, and how long the name of a service may be there.
_OURS = "# Managed by lvs.topology."
_NAME_BYTES = 200
_DEEPEST = 32
# What definitions and sequences may make of a configuration before somebody means harm, in lines and for one line.
_MOST_LINES = 100_000
_MOST_REPLACEMENTS = 500
_MOST_FILES = 10_000
_INCLUDE = re.compile(r"include[rmwba]?[ \t]+(.+)")
_DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)", re.DOTALL)
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|\Z))")
_HOST_LINE = re.compile(r"@(\^?)([^ \t]*)[ \t]+(.*)", re.DOTALL)
_SEQUENCE = re.compile(r"~SEQ(x?)[ \t]*\(([^,)]*),([^)]*)\)[ \t]*(.*)", re.DOTALL)
# A word: text in double quotes, one of the braces, or anything else up to a blank. An unknown ${NAME} stays one word.
_WORD = re.compile(r'[{}]|(?:"(?:[^"\\]|\\.)*"|\$\{[^{}]*\}|[^\s"{}])+')
_PART = re.compile(r'"((?:[^"\\]|\\.)*)"')
# The same where ' are quotes, too.
_WORD_OF_COMMAND = re.compile(r"""[{}]|(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$\{[^{}]*\}|[^\s"'{}])+""")
_PART_OF_COMMAND = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.)*)\1""")
_ESCAPED = re.compile(r'\\(["\\])')
# A pattern is read once more, with the escapes of C and with ' as a quote.
_PATTERN = re.compile(r"regex\s")
_ESCAPE = re.compile(r"\\(?:x(?P<hex>[0-9A-Fa-f]{1,2})|c(?P<control>.)|(?P<octal>[0-7]{1,3})|(?P<other>.))")
_OTHER = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
# What keepalived fills in itself. What is not known here is None.
_STANDARD: dict[str, str | None] = {"_HASH": "#", "_BANG": "!", "_PWD": None, "_RANDOM": None, "_ENV": None}
# Commands: only in these keepalived takes ' for quotes, too.
_COMMANDS = re.compile(r"(?:script|misc_path|quorum_up|quorum_down|notify\w*)[ \t]")


@dataclass(frozen=True)
class Statement:
    """The words of a line up to a brace, or one brace."""

    words: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class _Line:
    text: str
    place: Place
    # Set before the line is read: a round of a sequence.
    setting: tuple[str, str] | None = None
    made: bool = False


_Waiting = deque["_Line | Iterator[_Line]"]


class Words:
    """Reads a configuration for one host. ``host`` is what keepalived is started with as -i; None: nobody said."""

    def __init__(self, files: Files, host: str | None, remarks: Remarks) -> None:
        self._files = files
        self._host = host
        self._remarks = remarks
        self._definitions: dict[str, str | list[str] | None] = {**_STANDARD, "_INSTANCE": host}
        self._made = 0
        self._opened = 0
        # Each file with those that include it, the innermost first.
        self._chains: dict[str, tuple[str, ...]] = {}
        # What a comment above a virtual_server calls it, in a file that the role has written.
        self._names: dict[Place, str] = {}
        # Hosts that lines are for, each with the first such line, and names that only such lines define.
        self.hosts: dict[str, Place] = {}

    def statements(self, name: str) -> Iterator[Statement]:
        """The statements of a file and of all that it includes."""
        self._chains[name] = (name,)
        waiting: _Waiting = deque([self._lines(name)])
        while waiting:
            line = self._next(waiting)
            text = self._for_this_host(line) if line else ""
            if not line or not text or self._is_definition(text, waiting):
                continue
            if text.startswith(("~SEQ", "~LST")):
                waiting.extendleft(reversed(list(self._sequence(text, line.place))))
                continue
            replaced, rest = self._replaced(text, line.place)
            waiting.extendleft(_Line(each, line.place, made=True) for each in reversed(rest))
            include = _INCLUDE.fullmatch(replaced)
            if replaced != text and replaced.startswith(("@", "~SEQ", "~LST")):
                waiting.appendleft(_Line(replaced, line.place, made=True))
            elif include:
                found = self._included(include.group(1).strip(), line.place)
                waiting.extendleft(self._lines(each) for each in reversed(found))
            else:
                yield from self._words(replaced, line.place)

    def _next(self, waiting: _Waiting) -> _Line | None:
        """The next line; None where a file has ended."""
        first = waiting[0]
        if isinstance(first, _Line):
            waiting.popleft()
            line: _Line | None = first
        else:
            line = next(first, None)
            if line is None:
                waiting.popleft()
        if line and line.made:
            self._made += 1
            if self._made > _MOST_LINES:
                problem = f"definitions and sequences make more than {_MOST_LINES} lines"
                raise Unreadable(line.place, problem, "look whether a definition names itself")
        if line and line.setting:
            self._definitions[line.setting[0]] = line.setting[1]
        return line

    def _lines(self, name: str) -> Iterator[_Line]:
        """The lines of a file that say something, without comments."""
        self._opened += 1
        if self._opened > _MOST_FILES:
            raise Unreadable(Place(name, 1), f"more than {_MOST_FILES} files are included", "look for a loop")
        whole = self._files.text(name)
        comment = ""
        for number, raw in enumerate(whole.split("\n"), 1):
            place = Place(name, number)
            if len(raw) > _LONGEST // 4 and len(raw.encode(errors="surrogateescape")) > _LONGEST:
                problem = f"it is longer than {_LONGEST} bytes, and keepalived reads no such line"
                if any(each in raw for each in (OPEN, CLOSE)) and raw.strip(" \t")[:1] not in ("#", "!"):
                    raise Unreadable(place, f"{problem}, in which a block begins or ends", "make it shorter")
                self._remarks.lost(place, ["line"], problem)
                continue
            text = _without_comment(raw.rstrip("\r"), place)
            if text:
                if comment and text.startswith("virtual_server "):
                    self._names[place] = comment
                yield _Line(text, place)
            comment = raw[2:] if raw.startswith("# ") and whole.startswith(_OURS) else ""

    def call(self, services: list[Found]) -> None:
        """Give services the names that they had in the model, which no keyword says. A group has one comment."""
        taken = {each.entry["name"] for each in services}
        places = Counter(each.place for each in services)
        for each in services:
            name = self._names.get(each.place, "")
            if places[each.place] == 1 and forms.is_line(name, _NAME_BYTES) and "{" not in name and name not in taken:
                taken.add(name)
                each.entry["name"] = name

    def _for_this_host(self, line: _Line) -> str:
        """The line without @host; empty where it is for another one."""
        text = line.text
        while text.startswith("@"):
            found = _HOST_LINE.fullmatch(text)
            if not found:
                self._remarks.lost(line.place, [text], "nothing stands after the name of the host")
                return ""
            self.hosts.setdefault(found.group(2), line.place)
            if (found.group(2) == self._host) == bool(found.group(1)):
                return ""
            text = found.group(3)
        return text

    def _is_definition(self, text: str, waiting: _Waiting) -> bool:
        """Whether the line defines something, which is noted then."""
        found = _DEFINITION.fullmatch(text)
        if not found:
            return False
        name, value = found.groups()
        if not value.endswith("\\"):
            self._definitions[name] = value
            return True
        several = [value[:-1].rstrip()]
        source = waiting[0] if waiting else iter(())
        while several and not isinstance(source, _Line):
            following = next(source, None)
            if following is None:
                break
            goes_on = following.text.endswith("\\")
            several.append(following.text[:-1].rstrip() if goes_on else following.text)
            if not goes_on:
                break
        self._definitions[name] = [each for each in several if each]
        return True

    def _sequence(self, text: str, place: Place) -> Iterator[_Line]:
        """The rounds of ~SEQ. ~LST is of keepalived 2.3 and later, and seldom."""
        found = _SEQUENCE.fullmatch(text)
        if not found:
            reason = "keepalived 2.2 knows no ~LST" if text.startswith("~LST") else "write it as ~SEQ(NAME, 1, 9) TEXT"
            self._remarks.lost(place, [text], reason)
            return
        is_hexadecimal, name, numbers, rest = found.groups()
        values = [_integer(self._replaced(each.strip(), place)[0]) for each in numbers.split(",")]
        steps = _steps([each for each in values if each is not None]) if None not in values else None
        if steps is None:
            self._remarks.lost(place, [text], "its numbers cannot be read: write ~SEQ(NAME, FIRST, LAST) TEXT")
            return
        if len(steps) > _MOST_LINES:
            raise Unreadable(place, f"the sequence has {len(steps)} rounds", "correct its numbers")
        for each in steps:
            yield _Line(rest, place, (name.strip(), f"{each:x}" if is_hexadecimal else str(each)), made=True)

    def _replaced(self, text: str, place: Place) -> tuple[str, list[str]]:
        """The line with its definitions in place of their names, and the further lines of one that has several."""
        rest: list[str] = []
        position = rounds = 0
        while True:
            found = _REFERENCE.search(text, position)
            if not found:
                return text, rest
            name = found.group(1) or found.group(2)
            value = self._definitions.get(name)
            if value is None or (isinstance(value, list) and found.end() < len(text)):
                position = found.end()
                continue
            rounds += 1
            if rounds > _MOST_REPLACEMENTS:
                raise Unreadable(place, f"the definition ${name} does not end", "look whether it names itself")
            if isinstance(value, list):
                value, rest = (value[0] if value else ""), [*value[1:], *rest]
            text = text[: found.start()] + value + text[found.end() :]
            position = found.start()
            if len(text) > _LONGEST:
                problem = f"with its definitions the line has more than {_LONGEST} bytes"
                raise Unreadable(place, problem, "make it shorter")

    def _included(self, pattern: str, place: Place) -> list[str]:
        where = beside(place.file, pattern.strip('"'))
        if where is None:
            reason = "the file is in another folder; copy it beside the file that includes it, and name it so"
            self._remarks.lost(place, ["include", pattern], reason)
            return []
        found = self._files.matching(where)
        if not found:
            self._remarks.lost(place, ["include", pattern], f"no file is {where}")
        chain = self._chains[place.file]
        for each in found:
            if each in chain:
                raise Unreadable(place, f"{each} is included while it is read", "take the include out")
            self._chains[each] = (each, *chain)
        if len(chain) > _DEEPEST:
            raise Unreadable(place, f"files include each other more than {_DEEPEST} deep", "look for a loop")
        return found

    def _words(self, text: str, place: Place) -> Iterator[Statement]:
        is_pattern = bool(_PATTERN.match(text))
        is_command = is_pattern or bool(_COMMANDS.match(text))
        word, part, inside = (_WORD_OF_COMMAND, _PART_OF_COMMAND, r"\2") if is_command else (_WORD, _PART, r"\1")
        if word.sub("", text).strip():
            self._remarks.lost(
                place, text.split()[:1], "a quote begins and does not end, and keepalived leaves the line out"
            )
            return
        words: list[str] = []
        for found in word.findall(text):
            if found not in (OPEN, CLOSE):
                bare = part.sub(inside, found)
                words.append(_unescaped(bare) if is_pattern else _ESCAPED.sub(r"\1", bare))
                continue
            if words:
                yield Statement(tuple(words), place)
                words = []
            yield Statement((found,), place)
        if words:
            yield Statement(tuple(words), place)


def _unescaped(text: str) -> str:
    """A pattern as keepalived's library gets it: octets, which mostly are UTF-8."""
    octets, end = b"", 0
    for found in _ESCAPE.finditer(text):
        octets += text[end : found.start()].encode(errors="surrogateescape")
        end = found.end()
        if found["other"]:
            octets += _OTHER.get(found["other"], found["other"]).encode(errors="surrogateescape")
        else:
            number = int(found["hex"], 16) if found["hex"] else int(found["octal"], 8) if found["octal"] else None
            octets += bytes([ord(found["control"]) & 0x1F if number is None else number & 0xFF])
    return (octets + text[end:].encode(errors="surrogateescape")).decode(errors="surrogateescape")


def _without_comment(raw: str, place: Place) -> str:
    """The line up to a comment, without blanks around it. keepalived reads \\# and \\! as the character itself."""
    kept: list[str] = []
    quoted = False
    position = 0
    if not any(each in raw for each in '!#"\\'):
        return raw.strip(" \t")
    while position < len(raw):
        each = raw[position]
        if each == '"':
            quoted = not quoted
        elif each == "\\" and position + 1 < len(raw):
            following = raw[position + 1]
            kept.append(following if following in "#!" and not quoted else each + following)
            position += 2
            continue
        elif each in "#!" and not quoted:
            break
        kept.append(each)
        position += 1
    if quoted:
        raise Unreadable(place, "a quote begins and does not end", 'write the closing " on the same line')
    return "".join(kept).strip(" \t")


def _integer(text: str) -> int | None:
    try:
        return int(text, 0) if len(text) < 20 else None
    except ValueError:
        return None


def _steps(values: list[int]) -> range | None:
    """The rounds: (last), (first, last) or (first, step, last)."""
    if len(values) == 1:
        last = values[0]
        first = -1 if last < 0 else 1
        return range(first, last - 1, -1) if last < 1 else range(1, last + 1)
    if len(values) == 2:
        first, last = values
        return range(first, last + 1) if first <= last else range(first, last - 1, -1)
    if len(values) != 3 or not values[1] or (values[2] - values[0]) * values[1] < 0:
        return None
    first, step, last = values
    return range(first, last + (1 if step > 0 else -1), step)
