# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets are dropped for certain, by rules in the words of iptables-save and of nft."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._net.filter_rules import of_iptables, of_nft
from ansible_collections.lvs.topology.plugins.module_utils._net.verdicts import Packet, dropped_by, packet_of

VIP = "192.168.246.160"
REQUEST = Packet("input", 4, "6", destination=VIP, port=80, state="new")
ANSWER = Packet("forward", 4, "6", source="10.0.0.51", source_port=80, state="established")
VRRP = Packet("input", 4, "112", state="new")
TOO_LARGE = Packet("input", 4, "1", destination=VIP)


def iptables(*rules: str, policy: str = "ACCEPT", chains: str = "") -> str | None:
    text = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD {policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n{chains}"
    return text + "\n".join(rules) + "\nCOMMIT\n"


@pytest.mark.parametrize(
    ("rule", "packet"),
    [
        ("-A INPUT -j DROP", REQUEST),
        ("-A INPUT -p tcp -m tcp --dport 80 -j DROP", REQUEST),
        ("-A INPUT -p tcp -m multiport --dports 22,80:90 -j REJECT --reject-with tcp-reset", REQUEST),
        (f"-A INPUT -d {VIP}/32 -j DROP", REQUEST),
        (f"-A INPUT ! -d {VIP}/32 -j DROP", REQUEST._replace(destination="192.168.246.170")),
        ('-A INPUT -m comment --comment "no -j ACCEPT; it\'s closed" -j DROP', REQUEST),
        ("-A INPUT ! -p icmp -j DROP", REQUEST),
        ("-A INPUT -m conntrack --ctstate INVALID,NEW -j DROP", REQUEST),
        ("-A INPUT ! -i lo -j DROP", REQUEST),
        ("-A INPUT -p vrrp -j DROP", VRRP),
        ("-A INPUT -p 112 -j DROP", VRRP),
        ("-A FORWARD -s 10.0.0.0/24 -p tcp -m tcp --sport 80 -j DROP", ANSWER),
        ("-A FORWARD -m conntrack --ctstate INVALID -j DROP", ANSWER._replace(state="invalid")),
        ("-A INPUT -p icmp -j DROP", TOO_LARGE),
        ("-A INPUT -p icmp -m icmp --icmp-type 3/4 -j DROP", TOO_LARGE),
    ],
)
def test_rules_of_iptables_that_drop(rule: str, packet: Packet) -> None:
    filters = [of_iptables(iptables(rule), 4)]
    assert dropped_by(filters, packet) == f"iptables {rule}"
    # What comes before it may let it pass, and so may what nobody here can decide.
    for before in ("ACCEPT", "NFQUEUE --queue-num 0", "SOMETHING-ELSE"):
        chain = rule.split()[1]
        text = iptables(f"-A {chain} -m recent --rcheck -j {before}", rule)
        assert dropped_by([of_iptables(text, 4)], packet) is None
    assert dropped_by(filters, packet._replace(hook="output")) is None
    assert dropped_by(filters, packet._replace(family=6)) is None


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -p tcp -m tcp --dport 81 -j DROP",
        "-A INPUT -p udp -j DROP",
        "-A INPUT -s 203.0.113.0/24 -j DROP",
        "-A INPUT -i eth7 -j DROP",
        "-A INPUT -i lo -j DROP",
        "-A INPUT -d 192.168.246.170/32 -j DROP",
        "-A INPUT -m conntrack --ctstate INVALID -j DROP",
        "-A INPUT -m limit --limit 5/min -j DROP",
        "-A INPUT -m socket -j DROP",
        "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP",
        '-A INPUT -p tcp -j LOG --log-prefix "DROP "',
        "-A INPUT -p icmp -m icmp --icmp-type 8 -j DROP",
        '-A INPUT -m comment --comment "unclosed -j DROP',
        "-A FORWARD -j DROP",
    ],
)
def test_rules_of_iptables_that_leave_it_open(rule: str) -> None:
    assert dropped_by([of_iptables(iptables(rule), 4)], REQUEST) is None


def test_chains_and_policies_of_iptables() -> None:
    closed = [
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -p tcp -j services",
        "-A services -p tcp -m tcp --dport 22 -j ACCEPT",
    ]
    own = ":services - [0:0]\n"
    said = dropped_by([of_iptables(iptables(*closed, policy="DROP", chains=own), 4)], REQUEST)
    assert said == "iptables -P INPUT DROP"
    opened = [*closed, "-A services -p tcp -m tcp --dport 80 -j ACCEPT"]
    assert dropped_by([of_iptables(iptables(*opened, policy="DROP", chains=own), 4)], REQUEST) is None
    # RETURN leaves a chain, and -g does not come back to the one before.
    returns = [*closed, "-A services -j RETURN", "-A services -j DROP"]
    assert dropped_by([of_iptables(iptables(*returns, chains=own), 4)], REQUEST) is None
    went = [*closed[:2], "-A INPUT -p tcp -g services", "-A INPUT -j DROP", "-A services -p udp -j DROP"]
    assert dropped_by([of_iptables(iptables(*went, chains=own), 4)], REQUEST) is None
    # Chains that lead to each other do not end in a loop.
    loop = ["-A INPUT -j services", "-A services -j services"]
    assert dropped_by([of_iptables(iptables(*loop, chains=own), 4)], REQUEST) is None


