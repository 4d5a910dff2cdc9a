# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packet filter drops whatever its rules for single services are, from the text that its tools print. Pure."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._filter.filter_rules import tables_of_nft

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_CHAIN = re.compile(r"^:(INPUT|FORWARD) DROP ")
_INVALID = re.compile(r"^-A (INPUT|FORWARD) (?:.*[^!] )?--(?:ct)?state \S*INVALID\b.*-j (DROP|REJECT)\b")
_HOOK = re.compile(r"^\s*type filter hook (input|forward) priority .*policy (drop|accept);")
# The state itself, or one of several, or in a map of verdicts. Beside an operator it is something else.
_DROPS = r"\b(?:drop|reject)\b"
_NFT_INVALID = re.compile(
    rf"\bct state (?:vmap \{{[^}}]*\binvalid : {_DROPS}|(?:\{{[^}}]*|[a-z,]*)\binvalid\b(?! [|.]).*{_DROPS})"
)


class Obstacle(NamedTuple):
    """``kind`` is ``policy``, where what no rule accepts is dropped, or ``invalid``, where half of a connection is."""

    kind: str
    hook: str
    said: str


def of_iptables(text: str, command: str = "iptables") -> Iterator[Obstacle]:
    """Of what iptables-save prints of the table filter; ``command`` is the one that changes what it printed."""
    for line in text.splitlines():
        chain, invalid = _CHAIN.match(line), _INVALID.match(_QUOTED.sub('""', line))
        if chain:
            yield Obstacle("policy", chain[1].lower(), f"{command} -P {chain[1]} DROP")
        elif invalid:
            yield Obstacle("invalid", invalid[1].lower(), f"{command} {line.strip()}")


def of_nft(text: str) -> Iterator[Obstacle]:
    """Of what ``nft list ruleset`` prints. Of a rule in a chain that others jump to the hook is not known."""
    hook = ""
    for line in (line for _family, _table, lines in tables_of_nft(text) for line in lines):
        begun, invalid = _HOOK.match(line), _NFT_INVALID.search(_QUOTED.sub('""', line))
        if line.lstrip().startswith("chain "):
            hook = ""
        if begun:
            hook = begun[1]
            if begun[2] == "drop":
                yield Obstacle("policy", hook, f"nft: {line.strip()}")
        elif invalid:
            yield Obstacle("invalid", hook, f"nft: {line.strip()}")
