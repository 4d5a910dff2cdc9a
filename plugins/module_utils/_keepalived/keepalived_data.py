# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keepalived says it has put into the kernel's table: its data dump, read. Pure.

keepalived's checker writes the dump when it gets SIGUSR1 (keepalived(8), "Signals"). ``RS set`` is whether keepalived
has a real server in the table (ipvs_cmd() in keepalived/check/ipvswrapper.c), and ``EFF WEIGHT`` with which weight. A
real server with inhibit_on_failure stays in the table with weight 0 where its check has failed, or where the quorum
is lost and a sorry server serves (update_quorum_state() in keepalived/check/ipwrapper.c). The words of keepalived
2.2.7 and 2.3.3 were compared.

No line marks the end of a dump. Where anything is checked or tracked, sections about that come behind the virtual
servers (dump_check_data() in keepalived/check/check_data.c), so such a section tells that these are whole. Each has a
real server: keepalived ignores a virtual server without any (validate_check_config() in the same file).
"""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    IPV4,
    IPV6,
    DestinationKey,
    ServiceKey,
    family_of,
)

_BEHIND = frozenset({"Health checkers", "Checker track files", "Checker track BFDs"})
_SECTION = re.compile(r"^ *-+< (.*?) >-+$")
_GROUP = re.compile(r"^ *VS GROUP = \[?([^]\s]+)")
# Of a group itself: its name, and what is in it. A range has other words, and is not read.
_NAME = re.compile(r"^ *Virtual Server Group = (\S+?)(?:,.*)?$")
_MEMBER = re.compile(r"^ *(?:VIP = (?P<address>\S+), VPORT = (?P<port>\d{1,5})|FWMARK = (?P<mark>\d{1,10}))$")
_ABOUT_MEMBER = re.compile(r"^ *(?:Alive: |reloaded = )")
_MARK = re.compile(r"^ *VS FWMARK = (\d{1,10})$")
_ADDRESS = re.compile(r"^ *VS VIP = (\S+), VPORT = (\d{1,5})$")
_SORRY = re.compile(r"^ *sorry server .*?= \[(\S+)\]:\w+:(\d{1,5})$")
_METHOD = re.compile(r"^ *forwarding method = (.+)$")
_METHODS = {"NAT": "nat", "DR": "dr", "TUN, type = IPIP": "tun"}
_REAL = re.compile(r"^ *RIP = (\S+), RPORT = (\d{1,5}), WEIGHT = -?\d+ EFF WEIGHT = (-?\d{1,20})$")
_VALUE = re.compile(r"^ *(?:VS )?([a-zA-Z_ ]+?) (?:= |is )(\S+)$")


class Unreadable(ValueError):
    """The dump is not laid out as it is known here."""


class Sorry(NamedTuple):
    """The sorry server of a service. ``forward`` None: by a tunnel of which the dump says more than is read here."""

    key: DestinationKey
    forward: str | None
    # Whether nobody else serves. With inhibit_on_failure it is in the table before that, too.
    is_needed: bool
    may_wait: bool


class Pool(NamedTuple):
    """A service as keepalived has it: the weight of each real server, None where that one is not in the table.

    ``is_up``: whether it has its quorum.
    """

    servers: dict[DestinationKey, int | None]
    sorry: Sorry | None = None
    is_up: bool = True


class Watch(NamedTuple):
    """``is_whole`` is false where keepalived may have services that are not among these.

    That is so with a virtual_server_group that has a range of addresses, and where nothing is checked, because then
    nothing tells that there was no more to come.
    """

    pools: dict[ServiceKey, Pool]
    is_whole: bool = True


def read_dump(text: str) -> Watch:
    """By service, what keepalived has put into the table."""
    sections = _sections(text)
    services = _virtual_servers(sections)
    is_whole = not _BEHIND.isdisjoint(name for name, _lines in sections)
    if not is_whole and any(_is_failing(lines) for _service, servers in services for lines in servers):
        raise Unreadable("it ends before what it says of the checks")
    found: dict[ServiceKey, Pool] = {}
    groups = dict(_group(lines) for name, lines in sections if name == "Virtual server group")
    for service, servers in services:
        keys = _keys(service, groups)
        if keys is None:
            is_whole = False
            continue
        is_up = _values(service).get("quorum_state_up") == "1"
        pool = Pool(dict(_real_server(service, lines) for lines in servers), _sorry(service), is_up)
        for key in keys:
            found[key] = pool if len(keys) == 1 else _of_member(pool, key, service)
    return Watch(found, is_whole)


def _group(lines: list[str]) -> tuple[str, list[re.Match[str]] | None]:
    """The name of a group, and what is in it; None where not all of that is known here."""
    name = next((found[1] for found in map(_NAME.match, lines) if found), "")
    rest = [line for line in lines if line.strip() and not _NAME.match(line) and not _ABOUT_MEMBER.match(line)]
    members = [_MEMBER.match(line) for line in rest]
    known = [each for each in members if each]
    return name, known if known and len(known) == len(rest) else None


def _of_member(pool: Pool, key: ServiceKey, service: list[str]) -> Pool:
    """What one service of a group has. Only masquerading maps ports: otherwise a real server has its service's."""
    if _values(service).get("default forwarding method") == "NAT":
        return pool
    port = key.port or 0
    servers = {DestinationKey(each.address, port): weight for each, weight in pool.servers.items()}
    sorry = pool.sorry and pool.sorry._replace(key=DestinationKey(pool.sorry.key.address, port))
    return Pool(servers, sorry, pool.is_up)


