# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that goes into keepalived's configuration as it is, and so must not be able to say anything else there.

The configuration has words, quotes, comments, blocks and variables. What has such a meaning is refused, not escaped:
keepalived's own rules for escapes differ from place to place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from unicodedata import category
from warnings import catch_warnings, simplefilter

from ansible_collections.lvs.topology.plugins.module_utils._forms import is_interface
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Run
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader

# keepalived reads so many bytes of a line, and takes the rest for a line of its own. Raw lines are indented.
_LINE = 1023
_INDENT = 4
# What stands around a value in its line is shorter than the difference.
LONGEST = 900
_LONGEST_NAME = 64
_LONGEST_HOST = 255
_LONGEST_SECRET = 250
# What a placeholder may become: the longest address, the largest port.
_FILLED = {"{address}": "f" * 39, "{port}": "65535"}
# What a shell would act on, and keepalived hands to the command as a part of its arguments.
_SHELL = ";|<>&`"
# Lines that undo what a director is there for, by their first word.
_DANGEROUS = {
    "vrrp_strict": "has keepalived drop packets to the VIPs, and refuse unicast with IPv6, passwords and delays",
    "strict_mode": "has keepalived drop packets to the VIPs, and refuse unicast with IPv6, passwords and delays",
    "no_accept": "has keepalived drop packets to the VIPs before IPVS sees them",
    "vrrp_iptables": "names chains of iptables, which keepalived is mostly built without",
    "vrrp_ipsets": "names sets of iptables, which keepalived is mostly built without",
    "lvs_flush": "empties the IPVS table when keepalived starts, also of what others put there",
    "lvs_flush_onstop": "empties the IPVS table when keepalived stops, also of what others put there",
    "lvs_flush_on_stop": "empties the IPVS table when keepalived stops, also of what others put there",
    "net_namespace": "moves keepalived into another network namespace than the rest of the director",
    "net_namespace_ipvs": "moves the IPVS table into another network namespace than the rest of the director",
    "reload_check_config": "leaves systemd waiting for the end of a reload for ever (seen with 2.2.7)",
}
# Printable, without space, quotes, backslash, # and ! (comments), { } (blocks), $ (variables) and ~ (sequences).
_WORD = re.compile(r"[^\W_]|[%&()*+,\-./:;<=>?@\[\]^_`|]", re.ASCII)
# What of a pattern needs no escape between quotes.
_PLAIN = " %&*()+,-./:;<=>?@_|"
# What Python has in patterns, and Perl not or in another way.
_OF_PYTHON = re.compile(r"(?<!\\)(?:\\\\)*(\\[uUN]|\(\?[aLu])")
# A pattern whose anchors are those of lines, and one that has the beginning or end of all at its own.
_BY_LINES = re.compile(r"\(\?[a-z]*m[a-z]*\)")
_ANCHOR = re.compile(r"\A\^(?!HTTP)|(?<!\\)(?<!\\\\)\$\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")


def special(text: str, also: str = "") -> str | None:
    """The first character of the text that would mean something else to keepalived, or to whoever reads the line."""
    return next((each for each in text if each not in also and not _WORD.match(each)), None)


def show_character(character: str) -> str:
    names = {" ": "a space", "\n": "a line break", "\r": "a line break", "\t": "a tab"}
    return names.get(character, character if character.isprintable() else "a control character")


def discreet(value: Any) -> str:
    """A value that stands where a mapping should: lines of a configuration have a password among them."""
    return "text" if isinstance(value, str) and any(map(str.isspace, value)) else show(value)


def read_word(reader: Reader, key: str, what: str, remedy: str) -> str | None:
    """One word, without any character that has a meaning of its own."""
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        reader.refuse(key, f"{show(value)} is no {what}", remedy)
        return None
    return value if _takes(reader, key, special(value), remedy) and fits(reader, key, value) else None


def fits(reader: Reader, key: str, value: str, most: int = LONGEST) -> bool:
    """Whether keepalived reads a line with this text whole; what is too long is a mistake."""
    if len(value) > most:
        problem = f"has {len(value)} characters, and keepalived reads lines of {_LINE} bytes"
        reader.refuse(key, problem, f"use {most} at most")
    return len(value) <= most


