# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a firewall is to let pass: in the ledger's words, and as chains of iptables before what would drop it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _ledger_forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_rules, firewall_words, verdicts
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_chains as chains
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_nft as nft
from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_plan as plan
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import Packet
from ansible_collections.lvs.topology.plugins.module_utils._filter.verdicts import Hooks
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

VIP = "192.168.50.128"
WEB = Opening("input", 4, "tcp", destination=VIP, ports=(80, 80))
HALF = WEB._replace(loose=True)
ANSWER = Opening("forward", 4, "tcp", source="10.0.0.51", source_ports=(80, 80), loose=True)
FTP = Opening("input", 6, "tcp", destination="fd00::1", ports=(30000, 30100))
VRRP = Opening("input", 4, "112")
IPIP = Opening("input", 4, "4", destination="10.7.0.11")
TOO_LARGE = Opening("input", 4, "icmp", destination=VIP, loose=True)
TOO_LARGE6 = Opening("input", 6, "icmpv6", destination="fd00::1", loose=True)
EVERY = [WEB, HALF, ANSWER, FTP, VRRP, IPIP, TOO_LARGE, TOO_LARGE6]
# As iptables-save lists them.
RULES = {
    WEB: f"-A lvs-me-in -d {VIP}/32 -p tcp -m tcp --dport 80 -j ACCEPT",
    ANSWER: "-A lvs-me-fwd -s 10.0.0.51/32 -p tcp -m tcp --sport 80 -j ACCEPT",
    FTP: "-A lvs-me-in -d fd00::1/128 -p tcp -m tcp --dport 30000:30100 -j ACCEPT",
    VRRP: "-A lvs-me-in -p vrrp -j ACCEPT",
    IPIP: "-A lvs-me-in -d 10.7.0.11/32 -p ipencap -j ACCEPT",
    TOO_LARGE: f"-A lvs-me-in -d {VIP}/32 -p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
    TOO_LARGE6: "-A lvs-me-in -d fd00::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j ACCEPT",
}
KEEPS = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
INVALID = "-A INPUT -m conntrack --ctstate INVALID -j DROP"
BLOCKS = "-A INPUT -s 203.0.113.9/32 -j DROP"
SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
LOGS = "-A INPUT -j LOGDROP"
CALL = "-A INPUT -j lvs-me-in"


def saved(*rules: str, policy: str = "DROP", own: tuple[str, ...] = ()) -> str:
    names = [f":{each} - [0:0]" for each in own]
    return "\n".join(["*filter", f":INPUT {policy} [1:2]", ":FORWARD DROP [0:0]", *names, *rules, ""])


def of_packet(**packet: Any) -> Opening:
    nothing = {"source": None, "source_port": None, "destination": None, "port": None, "family": 4, "state": None}
    return plan.opening_for({"hook": "input", "protocol": "tcp", **nothing, **packet})


@pytest.mark.parametrize("opening", EVERY, ids=plan.words)
def test_the_ledger_remembers_it(opening: Opening) -> None:
    text = plan.words(opening)
    assert plan.opening_of(text) == opening
    assert _ledger_forms.problem_with(plan.KIND, text, None) is None


@pytest.mark.parametrize("text", ["input", "input ipv4 tcp to nowhere", "sideways ipv4 tcp", "input ipv4 tcp; reboot"])
def test_what_is_no_opening(text: str) -> None:
    assert _ledger_forms.problem_with(plan.KIND, text, None)


@pytest.mark.parametrize(
    ("packet", "opening"),
    [
        ({"destination": VIP, "port": 80, "state": "new"}, WEB),
        ({"destination": VIP, "port": 80, "state": "half"}, HALF),
        ({"hook": "forward", "source": "10.0.0.51", "source_port": 80, "state": "answer"}, ANSWER),
        ({"destination": "fd00::1", "port": 30000, "last_port": 30100, "family": 6}, FTP),
        ({"protocol": "vrrp", "state": "new"}, VRRP),
        ({"protocol": "icmp", "destination": VIP}, TOO_LARGE),
    ],
)
def test_packets_of_a_plan(packet: dict[str, Any], opening: Opening) -> None:
    assert of_packet(**packet) == opening


