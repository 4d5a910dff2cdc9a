# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BIRD and conntrackd say of themselves, by their own commands. Each has seconds for it, and no more."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from typing import Iterable, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_text
from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import UNREADABLE, Counts, counts_of
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import Session
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# Where root alone installs commands.
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# A daemon that hangs answers nobody. What one may say is more than thousands of sessions are.
_SECONDS, _MOST_BYTES = 5.0, 2**24
# What birdc says of a session that has ended since it was looked at.
_NO_ROUTES = "No valid tables"


def bird(sessions: Sequence[Session], families: Iterable[int] = ()) -> bird_text.Said:
    """What BIRD says of these sessions, and of VIPs of these address families. With -r, birdc can change nothing."""
    known = {each["name"]: each["state"] for each in bird_text.sessions_of(_birdc("show", "protocols", "all"))}
    states = {each.name: known[each.name] for each in sessions if each.name in known}
    heard: frozenset[str] = frozenset()
    if any(each.bfd for each in sessions):
        heard = bird_text.heard_by_bfd(_birdc("show", "bfd", "sessions"))
    announced: set[str] = set()
    for name, state in states.items():
        if state == bird_text.ESTABLISHED:
            announced |= bird_text.routes_to(_birdc("show", "route", "export", name, unless=_NO_ROUTES))
    learned: set[str] = set()
    for family in families:
        learned |= bird_text.routes_to(_birdc("show", "route", "table", f"lvs{family}"))
    return bird_text.Said(states, heard, frozenset(announced), frozenset(learned))


def conntrackd() -> Counts:
    """What conntrackd has counted. Where it is told by its socket, that is root's alone."""
    found = counts_of(_said("conntrackd", "-s"))
    if found is None:
        raise Refused(UNREADABLE)
    return found


def _birdc(*words: str, unless: str | None = None) -> str:
    return _said("birdc", "-r", *words, unless=unless)


def _said(program: str, *words: str, unless: str | None = None) -> str:
    """What a command prints; nothing where it fails and says ``unless``."""
    path, called = shutil.which(program, path=_PATH), " ".join([program, *words])
    if path is None:
        raise Refused(f"there is no {program} in {_PATH}")
    with subprocess.Popen(
        [path, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
    ) as process:
        ended = threading.Event()
        watch = threading.Thread(target=_end_late, args=(process, ended), daemon=True)
        watch.start()
        try:
            output = process.stdout.read(_MOST_BYTES + 1) if process.stdout else b""
            is_whole = len(output) <= _MOST_BYTES
            if not is_whole:
                process.kill()
            status = process.wait()
        finally:
            ended.set()
            watch.join()
    text = output.decode("utf-8", "replace")
    if not is_whole:
        raise Refused(f"{called} says more than {_MOST_BYTES} bytes")
    if status < 0:
        raise Refused(f"{called} was not done after {_SECONDS:.0f} seconds")
    if status and unless and unless in text:
        return ""
    if status:
        last = text.strip().rpartition("\n")[2]
        raise Refused(f"{called} failed: {last!a}")
    return text


def _end_late(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    if not ended.wait(_SECONDS):
        process.kill()
