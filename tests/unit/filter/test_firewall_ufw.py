# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes ufw: its own rules with a comment of ours, as it writes them into its files."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_ufw as ufw
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening, words

WEB = Opening("input", 4, "tcp", destination="192.168.50.128", ports=(80, 80))
FTP = Opening("input", 6, "tcp", destination="fd00::1", ports=(30000, 30100))
VRRP = Opening("input", 4, "112")
ANSWER = Opening("forward", 4, "tcp", source="10.0.0.51", source_ports=(80, 80), loose=True)
IPIP = Opening("input", 4, "4", destination="10.7.0.11")
COMMENT = "comment=6c76732e746f706f6c6f6779206d65"
TUPLES = {
    WEB: "allow tcp 80 192.168.50.128 any 0.0.0.0/0 in",
    FTP: "allow tcp 30000:30100 fd00::1 any ::/0 in",
    VRRP: "allow vrrp any 0.0.0.0/0 any 0.0.0.0/0 in",
    ANSWER: "route:allow tcp any 0.0.0.0/0 80 10.0.0.51 in",
}


def there(*openings: Opening, comment: str = "lvs.topology me") -> dict[Opening, str]:
    return {each._replace(loose=False): comment for each in openings}


@pytest.mark.parametrize("opening", TUPLES, ids=words)
def test_its_file(opening: Opening) -> None:
    text = f"*filter\n### tuple ### {TUPLES[opening]} {COMMENT}\n-A ufw-user-input -j ACCEPT\n"
    assert ufw.read(text, opening.family) == there(opening)
    assert [*ufw.read(text.replace(f" {COMMENT}", ""), opening.family).values()] == [""]


@pytest.mark.parametrize("ports", ["80,443 1.2.3.4 any", "any 1.2.3.4 80,443"])
def test_a_rule_for_several_ports_is_none_for_every_port(ports: str) -> None:
    assert ufw.read(f"### tuple ### allow tcp {ports} 0.0.0.0/0 in\n", 4) == {}
    assert ufw.read(f"### tuple ### deny tcp {ports} 0.0.0.0/0 in\n", 4, ufw.REFUSE) == {}


@pytest.mark.parametrize("tuple_", ["deny tcp 80 1.2.3.4 any 0.0.0.0/0 in", "reject tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"])
def test_rules_that_let_nothing_pass(tuple_: str) -> None:
    assert ufw.read(f"### tuple ### {tuple_}\n", 4) == {}


@pytest.mark.parametrize(
    ("action", "lets_pass"),
    [("allow", True), ("allow_log", True), ("limit", True), ("deny", False), ("reject_log-all", False)],
)
def test_a_rule_of_somebody_else_for_the_same_packets(action: str, lets_pass: bool) -> None:
    """ufw would replace it: of two rules that differ in nothing but what they do, it keeps the last one."""
    text = f"### tuple ### {TUPLES[WEB].replace('allow', action)}\n"
    assert ufw.read(text, 4) == (there(WEB, comment="") if lets_pass else {})
    assert ufw.read(text, 4, ufw.REFUSE) == ({} if lets_pass else there(WEB, comment=""))


@pytest.mark.parametrize(
    ("rule", "opening", "refuses"),
    [
        ("deny tcp 80 0.0.0.0/0 any 0.0.0.0/0 in", WEB, True),
        ("reject any any 192.168.50.0/24 any 0.0.0.0/0 in", WEB, True),
        ("deny tcp 1:1024 192.168.50.128 any 0.0.0.0/0 in", WEB, True),
        ("deny tcp 81 0.0.0.0/0 any 0.0.0.0/0 in", WEB, False),
        ("deny udp 80 0.0.0.0/0 any 0.0.0.0/0 in", WEB, False),
        ("deny tcp 80 192.168.51.0/24 any 0.0.0.0/0 in", WEB, False),
        # Some clients only.
        ("deny any any 0.0.0.0/0 any 203.0.113.0/24 in", WEB, False),
        ("deny tcp 80 0.0.0.0/0 any 0.0.0.0/0 out", WEB, False),
        ("route:deny any any 0.0.0.0/0 any 10.0.0.0/24 in", ANSWER, True),
        ("deny tcp 30000:30050 ::/0 any ::/0 in", FTP, False),
        ("deny any any ::/0 any ::/0 in", FTP, True),
        ("deny vrrp any 0.0.0.0/0 any 0.0.0.0/0 in", VRRP, True),
        ("deny tcp 443,80 0.0.0.0/0 any 0.0.0.0/0 in", WEB, True),
        ("deny tcp 443,8080 0.0.0.0/0 any 0.0.0.0/0 in", WEB, False),
        ("deny tcp 80 0.0.0.0/0 any 0.0.0.0/0 Nginx%20HTTP - in", WEB, True),
        ("deny tcp 80 0.0.0.0/0 any 0.0.0.0/0 in_eth7", WEB, False),
    ],
)
def test_a_rule_that_refuses_more_than_what_has_to_pass(rule: str, opening: Opening, refuses: bool) -> None:
    text = f"### tuple ### {rule}\n"
    assert ufw.refuses(text, opening) is refuses
    # The first one counts, and one for some clients says that somebody has thought of it.
    for allow in (
        TUPLES[opening],
        TUPLES[opening].replace("0.0.0.0/0 in", "10.0.0.0/8 in").replace("::/0 in", "fd00::/8 in"),
    ):
        assert not ufw.refuses(f"### tuple ### {allow}\n{text}", opening)
        assert ufw.refuses(f"{text}### tuple ### {allow}\n", opening) is refuses


