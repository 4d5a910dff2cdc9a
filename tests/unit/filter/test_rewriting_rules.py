# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that mark packets and change sources, as iptables-save and nft print them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_text as text
from ansible_collections.lvs.topology.plugins.module_utils._filter import rewriting_rules as rules
from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_plan import Mark, SourceNat
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import Rewriting

VIP, RIP, DIP = "192.0.2.1", "10.0.0.51", "10.0.0.30"
OURS = [
    Mark(4, VIP, "tcp", (20, 21), 21),
    Mark(4, VIP, "udp", (0, 65535), 21),
    Mark(6, "2001:db8::1", "tcp", (80, 80), 2**32 - 1),
    SourceNat(4, 21, None, (DIP,)),
    SourceNat(4, ("tcp", VIP, 80), RIP, (DIP,)),
    SourceNat(4, ("udp", VIP, 0), None, (DIP, "10.0.0.31", "10.0.0.32")),
    SourceNat(6, ("tcp", "2001:db8::1", 443), None, ("fd00::30", "fd00::31")),
    SourceNat(6, 9, None, ("fd00::30",)),
]


def words_of(each: Rewriting) -> dict[str, Any]:
    """What is said, without what says it."""
    plain = Rewriting(each.does, "", each.is_plain, each.is_ours, priority=each.priority)
    return {key: value for key, value in each._asdict().items() if getattr(plain, key) != value and key != "rule"}


def of_iptables(*lines: str, table: str = "mangle", family: int = 4) -> list[Rewriting]:
    base = {"mangle": ":PREROUTING ACCEPT [0:0]", "nat": ":POSTROUTING ACCEPT [0:0]"}[table]
    return list(rules.of_iptables("\n".join([f"*{table}", base, *lines, "COMMIT"]), family))


def of_nft(*lines: str, head: str = "type filter hook prerouting priority mangle; policy accept;") -> list[Rewriting]:
    inner = [f"\t\t{line}" for line in (head, *lines)]
    return list(rules.of_nft("\n".join(["table inet own {", "\tchain one {", *inner, "\t}", "}"])))


def expected(rule: Mark | SourceNat) -> dict[str, Any]:
    if isinstance(rule, Mark):
        ports = () if rule.ports == (0, 65535) else ("-".join(map(str, dict.fromkeys(rule.ports))),)
        found = {"destination": rule.address, "protocol": rule.protocol, "ports": ports, "mark": rule.mark}
    elif isinstance(rule.service, int):
        found = {"asked_mark": rule.service, "to": rule.to, "destination": rule.destination}
    else:
        protocol, vip, port = rule.service
        found = {"protocol": protocol, "vip": vip, "vport": port, "to": rule.to, "destination": rule.destination}
    return {"family": rule.family, **{key: value for key, value in found.items() if value}}


def test_our_own_rules_are_read_as_they_were_meant() -> None:
    table = "\n".join(text.render_nft("director", OURS))
    assert list(map(words_of, rules.of_nft(table))) == list(map(expected, OURS))
    assert all(each.is_plain and each.is_ours for each in rules.of_nft(table))
    for family, command in ((4, "iptables"), (6, "ip6tables")):
        found = []
        for name, lines in text.render_iptables("director", command, OURS, family).items():
            found += of_iptables(*lines, table=name.rpartition(" ")[2], family=family)
        assert list(map(words_of, found)) == [expected(each) for each in OURS if each.family == family]
        assert all(each.is_plain and each.is_ours for each in found)


MARKED = {"family": 4, "destination": VIP, "protocol": "tcp", "mark": 7}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-d 192.0.2.1/32 -p tcp -m tcp --dport 80", {**MARKED, "ports": ("80",)}),
        ("-d 192.0.2.1/32 -p tcp -m multiport --dports 80,443,8000:8009",
         {**MARKED, "ports": ("80", "443", "8000-8009")}),
        ("-d 192.0.2.1/32 -p tcp -m comment --comment \"a b\"", MARKED),
        ("-d 192.0.2.0/24 -p tcp", {**MARKED, "destination": "192.0.2.0/24"}),
        ("-p tcp -m tcp --dport 80", {"family": 4, "protocol": "tcp", "ports": ("80",), "mark": 7}),
    ],
)  # fmt: skip
def test_what_iptables_marks(line: str, said: dict[str, Any]) -> None:
    (found,) = of_iptables(f"-A PREROUTING {line} -j MARK --set-xmark 0x7/0xffffffff")
    assert found.is_plain
    assert not found.is_ours
    assert words_of(found) == said


