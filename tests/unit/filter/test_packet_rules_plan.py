# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as tables: their words in the ledger, in nft and in iptables, and what a listing says of others."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_plan as plan
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_text as rules_text
from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_plan import Mark, Rule, SourceNat
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger

WEB = ("tcp", "10.0.0.100", 80)

# A rule, the ledger's words, nft's, iptables'.
RULES = [
    (
        Mark(4, "10.0.0.100", "tcp", (20, 21), 10),
        "mark 10: tcp 10.0.0.100 20-21",
        "ip daddr 10.0.0.100 tcp dport 20-21 meta mark set 0x0000000a",
        ["-d 10.0.0.100/32 -p tcp -m tcp --dport 20:21 -j MARK --set-xmark 0xa/0xffffffff"],
    ),
    (
        Mark(6, "fd00::1", "sctp", plan.EVERY_PORT, 2**32 - 1),
        "mark 4294967295: sctp fd00::1 *",
        "ip6 daddr fd00::1 meta l4proto sctp meta mark set 0xffffffff",
        ["-d fd00::1/128 -p sctp -j MARK --set-xmark 0xffffffff/0xffffffff"],
    ),
    (
        SourceNat(4, WEB, None, ("10.1.0.1",)),
        "source 10.1.0.1: tcp 10.0.0.100 80",
        "meta l4proto tcp ct original ip daddr 10.0.0.100 ct original proto-dst 80 snat ip to 10.1.0.1",
        ["-p tcp -m ipvs --vaddr 10.0.0.100 --vport 80 -j SNAT --to-source 10.1.0.1"],
    ),
    (
        SourceNat(6, ("udp", "fd00::1", 0), "fd01::9", ("fd01::1", "fd01::2")),
        "source fd01::1,fd01::2: udp fd00::1 * at fd01::9",
        "meta l4proto udp ct original ip6 daddr fd00::1 ip6 daddr fd01::9 snat ip6 to numgen inc mod 2 map "
        "{ 0 : fd01::1, 1 : fd01::2 }",
        [
            "-d fd01::9/128 -p udp -m ipvs --vaddr fd00::1 -m statistic --mode nth --every 2 --packet 0 "
            "-j SNAT --to-source fd01::1",
            "-d fd01::9/128 -p udp -m ipvs --vaddr fd00::1 -j SNAT --to-source fd01::2",
        ],
    ),
    (
        SourceNat(4, 10, None, ("10.1.0.1",)),
        "source 10.1.0.1: ipv4 mark 10",
        "meta nfproto ipv4 meta mark 0x0000000a snat ip to 10.1.0.1",
        ["-m mark --mark 0xa -j SNAT --to-source 10.1.0.1"],
    ),
]


@pytest.mark.parametrize(("rule", "words", "nft", "iptables"), RULES)
def test_one_rule_in_all_words(rule: Rule, words: str, nft: str, iptables: list[str]) -> None:
    assert plan.words(rule) == words
    assert plan.rule_of(words) == rule
    assert f"\t\t{nft}" in rules_text.render_nft("me", [rule])
    tables = list(rules_text.render_iptables("me", "iptables", [rule], rule.family).values())
    assert [[line.split(" ", 2)[2] for line in lines[2:]] for lines in tables] == [iptables]
    assert rules_text.render_iptables("me", "iptables", [rule], 10 - rule.family) == {}


def test_what_is_rendered_is_read_back() -> None:
    rules = [rule for rule, *_words in RULES]
    text = rules_text.replace_nft("me", rules_text.render_nft("me", rules))
    assert text.startswith(
        "table inet lvs_topology_me\ndelete table inet lvs_topology_me\ntable inet lvs_topology_me {\n"
    )
    listed = "table ip other {\n}\n" + text.split("\n", 2)[2] + "table ip6 other {\n}\n"
    assert rules_text.read_nft("me", listed) == {"nft inet lvs_topology_me": tuple(rules_text.render_nft("me", rules))}
    assert rules_text.read_nft("you", listed) == {}
    rendered = rules_text.render_iptables("me", "iptables", rules, 4)
    saved = "*nat\n:POSTROUTING ACCEPT [1:2]\n-A POSTROUTING -j other\n"
    saved += "\n".join(rendered["iptables -t nat"]).replace("- [0:0]", "- [7:9]") + "\nCOMMIT\n"
    assert rules_text.read_iptables("me", "iptables", saved) == {"iptables -t nat": rendered["iptables -t nat"]}


