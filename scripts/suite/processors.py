# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spread the lab's kernels over the processors, by what they do at the moment.

Each User-Mode Linux stays on one processor with the programs that it runs (lab/lvslab/uml.py says why). The system
therefore does not move one away from a crowded processor while another is idle, and some labs side by side are idle and
busy in turns. So every few seconds the busiest processor gives one away.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from typing import Iterable, Mapping, NamedTuple

_NAME = "linux.uml"
_INTERVAL = 2.0
# In parts of one processor. Less is not worth moving.
_UNEVEN = 0.3
_TICKS = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """A process of a User-Mode Linux: its parent, and the seconds that it and those who have ended below it took."""

    parent: int
    seconds: float


class Spread:
    """Remembers what each kernel had taken the last time."""

    def __init__(self, processors: Iterable[int] | None = None) -> None:
        self._processors = sorted(processors or os.sched_getaffinity(0))
        self._taken: dict[int, float] = {}
        self._at = time.monotonic()

    def now_and_then(self) -> None:
        """Look every few seconds, however often this is called."""
        passed = time.monotonic() - self._at
        if passed < _INTERVAL or len(self._processors) < 2:
            return
        self._at += passed
        processes = _processes()
        members = families(processes)
        taken = {kernel: sum(processes[each].seconds for each in family) for kernel, family in members.items()}
        load = {kernel: (now - self._taken.get(kernel, now)) / passed for kernel, now in taken.items()}
        self._taken = taken
        seats = {kernel: _seat(kernel) for kernel in members}
        moved = better_seats(
            load, {kernel: seat for kernel, seat in seats.items() if seat is not None}, self._processors
        )
        for kernel, seat in moved.items():
            for each in members[kernel]:
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(each, {seat})


def better_seats(load: Mapping[int, float], seats: Mapping[int, int], processors: Iterable[int]) -> dict[int, int]:
    """Which kernel moves to which processor: those that make the busiest and the idlest ones more alike."""
    busy: dict[int, float] = dict.fromkeys(processors, 0.0)
    now = {kernel: seat for kernel, seat in seats.items() if seat in busy}
    for kernel, seat in now.items():
        busy[seat] += load[kernel]
    moved: dict[int, int] = {}
    for _step in now:
        most, least = max(busy, key=busy.__getitem__), min(busy, key=busy.__getitem__)
        gap = busy[most] - busy[least]
        # What takes more than half of the difference would only turn it round.
        small = [kernel for kernel, seat in now.items() if seat == most and 0 < load[kernel] <= gap / 2]
        if gap < _UNEVEN or not small:
            break
        kernel = max(small, key=load.__getitem__)
        now[kernel] = moved[kernel] = least
        busy[most] -= load[kernel]
        busy[least] += load[kernel]
    return moved


def families(processes: Mapping[int, Process]) -> dict[int, list[int]]:
    """Each kernel with the processes that are its programs, and its own."""
    found: dict[int, list[int]] = defaultdict(list)
    for pid in processes:
        kernel = pid
        while processes[kernel].parent in processes:
            kernel = processes[kernel].parent
        found[kernel].append(pid)
    return found


def _seat(kernel: int) -> int | None:
    with contextlib.suppress(OSError):
        seats = os.sched_getaffinity(kernel)
        if len(seats) == 1:
            return seats.pop()
    return None


def _processes() -> dict[int, Process]:
    found = {}
    for name in os.listdir("/proc"):
        # It may end while it is looked at, and somebody else's may not be looked at.
        with contextlib.suppress(OSError, ValueError):
            if name.isdigit():
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    _pid, _open, rest = file.read().partition("(")
                program, _close, fields = rest.rpartition(") ")
                if program == _NAME:
                    words = fields.split()
                    found[int(name)] = Process(int(words[1]), sum(map(int, words[11:15])) / _TICKS)
    return found
