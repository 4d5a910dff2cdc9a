# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody may notice: a change is made under load, and who noticed is counted."""

from __future__ import annotations

import time
from typing import Any, Callable, TypeVar

from . import measure, pair
from .table import Result

T = TypeVar("T")
# The columns of what under_load() measures.
COLUMNS = ("took, s", "requests", "failed", "slowest, s", "downloads", "broken")


def under_load(title: str, action: Callable[[], T], result: Result, enough: int) -> tuple[list[Any], T]:
    """Make a change under so many requests; the figures, and what the action returned. Who noticed breaks a promise."""
    with pair.load(patience=pair.PATIENT, downloads=2) as load:
        time.sleep(2)
        start = load.mark("start")
        answer = action()
        done = load.mark("done")
        time.sleep(2)
        pair.wait("enough requests", lambda: load.count() >= enough)
        record = load.finish()
    failed, broken = measure.failed(record.requests), measure.broken(record, pair.DIGEST)
    result.must(not failed, f"{title}: {len(failed)} requests failed, first: {failed[:1]}")
    whole = len(record.downloads) - len(broken)
    result.must_all(whole, len(record.downloads), f"{title}: downloads arrive whole, first that did not: {broken[:1]}")
    slowest = measure.slowest(record.requests)
    return [done - start, len(record.requests), len(failed), slowest, len(record.downloads), len(broken)], answer
