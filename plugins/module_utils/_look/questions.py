# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client asks a service that it is connected to, as bytes, by what a health check says of the service. Pure."""

from __future__ import annotations

import struct
from typing import Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes

# A request larger than any usual MTU and below what web servers take as one header (nginx 8 KiB, Apache 8,190 bytes).
SIZES = forms.Range(0, 8000)
_LONGEST = 4096
_QUERY_TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
# RFC 1035, section 2.3.4, and that a name of 255 bytes has 253 characters where dots stand for the lengths of labels.
LONGEST_LABEL, LONGEST_NAME = 63, 253
_CLASS_IN, _ONE_QUESTION = 1, 1
# Every question comes from a port of its own, so its number distinguishes nothing.
_NUMBER = 0x6C76
# By kind of question, the options that it has, and those that it cannot do without.
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "http": ("path", "host", "size"),
    "dns": ("name", "query_type"),
    "bytes": ("payload",),
}
SPEC: dict[str, Any] = {
    "kind": {"type": "str", "choices": list(_OPTIONS), "required": True},
    "path": {"type": "str"},
    "host": {"type": "str"},
    "size": {"type": "int"},
    "name": {"type": "str"},
    "query_type": {"type": "str", "choices": list(_QUERY_TYPES)},
    "payload": {"type": "str"},
}


def question(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> bytes:
    """What is sent. What is wrong with the options joins the mistakes."""
    kind = given["kind"]
    for name, value in given.items():
        if name != "kind" and name not in _OPTIONS[kind] and value is not None:
            mistakes.add(f"{path}.{name}", f"has no meaning with kind: {kind}; leave it out")
    return {"http": _http, "dns": _dns, "bytes": _payload}[kind](given, path, mistakes)


def _http(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> bytes:
    for name in ("path", "host"):
        value = given[name]
        if not forms.is_line(value, _LONGEST) or not value.isascii() or " " in value:
            mistakes.add(f"{path}.{name}", f"{forms.shown(value)} cannot stand in a request; write it as in a URL")
            return b""
    size = given["size"] or 0
    mistakes.within(f"{path}.size", size, SIZES, "a number of bytes")
    lines = [f"GET {given['path']} HTTP/1.1", f"Host: {given['host']}", "Connection: close"]
    missing = size - len("\r\n".join([*lines, "X-Filler: ", "", ""]))
    if missing > 0:
        lines.append(f"X-Filler: {'x' * missing}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _dns(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> bytes:
    """A question as RFC 1035, section 4.1, has it; recursion is not asked for."""
    labels = _labels(given["name"] or "")
    if not is_domain(given["name"] or ""):
        mistakes.add(f"{path}.name", f"{forms.shown(given['name'])} is no name of a domain")
        return b""
    header = struct.pack("!6H", _NUMBER, 0, _ONE_QUESTION, 0, 0, 0)
    name = b"".join(bytes([len(each)]) + each for each in labels)
    return header + name + b"\0" + struct.pack("!2H", _QUERY_TYPES[given["query_type"] or "SOA"], _CLASS_IN)


def is_domain(name: str) -> bool:
    """Whether a question can have such a name; the empty one is that of the root."""
    labels = _labels(name)
    return all(len(each) <= LONGEST_LABEL for each in labels) and len(b".".join(labels)) <= LONGEST_NAME


def _labels(name: str) -> list[bytes]:
    return [each.encode("ascii", "replace") for each in name.rstrip(".").split(".") if each]


def _payload(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> bytes:
    try:
        return bytes.fromhex(given["payload"] or "")
    except ValueError:
        mistakes.add(f"{path}.payload", f"{forms.shown(given['payload'])} is not hexadecimal")
        return b""
