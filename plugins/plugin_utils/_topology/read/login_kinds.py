# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks that log in: which program makes each of them, with which arguments, and what it reads from a file.

The programs are monitoring-plugins and curl. Host and port stand on their command lines, and whatever the model says
besides in a file, because everybody on the director sees command lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import read_secret
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader

# Of the file that a plugin reads.
SECTION = "check"


@dataclass(frozen=True)
class Login:
    """A kind of check that a program makes.

    ``keys`` are its options, each with the name that the program has for it in its file. ``needed`` are those that have
    to be there. ``words`` are the arguments of the program, with the placeholders of a misc check. ``first`` stands at
    the beginning of its file. ``unsent`` are characters of an option that the program takes for something else.
    """

    program: str
    port: int
    keys: Mapping[str, str]
    words: str
    needed: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    unsent: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_plugin(self) -> bool:
        return self.program.startswith("check_")


def _plugin(program: str, port: int, keys: Mapping[str, str], words: str, **more: Any) -> Login:
    return Login(program, port, keys, f"{words} --extra-opts={SECTION}@{{file}}", **more)


def _curl(scheme: str, port: int, needed: tuple[str, ...], words: str = "") -> Login:
    # The status of curl is 0 where the login succeeded, and what it was for.
    said = f"--silent --output /dev/null {words}--max-time {{timeout}} --config {{file}} {scheme}://{{host}}:{{port}}/"
    # curl has both in one word, and ends the login at the first colon.
    return Login("curl", port, {"login": "user", "password": "user"}, said, needed, unsent={"login": ":"})


LOGINS: Mapping[str, Login] = {
    "ldap": _plugin(
        "check_ldap",
        389,
        {"base": "base", "login": "bind", "password": "pass"},
        "-H {host} -p {port} -t {timeout}",
        needed=("base",),
        first=("ver3=",),
    ),
    "mysql": _plugin(
        "check_mysql",
        3306,
        {"login": "username", "password": "password", "database": "database"},
        "-H {address} -P {port}",
        needed=("login",),
    ),
    "pgsql": _plugin(
        "check_pgsql",
        5432,
        {"login": "logname", "password": "password", "database": "database"},
        "-H {address} -P {port} -t {timeout}",
        needed=("login",),
    ),
    "redis": _plugin(
        "check_tcp",
        6379,
        {"password": "send"},
        "-H {address} -p {port} -t {timeout}",
        first=("escape=",),
        # A line of Redis is cut at spaces, and check_tcp reads backslashes in its own way.
        unsent={"password": " \\\"'"},
    ),
    "imap": _curl("imap", 143, ("login", "password")),
    "pop": _curl("pop3", 110, ("login", "password")),
    "ftp": _curl("ftp", 21, (), "--list-only "),
}


def reader_of(kind: str) -> Callable[[Reader], dict[str, Any]]:
    """What reads the options that only such a check has."""

    def read(reader: Reader) -> dict[str, Any]:
        login = LOGINS[kind]
        found = {key: read_secret(reader, key, login.unsent.get(key, "")) for key in login.keys}
        for key in login.needed:
            if reader.take(key) is None:
                reader.refuse(key, "is missing", f"a check of type {kind} needs it")
        if reader.take("password") is not None and "login" in login.keys and reader.take("login") is None:
            reader.refuse("password", "has no login to go with", "write who logs in")
        return found

    return read
