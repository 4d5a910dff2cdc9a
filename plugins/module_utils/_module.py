# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AnsibleModule with an answer to every input, also to thousands of entries, whose results repeat only what is read."""

from __future__ import annotations

import gc
from typing import Any, Collection, Iterator, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest
from ansible_collections.lvs.topology.plugins.module_utils._screen import MASK, printable
from ansible_collections.lvs.topology.plugins.module_utils._validation import odd_values, validated

# More values than this nobody reads, and what is done for each of them takes a part of the module's time that shows.
_MANY = 1000


def _left_empty(params: Mapping[str, Any], required_if: Sequence[Sequence[Any]]) -> Iterator[str]:
    """To Ansible an option that is null is given. A list that somebody left empty must not take anything away."""
    for name, value, needed, *is_any in required_if:
        lacking = [each for each in needed if params[each] is None]
        if params[name] == value and (len(lacking) == len(needed) if any(is_any) else lacking):
            text = " or ".join(lacking) if any(is_any) else ", ".join(lacking)
            yield f"{text}: missing, and needed where {name} is {value}; where nothing is wanted, give an empty one"


class Module(AnsibleModule):  # type: ignore[misc] # ansible-core has no types
    """An AnsibleModule with an answer to every input, whose option ``large`` may have thousands of entries."""

    def __init__(self, argument_spec: Mapping[str, Any], large: str | None = None, **given: Any) -> None:
        self._spec = argument_spec
        self._large = large
        self._entries: Any = None
        self._odd: list[str] = []
        super().__init__(argument_spec=argument_spec, **given)
        odd = self._odd or [*_left_empty(self.params, given.get("required_if", ()))]
        try:
            if odd:
                raise BadRequest("; ".join(odd))
            if self._entries is not None:
                self.params.update(validated({large: argument_spec[large]}, {large: self._entries}))
        except BadRequest as problem:
            self.fail_json(msg=str(problem))

    def _load_params(self) -> None:
        """Keep from Ansible's check what it does not get over, and the entries, in place of which it gets none."""
        super()._load_params()
        if _are_many(self.params):
            # The process ends in a moment, and gives all of its memory back. Until then, to look for garbage among that
            # many values again and again takes a quarter of its time, and there is none.
            gc.disable()
        entries = self.params.get(self._large) if self._large else None
        if isinstance(entries, list):
            self._entries, self.params[self._large] = entries, []
        for path, problem, instead in [*odd_values(self._spec, self.params)]:
            self._odd.append(problem)
            there = self.params
            for step in path[:-1]:
                there = there[step]
            there[path[-1]] = instead

    def exit_json(self, **result: Any) -> None:
        super().exit_json(**{**self._invocation(), **result})

    def fail_json(self, msg: str, **result: Any) -> None:
        super().fail_json(printable(str(msg)), **{**self._invocation(), **result})

    def _invocation(self) -> dict[str, Any]:
        """What the answer says about the options of its task, unless there are none yet."""
        params = getattr(self, "params", None)
        return {"invocation": {"module_args": _echo(params)}} if isinstance(params, dict) else {}


class Discreet(Module):
    """A module whose answers repeat only some options of its task, and which tells the host's log none.

    ``no_log`` of an option has Ansible look for its value in everything that is returned, and replace it there.
    """

    def __init__(self, shown: Collection[str], **given: Any) -> None:
        # One that nobody knows may be a configuration under a wrong name.
        self._shown = frozenset(shown)
        super().__init__(**given)

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Tell the host's log nothing. The controller has the last word on the attribute no_log, so that is no way."""

    def _invocation(self) -> dict[str, Any]:
        given = getattr(self, "params", None) or {}
        shown = {name: value if name in self._shown or value is None else MASK for name, value in given.items()}
        return {"invocation": {"module_args": _echo(shown)}}


def _echo(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options, but for those that are too long to be read."""
    return {name: f"more than {_MANY} values" if _are_many(value) else value for name, value in params.items()}


def _are_many(value: Any) -> bool:
    """Whether a value, which comes from JSON or from a spec, holds more values than somebody would read."""
    left, seen = [value], 0
    while left and seen <= _MANY:
        each = left.pop()
        seen += 1
        if isinstance(each, dict):
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
    return seen > _MANY
