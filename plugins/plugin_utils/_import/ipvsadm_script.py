# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A script of the shell that calls ipvsadm, or a file of rules -> the rules, each with its line. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import dropwhile

from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks

_ASSIGNMENT = re.compile(r"""(?:export\s+|readonly\s+)?([A-Za-z_]\w*)=("[^"`]*"|'[^']*'|[^\s"'`;&|()<>]*)""")
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_COMMAND = re.compile(r"(?:\S*/)?ipvsadm\Z")
# What is left of a name in place of the program where nothing says what it means.
_UNKNOWN_COMMAND = re.compile(r"\$\{?\w*IPVSADM\w*\}?\Z", re.IGNORECASE)
_CONTROL = frozenset({"if", "elif", "else", "for", "while", "until", "case", "select", "function"})
# Words after which a command may stand.
_BEFORE = frozenset({"sudo", "then", "do", "else", "exec", "!", "{"})
_SEPARATES = frozenset(";&|()")
_LONGEST = 4096


def rules_of(text: str, name: str, remarks: Remarks) -> Iterator[tuple[str, Place]]:
    """The rules of a file, without the name of the program. What is no rule is listed."""
    variables: dict[str, str] = {}
    for line, place in _lines(text, name):
        found = _ASSIGNMENT.fullmatch(line)
        if found:
            value = found.group(2)
            literal = value.startswith("'")
            variables[found.group(1)] = value.strip("'\"") if literal else _filled_in(value.strip('"'), variables)
            continue
        rule = _filled_in(line, variables)
        if len(rule) > _LONGEST:
            remarks.lost(place, rule.split()[:1], f"with its variables the line has more than {_LONGEST} characters")
            continue
        yield from ((each, place) for each in _commands(rule, place, remarks))


def _lines(text: str, name: str) -> Iterator[tuple[str, Place]]:
    """The lines that say something. One that ends with a backslash goes on."""
    waiting, begun = "", 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        begun = begun or number
        if line.endswith("\\") and not line.startswith("#") and len(waiting) < _LONGEST:
            waiting += f"{line[:-1]} "
            continue
        whole, place = f"{waiting}{line}".strip(), Place(name, begun)
        waiting, begun = "", 0
        if whole and not whole.startswith("#"):
            yield whole, place
    if waiting.strip():
        yield waiting.strip(), Place(name, begun)


def _filled_in(text: str, variables: dict[str, str]) -> str:
    if "$" not in text:
        return text
    return _REFERENCE.sub(lambda found: variables.get(found.group(1) or found.group(2), found.group()), text)[
        : _LONGEST + 1
    ]


def _commands(line: str, place: Place, remarks: Remarks) -> Iterator[str]:
    """The rules of a line, which may hold several commands and other things."""
    if line.startswith("-") and not any(each in line for each in ";&|<>#"):
        yield line
        return
    for words in _split(line, place, remarks):
        control = next((each for each in words if each in _CONTROL), None)
        if control:
            remarks.note(place, [control], "what stands in branches and loops is read as if it ran once")
        command = list(dropwhile(_BEFORE.__contains__, words))
        if not command:
            continue
        if command[0].startswith("-"):
            yield shlex.join(command)
        elif _COMMAND.match(command[0]) or _UNKNOWN_COMMAND.match(command[0]):
            # The shell would have filled in what is left of its names.
            open_ = next((each for each in command[1:] if "$" in each or "`" in each), None)
            if open_:
                remarks.lost(
                    place, command, f"nothing in the file says what {open_} is: print the rules with ipvsadm -S -n"
                )
            elif len(command) > 1:
                yield shlex.join(command[1:])
        else:
            # It may hold a password.
            remarks.lost(place, command[:1], "it is no rule and no command of ipvsadm")


def _split(line: str, place: Place, remarks: Remarks) -> list[list[str]]:
    """The words of each command of a line, without comments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        remarks.lost(place, line.split()[:1], "a quote begins and does not end")
        return []
    commands: list[list[str]] = [[]]
    position = 0
    while position < len(words):
        each = words[position]
        position += 1
        if each[0] in "<>":
            # The number before it is that of the stream.
            if commands[-1] and commands[-1][-1] in ("1", "2"):
                commands[-1].pop()
            position += 1
        elif set(each) <= _SEPARATES:
            commands.append([])
        else:
            commands[-1].append(each)
    return [each for each in commands if each]