def _takes(reader: Reader, key: str, character: str | None, remedy: str) -> bool:
    if character is not None:
        problem = f"holds {show_character(character)}, which keepalived's configuration reads in its own way"
        reader.refuse(key, problem, remedy)
    return character is None


def _read_like(reader: Reader, key: str, pattern: re.Pattern[str], what: str, remedy: str, most: int) -> str | None:
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.match(value):
        reader.refuse(key, f"{show(value)} is no {what}", remedy)
        return None
    return value if fits(reader, key, value, most) else None


def is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(_NAME.match(value)) and len(value) <= _LONGEST_NAME


def read_name(reader: Reader, key: str) -> str | None:
    return _read_like(reader, key, _NAME, "name", "use letters, digits, and - _ . : after the first one", _LONGEST_NAME)


def read_interface(reader: Reader, key: str) -> str | None:
    value: str | None = reader.take(key)
    if value is None or is_interface(value):
        return value
    reader.refuse(key, f"{show(value)} is no name of an interface", "write it as eth1")
    return None


def read_host(reader: Reader, key: str) -> str | None:
    return _read_like(reader, key, _HOST, "name of a host", "write it as www.example.com", _LONGEST_HOST)


def read_user(reader: Reader, key: str) -> str | None:
    return _read_like(reader, key, _USER, "name of a user", "write it as keepalived_script", _LONGEST_NAME)


def read_command(reader: Reader, key: str, placeholders: tuple[str, ...] = ()) -> str | None:
    """A command with its arguments: no shell reads it, and keepalived itself only cuts it at spaces."""
    remedy = "write one line such as /usr/local/bin/check NAME, and put what needs a shell into the script"
    command = _absolute(reader, key, "command", " '", placeholders, remedy)
    if command is None:
        return None
    if command.count("'") % 2:
        reader.refuse(key, "has a quote that does not end", remedy)
        return None
    # Every second piece stands in quotes, where a character is meant as it is.
    found = next((each for piece in command.split("'")[::2] for each in piece if each in _SHELL), None)
    if found:
        problem = f"holds {found} outside quotes, and no shell reads the command: it would become an argument"
        reader.refuse(key, problem, "put it into a script, or what is an argument into '")
        return None
    return command


def read_secret(reader: Reader, key: str, forbidden: str = "") -> str | None:
    """Text for a file that only one program reads. What is wrong with it is said without showing it."""
    value = reader.take(key)
    if value is None:
        return None
    # A number may not be what was written: YAML reads 0123 as 83.
    if not isinstance(value, str) or not value or value != value.strip() or not value.isprintable():
        reader.refuse(key, "is no text of one line without blanks around it", "write it in quotes")
    elif len(value) > _LONGEST_SECRET:
        reader.refuse(key, f"has {len(value)} characters", f"use {_LONGEST_SECRET} at most")
    elif any(each in forbidden for each in value):
        found = show_character(next(each for each in value if each in forbidden))
        reader.refuse(key, f"holds {found}, which the program that checks cannot send", f"use another {key}")
    else:
        return value
    return None


def read_run(reader: Reader, key: str) -> Run | None:
    """A command that runs when something happens, with a user of its own where one is named."""
    value = reader.take(key)
    if not isinstance(value, Mapping):
        return read_command(reader, key)
    inner = Reader(value, reader.at(key), reader.mistakes)
    script, user = read_command(inner, "script"), read_user(inner, "user")
    if inner.take("script") is None:
        inner.refuse("script", "is missing", "write the command, or leave the key out")
    inner.finish()
    return (script, user) if script and user else script


def read_pattern(reader: Reader, key: str) -> str | None:
    """A regular expression for keepalived, which has it in the way of Perl and says nothing of a wrong one."""
    value = reader.take(key)
    if value is None:
        return None
    problem = problem_of_pattern(value)
    if problem:
        reader.refuse(key, problem, "write one line, in the way that Perl and Python share")
        return None
    return str(value) if fits(reader, key, quoted(value)) else None


