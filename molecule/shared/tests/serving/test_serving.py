# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After site: the service answers, and every host is what it must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# What verify changes for as long as it tries real servers through the VIP.
OF_THE_WAY = (
    "ipvsadm -Sn; sysctl -a 2>/dev/null | grep -E 'accept_local|rp_filter'; ls /etc/sysctl.d; "
    "sha256sum /var/lib/lvs-topology/ledger.json"
)


def test_the_hosts_are_as_described(scenario: Any) -> None:
    scenario.check("serving")


def test_verify_finds_nothing(scenario: Any, tmp_path: Path) -> None:
    """But for ports on which nobody serves yet: the tests of the scenario start what is there."""
    report = tmp_path / "verify.json"
    settings = f"lvs_verify_report={report} lvs_verify_through_vip=true"
    before = {name: scenario.run(name, OF_THE_WAY) for name in scenario.directors}
    result = scenario.try_playbook("lvs.topology.verify", "--extra-vars", settings)
    assert {name: scenario.run(name, OF_THE_WAY) for name in scenario.directors} == before
    assert report.exists(), result.stdout + result.stderr
    idle = tuple(f" port {port}" for port in scenario.expected.get("idle_ports", ()))
    found = [each for each in json.loads(report.read_text())["findings"] if each["degree"] != "worth knowing"]
    assert [each for each in found if not any(port in each["what"] for port in idle)] == []
    assert bool(result.returncode) == bool(found)
