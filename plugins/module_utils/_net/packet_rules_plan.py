# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firewall marks and source NAT of a director: rules, their words in nft and iptables, and what has to change. Pure.

Every owner has one nft table or one set of iptables chains, which is replaced whole. Where several rules match a
packet, the most specific one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, Mapping, Sequence, Tuple, Union

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.settle import Settlement, settle, to_let_go
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan

KIND = "packet_rule"
EVERY_PORT = (forms.PORTS.low, forms.PORTS.high)
# A chain's name has 28 characters, and the longest of ours has ten besides the owner.
_OWNER_LENGTH = 18
_SETS_MARK = re.compile(r"meta mark set (0x[0-9a-f]+|[0-9]+)(?:$| )|-j MARK --set-xmark (0x[0-9a-f]+)/0xffffffff")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")

# Our part of what the packet filter's commands list, by command and table: "nft inet lvs_topology_lvs" is one key,
# "iptables-legacy -t nat" another.
Listing = Dict[str, Tuple[str, ...]]


@dataclass(frozen=True)
class Mark:
    """Packets to an address and a range of ports get a firewall mark."""

    family: int
    address: str
    protocol: str
    ports: tuple[int, int]
    mark: int

    @property
    def target(self) -> str:
        return f"mark {self.mark}"

    @property
    def match(self) -> str:
        return f"{self.protocol} {self.address} {_ports_text(self.ports)}"


@dataclass(frozen=True)
class SourceNat:
    """Connections to a service, by VIP and port (0: every) or by mark, leave with one of these addresses as source."""

    family: int
    service: tuple[str, str, int] | int
    destination: str | None
    to: tuple[str, ...]

    @property
    def target(self) -> str:
        return f"source {','.join(self.to)}"

    @property
    def match(self) -> str:
        if isinstance(self.service, int):
            service = f"ipv{self.family} mark {self.service}"
        else:
            protocol, address, port = self.service
            service = f"{protocol} {address} {port or '*'}"
        return f"{service} at {self.destination}" if self.destination else service


Rule = Union[Mark, SourceNat]


def words(rule: Rule) -> str:
    """The rule in one line, from which rule_of() makes it again: the ledger remembers rules so."""
    return f"{rule.target}: {rule.match}"


