# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets are dropped for certain, by rules in the words of iptables-save and of nft."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter.filter_rules import of_iptables, of_nft
from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import Packet, packet_of
from ansible_collections.lvs.topology.plugins.module_utils._filter.verdicts import (
    DROP,
    Chains,
    Judge,
)

VIP = "192.168.246.160"
REQUEST = Packet("input", 4, "6", destination=VIP, port=80, state="new")
ANSWER = Packet("forward", 4, "6", source="10.0.0.51", source_port=80, state="established")
VRRP = Packet("input", 4, "112", state="new")
TOO_LARGE = Packet("input", 4, "1", destination=VIP)
IPIP = Packet("input", 4, "4", destination="10.7.0.11", state="new")


def iptables(*rules: str, policy: str = "ACCEPT", chains: str = "") -> str | None:
    text = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD {policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n{chains}"
    return text + "\n".join(rules) + "\nCOMMIT\n"


def dropped_by(filters: Iterable[Chains], packet: Packet) -> str | None:
    """The rule, or the policy, by which the packet is dropped for certain; None: it may get through."""
    verdict, said = Judge(filters).of(packet)
    return said if verdict is DROP else None


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
        ("-A INPUT -p icmp -m icmp --icmp-type any -j DROP", TOO_LARGE),
        ("-A INPUT -p ipv4 -j DROP", IPIP),
        ("-A INPUT -p ipencap -j DROP", IPIP),
        ("-A INPUT ! -p ipip -j DROP", IPIP),
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


@pytest.mark.parametrize(
    ("rule", "packet"),
    [
        ("-A INPUT -p something -j ACCEPT", REQUEST),
        ("-A INPUT -m conntrack --ctstate SNAT,RELATED -j ACCEPT", REQUEST),
        ("-A INPUT -p ! udp -j ACCEPT", REQUEST),
        ("-A INPUT -m state --state ! INVALID -j ACCEPT", REQUEST),
        ("-A INPUT -p tcp -m tcp --dport http -j ACCEPT", REQUEST),
        ("-A INPUT -p icmp -m icmp --icmp-type fragmentation-needed -j ACCEPT", TOO_LARGE),
        ("-A INPUT -d 192.168.0.0/255.255.0.255 -j ACCEPT", REQUEST),
    ],
)
def test_values_of_iptables_that_nobody_knows(rule: str, packet: Packet) -> None:
    """Such a rule may accept, whichever way it is read."""
    assert dropped_by([of_iptables(iptables(policy="DROP"), 4)], packet)
    assert dropped_by([of_iptables(iptables(rule, policy="DROP"), 4)], packet) is None
    assert dropped_by([of_iptables(iptables(rule.replace("ACCEPT", "DROP")), 4)], packet) is None


@pytest.mark.parametrize(
    ("rule", "is_dropped"),
    [
        # As firewalld has it.
        ("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT", True),
        ("-A INPUT -m conntrack ! --ctstate ESTABLISHED,DNAT -j ACCEPT", False),
    ],
)
def test_where_nothing_is_translated(rule: str, is_dropped: bool) -> None:
    filters = [of_iptables(iptables(rule, policy="DROP"), 4)]
    assert bool(dropped_by(filters, REQUEST)) is is_dropped
    nat = of_iptables("*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination 10.0.0.1\n", 4)
    assert dropped_by([*filters, nat], REQUEST) is None


def test_the_rule_is_named_that_drops_what_all_clients_send() -> None:
    blocked = "-A INPUT -s 203.0.113.0/24 -j DROP"
    assert dropped_by([of_iptables(iptables(blocked, policy="DROP"), 4)], REQUEST) == "iptables -P INPUT DROP"
    every = "-A INPUT -p tcp -j REJECT"
    said = dropped_by([of_iptables(iptables(f"{blocked}\n{every}", policy="DROP"), 4)], REQUEST)
    assert said == f"iptables {every}"


NAT_OF_IPTABLES = """\
*nat
:PREROUTING ACCEPT [0:0]
:INPUT DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport {} -j {}
COMMIT
"""


@pytest.mark.parametrize(
    "target", ["DNAT --to-destination 172.17.0.2:80", "REDIRECT --to-ports 8080", "NETMAP --to 10.0.0.0/24"]
)
def test_a_translation_of_iptables(target: str) -> None:
    """What comes to the filter then is another packet."""
    closed = of_iptables(iptables("-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT", policy="DROP"), 4)
    translated = of_iptables(NAT_OF_IPTABLES.format(80, target), 4)
    assert dropped_by([closed, translated], REQUEST) is None
    assert dropped_by([translated, closed], REQUEST) is None
    assert dropped_by([closed, of_iptables(NAT_OF_IPTABLES.format(81, target), 4)], REQUEST)
    assert dropped_by([closed, of_iptables(NAT_OF_IPTABLES.format(80, target), 6)], REQUEST)
    # Only what begins a connection is translated by its rules.
    forward = of_iptables(iptables("-A FORWARD -j DROP"), 4)
    assert dropped_by([forward, translated], ANSWER)
    assert dropped_by([forward, translated], ANSWER._replace(state="new")) is None
    mangled = of_iptables(
        "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j TPROXY --on-port 8080\nCOMMIT\n", 4
    )
    assert dropped_by([closed, mangled], REQUEST) is None
    assert dropped_by([forward, mangled], ANSWER) is None


def test_lines_of_iptables_that_nobody_can_read() -> None:
    strange = [":", ":INPUT", "-A ", "-A", "-A NOWHERE -j DROP"]
    for each in strange:
        unread: list[str] = []
        chains = of_iptables(iptables("-A INPUT -j DROP", each), 4, unread=unread)
        assert unread == [each]
        assert dropped_by([chains], REQUEST) == "iptables -A INPUT -j DROP"
    assert dropped_by([of_iptables("*filter\n:INPUT QUEUE [0:0]\n", 4)], REQUEST) is None


class Counted(dict[str, Any]):
    """Counts how often a chain is looked up."""

    lookups = 0

    def get(self, *words: Any) -> Any:
        self.lookups += 1
        return super().get(*words)


def test_each_chain_is_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each jumps twice to the next; and the networks of rules are read with the rules."""
    levels = 12
    names = "".join(f":c{number} - [0:0]\n" for number in range(levels))
    rules = ["-A INPUT -j c0", *(f"-A c{number} -s 10.0.0.0/8 -j c{number + 1}" for number in range(levels - 1))]
    chains = Counted(of_iptables(iptables(*rules, *rules[1:], "-A INPUT -j DROP", chains=names), 4))
    monkeypatch.delattr(ipaddress, "ip_network")
    assert dropped_by([chains], REQUEST) == "iptables -A INPUT -j DROP"
    assert chains.lookups == levels + 1


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
        'ct state { invalid, new } log prefix "x" group 0 snaplen 64 queue-threshold 20 drop',
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
        "tcp dport vmap { 22 : accept, 80 : accept }",
        "tcp dport vmap { 22 : accept, 80 : return }",
        "ct status snat accept",
        "queue flags bypass to 0",
        "jump nowhere",
    ):
        assert dropped_by(of_nft(nft(before, rule)), REQUEST) is None, before
    assert dropped_by(of_nft(nft(rule, hook="output")), REQUEST) is None
    assert dropped_by(of_nft(nft(rule, family="ip6")), REQUEST) is None


@pytest.mark.parametrize(
    ("rule", "state", "is_dropped"),
    [
        ("ct state vmap { invalid : drop, established : accept, related : accept }", "invalid", True),
        ("ct state vmap { invalid : drop, established : accept, related : accept }", "established", False),
        ("ct state vmap { established : accept, new : jump closed }", "new", True),
        ("ct state vmap { established : accept, new : goto closed }", "new", True),
        ("ct state vmap { new : continue, established : accept } drop", "new", False),
        ('ct state vmap { invalid : drop } comment "a } b"', "invalid", True),
        ("ct state vmap @states", "invalid", False),
        ("ct state vmap { invalid counter packets 0 bytes 0 : drop }", "invalid", False),
        ("ct state . meta l4proto vmap { invalid . tcp : drop }", "invalid", False),
        ('iifname vmap { "lo" : accept, "eth7" : drop }', "new", False),
        ("tcp dport vmap { 22 : accept, 80-90 : drop }", "new", True),
        ("tcp dport vmap { 22 : accept, 80 : jump nowhere }", "new", False),
    ],
)
def test_a_map_of_verdicts(rule: str, state: str, is_dropped: bool) -> None:
    said = dropped_by(of_nft(nft(rule)), REQUEST._replace(state=state))
    assert (said is not None) is is_dropped


def test_a_map_of_verdicts_goes_on_where_it_has_no_word_for_the_packet() -> None:
    assert dropped_by(of_nft(nft("tcp dport vmap { 22 : accept }", "drop")), REQUEST) == "nft: drop"


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


@pytest.mark.parametrize(
    "rule",
    [
        "meta l4proto . th dport { tcp . 80, udp . 53 } accept",
        "ct state . tcp dport { new . 80 } accept",
        "ct state ! invalid accept",
        "ct state ! established,related accept",
        "ct state & invalid == 0 accept",
        "ct state == new accept",
        "ct state != established,related accept",
        "ct state != established | related accept",
        "meta l4proto 1-10 accept",
        "meta l4proto { icmp, 1-10 } accept",
        "ip protocol ip accept",
        "meta nfproto 2 accept",
        "ip daddr & 255.0.255.0 == 192.0.246.0 accept",
        "ip daddr 192.168.246.0-192.168.246.255 accept",
        'tcp dport { 22 comment "80", 81 } accept',
        "tcp dport >= 80 accept",
        "tcp dport http accept",
        'oifname "lo" accept',
        "tcp dport 80 jump {",
        "tcp dport 80 counter packets 0 bytes 0 # xt_SOMETHING",
        'tcp dport 80 counter packets 0 bytes 0 xt target "SOMETHING"',
    ],
)
def test_conditions_of_nft_that_nobody_can_decide(rule: str) -> None:
    """Such a rule may accept, whichever way it is read."""
    rules = [rule, "ct state new drop", "}"] if rule.endswith("{") else [rule]
    assert dropped_by(of_nft(nft(*rules, policy="drop")), REQUEST) is None
    assert dropped_by(of_nft(nft(*rules).replace("accept\n", "drop\n")), REQUEST) is None


@pytest.mark.parametrize(
    "rule",
    ["icmp type 3-12 accept", "icmp type { echo-reply, 3-12 } accept", "icmp type . icmp code { 3 . 4 } accept"],
)
def test_kinds_of_icmp_that_nobody_can_decide(rule: str) -> None:
    assert dropped_by(of_nft(nft(policy="drop")), TOO_LARGE)
    assert dropped_by(of_nft(nft("icmp type { echo-request, redirect, 11 } accept", policy="drop")), TOO_LARGE)
    assert dropped_by(of_nft(nft(rule, policy="drop")), TOO_LARGE) is None


@pytest.mark.parametrize(("name", "is_it"), [("ipv4", True), ("ipencap", True), ("4", True), ("ipip", False)])
def test_names_of_the_protocol_of_tunnels(name: str, is_it: bool) -> None:
    """As /etc/protocols has them."""
    text = iptables(f"-A INPUT -p {name} -j ACCEPT", policy="DROP")
    assert dropped_by([of_iptables(text, 4)], IPIP) == (None if is_it else "iptables -P INPUT DROP")


def test_ipv6_is_a_protocol_and_a_family() -> None:
    assert dropped_by(of_nft(nft("meta l4proto ipv6 drop")), REQUEST) is None
    assert dropped_by(of_nft(nft("meta l4proto ipv6 drop")), IPIP._replace(protocol="41"))
    assert dropped_by(of_nft(nft("meta nfproto ipv6 drop")), REQUEST) is None
    assert dropped_by(of_nft(nft("meta nfproto ipv6 drop")), REQUEST._replace(family=6, destination="fd00::1"))


def test_a_block_inside_a_chain_of_nft() -> None:
    block = ["tcp dport 22 jump {", "\tct state new drop", "}"]
    assert dropped_by(of_nft(nft(*block, "tcp dport 80 accept", policy="drop")), REQUEST) is None
    assert dropped_by(of_nft(nft(*block, "tcp dport 80 drop")), REQUEST) == "nft: tcp dport 80 drop"
    said = 'tcp dport 22 accept comment "} {{"'
    assert dropped_by(of_nft(nft(said, "tcp dport 80 drop")), REQUEST) == "nft: tcp dport 80 drop"
    assert dropped_by(of_nft(nft(said, "tcp dport 80 accept", policy="drop")), REQUEST) is None


def test_tables_of_nft_that_filter_nothing() -> None:
    closed = nft("drop")
    begin = "table inet filter {\n"
    assert dropped_by(of_nft(closed.replace(begin, f"{begin}\tflags dormant\n\n")), REQUEST) is None
    assert dropped_by(of_nft(closed.replace("table inet", "table bridge")), REQUEST) is None
    # What somebody's program owns filters like any other one, and is a table of its own.
    owned = f"{begin[:-1]} # progname firewalld\n\tflags owner,persist\n"
    assert dropped_by(of_nft(closed.replace(begin, owned)), REQUEST) == "nft: drop"
    opened = nft("accept").replace("table inet", "table ip").replace("closed", "other")
    assert dropped_by(of_nft(opened + closed.replace(begin, owned)), REQUEST) == "nft: drop"


TRANSLATION = """\
table ip nat {{
	chain services {{
		meta l4proto tcp dnat to 10.0.0.1:8080
	}}

	chain pre {{
		type {} hook prerouting priority {}; policy accept;
		{}
	}}
}}
"""


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("nat", "tcp dport 80 redirect to :8080"),
        ("nat", "tcp dport 80 dnat to 10.0.0.1:8080"),
        ("nat", "dnat to tcp dport map { 80 : 10.0.0.1 }"),
        ("nat", "ip daddr . meta l4proto . th dport vmap @services"),
        ("nat", "fib daddr type local goto services"),
        ("nat", 'tcp dport 80 counter packets 0 bytes 0 xt target "DNAT"'),
        ("filter", "tcp dport 80 tproxy to :50080"),
        ("filter", "tcp dport 80 tcp dport set 8080"),
        ("filter", "@th,16,16 80 @th,16,16 set 8080"),
        ("filter", "tcp dport 80 queue to 0"),
    ],
)
def test_a_translation_of_nft(kind: str, rule: str) -> None:
    closed = nft("ct status dnat accept", "tcp dport 8080 accept", policy="drop")
    assert dropped_by(of_nft(closed + TRANSLATION.format(kind, "dstnat", rule)), REQUEST) is None
    assert dropped_by(of_nft(TRANSLATION.format(kind, "dstnat", rule) + closed), REQUEST) is None
    for harmless in (
        "tcp dport 81 redirect to :8080",
        "meta nfproto ipv6 fib saddr . mark . iif oif missing drop",
        "tcp dport 80 meta mark set 0x00000001",
        "tcp dport 80 accept",
    ):
        assert dropped_by(of_nft(closed + TRANSLATION.format(kind, "dstnat", harmless)), REQUEST), harmless


INVALID = "-A {} -m conntrack --ctstate INVALID -j DROP"


def of_table(table: str, rule: str) -> Chains:
    names = "".join(f":{name} ACCEPT [0:0]\n" for name in ("PREROUTING", "INPUT", "FORWARD", "OUTPUT"))
    return of_iptables(f"*{table}\n{names}{rule}\nCOMMIT\n", 4)


@pytest.mark.parametrize(
    ("table", "chain", "packet", "is_dropped"),
    [
        ("mangle", "PREROUTING", REQUEST._replace(state="invalid"), True),
        ("mangle", "PREROUTING", ANSWER._replace(state="invalid"), True),
        ("mangle", "PREROUTING", ANSWER._replace(state="invalid", interface="eth9"), True),
        ("mangle", "PREROUTING", REQUEST, False),
        ("mangle", "PREROUTING", REQUEST._replace(hook="output", state="invalid"), False),
        ("mangle", "INPUT", REQUEST._replace(state="invalid"), True),
        ("mangle", "FORWARD", ANSWER._replace(state="invalid"), True),
        ("mangle", "OUTPUT", REQUEST._replace(hook="output", state="invalid"), True),
        # There netfilter knows of no connection yet.
        ("raw", "PREROUTING", REQUEST._replace(state="invalid"), False),
        ("raw", "OUTPUT", REQUEST._replace(hook="output", state="invalid"), False),
    ],
)
def test_what_is_dropped_outside_the_table_filter(table: str, chain: str, packet: Packet, is_dropped: bool) -> None:
    rule = INVALID.format(chain)
    early = "prerouting: " if chain == "PREROUTING" else ""
    said = dropped_by([of_table(table, rule)], packet)
    assert said == (f"{early}iptables -t {table} {rule}" if is_dropped else None)
    hook = chain.lower()
    listed = nft("ct state invalid drop", hook=hook).replace(
        "priority filter", f"priority {'raw' if table == 'raw' else 'mangle'}"
    )
    if table == "mangle" or hook != "input":
        assert dropped_by(of_nft(listed), packet) == (f"{early}nft: ct state invalid drop" if is_dropped else None)


def test_what_raw_drops_without_a_word_on_connections() -> None:
    raw = of_table("raw", "-A PREROUTING -p tcp -m tcp --dport 80 -j DROP")
    said = "prerouting: iptables -t raw -A PREROUTING -p tcp -m tcp --dport 80 -j DROP"
    assert dropped_by([raw], REQUEST) == said
    some = of_table("raw", "-A PREROUTING -j CT --notrack\n-A PREROUTING -i eth9 -j DROP")
    assert dropped_by([some], REQUEST) is None
    # By which of two interfaces something comes that is forwarded, nobody says.
    passes = ANSWER._replace(interface="eth9")
    assert dropped_by([of_table("raw", "-A PREROUTING -i eth9 -j DROP")], passes) is None
    assert dropped_by([of_table("raw", "-A PREROUTING -i eth9 -j DROP")], REQUEST._replace(interface="eth9"))
    listed = nft("tcp dport 80 drop", hook="output").replace("type filter", "type route")
    assert dropped_by(of_nft(listed), REQUEST._replace(hook="output")) == "nft: tcp dport 80 drop"


def test_a_filter_that_makes_another_packet_for_the_next() -> None:
    first = nft("tcp dport 80 tcp dport set 8080").replace("table inet filter", "table inet first")
    assert dropped_by(of_nft(first + nft("tcp dport 8080 accept", policy="drop")), REQUEST) is None


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


@pytest.mark.parametrize(
    ("priority", "is_passed"),
    [
        *((each, True) for each in ("-10", "0", "filter + 10", "security", "97", "srcnat - 3")),
        *((each, False) for each in ("98", "srcnat", "srcnat + 5", "200", "something")),
    ],
)
def test_chains_after_ipvs(priority: str, is_passed: bool) -> None:
    """A director's IPVS has taken the packets by then. What it does not take comes there, on real servers all of it."""
    for hook, packet in (("input", REQUEST), ("forward", ANSWER)):
        text = nft("drop", hook=hook).replace("priority filter;", f"priority {priority};")
        assert dropped_by(of_nft(text), packet._replace(taken=True)) == ("nft: drop" if is_passed else None)
        assert dropped_by(of_nft(text), packet) == "nft: drop"
    # What IPVS sends on leaves by all of them.
    text = nft("drop", hook="output").replace("priority filter;", f"priority {priority};")
    assert dropped_by(of_nft(text), REQUEST._replace(hook="output", state="untracked")) == "nft: drop"


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
        ("6", "answer", False, "invalid"),
    ],
)
def test_what_netfilter_makes_of_a_packet(protocol: str, asked: Any, keeps_track: bool, state: Any) -> None:
    given = dict.fromkeys(Packet._fields) | {"hook": "input", "family": 4, "protocol": protocol, "state": asked}
    assert packet_of(given, keeps_track).state == state


