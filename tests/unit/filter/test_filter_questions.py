# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a host's packet filters, by which commands, and what is said where something was not read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_questions, loaded, nf_tables, verdicts
from ansible_collections.lvs.topology.plugins.module_utils._filter.filter_rules import of_iptables
from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import Packet
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._look import preflight
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

CLOSED = """\
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
	}
}
"""
LEGACY = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
WEB = {"name": "web", "hook": "input", "protocol": "tcp", "destination": "10.0.0.1", "port": 80}
MANAGED = "# Warning: table ip filter is managed by iptables-nft, do not touch!\n"


class Host:
    """Commands by their names: what they answer to --version, what they print, and what they print as errors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, tables: str = "") -> None:
        self.commands: dict[str, tuple[str, str, str]] = {}
        self.ran: list[str] = []
        self.nf_tables: bool | None = True
        self.has_tables = True
        names = path / "ip_tables_names"
        names.write_text(tables)
        monkeypatch.setattr(_commands, "find", lambda name: f"/sbin/{name}" if name in self.commands else None)
        monkeypatch.setattr(_commands, "run", self.run)
        monkeypatch.setattr(nf_tables, "is_there", lambda: self.nf_tables)
        monkeypatch.setattr(nf_tables, "has_tables", lambda: self.has_tables)
        commands = loaded.SAVES["/proc/net/ip_tables_names"]
        monkeypatch.setattr(loaded, "SAVES", {str(names): commands})

    def run(self, words: list[str]) -> _commands.Said:
        version, output, errors = self.commands[os.path.basename(words[0])]
        if words[1:] == ["--version"]:
            return _commands.Said(0 if version else 1, version, "")
        self.ran.append(" ".join([os.path.basename(words[0]), *words[1:]]))
        return _commands.Said(0 if output else 1, output, errors)

    def read(self) -> tuple[filter_questions.Filters, list[str]]:
        unseen: list[str] = []
        return filter_questions.read_filters(unseen), unseen


@pytest.fixture(name="host")
def _host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    return Host(monkeypatch, tmp_path)


def judged(filters: filter_questions.Filters, keeps_track: bool = True, **more: Any) -> tuple[list[str], list[str]]:
    packet = {**dict.fromkeys(filter_questions.PACKET), "family": 4, **WEB, **more}
    dropped, undecided = filter_questions.judged([packet], filters, keeps_track)
    return [each["name"] for each in dropped], undecided


@pytest.mark.parametrize(
    ("errors", "lacking"),
    [
        ("", []),
        (MANAGED, []),
        (
            f"{MANAGED}XT match multiport not found\nXT match multiport not found\nXT target REJECT not found\n",
            ["XT match multiport not found", "XT target REJECT not found"],
        ),
    ],
)
def test_what_nft_leaves_out_was_not_seen(host: Host, errors: str, lacking: list[str]) -> None:
    host.commands["nft"] = ("nftables v1.0.6", CLOSED, errors)
    filters, unseen = host.read()
    assert unseen == [f"packet filter: nft list ruleset: {each}" for each in lacking]
    # A policy is one however much of the rules is missing.
    assert [each.kind for each in filters.obstacles] == ["policy"]
    assert judged(filters) == (([], ["web"]) if lacking else (["web"], []))


@pytest.mark.parametrize(
    ("is_there", "has_tables", "unseen"),
    [
        (False, True, []),
        (True, False, []),
        (True, True, ["packet filter: there is no nft that can read the rules of its kind, and the kernel has some"]),
        (None, True, ["packet filter: whether this kernel has nf_tables built in, nothing on this host tells"]),
    ],
)
def test_a_host_without_nft(host: Host, is_there: bool | None, has_tables: bool, unseen: list[str]) -> None:
    host.nf_tables, host.has_tables = is_there, has_tables
    filters, said = host.read()
    assert said == unseen
    assert judged(filters) == ([], ["web"] if unseen else [])


def test_a_kernel_that_does_not_say_whether_it_has_rules(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> bool:
        raise Refused("Not allowed.")

    monkeypatch.setattr(nf_tables, "has_tables", refuse)
    assert host.read()[1] == ["packet filter: whether there are rules of nft: Not allowed."]


LEGACY_LACKS = (
    "packet filter: there is no iptables-save or iptables-legacy-save that can read the rules of its kind, and the "
    "kernel has some"
)


@pytest.mark.parametrize(
    ("versions", "read_by", "unseen"),
    [
        ({"iptables-save": "iptables-save v1.8.9 (legacy)"}, "iptables-save", []),
        # Older than the other kind, or older than the option.
        ({"iptables-save": "iptables-save v1.6.1"}, "iptables-save", []),
        ({"iptables-save": ""}, "iptables-save", []),
        ({"iptables-save": "iptables-save v1.8.9 (nf_tables)"}, None, [LEGACY_LACKS]),
        ({}, None, [LEGACY_LACKS]),
        (
            {"iptables-save": "v1.8.9 (nf_tables)", "iptables-legacy-save": "v1.8.9 (legacy)"},
            "iptables-legacy-save",
            [],
        ),
        # Both lead to one program, and it is asked once.
        ({"iptables-save": "v1.8.9 (legacy)", "iptables-legacy-save": "v1.8.9 (legacy)"}, "iptables-save", []),
    ],
)
def test_which_command_reads_the_tables_of_iptables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, versions: dict[str, str], read_by: str | None, unseen: list[str]
) -> None:
    host = Host(monkeypatch, tmp_path, "filter\n")
    host.nf_tables = False
    host.commands = {name: (version, LEGACY, "") for name, version in versions.items()}
    filters, said = host.read()
    assert host.ran == ([f"{read_by} -t filter"] if read_by else [])
    assert said == unseen
    assert judged(filters) == ((["web"], []) if read_by else ([], ["web"]))


def test_a_file_that_may_not_be_read(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the names is root's. Root reads everything, but not a directory."""
    host.nf_tables = False
    monkeypatch.setattr(loaded, "SAVES", {"/proc": (4, ("iptables-save",))})
    filters, unseen = host.read()
    assert unseen == ["packet filter: /proc: Is a directory"]
    assert not filters.is_whole


