# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that mark packets and change sources, read by the commands of a host."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._filter import loaded, nf_tables
from ansible_collections.lvs.topology.plugins.module_utils._look import rewriting

NFT = """table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 10.0.0.51 snat to 10.0.0.30
	}
}
table ip by_hand {
	chain late {
		type nat hook postrouting priority 200; policy accept;
		masquerade
	}
}
"""
SAVED = """*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -d 10.0.0.51/32 -j SNAT --to-source 10.0.0.30
COMMIT
"""
INCOMPATIBLE = "# Table `nat' is incompatible, use 'nft' tool.\n"
TAINTED = f"# Table `nat' contains incompatible base-chains, use 'nft' tool to list them.\n{SAVED}"
BY_NFT, BY_IPTABLES = "ip daddr 10.0.0.51 snat to 10.0.0.30", SAVED.splitlines()[2]


def looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, saved: str | None, nft: str = NFT) -> dict[str, Any]:
    """What is found on a host whose iptables-save prints that; None: it fails."""
    there = {"nft": nft, "iptables-save": saved}

    def run(words: list[str]) -> _commands.Said:
        if words[1:] == ["--version"]:
            return _commands.Said(0, "iptables-save v1.8.9 (nf_tables)", "")
        output = there[os.path.basename(words[0])]
        return _commands.Said(1, "", "it failed") if output is None else _commands.Said(0, output, "")

    monkeypatch.setattr(_commands, "find", lambda name: f"/sbin/{name}" if name in there else None)
    monkeypatch.setattr(_commands, "run", run)
    monkeypatch.setattr(nf_tables, "is_there", lambda: True)
    monkeypatch.setattr(loaded, "SAVES", {str(tmp_path / "none"): (4, ("iptables-save",))})
    return rewriting.look()


@pytest.mark.parametrize(
    ("saved", "rules", "unseen"),
    [
        (SAVED, [BY_IPTABLES, "masquerade"], []),
        # Whoever wrote a table of that name by nft has its rules in it, and iptables has no words for them.
        (INCOMPATIBLE, [BY_NFT, "masquerade"], []),
        (None, [BY_NFT, "masquerade"], ["packet filter: /sbin/iptables-save: it failed"]),
        (
            TAINTED,
            [BY_IPTABLES, "masquerade"],
            ["packet filter: /sbin/iptables-save: Table `nat' contains incompatible base-chains"],
        ),
    ],
)
def test_each_table_is_read_by_whoever_has_words_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, saved: str | None, rules: list[str], unseen: list[str]
) -> None:
    found = looked(monkeypatch, tmp_path, saved)
    assert [each["rule"] for each in found["translating_rules"]] == rules
    assert found["unseen"] == unseen


def test_rules_come_in_the_order_in_which_packets_meet_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    early = NFT.replace("priority 200", "priority 50")
    found = looked(monkeypatch, tmp_path, SAVED, early)
    assert [each["rule"] for each in found["translating_rules"]] == ["masquerade", BY_IPTABLES]


def test_a_rule_with_many_addresses_is_not_told_whole_for_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    many = ", ".join(f"10.1.{number // 250}.{number % 250 + 1}" for number in range(1000))
    found = looked(monkeypatch, tmp_path, None, NFT.replace("10.0.0.51", f"{{ {many} }}", 1))
    assert len(found["translating_rules"]) == 1001
    assert len(str(found)) < 2_000_000