@pytest.mark.parametrize(
    ("calls", "wanted", "expected"),
    [
        (0, True, ["-I POSTROUTING -j lvs-me-snat", "-A lvs-me-snat -x"]),
        (1, True, ["-A lvs-me-snat -x"]),
        (2, True, ["-D POSTROUTING -j lvs-me-snat"] * 2 + ["-I POSTROUTING -j lvs-me-snat", "-A lvs-me-snat -x"]),
        (1, False, ["-D POSTROUTING -j lvs-me-snat", "-X lvs-me-snat"]),
        (0, False, ["-X lvs-me-snat"]),
    ],
)
def test_a_chain_is_called_once(calls: int, wanted: bool, expected: list[str]) -> None:
    chain, call = ":lvs-me-snat - [0:0]", "-A POSTROUTING -j lvs-me-snat"
    text = rules_text.replace_iptables(
        "me", "nat", [chain, *[call] * calls], [chain, call, "-A lvs-me-snat -x"] if wanted else []
    )
    assert text.splitlines() == ["*nat", chain, *expected, "COMMIT"]


@pytest.mark.parametrize(
    ("wanted", "present", "purge", "there", "left_over"),
    [
        # The ledger has the first and third of RULES.
        ([0], True, False, [0, 2], [2]),
        ([0], True, True, [0], []),
        ([], True, True, [], []),
        ([0], False, False, [2], []),
        (None, False, False, [], []),
    ],
)
def test_what_is_there_afterwards(
    wanted: list[int] | None, present: bool, purge: bool, there: list[int], left_over: list[int]
) -> None:
    ledger = Ledger().claim(plan.KIND, RULES[0][1], "me").claim(plan.KIND, RULES[2][1], "me")
    rules = None if wanted is None else [RULES[position][0] for position in wanted]
    found, settlement = plan.plan_rules(ledger, "me", rules, present=present, purge=purge)
    assert found == [RULES[position][0] for position in there]
    assert list(settlement.left_over) == [RULES[position][1] for position in left_over]


def test_a_new_target_takes_the_place_of_the_old_one() -> None:
    ledger = Ledger().claim(plan.KIND, RULES[2][1], "me")
    new = SourceNat(4, WEB, None, ("10.1.0.7",))
    found, settlement = plan.plan_rules(ledger, "me", [new], present=True, purge=False)
    assert found == [new]
    assert settlement.left_over == ()


def test_what_is_wanted_wins_over_what_is_left() -> None:
    """Whatever the order of their words: the first source is taken, and the last mark."""
    web = ("tcp", "10.0.0.1", 80)
    for old, new in (("10.1.0.7", "10.1.0.8"), ("10.1.0.8", "10.1.0.7")):
        left = SourceNat(4, web, None, (old,))
        wanted = SourceNat(4, web, "10.0.0.9", (new,))
        ledger = Ledger().claim(plan.KIND, plan.words(left), "me")
        assert plan.plan_rules(ledger, "me", [wanted], present=True, purge=False)[0] == [wanted, left]
    for before, after in ((3, 4), (4, 3)):
        left_mark = Mark(4, "10.0.0.1", "tcp", (20, 21), before)
        wanted_mark = Mark(4, "10.0.0.1", "tcp", (21, 21), after)
        ledger = Ledger().claim(plan.KIND, plan.words(left_mark), "me")
        found, _settlement = plan.plan_rules(ledger, "me", [wanted_mark], present=True, purge=False)
        assert found == [left_mark, wanted_mark]