def test_a_protocol_that_nobody_knows() -> None:
    given = dict.fromkeys(Packet._fields) | {"hook": "input", "family": 4, "protocol": "something"}
    assert dropped_by([of_iptables(iptables("-A INPUT ! -p tcp -j DROP"), 4)], packet_of(given, True)) is None


IPV6 = REQUEST._replace(family=6, destination="fd00::1")


@pytest.mark.parametrize(
    ("how", "are_refused"),
    [
        ("reject with tcp reset", {"request", "ipv6"}),
        ("reject with icmp port-unreachable", {"request", "vrrp", "ipip"}),
        ("reject with icmp type port-unreachable", {"request", "vrrp", "ipip"}),
        ("reject with icmpv6 port-unreachable", {"ipv6"}),
        ("reject with icmpx no-route", {"request", "vrrp", "ipip", "ipv6"}),
        ("reject", {"request", "vrrp", "ipip", "ipv6"}),
    ],
)
def test_how_nft_refuses_says_whom(how: str, are_refused: set[str]) -> None:
    """`meta nfproto ipv4 reject` is listed as the second of them, without the condition."""
    packets = {"request": REQUEST, "vrrp": VRRP, "ipip": IPIP, "ipv6": IPV6}
    for rule in (how, f'iifname != "lo" counter packets 0 bytes 0 {how}'):
        assert {name for name, each in packets.items() if dropped_by(of_nft(nft(rule)), each)} == are_refused


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('iifname "eth0"', True),
        ('iifname "eth*"', True),
        ('iifname "*"', True),
        ('iifname { "lo", "eth0" }', True),
        # Without the last blank, as nft 0.9 has it.
        ('iifname { "lo", "eth0"}', True),
        ('iifname "eth+"', False),
        ('iifname "e"', False),
        ("iifname @trusted", None),
        ("iifname != @trusted", None),
        ('iifname "eth\\*"', None),
        ("iif @trusted", None),
    ],
)
def test_interfaces_of_nft(condition: str, holds: bool | None) -> None:
    packet = REQUEST._replace(interface="eth0")
    assert bool(dropped_by(of_nft(nft(f"{condition} drop")), packet)) == (holds is True)
    assert bool(dropped_by(of_nft(nft(f"{condition} accept", policy="drop")), packet)) == (holds is False)


