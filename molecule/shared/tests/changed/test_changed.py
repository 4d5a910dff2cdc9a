# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After site with a changed model: exactly the change is there."""

from __future__ import annotations

from typing import Any


def test_the_hosts_are_as_described(scenario: Any) -> None:
    scenario.check("changed")
