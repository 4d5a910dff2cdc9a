# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewalls a host has, by what its commands list and its files say; nothing is executed."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    filter_questions,
    firewall_firewalld,
    firewall_ufw,
    firewalls,
    nf_tables,
    packet_filter,
)
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

VIP = "192.168.50.128"
WEB = Opening("input", 4, "tcp", destination=VIP, ports=(80, 80))
TUPLE = f"### tuple ### {{}} tcp 80 {VIP} any 0.0.0.0/0 in{{}}\n"
WEB_ALLOWED = f"ufw allow proto tcp from 0.0.0.0/0 to {VIP} port 80"
OURS = " comment=6c76732e746f706f6c6f6779206d65"
OF_UFW = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:ufw-user-input - [0:0]\nCOMMIT\n"
CLOSED = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
NFT = """table ip filter { # handle 1
	chain INPUT { # handle 1
		type filter hook input priority filter; policy drop;
	}
}
"""


class Host:
    """What its commands list, and its files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.listed: dict[str, str] = {}
        self.nft: str | None = None
        self.files: dict[str, str] = {}
        host = self

        class Nft(packet_filter.Nft):
            def handles(self) -> str:
                return host.nft or ""

        class Iptables(packet_filter.Iptables):
            def listings(self, *, is_needed: bool = False) -> list[str]:  # noqa: ARG002, as in what it stands for
                return [host.listed.get(str(self), ""), ""]

        tools = [Nft("/usr/sbin/nft"), Iptables("/usr/sbin/iptables"), Iptables("/usr/sbin/iptables-legacy")]
        monkeypatch.setattr(packet_filter, "tools", lambda: iter(tools))
        monkeypatch.setattr(filter_questions, "speaks_nft", lambda path: path == "/usr/sbin/iptables")
        monkeypatch.setattr(nf_tables, "is_there", lambda: self.nft is not None)
        monkeypatch.setattr(firewalls, "read_file", lambda path: File(self.files[path]) if path in self.files else None)
        monkeypatch.setattr(firewalls.glob, "glob", lambda _path: [path for path in self.files if "zones" in path])

    def plans(self, *wanted: Opening) -> list[str]:
        """What would be done to have these packets pass."""
        every = firewalls.there("me")
        return [change.line for one in every for plan in one.plans("me", wanted) for change in plan.changes]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_what_iptables_has_in_nf_tables_is_changed_by_iptables(host: Host) -> None:
    host.nft, host.listed["/usr/sbin/iptables"] = NFT, CLOSED
    assert [line.split()[0] for line in host.plans(WEB)] == ["iptables", "iptables"]
    # Where iptables does not take the table for its own, nft changes it.
    host.listed.clear()
    assert host.plans(WEB)[0] == "nft insert rule ip filter INPUT jump lvs-me-in-INPUT"


def test_no_command_is_asked_that_would_load_nf_tables(host: Host) -> None:
    host.listed = {"/usr/sbin/iptables": CLOSED, "/usr/sbin/iptables-legacy": CLOSED}
    assert {line.split()[0] for line in host.plans(WEB)} == {"iptables-legacy"}


@pytest.mark.parametrize("failing", ["/usr/sbin/nft", "/usr/sbin/iptables-legacy-save"])
def test_a_listing_that_fails_is_no_firewall_that_lets_everything_pass(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    tools = [packet_filter.Nft("/usr/sbin/nft"), packet_filter.Iptables("/usr/sbin/iptables-legacy")]
    monkeypatch.setattr(packet_filter, "tools", lambda: iter(tools))
    monkeypatch.setattr(packet_filter.os.path, "exists", lambda _path: True)
    monkeypatch.setattr(filter_questions, "speaks_nft", lambda _path: False)
    monkeypatch.setattr(nf_tables, "is_there", lambda: True)
    said = {failing: _commands.Said(1, "", "Cannot allocate memory\n")}
    monkeypatch.setattr(_commands, "run", lambda words, *_text: said.get(words[0], _commands.Said(0, "", "")))
    with pytest.raises(
        Refused, match=f"`{failing}.*` failed, so what the firewall drops is not known: Cannot allocate"
    ):
        firewalls.there("me")


def test_rules_of_ufw_go_where_it_does_not_run(host: Host) -> None:
    """Neither its chains are there, nor what it would close."""
    host.files[firewall_ufw.FILES[4]] = TUPLE.format("allow", OURS)
    assert host.plans() == [f"ufw delete allow proto tcp from 0.0.0.0/0 to {VIP} port 80"]
    host.files[firewall_ufw.FILES[4]] = TUPLE.format("allow", "")
    assert host.plans() == []


def test_a_rule_of_ufw_that_refuses_is_not_replaced(host: Host) -> None:
    host.listed["/usr/sbin/iptables-legacy"] = OF_UFW
    assert host.plans(WEB) == [
        f"ufw allow proto tcp from 0.0.0.0/0 to {VIP} port 80 comment 'lvs.topology me'",
    ]
    host.files[firewall_ufw.FILES[4]] = TUPLE.format("deny", "")
    with pytest.raises(BadRequest, match=f"ufw allow proto tcp from 0.0.0.0/0 to {VIP} port 80"):
        host.plans(WEB)
    # Nor would one have any effect behind this.
    more = TUPLE.format("deny", "").replace(f" {VIP} ", " 0.0.0.0/0 ")
    host.files[firewall_ufw.FILES[4]] = more
    with pytest.raises(BadRequest, match="has what is added behind it"):
        host.plans(WEB)
    # Somebody has let it pass before that.
    host.files[firewall_ufw.FILES[4]] = TUPLE.format("allow", "") + more
    assert host.plans(WEB) == []


def test_what_ufw_refuses_to_some_it_refuses_before_our_chain_accepts(host: Host) -> None:
    """The chain is called before all rules of ufw, so it is for packets alone to which these never come."""
    begin = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:ufw-before-input - [0:0]\n:ufw-user-input - [0:0]\n"
    call = "-A INPUT -j lvs-me-in\n"
    rules = (
        "-A INPUT -j ufw-before-input\n-A ufw-before-input -m conntrack --ctstate INVALID -j DROP\n"
        "-A ufw-before-input -j ufw-user-input\n-A ufw-user-input -s 203.0.113.0/24 -j DROP\n"
    )
    host.listed["/usr/sbin/iptables-legacy"] = f"{begin}{rules}COMMIT\n"
    allow, chain = f"{WEB_ALLOWED} comment 'lvs.topology me'", f"-A lvs-me-in -d {VIP}/32 -p tcp -m tcp --dport 80"
    chain += " -m conntrack --ctstate INVALID -j ACCEPT"
    assert host.plans(WEB._replace(loose=True)) == [
        allow,
        "iptables-legacy -t filter: add -I INPUT 1 -j lvs-me-in",
        f"iptables-legacy -t filter: add {chain}",
    ]
    added = f"-A ufw-user-input -d {VIP}/32 -p tcp -m tcp --dport 80 -j ACCEPT\n{chain}\n"
    host.listed["/usr/sbin/iptables-legacy"] = f"{begin}:lvs-me-in - [0:0]\n{call}{rules}{added}COMMIT\n"
    host.files[firewall_ufw.FILES[4]] = TUPLE.format("allow", OURS)
    assert host.plans(WEB._replace(loose=True)) == []


def test_rules_of_firewalld_go_where_it_does_not_run(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = f'rule priority="8848" family="ipv4" destination address="{VIP}" port port="80" protocol="tcp" accept'
    said = {"--list-all-zones": f"dmz\n  target: default\n  rich rules: \n\t{rule}\npublic\n", "--direct": ""}
    calls: list[tuple[str, ...]] = []

    def call(*words: str) -> str:
        calls.append(words)
        return said[words[1]]

    monkeypatch.setattr(firewalls, "_call", call)
    assert host.plans() == []
    host.files["/etc/firewalld/zones/dmz.xml"] = '<zone><rule priority="8848" family="ipv4"/></zone>'
    assert host.plans(WEB) == [f"firewall-offline-cmd --zone=dmz '--remove-rich-rule={rule}'"]
    assert {words[0] for words in calls} == {firewall_firewalld.OFFLINE["permanent"][0]}
    assert not firewalls.there("me")[-1].drops(WEB)
