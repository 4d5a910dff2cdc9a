# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_state: bring a host to what a plan asks for, all concerns in one order and under one lock.

Every concern is planned before the first one is changed, so that what is refused is refused while nothing is touched.
The changes are then planned anew, one concern after the other, because each may depend on those before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Collection, Mapping, NamedTuple, NoReturn, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_options import BIRD
from ansible_collections.lvs.topology.plugins.module_utils._forms import CHECKER, KEEPALIVED, KERNEL, MANAGERS
from ansible_collections.lvs.topology.plugins.module_utils._host.concerns import (
    ANNOUNCEMENTS,
    BOOT,
    CONCERNS,
    METRICS,
    TAKE_OVER,
    WITHDRAWALS,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, for_check_mode
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused
from ansible_collections.lvs.topology.plugins.module_utils._traces import BIRD_KINDS, KEEPALIVED_KINDS, traces
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# What each item of these has, the concern checks.
_LISTS = (
    "arp",
    "arp_filters",
    "tunnels",
    "addresses",
    "gateways",
    "source_routes",
    "neighbours",
    "services",
    "sync_daemons",
)
_DICTIONARIES = ("sysctls", "packet_rules", "firewall", "conntrackd", "timeouts", "watched", ANNOUNCEMENTS, METRICS)
PLAN: dict[str, Any] = {
    "type": "dict",
    "options": {
        **{name: {"type": "list", "elements": "str"} for name in ("kernel_modules", "purge")},
        **{name: {"type": "dict"} for name in _DICTIONARIES},
        # It has passwords.
        "bird": {"type": "dict", "options": BIRD, "no_log": False},
        **{name: {"type": "list", "elements": "dict"} for name in _LISTS},
        **{name: {"type": "bool"} for name in ("keep_weights", "take_over")},
        "manager": {"type": "str", "choices": list(MANAGERS)},
        # About the host, which preflight has looked at, and for the operator.
        **{name: {"type": "list", "elements": "str"} for name in ("commands", "kernel_options", "notes")},
        "kernels": {"type": "list", "elements": "dict"},
        # To ansible-test, its name looks like that of a secret.
        "passing": {"type": "list", "elements": "dict", "no_log": False},
    },
}
SPEC: dict[str, Any] = {
    "owner": {"type": "str", "default": "lvs"},
    "plan": PLAN,
    "concerns": {"type": "list", "elements": "str", "choices": list(CONCERNS), "default": list(CONCERNS)},
    "steps": {"type": "list", "elements": "str", "choices": ["add", "release"], "default": ["add", "release"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    # The action plugin has turned it into concerns.
    "follow_tags": {"type": "bool", "default": False},
}
# What the role keepalived takes over, where keepalived is the one who manages it.
_MANAGED = {KEEPALIVED: ("addresses", "services"), CHECKER: ("services",)}


class Call(NamedTuple):
    """What one concern is asked to do."""

    concern: str
    options: dict[str, Any]


def ensure_host(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module host_state does."""
    params = module.params
    owner, steps, present = params["owner"], params["steps"], params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(owner)
    if not steps:
        mistakes.add("steps", "none is given; use add, release, or both")
    mistakes.raise_if_any()
    left = traces(book.load(), owner)
    if not present:
        # What goes first does not wait for what may be refused later.
        calls = taking_away(_asked(params["concerns"], {}, left), owner)
        return _result(module, [_gone_through(module, book, calls, check_mode=module.check_mode)])
    plan = params["plan"]
    asked = _asked(params["concerns"], plan, left)
    purge = "release" in steps
    calls = adding(asked, plan, owner, purge=purge) if "add" in steps else releasing(asked, plan, owner)
    foreseen = _gone_through(module, book, calls, check_mode=True)
    passes = [foreseen]
    if foreseen.is_needed and not module.check_mode:
        passes = []
        if "add" in steps:
            passes.append(_gone_through(module, book, adding(asked, plan, owner, purge=False), check_mode=False))
        left_over = _left_over(module, book, asked, plan, owner)
        if purge and left_over:
            calls = releasing(left_over, plan, owner)
            passes.append(_gone_through(module, book, calls, *passes, check_mode=False))
    left_over = [] if purge else _left_over(module, book, asked, plan, owner)
    return {**_result(module, passes), "left_over": left_over, "unmanaged": foreseen.unmanaged}


def is_in_place(module: AnsibleModule, plan: Mapping[str, Any], owner: str) -> bool:
    """Whether host_state would find nothing to change, and nothing to say. BadRequest says what it would refuse.

    Where another owner has something here as well, that one's part of the run may change what is shared, and nothing is
    said in advance. keepalived that goes on shares nothing, and neither does BIRD: each has its own file and unit.
    """
    book = for_check_mode()
    ledger = book.load()
    apart = {*BIRD_KINDS}
    if plan.get("manager") in _MANAGED:
        apart |= {*KEEPALIVED_KINDS}
    claims = {} if plan.get("bird") is not None else ledger.claims
    shared = (claim for (kind, _key), claim in claims.items() if kind not in apart)
    asked = _asked([*CONCERNS], plan, traces(ledger, owner))
    # Files for the next boot and metrics have places of their own.
    shares = not {BOOT, METRICS}.issuperset(asked)
    if shares and any(name.partition(":")[0] != owner for claim in shared for name in claim.owners):
        return False
    foreseen = _Pass(module, book, check_mode=True)
    try:
        foreseen.run(adding(asked, plan, owner, purge=True))
    except Refused:
        return False  # whether it comes to that depends on what is done before
    return not (foreseen.is_needed or foreseen.unmanaged)


class Difference(NamedTuple):
    """What a concern would change, or why that cannot be told."""

    concern: str
    changes: list[str]
    problem: str = ""


def differences(module: AnsibleModule, plan: Mapping[str, Any], owner: str) -> tuple[list[Difference], list[str]]:
    """What host_state would change, each concern by itself, and the services that nobody declared."""
    book = for_check_mode()
    asked = _asked([*CONCERNS], plan, traces(book.load(), owner))
    looked = _Pass(module, book, check_mode=True)
    found = []
    for call in adding(asked, plan, owner, purge=True):
        try:
            looked.run([call])
            found.append(Difference(call.concern, looked.results[call.concern]["changes"]))
        except (BadRequest, Refused) as problem:
            found.append(Difference(call.concern, [], str(problem)))
    found += [Difference("warning", [], warning) for warning in dict.fromkeys(looked.warnings)]
    return [each for each in found if each.changes or each.problem], looked.unmanaged


def adding(concerns: Collection[str], plan: Mapping[str, Any], owner: str, *, purge: bool) -> list[Call]:
    """What makes the host have all that the plan asks for. With purge it has no more than that afterwards."""
    return [Call(name, _options(name, plan, owner, purge=purge)) for name in CONCERNS if name in concerns]


def releasing(concerns: Collection[str], plan: Mapping[str, Any], owner: str) -> list[Call]:
    """What takes away or puts back what an earlier run had and the plan has not."""
    return [
        Call(name, _options(name, plan, owner, purge=True))
        for name in [*CONCERNS][::-1]
        if name in concerns and CONCERNS[name].is_released
    ]


def taking_away(concerns: Collection[str], owner: str) -> list[Call]:
    """What puts back all that was there before. Nothing is restored at boot any more before anything goes.

    Others who filled the table come last: they find it without what was ours.
    """
    absent = {"owner": owner, "state": "absent"}
    first = [Call(name, absent) for name in (METRICS, BOOT, ANNOUNCEMENTS, "services") if name in concerns]
    # What is still in use of a host that goes on goes later. A host that is put back forgets it.
    last = [Call(TAKE_OVER, absent)] if TAKE_OVER in concerns else []
    return [
        *first,
        *(
            Call(call.concern, absent) if call.concern == "kernel_modules" else call
            for call in releasing(concerns, {}, owner)
        ),
        *last,
    ]


def _options(name: str, plan: Mapping[str, Any], owner: str, *, purge: bool) -> dict[str, Any]:
    concern = CONCERNS[name]
    return {**concern.options(plan), "owner": owner, **({"purge": purge} if concern.is_released else {})}


def _asked(chosen: Collection[str], plan: Mapping[str, Any], left: Collection[str]) -> list[str]:
    """The concerns in which something is wanted, or is there from an earlier run.

    The table is always looked at where the plan speaks of it: for what others put there.
    """
    wanted = {BOOT, *left, *(name for name in CONCERNS if plan.get(name))}
    if plan.get("services") is not None:
        wanted.add("services")
    if ANNOUNCEMENTS in wanted:
        wanted.add(WITHDRAWALS)
    wanted.difference_update(_MANAGED.get(plan.get("manager") or KERNEL, ()))
    return [name for name in CONCERNS if name in chosen and name in wanted]


def _left_over(
    module: AnsibleModule, book: LedgerFile, asked: Collection[str], plan: Mapping[str, Any], owner: str
) -> list[str]:
    """The concerns in which releasing would still do something. In check mode nothing that was added is there yet."""
    calls = releasing(asked, plan, owner)
    looked = _Pass(module, book, check_mode=True)
    try:
        looked.run(calls)
    except (BadRequest, Refused):
        # Something has been added by now. What is wrong, releasing says, and what was done before.
        return [call.concern for call in calls]
    return looked.left_over if module.check_mode else [*looked.needed]


def _gone_through(
    module: AnsibleModule, book: LedgerFile, calls: Sequence[Call], *before: _Pass, check_mode: bool
) -> _Pass:
    one = _Pass(module, book, check_mode, before)
    try:
        one.run(calls)
    except BadRequest as problem:
        one.say_warnings()
        raise BadRequest(f"{problem} Nothing was changed.") from problem
    except Refused:
        one.say_warnings()
        raise
    return one


@dataclass
class _Pass:
    """The concerns one after the other, and what came of it."""

    module: AnsibleModule
    book: LedgerFile
    check_mode: bool
    before: Sequence[_Pass] = ()
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    # The concerns whose claims in the ledger are other ones than before.
    noted: set[str] = field(default_factory=set)

    @property
    def changes(self) -> list[str]:
        return [line for result in self.results.values() for line in result["changes"]]

    @property
    def needed(self) -> dict[str, dict[str, Any]]:
        """The concerns in which something is to be changed, if only in the ledger."""
        return {name: made for name, made in self.results.items() if made["changes"] or name in self.noted}

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do, or to say."""
        return bool(self.needed or self.warnings)

    @property
    def unmanaged(self) -> list[str]:
        return [line for made in self.results.values() for line in made.get("unmanaged", ())]

    @property
    def left_over(self) -> list[str]:
        return [name for name, made in self.results.items() if made.get("left_over")]

    def say_warnings(self) -> None:
        for warning in dict.fromkeys(warning for each in (*self.before, self) for warning in each.warnings):
            self.module.warn(warning)

    def run(self, calls: Sequence[Call]) -> None:
        for position, call in enumerate(calls):
            try:
                self.results[call.concern] = self._do(call)
            except _Stopped as stopped:
                self._fail(call.concern, stopped.result, calls[position + 1 :])
            except BadRequest as problem:
                if self.check_mode:
                    raise BadRequest(f"{call.concern}: {problem}") from problem
                self._fail(call.concern, {"msg": str(problem)}, calls[position + 1 :])
            except Refused as problem:
                self._fail(call.concern, {"msg": str(problem), **problem.facts}, calls[position + 1 :])

    def _do(self, call: Call) -> dict[str, Any]:
        spec, ensure = CONCERNS[call.concern].work()
        part = _Part(validated(spec, call.options), self.check_mode, self.warnings)
        self.book.foreseen = False
        made = ensure(part, self.book)
        if self.book.foreseen:
            self.noted.add(call.concern)
        return made

    def _fail(self, concern: str, result: Mapping[str, Any], rest: Sequence[Call]) -> NoReturn:
        said = f"{concern}: {result['msg']}"
        applied = [*(line for each in (*self.before, self) for line in each.changes), *result.get("applied", ())]
        if self.check_mode:
            said += " Nothing was changed."
        else:
            done = [name for each in (*self.before, self) for name, made in each.results.items() if made["changed"]]
            if done:
                said += f" Before that, the changes of {', '.join(done)} were applied."
            if rest:
                said += f" What comes after it was not begun: {', '.join(call.concern for call in rest)}."
            said += " A run that succeeds brings the host to the whole plan, whatever was applied already."
        raise Refused(
            said,
            facts={
                "changed": bool(applied) and not self.check_mode,
                "applied": [] if self.check_mode else applied,
                "remaining": list(result.get("remaining", ())),
                "not_begun": [call.concern for call in rest],
            },
        )


class _Stopped(Exception):
    """A concern ended with fail_json()."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result["msg"])
        self.result = result


class _Part:
    """What the work of one concern sees of the module: options of its own, and otherwise the same."""

    def __init__(self, params: Mapping[str, Any], check_mode: bool, warnings: list[str]) -> None:
        self.params = params
        self.check_mode = check_mode
        self.warn = warnings.append

    def fail_json(self, **result: Any) -> NoReturn:
        raise _Stopped(result)


def _result(module: AnsibleModule, passes: Sequence[_Pass]) -> dict[str, Any]:
    for warning in dict.fromkeys(warning for each in passes for warning in each.warnings):
        module.warn(warning)
    changes = [line for each in passes for line in each.changes]
    differences = [
        {"before_header": name, "after_header": name, **made["diff"]}
        for each in passes
        for name, made in each.results.items()
        if "diff" in made
    ]
    return {"changed": bool(changes), "changes": changes, **({"diff": differences} if differences else {})}
