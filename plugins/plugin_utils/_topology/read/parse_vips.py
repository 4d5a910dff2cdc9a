# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VIP of a service as it was written, and the packets that carry its mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Marked, Vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    Reader,
    as_integer,
    as_interface,
    problem_in_network,
)


def virtual_address(reader: Reader, raw: Any) -> tuple[Address | None, int | None]:
    """A VIP as it was written, and its prefix length where it has one."""
    if raw is None:
        return None, None
    remedy = "write the VIP such as 10.0.0.10, or 10.0.0.10/24 where the director has no other address there"
    interface = as_interface(raw)
    if interface is None:
        reader.refuse("address", f"{show(raw)} is no IP address", remedy)
        return None, None
    problem = forms.VIP.problem(interface.ip) or problem_in_network(interface)
    if problem is not None:
        reader.refuse("address", f"{show(raw)} {problem}", remedy)
        return None, None
    return interface.ip, interface.network.prefixlen if "/" in raw else None


def read_marked(reader: Reader, fwmark: int | None, family: int | None, mistakes: list[Mistake]) -> tuple[Marked, ...]:
    """What carries the service's mark."""
    elements = reader.elements("marked", "packets that carry the mark")
    if elements and fwmark is None:
        reader.refuse("marked", "has no meaning without fwmark", "leave it out, or use fwmark in place of address")
        return ()
    parsed = [_marked_one(raw, f"{reader.path}.marked[{n}]", family, mistakes) for n, raw in enumerate(elements)]
    return tuple(each for each in parsed if each is not None)


def _marked_one(raw: Any, path: str, family: int | None, mistakes: list[Mistake]) -> Marked | None:
    if not isinstance(raw, Mapping):
        remedy = "write address: VIP, ports: [80, 443] and where it is not tcp protocol"
        mistakes.append(Mistake(path, f"must be a mapping, is {show(raw)}", remedy))
        return None
    reader = Reader(raw, path, mistakes)
    raw_address = reader.take("address")
    address, prefix = virtual_address(reader, raw_address)
    protocol = reader.choice("protocol", forms.PROTOCOLS, forms.PROTOCOLS[0])
    ports: list[tuple[int, int]] = []
    for position, text in enumerate(reader.elements("ports", "ports")):
        found = _ports(text)
        at = f"ports[{position}]"
        if found is None:
            remedy = "use 1 to 65535, or a range such as 30000-30100"
            reader.refuse(at, f"{show(text)} is neither a port nor a range of ports", remedy)
        elif any(found[0] <= high and low <= found[1] for low, high in ports):
            reader.refuse(at, f"{text} is listed already", "name each port once")
        else:
            ports.append(found)
    reader.finish()
    if raw_address is None:
        reader.refuse("address", "is missing", "write the VIP whose packets carry the mark")
    elif address is not None and family is not None and address.version != family:
        reader.refuse("address", f"{address} is not of the service's family", f"use an IPv{family} address")
    elif address is not None:
        return Marked(path, Vip(f"{path}.address", address, prefix), protocol, tuple(sorted(ports)))
    return None


def _ports(raw: Any) -> tuple[int, int] | None:
    """A port or a range of ports."""
    first, dash, last = raw.partition("-") if isinstance(raw, str) else (raw, "", "")
    low, high = as_integer(first), as_integer(last if dash else first)
    if low is None or high is None:
        return None
    return (low, high) if forms.REAL_PORTS.low <= low <= high <= forms.REAL_PORTS.high else None
