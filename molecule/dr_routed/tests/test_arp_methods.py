# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other two ways around the ARP problem, and back to the first one together with a change of the pool."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

VIP = "192.168.0.100"
# The kernel of these hosts serves one of the two kinds; the other lists nothing.
FILTERS = "arptables-legacy -n -L; arptables-nft -n -L || true"


def test_arptables_on_the_real_servers(scenario: Any, tmp_path: Path) -> None:
    """Not even on the way from sysctls to filters does a real server answer for the VIP."""
    with scenario.claims(tmp_path / "arp") as claims:
        output = scenario.playbook("lvs.topology.site", "--diff", "--extra-vars", "lvs_arp_method=arptables")
        # The sysctls go last, when no director sends anything any more. No other host changes.
        parts = ["arp_filters", "boot", "arp"]
        assert scenario.changed(output) == {"director": [], "router": [], "web1": parts, "web2": parts}, output
        assert scenario.run("web1", "sysctl -n net.ipv4.conf.all.arp_ignore") == "0"
        assert VIP in scenario.run("web1", FILTERS)
        scenario.lab("reboot", scenario.name, "web1", "web2", "--power-cut")
    assert claims == {scenario.arp_owner()}, (tmp_path / "arp").read_text()
    assert_only_the_director_answers(scenario)
    assert scenario.answers(f"http://{VIP}/") == Counter(web1=10, web2=10)


def test_static_neighbour_on_the_router(scenario: Any) -> None:
    scenario.playbook("lvs.topology.site", "--extra-vars", "lvs_arp_method=static_neighbour")
    assert VIP not in scenario.run("web1", FILTERS)
    assert f"{VIP} dev eth2 lladdr {scenario.arp_owner()} PERMANENT" in scenario.run(
        "router", "ip neighbour show nud permanent"
    )
    # The real servers may answer now. The router does not ask.
    assert scenario.answers(f"http://{VIP}/") == Counter(web1=10, web2=10)


def test_back_to_sysctls_with_a_changed_pool(scenario: Any, tmp_path: Path) -> None:
    """The router asks for the VIP again only when web1, which leaves, does not answer any more."""
    router = scenario.run("router", "cat /sys/class/net/eth2/address")
    told = f"arp and ether dst {router}"
    with scenario.capture(tmp_path / "told", "inside", told, "-e") as seen, scenario.load() as answers:
        scenario.playbook("lvs.topology.site", "--extra-vars", f"@{scenario.directory}/changed.yml")
    owners = set(re.findall(rf"Reply {re.escape(VIP)} is-at (\S+),", seen.text))
    assert owners == {scenario.arp_owner()}, seen.text
    # web1 leaves, and takes the connection with it that is under way at that moment.
    assert sum(answers.lost.values()) <= 1, answers
    assert VIP not in scenario.run("router", "ip neighbour show nud permanent")
    assert_only_the_director_answers(scenario)
    scenario.check("changed")


def assert_only_the_director_answers(scenario: Any) -> None:
    """Ask for the VIP from the router, as a cold cache would; some of the answers may be lost."""
    answers = scenario.run("router", f"arping -b -c 5 -w 60 -I eth2 {VIP} || true")
    macs = {line.split("[")[1].split("]")[0].lower() for line in answers.splitlines() if "reply from" in line}
    assert macs == {scenario.arp_owner()}, answers
