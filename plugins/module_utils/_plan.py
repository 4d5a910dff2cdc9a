# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module is going to do, and the one way of doing it.

A planner turns what is and what is wanted into a Plan; carry_out() reports it, applies it outside check mode, and says
exactly what was applied where the kernel refuses a change in the middle.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _turn

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


@dataclass(frozen=True)
class Change:
    """One change of the host: its line in the operator's language, and what the adapter needs to apply it."""

    line: str
    action: Any


@dataclass(frozen=True)
class Plan:
    """The changes in the order in which they are applied, and the state before and after as lines of text."""

    changes: tuple[Change, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def joined(*plans: Plan) -> Plan:
    """Several plans as one, in the given order."""
    return Plan(
        tuple(change for plan in plans for change in plan.changes),
        tuple(line for plan in plans for line in plan.before),
        tuple(line for plan in plans for line in plan.after),
    )


class BadRequest(Exception):
    """The task asks for something impossible. Nothing was touched. The message starts with the option's path."""


class Refused(Exception):
    """The host refused a change: what was attempted on which object, what that means, and what to do next.

    ``applied`` counts the changes of the sequence at hand that did take effect before. Where changes are sent many at
    once, ``later`` has the positions of those behind the refused one that took effect as well. ``facts`` is what the
    module returns besides.
    """

    def __init__(
        self, message: str, applied: int = 0, later: Sequence[int] = (), facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.applied = applied
        self.later = later
        self.facts = facts or {}


def run(module: AnsibleModule, ensure: Callable[[AnsibleModule], dict[str, Any]]) -> None:
    """Do what a module does while it is its run's turn, and leave it with the result or with what went wrong."""

    def in_turn(module: AnsibleModule) -> dict[str, Any]:
        if not module.check_mode:
            _turn.keep()
        return ensure(module)

    run_outside_of_turns(module, in_turn)


def run_outside_of_turns(module: AnsibleModule, ensure: Callable[[AnsibleModule], dict[str, Any]]) -> None:
    """As run(), whoever's turn it is."""
    try:
        result = ensure(module)
    except (BadRequest, _turn.NotOurTurn) as problem:
        module.fail_json(msg=encodable(str(problem)))
    except Refused as problem:
        module.fail_json(msg=encodable(str(problem)), **encodable(problem.facts))
    module.exit_json(**encodable(result))


def encodable(value: Any) -> Any:
    """A result in which the bytes of others that are not UTF-8 (in names, files, output) are shown as escapes."""
    if isinstance(value, Mapping):
        return {encodable(key): encodable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [encodable(each) for each in value]
    if not isinstance(value, str):
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        try:
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def one_by_one(apply: Callable[[Any], None]) -> Callable[[Sequence[Change]], None]:
    """Make an adapter that applies one action into one that applies a sequence."""

    def apply_all(changes: Sequence[Change]) -> None:
        for position, change in enumerate(changes):
            try:
                apply(change.action)
            except Refused as refusal:
                refusal.applied = position
                raise

    return apply_all


def do_nothing(_changes: Sequence[Change]) -> None:
    """For changes that are in the ledger alone."""


def carry_out(
    module: AnsibleModule,
    plan: Plan,
    apply_all: Callable[[Sequence[Change]], None],
) -> dict[str, Any]:
    """Apply the plan unless in check mode; return the result for exit_json, or fail with what was applied."""
    result: dict[str, Any] = {
        "changed": bool(plan.changes),
        "changes": [change.line for change in plan.changes],
    }
    # Ansible shows a diff that is equal on both sides as an empty header; leave it out.
    if plan.before != plan.after:
        result["diff"] = {"before": _text(plan.before), "after": _text(plan.after)}
    if plan.changes and not module.check_mode:
        try:
            apply_all(plan.changes)
        except Refused as refusal:
            _fail(module, plan, refusal)
    return result


@contextlib.contextmanager
def applied(result: Mapping[str, Any]) -> Iterator[None]:
    """What follows on the changes of this result. Where it is refused, they have taken effect, and that is said."""
    try:
        yield
    except Refused as refusal:
        lines = result["changes"]
        if not lines:
            raise
        raise Refused(
            f"{refusal} Applied before that: all {len(lines)} changes. Running the task again continues from there.",
            facts={**refusal.facts, "changed": True, "applied": lines, "remaining": []},
        ) from refusal


def _fail(module: AnsibleModule, plan: Plan, refusal: Refused) -> None:
    done = {*range(refusal.applied), *refusal.later}
    applied = [change.line for position, change in enumerate(plan.changes) if position in done]
    remaining = [change.line for position, change in enumerate(plan.changes) if position not in done]
    module.fail_json(
        msg=encodable(
            f"{refusal} Applied: {len(applied)} of {len(plan.changes)} changes. "
            "Running the task again continues from there."
        ),
        changed=bool(applied),
        applied=encodable(applied),
        remaining=encodable(remaining),
        **encodable(refusal.facts),
    )


def _text(lines: Sequence[str]) -> str:
    return "".join(line + "\n" for line in lines)
