# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reload does with certain releases of keepalived that nobody expects. Pure."""

from __future__ import annotations

import re

_VERSION = re.compile(r"Keepalived v(\d+)\.(\d+)\.(\d+)")
# keepalived writes host and port; what the file of a director has between them is any blank.
_SORRY = re.compile(r"^[ \t]*sorry_server[ \t]+(\S+)[ \t]+(\S+)", re.MULTILINE)
_REAL = re.compile(r"^[ \t]*real_server[ \t]", re.MULTILINE)
# From issue 2601 of keepalived, and seen with Debian's 2.3.3: the process of the checks ends, and is started again.
_CRASHES_WITHOUT_SORRY_SERVER = (2, 3, 3)
# From issue 2318 of keepalived: a reload of 37,000 real servers took 132 s before it, and 0.24 s with it.
_RELOADS_MANY_FAST = (2, 3, 0)
_MANY = 2000


def has_news(before: str, after: str) -> bool:
    """Whether the release matters at all when one configuration follows another."""
    return before != after and bool(_gone(before, after) or len(_REAL.findall(after)) >= _MANY)


def warnings(said: str, before: str, after: str) -> list[str]:
    """What a user should know before a reload, by what ``keepalived --version`` said."""
    found = _VERSION.search(said)
    if not found:
        return []
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
    return lines


def _gone(before: str, after: str) -> list[str]:
    """The sorry servers of one configuration that another has not."""
    kept = set(_SORRY.findall(after))
    return [" ".join(each) for each in dict.fromkeys(_SORRY.findall(before)) if each not in kept]
