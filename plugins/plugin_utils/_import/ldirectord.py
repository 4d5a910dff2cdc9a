# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ldirectord.cf -> one director in the words of the model. The defaults are those of ldirectord 1.186. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_parser import Names
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import (
    Director,
    Found,
    family_name,
    name_of,
    persistence,
    written,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ldirectord_checks import own_check, read_check
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ldirectord_lines import (
    REASONS,
    Given,
    Virtual,
    number,
    split,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks, Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address

_METHODS = {"gate": "dr", "masq": "nat", "ipip": "tun"}
_MOST_IN_RANGE = 4096
_MOST_REAL_SERVERS = 65_536
_ENDPOINT = re.compile(r"(?:\[([^\]]*)\]|([^\s:\[\]]+?))(?::([A-Za-z0-9_-]+))?", re.DOTALL)
_REAL = re.compile(
    r"(?P<who>\S+)(?:\s+(?P<method>\w+))?(?:\s+(?P<weight>\d+))?"
    r"(?:\s+(?P<asked>\"[^\"]*\"\s*[, ]\s*\"[^\"]*\"))?(?:\s+l:(?P<lower>\d+))?(?:\s+u:(?P<upper>\d+))?"
)
_LOCAL = "127.0.0.1"
_QUOTED = re.compile(r"\"([^\"]*)\"")


def read_ldirectord(files: Files, name: str, remarks: Remarks, names: Names | None = None) -> Director:
    """The director of one file. ``names`` says what names of hosts and ports mean."""
    reader = _Reader(remarks, names or Names())
    common, virtuals = split(files.text(name), name, remarks)
    director = Director("", Place(name, 1), variables={"lvs_manager": "keepalived"})
    mail = read_mail(common, remarks)
    if mail:
        director.variables["lvs_keepalived"] = {"mail": mail}
        director.places["lvs_keepalived"] = common["emailalert"][1]
    first: dict[tuple[Any, ...], Found] = {}
    for each in virtuals:
        found = reader.service(each, common)
        if found is None:
            continue
        if first.setdefault(found.key, found) is not found:
            line = first[found.key].place.line
            remarks.lost(each.place, ["virtual", each.text], f"the service is there already, in line {line}")
        else:
            director.services.append(found)
    for vip, first_of in {found.vip: found for found in reversed(director.services) if found.vip}.items():
        reason = "no file says who holds this VIP: the model's keepalived does. Whatever holds it now has to let go"
        remarks.note(first_of.place, [str(vip)], reason)
    return director


def read_mail(common: Given, remarks: Remarks) -> dict[str, Any] | None:
    """Whom the file tells by mail, for all services; None where it is nobody."""
    if "emailalert" not in common:
        for key in ("emailalertfrom", "smtp"):
            if key in common:
                remarks.lost(common[key][1], [key], "there is no emailalert, so nobody is told by mail")
        return None
    text, place = common["emailalert"]
    found: dict[str, Any] = {"to": [each for each in re.split(r"[,\s]+", text) if each]}
    if "emailalertfrom" in common:
        found["from"] = common["emailalertfrom"][0]
    if "smtp" not in common:
        reason = "the mail program of the director is what ldirectord hands mails to, and keepalived does it by SMTP"
        remarks.note(place, ["emailalert"], reason)
    return {**found, "server": common["smtp"][0] if "smtp" in common else _LOCAL}


class _Reader:
    def __init__(self, remarks: Remarks, names: Names) -> None:
        self._remarks = remarks
        self._names = names
        self._count = 0

    def service(self, virtual: Virtual, common: Given) -> Found | None:
        identity = self._identity(virtual)
        if identity is None:
            return None
        servers, methods = self._pool(virtual, identity)
        if virtual.value("checktype") == "off":
            _value, place = virtual.given["checktype"]
            reason = "ldirectord never adds the real servers, so the service is left out"
            self._remarks.lost(place, ["checktype=off"], reason)
            return None
        if not servers:
            self._remarks.lost(virtual.place, ["virtual", virtual.text], "it has no real server")
            return None
        if len(methods) > 1:
            reason = f"its real servers are reached by {' and '.join(sorted(methods))}: a service has one method"
            self._remarks.lost(virtual.place, ["virtual", virtual.text], reason)
            return None
        forward = methods.pop()
        taken = {
            "protocol",
            "service",
            "checktype",
            "scheduler",
            "schedflags",
            "persistent",
            "netmask",
            "ops",
            "comment",
        }
        taken |= {"quiescent", "fallback", "fallback6", "servicename"}
        check = read_check(virtual, common, identity, taken, self._remarks)
        for each in servers:
            if each["health_check"]:
                each["health_check"] = self._own_check(check, *each["health_check"])
        quiescent = virtual.value("quiescent") or (common["quiescent"][0] if "quiescent" in common else "no")
        family = 6 if identity.get("family") == "ipv6" or ":" in str(identity.get("address", "")) else 4
        netmask: Any = virtual.value("netmask")
        entry = {
            "name": name_of(identity),
            **identity,
            "forward": forward,
            "scheduler": self._scheduler(virtual),
            "scheduler_flags": [each for each in (virtual.value("schedflags") or "").split(",") if each],
            "persistence": persistence(
                number("persistent", self._remarks, virtual.given),
                forms.integer(netmask) if family == 6 else netmask,
                None,
                family,
            ),
            "one_packet": virtual.value("ops") == "yes" and identity.get("protocol") == "udp",
            "health_check": check,
            "inhibit_on_failure": quiescent == "yes",
            "sorry_server": self._fallback(virtual, common, identity, forward),
            "real_servers": servers,
        }
        for key, (_value, place) in virtual.given.items():
            if key not in taken:
                self._remarks.lost(place, [key], REASONS.get(key, "the model has no key for it here"))
        places = {key: place for key, (_value, place) in virtual.given.items()}
        return Found(written(entry), virtual.place, places)

    def _identity(self, virtual: Virtual) -> dict[str, Any] | None:
        if virtual.text.isascii() and virtual.text.isdecimal():
            return {"fwmark": int(virtual.text[:12]), "family": family_name(6 if virtual.is_v6 else 4)}
        found = _ENDPOINT.fullmatch(virtual.text)
        protocol = virtual.value("protocol") or ("udp" if virtual.text.endswith((":53", ":domain")) else "tcp")
        endpoint = self._endpoint(found, protocol, virtual.place, virtual.text)
        if endpoint is None:
            return None
        return {"address": str(endpoint[0]), "port": endpoint[1], "protocol": protocol}

    def _endpoint(
        self, found: re.Match[str] | None, protocol: str, place: Place, text: str, port: int = 0
    ) -> tuple[Address, int] | None:
        """An address and a port, which may be names."""
        if not found:
            self._remarks.lost(place, [text], "it is no address with a port")
            return None
        host, name = found.group(1) or found.group(2) or "", found.group(3)
        try:
            address = as_address(host) or ip_address(self._names.address(host, found.group(1) is not None))
            number = port if name is None else forms.integer(name)
            if number is None and name is not None:
                number = self._names.port(name, protocol)
        except ValueError as problem:
            self._remarks.lost(place, [text], str(problem).replace("print the rules with ipvsadm -S -n, or ", ""))
            return None
        if number not in forms.PORTS:
            self._remarks.lost(place, [text], "its port is none from 0 to 65535")
            return None
        return address, int(number or 0)

    def _pool(self, virtual: Virtual, identity: Mapping[str, Any]) -> tuple[list[dict[str, Any]], set[str]]:
        servers: list[dict[str, Any]] = []
        methods: set[str] = set()
        seen: set[tuple[Any, Any]] = set()
        for text, place in virtual.reals:
            found = _REAL.fullmatch(text)
            method = _METHODS.get(found.group("method") or "") if found else None
            if not found or method is None:
                reason = "write it as ADDRESS:PORT gate|masq|ipip WEIGHT"
                self._remarks.lost(place, ["real", text.split()[0] if text else ""], reason)
                continue
            methods.add(method)
            for address, own in self._range(found.group("who"), identity, place):
                # Only masquerading maps ports.
                port = identity["port"] if method != "nat" and "address" in identity else own
                if (address, port) in seen:
                    self._remarks.lost(place, ["real", str(address)], "it is there already")
                    continue
                seen.add((address, port))
                entry = {
                    "address": str(address),
                    "port": port if port != identity.get("port", 0) else None,
                    "weight": int(found.group("weight") or 1),
                    "upper_threshold": int(found.group("upper") or 0),
                    "lower_threshold": int(found.group("lower") or 0),
                    # Until it is known what the others are asked.
                    "health_check": (found.group("asked"), place) if found.group("asked") else None,
                }
                servers.append(entry)
        return servers, methods

    def _own_check(self, check: dict[str, Any] | None, asked: str, place: Place) -> dict[str, Any] | None:
        """What a real server is asked for by itself: "REQUEST", "RECEIVE"."""
        request, receive = _QUOTED.findall(asked)
        return own_check(check, request, receive, place, self._remarks)

    def _range(self, text: str, identity: Mapping[str, Any], place: Place) -> Iterator[tuple[Address, int]]:
        """The real servers of one line: FIRST->LAST:PORT are several."""
        first, arrow, last = text.partition("->")
        protocol = identity.get("protocol", "tcp")
        end = self._endpoint(_ENDPOINT.fullmatch(last if arrow else first), protocol, place, text)
        start = self._endpoint(_ENDPOINT.fullmatch(first), protocol, place, text) if arrow else end
        if end is None or start is None:
            return
        count = int(end[0]) - int(start[0]) + 1
        if start[0].version != end[0].version or not 0 < count <= _MOST_IN_RANGE:
            reason = f"its range is none, or has more than {_MOST_IN_RANGE} addresses"
            self._remarks.lost(place, ["real", text], reason)
            return
        self._count += count
        if self._count > _MOST_REAL_SERVERS:
            raise Unreadable(place, f"the file has more than {_MOST_REAL_SERVERS} real servers", "correct its ranges")
        for each in range(count):
            yield start[0] + each, end[1]

    def _scheduler(self, virtual: Virtual) -> str:
        scheduler = virtual.value("scheduler") or "wrr"
        if scheduler not in forms.SCHEDULERS:
            reason = "the model knows no such scheduler: it is wrr here"
            self._remarks.lost(virtual.given["scheduler"][1], ["scheduler", scheduler], reason)
            return "wrr"
        return scheduler

    def _fallback(
        self, virtual: Virtual, common: Given, identity: Mapping[str, Any], forward: str
    ) -> dict[str, Any] | None:
        is_v6 = virtual.is_v6 or ":" in str(identity.get("address", ""))
        key = "fallback6" if is_v6 else "fallback"
        given = virtual.given.get(key) or common.get(key)
        if given is None:
            return None
        text, place = given
        who, *method = text.split()
        protocol, port = identity.get("protocol", "tcp"), identity.get("port", 0)
        found = self._endpoint(_ENDPOINT.fullmatch(who), protocol, place, text, port)
        if found is None:
            return None
        # What is not written is gate; the director's own address is reached locally, whatever the method.
        if not found[0].is_loopback and _METHODS.get(method[0] if method else "gate") != forward:
            reason = f"the model reaches it as it reaches the real servers: by {forward}"
            self._remarks.lost(place, [key, *method], reason)
        final = found[1] if forward == "nat" else port
        return {"address": str(found[0]), **({"port": final} if final != port else {})}