def _sections(text: str) -> list[tuple[str, list[str]]]:
    if not text.endswith("\n"):
        raise Unreadable("its last line is cut off")
    sections: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        title = _SECTION.match(line)
        if title:
            sections.append((title[1], []))
        elif sections:
            sections[-1][1].append(line)
    if "LVS Topology" not in [name for name, _lines in sections]:
        raise Unreadable("it has no section LVS Topology")
    return sections


def _virtual_servers(sections: list[tuple[str, list[str]]]) -> list[tuple[list[str], list[list[str]]]]:
    """The lines of each virtual server, with those of each of its real servers."""
    found: list[tuple[list[str], list[list[str]]]] = []
    for name, lines in sections:
        if name == "Virtual server":
            found.append((lines, []))
        elif name == "Real server" and found:
            found[-1][1].append(lines)
    if not found:
        raise Unreadable("it has no virtual server")
    for service, servers in found:
        if not servers or "quorum_state_up" not in _values(service):
            raise Unreadable("it has a virtual server that is cut off, or in a form that is not known")
    return found


def _is_failing(lines: list[str]) -> bool:
    """Whether a check of the real server fails, so that there are checks."""
    return _values(lines).get("num failed checkers", "0") != "0"


def _keys(lines: list[str], groups: Mapping[str, list[re.Match[str]] | None]) -> list[ServiceKey] | None:
    """What a virtual server is for; None where that is a group of which not everything is known."""
    for line in lines:
        group, address, mark = _GROUP.match(line), _ADDRESS.match(line), _MARK.match(line)
        if group:
            members = groups.get(group[1])
            return (
                None
                if members is None
                else [_key(lines, each["mark"], each["address"], each["port"]) for each in members]
            )
        if mark:
            return [_key(lines, mark[1], None, None)]
        if address:
            return [_key(lines, None, address[1], address[2])]
    raise Unreadable("it has a virtual server in a form that is not known")


def _key(lines: list[str], mark: str | None, address: str | None, port: str | None) -> ServiceKey:
    values = _values(lines)
    if mark is not None:
        return ServiceKey(IPV6 if values.get("Address family") == "inet6" else IPV4, fwmark=int(mark))
    protocol = values.get("protocol", "").lower()
    if protocol not in forms.PROTOCOLS:
        raise Unreadable(f"{address} port {port} has the protocol {protocol}")
    where = _destination(address or "", port or "")
    return ServiceKey(family_of(where.address), protocol, where.address, where.port)


def _sorry(lines: list[str]) -> Sorry | None:
    for position, line in enumerate(lines):
        match = _SORRY.match(line)
        if match is None and line.lstrip().startswith("sorry server"):
            raise Unreadable("it has a sorry server in a form that is not known")
        if match:
            methods = (found[1] for found in map(_METHOD.match, lines[position:]) if found)
            return Sorry(
                _destination(match[1], match[2]),
                _METHODS.get(next(methods, "")),
                is_needed=_values(lines).get("quorum_state_up") != "1",
                may_wait=_values(lines[position:]).get("Inhibit on failure") == "ON",
            )
    return None


def _real_server(service: list[str], lines: list[str]) -> tuple[DestinationKey, int | None]:
    match = next((found for found in map(_REAL.match, lines) if found), None)
    values, quorum = _values(lines), _values(service).get("quorum_state_up")
    others_serve = quorum != "1" and _sorry(service) is not None
    is_set, is_alive, inhibits = (values.get(name) for name in ("RS set", "alive", "Inhibit on failure"))
    if match is None or None in (quorum, is_set, is_alive, inhibits):
        raise Unreadable("it has a real server in a form that is not known")
    server = _destination(match[1], match[2])
    if is_set != "1":
        return server, None
    if inhibits == "ON" and (is_alive != "1" or others_serve):
        return server, 0
    # As keepalived hands it to the kernel.
    return server, min(max(int(match[3]), 0), forms.WEIGHTS.high)


def _values(lines: list[str]) -> dict[str, str]:
    return {match[1]: match[2] for match in map(_VALUE.match, lines) if match}


def _destination(address: str, port: str) -> DestinationKey:
    try:
        return DestinationKey(forms.canonical_address(address), int(port))
    except ValueError:
        raise Unreadable(f"{forms.shown(address)} is no address") from None
