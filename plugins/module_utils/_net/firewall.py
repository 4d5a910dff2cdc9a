# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``firewall`` of host_state: have the host's firewall let pass what the topology needs.

What the firewall does is read from its rules, and not from its files: where it drops nothing, nothing is added to it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence, Union

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc
from ansible_collections.lvs.topology.plugins.module_utils._ledger import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    filter_questions,
    firewall_chains,
    firewall_firewalld,
    firewall_nft,
    firewall_plan,
    firewall_ufw,
    packet_filter,
    packet_rules_plan,
    verdicts,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.files import joined, read_file
from ansible_collections.lvs.topology.plugins.module_utils._net.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._net.options import OWNED
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Change, Plan, Refused
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_PACKET = {key: value for key, value in filter_questions.PACKET.items() if key != "name"}
PACKETS: dict[str, Any] = {"type": "list", "elements": "dict", "options": _PACKET}
FIREWALL_SPEC: dict[str, Any] = {**OWNED, "packets": PACKETS, "conntrack": {"type": "str"}}


def ensure_firewall(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the concern does."""
    params = module.params
    owner, present = params["owner"], params["state"] == "present"
    mistakes = Mistakes()
    packet_rules_plan.check_owner(owner, mistakes)
    asked = None if params["packets"] is None else _read(params["packets"], "packets", mistakes)
    mistakes.raise_if_any()
    filters = [*_filters()]
    # What no firewall keeps out needs neither rule nor claim.
    wanted = None if asked is None else [each for each in asked if any(one.drops(each) for one in filters)]
    openings, settlement = firewall_plan.plan_openings(
        book.load(), owner, wanted, present=present, purge=params["purge"]
    )
    steps = []
    for one in filters:
        own = openings
        if isinstance(one, Firewalld):
            one.refuse(asked or [], params["conntrack"])
            own = firewall_plan.claimed(settlement.settled)
        steps += [(one, plan) for plan in one.plans(owner, own)]
    plan = joined(*(plan for _one, plan in steps))
    result = carry_out_booked(module, plan, _applying(steps), book, settlement.claimed, settlement.settled)
    result["left_over"] = list(settlement.left_over)
    return result


def _read(given: Sequence[Mapping[str, Any]], path: str, mistakes: Mistakes) -> list[Opening]:
    packets = filter_questions.read(given, path, mistakes)
    firewall_plan.check(packets, path, mistakes)
    mistakes.raise_if_any()
    return firewall_plan.openings(packets)


def boot_lines(owner: str, given: Mapping[str, Any], mistakes: Mistakes) -> dict[str, list[str]]:
    """What brings the openings back at boot, by the suffix of the file."""
    try:
        asked = validated({"packets": PACKETS}, given)["packets"] or []
    except BadRequest as problem:
        raise BadRequest(f"firewall: {problem}") from problem
    openings = _read(asked, "firewall.packets", mistakes)
    found: dict[str, list[str]] = {}
    for one in _filters():
        for suffix, lines in one.boot_lines(owner, openings).items():
            found.setdefault(suffix, []).extend(lines)
    return found


class Iptables:
    """The rules for one address family of one kind of iptables."""

    def __init__(self, directory: str, name: str, family: int, table: str) -> None:
        self._directory, self._name, self._family, self._table = directory, name, family, table

    def drops(self, opening: Opening) -> bool:
        return firewall_chains.place_of([opening], opening.hook, self._table, self._family) is not None

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
        return {hook: firewall_chains.place_of(openings, hook, self._table, self._family) for hook in verdicts.HOOKS}


class Ufw(Iptables):
    """The same where ufw rules them: what has words of ufw is a rule of ufw's, which it keeps itself."""

    def drops(self, opening: Opening) -> bool:
        # What its rules let pass may be our doing.
        is_own = opening.family == self._family
        return is_own and (firewall_ufw.is_closed(opening, self._table) or super().drops(opening))

    def plans(self, owner: str, openings: Sequence[Opening]) -> list[Plan]:
        file = read_file(firewall_ufw.FILES[self._family])
        current = firewall_ufw.read(file.text if file else "", self._family)
        said = [each for each in self._own(openings) if firewall_ufw.has_words(each)]
        kernel = firewall_ufw.in_kernel(self._table, self._family)
        plan = firewall_ufw.plan_rules(owner, current, kernel, [each for each in said if self.drops(each)])
        return [*([plan] if plan.changes else []), *super().plans(owner, self._unsaid(openings))]

    def boot_lines(self, owner: str, openings: Sequence[Opening]) -> dict[str, list[str]]:
        return super().boot_lines(owner, self._unsaid(openings))

    def apply(self, plan: Plan) -> None:
        if isinstance(plan.changes[0].action, str):
            super().apply(plan)
            return
        _one_by_one(_commands.find("ufw") or "ufw", plan)

    def _unsaid(self, openings: Sequence[Opening]) -> list[Opening]:
        return [each for each in openings if firewall_ufw.needs_chain(each)]


class Nftables:
    """The tables of nftables that are neither ours nor of somebody who makes them anew."""

    def __init__(self, command: str, listing: str) -> None:
        self._command = command
        self._bases = [*firewall_nft.bases(listing)]

    def drops(self, opening: Opening) -> bool:
        return any(firewall_nft.place_of(base, [opening]) is not None for base in self._bases)

    def plans(self, owner: str, openings: Sequence[Opening]) -> list[Plan]:
        plans = [firewall_nft.plan_chain(base, owner, openings) for base in self._bases]
        return [each for each in plans if each.changes]

    def boot_lines(self, owner: str, openings: Sequence[Opening]) -> dict[str, list[str]]:
        lines = [line for base in self._bases for line in firewall_nft.boot_lines(base, owner, openings)]
        return {"nft-firewall": lines} if lines else {}

    def apply(self, plan: Plan) -> None:
        _run([self._command, "-f", "-"], plan.changes[0].action)


class Firewalld:
    """What firewalld has of ours in its zones, as it keeps it and as it is now."""

    def __init__(self) -> None:
        self._command = _commands.find("firewall-cmd") or "firewall-cmd"

    def drops(self, opening: Opening) -> bool:
        # It filters nothing that leaves, and lets pass what belongs to a connection that it has let in.
        return opening.hook == "input"

    def refuse(self, openings: Sequence[Opening], planned: str | None) -> None:
        """What passes a director is dropped before firewalld's rules where it belongs to no connection.

        ``planned`` is what net.ipv4.vs.conntrack is going to be; None: what it is.
        """
        tracks = planned != "0" if planned else bool(proc.sysctls(["conntrack"]).get("conntrack"))
        if any(each.hook == "forward" for each in openings) and not tracks:
            raise BadRequest(
                "firewalld drops what real servers answer, because IPVS does not tell netfilter of its connections; "
                "set net.ipv4.vs.conntrack: 1 in lvs_sysctls, or use lvs_firewall: check"
            )

    def plans(self, _owner: str, openings: Sequence[Opening]) -> list[Plan]:
        """Whose they are, nobody can tell: ``openings`` are those of all owners."""
        zones = firewall_firewalld.zones(self._said("--get-active-zones"), self._said("--get-default-zone"))
        wanted = firewall_firewalld.wanted(zones, openings)
        plans = [
            firewall_firewalld.plan_rules(scope, self._current(options, zones), wanted)
            for scope, options in firewall_firewalld.SCOPES.items()
        ]
        return [each for each in plans if each.changes]

    def _current(self, options: Sequence[str], zones: Sequence[str]) -> firewall_firewalld.Rules:
        rich = {
            name: firewall_firewalld.ours_of_rich(self._said(*options, f"--zone={name}", "--list-rich-rules"))
            for name in zones
        }
        direct = firewall_firewalld.ours_of_direct(self._said(*options, "--direct", "--get-all-rules"))
        return firewall_firewalld.Rules(rich, direct)

    def _said(self, *words: str) -> str:
        return _run([self._command, *words])

    def boot_lines(self, _owner: str, _openings: Sequence[Opening]) -> dict[str, list[str]]:
        return {}  # it keeps them itself

    def apply(self, plan: Plan) -> None:
        _one_by_one(self._command, plan)


Firewall = Union[Iptables, Nftables, Firewalld]


def _one_by_one(command: str, plan: Plan) -> None:
    """Run the command for each change."""
    for position, change in enumerate(plan.changes):
        try:
            _run([command, *change.action])
        except Refused as refusal:
            refusal.applied = position
            raise


def _run(command: Sequence[str], text: str = "") -> str:
    status, output, errors = _commands.run(command, text)
    if status != 0:
        said = " ".join(f"{errors} {output}".split())[:300]
        raise Refused(f"{' '.join(command)} failed: {said}. Nothing of it is there.")
    return str(output)


def _filters() -> Iterator[Firewall]:
    """The packet filters that this host has."""
    has_firewalld = False
    for tool in packet_filter.tools():
        if isinstance(tool, packet_filter.Nft):
            # A look must not load the module.
            if os.path.exists("/sys/module/nf_tables"):
                listing = tool.handles()
                has_firewalld |= firewall_nft.has_firewalld(listing)
                yield Nftables(str(tool), listing)
        else:
            directory = os.path.dirname(str(tool))
            for (family, name), saved in zip(tool.commands(), tool.listings()):
                table = firewall_chains.filter_table(saved)
                if "\n:INPUT_ZONES " in table:
                    has_firewalld = True
                elif table:
                    yield (Ufw if firewall_ufw.rules(table, family) else Iptables)(directory, name, family, table)
    if has_firewalld:
        yield Firewalld()


def _applying(steps: Sequence[tuple[Firewall, Plan]]) -> Callable[[Sequence[Change]], None]:
    """Apply the changes of each plan. Those of a chain are one transaction."""

    def apply_all(_changes: Sequence[Change]) -> None:
        applied = 0
        for one, plan in steps:
            try:
                one.apply(plan)
            except Refused as refusal:
                refusal.applied += applied
                raise
            applied += len(plan.changes)

    return apply_all