@pytest.mark.parametrize(
    "line",
    [
        "-A PREROUTING -i eth0 -d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff",
        "-A PREROUTING -s 10.0.0.0/8 -d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff",
        "-A PREROUTING ! -d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff",
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -m time --timestart 1 -j MARK --set-xmark 0x7/0xffffffff",
        # Single bits of a mark.
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xf",
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -j MARK --and-mark 0x7",
        "-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -m mark --mark 0x1 -j MARK --set-xmark 0x7/0xffffffff",
        # An extension that holds without any option, and one whose option is called like another one's.
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -m socket -j MARK --set-xmark 0x7/0xffffffff",
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -m connmark --mark 0x1 -j MARK --set-xmark 0x7/0xffffffff",
        # A negation without a value.
        "-A PREROUTING -d 192.0.2.1/32 -p tcp -m physdev ! --physdev-is-in -j MARK --set-xmark 0x7/0xffffffff",
    ],
)
def test_what_is_asked_besides_leaves_it_open(line: str) -> None:
    (found,) = of_iptables(line)
    assert not found.is_plain


def test_a_rule_before_it_may_end_the_way_of_packets() -> None:
    mark = "-d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff"
    for before, is_plain in {
        "-A PREROUTING -s 10.0.0.0/8 -j ACCEPT": False,
        "-A PREROUTING -s 10.0.0.0/8 -j TPROXY": False,
        "-A PREROUTING -s 10.0.0.0/8 -j LOG": True,
        "-A PREROUTING -s 10.0.0.0/8 -j DROP": True,
        "-A PREROUTING -j inner": True,
        "-A PREROUTING -j returns": False,
        "-A PREROUTING -g inner": False,
        "-A PREROUTING -m physdev ! --physdev-is-in -j ACCEPT": False,
    }.items():
        more = [":inner - [0:0]", ":returns - [0:0]", "-A returns -i lo -j RETURN", "-A inner -j LOG"]
        (found,) = of_iptables(*more, before, f"-A PREROUTING {mark}")
        assert found.is_plain == is_plain, before
    for call, plain in {"-j inner": [True], "-i eth0 -j inner": [False], "": []}.items():
        lines = [":inner - [0:0]", f"-A inner {mark}", *([f"-A PREROUTING {call}"] if call else [])]
        assert [each.is_plain for each in of_iptables(*lines)] == plain


def test_marks_count_wherever_they_come_before_ipvs() -> None:
    mark = "-d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff"
    for table, chain, plain in (
        ("raw", "PREROUTING", [True]),
        ("mangle", "INPUT", [True]),
        ("filter", "INPUT", [True]),
        # Of a connection that is there already, the table nat sees nothing.
        ("nat", "PREROUTING", [False]),
        ("mangle", "FORWARD", []),
        ("nat", "POSTROUTING", []),
    ):
        text = f"*{table}\n:{chain} ACCEPT [0:0]\n-A {chain} {mark}\nCOMMIT"
        assert [each.is_plain for each in rules.of_iptables(text, 4)] == plain, (table, chain)
    for head, plain in {
        "type filter hook input priority filter; policy accept;": [True],
        "type filter hook input priority srcnat - 2; policy accept;": [],
        "type filter hook prerouting priority raw; policy accept;": [True],
        "type nat hook prerouting priority dstnat; policy accept;": [False],
        "type filter hook forward priority filter; policy accept;": [],
    }.items():
        line = "ip daddr 192.0.2.1 tcp dport 80 meta mark set 0x7"
        assert [each.is_plain for each in of_nft(line, head=head)] == plain, head


def test_a_chain_is_walked_once_however_often_it_is_called() -> None:
    calls = [f"-A c{n} -i {link} -j c{n + 1}" for n in range(60) for link in ("eth0", "eth1")]
    names = [f":c{n} - [0:0]" for n in range(61)]
    mark = "-A c60 -d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff"
    (found,) = of_iptables(*names, *calls, mark, "-A PREROUTING -j c0")
    assert not found.is_plain


