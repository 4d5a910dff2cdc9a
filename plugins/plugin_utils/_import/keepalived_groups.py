# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual_server of keepalived.conf is for: an address, a firewall mark, or the group of many. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import address, port_of
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Remarks, Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address

_MOST_IN_GROUP = 8192


@dataclass(frozen=True)
class Identity:
    """What a virtual server stands for: an address and port, or a firewall mark."""

    address: Address | None
    port: int
    fwmark: int | None


def identities_of(node: Node, groups: Mapping[str, Node], remarks: Remarks) -> Iterator[Identity]:
    """The addresses and marks of a block virtual_server: those of its group, or its own."""
    first, second = node.argument(), node.argument(1)
    if first == "group":
        group = groups.get(second or "")
        if group is None:
            remarks.lost(node.place, node.words, "no virtual_server_group has this name")
            return
        count = 0
        for each in group.children:
            for member in _member(each, (each.keyword, *each.arguments), remarks):
                count += 1
                if count > _MOST_IN_GROUP:
                    problem = f"the group stands for more than {_MOST_IN_GROUP} addresses"
                    raise Unreadable(each.place, problem, "make several groups of it")
                yield member
        return
    yield from _member(node, node.arguments, remarks)


def _member(node: Node, words: tuple[str, ...], remarks: Remarks) -> Iterator[Identity]:
    first = words[0] if words else ""
    second = words[1] if len(words) > 1 else None
    if first == "fwmark":
        mark = forms.integer(second)
        if mark is None or mark not in forms.FIREWALL_MARKS:
            remarks.lost(node.place, node.words, "it needs the number of a firewall mark")
            return
        yield Identity(None, 0, mark)
        return
    port = 0 if second is None else port_of(second)
    if port is None:
        remarks.lost(node.place, node.words, "it needs a port from 0 to 65535")
        return
    text, dash, last = first.partition("-")
    start = address(node, text, remarks)
    if start is None:
        return
    rounds = 1
    if dash:
        end = as_address(last) or _in_last_part(start, last)
        if end is None or end.version != start.version or int(end) < int(start):
            remarks.lost(node.place, node.words, "its range of addresses cannot be read")
            return
        rounds = int(end) - int(start) + 1
    if rounds > _MOST_IN_GROUP:
        remarks.lost(node.place, node.words, f"it stands for more than {_MOST_IN_GROUP} addresses")
        return
    for each in range(rounds):
        yield Identity(start + each, port, None)


def _in_last_part(start: Address, text: str) -> Address | None:
    """The end of a range that names its last part alone: decimal in IPv4, hexadecimal in IPv6."""
    mask, base = (0xFF, 10) if start.version == 4 else (0xFFFF, 16)
    try:
        last = int(text, base) if text.isascii() and text.isalnum() else -1
    except ValueError:
        return None
    return type(start)(int(start) & ~mask | last) if 0 <= last <= mask else None
