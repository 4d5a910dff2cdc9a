# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How keepalived holds single addresses: lvs_vrrp.address_options, by address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_address

KEY = "address_options"
# By key of the model: whether keepalived knows it for IPv6 too.
_SWITCHES = ("noprefixroute", "no_track")
_ONLY_IPV4 = ("label", "broadcast")

Options = tuple[tuple[Address, tuple[tuple[str, Any], ...]], ...]


def read_address_options(reader: Reader) -> Options:
    raw = reader.mapping(KEY, "{192.0.2.10: {label: eth0:web}}")
    found: dict[Address, tuple[tuple[str, Any], ...]] = {}
    for key, value in (raw or {}).items():
        at, address = f"{KEY}[{forms.word(key)}]", as_address(key)
        if address is None:
            reader.refuse(at, f"{show(key)} is no IP address", "write a VIP or another address without its prefix")
        elif not isinstance(value, Mapping):
            reader.refuse(at, f"must be a mapping, is {show(value)}", "write it as {label: eth0:web}")
        elif address in found:
            reader.refuse(at, f"{address} is listed twice", "keep one")
        else:
            found[address] = _read(Reader(value, reader.at(at), reader.mistakes), address)
    return tuple(found.items())


def _read(reader: Reader, address: Address) -> tuple[tuple[str, Any], ...]:
    said: dict[str, Any] = {}
    if address.version == 6:
        for key in _ONLY_IPV4:
            if reader.take(key) is not None:
                reader.refuse(key, "is nothing that IPv6 addresses have", "leave it out")
    label, broadcast = reader.take("label"), reader.take("broadcast")
    if label is not None and address.version == 4:
        try:
            named = label.partition(":")[0] if isinstance(label, str) else ""
            said["label"] = forms.label(label, named if forms.is_interface(named) else "eth0")
        except forms.BadForm as wrong:
            reader.refuse("label", f"{show(label)} {wrong}", "write it as eth0:web")
    if broadcast is not None and address.version == 4:
        known = as_address(broadcast)
        if known is None or known.version != 4:
            reader.refuse("broadcast", f"{show(broadcast)} is no IPv4 address", "write it as 192.0.2.255")
        else:
            said["broadcast"] = str(known)
    for key in _SWITCHES:
        if reader.boolean(key, default=False):
            said[key] = True
    reader.finish()
    return tuple(said.items())


def words(options: Mapping[str, Any]) -> str:
    """As they stand after an address in keepalived.conf."""
    said = [f"{word} {options[key]}" for key, word in (("broadcast", "brd"), ("label", "label")) if key in options]
    return " ".join([*said, *(key for key in _SWITCHES if key in options)])
