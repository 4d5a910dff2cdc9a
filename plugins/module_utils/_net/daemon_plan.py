# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration and the unit of any daemon that we run: what was there before, and what systemctl is told. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH as LEDGER_PATH
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._net.files import File
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused

# A configuration may hold passwords. The one before ours is kept beside the ledger, which anybody may be shown.
COPY_MODE = 0o600


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
class Systemctl:
    """Call systemctl with these words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Touch:
    """Give the file the time of this moment."""

    path: str


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


def systemctl(*words: str) -> Plan:
    """Call systemctl with these words."""
    return Plan((Change(" ".join(("systemctl", *words)), Systemctl(words)),))
