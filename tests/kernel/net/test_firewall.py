# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern firewall of host_state on a real kernel; judged by iptables-save and nft."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

VIP, RIP, VIP6 = "10.0.0.100", "10.1.0.11", "fd00::100"
REQUEST = {"hook": "input", "protocol": "tcp", "destination": VIP, "port": 80, "state": "new"}
HALF = {**REQUEST, "state": "half"}
REQUEST6 = {**REQUEST, "destination": VIP6}
ANSWER = {"hook": "forward", "protocol": "tcp", "source": RIP, "source_port": 80, "state": "answer"}
VRRP = {"hook": "input", "protocol": "112", "state": "new"}
SSH = {**REQUEST, "port": 22}
SENT = {"hook": "output", "protocol": "tcp", "destination": RIP, "port": 80, "state": "sent"}
ICMP = [("icmp", VIP), ("icmpv6", VIP6)]
RULES = [
    "INPUT -s 203.0.113.0/24 -j DROP",
    "INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "INPUT -m conntrack --ctstate INVALID -j DROP",
    "INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
]
LEDGER = Path("/var/lib/lvs-topology/ledger.json")


@pytest.fixture
def closed(sh) -> str:
    """A firewall that drops what it does not know. As iptables-save lists it, but for comments and counters."""
    sh("; ".join(f"iptables-legacy -A {rule}" for rule in RULES))
    sh("for tool in iptables-legacy ip6tables-legacy; do $tool -P INPUT DROP; $tool -P FORWARD DROP; done")
    return listed(sh)


def listed(sh, tool: str = "") -> str:
    tools = [tool] if tool else ["iptables-legacy", "ip6tables-legacy"]
    return "".join(sh(f"{each}-save -t filter | grep -v '^#' | sed 's/ \\[.*//'") for each in tools)


def state(run_module, *packets: dict[str, Any], check: bool = False, present: bool = True) -> dict[str, Any]:
    plan = {"firewall": {"packets": [*packets]} if packets else {}}
    asked = {"plan": plan, "state": "present" if present else "absent"}
    return run_module("host_state", {"owner": "me", "concerns": ["firewall"], **asked}, check)


def test_it_comes_changes_and_goes(run_module, sh, closed) -> None:
    foreseen = state(run_module, REQUEST, HALF, REQUEST6, ANSWER, VRRP, check=True)
    assert (foreseen["changed"], listed(sh)) == (True, closed)
    done = state(run_module, REQUEST, HALF, REQUEST6, ANSWER, VRRP)
    assert done["changes"] == foreseen["changes"]
    chain = [line.split(" ", 2)[2] for line in sh("iptables-legacy -S lvs-me-in").splitlines()[1:]]
    assert [each.replace("-p vrrp", "-p 112") for each in chain] == [
        "-p 112 -j ACCEPT",
        f"-d {VIP}/32 -p tcp -m tcp --dport 80 -j ACCEPT",
    ]
    # Before what drops it for every client, and behind what drops it for some.
    calls = sh("iptables-legacy -S INPUT").splitlines()
    assert calls[1:5] == [f"-A {RULES[0]}", f"-A {RULES[1]}", "-A INPUT -j lvs-me-in", f"-A {RULES[2]}"]
    assert f"-s {RIP}/32 -p tcp -m tcp --sport 80 -j ACCEPT" in sh("iptables-legacy -S lvs-me-fwd")
    assert f"-d {VIP6}/128 -p tcp -m tcp --dport 80 -j ACCEPT" in sh("ip6tables-legacy -S lvs-me-in")
    assert not state(run_module, REQUEST, HALF, REQUEST6, ANSWER, VRRP)["changed"]

    # Only what begins connections: that may come later. The chains at other hooks go.
    assert state(run_module, REQUEST)["changed"]
    assert "lvs-" not in listed(sh, "ip6tables-legacy") + sh("iptables-legacy -S FORWARD")
    assert not state(run_module, REQUEST)["changed"]

    assert state(run_module, present=False, check=True)["changed"]
    assert state(run_module, present=False)["changed"]
    assert (listed(sh), LEDGER.exists()) == (closed, False)
    assert not state(run_module, present=False)["changed"]


