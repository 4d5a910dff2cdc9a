# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run of ansible-playbook this is, by its process on the controller; whether another one has ended."""

from __future__ import annotations

import getpass
import json
import multiprocessing
import os
import platform
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible.errors import AnsibleActionFail
from ansible_collections.lvs.topology.plugins.module_utils._turn import PATH

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Run(NamedTuple):
    """A run of ansible-playbook: a process is named by its start as well, because numbers come again."""

    controller: str
    boot: str
    process: int
    started: str

    def __str__(self) -> str:
        return "/".join(map(str, self))

    @property
    def who(self) -> str:
        return f"{_user()} on {self.controller}, process {self.process}"

    @classmethod
    def this(cls) -> Run:
        """The run of which this process is a part: tasks are carried out by children of ansible-playbook."""
        parent = multiprocessing.parent_process()
        process = os.getpid() if parent is None or parent.pid is None else parent.pid
        return cls(*_machine(), process, _start_of(process) or "")

    @classmethod
    def from_text(cls, text: str) -> Run | None:
        """The run that str() named; None for anything else."""
        parts = text.split("/")
        if len(parts) != len(cls._fields) or not (parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < 10):
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    def has_ended(self) -> bool:
        """Whether it is certain that the run is over. Of runs of other controllers nothing is certain."""
        if not self.started or (self.controller, self.boot) != _machine():
            return False
        started = _start_of(self.process)
        # The start of another user's process may be hidden (the mount option hidepid of /proc).
        return not _is_there(self.process) if started is None else started != self.started


def give_back(execute: Callable[[str], Mapping[str, Any]]) -> None:
    """End this run's turn on a host where commands are executed. A module call costs a slow host a second.

    Nobody else takes a turn that is this run's, so there is nothing to lock.
    """
    said = shlex.quote(json.dumps(str(Run.this())))
    answer = execute(f"if grep -qsF -- {said} {PATH}; then rm -f {PATH}; fi")
    if answer["rc"] != 0:
        raise AnsibleActionFail(f"{PATH} cannot be removed: {answer['stderr'].strip()}. Run as root (become: true).")


def _machine() -> tuple[str, str]:
    """The host, and its boot with the namespace of its processes: containers of one host may share its name."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
        processes = "".join(filter(str.isdigit, os.readlink("/proc/self/ns/pid")))
    except OSError:
        boot = processes = ""
    return platform.node().replace("/", "_"), f"{boot}-{processes}"


def _start_of(process: int) -> str | None:
    """When a process started, in ticks since the boot; that it has ended, of a zombie; None where that is unknown."""
    try:
        # The second field is the program's name, in which anything may be.
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return "ended" if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # It is another user's.
        return True
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user whom nobody has named.
        return f"user {os.getuid()}"
