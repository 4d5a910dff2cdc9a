# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed by hand: --check --diff and verify show exactly that, site repairs exactly that, nobody notices."""

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


def test_a_packet_filter_that_sees_half_of_each_connection(scenario: Any) -> None:
    """To netfilter, what follows on a connection is INVALID where IPVS tells it of connections."""
    rule = "INPUT -m conntrack --ctstate INVALID -j DROP"
    for command in (f"iptables-legacy -A {rule}", "sysctl -w net.ipv4.vs.conntrack=1"):
        scenario.run("director", command)
    lost = scenario.answers(f"http://{VIP}/", count=2, patience=2).lost
    found = scenario.findings()
    # What verify says to type is what puts it right: the rule that lets this service pass, or the one that goes.
    accept, remove, _rest = found[0]["remedy"].split("; ", 2)
    scenario.run("director", accept)
    passing = scenario.answers(f"http://{VIP}/", count=2)
    scenario.run("director", accept.replace(" -I ", " -D "))
    scenario.run("director", remove.partition("or ")[2])
    scenario.run("director", "sysctl -w net.ipv4.vs.conntrack=0")
    assert lost == {"lost:timeout": 2}
    assert not passing.lost, passing
    assert [(each["degree"], each["host"]) for each in found] == [("broken", "director")]
    assert found[0]["what"] == (
        f"its packet filter drops what follows on a connection to web (tcp to {VIP} port 80), of which the director "
        f"never sees the answers (`iptables-legacy -A {rule}`)"
    )
    scenario.check("serving")
