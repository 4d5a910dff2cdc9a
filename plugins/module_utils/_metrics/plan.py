# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which a director writes its metrics, and which have to change. Pure."""

from __future__ import annotations

import hashlib
import posixpath
from typing import Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_plan
from ansible_collections.lvs.topology.plugins.module_utils._boot.boot_script import DIRECTORY, SANDBOX
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, RemoveFile, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._metrics import description
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, joined

PROGRAM_PATH = f"{DIRECTORY}/metrics.pyz"
UNIT = "lvs-topology-metrics.service"
TIMER = "lvs-topology-metrics.timer"
UNIT_PATH = f"/etc/systemd/system/{UNIT}"
TIMER_PATH = f"/etc/systemd/system/{TIMER}"
LINK = f"/etc/systemd/system/timers.target.wants/{TIMER}"
_HEAD = "# Managed by lvs.topology. Changes are overwritten.\n"
# Those of the unit for the boot, but for what it may and this one need not, and what this one has to see.
_NOT_OURS = ("CapabilityBoundingSet=", "RestrictAddressFamilies=", "ProtectProc=", "UMask=", "#")
_SANDBOX = "\n".join(line for line in SANDBOX.splitlines() if not line.startswith(_NOT_OURS))
_DIGITS = 12


class Wanted(NamedTuple):
    """What shall be there: the description as a file, and what the unit is to be told."""

    described: description.Description
    text: str
    program: bytes
    python: str
    # The owner of node_exporter's directory, who may write there without any right of root.
    user: str


class Current(NamedTuple):
    """What is there. ``is_enabled`` is None where there is no systemd; ``old`` is a file of metrics that goes.

    The timer is what is enabled and runs, and the program what failed.
    """

    files: Mapping[str, File | None]
    is_enabled: bool | None
    is_running: bool
    is_failed: bool
    old: str | None


def description_path(owner: str) -> str:
    return f"{DIRECTORY}/{owner}.json"


def plan_metrics(owner: str, wanted: Wanted | None, current: Current) -> Plan:
    """The change that makes the director write its metrics; None: it shall write none."""
    path = description_path(owner)
    files = current.files
    texts = {path: None, UNIT_PATH: None, TIMER_PATH: None} if wanted is None else _texts(wanted, path)
    described, unit, timer = (
        plan_file(each, files[each], None if text is None else File(text), own_directory=each == path)
        for each, text in texts.items()
    )
    program = _program(files[PROGRAM_PATH], None if wanted is None else wanted.program)
    old = _gone(current.old)
    # A run that goes on would write the file once more.
    end = systemctl("stop", UNIT) if files[UNIT_PATH] and (wanted is None or current.old) else Plan()
    if current.is_enabled is None:
        return joined(program, described, unit, timer, old)
    reload = systemctl("daemon-reload") if unit.changes or timer.changes else Plan()
    if wanted is None:
        stop = systemctl("stop", TIMER) if current.is_running else Plan()
        stop = systemctl("disable", "--now", TIMER) if current.is_enabled else stop
        forget = systemctl("reset-failed", UNIT) if current.is_failed else Plan()
        return joined(stop, end, forget, unit, timer, reload, program, described, old)
    # A timer that runs goes by what it read when it was started.
    is_anew = timer.changes or not (current.is_enabled and current.is_running)
    restart = systemctl("restart", TIMER) if is_anew else Plan()
    enable = Plan() if current.is_enabled else systemctl("enable", TIMER)
    return joined(program, described, unit, timer, reload, end, enable, restart, old)


def _gone(path: str | None) -> Plan:
    """Without the file of metrics. Who owns the directory may have made it a link to any other one."""
    if path is None:
        return Plan()
    return Plan((Change(f"remove {path}", RemoveFile(path, follows=False)),), (f"# {path}",), ())


def _program(current: File | None, wanted: bytes | None) -> Plan:
    """Of a program the digest says whether it is another one. Its bytes are no text to read."""
    file = None if wanted is None else File(wanted.decode("utf-8", "surrogateescape"))
    plan = plan_file(PROGRAM_PATH, current, file, own_directory=True)
    return Plan(plan.changes, *((*lines[:1], digest) if lines else () for lines, digest in _told(plan, current, file)))


def _told(plan: Plan, current: File | None, wanted: File | None) -> list[tuple[tuple[str, ...], str]]:
    return [(plan.before, _digest(current)), (plan.after, _digest(wanted))]


def _digest(file: File | None) -> str:
    data = file.text.encode("utf-8", "surrogateescape") if file else b""
    return f"# SHA-256 {hashlib.sha256(data).hexdigest()[:_DIGITS]}, mode {file.mode if file else 0:04o}"


def _reaching(described: description.Description) -> str:
    """What the program talks with. BIRD's socket is for the group that may read its passwords, too."""
    if not described.sessions and not described.conntrackd:
        return "RestrictAddressFamilies=AF_NETLINK"
    lines = ["# Commands ask daemons by their sockets.", "RestrictAddressFamilies=AF_NETLINK AF_UNIX"]
    if described.sessions:
        lines += [f"SupplementaryGroups={bird_plan.GROUP}", f"InaccessiblePaths=-{posixpath.dirname(bird_plan.PATH)}"]
    return "\n".join(lines)


def _texts(wanted: Wanted, path: str) -> dict[str, str | None]:
    described = wanted.described
    unit = f"""\
{_HEAD}[Unit]
Description=Metrics of the LVS director, for node_exporter
Documentation=file://{path}

[Service]
Type=oneshot
ExecStart={wanted.python} -I -S {PROGRAM_PATH} {path}
User={wanted.user}
# Reading the table of IPVS by netlink takes this right, and nothing else here does.
AmbientCapabilities=CAP_NET_ADMIN
CapabilityBoundingSet=CAP_NET_ADMIN
ReadWritePaths={described.directory}
{_reaching(described)}
{_SANDBOX}
UMask=0077
# The director's packets come first.
Nice=10
TimeoutStartSec=5min
# Where the director is to write none any more, a run is stopped.
SuccessExitStatus=SIGTERM
# Each run would be three lines of the journal.
LogLevelMax=notice
"""
    timer = f"""\
{_HEAD}[Unit]
Description=Metrics of the LVS director every {described.interval} seconds
Documentation=file://{path}

[Timer]
OnActiveSec=1
OnUnitInactiveSec={described.interval}
AccuracySec=1

[Install]
WantedBy=timers.target
"""
    return {path: wanted.text, UNIT_PATH: unit, TIMER_PATH: timer}