@pytest.mark.parametrize(
    ("interface", "holds"),
    [("eth0", True), ("eth+", True), ("+", True), ("eth0,eth1", False), ("eth*", None), ("ETH0", False)],
)
def test_interfaces_of_iptables(interface: str, holds: bool | None) -> None:
    packet = REQUEST._replace(interface="eth0")
    dropping = iptables(f"-A INPUT -i {interface} -j DROP")
    passing = iptables(f"-A INPUT -i {interface} -j ACCEPT", policy="DROP")
    assert bool(dropped_by([of_iptables(dropping, 4)], packet)) == (holds is True)
    assert bool(dropped_by([of_iptables(passing, 4)], packet)) == (holds is False)


@pytest.mark.parametrize("name", ["drop", "accept", "return", "continue", "unsure", "reject", "LOGDROP"])
def test_a_chain_may_have_any_name(name: str) -> None:
    calls = [f"-A INPUT -p tcp -j {name}", f"-A {name} -p tcp -m tcp --dport 80 -j RETURN", f"-A {name} -j DROP"]
    filters = [of_iptables(iptables(*calls, chains=f":{name} - [0:0]\n"), 4)]
    assert dropped_by(filters, REQUEST) is None
    assert dropped_by(filters, REQUEST._replace(port=81)) == f"iptables -A {name} -j DROP"
    listed = nft(f"meta l4proto tcp jump {name}").replace("chain closed {", f"chain {name} {{\n\t\ttcp dport 80 return")
    assert dropped_by(of_nft(listed), REQUEST) is None
    assert dropped_by(of_nft(listed), REQUEST._replace(port=81)) == "nft: drop"