def test_ipv6_around_ipv6_has_no_words_of_ufw() -> None:
    assert ufw.has_words(Opening("input", 4, "41", destination="10.7.0.11"))
    assert ufw.needs_chain(Opening("input", 6, "41", destination="2001:db8::21"))


def test_whether_its_file_has_a_rule_of_ours() -> None:
    assert ufw.has_ours(f"### tuple ### {TUPLES[WEB]} {COMMENT}\n")
    assert not ufw.has_ours(f"### tuple ### {TUPLES[WEB]} comment=6c76\n")
    # No text of ufw's.
    assert ufw.read(f"### tuple ### {TUPLES[WEB]} comment=6c7\n", 4) == {}


def test_its_chains() -> None:
    saved = "\n".join(
        [
            *("*filter", ":INPUT DROP [0:0]", ":FORWARD ACCEPT [0:0]", ":ufw-user-input - [0:0]"),
            "-A ufw-user-input -d 192.168.50.128/32 -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A ufw-user-input -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT",
            "-A ufw-user-input -d fd00::1/128 -p tcp -m multiport --dports 30000:30100 -j ACCEPT",
            "-A ufw-user-forward -s 10.0.0.51/32 -p tcp -m tcp --sport 80 -j ACCEPT",
        ]
    )
    assert ufw.rules(saved, 4)
    assert not ufw.rules(saved, 6)
    found = {WEB, ANSWER._replace(loose=False)}
    assert {each for each in ufw.in_kernel(saved, 4) if "." in f"{each.source}{each.destination}"} == found
    assert FTP in ufw.in_kernel(saved.replace("ufw-", "ufw6-"), 6)
    assert [ufw.is_closed(each, saved) for each in (WEB, ANSWER)] == [True, False]


def test_what_has_no_words_of_ufw_or_comes_too_late_there() -> None:
    assert [ufw.needs_chain(each) for each in (WEB, VRRP, ANSWER, IPIP, WEB._replace(loose=True))] == [
        *(False, False, False, True, True),
    ]


@pytest.mark.parametrize(
    ("current", "kernel", "wanted", "commands"),
    [
        (
            {},
            {},
            [WEB, ANSWER],
            [
                "allow proto tcp from 0.0.0.0/0 to 192.168.50.128 port 80 comment 'lvs.topology me'",
                "route allow proto tcp from 10.0.0.51 port 80 to 0.0.0.0/0 comment 'lvs.topology me'",
            ],
        ),
        (there(WEB, ANSWER), there(WEB, ANSWER), [WEB, ANSWER], []),
        # Somebody else's stays, also where we would want it, and where we do not.
        (there(WEB, VRRP, comment="mine"), there(WEB, VRRP), [WEB], []),
        (
            there(WEB, ANSWER),
            there(WEB, ANSWER),
            [],
            [
                "delete allow proto tcp from 0.0.0.0/0 to 192.168.50.128 port 80",
                "route delete allow proto tcp from 10.0.0.51 port 80 to 0.0.0.0/0",
            ],
        ),
        # What comes lets pass before what goes lets pass no more.
        (
            there(WEB),
            there(WEB),
            [WEB._replace(ports=(80, 90))],
            [
                "allow proto tcp from 0.0.0.0/0 to 192.168.50.128 port 80:90 comment 'lvs.topology me'",
                "delete allow proto tcp from 0.0.0.0/0 to 192.168.50.128 port 80",
            ],
        ),
        # It is in ufw's file, and somebody took it out of the chain.
        (
            there(VRRP),
            {},
            [VRRP],
            [
                "delete allow proto vrrp from 0.0.0.0/0 to 0.0.0.0/0",
                "allow proto vrrp from 0.0.0.0/0 to 0.0.0.0/0 comment 'lvs.topology me'",
            ],
        ),
    ],
)
def test_what_has_to_change(
    current: dict[Opening, str], kernel: dict[Opening, str], wanted: list[Opening], commands: list[str]
) -> None:
    plan = ufw.plan_rules("me", current, {*kernel}, wanted)
    assert [each.line for each in plan.changes] == [f"ufw {each}" for each in commands]
    assert (plan.before != plan.after) is bool(commands)