def nft(*rules: str, policy: str = "accept", family: str = "inet", hook: str = "input") -> str:
    body = "\n".join(f"\t\t{rule}" for rule in rules)
    return (
        f"table {family} filter {{\n"
        "\tset admins {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1,\n10.0.0.2 }\n\t}\n"
        f"\tchain closed {{\n\t\tdrop\n\t}}\n"
        f"\tchain {hook} {{\n\t\ttype filter hook {hook} priority filter; policy {policy};\n{body}\n\t}}\n}}\n"
        "table ip nat {\n\tchain post {\n\t\ttype nat hook input priority srcnat; policy drop;\n\t\tdrop\n\t}\n}\n"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "drop",
        "tcp dport 80 drop",
        "tcp dport { 22, 80-90 } counter packets 0 bytes 0 drop",
        "tcp dport != 81 reject with tcp reset",
        f"ip daddr {VIP} tcp dport 80 drop",
        "ip protocol tcp drop",
        "meta l4proto { tcp, udp } th dport 80 drop",
        'ct state invalid,new log prefix "accept " drop comment "x"',
        "ct state { invalid, new } drop",
        'iifname != "lo" drop',
        "meta nfproto ipv4 drop",
        "jump closed",
        "goto closed",
    ],
)
def test_rules_of_nft_that_drop(rule: str) -> None:
    said = dropped_by(of_nft(nft(rule)), REQUEST)
    assert said == ("nft: drop" if "closed" in rule else f"nft: {rule}")
    for before in (
        "ip saddr @admins accept",
        "ct state vmap { established : accept, new : accept }",
        "tcp dport vmap { 22 : accept }",
        "ct status snat accept",
        "queue flags bypass to 0",
        "jump nowhere",
    ):
        assert dropped_by(of_nft(nft(before, rule)), REQUEST) is None, before
    assert dropped_by(of_nft(nft(rule, hook="output")), REQUEST) is None
    assert dropped_by(of_nft(nft(rule, family="ip6")), REQUEST) is None


@pytest.mark.parametrize(
    "rule",
    [
        "tcp dport 81 drop",
        "udp dport 80 drop",
        "ip saddr 203.0.113.0/24 drop",
        "ip saddr @admins drop",
        "ct state invalid drop",
        'iifname "lo" drop',
        'iifname "eth7" drop',
        "tcp flags & (fin | syn) == fin | syn drop",
        "limit rate over 5/second drop",
        "meta mark 0x7 drop",
        "ip6 nexthdr tcp drop",
        "icmp type destination-unreachable drop",
        "counter packets 0 bytes 0",
    ],
)
def test_rules_of_nft_that_leave_it_open(rule: str) -> None:
    assert dropped_by(of_nft(nft(rule)), REQUEST) is None


FIREWALLD = """\
table inet firewalld {
	chain filter_PREROUTING {
		type filter hook prerouting priority filter + 10; policy accept;
		meta nfproto ipv6 fib saddr . mark . iif oif missing drop
	}

	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}

	chain filter_INPUT_ZONES {
		iifname "eth1" goto filter_IN_public
		goto filter_IN_public
	}

	chain filter_IN_public {
		jump filter_IN_public_allow
		meta l4proto { icmp, ipv6-icmp } accept
		reject with icmpx admin-prohibited
	}

	chain filter_IN_public_allow {
		tcp dport 22 accept
		ip6 daddr fe80::/64 udp dport 546 accept
	}
}
"""


def test_a_zone_of_firewalld() -> None:
    assert dropped_by(of_nft(FIREWALLD), REQUEST) == "nft: reject with icmpx admin-prohibited"
    assert dropped_by(of_nft(FIREWALLD), VRRP) == "nft: reject with icmpx admin-prohibited"
    assert dropped_by(of_nft(FIREWALLD), TOO_LARGE) is None
    opened = FIREWALLD.replace("tcp dport 22 accept", "tcp dport { 22, 80 } accept\n\t\tip protocol vrrp accept")
    assert dropped_by(of_nft(opened), REQUEST) is None
    assert dropped_by(of_nft(opened), VRRP) is None
    assert dropped_by(of_nft(FIREWALLD), REQUEST._replace(state="invalid")) == "nft: ct state invalid drop"


def test_policies_of_nft() -> None:
    closed = ["ct state established,related accept", 'iifname "lo" accept', "icmp type echo-request accept"]
    said = "nft: type filter hook input priority filter; policy drop;"
    assert dropped_by(of_nft(nft(*closed, policy="drop")), REQUEST) == said
    assert dropped_by(of_nft(nft(*closed, "tcp dport { 80, 443 } accept", policy="drop")), REQUEST) is None
    # Each table has its say.
    both = nft("accept") + nft("tcp dport 80 drop").replace("table inet filter", "table ip other")
    assert dropped_by(of_nft(both), REQUEST) == "nft: tcp dport 80 drop"
    assert dropped_by(of_nft(nft("ip protocol vrrp drop")), VRRP) == "nft: ip protocol vrrp drop"
    too_large = "icmp type destination-unreachable drop"
    assert dropped_by(of_nft(nft(too_large)), TOO_LARGE) == f"nft: {too_large}"
    assert dropped_by(of_nft(nft("icmpv6 type destination-unreachable drop")), TOO_LARGE) is None


@pytest.mark.parametrize(
    ("protocol", "asked", "keeps_track", "state"),
    [
        ("tcp", "new", True, "new"),
        ("tcp", None, True, None),
        ("tcp", "answer", True, "established"),
        ("tcp", "answer", False, "invalid"),
        ("udp", "answer", False, "new"),
        ("tcp", "half", True, "invalid"),
        ("tcp", "half", False, None),
        ("tcp", "closing", False, "invalid"),
    ],
)
def test_what_netfilter_makes_of_a_packet(protocol: str, asked: Any, keeps_track: bool, state: Any) -> None:
    given = dict.fromkeys(Packet._fields) | {"hook": "input", "family": 4, "protocol": protocol, "state": asked}
    assert packet_of(given, keeps_track).state == state
