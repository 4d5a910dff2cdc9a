# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD's configuration and its unit: what is asked for, and what has to change. Pure."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timezone
from typing import Iterable

from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import (
    Files,
    Names,
    Outcome,
    Unit,
    claimed_config,
    claimed_unit,
    config_before,
    put_back,
    reloading,
    running,
    unit_before,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import shown
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, joined
from ansible_collections.lvs.topology.plugins.module_utils._traces import BIRD_KINDS

KIND, UNIT_KIND = BIRD_KINDS
PATH = "/etc/bird/bird.conf"
UNIT = "bird.service"
NAMES = Names(KIND, UNIT_KIND, UNIT)
# It holds passwords, and BIRD reads it as a user of its own.
MODE = 0o640
GROUP = "bird"


_REMARK = re.compile(r"#[^\n]*|/\*.*?\*/", re.DOTALL)
_TIME = re.compile(
    r"^(Current server time is|Last reconfiguration on) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d{1,6})?$", re.MULTILINE
)
# What speaks with others, by whom or by what name. Others of Debian's own file are there in every one.
_SPEAKS = re.compile(
    r"\bprotocol\s+(?P<kind>babel|bgp|bmp|l3vpn|mrt|ospf(?:\s+v[23])?|radv|rip(?:\s+ng)?|rpki)(?:\s+(?P<name>[\w']+))?"
    r"|\binclude\s+(?P<file>\"[^\"]*\")"
)


def last_read(status: str, now: float) -> float | None:
    """When BIRD has read its configuration, by what ``birdc show status`` says; None where that is not known here.

    Its times are those of its own time zone, and so they are compared with each other.
    """
    said = {}
    for what, date, part in _TIME.findall(status):
        with contextlib.suppress(ValueError):
            moment = datetime.strptime(date, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
            said[what] = moment.timestamp() + float(part or 0)
    return now - (max(said.values()) - min(said.values())) if len(said) == 2 else None


def lost(before: str, after: str) -> list[str]:
    """What of somebody's configuration speaks with others, and is not in the one that takes its place."""
    kept = {*_speaking(after)}
    return [each for each in _speaking(before) if each not in kept]


def _speaking(text: str) -> list[str]:
    found = _SPEAKS.finditer(_REMARK.sub("", text))
    return list(dict.fromkeys(" ".join(filter(None, match.groups())) for match in found))


def plan_present(
    ledger: Ledger, owner: str, content: str, files: Files, unit: Unit | None, secrets: Iterable[str]
) -> Outcome:
    """Write, then start or have it read the file. ``unit`` is None where there is no systemd."""
    wanted = File(content, MODE)
    claimed, copy = claimed_config(NAMES, ledger, owner, PATH, files.config, wanted)
    config = shown(plan_file(PATH, files.config, wanted), secrets)
    if unit is None:
        return Outcome(config, claimed, claimed, copy)
    # Sessions that stay as they are go on.
    again = reloading(NAMES, unit, PATH, config, files)
    claimed = claimed_unit(NAMES, claimed, owner, unit, is_touched=False)
    return Outcome(joined(config, *running(NAMES, unit, Plan(), again)), claimed, claimed, copy)


def plan_absent(ledger: Ledger, owner: str, files: Files, unit: Unit | None, secrets: Iterable[str]) -> Outcome:
    """Stop it, and put back what was there."""
    settled, last, was = ledger.release(KIND, PATH, owner)
    if not last:
        return Outcome(Plan(), ledger, settled)
    config = shown(plan_file(PATH, files.config, config_before(PATH, was, files.copy)), secrets)
    before = unit_before(NAMES, ledger)
    settled, _last, _was = settled.release(UNIT_KIND, UNIT, owner)
    if unit is None:
        return Outcome(config, ledger, settled)
    # Without a configuration it could not start.
    goes_on = before["active"] and was is not None
    steps = put_back(NAMES, unit, before, Plan(), config, goes_on=goes_on, again="reload")
    return Outcome(joined(*steps), ledger, settled)