@pytest.mark.parametrize(
    ("is_module", "built_in", "symbols", "is_there"),
    [
        (True, None, None, True),
        (False, "kernel/net/netfilter/nf_tables.ko\n", None, True),
        (False, "kernel/net/netfilter/nf_tables_set.ko\n", "0 T nft_do_chain\n", False),
        (False, None, "0000000000000000 T nft_do_chain\n", True),
        (False, None, "0000000000000000 T nft_do_chain_ipv4\n", False),
        (False, None, None, None),
    ],
)
def test_whether_the_kernel_has_nf_tables(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    is_module: bool,
    built_in: str | None,
    symbols: str | None,
    is_there: bool | None,
) -> None:
    for name, text in {"built_in": built_in, "symbols": symbols}.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(nf_tables, "_MODULE", str(tmp_path if is_module else tmp_path / "none"))
    monkeypatch.setattr(nf_tables, "_BUILT_IN", str(tmp_path / "built_in"))
    monkeypatch.setattr(nf_tables, "_SYMBOLS", str(tmp_path / "symbols"))
    assert nf_tables.is_there() is is_there


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ("-A INPUT -p tcp -j ACCEPT", verdicts.ACCEPT),
        ("-A INPUT -p tcp -j DROP", verdicts.DROP),
        ("-A INPUT -s 192.0.2.0/24 -j DROP", verdicts.UNSURE),
        ("-A INPUT -s 192.0.2.0/24 -j ACCEPT\n-A INPUT -j REJECT", verdicts.UNSURE),
        ("-A INPUT -m something -j DROP", verdicts.UNSURE),
        ("-A INPUT -j NFQUEUE", verdicts.UNSURE),
        ("-A OUTPUT -j DROP", verdicts.ACCEPT),
    ],
)
def test_what_is_certain_of_a_packet(rules: str, verdict: verdicts.Verdict) -> None:
    chains = of_iptables(f"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}\n", 4)
    packet = Packet("input", 4, "6", destination="10.0.0.1", port=80, state="new")
    assert verdicts.Judge([chains]).of(packet)[0] is verdict


ALL_BUT_ONE = "-A INPUT -p tcp -m multiport --dports 8000:8050,8052:8100 -j ACCEPT\n-A INPUT -p tcp -j DROP"


@pytest.mark.parametrize(
    ("rules", "last_port", "answer"),
    [
        (ALL_BUT_ONE, 8050, ([], [])),
        (ALL_BUT_ONE, 8100, (["web"], [])),
        ("-A INPUT -p tcp -m tcp --dport 8100 -j DROP", 8100, (["web"], [])),
        ("-A INPUT -p tcp -m tcp --dport 8101 -j DROP", 8100, ([], [])),
        ("-A INPUT -p tcp -m tcp ! --dport 8000:8099 -j DROP", 8100, (["web"], [])),
        ("-A INPUT -p tcp -m tcp --dport 8050 -j NFQUEUE", 8100, ([], ["web"])),
    ],
)
def test_a_range_of_ports_is_dropped_where_some_of_them_are(rules: str, last_port: int, answer: Any) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{rules}\n"
    filters = filter_questions.Filters(chains=[of_iptables(text, 4)])
    assert judged(filters, port=8000, last_port=last_port) == answer
    # The ports from which something comes are no different.
    filters = filter_questions.Filters(chains=[of_iptables(text.replace("dport", "sport"), 4)])
    assert judged(filters, source_port=8000, last_source_port=last_port) == answer


