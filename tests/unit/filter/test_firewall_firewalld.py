# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes firewalld: rich rules and direct rules with a priority of ours, kept and now."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_firewalld as firewalld
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_firewalld import Rules
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewalls import Firewalld
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

VIP = "192.168.50.128"
WEB = Opening("input", 4, "tcp", destination=VIP, ports=(80, 80))
HALF = WEB._replace(loose=True)
VRRP = Opening("input", 4, "112")
TOO_LARGE = Opening("input", 4, "icmp", destination=VIP, loose=True)
ANSWER = Opening("forward", 4, "tcp", source="10.0.0.51", source_ports=(80, 80), loose=True)
RICH = f'rule priority="8848" family="ipv4" destination address="{VIP}" port port="80" protocol="tcp" accept'
DIRECT = f"ipv4 raw PREROUTING 8848 -d {VIP}/32 -p tcp -m tcp --dport 80 -j CT --notrack"
# As --list-all-zones prints it, here and there with the word for the default zone.
ZONES = f"""\
dmz
  target: default
  icmp-block-inversion: no
  interfaces: {{}}
  services: ssh
  rich rules: {{}}
{{}} (default, active)
  target: default
  interfaces: eth1
  services: dhcpv6-client ssh
  ports: \n  rich rules:{{}}
\trule family="ipv4" source address="203.0.113.0/24" drop
\t{RICH}
"""


@pytest.mark.parametrize(
    ("target", "interfaces", "sources", "is_used"),
    [
        ("default", "eth1", "", True),
        ("default", "", "10.0.0.0/8", True),
        ("default", "", "", False),
        # What comes by that card is to be let pass all the same.
        ("DROP", "eth1", "", True),
        # That is a list of those who are refused.
        ("DROP", "", "203.0.113.0/24", False),
        ("%%REJECT%%", "", "ipset:refused", False),
    ],
)
def test_the_zones_that_packets_come_to(target: str, interfaces: str, sources: str, is_used: bool) -> None:
    listed = (
        "public (active)\n  target: default\n  interfaces: eth0\n  sources: \n\n"
        f"drop (active)\n  target: {target}\n  interfaces: {interfaces}\n  sources: {sources}\n  services: \n"
    )
    assert firewalld.zones(listed, "public\n") == ["drop"] * is_used + ["public"]
    assert "drop" in firewalld.zones(listed, "drop\n")


def test_what_is_ours() -> None:
    listed = ZONES.format("", "", "public", " ")
    # A card may have come into another zone since, so all of them are looked at.
    assert firewalld.ours_of_zones(listed) == {"public": {RICH}}
    assert firewalld.ours_of_zones(ZONES.format("eth2", f"\n\t{RICH}", "public", "")).keys() == {"dmz", "public"}
    listed = f"ipv4 filter INPUT 0 -j ACCEPT\n{DIRECT}\nipv4 raw PREROUTING 0 -j CT --notrack\n"
    assert firewalld.ours_of_direct(listed) == {DIRECT}
    assert firewalld.has_ours('<rule priority="8848" family="ipv4">')
    assert not firewalld.has_ours('<rule family="ipv4">')


def test_what_is_wanted() -> None:
    wish = firewalld.wanted(["dmz", "public"], [HALF, VRRP, ANSWER], tracks=False)
    vrrp = 'rule priority="8848" family="ipv4" protocol value="112" accept'
    assert wish == Rules({"dmz": {RICH, vrrp}, "public": {RICH, vrrp}}, {DIRECT})
    assert firewalld.wanted(["public"], [WEB], tracks=False).direct == frozenset()


def test_what_netfilter_has_to_change_it_has_to_track() -> None:
    """With FULLNAT netfilter changes the client's address, in the packet too of which an ICMP speaks."""
    assert len(firewalld.wanted(["public"], [TOO_LARGE], tracks=False).direct) == 1
    assert firewalld.wanted(["public"], [TOO_LARGE, HALF], tracks=True).direct == {DIRECT}


@pytest.mark.parametrize(
    ("scope", "command"),
    [*firewalld.SCOPES.items(), *firewalld.OFFLINE.items()],
    ids=["permanent", "now", "where it does not run"],
)
def test_what_has_to_change(scope: str, command: tuple[str, ...]) -> None:
    wish = firewalld.wanted(["public"], [HALF], tracks=False)
    come, gone = (
        firewalld.plan_rules(scope, command, *each) for each in ((firewalld.NOTHING, wish), (wish, firewalld.NOTHING))
    )
    assert [list(each.action) for each in come.changes] == [
        [*command, "--zone=public", f"--add-rich-rule={RICH}"],
        [*command, "--direct", "--add-rule", *DIRECT.split()],
    ]
    assert [list(each.action) for each in gone.changes] == [
        [*command, "--zone=public", f"--remove-rich-rule={RICH}"],
        [*command, "--direct", "--remove-rule", *DIRECT.split()],
    ]
    assert come.after == gone.before == (f"{scope}: zone public: {RICH}", f"{scope}: direct {DIRECT}")
    assert firewalld.plan_rules(scope, command, wish, wish).changes == ()


@pytest.mark.parametrize(("planned", "is_refused"), [("0", True), ("1", False)])
def test_answers_that_belong_to_no_connection(planned: str, is_refused: bool) -> None:
    Firewalld(runs=True).expect([HALF], planned)
    if is_refused:
        with pytest.raises(BadRequest, match=r"set net\.ipv4\.vs\.conntrack: 1 in lvs_sysctls"):
            Firewalld(runs=True).expect([ANSWER], planned)
    else:
        Firewalld(runs=True).expect([ANSWER], planned)