def test_each_is_open_once() -> None:
    packets = [
        {"hook": "input", "protocol": "tcp", "family": 4, "destination": VIP, "port": 80, "state": state}
        for state in ("new", "half", "closing")
    ]
    assert plan.openings(packets) == [HALF]


@pytest.mark.parametrize(
    ("protocol", "port", "said"),
    [
        ("tcpp", None, "packets[0].protocol: 'tcpp' is no protocol of IP"),
        ("112", 80, "packets[0]: protocol 112 has no"),
        ("0", None, "packets[0].protocol: 0 is every protocol to iptables"),
    ],
)
def test_mistakes(protocol: str, port: int | None, said: str) -> None:
    mistakes = Mistakes()
    plan.check([{"protocol": protocol, "port": port, "source_port": None}], "packets", mistakes)
    with pytest.raises(BadRequest, match="^" + said.replace("[", r"\[")):
        mistakes.raise_if_any()


def test_what_an_earlier_run_opened_stays_until_it_is_released() -> None:
    ledger = Ledger().claim(plan.KIND, plan.words(VRRP), "me")
    kept, settlement = plan.plan_openings(ledger, "me", [WEB], present=True, purge=False)
    assert (kept, settlement.left_over) == ([VRRP, WEB], (plan.words(VRRP),))
    kept, settlement = plan.plan_openings(ledger, "me", [WEB], present=True, purge=True)
    assert (kept, settlement.settled.owned(plan.KIND, "me").keys()) == ([WEB], {plan.words(WEB)})
    kept, settlement = plan.plan_openings(ledger, "me", None, present=False, purge=False)
    assert (kept, settlement.settled) == ([], Ledger())


@pytest.mark.parametrize("opening", RULES, ids=plan.words)
def test_rules_as_the_kernel_lists_them(opening: Opening) -> None:
    """Protocols by name or by number: which of them is shown depends on the host."""
    text = saved(RULES[opening], CALL, own=("lvs-me-in", "lvs-me-fwd"))
    [found] = [each for each in chains.read("me", text, opening.family).values() if each.rules]
    assert found.openings == {opening._replace(loose=False)}
    [rendered] = chains.render("me", opening.hook, [opening])
    again = chains.read("me", saved(rendered), opening.family)[opening.hook]
    assert again.openings == found.openings


@pytest.mark.parametrize(
    "rule",
    [
        "-A lvs-me-in -j ACCEPT -m comment",
        f"-A lvs-me-in -s 10.0.0.0/8 -d {VIP}/32 -p tcp -m tcp --dport 80 -j ACCEPT",
        f"-A lvs-me-in -d {VIP}/32 -p tcp -m tcp --dport 80 -j DROP",
        f"-A lvs-me-in -d {VIP}/32 ! -p tcp -j ACCEPT",
        '-A lvs-me-in -m comment --comment "unclosed -j ACCEPT',
    ],
)
def test_a_rule_of_somebody_else_in_our_chain(rule: str) -> None:
    text = saved(KEEPS, CALL, RULES[WEB], rule, own=("lvs-me-in",))
    place = chains.place_of([WEB], "input", text, 4, "me")
    made = chains.plan_chain("iptables", "me", "input", text, 4, [WEB], place)
    assert [each.line for each in made.changes] == [f"iptables -t filter: remove {rule}"]


