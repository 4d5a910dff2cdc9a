# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After site: the service answers, and every host is what it must be."""

from __future__ import annotations

from typing import Any


def test_the_hosts_are_as_described(scenario: Any) -> None:
    scenario.check("serving")


def test_verify_finds_nothing(scenario: Any) -> None:
    result = scenario.try_playbook("lvs.topology.verify")
    assert result.returncode == 0, result.stdout + result.stderr
