# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options against an argument spec, as Ansible checks them, and what Ansible's own check does not do well.

That ends in a traceback where a mapping of options is asked for and something else is given, such as ``persistence:
false``, or where a whole number is asked for and what is given is infinite. And it takes its time: each option of each
entry is looked at about fifteen times, and all are copied twice. What is of the type that the spec asks for already, as
everything is that the compiler makes, needs one look. Whatever is not plainly right goes to Ansible's check, which
converts it or says what is wrong.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Iterator, Mapping, NamedTuple, Tuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

# What is known of an option here. One that has anything besides (aliases, a fallback) is left to Ansible.
_KNOWN = frozenset({"type", "required", "default", "choices", "elements", "options"})
_TYPES: Mapping[str, type] = {"str": str, "int": int, "bool": bool, "float": float, "list": list, "dict": dict}

# Python makes a whole number of 1e999999999 as well, if it is given the time.
_MOST_DIGITS = 1000


class _Unclear(Exception):
    """Something is not plainly as the spec wants it."""


def validated(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options in the types of the spec, with its defaults; BadRequest in Ansible's words where they are wrong."""
    try:
        return _plain(_read(spec), given)
    except _Unclear:
        odd = [each.problem for each in odd_values(spec, given)]
        if odd:
            raise BadRequest("; ".join(odd)) from None
        result = ArgumentSpecValidator(spec).validate(given)
    if result.error_messages:
        raise BadRequest("; ".join(result.error_messages))
    found: dict[str, Any] = result.validated_parameters
    return found


class _Option(NamedTuple):
    """An option of a spec, as it is compared with each of thousands of entries."""

    name: str
    kind: type
    default: Any
    required: bool
    # What a null means that somebody wrote, Ansible says.
    takes_null: bool
    choices: Any
    # Of a list, what its elements are; and the options of a mapping, or of a list of mappings.
    elements: type | None
    options: tuple[_Option, ...] | None


def _read(spec: Mapping[str, Any]) -> tuple[_Option, ...]:
    """The options of a spec, where all of it is known here."""
    found = []
    for name, option in spec.items():
        kind, elements = _TYPES.get(option.get("type", "str")), _TYPES.get(option.get("elements"))
        if not option.keys() <= _KNOWN or kind is None or ("elements" in option and elements is None):
            raise _Unclear
        default = option.get("default")
        found.append(
            _Option(
                name=name,
                kind=kind,
                default=default,
                required=option.get("required", False),
                takes_null=default is None and "choices" not in option,
                choices=option.get("choices"),
                elements=elements,
                options=_read(option["options"]) if "options" in option else None,
            )
        )
    return tuple(found)


def _plain(options: tuple[_Option, ...], given: Any) -> dict[str, Any]:
    # A boolean is an integer to isinstance(), and a kind of text may have to be converted.
    own: type = type(given)
    if own is not dict:
        raise _Unclear
    found: dict[str, Any] = {}
    count = 0
    for name, kind, default, required, takes_null, choices, elements, inner in options:
        value = given.get(name)
        if value is None:
            is_given = name in given
            if required or (is_given and not takes_null):
                raise _Unclear
            count += is_given
            found[name] = default
            continue
        count += 1
        own = type(value)
        if own is not kind:
            raise _Unclear
        if elements is not None:
            value = _elements(elements, choices, inner, value)
        elif choices is not None and value not in choices:
            raise _Unclear
        elif inner is not None:
            value = _plain(inner, value)
        found[name] = value
    # Whatever else is there is no option.
    if count != len(given):
        raise _Unclear
    return found


def _elements(kind: type, choices: Any, inner: tuple[_Option, ...] | None, value: Any) -> Any:
    if inner is not None:
        return [_plain(inner, each) for each in value]
    if not {type(each) for each in value} <= {kind}:
        raise _Unclear
    if choices is not None and not all(each in choices for each in value):
        raise _Unclear
    return value


Path = Tuple[Any, ...]


class Odd(NamedTuple):
    """An option whose value Ansible's check does not get over, what is wrong, and a value that it does get over."""

    path: Path
    problem: str
    instead: Any = None


def odd_values(spec: Mapping[str, Any], given: Any, path: Path = ()) -> Iterator[Odd]:
    """Where a mapping is asked for and none can be made of what is given, or a number is and that has no end."""
    if not isinstance(given, Mapping):
        return
    for name, option in spec.items():
        value = given.get(name)
        if value is None:
            continue
        here = (*path, name)
        if "options" not in option:
            yield from _odd_numbers(option, value, here)
        elif option.get("type") == "list":
            for position, each in enumerate(value if isinstance(value, list) else ()):
                yield from odd_values(option["options"], each, (*here, position))
        # Of text, Ansible tries to make one.
        elif isinstance(value, (Mapping, str)):
            yield from odd_values(option["options"], value, here)
        else:
            known = ", ".join(sorted(option["options"]))
            problem = f"{forms.shown(value)} is no mapping; give one of {known}, or leave it out"
            yield Odd(here, f"{_written(here)}: {problem}")


def _odd_numbers(option: Mapping[str, Any], value: Any, path: Path) -> Iterator[Odd]:
    """Where a whole number is asked for and something is given that is infinite, or would be gigabytes of digits."""
    given = []
    if option.get("elements") == "int" and isinstance(value, list):
        given = [((*path, position), each) for position, each in enumerate(value)]
    elif "int" in (option.get("type"), option.get("elements")):
        given = [(path, value)]
    for here, each in given:
        # Of text, Ansible makes a list of what is between its commas.
        if any(map(_is_beyond, each.split(",") if isinstance(each, str) else [each])):
            problem = f"{_written(here)}: {forms.shown(each)} is no whole number; give one, or leave it out"
            yield Odd(path, problem, [] if "elements" in option else option.get("choices", [0])[0])


def _is_beyond(value: Any) -> bool:
    try:
        number = Decimal(value)
    except (ArithmeticError, TypeError, ValueError):
        return False
    return number.is_infinite() or number.adjusted() > _MOST_DIGITS


def _written(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