def rule_of(text: str) -> Rule:
    target, match = text.split(": ", 1)
    kind, value = target.split(" ")
    if kind == "mark":
        protocol, address, ports = match.split(" ")
        return Mark(_family_of(address), address, protocol, _parse_ports(ports) or EVERY_PORT, int(value))
    match, _at, destination = match.partition(" at ")
    first, second, third = match.split(" ")
    service = int(third) if second == "mark" else (first, second, 0 if third == "*" else int(third))
    to = tuple(value.split(","))
    return SourceNat(_family_of(to[0]), service, destination or None, to)


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The rules as they have to stand in a chain, whatever the order in which they were asked for.

    Of marks the last one counts, so the widest range of ports comes first. Of translations of the source the first one
    counts: IPVS asks for a service by mark before one by address, and for one with a port before that of every port.
    """

    def place(rule: Rule) -> tuple[Any, ...]:
        if isinstance(rule, Mark):
            return 0, rule.ports[0] - rule.ports[1], 0, words(rule)
        by_mark = isinstance(rule.service, int)
        every_port = not isinstance(rule.service, int) and not rule.service[2]
        return 1, 0 if by_mark else 1 + every_port, rule.destination is None, words(rule)

    return sorted(rules, key=place)


def _family_of(address: str) -> int:
    return 6 if ":" in address else 4


def _ports_text(ports: tuple[int, int], dash: str = "-") -> str:
    if ports == EVERY_PORT:
        return "*"
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}{dash}{ports[1]}"


def _parse_ports(text: str) -> tuple[int, int] | None:
    """One port or a range; None where it is neither."""
    found = _PORTS.match(text)
    if not found:
        return None
    first = int(found[1])
    last = int(found[2] or first)
    return (first, last) if 1 <= first <= last <= EVERY_PORT[1] else None


# What a task asks for


def check(
    marks: Sequence[Mapping[str, Any]],
    source_nat: Sequence[Mapping[str, Any]],
    mistakes: Mistakes,
    option: str = "",
) -> list[Rule]:
    """The rules of a task. ``option`` is the path of the two lists, with a dot behind it."""
    rules: list[tuple[str, Rule]] = list(_check_marks(marks, f"{option}marks", mistakes))
    rules += _check_nat(source_nat, f"{option}source_nat", mistakes)
    paths: dict[str, str] = {}
    for path, rule in rules:
        if isinstance(rule, SourceNat):
            first = paths.setdefault(rule.match, path)
            if first != path:
                mistakes.add(path, f"{rule.match} is already listed in {first}")
    _check_overlaps([(path, rule) for path, rule in rules if isinstance(rule, Mark)], mistakes)
    return [rule for _path, rule in rules]


def check_owner(owner: str, mistakes: Mistakes) -> None:
    mistakes.owner(owner)
    if len(owner) > _OWNER_LENGTH:
        mistakes.add("owner", f"{owner!r} is too long: chains are named after it, so use {_OWNER_LENGTH} characters")


def _check_marks(options: Sequence[Mapping[str, Any]], option: str, mistakes: Mistakes) -> Iterator[tuple[str, Mark]]:
    for position, item in enumerate(options):
        where = f"{option}[{position}]"
        address = mistakes.host_address(f"{where}.address", item["address"])
        mark = _check_mark(f"{where}.mark", item["mark"], mistakes)
        for number, text in enumerate(item["ports"] or ["1-65535"]):
            ports = _parse_ports(str(text))
            if ports is None:
                mistakes.add(f"{where}.ports[{number}]", f"{text!r} is neither a port nor a range such as 30000-30100")
            elif address is not None and mark:
                # Without a list every port is meant, and 0 is none that a packet has.
                every = EVERY_PORT if not item["ports"] else ports
                path = f"{where}.ports[{number}]" if item["ports"] else where
                yield path, Mark(address.version, forms.spelling(address), item["protocol"], every, mark)


def _check_mark(path: str, mark: int, mistakes: Mistakes) -> int | None:
    if mark in forms.FIREWALL_MARKS:
        return mark
    mistakes.add(path, f"{forms.shown(mark)} is out of range; use {forms.FIREWALL_MARKS}")
    return None


def _check_overlaps(marks: Sequence[tuple[str, Mark]], mistakes: Mistakes) -> None:
    by_start = sorted(marks, key=lambda each: (each[1].protocol, each[1].address, each[1].ports))
    for (first, one), (second, other) in zip(by_start, by_start[1:]):
        same = (one.protocol, one.address) == (other.protocol, other.address)
        if same and other.ports[0] <= one.ports[1]:
            problem = f"{other.match} gets mark {other.mark} here and mark {one.mark} in {first}"
            mistakes.add(second, f"{problem}; a packet can carry one mark, so name each port once")


def _check_nat(
    options: Sequence[Mapping[str, Any]], option: str, mistakes: Mistakes
) -> Iterator[tuple[str, SourceNat]]:
    for position, item in enumerate(options):
        where = f"{option}[{position}]"
        service, family = _check_service(item, where, mistakes)
        to = _check_addresses(item["to"], f"{where}.to", family, mistakes)
        if not item["to"]:
            mistakes.add(f"{where}.to", "is empty; name the director's address that packets shall come from")
        destinations = _check_addresses(item["destinations"] or [], f"{where}.destinations", family, mistakes)
        if service is not None and family is not None and to:
            each: Sequence[str | None] = destinations or (None,)
            for destination in each:
                yield where, SourceNat(family, service, destination, tuple(to))


def _check_service(
    item: Mapping[str, Any], where: str, mistakes: Mistakes
) -> tuple[tuple[str, str, int] | int | None, int | None]:
    if item["fwmark"] is not None:
        return _check_mark(f"{where}.fwmark", item["fwmark"], mistakes), forms.FAMILIES.get(item["family"])
    address = mistakes.host_address(f"{where}.address", item["address"])
    if item["port"] not in forms.PORTS:
        mistakes.add(
            f"{where}.port", f"{forms.shown(item['port'])} is out of range; use 1 to 65535, or 0 for every port"
        )
        return None, None
    if address is None:
        return None, None
    return (item["protocol"], forms.spelling(address), item["port"]), address.version


def _check_addresses(texts: Sequence[str], path: str, family: int | None, mistakes: Mistakes) -> list[str]:
    found: list[forms.Address] = []
    for position, text in enumerate(texts):
        where = f"{path}[{position}]"
        address = mistakes.host_address(where, text)
        if address is None:
            continue
        if family is not None and address.version != family:
            mistakes.add(where, f"{address} is IPv{address.version}, and the service is IPv{family}")
        elif address in found:
            mistakes.add(where, f"{address} is already listed in {path}[{found.index(address)}]")
        else:
            found.append(address)
    return [forms.spelling(address) for address in found]


# What the owner's rules are from now on


def plan_rules(
    ledger: Ledger, owner: str, rules: Sequence[Rule] | None, *, present: bool, purge: bool
) -> tuple[list[Rule], Settlement]:
    """The rules that shall be there, those of an earlier run that nobody took back among them.

    What the books say is not compared with the kernel here: the table is, as a whole.
    """
    listed = None if rules is None else {words(rule) for rule in rules}
    wanted = dict.fromkeys(sorted(listed or ()), True) if present else {}
    let_go = to_let_go(ledger, KIND, owner, listed, present=present, purge=purge)
    owned = ledger.owned(KIND, owner)
    if present:
        # A rule that now does something else has taken the place of the old one.
        taken = {rule.match for rule in rules or ()}
        let_go |= {key for key in owned if key not in wanted and rule_of(key).match in taken}
    settlement = settle(ledger, KIND, owner, {}, wanted, let_go, listed=listed if present else None)
    kept = [key for key in settlement.settled.owned(KIND, owner) if key not in wanted]
    return in_order(map(rule_of, [*wanted, *kept])), settlement


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
        protocol = f"{rule.protocol} dport {_ports_text(rule.ports)}"
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
        match += f" -m {rule.protocol} --dport {_ports_text(rule.ports, ':')}"
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


def foreign_marks(owner: str, listing: str) -> dict[int, str]:
    """The marks that rules of others set, with the rule; from nft list ruleset or iptables-save."""
    own_table, own_chain = f"table {nft_table(owner)} {{", chains(owner)["mangle"][1]
    table = chain = ""
    found: dict[int, str] = {}
    for line in listing.splitlines():
        if line.startswith("table "):
            table = line
        elif line.startswith("\tchain "):
            chain = line.split()[1]
        if table == own_table or own_chain in (chain, *line.split()[1:2]):
            continue
        for mark in _SETS_MARK.findall(line):
            found.setdefault(int(mark[0] or mark[1], 0), line.strip())
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
