# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_info and probe answered, checked before anything is concluded from it, or shown.

A host may be broken, or not honest: what does not have its form is refused with the place where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._screen import printable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, WrongModel, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, as_network
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.findings import CONCERNS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import read_info

_T = TypeVar("_T")
_COUNTS = forms.Range(0, 2**63 - 1)
Form = Callable[[Any, str], Any]


def _refuse(path: str, value: Any, what: str) -> WrongModel:
    return WrongModel([Mistake(path, f"must be {what}, is {show(value)}", "pass on what the module returned")])


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _refuse(path, value, "text")
    return printable(value)


def _truth(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _refuse(path, value, "true or false")
    return value


def _count(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _COUNTS:
        raise _refuse(path, value, f"a number from {_COUNTS.low} to {_COUNTS.high}")
    return value


def _port(value: Any, path: str) -> int:
    if _count(value, path) not in forms.PORTS:
        raise _refuse(path, value, "a port")
    return int(value)


def _hardware(value: Any, path: str) -> str:
    try:
        return forms.lladdr(value)
    except forms.BadForm:
        raise _refuse(path, value, "a hardware address") from None


def _concern(value: Any, path: str) -> str:
    if _text(value, path) not in CONCERNS:
        raise _refuse(path, value, "a concern of host_state")
    return str(value)


def _list(form: Form) -> Form:
    def read(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _refuse(path, value, "a list")
        return [form(each, f"{path}[{position}]") for position, each in enumerate(value)]

    return read


def _record(forms_of: Mapping[str, Form]) -> Form:
    def read(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _refuse(path, value, "a mapping")
        return {name: form(value.get(name), f"{path}.{name}") for name, form in forms_of.items()}

    return read


def _by_name(form: Form) -> Form:
    def read(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _refuse(path, value, "a mapping")
        return {printable(str(name)): form(each, f"{path}.{forms.word(name)}") for name, each in value.items()}

    return read


def _by_address(form: Form, *, or_prefix: bool = False) -> Form:
    def read(value: Any, path: str) -> dict[str, Any]:
        for name in value if isinstance(value, Mapping) else ():
            if as_address(name) is None and not (or_prefix and as_network(name)):
                raise _refuse(
                    f"{path}.{forms.word(name)}", name, "an address or a prefix" if or_prefix else "an address"
                )
        return dict(_by_name(form)(value, path))

    return read


def _prefix(value: Any, path: str) -> str:
    if as_network(value) is None:
        raise _refuse(path, value, "a prefix")
    return str(value)


def _or_null(form: Form) -> Form:
    return lambda value, path: None if value is None else form(value, path)


_DIFFERENCE = {"concern": _concern, "changes": _list(_text), "problem": _text}
_PART = {"problems": _list(_text), "differences": _list(_record(_DIFFERENCE)), "unmanaged": _list(_text)}
_REPLICATED = ("own", "taken", "failed", "sent", "received", "lost")
_BGP = _record(
    {
        "unit": _or_null(_record({"active": _truth, "enabled": _truth, "failed": _truth})),
        "sessions": _or_null(_list(_record({"name": _text, "neighbour": _text, "state": _text, "error": _text}))),
        "announced": _list(_record({"address": _text, "metric": _count})),
        "aggregates": _or_null(_list(_prefix)),
        "ways": _by_address(_list(_text), or_prefix=True),
    }
)
_HOST_INFO = _record(
    {
        "problems": _list(_text),
        "parts": _by_name(_record(_PART)),
        "arp": _by_address(_list(_hardware)),
        "listeners": _list(_record({"protocol": _text, "address": _text, "port": _port})),
        "failed_addresses": _list(_text),
        "tentative_addresses": _list(_text),
        "large_receive": _list(_text),
        "counters": _record({"reverse_path": _count, "packets": _count, "no_room": _count}),
        "defences": _by_name(_count),
        "conntrack": _or_null(_record({"count": _count, "max": _count})),
        "obstacles": _list(_record({"kind": _text, "hook": _text, "said": _text})),
        "dropped": _list(_record({"name": _text, "said": _text})),
        "undecided": _list(_text),
        "firewall": _text,
        "keepalived": _or_null(_record({"active": _truth, "enabled": _truth, "failed": _truth, "masked": _truth})),
        "conntrackd": _or_null(_record({**dict.fromkeys(_REPLICATED, _count), "hears": _truth})),
        "table": _or_null(read_info),
        "bgp": _or_null(_BGP),
        "unseen": _list(_text),
    }
)
_ENDPOINT = {
    "name": _text,
    "address": _text,
    "port": _port,
    "connections": _count,
    "connected": _count,
    "silent": _count,
    "failed": _by_name(_count),
    "protocol": _text,
    "question": _or_null(_record({"kind": _text, "size": _or_null(_count)})),
    "answered": _count,
    "unanswered": _count,
    "repeated": _count,
    "packets": _by_name(_count),
}
_PROBE = _record({"endpoints": _list(_record(_ENDPOINT))})


def read_host_info(answer: Any, path: str) -> dict[str, Any]:
    """What host_info returned on one host; WrongModel where that cannot be."""
    found: dict[str, Any] = _HOST_INFO(answer, path)
    return found


def read_bgp_info(answer: Any, path: str) -> dict[str, Any]:
    """What host_info says of BGP on one host; WrongModel where that cannot be."""
    found: dict[str, Any] = _BGP(answer, path)
    return found


def read_probe(answer: Any, path: str) -> list[dict[str, Any]]:
    """The endpoints that probe returned on one host; WrongModel where that cannot be."""
    found: list[dict[str, Any]] = _PROBE(answer, path)["endpoints"]
    return found


def read_all(
    answers: Mapping[str, Any], path: str, read: Callable[[Any, str], _T], odd: list[Finding]
) -> dict[str, _T]:
    """The answers that have their form. What has not is a finding about the host."""
    found = {}
    for host, answer in answers.items():
        where = f"{path}.{forms.word(host)}"
        try:
            found[str(host)] = read(shown(answer, where), where)
        except WrongModel as wrong:
            odd.append(Finding(AT_RISK, str(host), f"what it answered cannot be read: {'; '.join(wrong.lines)}"))
    return found
