# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How ldirectord checks the real servers of a service -> the health_check that comes next to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.ldirectord_lines import Given, Virtual, number
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import problem_of_pattern
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS

# What the model takes where nothing is written.
_MODEL = {"interval": 3, "timeout": 3, "retries": 1}
_INTERVAL = 10
_TIMEOUT, _NEGOTIATE_TIMEOUT = 5, 30
# Which service a port is taken for where no service is written.
_SERVICES = {
    **{21: "ftp", 25: "smtp", 53: "dns", 80: "http", 110: "pop", 119: "nntp", 143: "imap", 389: "ldap", 443: "https"},
    **{587: "submission", 636: "ldaps", 993: "imaps", 995: "pops", 1521: "oracle", 1812: "radius", 3128: "http_proxy"},
    **{3306: "mysql", 5060: "sip", 5432: "pgsql"},
}
# What only a conversation with that service would need. A connection is what is left of it.
_CONVERSATION = ("login", "passwd", "database", "secret", "request", "receive")
_WEB = ("http", "https")
_ANCHORS = re.compile(r"\A\^|\$\Z")
# Of services that a check of the model logs in to: which keys of ldirectord are which of that check.
_OF_LOGIN = {"login": "login", "passwd": "password"}
_LOGIN_KEYS = {
    **dict.fromkeys(("imap", "pop", "ftp"), _OF_LOGIN),
    **{service: {**_OF_LOGIN, "database": "database"} for service in ("mysql", "pgsql")},
    "ldap": {**_OF_LOGIN, "request": "base"},
}
_TIMES = ("checktimeout", "negotiatetimeout", "connecttimeout", "checkinterval", "failurecount")


@dataclass
class _Asked:
    """What is asked. ``taken`` are the keys of the service that were read."""

    service: str
    virtual: Virtual
    identity: Mapping[str, Any]
    times: dict[str, Any]
    taken: set[str]
    remarks: Remarks

    @property
    def port(self) -> dict[str, int]:
        """The port where it is another one than the real server's."""
        self.taken.add("checkport")
        found = number("checkport", self.remarks, self.virtual.given)
        return {"port": found} if found else {}


def read_check(
    virtual: Virtual, common: Given, identity: Mapping[str, Any], taken: set[str], remarks: Remarks
) -> dict[str, Any] | None:
    """The health_check; None where nothing is checked. The keys that were read are added to ``taken``."""
    kind = virtual.value("checktype") or "negotiate"
    default = "none" if "fwmark" in identity else _SERVICES.get(identity["port"], "none")
    service = virtual.value("service") or default
    if kind == "on" or (kind == "negotiate" and service == "none"):
        return None
    if kind.isdecimal():
        reason = "the model speaks to the service each time, or never: connections are checked"
        remarks.lost(virtual.given["checktype"][1], [f"checktype={kind}"], reason)
        kind = "combined"
    times = _times(virtual, common, remarks, is_negotiated=kind == "negotiate")
    taken.update(_TIMES)
    read = _KINDS.get(kind)
    if read is None:
        reason = "the model has no such check"
        remarks.lost(virtual.given["checktype"][1], [f"checktype={kind}"], reason)
        return None
    return read(_Asked(service, virtual, identity, times, taken, remarks))


def _times(virtual: Virtual, common: Given, remarks: Remarks, *, is_negotiated: bool) -> dict[str, Any]:
    interval = number("checkinterval", remarks, virtual.given, common) or _INTERVAL
    failures = number("failurecount", remarks, virtual.given, common) or 1
    found = {
        "interval": interval,
        "timeout": _timeout(virtual, common, remarks, is_negotiated=is_negotiated),
        "retries": failures - 1,
    }
    kept = {key: value for key, value in found.items() if _MODEL[key] != value}
    # A failed check is repeated when its turn comes again.
    return {**kept, "retry_delay": interval} if failures > 1 else kept


def _timeout(virtual: Virtual, common: Given, remarks: Remarks, *, is_negotiated: bool) -> int:
    """Each of the two timeouts stands for the other one where that is not written."""
    keys = ("negotiatetimeout", "checktimeout") if is_negotiated else ("checktimeout", "negotiatetimeout")
    given = (number(key, remarks, of) for of in (virtual.given, common) for key in keys)
    return next((each for each in given if each), _NEGOTIATE_TIMEOUT if is_negotiated else _TIMEOUT)


def _ping(asked: _Asked) -> dict[str, Any]:
    return {"type": "ping", **asked.times}


