# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other two ways around the ARP problem, and back to the first."""

from __future__ import annotations

from collections import Counter
from typing import Any

VIP = "192.168.0.100"


def test_arptables_on_the_real_servers(scenario: Any) -> None:
    scenario.playbook("lvs.topology.site", "--extra-vars", "lvs_arp_method=arptables")
    assert scenario.run("web1", "sysctl -n net.ipv4.conf.all.arp_ignore") == "0"
    assert VIP in scenario.run("web1", "arptables-save")
    assert_only_the_director_answers(scenario)
    assert scenario.answers(f"http://{VIP}/") == Counter(web1=10, web2=10)


def test_static_neighbour_on_the_router(scenario: Any) -> None:
    scenario.playbook("lvs.topology.site", "--extra-vars", "lvs_arp_method=static_neighbour")
    assert VIP not in scenario.run("web1", "arptables-save")
    mac = scenario.run("director", "cat /sys/class/net/eth1/address")
    assert f"{VIP} dev eth2 lladdr {mac} PERMANENT" in scenario.run("router", "ip neighbour show nud permanent")
    # The real servers may answer now. The router does not ask.
    assert scenario.answers(f"http://{VIP}/") == Counter(web1=10, web2=10)


def test_back_to_sysctls(scenario: Any) -> None:
    scenario.playbook("lvs.topology.site")
    assert VIP not in scenario.run("router", "ip neighbour show nud permanent")
    assert_only_the_director_answers(scenario)
    scenario.check("serving")


def assert_only_the_director_answers(scenario: Any) -> None:
    """Ask for the VIP from the router, as a cold cache would."""
    answers = scenario.run("router", f"arping -b -c 3 -w 4 -I eth2 {VIP}")
    macs = {line.split("[")[1].split("]")[0].lower() for line in answers.splitlines() if "reply from" in line}
    assert macs == {scenario.run("director", "cat /sys/class/net/eth1/address")}, answers
