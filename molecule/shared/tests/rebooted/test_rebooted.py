# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power of every host that site has changed is cut: the service comes back, and only a director claims the VIP."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_the_service_comes_back_without_ansible(scenario: Any, tmp_path: Path) -> None:
    if "arp" not in scenario.expected:
        scenario.cut_power()
        scenario.check("serving")
        return
    with scenario.claims(tmp_path / "arp") as claims:
        scenario.cut_power()
        scenario.check("serving")
    assert claims == {scenario.arp_owner()}, (tmp_path / "arp").read_text()
