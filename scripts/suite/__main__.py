# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets side by side: a line when each begins and ends, a log for each, and at the end what failed."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Sequence

from . import report
from .parts import Part, Unknown, choose, in_order, parse
from .processors import Spread
from .together import Run, end_with_parent, reap


class Suite:
    """One run of some parts."""

    def __init__(self, parts: Sequence[Part], jobs: int, logs: Path, memory: Path | None) -> None:
        self._waiting = list(parts)
        self._names = {part.target: part.name for part in parts}
        self._jobs, self._logs, self._memory = jobs, logs, memory
        self._running: dict[Part, tuple[subprocess.Popen[bytes], float]] = {}
        self._began = time.monotonic()
        self.results: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._remembered = remembered(memory)

    def go(self, run: Run) -> None:
        """Run all parts, or as many as there is time for until this run is told to end."""
        # What is interrupted counts as not run, whatever came of it before.
        for part in self._waiting:
            self._remembered.setdefault(part.name, {}).pop("result", None)
        self._remember()
        spread = Spread()
        while (self._waiting or self._running) and not run.must_end():
            self._begin_what_can()
            time.sleep(0.1)
            spread.now_and_then()
            reap({process.pid for process, _began in self._running.values()})
            for part, (process, _began) in list(self._running.items()):
                if process.poll() is not None:
                    self._ended(part, process.returncode)

    def interrupted(self) -> None:
        """Count what has not ended as not passed."""
        for part in (*self._running, *self._waiting):
            self.results[part.name] = "interrupted" if part in self._running else "did not begin"

    def _begin_what_can(self) -> None:
        for part in list(self._waiting):
            done = [self.results.get(self._names[need]) for need in part.needs]
            lacking = [need for need, result in zip(part.needs, done) if result not in (None, "passed")]
            if lacking:
                self._waiting.remove(part)
                self.results[part.name] = f"did not begin, because {lacking[0]} failed"
                self._say(f"{part.name} {self.results[part.name]} ({self._count()})")
            elif None not in done and len(self._running) < self._jobs:
                self._waiting.remove(part)
                self._begin(part)

    def _begin(self, part: Part) -> None:
        # The options of the make above us are not for this one, its variables are.
        flags = os.environ.get("MAKEFLAGS", "")
        variables = flags[flags.index(" -- ") :] if " -- " in flags else ""
        with open(self._logs / f"{part.name}.log", "wb") as log:
            process = subprocess.Popen(
                [os.environ.get("MAKE", "make"), "--no-print-directory", part.target],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # An interrupt from the terminal is for this program, which then ends everything in order.
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509, this program has one thread
                env={**os.environ, "MAKEFLAGS": variables},
            )
        self._running[part] = process, time.monotonic()
        self._say(f"{part.name} begins")

    def _ended(self, part: Part, status: int) -> None:
        _process, began = self._running.pop(part)
        seconds = time.monotonic() - began
        result = "passed" if status == 0 else "FAILED"
        self.results[part.name], self.seconds[part.name] = result, seconds
        entry = self._remembered.setdefault(part.name, {})
        entry["result"], entry["on"] = result, time.strftime("%Y-%m-%d")
        if status == 0:
            entry["seconds"] = round(seconds)
        self._remember()
        where = "" if status == 0 else f": {self._logs / part.name}.log"
        self._say(f"{part.name} {result} in {seconds:.0f} s ({self._count()}){where}")

    def _count(self) -> str:
        return f"{len(self.results)} of {len(self._names)} done"

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.0f} s] {text}", flush=True)

    def _remember(self) -> None:
        if self._memory:
            unfinished = self._memory.with_suffix(".new")
            unfinished.write_text(json.dumps(self._remembered, indent=1, sort_keys=True))
            unfinished.rename(self._memory)

    def summary(self) -> str:
        """What failed with its own lines, what was not tested, how long each part took, and the count."""
        lines, not_tested = [], []
        for name, result in self.results.items():
            log = self._logs / f"{name}.log"
            if result == "FAILED":
                lines += ["", f"=== {name} failed. What its log says, which is {log}:"]
                lines += report.what_failed(log.read_text(errors="replace"))
            elif result == "passed":
                not_tested += report.not_tested(log.read_text(errors="replace"))
        if not_tested:
            lines += ["", "=== What this machine could not test", *(f"  {one}" for one in not_tested)]
        whole = time.monotonic() - self._began
        lines += ["", "=== Time", *report.table(self.seconds, self.results, whole)]
        lines += [f"  load average now: {' '.join(f'{load:.1f}' for load in os.getloadavg())}"]
        not_passed = [f"{name}: {result}" for name, result in self.results.items() if result != "passed"]
        if not_passed:
            lines += ["", "=== Did not pass", *(f"  {one}" for one in not_passed)]
            if self._memory:
                lines.append(f"  Run these alone with: make {self._memory.stem} ONLY=failed")
        return "\n".join([*lines, "", report.last_line(self.results)])


def remembered(memory: Path | None) -> dict[str, Any]:
    """What came of each part the last time, and how long it took."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(memory.read_text()) if memory else {}
        if isinstance(found, dict) and all(isinstance(entry, dict) for entry in found.values()):
            return found
    return {}


def main(argv: Sequence[str]) -> int:
    """Run the command ``scripts/run-suite``."""
    parser = argparse.ArgumentParser(prog="scripts/run-suite", description="Run make targets side by side.")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time")
    parser.add_argument("--only", default="", metavar="NAMES", help="these parts; failed: what did not pass last time")
    parser.add_argument("--later", default="", metavar="NAMES", help="these parts wait until they are named")
    parser.add_argument(
        "--memory",
        type=Path,
        metavar="FILE",
        help="where results are kept from one run to the next; its name is that of the target, without .json",
    )
    parser.add_argument("--logs", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("parts", nargs="+", metavar="TARGET[:NEEDED]")
    options = parser.parse_args(argv)
    last = remembered(options.memory)
    try:
        chosen = in_order(choose(parse(options.parts), options.only, last, options.later), last)
    except Unknown as unknown:
        print(unknown, file=sys.stderr)
        return 2
    if not chosen:
        print("Every part passed the last time: nothing is left to run.")
        return 0
    options.logs.mkdir(parents=True, exist_ok=True)
    with open(options.logs / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run of these tests is under way in this checkout: wait for it, or end it.", file=sys.stderr)
            return 2
        return _go(Run(), Suite(chosen, max(1, options.jobs), options.logs, options.memory))


def _go(run: Run, suite: Suite) -> int:
    try:
        suite.go(run)
    finally:
        if run.told:
            print("Interrupted: everything that was started is being ended.", flush=True)
        run.end()
    suite.interrupted()
    print(suite.summary(), flush=True)
    if run.told:
        return 128 + run.told
    return 0 if set(suite.results.values()) == {"passed"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
