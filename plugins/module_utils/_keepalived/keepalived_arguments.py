# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the arguments with which keepalived is started keep from being so as a configuration says it. Pure."""

from __future__ import annotations

import re
import shlex
from typing import Iterator, NamedTuple, Sequence

# Letters that take the next word where theirs ends with them, and those that only take the rest of it (main.c).
_VALUED, _OPTIONAL = "uSfpisrcbA", "Mgt"
_LONG_VALUED = (
    *("--use-file", "--log-facility", "--umask", "--pid", "--vrrp_pid", "--checkers_pid", "--bfd_pid"),
    *("--snmp-agent-socket", "--namespace", "--config-id", "--signum", "--config-fd"),
)
_ONLY = {"-P": "vrrp", "--vrrp": "vrrp", "-C": "checks", "--check": "checks"}
# Of a file by which a unit of a distribution gives it arguments, and whether a line does.
SETTINGS = ("/etc/default/keepalived", "/etc/sysconfig/keepalived")
_SETTING = re.compile(r"^[ \t]*(?:DAEMON_ARGS|KEEPALIVED_OPTIONS)=(.*)$", re.MULTILINE)


class Arguments(NamedTuple):
    """The configuration that keepalived reads, and what of VRRP and checking it does. None: not said."""

    file: str | None = None
    vrrp: bool = True
    checks: bool = True


def read(words: Sequence[str]) -> Arguments:
    """What the words behind the program's name say."""
    file, only = None, set()
    for option, value in _options(words):
        if option in ("-f", "--use-file"):
            file = value
        elif option in _ONLY:
            only.add(_ONLY[option])
    return Arguments(file, not only or "vrrp" in only, not only or "checks" in only)


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, is_given, value = word.partition("=")
            yield name, value if is_given or name not in _LONG_VALUED or not rest else rest.pop(0)
        elif word.startswith("-"):
            yield from _letters(word[1:], rest)


def _letters(text: str, rest: list[str]) -> Iterator[tuple[str, str]]:
    for position, letter in enumerate(text):
        if letter not in _VALUED + _OPTIONAL:
            yield f"-{letter}", ""
            continue
        value = text[position + 1 :]
        if letter in _VALUED and not value and rest:
            value = rest.pop(0)
        yield f"-{letter}", value
        return


def of_settings(text: str) -> Arguments:
    """What a file says that a unit of a distribution reads."""
    words: list[str] = []
    for value in _SETTING.findall(text):
        try:
            # systemd takes the quotes away and cuts what is between them.
            words = " ".join(shlex.split(value, comments=True)).split()
        except ValueError:
            continue
    return read(words)
