# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``firewall`` of host_state: have the host's firewall let pass what the topology needs.

What the firewall does is read from its rules, and not from its files: where it drops nothing, nothing is added to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    filter_questions,
    firewall_plan,
    firewalls,
    packet_rules_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import Opening
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._options import OWNED
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Change, Plan, Refused, joined
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# What IPVS takes is let pass wherever that is dropped: it does no harm that no packet comes there.
_PACKET = {key: value for key, value in filter_questions.PACKET.items() if key not in ("name", "taken")}
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
    filters = firewalls.there(owner)
    for line in filter_questions.unreadable() if asked else ():
        module.warn(f"not looked at: {line}. What it drops is not known, and nothing is let pass there.")
    wanted = None if asked is None else _kept_out(asked, filters)
    openings, settlement = firewall_plan.plan_openings(
        book.load(), owner, wanted, present=present, purge=params["purge"]
    )
    steps = []
    for one in filters:
        own = openings
        if isinstance(one, firewalls.Firewalld):
            one.expect(asked or [], params["conntrack"])
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


def _kept_out(asked: Sequence[Opening], filters: Sequence[firewalls.Firewall]) -> list[Opening]:
    """What no firewall keeps out needs neither rule nor claim, nor anything at boot."""
    return [each for each in asked if any(one.drops(each) for one in filters)]


def boot_lines(owner: str, given: Mapping[str, Any], mistakes: Mistakes) -> dict[str, list[str]]:
    """What brings the openings back at boot, by the suffix of the file."""
    try:
        asked = validated({"packets": PACKETS}, given)["packets"] or []
    except BadRequest as problem:
        raise BadRequest(f"firewall: {problem}") from problem
    filters = firewalls.there(owner)
    openings = _kept_out(_read(asked, "firewall.packets", mistakes), filters)
    found: dict[str, list[str]] = {}
    for one in filters:
        for suffix, lines in one.boot_lines(owner, openings).items():
            found.setdefault(suffix, []).extend(lines)
    return found


def _applying(steps: Sequence[tuple[firewalls.Firewall, Plan]]) -> Callable[[Sequence[Change]], None]:
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
