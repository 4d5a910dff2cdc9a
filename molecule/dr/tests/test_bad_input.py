# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong model: all its mistakes in one run, and no host touched."""

from __future__ import annotations

from typing import Any

WRONG = [
    "lvs_arp_method (director, web1, web2)",
    "lvs_services[0].scheduler",
    "lvs_services[0].real_servers[0].port",
    "lvs_services[0].real_servers[1].weight",
    "lvs_services[0].real_servers[2].host",
    "lvs_services[1].name",
    "lvs_services[1].address",
    "lvs_services[1].forward",
    "lvs_services[1].real_servers[0].lower_threshold",
    "lvs_services[2].port",
    "lvs_services[2].real_servers[0]",
]


def test_all_mistakes_in_one_run_and_nothing_touched(scenario: Any) -> None:
    before = {name: scenario.picture(name) for name in scenario.managed}
    result = scenario.try_playbook("lvs.topology.site", "--extra-vars", f"@{scenario.directory}/mistakes.yml")
    assert result.returncode != 0
    said = result.stdout + result.stderr
    missing = [path for path in WRONG if f"{path}:" not in said]
    assert not missing, said
    assert "Traceback" not in said
    assert {name: scenario.picture(name) for name in scenario.managed} == before
