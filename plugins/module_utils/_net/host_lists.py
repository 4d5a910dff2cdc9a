# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's lists of links, addresses, routes, rules and neighbours, each of them whole: rtnetlink, rtnetlink(7).

The kernel hands out a list in pieces, and others may change it in between. Then entries that were there all the time
can be missing. pyroute2 0.7.2 ends with an exception there, and 0.9 goes on with what it has; so the lists are not read
by pyroute2, which is only asked what the bytes of an entry mean.
"""

from __future__ import annotations

import errno
import struct
from typing import List, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._netlink.conversation import Conversation

_NETLINK_ROUTE = 0
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
# The header of a route has one byte for its table; this number says that the table is larger, and in an attribute.
_TABLE_OFFSET, _LARGER_TABLE = 4, 252
# Where the kernel does not say that a list changed, two readings in a row that are equal have to tell.
_COMPARED = 10

# One entry with its netlink header.
Entries = List[bytes]


class _Kind(NamedTuple):
    """What is listed: the type of the request (RTM_GET...), and the size of the kernel's struct behind the header."""

    query: int
    size: int
    # The attributes that differ from moment to moment: ages, and counters.
    volatile: tuple[int, ...] = ()


_LINKS = _Kind(18, 16)
_ADDRESSES = _Kind(22, 8)
_ROUTES = _Kind(26, 12, (12,))  # RTA_CACHEINFO
_NEIGHBOURS = _Kind(30, 12, (3, 4))  # NDA_CACHEINFO, NDA_PROBES
_RULES = _Kind(34, 12)


class HostLists(Conversation):
    """A socket of rtnetlink that only lists."""

    # One who adds and removes 50 addresses a second interrupts more than half of the readings on a slow machine.
    _attempts = 100
    _writers = "a container runtime, a routing daemon"
    _nothing = (errno.EAFNOSUPPORT, errno.EOPNOTSUPP)

    def __init__(self) -> None:
        super().__init__("links, addresses, routes and neighbours", _NETLINK_ROUTE)

    def links(self) -> Entries:
        return self._entries(_LINKS)

    def addresses(self) -> Entries:
        return self._entries(_ADDRESSES)

    def rules(self, family: int) -> Entries:
        return self._entries(_RULES, family)

    def routes(self, family: int, table: int) -> Entries:
        """The routes of a table, and perhaps of others whose number does not fit into one byte either."""
        return self._compared(_ROUTES, family, table if table < 256 else _LARGER_TABLE)

    def neighbours(self, family: int) -> Entries:
        return self._compared(_NEIGHBOURS, family)

    def close(self) -> None:
        self._socket.close()

    def _compared(self, kind: _Kind, family: int, table: int | None = None) -> Entries:
        """A list of which the kernel does not say that it changed meanwhile (ip6_fib.c, neighbour.c).

        It counts how many entries it has handed out, and skips as many of those that are there next: where some of
        these have gone, others are left out. Where the list never comes out the same twice, every entry that was in
        one of the readings counts, and the last reading comes first.
        """
        readings: list[Entries] = []
        while len(readings) < _COMPARED:
            entries = self._entries(kind, family)
            if table is not None:
                entries = [entry for entry in entries if entry[_HEADER.size + _TABLE_OFFSET] == table]
            if readings and sorted(readings[-1]) == sorted(entries):
                return entries
            readings.append(entries)
        return list(dict.fromkeys(entry for reading in reversed(readings) for entry in reading))

    def _entries(self, kind: _Kind, family: int = 0) -> Entries:
        body = bytes([family]).ljust(kind.size, b"\0")

        def request(sequence: int) -> bytes:
            flags = messages.NLM_F_REQUEST | messages.NLM_F_DUMP
            return _HEADER.pack(_HEADER.size + kind.size, kind.query, flags, sequence, 0) + body

        # A kernel without IPv6 answers with what it has of the other family.
        payloads = [payload for payload in self._whole(request) if not family or payload[0] == family]
        return [_entry(kind, payload) for payload in payloads]


def _entry(kind: _Kind, payload: bytes) -> bytes:
    """The message again, without what differs from moment to moment."""
    kept = payload[: kind.size]
    offset = kind.size
    while offset + _ATTRIBUTE.size <= len(payload):
        length, number = _ATTRIBUTE.unpack_from(payload, offset)
        if length < _ATTRIBUTE.size:
            break
        end = offset + ((length + 3) & ~3)
        if number not in kind.volatile:
            kept += payload[offset:end]
        offset = end
    return _HEADER.pack(_HEADER.size + len(kept), kind.query, 0, 0, 0) + kept
