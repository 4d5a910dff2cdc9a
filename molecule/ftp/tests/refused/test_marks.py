# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mark that somebody else sets already is refused, and no host is touched."""

from __future__ import annotations

from typing import Any


def test_marks_that_collide_are_refused_before_anything_is_touched(scenario: Any) -> None:
    rule = "PREROUTING -p tcp --dport 443 -j MARK --set-mark 22"
    scenario.run("director", f"iptables-legacy -t mangle -A {rule}")
    before = {name: scenario.picture(name) for name in scenario.managed}
    variables = (
        '{"lvs_services": [{"name": "web", "fwmark": 22, "family": "ipv4", "forward": "dr", '
        '"marked": [{"address": "192.168.50.102", "ports": [80]}], "real_servers": [{"host": "web2"}]}]}'
    )
    result = scenario.try_playbook("lvs.topology.site", "--extra-vars", variables)
    assert result.returncode != 0
    said = " ".join((result.stdout + result.stderr).split())
    assert "marks[0].mark: 22 is set by a rule of somebody else already" in said
    assert {name: scenario.picture(name) for name in scenario.managed} == before
    scenario.run("director", f"iptables-legacy -t mangle -D {rule}")