def test_chains_that_lead_to_each_other_have_an_end() -> None:
    lines = [":a - [0:0]", ":b - [0:0]", "-A a -j b", "-A b -j a", "-A PREROUTING -j a", "-A PREROUTING -j PREROUTING"]
    assert of_iptables(*lines) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-m ipvs --vaddr 192.0.2.1 --vport 80 -j MASQUERADE", {"vip": VIP, "vport": 80}),
        ("-m ipvs --ipvs --vproto 6 --vaddr 192.0.2.1/32 --vdir ORIGINAL -j SNAT --to-source 10.0.0.30 --random",
         {"protocol": "tcp", "vip": VIP, "to": (DIP,)}),
        ("-d 10.0.0.51/32 -p tcp -m tcp --dport 8080 -j SNAT --to-source 10.0.0.30",
         {"destination": RIP, "protocol": "tcp", "ports": ("8080",), "to": (DIP,)}),
        ("-d 10.0.0.0/24 -j MASQUERADE", {"destination": "10.0.0.0/24"}),
        # Several addresses of which the kernel chooses, and ports with them.
        ("-d 10.0.0.51/32 -j SNAT --to-source 10.0.0.30-10.0.0.33", {"destination": RIP}),
    ],
)  # fmt: skip
def test_whose_source_iptables_changes(line: str, said: dict[str, Any]) -> None:
    (found,) = of_iptables(f"-A POSTROUTING {line}", table="nat")
    assert found.is_plain
    assert words_of(found) == {"family": 4, **said}


def test_turns_that_are_not_ours_are_open() -> None:
    half = "-A POSTROUTING -d 10.0.0.51/32 -m statistic --mode nth --every 2 --packet 0 -j SNAT --to-source 10.0.0.30"
    rest = "-A POSTROUTING -d 10.0.0.51/32 -j SNAT --to-source 10.0.0.31"
    assert [(each.is_plain, each.to) for each in of_iptables(half, rest, table="nat")] == [(True, (DIP, "10.0.0.31"))]
    assert [each.is_plain for each in of_iptables(half, table="nat")] == [False]
    assert [each.is_plain for each in of_iptables(half, half, rest, table="nat")] == [False, True]
    assert [each.is_plain for each in of_iptables(half, rest.replace("51", "52"), table="nat")] == [False, True]
    chosen = half.replace("SNAT --to-source 10.0.0.30", "MASQUERADE")
    assert [(each.is_plain, each.to) for each in of_iptables(chosen, rest, table="nat")] == [(True, ())]
    random = half.replace("nth --every 2 --packet 0", "random --probability 0.5")
    assert [each.is_plain for each in of_iptables(random, rest, table="nat")] == [False, True]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ip daddr 192.0.2.1 tcp dport 80 counter packets 3 bytes 180 meta mark set 0x00000007",
         [{**MARKED, "ports": ("80",)}]),
        ("ip daddr 192.0.2.1 tcp dport { 80, 443 } meta mark set 0x7 comment \"a b\"",
         [{**MARKED, "ports": ("80", "443")}]),
        ("ip daddr { 192.0.2.1, 192.0.2.2 } meta l4proto { tcp, udp } th dport 53 meta mark set 7",
         [{"family": 4, "destination": vip, "protocol": protocol, "ports": ("53",), "mark": 7}
          for vip in ("192.0.2.1", "192.0.2.2") for protocol in ("tcp", "udp")]),
        ("meta l4proto tcp ip daddr 192.0.2.1 tcp dport 80 meta mark set 7 accept", [{**MARKED, "ports": ("80",)}]),
        ("ip6 daddr 2001:db8::1 meta l4proto tcp meta mark set 0x7",
         [{**MARKED, "family": 6, "destination": "2001:db8::1"}]),
    ],
)  # fmt: skip
def test_what_nft_marks(line: str, said: list[dict[str, Any]]) -> None:
    found = of_nft(line)
    assert all(each.is_plain for each in found)
    assert list(map(words_of, found)) == said


