# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reload does with certain releases of keepalived that nobody expects. Pure."""

from __future__ import annotations

import re
from typing import Iterator

_VERSION = re.compile(r"Keepalived v(\d+)\.(\d+)\.(\d+)")
# What begins a service, and host and port of its sorry server.
_SERVICE = re.compile(r"[ \t]*virtual_server[ \t]+([^{]+)")
_SORRY = re.compile(r"[ \t]*sorry_server[ \t]+(\S+)[ \t]+(\S+)")
_REAL = re.compile(r"^[ \t]*real_server[ \t]", re.MULTILINE)
# From issue 2601 of keepalived, and seen with Debian's 2.3.3: the process of the checks ends, and is started again.
_CRASHES_WITHOUT_SORRY_SERVER = (2, 3, 3)
# From issue 2318 of keepalived: a reload of 37,000 real servers took 132 s before it, and 0.24 s with it.
_RELOADS_MANY_FAST = (2, 3, 0)
_MANY = 2000
# From keepalived's commits 03e88dd3 and a0845cb2: what 2.4.0 and 2.4.1 sign, later releases do not take.
_SIGNS = (2, 4, 2)
_HMAC = re.compile(r"^[ \t]*auth_hmac[ \t]*\{", re.MULTILINE)


def has_news(before: str, after: str) -> bool:
    """Whether the release matters at all when one configuration follows another."""
    return before != after and bool(_gone(before, after) or len(_REAL.findall(after)) >= _MANY or _HMAC.search(after))


def warnings(said: str, before: str, after: str) -> list[str]:
    """What a user should know before a reload, by what ``keepalived --version`` said."""
    found = _VERSION.search(said)
    if not found:
        return [
            "keepalived does not say which release it is. 2.3.3 may end its health checks at this reload, and releases "
            "before 2.3.0 take minutes for thousands of real servers. auth_hmac needs 2.4.2."
        ]
    version = tuple(map(int, found.groups()))
    name = "keepalived " + ".".join(found.groups())
    lines = []
    gone = _gone(before, after)
    if gone and version == _CRASHES_WITHOUT_SORRY_SERVER:
        lines.append(
            f"{name} ends its health checks by a segmentation fault, and begins them anew, when a reload takes away a "
            f"sorry server that serves at that moment ({', '.join(gone)}). The table stays, but real servers that are "
            "down get clients until their next check. Do this while the real servers of the service are up, or bring "
            "keepalived to 2.3.4 first."
        )
    count = len(_REAL.findall(after))
    if count >= _MANY and version < _RELOADS_MANY_FAST:
        lines.append(
            f"{name} may take minutes to reload {count} real servers, and checks nothing in that time; 2.3.0 takes "
            "less than a second."
        )
    if _HMAC.search(after) and version < _SIGNS:
        lines.append(
            f"{name} signs its adverts (auth_hmac) not at all, or in a way that 2.4.2 does not take: with another "
            "release on the other director both become masters. Bring all of them to 2.4.2 first."
        )
    return lines


def _gone(before: str, after: str) -> list[str]:
    """The sorry servers that a service has in one configuration, and not in another."""
    kept = set(_sorry_servers(after))
    gone = (each for each in _sorry_servers(before) if each not in kept)
    return list(dict.fromkeys(f"{host} {port}" for _service, host, port in gone))


def _sorry_servers(text: str) -> Iterator[tuple[str, str, str]]:
    service = ""
    for line in text.splitlines():
        begins, sorry = _SERVICE.match(line), _SORRY.match(line)
        if begins:
            service = " ".join(begins[1].split())
        elif sorry:
            yield service, sorry[1], sorry[2]
