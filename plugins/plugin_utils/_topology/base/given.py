# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of filters: plain Python of the right kind, or a mistake that names the argument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, WrongModel, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import harmless, plain


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongModel([Mistake(what, f"must be a mapping, is {show(value)}", f"give {what} as Ansible has it")])
    return value


def names(value: Any, what: str) -> list[str]:
    given = evaluated(value, what)
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise WrongModel([Mistake(what, f"must be a list of names of hosts, is {show(value)}", "write each as text")])
    return given


def shown(value: Any, what: str) -> Any:
    """What a host answered, harmless to show."""
    return harmless(evaluated(value, what))


def evaluated(value: Any, what: str) -> Any:
    """Plain Python of whatever Ansible hands over."""
    try:
        return plain(value)
    except Exception as error:  # a template may raise anything
        message = " ".join(str(error).split())
        raise WrongModel([Mistake(what, f"cannot be evaluated: {message}", "give plain values")]) from None


def answers(hostvars: Any, name: Any, key: Any = None) -> dict[str, Any]:
    """By host, what a task registered there; only what has the key, because a task that failed registers as well."""
    found = {}
    for host, variables in mapping(hostvars, "hostvars").items():
        answer = mapping(variables, f"hostvars.{host}").get(name)
        if answer is not None and (key is None or (isinstance(answer, Mapping) and key in answer)):
            found[host] = answer
    return found
