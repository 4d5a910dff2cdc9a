# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewalls of a host: what each of them keeps out, and how it is made to let packets pass."""

from __future__ import annotations

import glob
import os
from typing import AbstractSet, Iterator, NamedTuple, Sequence, Union

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._files import read_file
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    filter_questions,
    firewall_chains,
    firewall_firewalld,
    firewall_nft,
    firewall_ufw,
    firewall_words,
    nf_tables,
    packet_filter,
    verdicts,
)
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Plan, Refused


class Iptables:
    """The rules for one address family of one kind of iptables."""

    def __init__(self, owner: str, directory: str, name: str, family: int, table: str) -> None:
        self._owner, self._directory, self._name, self._family, self._table = owner, directory, name, family, table

    def drops(self, opening: Opening) -> bool:
        return self._place([opening], opening.hook) is not None

    def plans(self, owner: str, openings: Sequence[Opening]) -> list[Plan]:
        own = self._own(openings)
        plans = [
            firewall_chains.plan_chain(self._name, owner, hook, self._table, self._family, own, place)
            for hook, place in self._places(own).items()
        ]
        return [each for each in plans if each.changes]

    def boot_lines(self, owner: str, openings: Sequence[Opening]) -> dict[str, list[str]]:
        own = self._own(openings)
        lines = [
            line
            for hook, place in self._places(own).items()
            if place
            for line in firewall_chains.boot_lines(owner, hook, own, place)
        ]
        return {self._name: ["*filter", *lines, "COMMIT"]} if lines else {}

    def apply(self, plan: Plan) -> None:
        command = [f"{self._directory}/{self._name}-restore", "-w", "10", "--noflush"]
        _run(command, plan.changes[0].action)

    def _own(self, openings: Sequence[Opening]) -> list[Opening]:
        return [each for each in openings if each.family == self._family]

    def _places(self, openings: Sequence[Opening]) -> dict[str, firewall_chains.Place | None]:
        return {hook: self._place(openings, hook) for hook in verdicts.HOOKS}

    def _place(self, openings: Sequence[Opening], hook: str) -> firewall_chains.Place | None:
        return firewall_chains.place_of(openings, hook, self._table, self._family, self._owner)


class Ufw(Iptables):
    """The same where ufw rules them: what has words of ufw is a rule of ufw's, which it keeps itself."""

    def drops(self, opening: Opening) -> bool:
        # What its rules let pass may be our doing.
        is_own = opening.family == self._family
        return is_own and (firewall_ufw.is_closed(opening, self._table) or super().drops(opening))

    def plans(self, owner: str, openings: Sequence[Opening]) -> list[Plan]:
        kept = _kept_by_ufw(self._family)
        current = firewall_ufw.read(kept, self._family)
        said = [each for each in self._own(openings) if firewall_ufw.has_words(each)]
        kernel = firewall_ufw.in_kernel(self._table, self._family)
        wanted = [each for each in said if self.drops(each)]
        refused = firewall_ufw.read(kept, self._family, firewall_ufw.REFUSE)
        for each in wanted:
            plain = each._replace(loose=False)
            if plain in refused:
                # Of two rules that differ in nothing else, ufw keeps the one that was given last.
                problem = "would replace it"
            elif firewall_ufw.refuses(kept, plain):
                problem = "has what is added behind it"
            else:
                continue
            raise BadRequest(
                f"ufw has a rule that refuses what has to pass here ({firewall_words.ufw_text(each)}), and {problem}; "
                "take that rule out, or use lvs_firewall: check"
            )
        plan = firewall_ufw.plan_rules(owner, current, kernel, wanted)
        return [*([plan] if plan.changes else []), *super().plans(owner, self._unsaid(openings))]

    def boot_lines(self, owner: str, openings: Sequence[Opening]) -> dict[str, list[str]]:
        return super().boot_lines(owner, self._unsaid(openings))

    def apply(self, plan: Plan) -> None:
        if isinstance(plan.changes[0].action, str):
            super().apply(plan)
            return
        _one_by_one(plan)

    def _unsaid(self, openings: Sequence[Opening]) -> list[Opening]:
        """What the chains are for. They are called before ufw's rules, and leave to these what these have words for."""
        return [
            each._replace(stray=firewall_ufw.has_words(each)) for each in openings if firewall_ufw.needs_chain(each)
        ]


