# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site with a changed model, under load: exactly the change is there afterwards, and nobody noticed it being made."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any


def test_a_change_under_load(scenario: Any, tmp_path: Path) -> None:
    watch = scenario.claims(tmp_path / "arp") if "arp" in scenario.expected else contextlib.nullcontext()
    with scenario.load() as answers, watch as claims:
        # Extra variables reach every host's view of every other host, as an edited inventory would.
        output = scenario.playbook("lvs.topology.site", "--diff", "--extra-vars", f"@{scenario.directory}/changed.yml")
    # A real server that leaves takes the connection with it that is under way at that moment. There is no other one,
    # because the client asks one question after the other.
    leaving = 1 if scenario.expected.get("leaves") else 0
    assert sum(answers.lost.values()) <= leaving, answers
    # These parts, in this order: what was right before was left alone.
    assert scenario.changed(output) == scenario.expected["changed"]["parts"], output
    if claims is not None:
        assert claims == {scenario.arp_owner()}, (tmp_path / "arp").read_text()
    scenario.check("changed")