@pytest.mark.parametrize("target", ["ACCEPT", "DROP", "REJECT", "RETURN", "LOG"])
def test_a_chain_that_is_called_as_a_target_is(target: str) -> None:
    """nft makes such a chain, and iptables-save prints both in the same words."""
    text = iptables(f"-A INPUT -j {target}", f"-A {target} -j DROP", chains=f":{target} - [0:0]\n", policy="DROP")
    assert dropped_by([of_iptables(text, 4)], REQUEST) is None


@pytest.mark.parametrize("prefix", ['say "}" {x', "x {", "} ", '"', '""', 'drop "}"'])
def test_a_text_with_quotes_and_braces(prefix: str) -> None:
    log = f'ct state invalid log prefix "{prefix}" '
    assert dropped_by(of_nft(nft(log, "tcp dport 80 accept", policy="drop")), REQUEST) is None
    # A text whose end nobody can tell may hide a verdict. What comes before such a rule is as plain as ever.
    assert bool(dropped_by(of_nft(nft(log, policy="drop")), REQUEST)) == ('"' not in prefix)
    assert dropped_by(of_nft(nft("tcp dport 80 drop", log)), REQUEST) == "nft: tcp dport 80 drop"


@pytest.mark.parametrize("priority", ["srcnat", "150", "100", "something", "9" * 5000, "filter + " + "9" * 5000])
def test_a_translation_of_any_priority(priority: str) -> None:
    """Whatever it is, prerouting is before input."""
    closed = nft("tcp dport 8080 accept", policy="drop")
    for kind, rule in (("nat", "tcp dport 80 redirect to :8080"), ("filter", "tcp dport 80 tcp dport set 8080")):
        assert dropped_by(of_nft(closed + TRANSLATION.format(kind, priority, rule)), REQUEST) is None
