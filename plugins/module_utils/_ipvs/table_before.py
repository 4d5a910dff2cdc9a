# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that were in the table before a host was taken over: noted as rules, and put back in place. Pure."""

from __future__ import annotations

from typing import Any, Collection, Iterator

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Action, Entry, ServiceKey, Table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import rules_of
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import command, render
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_parser import SaveFormatError, parse
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused
from ansible_collections.lvs.topology.plugins.module_utils._traces import TAKEN_KIND, TAKEN_SERVICE, TRACES

_SERVICE = TRACES["services"].kind


def noted(ledger: Ledger, owner: str, table: Table, declared: Collection[ServiceKey]) -> Ledger:
    """The ledger with what the table has of the declared services now, but for those that are ours already."""
    for key in declared:
        if key in table and not ledger.owners(_SERVICE, str(key)):
            ledger = ledger.claim(TAKEN_KIND, f"{TAKEN_SERVICE}{key}", owner, {"rules": rules_of(table, [key])})
    return ledger


def plan_restored(ledger: Ledger, owner: str, table: Table) -> tuple[Plan, Ledger]:
    """Have each service that was noted as it was. What is right already is not touched, so connections go on.

    The ledger is the one that counts afterwards.
    """
    settled, changes = ledger, []
    before: list[Entry] = []
    after: list[Entry] = []
    for name, was in ledger.owned(TAKEN_KIND, owner).items():
        if not name.startswith(TAKEN_SERVICE):
            continue
        settled, last, _was = settled.release(TAKEN_KIND, name, owner)
        if last and was is not None:
            for key, wanted in _parsed(name, was).items():
                there = table.get(key)
                actions = list(_actions(there, wanted))
                changes += [Change(command(action), action) for action in actions]
                before += [there] if actions and there else []
                after += [wanted] if actions else []
    return Plan(tuple(changes), render(before), render(after)), settled


def _parsed(name: str, was: Any) -> Table:
    try:
        return parse("\n".join(was["rules"]))
    except SaveFormatError as problem:
        raise Refused(
            f"What the ledger has noted of the {name} is no rules of ipvsadm ({problem}). Mend it, or add the service "
            "by hand and remove the entry."
        ) from problem


def _actions(there: Entry | None, wanted: Entry) -> Iterator[Action]:
    """Added before anything is taken away."""
    if there is None or there.service != wanted.service:
        yield Action("edit" if there else "add", wanted.service)
    known = there.destinations if there else {}
    for key, destination in wanted.destinations.items():
        if known.get(key) != destination:
            yield Action("edit" if key in known else "add", wanted.service, destination)
    for key, destination in known.items():
        if key not in wanted.destinations:
            yield Action("delete", wanted.service, destination)
