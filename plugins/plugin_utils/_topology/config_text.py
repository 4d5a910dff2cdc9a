# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that goes into keepalived's configuration as it is, and so must not be able to say anything else there.

The configuration has words, quotes, comments, blocks and variables. What has such a meaning is refused, not escaped:
keepalived's own rules for escapes differ from place to place.
"""

from __future__ import annotations

import re

from ansible_collections.lvs.topology.plugins.module_utils._forms import is_interface
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import Reader

# Printable, without space, quotes, backslash, # and ! (comments), { } (blocks), $ (variables) and ~ (sequences).
_WORD = re.compile(r"[^\W_]|[%&()*+,\-./:;<=>?@\[\]^_`|]", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")


def special(text: str, also: str = "") -> str | None:
    """The first character of the text that would mean something else to keepalived, or to whoever reads the line."""
    return next((each for each in text if each not in also and not _WORD.match(each)), None)


def show_character(character: str) -> str:
    names = {" ": "a space", "\n": "a line break", "\r": "a line break", "\t": "a tab"}
    return names.get(character, character if character.isprintable() else "a control character")


def read_word(reader: Reader, key: str, what: str, remedy: str) -> str | None:
    """One word, without any character that has a meaning of its own."""
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        reader.refuse(key, f"{show(value)} is no {what}", remedy)
        return None
    return value if _takes(reader, key, special(value), remedy) else None


def _takes(reader: Reader, key: str, character: str | None, remedy: str) -> bool:
    if character is not None:
        problem = f"holds {show_character(character)}, which keepalived's configuration reads in its own way"
        reader.refuse(key, problem, remedy)
    return character is None


def _read_like(reader: Reader, key: str, pattern: re.Pattern[str], what: str, remedy: str) -> str | None:
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.match(value):
        reader.refuse(key, f"{show(value)} is no {what}", remedy)
        return None
    return value


def read_name(reader: Reader, key: str) -> str | None:
    return _read_like(reader, key, _NAME, "name", "use letters, digits, and - _ . : after the first one")


def read_interface(reader: Reader, key: str) -> str | None:
    value: str | None = reader.take(key)
    if value is None or is_interface(value):
        return value
    reader.refuse(key, f"{show(value)} is no name of an interface", "write it as eth1")
    return None


def read_host(reader: Reader, key: str) -> str | None:
    return _read_like(reader, key, _HOST, "name of a host", "write it as www.example.com")


def read_user(reader: Reader, key: str) -> str | None:
    return _read_like(reader, key, _USER, "name of a user", "write it as keepalived_script")


def read_command(reader: Reader, key: str, placeholders: tuple[str, ...] = ()) -> str | None:
    """A command with its arguments: no shell reads it, and keepalived itself only cuts it at spaces."""
    remedy = "write one line such as /usr/local/bin/check NAME, and put what needs a shell into the script"
    command = _absolute(reader, key, "command", " '", placeholders, remedy)
    if command is not None and command.count("'") % 2:
        reader.refuse(key, "has a quote that does not end", remedy)
        return None
    return command


def read_path(reader: Reader, key: str, placeholders: tuple[str, ...] = ()) -> str | None:
    return _absolute(reader, key, "file", "", placeholders, "write it as /run/NAME")


def _absolute(reader: Reader, key: str, what: str, also: str, placeholders: tuple[str, ...], remedy: str) -> str | None:
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith("/"):
        reader.refuse(key, f"{show(value)} is no {what} with an absolute path", remedy)
        return None
    text = value
    for placeholder in placeholders:
        text = text.replace(placeholder, "")
    return value if _takes(reader, key, special(text, also), remedy) else None


def read_raw(reader: Reader, key: str) -> str | None:
    """Text of the operator's, which is taken as it is."""
    value = reader.take(key)
    if value is None or isinstance(value, str):
        return value or None
    reader.refuse(key, f"must be text, is {show(value)}", "write lines of keepalived.conf after |")
    return None