@pytest.mark.parametrize(
    "line",
    [
        'iifname "eth0" ip daddr 192.0.2.1 tcp dport 80 meta mark set 0x7',
        "ip daddr != 192.0.2.1 tcp dport 80 meta mark set 0x7",
        "ip daddr @vips tcp dport 80 meta mark set 0x7",
        "ip daddr 192.0.2.1 tcp dport 80 meta mark set meta mark & 0x7",
        "ip daddr 192.0.2.1 tcp dport 80 meta mark set ct mark",
        "meta mark set tcp dport map { 80 : 0x7 }",
        "meta mark 0x1 meta mark set 0x7",
        "ip daddr 192.0.2.1 meta mark set 0x7 limit rate 1/second",
        "ip daddr 192.0.2.1 tcp dport 80 socket transparent 1 meta mark set 0x7",
    ],
)
def test_what_nft_asks_besides_leaves_it_open(line: str) -> None:
    assert [each.is_plain for each in of_nft(line)] == [False]


def test_maps_of_verdicts_lead_to_all_their_chains() -> None:
    listing = """table ip own {
	chain web {
		ip daddr 192.0.2.1 tcp dport 80 meta mark set 0x7
	}
	chain base {
		type filter hook prerouting priority mangle; policy accept;
		tcp dport vmap { 80 : jump web, 81 : accept }
		ip daddr 192.0.2.1 tcp dport 82 meta mark set 0x7
	}
	chain elsewhere {
		type filter hook forward priority filter; policy accept;
		ip daddr 192.0.2.1 tcp dport 83 meta mark set 0x7
	}
}"""
    assert [(each.is_plain, each.ports) for each in rules.of_nft(listing)] == [(False, ("80",)), (False, ("82",))]


def test_whose_source_nft_changes() -> None:
    head = "type nat hook postrouting priority srcnat; policy accept;"
    (found,) = of_nft("ip daddr 10.0.0.51 tcp dport 8080 snat to 10.0.0.30", head=head)
    assert (found.is_plain, found.destination, found.to) == (True, RIP, (DIP,))
    (found,) = of_nft("ip daddr 10.0.0.51 masquerade", head=head)
    assert (found.is_plain, found.to) == (True, ())
    (found,) = of_nft("ip daddr 10.0.0.51 snat to 10.0.0.30-10.0.0.33", head=head)
    assert (found.is_plain, found.to) == (True, ())
    (found,) = of_nft('oifname "eth1" ip saddr 10.0.0.0/24 masquerade', head=head)
    assert not found.is_plain
    for end in ("random", "random,persistent", "fully-random", 'comment "by hand"', 'random comment "a random one"'):
        (found,) = of_nft(f"ip daddr 10.0.0.51 snat to 10.0.0.30 {end}", head=head)
        assert (found.is_plain, found.to) == (True, (DIP,)), end
    (found,) = of_nft("snat to ip daddr map { 10.0.0.51 : 10.0.0.30 }", head=head)
    assert (found.is_plain, found.to) == (False, ())


@pytest.mark.parametrize(
    ("before", "is_plain"),
    [
        ('tcp dport 81 counter packets 0 bytes 0 xt target "TPROXY"', False),
        ("tcp dport 81 tproxy to :8080", False),
        ("tcp dport 81 dup to 10.0.0.1", False),
        # Nobody can tell where this text ends.
        ('tcp dport 81 comment "a" accept comment "b"c"', False),
        ('tcp dport 81 log prefix "accept "', True),
        ("tcp dport 81 ct mark set 0x7", True),
    ],
)
def test_what_a_rule_of_nft_may_do_to_those_behind_it(before: str, is_plain: bool) -> None:
    found = of_nft(before, "ip daddr 192.0.2.1 tcp dport 80 meta mark set 0x7")
    assert [each.is_plain for each in found] == [is_plain]


def test_a_block_inside_a_chain_of_nft_has_the_conditions_of_its_line() -> None:
    inner = ['iifname "eth0" jump {', "\tip daddr 192.0.2.1 tcp dport 80 meta mark set 0x7", "}"]
    found = of_nft(*inner, "ip daddr 192.0.2.2 tcp dport 80 meta mark set 0x7")
    assert [(each.destination, each.is_plain) for each in found] == [(VIP, False), ("192.0.2.2", True)]
    ends = ['iifname "eth0" jump {', "\taccept", "}"]
    assert [each.is_plain for each in of_nft(*ends, "ip daddr 192.0.2.2 tcp dport 80 meta mark set 0x7")] == [False]


