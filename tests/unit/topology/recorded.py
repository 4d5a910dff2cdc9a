# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of lvs_services, made of what the reader of the model asks for: its keys, ranges and choices.

The reader itself says what it takes: it reads services with every kind of check and every method, and each of its
questions is noted. Only what it looks at by itself, mostly text, has its form here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base import config_text, values
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.methods import METHODS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read import (
    health,
    parse,
    parse_real_servers,
    parse_vips,
)

_MODULES = (parse, parse_vips, parse_real_servers, health, config_text)
_TEMPLATE = {"type": "string", "pattern": r"\{\{"}
_DIGITS = {"type": "string", "pattern": r"^-?[0-9]+$"}
_DECIMALS = {"type": "string", "pattern": r"^-?[0-9.]+$"}
_PERCENT = {"type": "string", "pattern": r"^ *[0-9]+ *% *$"}
_NULL = {"type": "null"}
_TEXT = {"type": "string"}
_STATUS = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, _TEXT]}
# Of an unquoted on: YAML makes true of it.
_CHECKSUM = {"anyOf": [{"enum": list(forms.TUNNEL_CHECKSUMS["gue"])}, {"const": True}, _TEMPLATE, _NULL]}
_PORTS = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, _TEXT]}
_SHARE = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**31 - 1}, _PERCENT, _DIGITS, _TEMPLATE, _NULL]}
# Keys that the reader takes as they are, and then looks at: which types they may have.
_TAKEN: Mapping[str, Any] = {
    "name": _TEXT,
    "forward": {"anyOf": [{"enum": list(METHODS)}, _TEMPLATE]},
    "family": {"anyOf": [{"enum": list(forms.FAMILIES)}, _TEMPLATE, _NULL]},
    "netmask": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 128}, _TEXT, _NULL]},
    "status": {"anyOf": [_STATUS, {"type": "array", "items": _STATUS}, _NULL]},
    "require_reply": {"anyOf": [{"type": "boolean"}, _TEXT, _NULL]},
    "checksum": _CHECKSUM,
    "min_up": _SHARE,
    "canary": {"anyOf": [_PERCENT, _TEMPLATE, _NULL]},
    "type": {"anyOf": [{"enum": list(health.KINDS)}, _TEMPLATE]},
}
_ELEMENTS: Mapping[str, Any] = {
    "scheduler_flags": {"enum": sorted(flag for flags in forms.FLAGS_OF_SCHEDULER.values() for flag in flags)},
    "ports": _PORTS,
    "snat_addresses": _TEXT,
}
_REQUIRED: Mapping[str, list[str]] = {
    "lvs_services[]": ["name", "forward", "real_servers"],
    "lvs_services[].health_check": ["type"],
    "lvs_services[].marked[]": ["address"],
}


# A mapping, or a list of them.
_SEVERAL: Mapping[str, Any] = {"several": True}


class _Noted(values.Reader):
    """A reader that notes what it is asked for."""

    notes: dict[str, dict[str, list[Any]]] = {}  # noqa: RUF012, of one run, by the context manager

    def _note(self, key: str, schema: Any) -> None:
        path = re.sub(r"\[\d+\]", "[]", self.path)
        known = self.notes.setdefault(path, {}).setdefault(key, [])
        if schema not in known:
            known.append(schema)

    def take(self, key: str) -> Any:
        self.notes.setdefault(re.sub(r"\[\d+\]", "[]", self.path), {}).setdefault(key, [])
        return super().take(key)

    def integer(self, key: str, low: int, high: int, default: int) -> int:
        self._note(key, {"type": "integer", "minimum": low, "maximum": high})
        return super().integer(key, low, high, default)

    def number(self, key: str, low: float, high: float, default: float, digits: int) -> float:
        self._note(key, {"type": "number", "minimum": low, "maximum": high})
        return super().number(key, low, high, default, digits)

    def boolean(self, key: str, default: bool) -> bool:
        self._note(key, {"type": "boolean"})
        return super().boolean(key, default)

    def choice(self, key: str, choices: Iterable[str], default: str) -> str:
        self._note(key, {"enum": list(choices)})
        return super().choice(key, choices, default)

    def elements(self, key: str, kind: str) -> list[Any]:
        self._note(key, {"type": "array"})
        return super().elements(key, kind)

    def one_or_several(self, key: str, kind: str) -> list[tuple[str, Mapping[str, Any]]] | None:
        self._note(key, _SEVERAL)
        return super().one_or_several(key, kind)

    def mapping(self, key: str, kind: str) -> Mapping[str, Any] | None:
        self._note(key, {"type": "object"})
        return super().mapping(key, kind)