def test_of_more_ports_than_are_looked_at_nothing_is_certain() -> None:
    """A drop that was looked at is one all the same."""
    rules = "".join(f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT\n" for port in range(8001, 8200, 2))
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{rules}"
    filters = filter_questions.Filters(chains=[of_iptables(text, 4)])
    assert judged(filters, port=8000, last_port=8090) == ([], [])
    assert judged(filters, port=8000, last_port=8200) == ([], ["web"])
    filters = filter_questions.Filters(chains=[of_iptables(f"{text}-A INPUT -j DROP\n", 4)])
    assert judged(filters, port=8000, last_port=8200) == (["web"], [])


def test_packets_that_are_alike_to_a_rule_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = "".join(f"-A INPUT -p tcp -m tcp --dport {number} -j DROP\n" for number in range(1, 101))
    filters = filter_questions.Filters(chains=[of_iptables(f"*filter\n:INPUT ACCEPT [0:0]\n{rules}", 4)])
    count, holds = 0, verdicts._holds

    def counted(*words: Any) -> bool | None:
        nonlocal count
        count += 1
        return holds(*words)

    monkeypatch.setattr(verdicts, "_holds", counted)
    unknown = dict.fromkeys(filter_questions.PACKET)
    packets = [{**unknown, **WEB, "family": 4, "destination": f"10.0.0.{number}", "port": 8080} for number in range(50)]
    assert filter_questions.judged(packets, filters, True) == ([], [])
    assert count == 100
    (port,) = filter_questions.judged([{**packets[0], "port": 7}], filters, True)[0]
    assert port["said"] == "iptables -A INPUT -p tcp -m tcp --dport 7 -j DROP"


def mistakes_of(*packets: dict[str, Any]) -> str:
    mistakes = Mistakes()
    preflight._packets(packets, "packets", mistakes)
    try:
        mistakes.raise_if_any()
    except BadRequest as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"source": ""}, "packets[0].source: '' is not an IPv4 or IPv6 address"),
        ({"destination": ""}, "packets[0].destination: '' is not an IPv4 or IPv6 address"),
        ({"port": 0}, "packets[0].port: 0 is not a port from 1 to 65535"),
        (
            {"interface": ""},
            "packets[0].interface: '' is not an interface name of 1 to 15 letters, digits, and _ . @ -",
        ),
        *(
            (
                {"protocol": name},
                f"packets[0].protocol: {name!r} is no protocol that is known here; write tcp, udp, sctp, icmp or "
                "icmpv6, or a number from 0 to 255",
            )
            for name in ("TCP", "tpc", "999", "-1", "")
        ),
        *(({"protocol": name}, "") for name in ("tcp", "vrrp", "112", "0", "icmpv6")),
    ],
)
def test_a_packet_that_cannot_be(option: dict[str, Any], said: str) -> None:
    assert mistakes_of({**WEB, **option}) == said


def test_mistakes_stand_where_the_packet_does() -> None:
    said = mistakes_of({**WEB, "hook": "nowhere"}, WEB, {**WEB, "source": "x"})
    assert "(1) packets[0]: value of hook must be one of" in said
    assert "(2) packets[2].source: 'x' is not" in said


HALF = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n"


@pytest.mark.parametrize(("now", "planned", "is_dropped"), [(0, None, True), (0, "1", False), (1, "0", True)])
def test_a_host_is_judged_as_it_is_going_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, now: int, planned: str | None, is_dropped: bool
) -> None:
    """Of the roles of a host, it is the director that has the sysctl, and keepalived that asks about packets."""
    host = Host(monkeypatch, tmp_path, "filter\n")
    host.nf_tables = False
    host.commands["iptables-save"] = ("v1.8.9 (legacy)", HALF, "")
    monkeypatch.setattr(proc, "sysctls", lambda _names: {"conntrack": now})
    mistakes = Mistakes()
    sysctls = {} if planned is None else {"net.ipv4.vs.conntrack": planned}
    given = {"plan": None, "owner": "lvs", "packets": [], "manager": None, "interfaces": [], "commands": []}
    asked = [
        {**given, "plan": {"sysctls": sysctls}},
        {**given, "packets": [{**WEB, "state": "answer"}]},
    ]
    parts = [preflight.read({**preflight.NOTHING, **each}, "", mistakes) for each in asked]
    mistakes.raise_if_any()
    problems = preflight._filtered(parts[1], preflight.sysctls_of(parts))
    assert ["iptables -P INPUT DROP" in each for each in problems] == ([True] if is_dropped else [])


def test_what_preflight_could_not_read_is_a_message(host: Host) -> None:
    part = preflight.Part({}, "", {}, {}, [], {}, [{**dict.fromkeys(filter_questions.PACKET), **WEB, "family": 4}])
    assert preflight._filtered(part, {}) == []
    assert part.unseen == host.read()[1] != []
