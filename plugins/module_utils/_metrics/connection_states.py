# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many connections each service has in each state, from the lines of /proc/net/ip_vs_conn. Pure, line by line."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Callable, Dict, Iterable, Tuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import IPV4, IPV6, PROTOCOLS, ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer

# By the address, port and protocol that clients use, and the state.
States = Dict[Tuple[ServiceKey, str], int]
# How many lines are counted between two looks at the clock.
_LINES = 1000


class TooSlow(Exception):
    """The list was not over when the time was."""


def count(lines: Iterable[bytes], is_time_left: Callable[[], bool]) -> States:
    """The first line has the names of the columns."""
    found: Counter[tuple[bytes, ...]] = Counter()
    rows = iter(lines)
    next(rows, None)
    for number, line in enumerate(rows):
        words = line.split(None, 8)
        if len(words) < 9:
            raise OddAnswer(f"the kernel's list of connections has the line {line!r}")
        found[(words[0], words[3], words[4], words[7])] += 1
        if number % _LINES == 0 and not is_time_left():
            raise TooSlow
    states: States = {}
    for (protocol, address, port, state), number in found.items():
        states[_key(protocol, address, port), state.decode("ascii", "replace")] = number
    return states


def _key(protocol: bytes, address: bytes, port: bytes) -> ServiceKey:
    name = protocol.decode("ascii", "replace").lower()
    try:
        if b":" in address:
            family, known = IPV6, forms.spelling(ipaddress.IPv6Address(address.decode()))
        else:
            family, known = IPV4, forms.spelling(ipaddress.IPv4Address(int(address, 16)))
        if name not in PROTOCOLS:
            raise ValueError(name)
        return ServiceKey(family, name, known, int(port, 16))
    except ValueError as problem:
        line = b" ".join((protocol, address, port))
        raise OddAnswer(f"the kernel's list of connections has {line!r}") from problem
