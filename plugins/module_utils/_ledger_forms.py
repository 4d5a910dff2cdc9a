# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry of the ledger may look like: for each kind, the form of its keys and of what was there before. Pure.

The planners rely on these forms when they put something back. An entry that does not have the form of its kind is
never handed to a planner.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Mapping, NamedTuple

_INTERFACE = r"[^\s/]{1,15}"
_PORT = r"\d{1,5}"
# Nothing that this collection writes is nested nearly as deeply, or nearly as long.
DEEPEST = 12
LONGEST_KEY = 1000

_REDIRECTS = "net.ipv4.conf.all.accept_redirects"
_ROUTE_KINDS = ("unreachable", "prohibit", "blackhole", "throw")


class Form(NamedTuple):
    """How one kind of claim is written down."""

    is_key: Callable[[str], bool]
    is_was: Callable[[Any], bool]


def problem_with(kind: str, key: str, was: Any) -> str | None:
    """What is wrong with an entry; None: nothing."""
    form = FORMS.get(kind)
    if form is None:
        return "this release knows no such kind of claim"
    if len(key) > LONGEST_KEY or not form.is_key(key):
        return f"the key is not the name of one {kind}"
    if was is not None and not form.is_was(was):
        return f"what was there before does not have the form that is noted of a {kind}"
    return None


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda key: compiled.fullmatch(key) is not None


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFFFFFF


