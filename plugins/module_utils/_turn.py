# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is on this host: one run of a playbook at a time, from its first look to its last change.

A run consists of many module calls, so no lock of a process can hold it together. A file says whose turn it is. Each
module of that run brings the file up to date; a run that says nothing for an hour has lost its turn. The file is in
/run, so no turn outlives a reboot.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Collection, Iterator

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

PATH = "/run/lvs-topology.turn"
# What the plays of a run have in their environment, and its modules therefore too.
ENVIRONMENT = "LVS_TOPOLOGY_RUN"
# The longest that a run may leave a host alone: longer than it waits for its turn on another host, and then for dpkg.
EXPIRES = 3600.0
_LARGEST = 4096
_LONGEST = 300


class NotOurTurn(Exception):
    """The run may not go on at this host, or the host cannot keep turns. The message says why and what to do."""


@dataclass(frozen=True)
class Turn:
    """Which run has its turn, who started it, since when, and when it was last heard of, in seconds since the boot."""

    run: str
    who: str
    since: str
    heard: float


def ensure_turn(module: AnsibleModule) -> dict[str, Any]:
    """What the module turn does on the host."""
    params = module.params
    if module.check_mode:
        return {"changed": False, "taken": True, "run": ""}
    run = params["run"]
    if not run or len(run) > _LONGEST:
        raise NotOurTurn("run: the module works only where its action plugin of the same name says which run it is.")
    if params["state"] == "given_back":
        give_back(run)
        return {"changed": False, "taken": False, "run": run}
    now = take(run, params["who"][:_LONGEST], params["ended"])
    return {
        "changed": False,
        "taken": now.run == run,
        "run": run,
        "holder": {"run": now.run, "who": now.who, "since": now.since},
    }


def take(run: str, who: str, ended: Collection[str] = (), path: str = PATH) -> Turn:
    """Take the turn if nobody has it, or only a run that has ended. The answer is whose turn it is then."""
    with _opened(path) as file:
        now = _read(file)
        if now is None or (now.run != run and (now.run in ended or _has_expired(now))):
            now = Turn(run, who, time.strftime("%Y-%m-%d %H:%M:%S %z"), _clock())
            _write(file, now)
        elif now.run == run:
            now = _hear(file, now)
        return now


def keep(path: str = PATH) -> None:
    """See that it is still this module's run whose turn it is. A module outside of such a run is not held up."""
    run = os.environ.get(ENVIRONMENT)
    if not run:
        return
    # Who took it has said who it is. After a reboot nobody has the turn, and the run goes on.
    now = take(run, "a run that went on after a reboot", path=path)
    if now.run != run:
        raise NotOurTurn(
            f"It is the turn of another run on this host, {now.who}, since {now.since}. This run was silent for more "
            f"than {EXPIRES / 60:.0f} minutes, or could not reach the host when it began. Run it again once the other "
            "one has ended."
        )


def give_back(run: str, path: str = PATH) -> None:
    """End this run's turn. That of another run goes on."""
    with _opened(path) as file:
        now = _read(file)
        if now is None or now.run == run:
            os.unlink(path)


def _has_expired(turn: Turn) -> bool:
    # A time to come is of an earlier boot.
    return not 0 <= _clock() - turn.heard <= EXPIRES


def _clock() -> float:
    # Nobody sets this clock, and it goes on while the host sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _hear(file: int, turn: Turn) -> Turn:
    heard = Turn(turn.run, turn.who, turn.since, _clock())
    _write(file, heard)
    return heard


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    """The file, which nobody else reads or writes meanwhile."""
    try:
        file = _open_locked(path)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as problem:
        raise NotOurTurn(
            f"{path}, where runs that work on this host take turns, cannot be used: {problem.strerror}. Run as root, "
            "and see that /run can be written."
        ) from problem


def _open_locked(path: str) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        # Whoever gave its turn back in between has removed the file.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(file)):
                return file
        os.close(file)


def _read(file: int) -> Turn | None:
    """Whose turn it is; None: nobody's. What a killed or mistaken writer left is nobody's either."""
    os.lseek(file, 0, os.SEEK_SET)
    try:
        found = json.loads(os.read(file, _LARGEST).decode("utf-8"))
        turn = Turn(str(found["run"]), str(found["who"]), str(found["since"]), float(found["heard"]))
    # A number may be too large as well.
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return turn


def _write(file: int, turn: Turn) -> None:
    os.lseek(file, 0, os.SEEK_SET)
    content = json.dumps(asdict(turn)).encode("ascii")
    os.write(file, content)
    os.ftruncate(file, len(content))
