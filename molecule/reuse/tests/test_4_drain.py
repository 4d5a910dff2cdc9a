# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""drain with every variable given as text, which is what -e NAME=VALUE gives: 'false' is false, and '1' a number."""

from __future__ import annotations

import re
from typing import Any

from runs import Run, hosts_changed, said


def weights(scenario: Any, director: str) -> dict[str, int]:
    found = re.findall(r"-r 192\.168\.246\.16(\d):\d+ -g -w (\d+)", scenario.run(director, "ipvsadm -Sn"))
    return {f"app{number}": int(weight) for number, weight in found}


def test_false_as_text_does_not_allow_an_empty_service(scenario: Any, playbook: Run) -> None:
    result = playbook("drain", "-e", "lvs_drain=webfarm", "-e", "lvs_drain_allow_empty=false")
    assert result.returncode != 0
    assert "Nothing was touched" in said(result)
    assert "no usable real server besides app1, app2" in said(result)
    assert weights(scenario, "lb1") == {"app1": 1, "app2": 2}
    assert weights(scenario, "lb2") == {"app1": 1, "app2": 1}


def test_drained_without_being_removed_and_put_back(scenario: Any, playbook: Run) -> None:
    settings = "lvs_drain=app2 lvs_drain_timeout=60 lvs_drain_on_timeout=proceed lvs_drain_allow_empty=false"
    hosts_changed(playbook("drain", "-e", f"{settings} lvs_drain_remove=false"))
    assert weights(scenario, "lb1") == {"app1": 1, "app2": 0}
    assert weights(scenario, "lb2") == {"app1": 1, "app2": 0}
    # Of an undo nothing is asked for: it leaves no service empty, even where others have weight 0 as well.
    scenario.run("lb1", "ipvsadm -e -t 192.168.246.160:80 -r 192.168.246.161:80 -g -w 0")
    hosts_changed(playbook("drain", "-e", f"{settings} lvs_drain_state=present"))
    assert weights(scenario, "lb1") == {"app1": 0, "app2": 2}
    assert weights(scenario, "lb2") == {"app1": 1, "app2": 1}
    scenario.run("lb1", "ipvsadm -e -t 192.168.246.160:80 -r 192.168.246.161:80 -g -w 1")