@pytest.mark.parametrize(
    ("listing", "marks"),
    [
        ("table ip x {\n\tchain c {\n\t\ttcp dport 1 counter packets 0 bytes 0 meta mark set 0x0000000a\n\t}\n}", {10}),
        ("table ip x {\n\tchain c {\n\t\tmeta mark set 0x0000000a accept\n\t}\n}", {10}),
        ("table ip x {\n\tchain c {\n\t\tmeta mark set meta mark | 0x0000000a\n\t\tct mark set 0xb\n\t}\n}", set()),
        ("table inet lvs_topology_me {\n\tchain marks {\n\t\tmeta mark set 0x0000000a\n\t}\n}", set()),
        ("table inet lvs_topology_you {\n\tchain marks {\n\t\tmeta mark set 0x0000000a\n\t}\n}", {10}),
        ("table ip mangle {\n\tchain lvs-me-mark {\n\t\tmeta mark set 0x0000000a\n\t}\n}", set()),
        ("*mangle\n-A PREROUTING -j MARK --set-xmark 0xa/0xffffffff", {10}),
        ("*mangle\n-A PREROUTING -j MARK --set-xmark 0x4000/0x4000", set()),
        ("*mangle\n-A PREROUTING -j CONNMARK --set-xmark 0xa/0xffffffff", set()),
        ("*mangle\n-A lvs-me-mark -j MARK --set-xmark 0xa/0xffffffff", set()),
    ],
)
def test_marks_of_others(listing: str, marks: set[int]) -> None:
    assert set(rules_text.foreign_marks("me", listing)) == marks


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        ('table ip x {\n\tchain c {\n\t\toifname "eth1" counter packets 1 bytes 2 masquerade\n\t}\n}', True),
        ("table ip x {\n\tchain c {\n\t\tmasquerade\n\t}\n}", True),
        ("table ip x {\n\tchain c {\n\t\tip saddr 10.0.0.0/8 masquerade\n\t}\n}", False),
        ("table inet lvs_topology_me {\n\tchain c {\n\t\tmasquerade\n\t}\n}", False),
        ("-A POSTROUTING -o eth0 -j MASQUERADE", True),
        ("-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE", False),
    ],
)
def test_broad_masquerade(listing: str, found: bool) -> None:
    assert bool(rules_text.broad_masquerade("me", listing)) is found


def test_a_match_that_would_load_ip_vs_can_be_left_out() -> None:
    text = "-A x -p tcp -m ipvs --vaddr 10.0.0.1 --vport 80 -j SNAT\n-A x -p udp -m ipvs --vaddr fd00::1 -j SNAT\n"
    assert rules_text.without_ipvs(text) == "-A x -p tcp -j SNAT\n-A x -p udp -j SNAT\n"


# The first of these that match a connection translates it, so each stands before what is more general.
SPECIFIC_FIRST = [
    SourceNat(4, 9, "10.1.0.2", ("10.1.0.9",)),
    SourceNat(4, 10, None, ("10.1.0.8",)),
    SourceNat(4, WEB, "10.1.0.2", ("10.1.0.7",)),
    SourceNat(4, WEB, None, ("10.1.0.171",)),
    SourceNat(4, ("tcp", "10.0.0.100", 0), "10.1.0.2", ("10.1.0.10",)),
    SourceNat(4, ("tcp", "10.0.0.100", 0), None, ("10.1.0.170",)),
]
# The last of these that match a packet is the mark that it keeps.
WIDE_FIRST = [
    Mark(4, "10.0.0.100", "tcp", plan.EVERY_PORT, 9),
    Mark(4, "10.0.0.100", "tcp", (1, 1000), 10),
    Mark(4, "10.0.0.100", "tcp", (80, 80), 11),
    Mark(4, "10.0.0.100", "tcp", (443, 443), 8),
]


@pytest.mark.parametrize("turned", [1, -1])
def test_the_more_specific_rule_counts_whatever_the_spelling(turned: int) -> None:
    right = [*WIDE_FIRST[:2], *sorted(WIDE_FIRST[2:], key=plan.words), *SPECIFIC_FIRST]
    rules, _settlement = plan.plan_rules(Ledger(), "me", right[::turned], present=True, purge=False)
    assert rules == right
    assert plan.in_order(right[::turned]) == right
    # What an earlier run left takes its place among them.
    _rules, settlement = plan.plan_rules(Ledger(), "me", right[3:5], present=True, purge=False)
    others = [rule for rule in right if rule not in right[3:5]]
    rules, _settlement = plan.plan_rules(settlement.settled, "me", others, present=True, purge=False)
    assert rules == right


def test_a_wrong_order_on_a_host_is_replaced_in_one_step() -> None:
    right, wrong = (rules_text.render_nft("me", rules) for rules in (SPECIFIC_FIRST, SPECIFIC_FIRST[::-1]))
    change = rules_text.plan_table("nft inet lvs_topology_me", wrong, right)
    assert [each.line for each in change.changes] == ["nft inet lvs_topology_me: replace"]
    assert rules_text.replace_nft("me", change.after).splitlines()[2:] == right
