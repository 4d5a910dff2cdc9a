# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of /proc/net/ip_vs_conn and ip_vs_conn_sync. Pure, and one line at a time: a director has millions.

The kernel prints IPv4 addresses as eight hexadecimal digits, IPv6 addresses as eight groups of four, ports as four.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import Address
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import IPV4, IPV6, Network
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer


@dataclass(frozen=True)
class Filter:
    """Which connections are meant; None and empty: any. ``origin`` is none of the list without that column."""

    family: str | None = None
    protocol: str | None = None
    address: Address | None = None
    port: int | None = None
    client: Network | None = None
    real_server: Address | None = None
    real_server_port: int | None = None
    states: frozenset[str] = frozenset()
    origin: str | None = None


def read_filter(params: Mapping[str, Any], address: Address | None, mistakes: Mistakes) -> Filter:
    """Which connections are asked for, by the options for services and those for connections alone."""
    options = params["connection_filter"] or {}
    if params["fwmark"] is not None:
        mistakes.add("fwmark", "connections do not tell by which mark they came; give the address that clients use")
    real_server = client = None
    if options.get("real_server") is not None:
        real_server = mistakes.address("connection_filter.real_server", options["real_server"])
    if options.get("client") is not None:
        try:
            client = ipaddress.ip_network(options["client"])
        except ValueError as problem:
            mistakes.add("connection_filter.client", f"{problem}; give an address or a network")
    for name, value in (
        ("port", params["port"]),
        ("connection_filter.real_server_port", options.get("real_server_port")),
    ):
        mistakes.within(name, value, forms.PORTS, "a port")
    if params["connection_limit"] < 0:
        mistakes.add("connection_limit", f"{params['connection_limit']} is less than 0")
    return Filter(
        family=params["family"],
        protocol=params["protocol"],
        address=address,
        port=params["port"],
        client=client,
        real_server=real_server,
        real_server_port=options.get("real_server_port"),
        states=frozenset(state.upper() for state in options.get("state") or ()),
        origin=options.get("origin"),
    )


@dataclass
class Connections:
    """How many connections match, how many of them are in each state, and the first of them."""

    total: int = 0
    states: Counter[str] = field(default_factory=Counter)
    listed: list[dict[str, Any]] = field(default_factory=list)


def read_connections(lines: Iterable[bytes], chosen: Filter, limit: int) -> Connections:
    """Count what matches, and keep as much of it as wanted. The first line has the names of the columns."""
    found = Connections()
    matches = _matcher(chosen)
    rows = iter(lines)
    has_origin = b" Origin " in next(rows, b"")
    for line in rows:
        # Behind what is in every line stand the name and data of a persistence engine.
        words = line.split(None, 9)
        if len(words) < 9:
            raise OddAnswer(f"the kernel's list of connections has the line {line!r}")
        if matches(words):
            found.total += 1
            found.states[words[7].decode("ascii", "replace")] += 1
            if len(found.listed) < limit:
                found.listed.append(_facts(words, has_origin))
    return found


def _matcher(chosen: Filter) -> Callable[[list[bytes]], bool]:
    """The answer compares the kernel's own text as far as that goes, as most lines are not wanted."""
    texts: list[tuple[int, bytes]] = []
    if chosen.protocol:
        texts.append((0, chosen.protocol.upper().encode()))
    for position, address in ((3, chosen.address), (5, chosen.real_server)):
        if address is not None:
            texts.append((position, _address_text(address)))
    for position, port in ((4, chosen.port), (6, chosen.real_server_port)):
        if port is not None:
            texts.append((position, b"%04X" % port))
    if chosen.origin in ("local", "sync"):
        texts.append((8, chosen.origin.upper().encode()))
    states = frozenset(state.encode() for state in chosen.states)
    client, family = chosen.client, chosen.family

    def matches(words: list[bytes]) -> bool:
        if any(words[position] != text for position, text in texts):
            return False
        if states and words[7] not in states:
            return False
        if family and (b":" in words[1]) != (family == IPV6):
            return False
        return client is None or _address(words[1]) in client

    return matches


def _address_text(address: Address) -> bytes:
    if address.version == 4:
        return b"%08X" % int(address)
    return address.exploded.encode()


def _address(text: bytes) -> Address:
    try:
        if b":" in text:
            return ipaddress.IPv6Address(text.decode())
        return ipaddress.IPv4Address(int(text, 16))
    except ValueError as problem:
        raise OddAnswer(f"the kernel's list of connections has the address {text!r}") from problem


def _facts(words: list[bytes], has_origin: bool) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = {
            "protocol": words[0].decode("ascii").lower(),
            "family": IPV6 if b":" in words[1] else IPV4,
            "client": forms.spelling(_address(words[1])),
            "client_port": int(words[2], 16),
            "address": forms.spelling(_address(words[3])),
            "port": int(words[4], 16),
            "real_server": forms.spelling(_address(words[5])),
            "real_server_port": int(words[6], 16),
            "state": words[7].decode("ascii", "replace"),
        }
        if has_origin:
            return {**facts, "origin": words[8].decode("ascii").lower(), "expires": int(words[9])}
        engine = words[9].split(None, 1) if len(words) > 9 else []
        return {
            **facts,
            "expires": int(words[8]),
            "engine": engine[0].decode("ascii") if engine else None,
            "engine_data": engine[1].rstrip().decode("utf-8", "backslashreplace") if len(engine) > 1 else None,
        }
    except (ValueError, IndexError) as problem:
        raise OddAnswer(f"the kernel's list of connections has the line {b' '.join(words)!r}") from problem
