# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After teardown: every host is as it was before."""

from __future__ import annotations

import difflib
from typing import Any


def test_nothing_is_left(scenario: Any) -> None:
    for name in scenario.hosts:
        before = scenario.before(name).read_text().splitlines()
        wanted = [line for line in before if line not in scenario.expected.get("purged", [])]
        found = scenario.picture(name).splitlines()
        differs = list(difflib.unified_diff(wanted, found, "before", "after", lineterm="", n=0))
        assert not differs, "\n".join([name, *differs])
