# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network facts of a host, from whatever part of them was gathered.

A host says what it likes, and its facts shape the plans of other hosts as well. So whatever has not the form of what it
should be, counts as not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    AddressInNetwork,
    Facts,
    Interface,
    Network,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    as_address,
    as_integer,
    as_interface,
    from_host,
)

# What the module host_facts of this collection found, in place of what the module setup has found.
_OURS = "lvs_topology"
# What the compiler reads of these, besides one entry per interface. The rest may be large.
_NAMES = ("interfaces", "default_ipv4", "default_ipv6")
# IPv4 needs 68, and lo has 65536; the kernel counts with 31 bits.
_MTUS = forms.Range(68, 2**31 - 1)


def read_facts(raw: Mapping[str, Any]) -> Facts:
    """Facts without a list of interfaces say nothing about addresses: unknown is not the same as none."""
    ours = raw.get(_OURS)
    if isinstance(ours, Mapping) and ours:
        raw = ours
    known = {name: from_host(raw[name]) for name in _NAMES if name in raw}
    return Facts(interfaces=_interfaces(raw, known.get("interfaces")), gateways=tuple(_gateways(known)))


@dataclass(frozen=True)
class Own:
    """What may be a host's own address, with the network around it, and where it is."""

    ip: Address
    network: Network
    interface: str


def own_addresses(facts: Facts, family: int, beside: Address | None, vips: frozenset[Address]) -> tuple[Own, ...]:
    """What may be the host's own address of a family: those on the interface of the other one, else all."""
    found = {
        interface.name: [
            Own(each.ip, each.network, interface.name)
            for each in interface.addresses
            if each.version == family and each.ip not in vips and forms.OWN_ADDRESS.problem(each.ip) is None
        ]
        for interface in facts.interfaces or ()
        if interface.name != "lo"
    }
    for interface in facts.interfaces or ():
        if found.get(interface.name) and any(each.ip == beside for each in interface.addresses):
            return tuple(dict.fromkeys(found[interface.name]))
    return tuple(dict.fromkeys(each for every in found.values() for each in every))


def _gateways(known: Mapping[str, Any]) -> Iterator[Address]:
    for name in ("default_ipv4", "default_ipv6"):
        default = known.get(name)
        address = as_address(default.get("gateway")) if isinstance(default, Mapping) else None
        if address:
            yield address


def _interfaces(raw: Mapping[str, Any], names: Any) -> tuple[Interface, ...] | None:
    if not isinstance(names, list):
        return None
    entries: dict[str, list[Mapping[str, Any]]] = {}
    labels: list[tuple[str, Mapping[str, Any]]] = []
    for name in names:
        if isinstance(name, Mapping) and forms.is_interface(name.get("device")):
            entries.setdefault(name["device"], []).append(name)
    for name in map(str, names):
        # A fact's name has underscores where the interface's has dashes; "device" has the real one.
        entry = from_host(raw.get(name, raw.get(name.replace("-", "_"))))
        if not isinstance(entry, Mapping):
            continue
        if "device" in entry:
            if forms.is_interface(entry["device"]):
                entries.setdefault(entry["device"], []).append(entry)
        else:
            labels.append((name, entry))
    for name, entry in labels:
        # An address with a label (eth1:vip) is listed as an interface eth1_vip of its own, without a device.
        parents = [device for device in entries if name.startswith(device.replace("-", "_") + "_")]
        entries.setdefault(max(parents, key=len, default=name), []).append(entry)
    # What no interface can be called was not said by an honest host, and shall shape no other host's plan.
    return tuple(_interface(name, parts) for name, parts in entries.items() if forms.is_interface(name))


def _interface(name: str, parts: list[Mapping[str, Any]]) -> Interface:
    addresses = [address for part in parts for address in _addresses(part)]
    return Interface(
        name=name,
        mac=_mac(parts[0].get("macaddress")),
        active=parts[0].get("active") is not False,
        # A labelled secondary address is listed twice.
        addresses=tuple(dict.fromkeys(addresses)),
        mtu=_mtu(parts[0].get("mtu")),
    )


def _mtu(value: Any) -> int | None:
    mtu = as_integer(value)
    return mtu if mtu in _MTUS else None


def _mac(value: Any) -> str | None:
    """The MAC address; None where the interface has none that another host could send to."""
    try:
        return forms.lladdr(value)
    except forms.BadForm:
        return None


def _addresses(entry: Mapping[str, Any]) -> Iterator[AddressInNetwork]:
    names = ("addresses", "ipv4", "ipv4_secondaries", "ipv6")
    for each in [each for name in names for each in _listed(entry, name)]:
        if not isinstance(each, Mapping):
            continue
        parts = (each.get("address"), each.get("prefix") or each.get("netmask"))
        address = as_interface("/".join(map(forms.word, parts)))
        if address is not None:
            yield address


def _listed(entry: Mapping[str, Any], name: str) -> list[Any]:
    """One mapping, or a list of them."""
    value = entry.get(name)
    return value if isinstance(value, list) else [value]
