# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command, and end everything that it started: daemons, ssh's connections and whole labs included.

Two things find the processes. The kernel gives each orphan below this process to this process (a "child subreaper"), so
that nothing leaves the tree. And the environment of each process names the run that it belongs to, so that the next run
finds what is left of one that was killed with SIGKILL.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Collection, NamedTuple, Sequence

CHECKOUT = Path(__file__).resolve().parents[2]
MARK = "LVS_TOPOLOGY_SUITE"
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Programs that hear SIGTERM may tidy up for so long. The first process of a lab cannot hear it.
_PATIENCE = 3.0
# What is alive after this time belongs to somebody whom this user may not end.
_GIVE_UP = 30.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Process(NamedTuple):
    """What /proc says about a process."""

    pid: int
    parent: int
    state: str
    started: str


def process(pid: int) -> Process | None:
    """One process, or None where it is gone."""
    try:
        # The name of the program stands in parentheses, and may hold any byte.
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].decode("ascii", "replace").split()
    except OSError:
        return None
    return Process(pid, int(words[1]), words[0], words[19])


def processes() -> list[Process]:
    """Every process that this user can see."""
    found = (process(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return [one for one in found if one is not None]


def descendants(root: int) -> list[int]:
    """The living processes below a process, children before their own children."""
    children: dict[int, list[Process]] = {}
    for one in processes():
        children.setdefault(one.parent, []).append(one)
    found, parents = [], [root]
    while parents:
        below = children.get(parents.pop(), [])
        found += [one.pid for one in below if one.state != "Z"]
        parents += [one.pid for one in below]
    return found


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends, however that ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def reap(waited_for: Collection[int] = ()) -> None:
    """Take leave of orphans that ended. Processes that somebody here waits for keep their exit status."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in waited_for:
            return
        os.waitpid(ended.si_pid, 0)


def end_everything() -> list[int]:
    """End every process below this one, with SIGTERM and later SIGKILL; return those that could not be ended."""
    began = time.monotonic()
    told: set[int] = set()
    while True:
        reap()
        alive = descendants(os.getpid())
        past = time.monotonic() - began
        if not alive or past > _GIVE_UP:
            return alive
        for pid in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if past > _PATIENCE:
                    os.kill(pid, signal.SIGKILL)
                elif pid not in told:
                    os.kill(pid, signal.SIGTERM)
        told.update(alive)
        time.sleep(0.05)


def _mark_of(pid: int) -> list[str]:
    """The run that a process belongs to: checkout, process id and start of the run; empty for every other process."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
    marks = [word for word in environment if word.startswith(MARK.encode() + b"=")]
    return os.fsdecode(marks[0]).partition("=")[2].rsplit(":", 2) if marks else []


def left_by_killed_runs() -> list[int]:
    """Processes of runs in this checkout that are no longer there to end them."""
    found = []
    for one in processes():
        mark = _mark_of(one.pid)
        if len(mark) != 3 or mark[0] != str(CHECKOUT) or one.state == "Z":
            continue
        run = process(int(mark[1])) if mark[1].isdigit() else None
        if run is None or run.started != mark[2]:
            found.append(one.pid)
    return found


def tidy_labs() -> None:
    """Remove the files of labs that have ended. Labs that run are left alone."""
    if any((CHECKOUT / ".cache/lab/run").glob("*/network.yml")):
        subprocess.run([CHECKOUT / "lab/lab", "down", "--ended"], stdin=subprocess.DEVNULL, check=False)


class Run:
    """Everything that is started from here on: it ends when this process does, or is told to."""

    def __init__(self, keep: bool = False) -> None:
        """Keep: what the command leaves when it ends by itself goes on running."""
        self.keep = keep
        self.told = 0
        self._parent = os.getppid()
        self._parent_caught = _caught_by_make(self._parent)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        end_with_parent()
        for number in ENDING_SIGNALS:
            # nohup ignores SIGHUP, and means it. That a shell has what it starts behind it ignore SIGINT means nothing.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._tell)
        if not keep and MARK not in os.environ:
            self._clear_up()
            me = process(os.getpid())
            assert me is not None  # noqa: S101, it is this process
            os.environ[MARK] = f"{CHECKOUT}:{me.pid}:{me.started}"

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        self.told = self.told or number

    def _clear_up(self) -> None:
        began, left = time.monotonic(), left_by_killed_runs()
        if left:
            print(f"An earlier run was killed here. Its {len(left)} processes are ended now.", flush=True)
        while left and time.monotonic() - began < _GIVE_UP:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
            left = left_by_killed_runs()
        tidy_labs()

    def must_end(self) -> bool:
        """Whether this run was told to end, by a signal to itself or to the make that started it."""
        # make passes on SIGTERM only. At any other signal it takes its handler away and waits for its recipes.
        if not self.told and self._parent_caught & ~_caught_by_make(self._parent):
            self.told = signal.SIGHUP
        return bool(self.told)

    def end(self) -> None:
        """End what was started; say what could not be ended."""
        if self.keep and not self.told:
            return
        stubborn = end_everything()
        if stubborn:
            print(f"These processes could not be ended: {' '.join(map(str, stubborn))}", file=sys.stderr, flush=True)
        tidy_labs()
        reap()


def _caught_by_make(pid: int) -> int:
    """The ending signals that a make has a handler for, as a mask; 0 for another program, and where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    said = {name: value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    if "make" not in said["Name"]:
        return 0
    return int(said["SigCgt"], 16) & sum(1 << (number - 1) for number in ENDING_SIGNALS)


def main(argv: Sequence[str]) -> int:
    """Run the command ``scripts/together``."""
    parser = argparse.ArgumentParser(
        prog="scripts/together", description="Run a command, and end everything that it started when it ends."
    )
    parser.add_argument("--keep", action="store_true", help="end it only when interrupted")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args(argv)
    if not options.command:
        parser.error("which command?")
    run = Run(options.keep)
    status = 0
    try:
        if not run.must_end():
            child = subprocess.Popen(options.command, preexec_fn=end_with_parent)  # noqa: PLW1509, there is one thread
            while child.poll() is None and not run.must_end():
                reap({child.pid})
                time.sleep(0.1)
            status = child.returncode or 0
    except OSError as error:
        print(f"{options.command[0]}: {error.strerror}", file=sys.stderr)
        status = 127
    finally:
        run.end()
    if run.told:
        print("Interrupted. Everything that was started is ended.", file=sys.stderr)
        return 128 + run.told
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