def _within(low: int, high: int) -> Callable[[Any], bool]:
    """Numbers that messages to the kernel have little room for."""
    return lambda value: _is_int(value) and low <= value <= high


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    # A lone surrogate stands for a byte of a file that is not UTF-8.
    return isinstance(value, str) and "\0" not in value


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_interface(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(_INTERFACE, value) is not None


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _is_version(value: Any) -> bool:
    return _is_int(value) and value in (4, 6)


def _or_none(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


def _one_of(*choices: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in choices


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(check(each) for each in value)


def _object(
    required: Mapping[str, Callable[[Any], bool]], optional: Mapping[str, Callable[[Any], bool]] | None = None
) -> Callable[[Any], bool]:
    fields = {**required, **(optional or {})}

    def check(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and set(required) <= set(value) <= set(fields)
            and all(fields[name](each) for name, each in value.items())
        )

    return check


def _is_metric(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_line(value[0]) and _is_int(value[1])


def _is_held_address(key: str) -> bool:
    address, _dev, interface = key.partition(" dev ")
    host, slash, prefix = address.partition("/")
    if not (slash and prefix.isascii() and prefix.isdigit() and _is_address(host) and _is_interface(interface)):
        return False
    return int(prefix[:4]) <= ipaddress.ip_address(host).max_prefixlen


def _is_neighbour(key: str) -> bool:
    address, _dev, interface = key.partition(" dev ")
    return _is_address(address) and _is_interface(interface)


def _is_source(key: str) -> bool:
    word, _space, address = key.partition(" ")
    return word == "from" and _is_address(address)


def _is_service(key: str) -> bool:
    mark = re.fullmatch(r"fwmark (\d{1,10}) (?:ipv4|ipv6)", key, re.ASCII)
    if mark:
        return 0 < int(mark[1]) <= 0xFFFFFFFF
    found = re.fullmatch(rf"(?:tcp|udp|sctp) (?:\[([^\]]+)\]|([^\[\]:]+)):({_PORT})", key, re.ASCII)
    return found is not None and _is_address(found[1] or found[2]) and int(found[3]) <= 0xFFFF


def _is_packet_rule(key: str) -> bool:
    mark = re.fullmatch(r"mark \d{1,10}: (?:tcp|udp|sctp) (\S+) (?:\*|\d{1,5}(?:-\d{1,5})?)", key, re.ASCII)
    if mark:
        return _is_address(mark[1])
    source = re.fullmatch(
        r"source (\S+): (?:(?:tcp|udp|sctp) (\S+) (?:\*|\d{1,5})|ipv[46] mark \d{1,10})(?: at (\S+))?", key, re.ASCII
    )
    if source is None or (source[2] and not _is_address(source[2])) or (source[3] and not _is_address(source[3])):
        return False
    return all(_is_address(each) for each in source[1].split(","))


def _is_opening(key: str) -> bool:
    found = re.fullmatch(
        r"(?:input|forward|output) ipv[46] [a-z0-9]{1,6}(?: from (\S+))?(?: at \d{1,5}(?:-\d{1,5})?)?"
        r"(?: to (\S+))?(?: port \d{1,5}(?:-\d{1,5})?)?(?: of no connection)?",
        key,
        re.ASCII,
    )
    return found is not None and all(_is_address(each) for each in found.groups() if each)


_is_route = _object(
    {"version": _is_version},
    {
        "destination": _or_none(_is_address),
        "length": _within(0, 128),
        "metric": _is_int,
        "gateway": _or_none(_is_address),
        "interface": _or_none(_is_interface),
        "protocol": _within(0, 255),
        "scope": _within(0, 255),
        "source": _or_none(_is_address),
        "onlink": _is_bool,
        "mtu": _or_none(_is_int),
        "hops": _list_of(
            _object({"gateway": _or_none(_is_address), "interface": _is_interface, "weight": _within(1, 256)}),
        ),
        "table": _or_none(_is_int),
        "advmss": _or_none(_is_int),
        "kind": _or_none(_one_of(*_ROUTE_KINDS)),
        "metrics": _list_of(_is_metric),
    },
)
_is_link = _object(
    {
        "interface": _is_interface,
        "type": _one_of("ipip", "sit", "gre", "ip6tnl", "ip6gre"),
        "local": _or_none(_is_address),
        "checksum": _is_bool,
        "up": _is_bool,
    }
)
_is_gue_port = _object({"port": _is_int, "version": _is_version})
_is_switch = _object({"value": _is_line, _REDIRECTS: _is_line})
_is_daemon = _object(
    {"state": _one_of("master", "backup"), "interface": _is_interface},
    {
        "syncid": _within(0, 255),
        "maxlen": _within(0, 0xFFFF),
        "group": _is_address,
        "port": _within(0, 0xFFFF),
        "ttl": _within(0, 255),
    },
)
_is_copy = _object({"copy": _is_line, "mode": _is_int})
# Of a release before 0.4.0.
_is_kept_text = _object({"text": _is_text, "mode": _is_int})


_is_unit_taken = _matches(r"unit [A-Za-z0-9@_.-]{1,240}\.service")
_is_unit_before = _object({"enabled": _is_bool, "active": _is_bool})
_are_rules_before = _object({"rules": _list_of(_is_line)})


def _nothing(_value: Any) -> bool:
    """For kinds of which nothing is put back but that they are gone."""
    return False


FORMS: Mapping[str, Form] = {
    "module": Form(_matches(r"[A-Za-z0-9_-]{1,64}"), _one_of("loaded")),
    "sysctl": Form(_matches(r"[^\s.=]+(?:\.[^\s.=]+)+"), lambda was: _is_line(was) or _is_switch(was)),
    "address": Form(_is_held_address, _object({"label": _or_none(_is_line), "deprecated": _is_bool})),
    "gateway": Form(_matches(r"ipv[46] default metric \d{1,10}"), _is_route),
    "neighbour": Form(_is_neighbour, _is_line),
    "source_route": Form(_is_source, _is_int),
    "tunnel": Form(
        _matches(rf"dev {_INTERFACE}|fou port {_PORT}(?: -6)?"), lambda was: _is_link(was) or _is_gue_port(was)
    ),
    "arp_filter": Form(_matches(r"(?:INPUT|OUTPUT) -j \S+(?: \S+)+"), lambda was: was is True),
    "packet_rule": Form(_is_packet_rule, _nothing),
    "firewall": Form(_is_opening, _nothing),
    "timeout": Form(_matches(r"tcp|tcpfin|udp"), _is_int),
    "sync_daemon": Form(_matches(r"master|backup"), _is_daemon),
    "service": Form(_is_service, _nothing),
    "keepalived_config": Form(_matches(r"/[^\0]*"), lambda was: _is_copy(was) or _is_kept_text(was)),
    "conntrackd_config": Form(_matches(r"/[^\0]*"), _is_copy),
    "conntrackd_unit": Form(_matches(r"\S+\.service"), _object({"enabled": _is_bool, "active": _is_bool})),
    "announcement": Form(_matches(r"table \d{1,10}"), _nothing),
    "bird_config": Form(_matches(r"/[^\0]*"), _is_copy),
    "bird_unit": Form(_matches(r"\S+\.service"), _object({"enabled": _is_bool, "active": _is_bool})),
    "keepalived_unit": Form(_matches(r"\S+\.service"), _object({"enabled": _is_bool, "active": _is_bool})),
    "taken": Form(
        lambda key: _is_unit_taken(key) or (key.startswith("service ") and _is_service(key[len("service ") :])),
        lambda was: _is_unit_before(was) or _are_rules_before(was),
    ),
}