@pytest.mark.parametrize(
    ("openings", "rules", "place"),
    [
        # The end, and the policy.
        ([WEB], [KEEPS, SSH], (2, None)),
        # What refuses single clients goes on to do so.
        ([WEB], [BLOCKS, KEEPS, INVALID, SSH], (4, None)),
        # What a director sees only one half of is INVALID.
        ([HALF], [BLOCKS, KEEPS, INVALID, SSH], (2, INVALID)),
        ([WEB, HALF], [BLOCKS, KEEPS, INVALID, SSH], (2, INVALID)),
        ([WEB], [KEEPS, LOGS, SSH], (1, LOGS)),
        (
            [WEB],
            [KEEPS, "-A INPUT -d 10.0.0.0/8 -j DROP", "-A INPUT -p tcp -j REJECT"],
            (2, "-A INPUT -p tcp -j REJECT"),
        ),
    ],
)
def test_where_our_chain_is_called(openings: list[Opening], rules: list[str], place: tuple[int, str | None]) -> None:
    text = saved(*rules, "-A LOGDROP -j LOG", "-A LOGDROP -j DROP", own=("LOGDROP",))
    assert chains.place_of(openings, "input", text, 4, "me") == place
    # Whoever is called there already does not count.
    called = saved(*rules[:1], CALL, *rules[1:], "-A LOGDROP -j DROP", RULES[WEB], own=("LOGDROP", "lvs-me-in"))
    assert chains.place_of(openings, "input", called, 4, "me") == place


@pytest.mark.parametrize(
    ("rules", "policy"),
    [
        ([], "ACCEPT"),
        ([BLOCKS.replace("INPUT", "OUTPUT")], "ACCEPT"),
        # Nobody who is refused by that would be let pass by a chain behind it.
        ([BLOCKS, "-A INPUT -m set --match-set bad src -j DROP"], "ACCEPT"),
        (["-A INPUT -p tcp -j ACCEPT", INVALID], "DROP"),
        # Whom the operator lets in but for some, he lets in himself.
        ([BLOCKS, "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT"], "DROP"),
    ],
)
def test_a_firewall_that_drops_none_of_it(rules: list[str], policy: str) -> None:
    assert chains.place_of([WEB], "input", saved(*rules, policy=policy), 4, "me") is None
    assert chains.place_of([FTP], "input", saved(), 4, "me") is None


RETURNS = "-A INPUT -p tcp -m tcp --dport 80 -j RETURN"
GOES = "-A INPUT -p tcp -g services"


@pytest.mark.parametrize(
    ("rules", "policy", "place"),
    [
        # It comes to the policy, whatever is accepted behind the rule.
        ([KEEPS, RETURNS, "-A INPUT -p tcp -j ACCEPT"], "DROP", (1, RETURNS)),
        ([KEEPS, RETURNS, "-A INPUT -p tcp -j DROP"], "ACCEPT", None),
        # So does what comes to the end of a chain that does not lead back.
        ([GOES, "-A INPUT -p tcp -j ACCEPT"], "DROP", (0, GOES)),
        ([GOES, "-A INPUT -p tcp -j DROP"], "ACCEPT", None),
        # Of those who may be sent there, nobody knows.
        ([BLOCKS.replace("DROP", "RETURN"), "-A INPUT -p tcp -j ACCEPT"], "DROP", None),
        ([BLOCKS.replace("DROP", "RETURN"), SSH], "DROP", (2, None)),
        (["-A INPUT -p tcp -j services", "-A INPUT -p tcp -j ACCEPT"], "DROP", None),
    ],
)
def test_who_leaves_a_chain_of_a_hook_comes_to_its_policy(
    rules: list[str], policy: str, place: tuple[int, str | None] | None
) -> None:
    own = ["-A services -p tcp -m tcp --dport 22 -j ACCEPT", "-A services -p tcp -m tcp --dport 80 -j RETURN"]
    text = saved(*rules, *own, "-A services -j ACCEPT", policy=policy, own=("services",))
    assert chains.place_of([WEB], "input", text, 4, "me") == place
    [base] = nft.bases(
        "table inet filter { # handle 5\n\tchain input { # handle 1\n"
        f"\t\ttype filter hook input priority filter; policy {policy.lower()};\n"
        "\t\ttcp dport 80 return # handle 7\n\t\tmeta l4proto tcp accept # handle 8\n\t}\n}\n",
        "me",
    )
    assert nft.place_of(base, [WEB]) == (0 if policy == "DROP" else None)


def made(text: str, *wanted: Opening) -> tuple[list[str], list[str]]:
    """The lines of the plan, and those of the transaction."""
    place = chains.place_of(wanted, "input", text, 4, "me")
    found = chains.plan_chain("iptables", "me", "input", text, 4, wanted, place)
    return [each.line for each in found.changes], found.changes[0].action.splitlines() if found.changes else []


