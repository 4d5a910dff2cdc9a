# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words by which rules of packet filters ask for something: what each of them says of its field. Pure.

A word in a form that its field is not known to have (a range of names, a set, several fields in one) is one that nobody
can decide, so that nothing is concluded from its rule.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import protocol_number
from ansible_collections.lvs.topology.plugins.module_utils._filter.verdicts import DNAT, Condition

UNKNOWN = Condition("unknown", ())
_STATES = {"new", "established", "related", "invalid", "untracked"}
_FAMILIES_BY_NAME = {"ipv4": 4, "ipv6": 6}
# ICMP's types by name, as nft prints them: what says that a packet was too large, and what does not.
_ICMP = {"destination-unreachable": (3, None), "packet-too-big": (2, None)}
_OTHER_ICMP = {
    *("echo-reply", "echo-request", "source-quench", "redirect", "router-advertisement", "router-solicitation"),
    *("time-exceeded", "parameter-problem", "timestamp-request", "timestamp-reply", "info-request", "info-reply"),
    *("address-mask-request", "address-mask-reply", "mld-listener-query", "mld-listener-report", "mld-listener-done"),
    *("mld-listener-reduction", "mld2-listener-report", "nd-router-solicit", "nd-router-advert"),
    *("nd-neighbor-solicit", "nd-neighbor-advert", "nd-redirect", "router-renumbering"),
    *("ind-neighbor-solicit", "ind-neighbor-advert"),
}
_ICMP_NUMBERS = re.compile(r"(\d{1,3})(?:/(\d{1,3}))?$")
_PORTS = re.compile(r"(\d{0,5})(?:([:-])(\d{0,5}))?$")


def _network(word: str) -> tuple[int, int, int] | None:
    try:
        network = ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


def _ports(word: str) -> tuple[int, int] | None:
    found = _PORTS.match(word)
    if not found or not (found[1] or found[3]):
        return None
    high = found[3] or "65535" if found[2] else found[1]
    return int(found[1] or 0), int(high)


def _icmp(word: str) -> tuple[int | None, int | None] | None:
    if word in _OTHER_ICMP:
        return -1, None
    found = _ICMP_NUMBERS.match(word)
    if found:
        return int(found[1]), None if found[2] is None else int(found[2])
    return (None, None) if word == "any" else _ICMP.get(word)


def _interface(word: str) -> tuple[str, bool] | None:
    """A name, or the beginning of names before an asterisk. A set is none of them, nor is what a backslash says."""
    if word.startswith("@") or "\\" in word:
        return None
    return (word[:-1], True) if word.endswith("*") else (word, False)


# By field, what a word says of it; None: its form is not one that is known here.
_READ: Mapping[str, Callable[[str], Any]] = {
    "protocol": protocol_number,
    "family": _FAMILIES_BY_NAME.get,
    "source": _network,
    "destination": _network,
    "port": _ports,
    "source_port": _ports,
    "icmp": _icmp,
    "state": lambda word: word if word in _STATES or word == DNAT else None,
    "status": lambda word: word,
    "iif": _interface,
    "oif": _interface,
}


def condition(field: str, words: Sequence[str], negated: bool) -> Condition:
    return Condition(field, tuple(_READ[field](each) for each in words), negated)
