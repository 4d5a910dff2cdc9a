# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks: the kinds that there are, their options, and what is wrong with those that were written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._look.questions import (
    LONGEST_LABEL,
    LONGEST_NAME,
    is_domain,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import (
    LONGEST,
    fits,
    read_command,
    read_host,
    read_path,
    read_pattern,
    read_user,
    read_word,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_address, as_integer
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS, reader_of

# In a command or path of a check, what stands for the real server that is checked.
PLACEHOLDERS = ("{address}", "{port}")
_HOUR = 3600
_DAY = 86400
_MICROSECONDS = 6
_DIGEST = re.compile(r"[0-9a-f]{32}\Z")
_HEX = re.compile(r"([0-9A-Fa-f]{2})+\Z")
_HEX_OR_ANY = re.compile(r"([0-9A-Fa-fXx]{2})+\Z")
# Kinds that keepalived makes by a command, which it stops after whole seconds.
_BY_COMMAND = ("misc", *LOGINS)
# What a check connects to: the real server's own address, or the VIP as clients do.
_THROUGH = ("rip", "vip")
_QUERY_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA")
_SUCCESS = "200"


def read_checks(
    reader: Reader, asked: Sequence[tuple[Address, int]], forward: str | None
) -> tuple[Mapping[str, Any], ...] | None:
    """The health checks, of which all have to succeed; None where nothing is said of them.

    ``asked`` are the addresses of the real servers with their ports, 0 where one has every port of its service.
    ``forward`` None: not known.
    """
    given = reader.one_or_several("health_check", "{type: tcp}")
    if given is None:
        return None
    found: list[Mapping[str, Any]] = []
    for key, raw in given:
        check = _check(Reader(raw, reader.at(key), reader.mistakes), raw, asked, forward)
        if check in found:
            first = given[found.index(check)][0]
            reader.refuse(key, f"is the same as {first}", "keep one")
        found.append(check)
    return tuple(found)


def _check(
    inner: Reader, raw: Mapping[str, Any], asked: Sequence[tuple[Address, int]], forward: str | None
) -> Mapping[str, Any]:
    kind = inner.take("type")
    if not isinstance(kind, str) or kind not in KINDS:
        problem = "is missing" if kind is None else f"{show(kind)} is not known"
        inner.refuse("type", problem, choose(kind, KINDS))
        return {"type": "tcp"}
    options = KINDS[kind].options
    check: dict[str, Any] = {"type": kind} | (_times(inner, kind) if "interval" in options else {})
    check |= KINDS[kind].read(inner)
    if "port" in options:
        port = inner.integer("port", 1, 65535, default=0)
        if port:
            check["port"] = port
        elif not KINDS[kind].port and any(not own for _address, own in asked):
            inner.refuse("port", "is needed where real servers have no port of their own", "write the port to check")
    if "address" in options:
        check |= _way(inner, asked)
    if "through" in options and inner.choice("through", _THROUGH, _THROUGH[0]) != _THROUGH[0]:
        check["through"] = "vip"
        if forward in ("nat", "fullnat"):
            problem = f"is vip, and with forward: {forward} a real server serves its own address"
            inner.refuse("through", problem, "leave it out: a check of that address goes where clients' packets go")
        for key in ("address", "source", "source_port", "fwmark"):
            if inner.take(key) is not None:
                problem = "stands beside through: vip, which decides where a check goes, and where it comes from"
                inner.refuse(key, problem, "keep one of them")
    _refuse_others(inner, raw, kind)
    inner.finish()
    return {key: value for key, value in check.items() if value is not None}


def _way(reader: Reader, asked: Sequence[tuple[Address, int]]) -> dict[str, Any]:
    """Where a check goes to and comes from, where that is not the real server itself and not left to the kernel."""
    target = _address(reader, "address", "write the address that answers for the real server", forms.SORRY_SERVER)
    source = _address(reader, "source", "write an address of the director", forms.OWN_ADDRESS)
    families = {target.version} if target else {address.version for address, _port in asked}
    if source and families - {source.version}:
        problem = f"{source} is not of the family of what is asked"
        reader.refuse("source", problem, f"use an IPv{min(families - {source.version})} address")
    return {
        "address": str(target) if target else None,
        "source": str(source) if source else None,
        "source_port": reader.integer("source_port", *forms.REAL_PORTS, default=0) or None,
        "fwmark": reader.integer("fwmark", *forms.FIREWALL_MARKS, default=0) or None,
    }


def _address(reader: Reader, key: str, remedy: str, purpose: forms.Purpose) -> Address | None:
    raw = reader.take(key)
    if raw is None:
        return None
    address = as_address(raw)
    problem = "is no IP address" if address is None else purpose.problem(address)
    if problem:
        reader.refuse(key, f"{show(raw)} {problem}", remedy)
        return None
    return address


def _times(reader: Reader, kind: str) -> dict[str, Any]:
    timeout = (
        reader.integer("timeout", 1, _HOUR, default=3)
        if kind in _BY_COMMAND
        else reader.number("timeout", 0.001, _HOUR, default=3, digits=_MICROSECONDS)
    )
    warmup = reader.number("warmup", 0, _DAY, default=-1, digits=_MICROSECONDS)
    return {
        "interval": reader.number("interval", 0.001, _DAY, default=3, digits=_MICROSECONDS),
        "timeout": timeout,
        "retries": reader.integer("retries", 0, 1000, default=1),
        "retry_delay": reader.number("retry_delay", 0.001, _HOUR, default=1, digits=_MICROSECONDS),
        "warmup": None if warmup < 0 else warmup,
    }


def _http(reader: Reader) -> dict[str, Any]:
    virtual_host = read_host(reader, "virtual_host")
    elements = reader.elements("urls", "URLs")
    if not elements:
        return {"urls": [_url(reader, virtual_host)]}
    for key in ("path", "status", "digest", "regex", "regex_no_match"):
        if reader.take(key) is not None:
            reader.refuse(key, "stands beside urls", "write it in each of urls")
    urls = []
    for position, each in enumerate(elements):
        at = f"urls[{position}]"
        if not isinstance(each, Mapping):
            reader.refuse(at, f"must be a mapping, is {show(each)}", "write it as {path: /, status: 200}")
            continue
        inner = Reader(each, reader.at(at), reader.mistakes)
        urls.append(_url(inner, read_host(inner, "virtual_host") or virtual_host))
        inner.finish()
    return {"urls": urls}


def _url(reader: Reader, virtual_host: str | None) -> dict[str, Any]:
    path = read_word(reader, "path", "path", "write what is special in it as %21 or the like") or "/"
    if not path.startswith("/"):
        reader.refuse("path", f"{show(path)} does not begin with a slash", "write it as /health")
    digest = reader.take("digest")
    if digest is not None and not (isinstance(digest, str) and _DIGEST.match(digest)):
        reader.refuse("digest", f"{show(digest)} is no MD5 digest", "write the 32 hexadecimal digits of genhash")
    status, regex = _status(reader), read_pattern(reader, "regex")
    is_absent = reader.boolean("regex_no_match", default=False)
    if is_absent and reader.take("regex") is None:
        reader.refuse("regex_no_match", "has no regex to go with", "write what an answer must not contain as regex")
    # A digest is looked at whatever the status; only where neither is asked for is 200 what counts.
    url = {"path": path, "status": status or ([] if digest else [_SUCCESS]), "digest": digest}
    url |= {"regex": regex, "regex_no_match": is_absent, "virtual_host": virtual_host}
    return {key: value for key, value in url.items() if value}


def _status(reader: Reader) -> list[str]:
    raw = reader.take("status")
    if raw is None:
        return []
    found = []
    for position, each in enumerate(raw if isinstance(raw, list) else [raw]):
        first, dash, last = each.partition("-") if isinstance(each, str) else (each, "", "")
        low, high = as_integer(first), as_integer(last if dash else first)
        if low is None or high is None or not 100 <= low <= high <= 599:
            at = f"status[{position}]" if isinstance(raw, list) else "status"
            reader.refuse(at, f"{show(each)} is no HTTP status", "use 100 to 599, or a range such as 200-299")
        else:
            found.append(f"{low}-{high}" if dash else str(low))
    if len(" ".join(found)) > LONGEST:
        reader.refuse("status", "is longer than a line that keepalived reads", "write ranges, such as 200-299")
    return found


def _https(reader: Reader) -> dict[str, Any]:
    return _http(reader) | {"sni": reader.boolean("sni", default=False) or None}


def _dns(reader: Reader) -> dict[str, Any]:
    name = read_host(reader, "name")
    if name is not None and not is_domain(name):
        remedy = f"write at most {LONGEST_LABEL} characters between two dots, and at most {LONGEST_NAME} in all"
        reader.refuse("name", f"{show(name)} is no name of a domain", remedy)
    return {
        "name": name,
        "query_type": reader.choice("query_type", _QUERY_TYPES, "SOA"),
    }


def _smtp(reader: Reader) -> dict[str, Any]:
    return {"helo_name": read_host(reader, "helo_name")}


def _misc(reader: Reader) -> dict[str, Any]:
    script = read_command(reader, "script", PLACEHOLDERS)
    if reader.take("script") is None:
        reader.refuse("script", "is missing", "write the command; {address} and {port} stand for the real server's")
    dynamic = reader.boolean("dynamic_weight", default=False)
    return {"script": script, "dynamic_weight": dynamic or None, "user": read_user(reader, "user")}


def _file(reader: Reader) -> dict[str, Any]:
    path = read_path(reader, "path", PLACEHOLDERS)
    if reader.take("path") is None:
        reader.refuse("path", "is missing", "write the file; {address} and {port} stand for the real server's")
    return {"path": path, "weight": reader.integer("weight", -(2**31) + 1, 2**31 - 1, default=0)}


def _udp(reader: Reader) -> dict[str, Any]:
    require_reply = reader.take("require_reply")
    return {
        "payload": _hex(reader, "payload", _HEX, "write bytes as pairs of hexadecimal digits, such as 0a1b"),
        "require_reply": require_reply or None
        if isinstance(require_reply, bool)
        else _hex(reader, "require_reply", _HEX_OR_ANY, "use true, or pairs of hexadecimal digits, x for any"),
    }


def _hex(reader: Reader, key: str, pattern: re.Pattern[str], remedy: str) -> str | None:
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.match(value):
        reader.refuse(key, f"{show(value)} is not hexadecimal", remedy)
        return None
    return value if fits(reader, key, value) else None


def _nothing(_reader: Reader) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class _Kind:
    """A kind of health check: the options that it has, and how those that no other reader knows are read.

    ``port`` is what is asked where neither the check nor the real server says one.
    """

    options: tuple[str, ...]
    read: Callable[[Reader], dict[str, Any]] = _nothing
    port: int = 0


_TIMES = ("interval", "timeout", "retries", "retry_delay", "warmup")
_WAY = ("address", "source", "source_port", "fwmark")
_ASKED = (*_TIMES, "port", "through", *_WAY)
_HTTP = (*_ASKED, "path", "status", "virtual_host", "digest", "regex", "regex_no_match", "urls")
KINDS: Mapping[str, _Kind] = {
    "http": _Kind(_HTTP, _http),
    "https": _Kind((*_HTTP, "sni"), _https),
    "tcp": _Kind(_ASKED),
    "udp": _Kind((*_ASKED, "payload", "require_reply"), _udp),
    "smtp": _Kind((*_ASKED, "helo_name"), _smtp),
    "dns": _Kind((*_ASKED, "name", "query_type"), _dns),
    "ping": _Kind((*_TIMES, "address", "source", "fwmark")),
    "misc": _Kind((*_TIMES, "script", "dynamic_weight", "user"), _misc),
    **{
        kind: _Kind((*_TIMES, "port", "address", *each.keys), reader_of(kind), each.port)
        for kind, each in LOGINS.items()
    },
    # The kernel tells keepalived of changes: there are no times.
    "file": _Kind(("path", "weight"), _file),
}


# The kinds that ask by UDP, whatever the service's protocol is.
BY_DATAGRAM = ("dns", "udp")


def _refuse_others(reader: Reader, raw: Mapping[str, Any], kind: str) -> None:
    """An option of another type is no unknown key: it is in the wrong place."""
    for key in raw:
        of = [name for name, each in KINDS.items() if key in each.options]
        if of and key not in KINDS[kind].options and reader.take(key) is not None:
            remedy = "leave it out" + (f", or use type: {' or '.join(of)}" if len(of) < 4 else "")
            reader.refuse(key, f"has no meaning with type: {kind}", remedy)


def sets_weight(check: Mapping[str, Any]) -> bool:
    """Whether a health check does not only say that a real server is up, but also which weight it gets."""
    return bool(check.get("dynamic_weight") or (check["type"] == "file" and check.get("weight")))