def test_a_chain_comes_and_goes() -> None:
    lines, transaction = made(saved(BLOCKS, KEEPS, INVALID), HALF)
    assert lines == [
        "iptables -t filter: add -I INPUT 3 -j lvs-me-in",
        f"iptables -t filter: add {RULES[WEB]}",
    ]
    assert transaction == ["*filter", ":lvs-me-in - [0:0]", "-I INPUT 3 -j lvs-me-in", RULES[WEB], "COMMIT"]
    there = saved(BLOCKS, KEEPS, CALL, INVALID, RULES[WEB], own=("lvs-me-in",))
    assert made(there, HALF) == ([], [])
    # It is called early enough wherever it is before that.
    assert made(saved(CALL, BLOCKS, KEEPS, INVALID, RULES[WEB], own=("lvs-me-in",)), HALF) == ([], [])
    lines, transaction = made(there)
    assert lines == [f"iptables -t filter: remove {CALL}", f"iptables -t filter: remove {RULES[WEB]}"]
    assert transaction == ["*filter", ":lvs-me-in - [0:0]", "-D INPUT -j lvs-me-in", "-X lvs-me-in", "COMMIT"]


@pytest.mark.parametrize(
    ("rules", "number"),
    [
        # Too late, twice, and only for some.
        ([BLOCKS, KEEPS, INVALID, CALL], 3),
        ([CALL, BLOCKS, KEEPS, INVALID, CALL], 3),
        (["-A INPUT -i eth1 -j lvs-me-in", BLOCKS, KEEPS, INVALID], 3),
        # The chain of another owner stands where it stands.
        (["-A INPUT -j lvs-other-in", BLOCKS, KEEPS, INVALID], 4),
    ],
)
def test_a_call_that_is_wrong(rules: list[str], number: int) -> None:
    text = saved(*rules, RULES[WEB], own=("lvs-me-in", "lvs-other-in"))
    _lines, transaction = made(text, HALF)
    assert f"-I INPUT {number} -j lvs-me-in" in transaction
    assert [line for line in transaction if line.startswith("-D")] == [
        line.replace("-A", "-D", 1) for line in rules if line.endswith("lvs-me-in")
    ]


THEIRS = "-A INPUT -j lvs-web-in"


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (["-A lvs-web-in -p tcp -j DROP"], (1, THEIRS)),
        (["-A lvs-web-in -s 203.0.113.9/32 -j DROP", "-A lvs-web-in -p tcp -j ACCEPT"], None),
        # It does what chains of ours do.
        (["-A lvs-web-in -p tcp -j ACCEPT"], (2, None)),
    ],
)
def test_a_chain_of_an_operator_that_is_called_as_ours_are(rules: list[str], place: tuple[int, str | None]) -> None:
    text = saved(KEEPS, THEIRS, SSH, *rules, own=("lvs-web-in",))
    assert chains.place_of([WEB], "input", text, 4, "me") == place
    text = saved(KEEPS, THEIRS.replace("-j", "-g"), *rules, own=("lvs-web-in",))
    assert bool(chains.place_of([WEB], "input", text, 4, "me")) is any("-p tcp -j DROP" in each for each in rules)
    # What the owner's own chain has become is its own affair.
    text = text.replace("lvs-web-in", "lvs-me-in").replace("-g", "-j")
    assert chains.place_of([WEB], "input", text, 4, "me") == (1, None)
    own = "".join(f"\t\t{'meta l4proto tcp drop' if 'DROP' in each else 'accept'} # handle 3\n" for each in rules[:1])
    listing = (
        f"table inet filter {{ # handle 5\n\tchain lvs-web-in-input {{ # handle 1\n{own}\t}}\n\n"
        "\tchain input { # handle 2\n\t\ttype filter hook input priority filter; policy drop;\n"
        "\t\tjump lvs-web-in-input # handle 7\n\t}\n}\n"
    )
    for owner, is_own in (("me", False), ("web", True)):
        [base] = nft.bases(listing, owner)
        assert nft.place_of(base, [WEB]) == 0
        assert ("lvs-web-in-input" in base.ours) is (is_own or "drop" not in own)


