# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration and the unit of any daemon that we run: what was there before, and what systemctl is told. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH as LEDGER_PATH
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused

# A configuration may hold passwords. The one before ours is kept beside the ledger, which anybody may be shown.
COPY_MODE = 0o600
# How each configuration of ours begins.
_HEAD = "# Managed by lvs.topology."


@dataclass(frozen=True)
class Unit:
    """What systemd says of a daemon. ``read`` is when it last read its configuration, in seconds since the epoch."""

    enabled: bool = False
    active: bool = False
    failed: bool = False
    masked: bool = False
    read: float = 0.0

    def has_read(self, written: float) -> bool:
        """Whether a configuration that was written then is the one that the daemon has."""
        return written <= self.read


@dataclass(frozen=True)
class Touch:
    """Give the file the time of this moment."""

    path: str


class Files(NamedTuple):
    """What is on disk: a daemon's configuration, when it was written, and the copy of the one before ours.

    ``beside`` is what else of ours belongs to it, by its path. ``now`` is the time at which all of it was looked at, on
    the clock of ``written``.
    """

    config: File | None
    written: float
    copy: File | None
    beside: Mapping[str, File | None]
    now: float


class Outcome(NamedTuple):
    """The plan, the two states of the ledger around it, and the copy that has to be there before the first of them."""

    plan: Plan
    claimed: Ledger
    settled: Ledger
    copy: File | None = None


def copy_of(path: str) -> str:
    """Where the configuration that was there before is kept."""
    return os.path.join(os.path.dirname(LEDGER_PATH), "before." + path.strip("/").replace("/", "_"))


def config_before(path: str, was: Any, copy: File | None) -> File | None:
    """The configuration to put back; None where there was none."""
    if was is None:
        return None
    if isinstance(was.get("text"), str):
        return File(was["text"], was["mode"])
    if copy is None:
        raise Refused(
            f"{copy_of(path)}, the copy of the {path} that was there before, is gone, so it cannot be put back. "
            "Restore the copy from a backup, or put an empty file in its place, and run the task again."
        )
    return File(copy.text, was["mode"])


def unwritable(content: str) -> str:
    """What keeps the text from being a file that a daemon reads; empty: nothing."""
    if "\0" in content:
        return "holds a NUL character; write text"
    if any("\ud800" <= each <= "\udfff" for each in content):
        return "holds half of a surrogate pair, which no file can hold; write UTF-8"
    return ""


class Names(NamedTuple):
    """What the ledger calls the configuration and the unit of a daemon, and the name of the unit."""

    config: str
    unit_kind: str
    unit: str


def somebodys(names: Names, ledger: Ledger, path: str, config: File | None, unit: Unit | None) -> str | None:
    """The configuration by which the daemon runs for somebody else; None where it does not."""
    if config is None or unit is None or not unit.active or ledger.owners(names.config, path):
        return None
    # A ledger that was lost does not make ours somebody else's.
    return None if config.text.startswith(_HEAD) else config.text


def claimed_config(
    names: Names, ledger: Ledger, owner: str, path: str, config: File | None, wanted: File
) -> tuple[Ledger, File | None]:
    """The ledger with the configuration, and the copy of the one before. What was right before us is not claimed."""
    is_ours = bool(ledger.owners(names.config, path))
    if config == wanted and not is_ours:
        return ledger, None
    copy = File(config.text, COPY_MODE) if config and not is_ours else None
    return ledger.claim(names.config, path, owner, note_of(path, config)), copy


def note_of(path: str, config: File | None) -> dict[str, Any] | None:
    """What the ledger keeps of a configuration that was there: where its copy is."""
    return {"copy": copy_of(path), "mode": config.mode} if config else None


def claimed_unit(names: Names, ledger: Ledger, owner: str, unit: Unit, *, is_touched: bool) -> Ledger:
    """The ledger with the unit, where it is not as it is to be. ``is_touched``: it gets a drop-in of ours."""
    if ledger.owners(names.unit_kind, names.unit) or not (unit.enabled and unit.active) or is_touched:
        return ledger.claim(names.unit_kind, names.unit, owner, {"enabled": unit.enabled, "active": unit.active})
    return ledger


def unit_before(names: Names, ledger: Ledger) -> dict[str, bool]:
    """What the unit was before us. Nothing was noted of one that needed nothing."""
    claim = ledger.claims.get((names.unit_kind, names.unit))
    return (claim.was if claim else None) or {"enabled": True, "active": True}


def running(names: Names, unit: Unit, drop_in: Plan, again: Sequence[Plan]) -> list[Plan]:
    """Have the unit be enabled and run. ``again`` is for one that runs and has not read what is on disk."""
    steps = [drop_in, *([systemctl("daemon-reload")] if drop_in.changes else [])]
    if not unit.enabled:
        steps.append(systemctl("enable", names.unit))
    if unit.active:
        return [*steps, *again]
    # After several failures in a row, systemd starts it only when told to forget them.
    steps += [systemctl("reset-failed", names.unit)] if unit.failed else []
    return [*steps, systemctl("start", names.unit)]


def reloading(names: Names, unit: Unit, path: str, config: Plan, files: Files) -> list[Plan]:
    """Have a daemon read its configuration where it has not. In place: what is as before stays."""
    if not config.changes and unit.has_read(files.written):
        return []
    # Where the clock was set back, read it once for certain, and from then on its time says something again.
    is_ahead = not config.changes and files.written > files.now
    return [*([Plan((Change(f"touch {path}", Touch(path)),))] if is_ahead else []), systemctl("reload", names.unit)]


def put_back(
    names: Names, unit: Unit, before: Mapping[str, bool], drop_in: Plan, files: Plan, *, goes_on: bool, again: str
) -> list[Plan]:
    """Have the unit be what it was, with the files of before. ``again`` is how one that goes on reads them."""
    steps = [systemctl("stop", names.unit)] if unit.active and not goes_on else []
    steps += [drop_in, *([systemctl("daemon-reload")] if drop_in.changes else [])]
    if unit.failed:
        steps.append(systemctl("reset-failed", names.unit))
    if unit.enabled and not before["enabled"]:
        steps.append(systemctl("disable", names.unit))
    steps.append(files)
    if goes_on:
        steps.append(systemctl(again if unit.active else "start", names.unit))
    return steps