def problem_of_pattern(value: Any) -> str | None:
    """Why it is no pattern that keepalived takes."""
    if not isinstance(value, str) or not value or any(category(each)[0] == "C" for each in value):
        return f"{show(value)} is no pattern"
    try:
        with catch_warnings():
            simplefilter("ignore")
            re.compile(value)
    except (re.error, RecursionError, OverflowError) as wrong:
        return f"{show(value)} is no regular expression: {wrong}"
    anchor = None if _BY_LINES.match(value) else _ANCHOR.search(value)
    if anchor:
        # As keepalived 2.2.7 does it: the lines before the page, and the end of the page, are no beginning and no end.
        said = f"{show(value)} has {anchor.group()} without (?m) at its beginning, and is looked for in the whole"
        return f"{said} answer, which begins with the lines of HTTP"
    alone = _OF_PYTHON.search(value)
    return f"{show(value)} holds {show(alone.group(1))}, which keepalived does not know" if alone else None


def quoted(text: str) -> str:
    """Text as it stands between quotes where keepalived knows escapes: all but plain characters by their octal number.

    keepalived takes every hexadecimal digit that follows for one of the number, and three octal ones at most.
    """
    plain = (each if each.isascii() and (each.isalnum() or each in _PLAIN) else _octal(each) for each in text)
    return "".join(plain)


def _octal(character: str) -> str:
    return "".join(f"\\{octet:03o}" for octet in character.encode())


def read_path(reader: Reader, key: str, placeholders: tuple[str, ...] = (), most: int = LONGEST) -> str | None:
    return _absolute(reader, key, "file", "", placeholders, "write it as /run/NAME", most)


def _absolute(
    reader: Reader,
    key: str,
    what: str,
    also: str,
    placeholders: tuple[str, ...],
    remedy: str,
    most: int = LONGEST,
) -> str | None:
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith("/"):
        reader.refuse(key, f"{show(value)} is no {what} with an absolute path", remedy)
        return None
    text = value
    for placeholder in placeholders:
        text = text.replace(placeholder, _FILLED[placeholder])
    return value if _takes(reader, key, special(text, also), remedy) and fits(reader, key, text, most) else None


def read_raw(reader: Reader, key: str) -> str | None:
    """Text of the operator's, which is taken as it is where it stays the lines that it was written as."""
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str):
        reader.refuse(key, f"must be text, is {show(value)}", "write lines of keepalived.conf after |")
        return None
    if any(category(each) in ("Cc", "Cs") and each not in "\t\n\r" for each in value):
        reader.refuse(key, "holds a control character, or half of one in UTF-16", "write plain lines of text")
        return None
    # keepalived knows one end of lines, and Python others besides (U+2028).
    for number, line in enumerate(value.split("\n"), start=1):
        if len(line.encode()) > _LINE - _INDENT:
            problem = f"has {len(line.encode())} bytes in line {number}, and keepalived reads lines of {_LINE} bytes"
            reader.refuse(key, problem, "break the line, or put what is long into a file of its own")
            return None
    for number, line in enumerate(value.splitlines(), start=1):
        for word in _first_words(line):
            if word in _DANGEROUS:
                reader.refuse(key, f"{word} in line {number} {_DANGEROUS[word]}", "take the line out")
    if value.rstrip().endswith("\\"):
        reader.refuse(key, "ends with a backslash, and would go on with a line of ours", "take the backslash away")
        return None
    return value or None


def has_statement(raw: str | None, keyword: str) -> bool:
    """Whether a statement of raw lines begins with this keyword, or with one that is longer."""
    return any(word.startswith(keyword) for line in (raw or "").splitlines() for word in _first_words(line))


def _first_words(line: str) -> list[str]:
    """The word with which each statement of a line begins."""
    text = re.split(r"(?:^|\s)[#!]", line, maxsplit=1)[0]
    statements = (each.split() for each in re.split(r"[{}]", text))
    # A line for one host only begins with @ and that host.
    return [words[1 if words[0].startswith("@") and words[1:] else 0].strip('"') for words in statements if words]