def test_a_rule_that_only_counts_is_a_rule() -> None:
    """The boot's script is told before which rule the call goes."""
    text = saved("-A INPUT", INVALID, SSH)
    assert chains.place_of([HALF], "input", text, 4, "me") == chains.Place(1, INVALID)


@pytest.mark.parametrize(
    ("ports", "place"),
    [
        # One is left out at the end, in the middle, at the beginning, and none of those that are asked for.
        (["30000:30099"], 1),
        (["30000:30050", "30052:30100"], 2),
        (["30001:30100"], 1),
        (["30000:30050", "30051:30100"], None),
        (["29000:31000"], None),
    ],
)
def test_a_range_of_ports_of_which_some_are_dropped(ports: list[str], place: int | None) -> None:
    text = saved(*(f"-A INPUT -p tcp -m tcp --dport {each} -j ACCEPT" for each in ports))
    assert chains.place_of([FTP], "input", text, 6, "me") == (place and chains.Place(place, None))
    rules = "".join(f"\t\ttcp dport {each.replace(':', '-')} accept # handle 7\n" for each in ports)
    [base] = nft.bases(
        "table inet filter { # handle 5\n\tchain input { # handle 1\n"
        f"\t\ttype filter hook input priority filter; policy drop;\n{rules}\t}}\n}}\n",
        "me",
    )
    assert nft.place_of(base, [FTP]) == place


def test_one_port_in_the_middle_of_a_range() -> None:
    drops = "-A INPUT -p tcp -m tcp --dport 30050 -j DROP"
    assert chains.place_of([FTP], "input", saved(KEEPS, drops, policy="ACCEPT"), 6, "me") == chains.Place(1, drops)
    answers = ANSWER._replace(source_ports=(30000, 30100))
    drops = "-A FORWARD -p tcp -m tcp --sport 30050 -j DROP"
    text = saved(drops).replace(":FORWARD DROP", ":FORWARD ACCEPT")
    assert chains.place_of([answers], "forward", text, 4, "me") == chains.Place(0, drops)


def test_no_end_of_ports() -> None:
    """Of very many, the first ones are looked at: each is led through all rules."""
    rules = [f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in range(2, 2000, 2)]
    every = Hooks(filter_rules.of_iptables(saved(*rules), 6)).ports.each(Packet("input", 6, "6", port=1), None, 65535)
    assert [each.port for each in every] == [*range(1, 101)]


def test_rules_are_read_once_for_many_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    read = filter_rules.of_iptables
    monkeypatch.setattr(filter_rules, "of_iptables", lambda *given: calls.append(given) or read(*given))
    text = saved("-A INPUT -s 203.0.113.77/32 -j DROP")
    for port in range(1, 20):
        assert chains.place_of([WEB._replace(ports=(port, port))], "input", text, 4, "me")
    assert len(calls) == 1


def test_a_rule_is_asked_once_about_packets_that_are_alike_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    holds = verdicts._holds
    monkeypatch.setattr(verdicts, "_holds", lambda *given: asked.append(given) or holds(*given))
    text = saved(*(f"-A INPUT -s 203.0.{number}.0/24 -j DROP" for number in range(100)), SSH)
    wanted = [WEB._replace(destination=f"192.168.50.{number}") for number in range(1, 20)]
    assert chains.place_of(wanted, "input", text, 4, "me") == (101, None)
    assert len(asked) == 101
    # Whoever asks once more, for others, does so of the same rules.
    assert chains.place_of([WEB], "input", text, 4, "me")
    assert len(asked) == 101


def test_of_what_iptables_save_lists_only_the_table_filter_counts() -> None:
    nat = "*nat\n:INPUT DROP [0:0]\nCOMMIT\n"
    assert chains.filter_table(nat) == ""
    assert chains.filter_table(f"# made by\n{nat}{saved()}COMMIT\n{nat}").count("INPUT") == 1
    said = SSH.replace("-j", '-m comment --comment "COMMIT" -j')
    assert chains.filter_table(f"{saved(said, INVALID)}COMMIT\n{nat}") == saved(said, INVALID)