def test_chains_of_nft_come_in_the_order_of_their_priorities() -> None:
    tables = [
        f"table ip {name} {{\n\tchain post {{\n\t\ttype nat hook postrouting priority {priority}; policy accept;\n"
        f"\t\tip daddr 10.0.0.51 snat to {address}\n\t}}\n}}"
        for name, priority, address in (("a", "srcnat", "10.0.0.31"), ("b", "50", "10.0.0.32"), ("c", "150", DIP))
    ]
    found = rules.of_nft("\n".join(tables))
    assert [(each.priority, each.to) for each in found] == [(50, ("10.0.0.32",)), (100, ("10.0.0.31",)), (150, (DIP,))]


def test_our_table_of_nft_comes_first() -> None:
    ours = "\n".join(text.render_nft("director", OURS[-1:]))
    others = "\n".join(text.render_nft("director", OURS[-2:-1])).replace("lvs_topology_director", "by_hand")
    assert [each.is_ours for each in rules.of_nft(f"{others}\n{ours}")] == [True, False]


def test_what_iptables_has_in_nft_is_left_to_it() -> None:
    listing = """table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 10.0.0.51 counter packets 0 bytes 0 xt target "SNAT"
	}
}
table ip nat_of_somebody {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		masquerade
	}
}"""
    assert rules.tables_of_iptables(listing, 4) == ["ip nat"]
    assert rules.tables_of_iptables(listing, 6) == []
    assert [each.rule for each in rules.of_nft(listing, ["ip nat"])] == ["masquerade"]


def test_what_iptables_leaves_to_nft_is_known() -> None:
    saved = """# Table `nat' is incompatible, use 'nft' tool.
# Table `mangle' contains incompatible base-chains, use 'nft' tool to list them.
*mangle
:PREROUTING ACCEPT [0:0]
COMMIT
"""
    assert rules.incompatible(saved) == ["nat"]
    assert rules.left_out(saved) == ["Table `mangle' contains incompatible base-chains"]
    assert list(rules.of_iptables(saved, 4)) == []


@pytest.mark.parametrize(
    "odd", ["-A", "-A PREROUTING", "-A PREROUTING -j", ":", "*", "-A PREROUTING -d -j MARK", '-A P "']
)
def test_odd_lines_are_no_rules(odd: str) -> None:
    assert [each for each in of_iptables(odd) if each.is_plain] == []


@pytest.mark.parametrize(
    ("line", "is_redundant"),
    [
        ("-d 192.0.2.1/32 -p tcp -m tcp --dport 20:21", True),
        ("-d 192.0.2.1/32 -p tcp -m multiport --dports 20,21", True),
        ("-d 192.0.2.1/32 -p udp", True),
        ("-d 192.0.2.1/32 -p tcp -m tcp --dport 20:22", False),
        ("-d 192.0.2.1/32 -p tcp -m multiport --dports 21,80", False),
        ("-d 192.0.2.1/32 -p tcp", False),
        ("-d 192.0.2.0/31 -p udp", False),
        ("-d 192.0.2.2/32 -p udp", False),
        ("-i eth0 -d 192.0.2.1/32 -p udp", False),
        ("-p udp", False),
    ],
)
def test_what_only_marks_the_same_packets(line: str, is_redundant: bool) -> None:
    rule = f"-A PREROUTING {line} -j MARK --set-xmark 0x15/0xffffffff"
    wanted = [each for each in OURS if isinstance(each, Mark)]
    assert rules.redundant(of_iptables(rule), wanted) == ({rule} if is_redundant else set())
    assert rules.redundant(of_iptables(rule.replace("0x15", "0x16")), wanted) == set()


def test_of_a_rule_with_several_addresses_all_have_to_be_ours() -> None:
    line = "ip daddr { 192.0.2.1, 192.0.2.2 } meta l4proto udp meta mark set 0x15"
    both = [Mark(4, f"192.0.2.{last}", "udp", (0, 65535), 21) for last in (1, 2)]
    assert rules.redundant(of_nft(line), both) == {line}
    assert rules.redundant(of_nft(line), both[:1]) == set()
