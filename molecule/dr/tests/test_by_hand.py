# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four things are changed by hand: --check --diff shows exactly these, site repairs exactly these, nobody notices."""

from __future__ import annotations

from typing import Any

VIP = "192.168.246.160"
DAMAGE = {
    "director": [
        f"ipvsadm -d -t {VIP}:80 -r 192.168.246.162:80",
        f"ipvsadm -e -t {VIP}:80 -r 192.168.246.161:80 -g -w 7",
    ],
    "web2": [f"ip address del {VIP}/32 dev lo", "sysctl -w net.ipv4.conf.all.arp_ignore=0"],
}
DIFFERENCE = {
    f"--a -t {VIP}:80 -r 192.168.246.161:80 -g -w 7",
    f"+-a -t {VIP}:80 -r 192.168.246.161:80 -g -w 1",
    f"+-a -t {VIP}:80 -r 192.168.246.162:80 -g -w 1",
    f"+address add {VIP}/32 dev lo",
    "-net.ipv4.conf.all.arp_ignore = 0",
    "+net.ipv4.conf.all.arp_ignore = 1",
}
PARTS = {"director": ["services"], "web1": [], "web2": ["arp", "addresses"]}


def test_exactly_the_damage_is_shown_and_repaired(scenario: Any) -> None:
    for host, commands in DAMAGE.items():
        for command in commands:
            scenario.run(host, command)

    predicted = scenario.playbook("lvs.topology.site", "--check", "--diff")
    assert scenario.differences(predicted) == DIFFERENCE, predicted
    assert scenario.changed(predicted) == PARTS, predicted
    assert "7" in scenario.run("director", "ipvsadm -Sn"), "check mode repaired it"

    # web1 was not damaged: whoever is served by it must not notice the repair.
    with scenario.load() as answers:
        repaired = scenario.playbook("lvs.topology.site", "--diff")
    assert scenario.differences(repaired) == DIFFERENCE, repaired
    assert scenario.changed(repaired) == PARTS, repaired
    assert not answers.lost, answers
    assert answers["web1"], answers
    scenario.check("serving")