def test_what_was_changed_by_hand_is_put_right(run_module, sh, closed) -> None:
    state(run_module, HALF)
    right = listed(sh)
    for damage in (
        "iptables-legacy -D INPUT -j lvs-me-in",
        "iptables-legacy -F lvs-me-in",
        "iptables-legacy -A lvs-me-in -j ACCEPT",
        "iptables-legacy -D INPUT -j lvs-me-in; iptables-legacy -A INPUT -j lvs-me-in",
        "iptables-legacy -D INPUT -j lvs-me-in; iptables-legacy -F lvs-me-in; iptables-legacy -X lvs-me-in",
    ):
        sh(damage)
        assert state(run_module, HALF)["changed"], damage
        assert listed(sh) == right, damage
    state(run_module, present=False)
    assert listed(sh) == closed


def test_where_no_firewall_drops_anything_nothing_is_added(run_module, sh) -> None:
    assert not state(run_module, REQUEST, ANSWER)["changed"]
    sh(f"iptables-legacy -A {RULES[0]}")
    before = listed(sh, "iptables-legacy")
    # Whoever is refused is refused by the operator.
    state(run_module, ANSWER)
    assert listed(sh, "iptables-legacy") == before
    assert "ip6table" not in sh("cat /proc/net/ip6_tables_names")


def test_the_boot_script_brings_it_back(run_module, sh, closed) -> None:
    # What the operator lets in himself, no chain of ours does, after a boot neither.
    files = {"owner": "me", "firewall": {"packets": [HALF, ANSWER, REQUEST6, SSH]}}
    state(run_module, HALF, ANSWER, REQUEST6, SSH)
    assert "--dport 22" not in sh("iptables-legacy -S lvs-me-in")
    right = listed(sh)
    run_module("boot_restore", files)
    sh("for tool in iptables-legacy ip6tables-legacy; do $tool-save -t filter | grep -v lvs-me | $tool-restore; done")
    assert listed(sh) == closed
    # Somebody who comes before the firewall's rules in the meantime.
    sh("iptables-legacy -I INPUT -s 198.51.100.1 -j DROP")
    for argument in ("firewall", ""):
        sh(f"/etc/lvs-topology/restore {argument}")
        assert listed(sh).replace("-A INPUT -s 198.51.100.1/32 -j DROP\n", "") == right
    assert not state(run_module, HALF, ANSWER, REQUEST6, SSH)["changed"]
    assert not run_module("boot_restore", files)["changed"]
    run_module("boot_restore", {"owner": "me", "state": "absent"})
    state(run_module, present=False)


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        ({"hook": "input", "protocol": "tcpp"}, "'tcpp' is no protocol of IP"),
        ({"hook": "input", "protocol": "tcp", "destination": "nowhere"}, "firewall: packets[0].destination"),
        ({"hook": "input", "protocol": "tcp", "port": 90, "last_port": 80}, "packets[0].last_port"),
    ],
)
def test_mistakes(run_module, packet, said) -> None:
    answer = run_module("host_state", {"owner": "me", "plan": {"firewall": {"packets": [packet]}}})
    assert said in answer["msg"]


NFT = """table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ip saddr 203.0.113.0/24 drop
		ct state established,related accept
		ct state invalid drop
		tcp dport { 22, 443 } accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
	}
}
table inet nftables_svc {
	chain OUTPUT {
		type filter hook output priority filter; policy accept;
		oifname "lo" accept
		udp dport 9 counter drop
		counter drop
	}
}
"""