def _connect(asked: _Asked) -> dict[str, Any]:
    """A connection; of UDP, which has none, ldirectord asks whether the host is there."""
    if asked.identity.get("protocol") == "udp":
        return _ping(asked)
    return {"type": "tcp", **asked.times, **asked.port}


def _external(asked: _Asked) -> dict[str, Any]:
    asked.taken.add("checkcommand")
    vip = asked.identity.get("address", asked.identity.get("fwmark"))
    script = asked.virtual.value("checkcommand") or "/bin/true"
    command = f"{script} {vip} {asked.identity.get('port', 0)} {{address}} {{port}}"
    return {"type": "misc", **asked.times, "script": command}


def _negotiate(asked: _Asked) -> dict[str, Any]:
    virtual, taken = asked.virtual, asked.taken
    if asked.service in _WEB:
        taken |= {"request", "receive", "virtualhost"}
        said = {
            "path": path_of(virtual.value("request")),
            "regex": pattern_of(
                virtual.value("receive"), virtual.given.get("receive", ("", virtual.place))[1], asked.remarks
            ),
            "virtual_host": virtual.value("virtualhost"),
        }
        kept = {key: value for key, value in said.items() if value}
        return {"type": asked.service, **asked.times, **asked.port, "status": "200-299", **kept}
    if asked.service in ("smtp", "submission"):
        return {"type": "smtp", **asked.times, **asked.port}
    if asked.service == "dns":
        taken.add("request")
        name = virtual.value("request")
        return {"type": "dns", **asked.times, **asked.port, "query_type": "A", **({"name": name} if name else {})}
    return _conversation(asked, is_negotiated=True)


def path_of(request: str | None) -> str | None:
    """The path of a request; None: that of the site."""
    path = request if request is None or request.startswith("/") else f"/{request}"
    return None if path == "/" else path


def pattern_of(receive: str | None, place: Place, remarks: Remarks) -> str | None:
    """What an answer must contain, where keepalived takes such a pattern."""
    # ldirectord looks at the page alone: where that begins and ends, a line does.
    pattern = f"(?m){receive}" if receive and _ANCHORS.search(receive) else receive
    problem = problem_of_pattern(pattern) if pattern else None
    if problem:
        remarks.lost(place, ["receive"], f"{problem}: any content is success")
    return None if problem else pattern or None


def own_check(
    check: dict[str, Any] | None, request: str, receive: str, place: Place, remarks: Remarks
) -> dict[str, Any] | None:
    """The check of a real server that is asked for something else than the others; None where it cannot be."""
    if check is None or check["type"] not in _WEB:
        remarks.lost(
            place, [request, receive], "the model asks real servers for pages of their own only by http, https"
        )
        return None
    said = {"path": path_of(request), "regex": pattern_of(receive, place, remarks)}
    kept = {key: value for key, value in check.items() if key not in said}
    return {**kept, **{key: value for key, value in said.items() if value}}


def _conversation(asked: _Asked, *, is_negotiated: bool = False) -> dict[str, Any]:
    """A connection in place of what the model cannot say to the service, which is listed."""
    if asked.service == "none":
        return _connect(asked)
    given, known = asked.virtual.given, LOGINS.get(asked.service)
    keys = _LOGIN_KEYS.get(asked.service, {})
    said = {key: given[keyword][0] for keyword, key in keys.items() if keyword in given}
    if is_negotiated and known and all(key in said for key in known.needed):
        asked.taken.update(keys)
        for key in [each for each in _CONVERSATION if each in given and each not in keys]:
            reason = f"the check of {asked.service} logs in, and asks nothing of its own"
            asked.remarks.lost(given[key][1], [key], reason)
            asked.taken.add(key)
        times = {**asked.times, **({"timeout": ceil(asked.times["timeout"])} if "timeout" in asked.times else {})}
        return {"type": asked.service, **times, **asked.port, **said}
    reason = f"the model has no check that speaks {asked.service}: a connection is checked"
    place = given["service"][1] if "service" in given else asked.virtual.place
    asked.remarks.lost(place, [f"service={asked.service}"], reason)
    for key in _CONVERSATION:
        if key in given:
            asked.remarks.lost(given[key][1], [key], reason)
            asked.taken.add(key)
    return _connect(asked)


_KINDS: Mapping[str, Callable[[_Asked], dict[str, Any]]] = {
    "ping": _ping,
    "connect": _connect,
    "external": _external,
    "negotiate": _negotiate,
    "combined": _conversation,
}
