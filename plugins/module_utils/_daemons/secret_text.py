# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a daemon's configuration, and of its words about it, may be shown. Pure.

Whether a line is shown is decided by where it stands in the configuration, not by comparing all output with the
passwords: a password such as ``e`` would damage every path, and one that is written in pieces would not be found.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Iterable

from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan
from ansible_collections.lvs.topology.plugins.module_utils._screen import MASK, printable

# Below this length a password may well be a part of other words, and only whole words are taken for it.
_DISTINCT = 5
# keepalived cuts a password after so many characters, and then says what is left of it.
_AUTH_PASS = 8
# What follows is nobody's business, to the end of the line. keepalived's own keywords are auth_pass, password and key;
# the others are how commands of checks are usually told theirs.
_SECRET_WORD = re.compile(
    r"auth_?(?:pass|data|key|hmac)|pass(?:word|wd|phrase)|secret|token|(?:api|access)[-_]?key|credential", re.IGNORECASE
)
# Definitions, and where they are put in: a password, and even the keyword before it, can come from there.
_VARIABLE = re.compile(r"\$|~SEQ|~LST")
# BIRD takes quotes right behind the word, on the next line, and behind comments. Its constants may be passwords, too.
# Comments are bounded, so that a text that is nothing but these words takes no long time.
_STATEMENT = re.compile(
    r"(?:(?:auth_pass|password|key[ \t]+\d{1,3})\"?"
    r"(?:[ \t]+(?!#|/\*)|\s*(?:(?:#[^\n]{0,200}\n|/\*[^*]{0,200}\*/)\s*){0,3}(?=[\"']))"
    r"|\bdefine\s+\w+\s*=\s*(?=\"))"
    r"(?:\"(?P<double>[^\"]*)|'(?P<single>[^']*)|(?P<bare>[^\s\"'{}]+))",
    re.IGNORECASE,
)
_DEFINITION = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*=(.+)")


def secrets_of(text: str) -> frozenset[str]:
    """The passwords of a configuration, wherever they are written, raw lines and definitions too."""
    # What is masked as a line has no passwords that could be somewhere else.
    lines = [line for line in _logical(text) if not line.lstrip().startswith(("#", "!"))]
    found = {
        match["double"] or match["single"] or match["bare"] or "" for match in _STATEMENT.finditer("\n".join(lines))
    }
    for definition in filter(None, map(_DEFINITION.search, lines)):
        found.update(word.strip("\"'") for word in definition[1].split())
    return frozenset(each for each in found if any(character.isalnum() for character in each))


def without_passwords(text: str, secrets: Iterable[str], word: str) -> str:
    """A configuration with a word in place of its passwords, which can still be read by keepalived.

    A short password is only known where a keyword stands before it: as a number it may be a router's as well.
    """
    known = set(secrets)

    def hidden(match: re.Match[str]) -> str:
        kind = next(name for name in ("double", "single", "bare") if match[name] is not None)
        known.add(match[kind])
        return match[0][: match.start(kind) - match.start()] + word

    text = _STATEMENT.sub(hidden, text)
    words = _words(each for each in known if len(each) >= _DISTINCT)
    return words.sub(word, text) if words else text


def _logical(text: str) -> list[str]:
    """The lines, with those that end in a backslash joined with the next."""
    return re.sub(r"\\\r?\n", " ", text).splitlines()


def masked(lines: Iterable[str], secrets: Iterable[str]) -> tuple[str, ...]:
    """Lines of a configuration without what is secret."""
    shown, is_open = [], False
    words = _words(secrets)
    for line in lines:
        begin = None if is_open else _begin(line)
        rest = line if is_open else "" if begin is None else line[begin:]
        if is_open:
            is_open = _goes_on(rest)
            shown.append(MASK if line.strip() else line)
        elif begin is None:
            shown.append(words.sub(MASK, line) if words else line)
        else:
            is_open = _goes_on(rest) or not rest.strip()
            head = words.sub(MASK, line[:begin]) if words else line[:begin]
            shown.append(f"{head.rstrip()} {MASK}" if rest.strip() else line)
    return tuple(map(printable, shown))


def _goes_on(rest: str) -> bool:
    """Whether the next line belongs to this one: a definition, or quotes that do not end."""
    return rest.rstrip().endswith("\\") or rest.count('"') % 2 == 1


def _begin(line: str) -> int | None:
    """Where what is secret begins; None: nowhere."""
    word, variable = _SECRET_WORD.search(line), _VARIABLE.search(line)
    places = [*([word.end()] if word else []), *([variable.end()] if variable else [])]
    return min(places) if places else None


def _words(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """Finds the secrets where they stand alone; long ones also within other text."""
    known = {each for each in secrets if each.strip()}
    patterns = [
        re.escape(each) if len(each) >= _DISTINCT else rf"(?<![\w.]){re.escape(each)}(?![\w.])"
        for each in sorted({*known, *(each[:_AUTH_PASS] for each in known)}, key=lambda each: (-len(each), each))
    ]
    return re.compile("|".join(patterns)) if patterns else None


def told(messages: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """What keepalived said, without what is secret: it quotes lines that it does not understand."""
    words = _words(secrets)
    shown = []
    for message in messages:
        text = words.sub(MASK, message) if words else message
        quote = re.search("['\"]", text)
        begin = _begin(text[quote.start() :]) if quote else None
        if quote and begin is not None:
            text = f"{text[: quote.start() + begin]} {MASK}"
        shown.append(printable(text))
    return shown


def shown(plan: Plan, secrets: Iterable[str]) -> Plan:
    """The plan for eyes other than root's: without passwords, also those that are no longer in the model."""
    texts = ("\n".join(lines) for lines in (plan.before, plan.after))
    known = frozenset(secrets).union(*(secrets_of(text) for text in texts))
    before, after = ((*lines[:1], *masked(lines[1:], known)) for lines in (plan.before, plan.after))
    if before == after and plan.before != plan.after:
        # Equal sides would be no diff at all.
        after = (f"{after[0]} (a line that is not shown differs)", *after[1:])
    return replace(plan, before=before, after=after)
