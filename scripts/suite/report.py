# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about a run. Pure: text in, text out."""

from __future__ import annotations

import re
from typing import Mapping, Sequence

_TAIL = 25
_OF_ONE_TEST = 30
_AT_MOST = 90
_WIDTH = 400
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What molecule writes before each line of a program that it runs.
_FRAME = re.compile(r"^  │ ?")
_NOISE = re.compile(r"^make(\[\d+\])?: ")
# Under molecule, pytest's headings are wider than the line and continue on the next one.
_SECTION = re.compile(r"^=+ (FAILURES|ERRORS)( =+)?$")
_NEXT_SECTION = re.compile(r"^=+ [^=]")
_HEADING = re.compile(r"^_{3,} .+$")
_REASON = re.compile(r"^(E  |>  |\S+:\d+: )")
_SUMMARY = re.compile(r"^(FAILED|ERROR) ")
_TASK = re.compile(r"^(TASK|RUNNING HANDLER|PLAY) \[")
_NOT_TESTED = "NOT TESTED: "
_FATAL = re.compile(r"^(fatal: |failed: |\[ERROR\]|ERROR!)")


def what_failed(log: str) -> list[str]:
    """The lines of a failed part's log that say what failed.

    Of pytest: the failed tests with their reasons. Of Ansible: the failed tasks. Where there is neither: the end.
    """
    lines = [_FRAME.sub("", line).rstrip() for line in _COLOUR.sub("", log).replace("\r", "\n").split("\n")]
    lines = [line for line in lines if line and not _NOISE.match(line)]
    found = [*_of_pytest(lines), *_of_ansible(lines)] or lines[-_TAIL:]
    if len(found) > _AT_MOST:
        left_out = len(found) - _AT_MOST
        found = [*found[: _AT_MOST // 2], f"... {left_out} lines are left out here ...", *found[-_AT_MOST // 2 :]]
    return [line if len(line) <= _WIDTH else line[:_WIDTH] + " ..." for line in found]


def _of_pytest(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    inside, room = False, 0
    for line in lines:
        if _SECTION.match(line):
            inside = True
        elif _NEXT_SECTION.match(line):
            inside = False
        elif inside and _HEADING.match(line):
            found.append(f"___ {line.strip('_ ')} ___")
            room = _OF_ONE_TEST
        elif inside and room and _REASON.match(line):
            found.append(line)
            room -= 1
        elif not inside and _SUMMARY.match(line):
            found.append(line)
    return found


def _of_ansible(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    task = ""
    for line in lines:
        if _TASK.match(line):
            task = line.rstrip("* ")
        elif _FATAL.match(line):
            found += [task, line] if task else [line]
            task = ""
    return found


def not_tested(log: str) -> list[str]:
    """What a part says that it did not test, because the machine lacks what that takes."""
    return [line[line.index(_NOT_TESTED) :] for line in log.splitlines() if _NOT_TESTED in line]


def table(seconds: Mapping[str, float], results: Mapping[str, str], whole: float) -> list[str]:
    """How long each part took, longest first, and how busy that kept this run."""
    width = max([len(name) for name in seconds], default=0)
    order = sorted(seconds, key=lambda name: -seconds[name])
    lines = [f"  {name:{width}}  {seconds[name]:6.0f} s  {results[name]}" for name in order]
    total = sum(seconds.values())
    side_by_side = f"; {total / whole:.1f} parts side by side on average" if whole else ""
    return [*lines, f"  {'in all':{width}}  {whole:6.0f} s{side_by_side}"]


def last_line(results: Mapping[str, str]) -> str:
    """How many parts passed and failed; what did not run to its end did not pass."""
    passed = sum(result == "passed" for result in results.values())
    return f"{passed} passed, {len(results) - passed} failed"