class Nftables:
    """The tables of nftables that are neither ours nor of somebody who makes them anew."""

    def __init__(self, owner: str, command: str, listing: str, of_iptables: AbstractSet[str]) -> None:
        self._command = command
        self._listing = listing
        self._bases = [*firewall_nft.bases(listing, owner, of_iptables)]

    def drops(self, opening: Opening) -> bool:
        return any(firewall_nft.place_of(base, [opening]) is not None for base in self._bases)

    def plans(self, owner: str, openings: Sequence[Opening]) -> list[Plan]:
        plans = [firewall_nft.plan_chain(base, owner, openings) for base in self._bases]
        return [*(each for each in plans if each.changes), *firewall_nft.plan_lost(self._listing, owner, self._bases)]

    def boot_lines(self, owner: str, openings: Sequence[Opening]) -> dict[str, list[str]]:
        lines = [line for base in self._bases for line in firewall_nft.boot_lines(base, owner, openings)]
        return {"nft-firewall": lines} if lines else {}

    def apply(self, plan: Plan) -> None:
        _run([self._command, "-f", "-"], plan.changes[0].action)


class Firewalld:
    """What firewalld has of ours in its zones, as it keeps it and as it is now."""

    def __init__(self, *, runs: bool) -> None:
        self._runs = runs
        self._scopes = firewall_firewalld.SCOPES if runs else firewall_firewalld.OFFLINE
        self._tracks = False

    def drops(self, opening: Opening) -> bool:
        # It filters nothing that leaves, and lets pass what belongs to a connection that it has let in.
        return self._runs and opening.hook == "input"

    def expect(self, openings: Sequence[Opening], planned: str | None) -> None:
        """What passes a director is dropped before firewalld's rules where it belongs to no connection.

        ``planned`` is what net.ipv4.vs.conntrack is going to be; None: what it is.
        """
        self._tracks = planned != "0" if planned else bool(proc.sysctls(["conntrack"]).get("conntrack"))
        if self._runs and any(each.hook == "forward" for each in openings) and not self._tracks:
            raise BadRequest(
                "firewalld drops what real servers answer, because IPVS does not tell netfilter of its connections; "
                "set net.ipv4.vs.conntrack: 1 in lvs_sysctls, or use lvs_firewall: check"
            )

    def plans(self, _owner: str, openings: Sequence[Opening]) -> list[Plan]:
        """Whose they are, nobody can tell: ``openings`` are those of all owners."""
        # What was there before a card came into another zone is looked for in all of them.
        listed = {scope: _call(*command, "--list-all-zones") for scope, command in self._scopes.items()}
        current = {scope: _of_firewalld(command, listed[scope]) for scope, command in self._scopes.items()}
        wanted = firewall_firewalld.NOTHING
        if self._runs:
            used = firewall_firewalld.zones(listed["now"], _call("firewall-cmd", "--get-default-zone"))
            wanted = firewall_firewalld.wanted(used, openings, tracks=self._tracks)
        plans = [
            firewall_firewalld.plan_rules(scope, command, current[scope], wanted)
            for scope, command in self._scopes.items()
        ]
        return [each for each in plans if each.changes]

    def boot_lines(self, _owner: str, _openings: Sequence[Opening]) -> dict[str, list[str]]:
        return {}  # it keeps them itself

    def apply(self, plan: Plan) -> None:
        _one_by_one(plan)