_BEFORE = "`-A ufw-before-input {} -j ACCEPT` before what drops INVALID in /etc/ufw/before.rules"


@pytest.mark.parametrize(
    ("opening", "firewall", "said"),
    [
        (ANSWER, "ufw", "ufw route allow proto tcp from 10.0.0.51 port 80 to 0.0.0.0/0"),
        (VRRP, "ufw", "ufw allow proto vrrp from 0.0.0.0/0 to 0.0.0.0/0"),
        (FTP, "ufw", "ufw allow proto tcp from ::/0 to fd00::1 port 30000:30100"),
        (IPIP, "ufw", _BEFORE.format("-p 4 -d 10.7.0.11")),
        (HALF, "ufw", _BEFORE.format(f"-p tcp -d {VIP} --dport 80")),
        (ANSWER, "firewalld", "net.ipv4.vs.conntrack: 1 in lvs_sysctls, so that answers belong to a connection"),
        (
            HALF,
            "firewalld",
            f'firewall-cmd --permanent \'--add-rich-rule=rule family="ipv4" destination address="{VIP}" port port="80" '
            'protocol="tcp" accept\' and firewall-cmd --permanent --direct --add-rule ipv4 raw PREROUTING 0 -p tcp '
            f"-d {VIP} --dport 80 -j CT --notrack, and the same without --permanent",
        ),
        (TOO_LARGE6, "nftables", "`ip6 daddr fd00::1 icmpv6 type packet-too-big accept` before it"),
        (VRRP, "nftables", "`ip version 4 meta l4proto 112 accept` before it"),
        (VRRP._replace(family=6), "nftables", "`ip6 version 6 meta l4proto 112 accept` before it"),
        (ANSWER, "nftables", "`ip saddr 10.0.0.51 tcp sport 80 accept` before it"),
        (WEB, "", "a rule before it that lets this pass"),
    ],
)
def test_what_an_operator_types(opening: Opening, firewall: str, said: str) -> None:
    assert firewall_words.commands([opening], firewall, 5) == said


def test_the_commands_for_many_packets() -> None:
    every = [WEB, HALF, VRRP, FTP, TOO_LARGE]
    assert firewall_words.commands(every, "iptables", 2) == (
        f"iptables -I INPUT -p tcp -d {VIP} --dport 80 -j ACCEPT and iptables -I INPUT -p 112 -j ACCEPT and 2 more, "
        "which the playbook plan writes down"
    )
    assert " and ip6tables -I INPUT -p tcp -d fd00::1 " in firewall_words.commands(every, "iptables", 5)
    said = firewall_words.commands(every, "firewalld", 9)
    assert (said.count("--add-rich-rule"), said.count("without --permanent")) == (4, 1)


NFT = """table inet filter { # handle 5
	set blocked { # handle 9
		type ipv4_addr
		elements = { 203.0.113.9 }
	}

	chain input { # handle 1
		type filter hook input priority filter; policy drop;
		iifname "lo" accept # handle 4
		ip saddr @blocked drop # handle 5
		ct state established,related accept # handle 6
		ct state invalid drop # handle 7
		tcp dport { 22, 443 } accept # handle 8
	}

	chain forward { # handle 2
		type filter hook forward priority filter; policy drop;
	}
}
table inet firewalld { # handle 6
	chain filter_INPUT { # handle 1
		type filter hook input priority filter + 10; policy drop;
	}
}
table inet lvs_topology_me { # handle 7
	chain source_nat { # handle 1
		type filter hook input priority filter; policy drop;
	}
}
"""
NFT_WEB = f"ip daddr {VIP} tcp dport 80 accept"


def made_in_nft(listing: str, *wanted: Opening) -> tuple[list[str], list[str]]:
    plans = [nft.plan_chain(base, "me", wanted) for base in nft.bases(listing, "me")]
    lines = [each.line for plan in plans for each in plan.changes]
    return lines, [line for plan in plans if plan.changes for line in plan.changes[0].action.splitlines()]


