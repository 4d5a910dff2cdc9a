# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard of pools with min_up has written down: whether it runs, and which pools all real servers serve."""

from __future__ import annotations

import re
from typing import NamedTuple

PATH = "/run/lvs-topology.guard"
# What keepalived runs, and how the role writes it.
SCRIPT, MODE = "/etc/keepalived/lvs_guard", 0o644
_FIRST = "guard"
_OPEN = "open "
_DOWN = "down "
# Of /proc/PID/stat behind the name of the program: when the process started.
_STARTED = 19
_NUMBER = re.compile(r"[0-9]{1,10}\Z")


class State(NamedTuple):
    """Which process wrote it, when that started, and the pools that are open, as keepalived names them.

    ``down`` are the real servers that are down: ``server`` with protocol and port behind it.
    """

    process: int
    started: str
    open: frozenset[str]
    down: frozenset[str] = frozenset()

    @property
    def down_at_any_port(self) -> frozenset[str]:
        return frozenset(f"{each.rpartition(']')[0]}]" for each in self.down)


def server(pool: str, address: str) -> str:
    """A real server of a pool, without its port: in a group, that in the table is another one."""
    return f"{pool}|[{address}]"


def parse(text: str) -> State | None:
    """What is written there; None where it does not have its form."""
    first, *lines = text.splitlines() or [""]
    words = first.split()
    if len(words) < 3 or words[0] != _FIRST or not _NUMBER.match(words[1]):
        return None
    opened = frozenset(line[len(_OPEN) :] for line in lines if line.startswith(_OPEN))
    down = frozenset(line[len(_DOWN) :] for line in lines if line.startswith(_DOWN))
    return State(int(words[1]), words[2], opened, down)


def read() -> State | None:
    """What the guard that runs has written; None where none runs."""
    try:
        state = parse(_text(PATH))
        return state if state and _started(state.process) == state.started else None
    except OSError:
        return None


def _started(process: int) -> str:
    fields = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
    return fields[_STARTED] if len(fields) > _STARTED else ""


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        return file.read()
