# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no longer listed: every module names it until purge puts it back."""

from __future__ import annotations

from pathlib import Path

import pytest

VIP = "10.0.0.100"
CASES = [
    (
        "vip_address",
        "addresses",
        [{"address": VIP, "interface": "lo"}, {"address": "10.0.0.101", "interface": "lo"}],
        [f"{VIP}/32 dev lo"],
    ),
    (
        "default_gateway",
        "gateways",
        [{"gateway": "10.0.0.1"}, {"gateway": "10.0.0.1", "metric": 7}],
        ["ipv4 default metric 0"],
    ),
    (
        "static_neighbour",
        "neighbours",
        [{"address": f"10.0.0.{n}", "lladdr": "02:00:00:00:00:01", "interface": "br0"} for n in (50, 51)],
        ["10.0.0.50 dev br0"],
    ),
    (
        "arp_filter",
        "filters",
        [{"vip": VIP, "source": "10.0.0.2"}, {"vip": "10.0.0.101", "source": "10.0.0.2"}],
        [f"INPUT -j DROP -d {VIP}", f"OUTPUT -j mangle -s {VIP} --mangle-ip-s 10.0.0.2"],
    ),
    (
        "arp_tuning",
        "interfaces",
        [{"interface": "br0", "arp_ignore": 1, "arp_announce": 2}, {"interface": "default", "arp_ignore": 1}],
        ["net.ipv4.conf.br0.arp_announce", "net.ipv4.conf.br0.arp_ignore"],
    ),
]


@pytest.mark.parametrize(("name", "option", "things", "gone"), CASES, ids=[case[0] for case in CASES])
def test_lists(run_module, wire, sh, name, option, things, gone) -> None:
    wire("client", "10.0.0.1/24")
    sh("ip address add 10.0.0.2/24 dev br0")
    first = run_module(name, {option: things})
    assert (first["changed"], first["left_over"]) == (True, [])
    fewer = {option: things[1:]}
    for check in (True, False):
        kept = run_module(name, fewer, check=check)
        assert (kept["changed"], kept["left_over"]) == (False, gone)
    for check in (True, False):
        purged = run_module(name, {**fewer, "purge": True}, check=check)
        assert (purged["changed"], purged["left_over"]) == (True, [])
    assert not run_module(name, {**fewer, "purge": True})["changed"]
    assert run_module(name, {option: [], "purge": False})["left_over"] != []
    assert run_module(name, {"state": "absent"})["left_over"] == []
    assert run_module(name, {option: []})["left_over"] == []


def test_sysctls_keep_their_line_in_the_file(run_module) -> None:
    both = {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.send_redirects": "0"}
    assert run_module("sysctl_profile", {"values": both})["left_over"] == []
    fewer = {"values": {"net.ipv4.ip_forward": "1"}}
    kept = run_module("sysctl_profile", fewer)
    assert (kept["changed"], kept["left_over"]) == (False, ["net.ipv4.conf.all.send_redirects"])
    assert "send_redirects = 0" in Path("/etc/sysctl.d/99-zz-lvs-topology-lvs.conf").read_text()
    assert run_module("sysctl_profile", {**fewer, "purge": True})["left_over"] == []


def test_modules_keep_their_line_in_the_file(run_module, sh) -> None:
    sh("rmmod ip_vs_sed ip_vs_nq 2>/dev/null || true")
    assert run_module("kernel_modules", {"modules": ["ip_vs_sed", "ip_vs_nq"]})["left_over"] == []
    kept = run_module("kernel_modules", {"modules": ["ip_vs_nq"]})
    assert (kept["changed"], kept["left_over"]) == (False, ["ip_vs_sed"])
    assert "ip_vs_sed" in Path("/etc/modules-load.d/lvs-topology-lvs.conf").read_text()
    assert run_module("kernel_modules", {"modules": ["ip_vs_nq"], "purge": True})["left_over"] == []
    run_module("kernel_modules", {"state": "absent"})
