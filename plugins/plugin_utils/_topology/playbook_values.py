# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values make sense for the variables of playbooks: their types, numbers and words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import REAL_SERVER_SPEC
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping, names
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import (
    Mistake,
    WrongModel,
    as_lines,
    choose,
    did_you_mean,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import NAMES
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import way_back

_PREFIX = "lvs_"
# Of what is compared with get_close_matches: two letters of ten have changed places.
_LIKENESS = 0.89
_STATES = ("drained", "present")
NUMBERS: Mapping[str, forms.Range] = {
    "lvs_drain_directors_timeout": forms.TIMEOUTS,
    "lvs_drain_ramp_from": way_back.FIRST,
    "lvs_drain_ramp_pause": way_back.PAUSES,
    "lvs_drain_ramp_steps": way_back.STEPS,
    "lvs_drain_timeout": forms.TIMEOUTS,
    "lvs_rolling_delay": forms.TIMEOUTS,
    "lvs_rolling_directors_timeout": forms.TIMEOUTS,
    "lvs_rolling_retries": forms.Range(0, 999_999),
    "lvs_rolling_serial": forms.Range(1, 999_999),
}
_ON_TIMEOUT = REAL_SERVER_SPEC["on_timeout"]["choices"]
CHOICES: Mapping[str, Sequence[str]] = {
    "lvs_drain_directors_on_timeout": _ON_TIMEOUT,
    "lvs_drain_directors_state": _STATES,
    "lvs_drain_on_timeout": _ON_TIMEOUT,
    "lvs_drain_state": _STATES,
}
# Any of these words, in a list, or in a text with commas.
LISTS: Mapping[str, Sequence[str]] = {"lvs_drain_wait_for": REAL_SERVER_SPEC["wait_for"]["choices"]}


def wrong_values_of(given: Any, types: Any = None) -> list[str]:
    """What is wrong with the values of variables, by their names. Those of other names are passed over.

    ``types`` has the type of each, as in an argument spec.
    """
    values = mapping(evaluated(given, "variables"), "variables")
    wrong = {each.path: each for each in _wrong_types(values, {} if types is None else mapping(types, "types"))}
    others = [*_wrong_numbers(values), *_wrong_words(values)]
    return as_lines([*wrong.values(), *(each for each in others if each.path not in wrong)])


def unknown_names_of(given: Any, arguments: Any, playbook: Any) -> list[str]:
    """Of the names of variables, those that are meant for a playbook and that none has: they would count for nothing.

    ``arguments`` are the argument specs of all playbooks. Meant is what begins with the name of one, and what is nearly
    a variable of this one. Other names may be anybody's own.
    """
    known = {name: mapping(each, f"arguments.{name}") for name, each in mapping(arguments, "arguments").items()}
    if playbook not in known:
        raise WrongModel([Mistake("playbook", f"{show(playbook)} is not known", choose(playbook, known))])
    begins, own = tuple(f"{_PREFIX}{name}_" for name in known), [*known[playbook]]
    every = [each for one in known.values() for each in one]
    strange = {*names(given, "names")}.difference(NAMES, *known.values())
    return as_lines(
        Mistake(
            name, "no playbook has a variable of this name", f"{did_you_mean(name, every)}use one of {', '.join(own)}"
        )
        for name in sorted(strange)
        if name.startswith(begins) or _is_nearly_one(name, own)
    )


def _is_nearly_one(name: str, own: Sequence[str]) -> bool:
    bare = [each.removeprefix(_PREFIX) for each in own]
    return name.startswith(_PREFIX) and bool(get_close_matches(name.removeprefix(_PREFIX), bare, 1, _LIKENESS))


def words_of(given: Any) -> list[Any]:
    """The words of a variable that is a list; on the command line they stand in a text with commas."""
    return _words(evaluated(given, "words"))


def _wrong_types(values: Mapping[str, Any], types: Mapping[str, Any]) -> Iterator[Mistake]:
    for name, value in values.items():
        # Null is as good as no value.
        if name in types and value is not None:
            yield from _wrong_type(name, value, mapping(types[name], f"types.{name}").get("type"))


def _wrong_type(name: str, value: Any, kind: Any) -> Iterator[Mistake]:
    is_nested = isinstance(value, (Mapping, list))
    if kind == "list":
        if isinstance(value, Mapping):
            yield Mistake(name, f"is {show(value)}", "use a list, or a text with commas")
        for position, each in enumerate(value if isinstance(value, list) else ()):
            if isinstance(each, (Mapping, list)):
                yield Mistake(f"{name}[{position}]", f"is {show(each)}", "use text")
    elif kind == "dict" and not _is_taken(check_type_dict, value):
        yield Mistake(name, f"is {show(value)}", "use a mapping")
    elif kind in ("str", "path") and is_nested:
        yield Mistake(name, f"is {show(value)}", "use text")
    elif kind == "bool" and (is_nested or not _is_taken(boolean, value)):
        yield Mistake(name, f"is {show(value)}", "use true or false")
    elif kind == "int" and name not in NUMBERS and forms.integer(value) is None:
        yield Mistake(name, f"is {show(value)}", "use a whole number")


def _is_taken(by: Callable[[Any], Any], value: Any) -> bool:
    """Whether a function of Ansible makes a value of its type of it."""
    try:
        by(value)
    except (TypeError, ValueError):
        return False
    return True


def _wrong_numbers(values: Mapping[str, Any]) -> Iterator[Mistake]:
    for name, possible in NUMBERS.items():
        if name in values and forms.integer(values[name]) not in possible:
            yield Mistake(name, f"{show(values[name])} is no number of this kind", f"use {possible}")


def _wrong_words(values: Mapping[str, Any]) -> Iterator[Mistake]:
    said = [(name, values[name], choices) for name, choices in CHOICES.items() if name in values]
    said += [(name, word, choices) for name, choices in LISTS.items() for word in _words(values.get(name))]
    for name, word, choices in said:
        if word not in choices:
            yield Mistake(name, f"{show(word)} is not known", choose(word, choices))


def _words(value: Any) -> list[Any]:
    """What a list has, or a text between its commas. None and an empty text say nothing."""
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    stripped = [each.strip() if isinstance(each, str) else each for each in words]
    return [each for each in stripped if each not in ("", None)]
