# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_state: bring a host to what a plan asks for, all concerns in one order and under one lock.

Every concern is planned before the first one is changed, so that what is refused is refused while nothing is touched.
The changes are then planned anew, one concern after the other, because each may depend on those before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Collection, Iterable, Mapping, NamedTuple, NoReturn, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils._concerns import BOOT, CONCERNS
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.managers import KEEPALIVED, KERNEL
from ansible_collections.lvs.topology.plugins.module_utils._net.traces import traces
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from ansible_collections.lvs.topology.plugins.module_utils._ledger import LedgerFile

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
SPEC: dict[str, Any] = {
    "owner": {"type": "str", "default": "lvs"},
    "plan": {
        "type": "dict",
        "options": {
            **{name: {"type": "list", "elements": "str"} for name in ("kernel_modules", "purge")},
            **{name: {"type": "dict"} for name in ("sysctls", "packet_rules", "timeouts")},
            **{name: {"type": "list", "elements": "dict"} for name in _LISTS},
            "keep_weights": {"type": "bool"},
            "manager": {"type": "str", "choices": [KERNEL, KEEPALIVED]},
            # About the host, which preflight has looked at, and for the operator.
            **{name: {"type": "list", "elements": "str"} for name in ("commands", "kernel_options", "notes")},
            "kernels": {"type": "list", "elements": "dict"},
        },
    },
    "concerns": {"type": "list", "elements": "str", "choices": list(CONCERNS), "default": list(CONCERNS)},
    "steps": {"type": "list", "elements": "str", "choices": ["add", "release"], "default": ["add", "release"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    # The action plugin has turned it into concerns.
    "follow_tags": {"type": "bool", "default": False},
}
# What the role keepalived takes over, where keepalived is the one who manages it.
_MANAGED = ("addresses", "services")


class Call(NamedTuple):
    """What one concern is asked to do."""

    concern: str
    options: dict[str, Any]


def ensure_host(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module host_state does."""
    params = module.params
    owner, steps, present = params["owner"], params["steps"], params["state"] == "present"
    plan = (params["plan"] or {}) if present else {}
    mistakes = Mistakes()
    mistakes.owner(owner)
    mistakes.raise_if_any()
    left = traces(book.load(), owner)
    asked = _asked(params["concerns"], plan, left, present=present)
    if not present:
        calls = taking_away(asked, owner)
    elif "add" in steps:
        calls = adding(asked, plan, owner, purge="release" in steps)
    else:
        calls = releasing(asked, plan, owner)
    foreseen = _Pass(module, book, check_mode=True)
    foreseen.run(calls)
    if module.check_mode or not (foreseen.changes or foreseen.warnings):
        return _result(module, [foreseen])
    if not present or "add" not in steps:
        return _result(module, [_carried_out(module, book, calls)])
    added = _carried_out(module, book, adding(asked, plan, owner, purge=False))
    if "release" not in steps or not added.left_over:
        return _result(module, [added])
    released = _carried_out(module, book, releasing(added.left_over, plan, owner), added)
    return _result(module, [added, released])


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
    """What puts back all that was there before. Nothing is restored at boot any more before anything goes."""
    absent = {"owner": owner, "state": "absent"}
    first = [Call(name, absent) for name in (BOOT, "services") if name in concerns]
    # What is still in use of a host that goes on goes later. A host that is put back forgets it.
    return first + [
        Call(call.concern, absent) if call.concern == "kernel_modules" else call
        for call in releasing(concerns, {}, owner)
    ]


def _options(name: str, plan: Mapping[str, Any], owner: str, *, purge: bool) -> dict[str, Any]:
    concern = CONCERNS[name]
    return {**concern.options(plan), "owner": owner, **({"purge": purge} if concern.is_released else {})}


def _asked(chosen: Collection[str], plan: Mapping[str, Any], left: Collection[str], *, present: bool) -> list[str]:
    """The concerns in which something is wanted, or is there from an earlier run.

    The table is always looked at where the plan speaks of it: for what others put there.
    """
    wanted = {BOOT, *left, *(name for name in CONCERNS if plan.get(name))}
    if plan.get("services") is not None:
        wanted.add("services")
    if present and plan.get("manager") == KEEPALIVED:
        wanted.difference_update(_MANAGED)
    return [name for name in CONCERNS if name in chosen and name in wanted]


def _carried_out(module: AnsibleModule, book: LedgerFile, calls: Sequence[Call], *before: _Pass) -> _Pass:
    made = _Pass(module, book, check_mode=False, before=before)
    made.run(calls)
    return made


@dataclass
class _Pass:
    """The concerns one after the other, and what came of it."""

    module: AnsibleModule
    book: LedgerFile
    check_mode: bool
    before: Sequence[_Pass] = ()
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[str]:
        return [line for result in self.results.values() for line in result["changes"]]

    @property
    def left_over(self) -> list[str]:
        return [name for name, result in self.results.items() if result.get("left_over")]

    def run(self, calls: Sequence[Call]) -> None:
        for position, call in enumerate(calls):
            try:
                self.results[call.concern] = self._do(call)
            except _Stopped as stopped:
                self._fail(call.concern, stopped.result, calls[position + 1 :])
            except (BadRequest, Refused) as problem:
                facts = problem.facts if isinstance(problem, Refused) else {}
                self._fail(call.concern, {"msg": str(problem), **facts}, calls[position + 1 :])

    def _do(self, call: Call) -> dict[str, Any]:
        spec, ensure = CONCERNS[call.concern].work()
        validated = ArgumentSpecValidator(spec).validate(call.options)
        if validated.error_messages:
            raise BadRequest("; ".join(validated.error_messages))
        part = _Part(self.module, validated.validated_parameters, self.check_mode, self.warnings)
        return ensure(part, self.book)

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
        for warning in self.warnings:
            self.module.warn(warning)
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

    def __init__(self, module: AnsibleModule, params: Mapping[str, Any], check_mode: bool, warnings: list[str]) -> None:
        self.params = params
        self.check_mode = check_mode
        self.run_command = module.run_command
        self.get_bin_path = module.get_bin_path
        self.warn = warnings.append

    def fail_json(self, **result: Any) -> NoReturn:
        raise _Stopped(result)


def _result(module: AnsibleModule, passes: Iterable[_Pass]) -> dict[str, Any]:
    done = list(passes)
    for warning in dict.fromkeys(warning for each in done for warning in each.warnings):
        module.warn(warning)
    changes = [line for each in done for line in each.changes]
    differences = [
        {"before_header": name, "after_header": name, **result["diff"]}
        for each in done
        for name, result in each.results.items()
        if "diff" in result
    ]
    table = done[0].results.get("services", {})
    return {
        "changed": bool(changes),
        "changes": changes,
        "left_over": done[-1].left_over,
        "unmanaged": table.get("unmanaged", []),
        **({"diff": differences} if differences else {}),
    }
