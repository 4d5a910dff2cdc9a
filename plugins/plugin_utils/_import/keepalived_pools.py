# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of all real servers of a service -> what it says for all of them, and what one says for itself. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_checks import Check, Checked, Reading
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import KINDS

# What the model takes where nothing is written.
_MODEL = {"interval": 3, "timeout": 3, "retries": 1, "retry_delay": 1}

Pool = list[tuple[Checked, list[Check]]]


def common_checks(
    pool: Pool, vips: frozenset[Address], marks: Mapping[int, Address], reading: Reading, *, explicit: bool = False
) -> tuple[Any, list[Any]]:
    """The health_check of the service, and of each real server its own; None where it has the service's.

    ``explicit``: each check says its port.
    ``vips`` are the service's, and ``marks`` by which mark checks reach which real server through a VIP.
    """
    said = [_said(server, checks, vips, marks, reading) for server, checks in pool]
    # Each asks its own port, or all of them ask one.
    for is_said in (True,) if explicit else (False, True):
        written = [_written(server, checks, explicit=is_said) for (server, _checks), checks in zip(pool, said)]
        if all(each == written[0] for each in written):
            return _one(written[0]) if written[0] else None, [None] * len(pool)
    written = [_written(server, checks, explicit=explicit) for (server, _checks), checks in zip(pool, said)]
    # What most real servers have is the service's.
    most = Counter(map(repr, written)).most_common(1)[0][0]
    common = next(each for each in written if repr(each) == most)
    return _one(common) if common else None, [None if each == common else _one(each) for each in written]


def _one(checks: list[dict[str, Any]]) -> Any:
    """As a person writes it: one check is no list."""
    return checks[0] if len(checks) == 1 else checks


def _said(
    server: Checked, checks: list[Check], vips: frozenset[Address], marks: Mapping[int, Address], reading: Reading
) -> list[tuple[Check, dict[str, Any]]]:
    found: list[tuple[Check, dict[str, Any]]] = []
    for check in checks:
        if check.is_lost:
            continue
        settings, way = dict(check.settings), dict(check.way)
        target, source = way.get("address"), way.get("source")
        if target in vips and source is not None and marks.get(way.get("fwmark", 0)) == server.address:
            # What goes through several VIPs is written once.
            if any(_is_same(check, settings, *each) for each in found if each[1].get("through") == "vip"):
                continue
            settings["through"] = "vip"
            reading.sources.append(source)
        else:
            settings |= {key: str(value) if key in ("address", "source") else value for key, value in way.items()}
        has_port = "port" in KINDS[settings["type"]].options
        if has_port and not (check.port or server.port):
            reason = "it has no connect_port, and the real server has every port"
            reading.remarks.lost(check.place, check.words, reason)
        elif any(_is_same(check, settings, *each) for each in found):
            reading.remarks.note(check.place, check.words, "the same check is there already")
        else:
            found.append((check, settings))
    return found


def _is_same(check: Check, settings: Mapping[str, Any], known: Check, said: Mapping[str, Any]) -> bool:
    """Whether a check that is known already is this one. What goes through a VIP may do so several times."""
    return check.port == known.port and {**said, "through": None} == {**settings, "through": None}


def _written(server: Checked, said: list[tuple[Check, dict[str, Any]]], *, explicit: bool) -> list[dict[str, Any]]:
    found = []
    for check, settings in said:
        kept = {key: value for key, value in settings.items() if _MODEL.get(key) != value or key == "type"}
        port = check.port or server.port
        if "port" in KINDS[settings["type"]].options and (explicit or port != server.port):
            kept["port"] = port
        found.append(kept)
    return found
