# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a director's host belongs to its table, and is not in it: the subset host of ipvs_info. It only looks."""

from __future__ import annotations

import os
from typing import Any, Iterator

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    filter_questions,
    loaded,
    nf_tables,
    rewriting_rules,
)
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import (
    HELPERS,
    MARKS,
    PROGRAMS,
    Rewriting,
)
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import managers
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import IPVS, IPVS_NAMES

_SYSCTLS = "/proc/sys/net/ipv4/vs"
# More than anybody has written by hand. Container runtimes have rules without end, in which nobody looks for services.
_MOST_RULES = 5000
_LONGEST = 1000


def look() -> dict[str, Any]:
    unseen: list[str] = []
    found = sorted(dict.fromkeys(_rewritings(unseen)), key=lambda each: each.priority)
    if len(found) > _MOST_RULES:
        unseen.append(f"packet filter: of {len(found)} rules that set marks or change sources, {_MOST_RULES} are here")
    rules = [(each.does, _said(each)) for each in found[:_MOST_RULES]]
    return {
        "sysctls": _sysctls(),
        "helpers": [each for each in HELPERS if os.path.isdir(f"/sys/module/{each}")],
        "programs": [each for each in PROGRAMS if managers.is_running(each)],
        "marking_rules": [each for does, each in rules if does == MARKS],
        "translating_rules": [each for does, each in rules if does != MARKS],
        "unseen": unseen,
    }


def _said(each: Rewriting) -> dict[str, Any]:
    # Whoever reads it is shown less, and a rule with a thousand addresses is here a thousand times.
    rule = each.rule if len(each.rule) <= _LONGEST else f"{each.rule[:_LONGEST]}..."
    found = {key: value for key, value in each._asdict().items() if key not in ("does", "turn", "priority")}
    return {**found, "rule": rule, "ports": list(each.ports), "to": list(each.to)}


def _sysctls() -> dict[str, str]:
    """Those below net.ipv4.vs that this kernel has, by their whole names."""
    found = {}
    for name in IPVS_NAMES:
        try:
            with open(f"{_SYSCTLS}/{name}", encoding="ascii", errors="replace") as file:
                found[IPVS + name] = " ".join(file.read().split())
        except OSError:
            continue  # of a newer kernel, or of the first network namespace alone
    return found


def _rewritings(unseen: list[str]) -> Iterator[Rewriting]:
    unseen += filter_questions.unreadable()
    if nf_tables.is_there():
        said: list[str] = []
        text = filter_questions.said(said, ["nft", "list", "ruleset"]) if _commands.find("nft") else ""
        saves = [(family, each, filter_questions.said(unseen, [each])) for family, each in _in_nf_tables()]
        # What a command of iptables has there, that one says in full, also where nft has no word for it.
        unseen += [each for each in said if not (saves and ": XT " in each)]
        skipped: set[str] = set()
        for family, command, saved in saves:
            unseen += [f"packet filter: {command}: {each}" for each in rewriting_rules.left_out(saved)]
            # A table with rules of nft it leaves to nft, and says so where its own words would be.
            left = rewriting_rules.incompatible(saved)
            tables = rewriting_rules.tables_of_iptables(text, family) if saved else []
            skipped |= {each for each in tables if each.split()[1] not in left}
        yield from rewriting_rules.of_nft(text, skipped)
        for family, _command, saved in saves:
            yield from rewriting_rules.of_iptables(saved, family)
    for path, (family, commands) in loaded.SAVES.items():
        legacy = next(filter_questions.legacy(commands), "")
        for table in loaded.tables_at(path, unseen) if legacy else ():
            text = filter_questions.said(unseen, [legacy, "-t", table])
            yield from rewriting_rules.of_iptables(text, family)


def _in_nf_tables() -> Iterator[tuple[int, str]]:
    """The commands that read what iptables and ip6tables have in nf_tables."""
    for family, names in ((4, ("iptables-save", "iptables-nft-save")), (6, ("ip6tables-save", "ip6tables-nft-save"))):
        paths = filter(None, map(_commands.find, names))
        command = next(filter(filter_questions.speaks_nft, paths), None)
        if command:
            yield family, command
