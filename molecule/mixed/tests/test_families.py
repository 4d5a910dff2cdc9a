# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who answers neighbour solicitations for the IPv6 VIP, how the director holds it, and what a kernel may lack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

VIP = "2001:db8:246::160"


def test_one_mac_answers_for_the_vip(scenario: Any, tmp_path: Path) -> None:
    with scenario.capture(tmp_path / "ndisc", "front", "icmp6 and ip6[40] == 136", "-e") as capture:
        forget = f"ip -6 neigh flush to {VIP} dev eth1"
        scenario.run("client", f"for i in 1 2 3 4 5; do {forget}; curl --silent {scenario.expected['url6']}; done")
    answers = re.findall(rf"^\S+ (\S+) > .* tgt is {VIP},", capture.text, re.MULTILINE)
    assert len(answers) >= 5, capture.text
    assert set(answers) == {scenario.arp_owner()}, capture.text
    assert f"lladdr {scenario.arp_owner()} " in scenario.run("client", f"ip -6 neigh show {VIP}")


def test_the_director_holds_the_vip_at_once_and_does_not_send_from_it(scenario: Any) -> None:
    held = scenario.run("director", f"ip -o -6 address show to {VIP}")
    assert " nodad" in held, held
    assert " deprecated" in held, held
    assert "tentative" not in held, held
    assert "dadfailed" not in held, held
    assert "src 2001:db8:246::166 " in scenario.run("director", "ip -6 route get 2001:db8:246::161") + " "


def test_what_a_kernel_lacks_is_said_before_anything_is_touched(scenario: Any, tmp_path: Path) -> None:
    services = yaml.safe_load((scenario.directory / "inventory/hosts.yml").read_text())["all"]["vars"]["lvs_services"]
    services[0]["scheduler"] = "twos"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"lvs_services": services}))
    config = "/boot/config-$(uname -r)"
    before = scenario.picture("director")
    scenario.run("director", f"mkdir -p /boot; printf 'CONFIG_IP_VS_PROTO_%s=y\\n' TCP UDP >{config}")
    try:
        result = scenario.try_playbook("lvs.topology.site", "--extra-vars", f"@{wrong}")
    finally:
        scenario.run("director", f"rm {config}")
    said = result.stdout + result.stderr
    assert result.returncode != 0, said
    assert "has no module ip_vs_twos" in said, said
    assert "was built without CONFIG_IP_VS_IPV6, CONFIG_IP_VS_PROTO_SCTP" in said, said
    assert "Traceback" not in said
    assert scenario.picture("director") == before


def test_a_sysctl_that_no_kernel_has_is_refused(scenario: Any) -> None:
    wrong = {"lvs_sysctls": {"net.ipv4.vs.contrack": 1}}
    said = scenario.try_playbook("lvs.topology.site", "--extra-vars", json.dumps(wrong))
    assert said.returncode != 0
    assert "did you mean conntrack?" in said.stdout + said.stderr