def test_only_the_operator_s_tables_of_nftables_are_touched() -> None:
    assert nft.has_firewalld(NFT)
    assert [(each.table_name, each.name, each.hook) for each in nft.bases(NFT, "me")] == [
        ("inet filter", "input", "input"),
        ("inet filter", "forward", "forward"),
    ]


@pytest.mark.parametrize(
    ("table", "of_iptables", "is_touched"),
    [
        ("inet filter", {"ip", "ip6"}, True),
        # Some name their chains as iptables does.
        ("inet nftables_svc", {"ip", "ip6"}, True),
        ("ip filter", {"ip6"}, True),
        ("ip filter", {"ip"}, False),
        ("ip6 filter", {"ip6"}, False),
    ],
)
def test_what_is_iptables_s_is_left_to_iptables(table: str, of_iptables: set[str], is_touched: bool) -> None:
    listing = (
        f"table {table} {{\n\tchain INPUT {{\n\t\ttype filter hook input priority filter; policy drop;\n\t}}\n}}\n"
    )
    assert [each.name for each in nft.bases(listing, "me", of_iptables)] == ["INPUT"] * is_touched


def test_ours_is_known_whatever_the_chain_is_called() -> None:
    hook = "type filter hook input priority filter; policy drop;"
    head = "table inet filter { # handle 5\n\tchain in-v4.new { # handle 1\n"
    [base] = nft.bases(f"{head}\t\t{hook}\n\t}}\n}}\n", "me")
    assert base.chain_of("me") == "lvs-me-in-in-v4.new"
    own = base.chain_of("me")
    called = f"{head}\t\t{hook}\n\t\tjump {own} # handle 3\n\t}}\n"
    there = f"\tchain {own} {{ # handle 2\n\t\t{NFT_WEB} # handle 4\n\t}}\n}}\n"
    assert made_in_nft(called + there, WEB) == ([], [])


def test_a_map_of_verdicts_drops_what_is_invalid() -> None:
    [base] = nft.bases(
        "table inet filter { # handle 5\n\tchain input { # handle 1\n"
        "\t\ttype filter hook input priority filter; policy drop;\n"
        "\t\tct state vmap { invalid : drop, established : accept, related : accept } # handle 7\n\t}\n}\n",
        "me",
    )
    assert [nft.place_of(base, [each]) for each in (HALF, WEB)] == [0, 1]


def test_a_chain_of_nftables_comes_and_goes() -> None:
    lines, transaction = made_in_nft(NFT, HALF, ANSWER)
    assert lines[:2] == [
        "nft insert rule inet filter input jump lvs-me-in-input",
        f"nft add rule inet filter lvs-me-in-input {NFT_WEB}",
    ]
    assert transaction == [
        "add chain inet filter lvs-me-in-input",
        "flush chain inet filter lvs-me-in-input",
        # Before what is INVALID is dropped, and behind those whom the operator refuses.
        "insert rule inet filter input handle 7 jump lvs-me-in-input",
        f"add rule inet filter lvs-me-in-input {NFT_WEB}",
        "add chain inet filter lvs-me-fwd-forward",
        "flush chain inet filter lvs-me-fwd-forward",
        "add rule inet filter forward jump lvs-me-fwd-forward",
        "add rule inet filter lvs-me-fwd-forward ip saddr 10.0.0.51 tcp sport 80 accept",
    ]
    there = NFT.replace("\t\tct state invalid", "\t\tjump lvs-me-in-input # handle 20\n\t\tct state invalid").replace(
        "\tchain forward",
        f"\tchain lvs-me-in-input {{ # handle 21\n\t\t{NFT_WEB} # handle 22\n\t}}\n\n\tchain forward",
        1,
    )
    assert made_in_nft(there, HALF) == ([], [])
    _lines, transaction = made_in_nft(there)
    assert transaction == [
        "add chain inet filter lvs-me-in-input",
        "flush chain inet filter lvs-me-in-input",
        "delete rule inet filter input handle 20",
        "delete chain inet filter lvs-me-in-input",
    ]
    late = NFT.replace("\t}\n\n\tchain forward", "\t\tjump lvs-me-in-input # handle 20\n\t}\n\n\tchain forward", 1)
    assert "delete rule inet filter input handle 20" in made_in_nft(late, HALF)[1]
    # What only begins connections may come last.
    assert "delete rule inet filter input handle 20" not in made_in_nft(late, WEB)[1]


