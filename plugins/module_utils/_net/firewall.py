# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``firewall`` of host_state: have the host's firewall let pass what the topology needs.

What the firewall does is read from its rules, and not from its files: where it drops nothing, nothing is added to it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._ledger import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    filter_questions,
    firewall_chains,
    firewall_plan,
    packet_filter,
    packet_rules_plan,
    verdicts,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.files import joined
from ansible_collections.lvs.topology.plugins.module_utils._net.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._net.options import OWNED
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Change, Plan, Refused
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_PACKET = {key: value for key, value in filter_questions.PACKET.items() if key != "name"}
PACKETS: dict[str, Any] = {"type": "list", "elements": "dict", "options": _PACKET}
FIREWALL_SPEC: dict[str, Any] = {**OWNED, "packets": PACKETS}


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
    steps = [(one, plan) for one in filters for plan in one.plans(owner, openings)]
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

    def __init__(self, directory: str, name: str, family: int, saved: str) -> None:
        self._directory, self._name, self._family = directory, name, family
        self._saved = firewall_chains.filter_table(saved)

    def drops(self, opening: Opening) -> bool:
        return firewall_chains.place_of([opening], opening.hook, self._saved, self._family) is not None

    def _places(self, openings: Sequence[Opening]) -> dict[str, firewall_chains.Place | None]:
        return {hook: firewall_chains.place_of(openings, hook, self._saved, self._family) for hook in verdicts.HOOKS}

    def plans(self, owner: str, openings: Sequence[Opening]) -> list[Plan]:
        own = [each for each in openings if each.family == self._family]
        plans = [
            firewall_chains.plan_chain(self._name, owner, hook, self._saved, self._family, own, place)
            for hook, place in self._places(own).items()
        ]
        return [each for each in plans if each.changes]

    def apply(self, plan: Plan) -> None:
        command = [f"{self._directory}/{self._name}-restore", "-w", "10", "--noflush"]
        status, _output, errors = _commands.run(command, plan.changes[0].action)
        if status != 0:
            raise Refused(f"{' '.join(command)} failed: {' '.join(errors.split())[:300]}. Nothing of it is there.")

    def boot_lines(self, owner: str, openings: Sequence[Opening]) -> dict[str, list[str]]:
        own = [each for each in openings if each.family == self._family]
        lines = [
            line
            for hook, place in self._places(own).items()
            if place
            for line in firewall_chains.boot_lines(owner, hook, own, place)
        ]
        return {self._name: ["*filter", *lines, "COMMIT"]} if lines else {}


def _filters() -> Iterator[Iptables]:
    """The packet filters that this host has."""
    for tool in packet_filter.tools():
        if isinstance(tool, packet_filter.Iptables):
            directory = os.path.dirname(str(tool))
            for (family, name), saved in zip(tool.commands(), tool.listings()):
                if firewall_chains.filter_table(saved):
                    yield Iptables(directory, name, family, saved)


def _applying(steps: Sequence[tuple[Iptables, Plan]]) -> Callable[[Sequence[Change]], None]:
    """Apply the changes of each plan, which is one transaction."""

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