def _of_firewalld(command: Sequence[str], listed: str) -> firewall_firewalld.Rules:
    rich = firewall_firewalld.ours_of_zones(listed)
    direct = firewall_firewalld.ours_of_direct(_call(*command, "--direct", "--get-all-rules"))
    return firewall_firewalld.Rules(rich, direct)


Firewall = Union[Iptables, Nftables, Firewalld]


def _call(name: str, *words: str) -> str:
    return _run([_commands.find(name) or name, *words])


def _one_by_one(plan: Plan) -> None:
    """Run the command of each change."""
    for position, change in enumerate(plan.changes):
        try:
            _call(*change.action)
        except Refused as refusal:
            refusal.applied = position
            raise


def _run(command: Sequence[str], text: str = "") -> str:
    status, output, errors = _commands.run(command, text)
    if status != 0:
        said = " ".join(f"{errors} {output}".split())[:300]
        raise Refused(f"{' '.join(command)} failed: {said}. Nothing of it is there.")
    return str(output)


def there(owner: str) -> list[Firewall]:
    """The packet filters that this host has, and those that keep something of ours while they do not run.

    Whatever is in the owner's own chains, it is not the firewall's.
    """
    # A look must not load the module.
    has_nft = bool(nf_tables.is_there())
    tools = [*packet_filter.tools()]
    tables = [*_tables(tools, has_nft)]
    found: list[Firewall] = []
    has_firewalld = any(firewall_chains.has_firewalld(each.text) for each in tables)
    for tool in tools:
        if has_nft and isinstance(tool, packet_filter.Nft):
            listing = tool.handles()
            has_firewalld |= firewall_nft.has_firewalld(listing)
            families = {"ip" if each.family == 4 else "ip6" for each in tables if each.is_nft and each.text}
            found.append(Nftables(owner, str(tool), listing, families))
    of_ufw = [each for each in tables if firewall_ufw.rules(each.text, each.family)]
    for family in firewall_ufw.FILES:
        if firewall_ufw.has_ours(_kept_by_ufw(family)) and not any(each.family == family for each in of_ufw):
            # It does not run. Its own iptables is that of the distribution, which comes first.
            of_ufw += [each for each in tables if each.family == family][:1]
    for each in tables:
        if each in of_ufw:
            found.append(Ufw(owner, *each[:4]))
        elif each.text and not firewall_chains.has_firewalld(each.text):
            found.append(Iptables(owner, *each[:4]))
    if has_firewalld or any(firewall_firewalld.has_ours(text) for text in _kept_by_firewalld()):
        found.append(Firewalld(runs=has_firewalld))
    return found


class _Table(NamedTuple):
    """What one kind of iptables lists of the table filter of a family; no text: there is none."""

    directory: str
    name: str
    family: int
    text: str
    is_nft: bool


def _tables(tools: Sequence[packet_filter.Tool], has_nft: bool) -> Iterator[_Table]:
    has_command = any(isinstance(tool, packet_filter.Nft) for tool in tools)
    for tool in tools:
        if isinstance(tool, packet_filter.Iptables):
            is_nft = filter_questions.speaks_nft(str(tool))
            if has_nft or not is_nft:
                directory = os.path.dirname(str(tool))
                # What iptables cannot read of nf_tables, nft reads.
                listings = tool.listings(is_needed=not (is_nft and has_command))
                for (family, name), saved in zip(tool.commands(), listings):
                    yield _Table(directory, name, family, firewall_chains.filter_table(saved), is_nft)


def _kept_by_ufw(family: int) -> str:
    file = read_file(firewall_ufw.FILES[family])
    return file.text if file else ""


def _kept_by_firewalld() -> Iterator[str]:
    """The files in which firewalld keeps zones and direct rules that somebody has changed."""
    for path in [*glob.glob(firewall_firewalld.FILES[0]), firewall_firewalld.FILES[1]]:
        file = read_file(path)
        if file:
            yield file.text