THERE = (
    "table inet filter {{ # handle 5\n{flags}\tchain input {{ # handle 1\n"
    "{hook}\t\tjump lvs-me-in-input # handle 7\n\t}}\n\n"
    "\tchain lvs-me-in-input {{ # handle 2\n\t\t" + NFT_WEB + " # handle 8\n\t}}\n"
    "\tchain lvs-me-in-own {{ # handle 3\n\t\tdrop # handle 9\n\t}}\n}}\n"
)
HOOK = "\t\ttype filter hook {} priority filter; policy drop;\n"


@pytest.mark.parametrize(
    ("flags", "hook", "is_lost"),
    [
        ("", HOOK.format("input"), False),
        ("\tflags dormant\n\n", HOOK.format("input"), True),
        ("", HOOK.format("forward"), True),
        ("", HOOK.format("prerouting"), True),
        ("", "", True),
    ],
)
def test_a_chain_of_nftables_whose_base_is_lost_goes(flags: str, hook: str, is_lost: bool) -> None:
    listing = THERE.format(flags=flags, hook=hook)
    plans = [*nft.plan_lost(listing, "me", [*nft.bases(listing, "me")])]
    assert [each.line for plan in plans for each in plan.changes] == is_lost * [
        "nft delete rule inet filter input jump lvs-me-in-input",
        "nft delete chain inet filter lvs-me-in-input",
    ]
    assert [plan.changes[0].action.splitlines() for plan in plans] == is_lost * [
        [
            "delete rule inet filter input handle 7",
            "flush chain inet filter lvs-me-in-input",
            "delete chain inet filter lvs-me-in-input",
        ]
    ]
    # Those of another owner are looked after by the other one's runs.
    assert [*nft.plan_lost(listing, "other", [])] == []


@pytest.mark.parametrize(
    ("family", "rule"),
    [("ip", "meta l4proto 112 accept"), ("inet", "meta nfproto ipv4 meta l4proto 112 accept")],
)
def test_nft_is_asked_for_the_family_only_where_a_table_has_two(family: str, rule: str) -> None:
    head = "\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}"
    base = next(nft.bases(f"table {family} f {{\n{head}\n}}\n", "me"))
    assert f"add rule {family} f lvs-me-in-input {rule}" in nft.boot_lines(base, "me", [VRRP])


def test_the_boot_finds_the_rule_before_which_a_chain_of_nftables_is_called() -> None:
    [base, forward] = nft.bases(NFT, "me")
    assert nft.boot_lines(base, "me", [HALF]) == [
        "#call inet filter input lvs-me-in-input ct state invalid drop",
        "add chain inet filter lvs-me-in-input",
        "flush chain inet filter lvs-me-in-input",
        f"add rule inet filter lvs-me-in-input {NFT_WEB}",
    ]
    assert nft.boot_lines(forward, "me", [HALF]) == []


@pytest.mark.parametrize(
    ("listed", "rendered"),
    [
        ("meta nfproto ipv4 meta l4proto vrrp accept", "meta nfproto ipv4 meta l4proto 112 accept"),
        (
            f"ip daddr {VIP} icmp type destination-unreachable icmp code 4 accept",
            f"ip daddr {VIP} icmp type destination-unreachable icmp code frag-needed accept",
        ),
    ],
)
def test_names_and_numbers_of_nftables(listed: str, rendered: str) -> None:
    assert nft._plain([listed]) == nft._plain([rendered])


def test_a_chain_of_nftables_behind_ipvs_is_one_of_a_real_server() -> None:
    late = NFT.replace("hook input priority filter;", "hook input priority srcnat;")
    assert [each.hook for each in nft.bases(late, "me")] == ["input", "forward"]
    assert made_in_nft(late, VRRP)[0][0] == "nft insert rule inet filter input jump lvs-me-in-input"
