# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After site: the service answers, and every host is what it must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_the_hosts_are_as_described(scenario: Any) -> None:
    scenario.check("serving")


def test_verify_finds_nothing(scenario: Any, tmp_path: Path) -> None:
    """But for ports on which nobody serves yet: the tests of the scenario start what is there."""
    report = tmp_path / "verify.json"
    result = scenario.try_playbook("lvs.topology.verify", "--extra-vars", f"lvs_verify_report={report}")
    assert report.exists(), result.stdout + result.stderr
    idle = tuple(f" port {port}" for port in scenario.expected.get("idle_ports", ()))
    found = [each for each in json.loads(report.read_text())["findings"] if each["degree"] != "worth knowing"]
    assert [each for each in found if not any(port in each["what"] for port in idle)] == []
    assert bool(result.returncode) == bool(found)
