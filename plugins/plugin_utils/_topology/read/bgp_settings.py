# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_bgp of one host, as it was written: how VIPs are announced to routers, or taken by one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp.graceful_shutdown import SECONDS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import discreet
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Network
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_bgp import (
    Aggregate,
    Bfd,
    Bgp,
    BgpNeighbour,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    Reader,
    as_address,
    as_boolean,
    as_interface,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.variables import Variables

ELSEWHERE = "elsewhere"
DEFAULT_TABLE = 1819
DEFAULT_HOLD_TIME = 9
DEFAULT_BFD = Bfd(300, 3)
_AGGREGATE = "write it as 192.0.2.0/24 or 2001:db8:100::/48"
_EXAMPLE = "{asn: 65001, neighbours: [{address: 10.0.0.1, asn: 65000}]}"
_NUMBER = 2**32 - 1
# Numbers that no network may have: RFC 7607, RFC 6793 and RFC 7300.
_NO_NETWORK = (0, 23456, 65535, _NUMBER)
_ASN_REMEDY = "write the number of the network: 1 to 4294967294, without 23456 and 65535; 64512 to 65534 are private"
# default, main and local (rt_tables).
_KERNELS_TABLES = (0, 253, 254, 255)
# What TCP MD5 takes (RFC 2385, TCP_MD5SIG_MAXKEYLEN), in BIRD's quotes, which know no escape.
_PASSWORD = re.compile(r"[ !#-~]{1,80}\Z")
_COMMUNITY = re.compile(r"[0-9]{1,10}(?::[0-9]{1,10}){1,2}\Z")


def read_bgp(variables: Variables, host: str, addresses: tuple[Address, ...]) -> Bgp | None:
    """None where the variable is not set, or empty."""
    path = f"{host}: lvs_bgp"
    if variables.variable(host, "lvs_bgp")[1] == ELSEWHERE:
        return Bgp(path, is_elsewhere=True)
    raw = variables.mapping(host, "lvs_bgp", f"{_EXAMPLE}, or as elsewhere where something else announces the VIPs")
    if not raw:
        return None
    before = len(variables.mistakes)
    reader = Reader(raw, path, variables.mistakes)
    asn = _asn(reader, "asn")
    bfd = _bfd(reader, None)
    password = _password(reader)
    neighbours = _neighbours(reader, bfd, password)
    if not neighbours and len(variables.mistakes) == before:
        problem = "is needed: nobody would hear of the VIPs"
        if bfd:
            problem = "is needed: bfd watches neighbours, and there is none"
        reader.refuse("neighbours", problem, "list the routers, each with address and asn")
    table = reader.integer("table", 1, _NUMBER, default=DEFAULT_TABLE)
    if table in _KERNELS_TABLES:
        reader.refuse(
            "table", f"{table} is the kernel's own", f"use one that nobody else uses, such as {DEFAULT_TABLE}"
        )
    med = reader.integer("med", 0, _NUMBER, default=-1)
    bgp = Bgp(
        path=path,
        asn=asn,
        router_id=_router_id(reader, addresses),
        neighbours=neighbours,
        hold_time=reader.integer("hold_time", 3, 65535, default=DEFAULT_HOLD_TIME),
        communities=_communities(reader),
        aggregates=_aggregates(reader),
        med=None if med < 0 else med,
        table=table,
        graceful_shutdown=reader.integer("graceful_shutdown", *SECONDS, default=0),
        raw=_raw(reader),
        is_wrong=len(variables.mistakes) > before,
    )
    reader.finish()
    return bgp


def _asn(reader: Reader, key: str) -> int:
    value = reader.take(key)
    if value is None:
        reader.refuse(key, "is missing", _ASN_REMEDY)
        return 0
    # Four bytes may be written as two numbers (RFC 5396).
    high, dot, low = value.partition(".") if isinstance(value, str) else ("", "", "")
    parts = [forms.integer(each) for each in (high, low)] if dot else [forms.integer(value)]
    if any(each is None for each in parts) or (dot and not all(0 <= (each or 0) <= 0xFFFF for each in parts)):
        reader.refuse(key, f"{show(value)} is no number of a network", _ASN_REMEDY)
        return 0
    number = (parts[0] or 0) * 0x10000 + (parts[1] or 0) if dot else parts[0] or 0
    if number in _NO_NETWORK or not 0 < number <= _NUMBER:
        reader.refuse(key, f"{number} is the number of no network", _ASN_REMEDY)
        return 0
    return number


def _router_id(reader: Reader, addresses: tuple[Address, ...]) -> Address | None:
    value = reader.take("router_id")
    if value is None:
        own = next((each for each in addresses if each.version == 4), None)
        if own is None:
            reader.refuse(
                "router_id", "is needed: the inventory tells no IPv4 address of the host", "write 1.0.0.1, say"
            )
        return own
    address = as_address(value)
    if address is None or address.version != 4 or int(address) == 0:
        reader.refuse("router_id", f"{show(value)} is not written as an IPv4 address", "write it as 10.0.0.21")
        return None
    return address


def _password(reader: Reader, key: str = "password") -> str | None:
    """The password. What is wrong with it is said without showing it."""
    value = reader.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not _PASSWORD.match(value):
        problem = "is no text of 1 to 80 characters of ASCII without a quotation mark"
        reader.refuse(key, problem, "use letters and digits, in quotes where they are digits alone")
        return None
    return value


def _bfd(reader: Reader, default: Bfd | None) -> Bfd | None:
    value = reader.take("bfd")
    if value is None:
        return default
    boolean = as_boolean(value)
    if boolean is not None:
        return DEFAULT_BFD if boolean else None
    if not isinstance(value, Mapping):
        problem = f"{show(value)} is neither a boolean nor a mapping"
        reader.refuse("bfd", problem, "use true, false, or {interval: 300, multiplier: 3}")
        return None
    inner = Reader(value, reader.at("bfd"), reader.mistakes)
    bfd = Bfd(
        inner.integer("interval", 10, 60_000, default=DEFAULT_BFD.interval),
        inner.integer("multiplier", 1, 255, default=DEFAULT_BFD.multiplier),
    )
    inner.finish()
    return bfd


def _neighbours(reader: Reader, bfd: Bfd | None, password: str | None) -> tuple[BgpNeighbour, ...]:
    found: list[BgpNeighbour] = []
    every = reader.take("neighbours")
    if every is None and not reader.has("neighbours"):
        return ()
    if not isinstance(every, list):
        said = "has nothing below it" if every is None else f"must be a list of neighbours, is {discreet(every)}"
        reader.refuse("neighbours", said, "write each as {address: 10.0.0.1, asn: 65000}, on a line with a dash")
        return ()
    for position, each in enumerate(every):
        at = f"neighbours[{position}]"
        if not isinstance(each, Mapping):
            reader.refuse(at, f"must be a mapping, is {discreet(each)}", "write it as {address: 10.0.0.1, asn: 65000}")
            continue
        inner = Reader(each, reader.at(at), reader.mistakes)
        address = _neighbours_address(inner)
        neighbour = (
            inner.path,
            address,
            _asn(inner, "asn"),
            _password(inner) or password,
            _bfd(inner, bfd),
            inner.integer("multihop", 2, 255, default=0),
        )
        inner.finish()
        first = next((other for other in found if other.address == address), None)
        if first:
            inner.refuse("address", f"{address} is that of {first.path} too", "list each neighbour once")
        elif address is not None:
            found.append(BgpNeighbour(neighbour[0], address, *neighbour[2:]))
    return tuple(found)


def _neighbours_address(reader: Reader) -> Address | None:
    value = reader.take("address")
    if value is None:
        reader.refuse("address", "is missing", "write the address of the neighbour")
        return None
    address = as_address(value)
    problem = "is no IP address" if address is None else forms.OWN_ADDRESS.problem(address)
    if address is None or problem:
        reader.refuse("address", f"{show(value)} {problem}", "write the neighbour's own address, without a prefix")
        return None
    return address


def _communities(reader: Reader) -> tuple[tuple[int, ...], ...]:
    found: list[tuple[int, ...]] = []
    for position, each in enumerate(reader.elements("communities", "communities")):
        text = each if isinstance(each, str) else ""
        numbers = tuple(map(int, text.split(":"))) if _COMMUNITY.match(text) else ()
        most = 0xFFFF if len(numbers) == 2 else _NUMBER
        if not numbers or max(numbers) > most:
            problem = f"{show(each)} is no community"
            remedy = 'write "65001:100" with two numbers up to 65535, or "65001:1:100" with three up to 4294967295'
            reader.refuse(f"communities[{position}]", problem, remedy)
        elif numbers not in found:
            found.append(numbers)
    return tuple(found)


def _aggregates(reader: Reader) -> tuple[Aggregate, ...]:
    """Each is the text of a prefix, or a mapping that has it as ``prefix``."""
    found: list[Aggregate] = []
    for position, each in enumerate(reader.elements("aggregates", "prefixes")):
        key = f"aggregates[{position}]"
        if not isinstance(each, (str, Mapping)):
            problem = f"must be a prefix, or a mapping with one, is {discreet(each)}"
            reader.refuse(key, problem, f"{_AGGREGATE}, or as {{prefix: 192.0.2.0/24, summary_only: true}}")
            continue
        is_text = isinstance(each, str)
        inner = Reader({"prefix": each} if isinstance(each, str) else each, reader.at(key), reader.mistakes)
        prefix = _prefix(reader, key if is_text else f"{key}.prefix", inner.take("prefix"), found)
        summary_only = inner.boolean("summary_only", default=False)
        communities = _communities(inner) if inner.has("communities") else None
        inner.finish()
        if prefix is not None:
            found.append(Aggregate(inner.path, prefix, summary_only, communities))
    return tuple(found)


def _prefix(reader: Reader, key: str, value: object, before: list[Aggregate]) -> Network | None:
    """A prefix that routers take for one: neither an address, nor a part of one that is listed already."""
    if value is None:
        reader.refuse(key, "is missing", _AGGREGATE)
        return None
    interface = as_interface(value)
    if interface is None:
        reader.refuse(key, f"{show(value)} is no prefix", _AGGREGATE)
        return None
    network, first = interface.network, interface.network.network_address
    problem, remedy = forms.VIP.problem(first), "write a prefix that VIPs may be in"
    if network.prefixlen == network.max_prefixlen:
        problem, remedy = "is one address", "leave it out: each VIP is announced anyway, or write its network"
    elif interface.ip != first:
        problem, remedy = f"has bits set behind its first {network.prefixlen}", f"write {network}"
    elif network.prefixlen == 0:
        problem, remedy = "is every address", "write the network of the VIPs"
    overlapping = next((each for each in before if _overlap(each.prefix, network)), None)
    if not problem and overlapping:
        problem, remedy = f"overlaps {overlapping.prefix} in {overlapping.path}", "list one of them"
    if problem:
        reader.refuse(key, f"{show(value)} {problem}", remedy)
        return None
    return network


def _overlap(one: Network, other: Network) -> bool:
    """Whether there is an address that is in both. ipaddress compares no networks of two families."""
    return one.version == other.version and (one[0] in other or other[0] in one)


def _raw(reader: Reader) -> str | None:
    value = reader.take("raw")
    if value is None:
        return None
    if not isinstance(value, str):
        reader.refuse("raw", f"must be text, is {show(value)}", "write lines of bird.conf after |")
        return None
    if any(not each.isprintable() and each not in "\t\n\r" for each in value):
        reader.refuse("raw", "holds a control character", "write plain lines of text")
        return None
    return value or None