@contextmanager
def _noting() -> Iterator[dict[str, dict[str, list[Any]]]]:
    with ExitStack() as stack:
        notes: dict[str, dict[str, list[Any]]] = {}
        stack.enter_context(patch.object(_Noted, "notes", notes))
        for module in _MODULES:
            stack.enter_context(patch.object(module, "Reader", _Noted))
        yield notes


def _probes() -> list[dict[str, Any]]:
    """Services that make the reader ask for everything."""
    common: dict[str, Any] = {
        "persistence": {},
        "sorry_server": {"address": "10.0.0.9", "tunnel": {}},
        "marked": [{}],
        **{key: {} for key in ("quorum_up", "quorum_down")},
    }
    of_real_server = {"address": "10.0.0.1", "tunnel": {}, **{key: {} for key in ("notify_up", "notify_down")}}
    identities: list[dict[str, Any]] = [
        {"fwmark": 1, "family": "ipv4"},
        {"address": "10.0.0.2", "port": 80, "protocol": "tcp"},
    ]
    return [
        {
            **common,
            **identity,
            "name": kind,
            "forward": forward,
            "health_check": {"type": kind, "urls": urls},
            "real_servers": [{**of_real_server, "health_check": {"type": kind}}],
        }
        for identity in identities
        for kind in health.KINDS
        for forward in METHODS
        for urls in ([], [{}])
    ]


def schema() -> dict[str, Any]:
    """The schema of a file of variables: what it says of lvs_services."""
    with _noting() as notes:
        site_of({"lb1": {"lvs_services": _probes()}}, {"lvs_directors": ["lb1"]}, [])
    paths = {path.partition(": ")[2] or path: keys for path, keys in notes.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        # A name and no address, because where the project is published is not known.
        "$id": "urn:lvs.topology:lvs_services",
        "title": "Variables of lvs.topology",
        "$defs": {"health_check": _object("lvs_services[].health_check", paths)},
        "type": "object",
        "properties": {
            "lvs_services": {
                "anyOf": [{"type": "array", "items": _object("lvs_services[]", paths)}, _TEMPLATE],
            }
        },
    }


def _object(path: str, paths: Mapping[str, Mapping[str, list[Any]]]) -> dict[str, Any]:
    properties = {key: _value(key, f"{path}.{key}", noted, paths) for key, noted in sorted(paths[path].items())}
    found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if path in _REQUIRED:
        found["required"] = _REQUIRED[path]
    if path == "lvs_services[]":
        # A service is an address and a port, or a mark.
        found["anyOf"] = [{"required": ["address", "port"]}, {"required": ["fwmark", "family"]}]
    if path.endswith(".health_check"):
        found["allOf"] = [_of_kind(name) for name in health.KINDS]
    return found


def _of_kind(name: str) -> dict[str, Any]:
    """What a kind of check has not may only be there without a value."""
    others = {option for kind in health.KINDS.values() for option in kind.options} - set(health.KINDS[name].options)
    return {
        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
        "then": {"properties": dict.fromkeys(sorted(others), _NULL)},
    }


def _value(key: str, path: str, noted: list[Any], paths: Mapping[str, Mapping[str, list[Any]]]) -> dict[str, Any]:
    if _SEVERAL in noted:
        # The same for a service and a real server.
        one = {"$ref": f"#/$defs/{key}"}
        return {"anyOf": [one, {"type": "array", "items": one}, _TEMPLATE]}
    if not noted and path in paths:
        return {"anyOf": [_TEXT, _object(path, paths), _NULL]}
    if not noted or (key == "checksum" and noted):
        return dict(_TAKEN.get(key, {"anyOf": [_TEXT, _NULL]}))
    found: list[Any] = []
    for each in noted:
        if each == {"type": "array"}:
            items = _object(f"{path}[]", paths) if f"{path}[]" in paths else _ELEMENTS.get(key, {})
            return {"anyOf": [{"type": "array", "items": items}, _TEMPLATE]}
        if each == {"type": "object"}:
            return {"anyOf": [_object(path, paths), _TEMPLATE]}
        found.append(each)
        if each.get("type") == "integer":
            found.append(_DIGITS)
        elif each.get("type") == "number":
            found.append(_DECIMALS)
        elif each.get("type") == "boolean":
            found.append({"type": "string", "pattern": _booleans()})
    # An explicit null is a key that was not given.
    unique: list[Any] = []
    for each in [*found, _TEMPLATE, _NULL]:
        if each not in unique:
            unique.append(each)
    return {"anyOf": unique}


def _booleans() -> str:
    words = (
        "".join(f"[{letter.lower()}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
        for word in sorted(values._BOOLEANS)
    )
    return f"^({'|'.join(words)})$"