def serves_nft() -> bool:
    tried = subprocess.run(["unshare", "--net", "nft", "add", "table", "inet", "t"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.slow
def test_a_firewall_of_iptables_in_nf_tables(run_module, sh) -> None:
    """iptables changes what is iptables's own, and nft nothing of it."""
    if not serves_nft():
        return  # this kernel has no rules of nft; the test runs on the stock kernel
    for rule in RULES:
        sh(f"iptables-nft -A {rule}")
    # What iptables-restore has made once, it makes anew.
    closed = "-P INPUT DROP; $tool -P FORWARD DROP; $tool -P OUTPUT ACCEPT"
    sh(f"for tool in iptables-nft ip6tables-nft; do $tool {closed}; done")
    before = sh("nft -s list ruleset")
    asked = [HALF, REQUEST6, ANSWER, VRRP, SSH]
    done = state(run_module, *asked)
    assert {line.split()[0] for line in done["changes"]} == {"iptables", "ip6tables"}
    calls = sh("iptables-nft -S INPUT").splitlines()
    assert calls[1:5] == [f"-A {RULES[0]}", f"-A {RULES[1]}", "-A INPUT -j lvs-me-in", f"-A {RULES[2]}"]
    right = sh("nft -s list ruleset")
    assert not state(run_module, *asked)["changed"]
    files = {"owner": "me", "firewall": {"packets": asked}}
    run_module("boot_restore", files)
    sh("for tool in iptables-nft ip6tables-nft; do $tool-save -t filter | grep -v lvs-me | $tool-restore; done")
    assert sh("nft -s list ruleset") == before
    for argument in ("firewall", ""):
        sh(f"/etc/lvs-topology/restore {argument}")
        assert sh("nft -s list ruleset") == right
    assert not state(run_module, *asked)["changed"]
    run_module("boot_restore", {"owner": "me", "state": "absent"})
    state(run_module, present=False)
    assert (sh("nft -s list ruleset"), LEDGER.exists()) == (before, False)
    sh("nft flush ruleset")


@pytest.mark.slow
def test_a_firewall_of_nftables(run_module, sh) -> None:
    """Its rules come into the operator's own table, and go; the boot's script brings them back."""
    if not serves_nft():
        return  # this kernel has no rules of nft; the test runs on the stock kernel
    too_large = [{"hook": "input", "protocol": protocol, "destination": address} for protocol, address in ICMP]
    asked = [HALF, REQUEST6, ANSWER, VRRP, SENT, *too_large]
    sh(f"nft -f - <<'END'\n{NFT}\nEND")
    before = sh("nft -s list ruleset")
    # The counters have counted something by then.
    sh("ping -c 1 -W 1 203.0.113.1 || :")
    foreseen = state(run_module, *asked, check=True)
    assert (foreseen["changed"], sh("nft -s list ruleset")) == (True, before)
    assert state(run_module, *asked)["changes"] == foreseen["changes"]
    right = sh("nft -s list ruleset")
    lines = [line.strip() for line in right.splitlines()]
    assert lines[lines.index("jump lvs-me-in-input") + 1] == "ct state invalid drop"
    assert f"ip saddr {RIP} tcp sport 80 accept" in lines
    assert lines[lines.index("jump lvs-me-fwd-forward") + 1].startswith("ct state vmap")
    assert lines[lines.index("jump lvs-me-out-OUTPUT") - 1].startswith("udp dport 9")
    again = state(run_module, *asked)
    assert not again["changed"], again
    files = {"owner": "me", "firewall": {"packets": asked}}
    run_module("boot_restore", files)
    # As a reload of nftables.service does.
    sh(f"nft -f - <<'END'\nflush ruleset\n{NFT}\nEND")
    for _turn in range(2):
        sh("/etc/lvs-topology/restore")
        assert sh("nft -s list ruleset") == right
    assert not state(run_module, *asked)["changed"]
    assert not run_module("boot_restore", files)["changed"]
    run_module("boot_restore", {"owner": "me", "state": "absent"})
    state(run_module, present=False)
    assert (sh("nft -s list ruleset"), LEDGER.exists()) == (before, False)
    sh("nft flush ruleset")
