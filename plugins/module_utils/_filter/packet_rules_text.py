# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a director in the words of nft and iptables, and what of a listing has to change. Pure.

Every owner has one nft table or one set of iptables chains, which is replaced whole.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, Sequence, Tuple

from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_plan import (
    EVERY_PORT,
    Mark,
    Rule,
    SourceNat,
    ports_text,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

_SETS_MARK = re.compile(r"meta mark set (0x[0-9a-f]+|[0-9]+)(?:$| )|-j MARK --set-xmark (0x[0-9a-f]+)/0xffffffff")

# Our part of what the packet filter's commands list, by command and table: "nft inet lvs_topology_lvs" is one key,
# "iptables-legacy -t nat" another.
Listing = Dict[str, Tuple[str, ...]]


# nft


def nft_table(owner: str) -> str:
    return f"inet lvs_topology_{owner}"


def render_nft(owner: str, rules: Sequence[Rule]) -> list[str]:
    """The owner's table as nft lists it."""
    lines = [f"table {nft_table(owner)} {{"]
    marks = [rule for rule in rules if isinstance(rule, Mark)]
    if marks:
        head = "type filter hook prerouting priority mangle; policy accept;"
        lines += _nft_chain("marks", head, map(_nft_mark, marks))
    nats = [rule for rule in rules if isinstance(rule, SourceNat)]
    if nats:
        # Before a masquerade of others: the first that translates a connection is the only one.
        head = "type nat hook postrouting priority srcnat - 1; policy accept;"
        lines += _nft_chain("source_nat", head, map(_nft_source_nat, nats))
    return [*lines, "}"]


def _nft_chain(name: str, head: str, rules: Iterator[str]) -> list[str]:
    return [f"\tchain {name} {{", f"\t\t{head}", *(f"\t\t{rule}" for rule in rules), "\t}"]


def _nft_mark(rule: Mark) -> str:
    if rule.ports == EVERY_PORT:
        protocol = f"meta l4proto {rule.protocol}"
    else:
        protocol = f"{rule.protocol} dport {ports_text(rule.ports)}"
    return f"{_nft_ip(rule.family)} daddr {rule.address} {protocol} meta mark set {_hexadecimal(rule.mark, 8)}"


def _nft_source_nat(rule: SourceNat) -> str:
    ip = _nft_ip(rule.family)
    if isinstance(rule.service, int):
        match = f"meta nfproto ipv{rule.family} meta mark {_hexadecimal(rule.service, 8)}"
    else:
        protocol, address, port = rule.service
        match = f"meta l4proto {protocol} ct original {ip} daddr {address}"
        # nft wants the protocol before the port.
        match += f" ct original proto-dst {port}" if port else ""
    if rule.destination:
        match += f" {ip} daddr {rule.destination}"
    to = rule.to[0]
    if len(rule.to) > 1:
        # In turn, so that each address lends its ports whoever the clients are.
        elements = ", ".join(f"{number} : {address}" for number, address in enumerate(rule.to))
        to = f"numgen inc mod {len(rule.to)} map {{ {elements} }}"
    return f"{match} snat {ip} to {to}"


def _nft_ip(family: int) -> str:
    return "ip" if family == 4 else "ip6"


def _hexadecimal(mark: int, digits: int = 1) -> str:
    return f"0x{mark:0{digits}x}"


def read_nft(owner: str, ruleset: str) -> Listing:
    """The owner's table in what nft lists."""
    lines = [line for line in ruleset.splitlines() if line]
    head = f"table {nft_table(owner)} {{"
    if head not in lines:
        return {}
    start = lines.index(head)
    return {f"nft {nft_table(owner)}": tuple(lines[start : lines.index("}", start) + 1])}


def replace_nft(owner: str, table: Sequence[str]) -> str:
    """One transaction for nft -f that makes the owner's table read so, whatever it was; empty: that it is gone."""
    name = nft_table(owner)
    return "\n".join([f"table {name}", f"delete table {name}", *table]) + "\n"


# iptables


def chains(owner: str) -> dict[str, tuple[str, str]]:
    """Our chain in each table of iptables, and the built-in one from which it is called."""
    return {"mangle": ("PREROUTING", f"lvs-{owner}-mark"), "nat": ("POSTROUTING", f"lvs-{owner}-snat")}


def render_iptables(owner: str, command: str, rules: Sequence[Rule], family: int) -> Listing:
    """Our chain in each table, its call and its rules as iptables-save prints them; a table without any is left out."""
    found: dict[str, list[str]] = {"mangle": [], "nat": []}
    for rule in rules:
        if rule.family == family and isinstance(rule, Mark):
            found["mangle"].append(_iptables_mark(rule))
        elif rule.family == family and isinstance(rule, SourceNat):
            found["nat"] += _iptables_source_nat(rule)
    listing = {}
    for table, lines in found.items():
        builtin, chain = chains(owner)[table]
        if lines:
            own = [f"-A {chain} {line}" for line in lines]
            listing[f"{command} -t {table}"] = (f":{chain} - [0:0]", f"-A {builtin} -j {chain}", *own)
    return listing


def _iptables_mark(rule: Mark) -> str:
    match = f"-d {rule.address}/{_full(rule.family)} -p {rule.protocol}"
    if rule.ports != EVERY_PORT:
        match += f" -m {rule.protocol} --dport {ports_text(rule.ports, ':')}"
    return f"{match} -j MARK --set-xmark {_hexadecimal(rule.mark)}/0xffffffff"


def _iptables_source_nat(rule: SourceNat) -> Iterator[str]:
    match = f"-d {rule.destination}/{_full(rule.family)} " if rule.destination else ""
    if isinstance(rule.service, int):
        match += f"-m mark --mark {_hexadecimal(rule.service)}"
    else:
        protocol, address, port = rule.service
        match += f"-p {protocol} -m ipvs --vaddr {address}"
        match += f" --vport {port}" if port else ""
    for number, address in enumerate(rule.to):
        # In turn: every third of three, every second of the others, all of the rest.
        left = len(rule.to) - number
        turn = f" -m statistic --mode nth --every {left} --packet 0" if left > 1 else ""
        yield f"{match}{turn} -j SNAT --to-source {address}"


def _full(family: int) -> int:
    return 32 if family == 4 else 128


def read_iptables(owner: str, command: str, saved: str) -> Listing:
    """What iptables-save lists of us, in the form of render_iptables()."""
    found: dict[str, list[str]] = {}
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        if table not in chains(owner):
            continue
        _builtin, chain = chains(owner)[table]
        own = found.setdefault(f"{command} -t {table}", [])
        if line.startswith(f":{chain} "):
            own.append(f":{chain} - [0:0]")  # without its counters
        elif line.startswith(f"-A {chain} ") or line.endswith(f" -j {chain}"):
            own.append(line)
    return {table: tuple(lines) for table, lines in found.items() if lines}


def replace_iptables(owner: str, table: str, current: Sequence[str], wanted: Sequence[str]) -> str:
    """One transaction for iptables-restore --noflush that makes our chain right and leaves the others alone."""
    builtin, chain = chains(owner)[table]
    calls, wanted_calls = ([line for line in lines if line.endswith(f" -j {chain}")] for lines in (current, wanted))
    lines = [f":{chain} - [0:0]"]
    if calls != wanted_calls:
        lines += [f"-D{call[2:]}" for call in calls]
        # First in line: behind a rule that accepts or translates the packet it would come too late.
        lines += [f"-I {builtin} -j {chain}" for _call in wanted_calls]
    lines += [line for line in wanted if line.startswith(f"-A {chain} ")] if wanted else [f"-X {chain}"]
    return "\n".join([f"*{table}", *lines, "COMMIT"]) + "\n"


def without_ipvs(text: str) -> str:
    """The same rules without the match that would load ip_vs."""
    return re.sub(r" -m ipvs --vaddr \S+( --vport \d+)?", "", text)


# Both


def foreign_marks(owner: str, listing: str) -> dict[int, list[str]]:
    """The marks that rules of others set, with these rules; from nft list ruleset or iptables-save."""
    own_table, own_chain = f"table {nft_table(owner)} {{", chains(owner)["mangle"][1]
    table = chain = ""
    found: dict[int, list[str]] = {}
    for line in listing.splitlines():
        if line.startswith("table "):
            table = line
        elif line.startswith("\tchain "):
            chain = line.split()[1]
        if table == own_table or own_chain in (chain, *line.split()[1:2]):
            continue
        for mark in _SETS_MARK.findall(line):
            found.setdefault(int(mark[0] or mark[1], 0), []).append(line.strip())
    return found


def broad_masquerade(owner: str, listing: str) -> str | None:
    """A rule of others that gives whatever leaves by an interface a new source."""
    own_table = f"table {nft_table(owner)} {{"
    table = ""
    for line in listing.splitlines():
        if line.startswith("table "):
            table = line
        nft = re.match(r'\s+(oifname "?\S+"? )?(counter packets \d+ bytes \d+ )?masquerade', line)
        iptables = re.match(r"-A POSTROUTING (-o \S+ )?-j MASQUERADE", line)
        if (nft and table != own_table) or iptables:
            return line.strip()
    return None


def plan_table(table: str, before: Sequence[str], after: Sequence[str]) -> Plan:
    """The plan of one table: a line for each rule that comes or goes. It is applied whole."""
    if tuple(before) == tuple(after):
        return Plan()
    gone = [line.strip() for line in before if line not in after]
    come = [line.strip() for line in after if line not in before]
    lines = [f"{table}: remove {line}" for line in gone if _is_rule(line)]
    lines += [f"{table}: add {line}" for line in come if _is_rule(line)]
    # The order alone, or an empty chain.
    lines = lines or [f"{table}: replace"]
    return Plan(tuple(Change(line, None) for line in lines), tuple(before), tuple(after))


def _is_rule(line: str) -> bool:
    return not line.startswith((":", "table ", "chain ", "type ", "}"))
