# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD's configuration and its unit: what is asked for, and what has to change. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Iterable, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._net.daemon_plan import (
    COPY_MODE,
    Outcome,
    Unit,
    config_before,
    copy_of,
    systemctl,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.files import File, joined, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan
from ansible_collections.lvs.topology.plugins.module_utils._screen import MASK

KIND = "bird_config"
UNIT_KIND = "bird_unit"
PATH = "/etc/bird/bird.conf"
UNIT = "bird.service"
# It holds passwords, and BIRD reads it as a user of its own.
MODE = 0o640
GROUP = "bird"
_SECRET = re.compile(r"pass|secret", re.IGNORECASE)


class Files(NamedTuple):
    """What is on disk: the configuration, when it was written, and the copy of the one before ours."""

    config: File | None
    written: float
    copy: File | None


def plan_present(
    ledger: Ledger, owner: str, content: str, files: Files, unit: Unit | None, secrets: Iterable[str]
) -> Outcome:
    """Write, then start or have it read the file. ``unit`` is None where there is no systemd."""
    wanted = File(content, MODE)
    claimed, copy = ledger, None
    if not ledger.owners(KIND, PATH):
        was: Any = None
        if files.config:
            copy = File(files.config.text, COPY_MODE)
            was = {"copy": copy_of(PATH), "mode": files.config.mode}
        claimed = claimed.claim(KIND, PATH, owner, was)
    config = shown(plan_file(PATH, files.config, wanted), secrets)
    if unit is None:
        return Outcome(config, claimed, claimed, copy)
    steps = [config]
    if not unit.enabled:
        steps.append(systemctl("enable", UNIT))
    if not unit.active:
        steps += [systemctl("reset-failed", UNIT)] if unit.failed else []
        steps.append(systemctl("start", UNIT))
    elif config.changes or not unit.has_read(files.written):
        # Sessions that stay as they are go on.
        steps.append(systemctl("reload", UNIT))
    if not ledger.owners(UNIT_KIND, UNIT):
        claimed = claimed.claim(UNIT_KIND, UNIT, owner, {"enabled": unit.enabled, "active": unit.active})
    return Outcome(joined(*steps), claimed, claimed, copy)


def plan_absent(ledger: Ledger, owner: str, files: Files, unit: Unit | None, secrets: Iterable[str]) -> Outcome:
    """Stop it, and put back what was there."""
    settled, last, was = ledger.release(KIND, PATH, owner)
    if not last:
        return Outcome(Plan(), ledger, settled)
    config = shown(plan_file(PATH, files.config, config_before(PATH, was, files.copy)), secrets)
    settled, _last, before = settled.release(UNIT_KIND, UNIT, owner)
    if unit is None:
        return Outcome(config, ledger, settled)
    before = before or {"enabled": True, "active": True}
    steps = []
    if unit.active and not before["active"]:
        steps.append(systemctl("stop", UNIT))
    if unit.enabled and not before["enabled"]:
        steps.append(systemctl("disable", UNIT))
    steps.append(config)
    if before["active"] and config.changes:
        steps.append(systemctl("reload" if unit.active else "start", UNIT))
    return Outcome(joined(*steps), ledger, settled)


def shown(plan: Plan, secrets: Iterable[str]) -> Plan:
    """The plan for eyes other than root's: of a line with a password only that there is one."""
    known = [each for each in secrets if each]
    before, after = (tuple(_masked(line, known) for line in lines) for lines in (plan.before, plan.after))
    if before == after and plan.before != plan.after:
        # Equal sides would be no diff at all.
        after = (f"{after[0]} (a line that is not shown differs)", *after[1:])
    return replace(plan, before=before, after=after)


def _masked(line: str, secrets: list[str]) -> str:
    if _SECRET.search(line) or any(each in line for each in secrets):
        return f"{line[: len(line) - len(line.lstrip())]}{MASK}"
    return line
