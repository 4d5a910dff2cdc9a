# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a packet that has to pass a packet filter, and what netfilter makes of its connection. Pure."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

# What /etc/protocols calls them, by their numbers. `ipip` is not the protocol of IPIP tunnels, which is `ipencap`.
_PROTOCOLS = {
    "icmp": "1",
    "igmp": "2",
    "ipencap": "4",
    "ipv4": "4",
    "tcp": "6",
    "udp": "17",
    "dccp": "33",
    "ipv6": "41",
    "gre": "47",
    "esp": "50",
    "ah": "51",
    "icmpv6": "58",
    "ipv6-icmp": "58",
    "ospf": "89",
    "ipip": "94",
    "pim": "103",
    "vrrp": "112",
    "sctp": "132",
    "udplite": "136",
}


class Packet(NamedTuple):
    """What is known of a packet; None: anything. ``state`` is that of its connection in the words of the filters.

    ``taken``: IPVS takes it, or changes it, so that later chains see another packet or none.
    """

    hook: str
    family: int
    protocol: str | None
    source: str | None = None
    destination: str | None = None
    source_port: int | None = None
    port: int | None = None
    state: str | None = None
    interface: str | None = None
    taken: bool = False


def protocol_number(name: str) -> str | None:
    """As text; None for a name that is not known here."""
    number = forms.integer(name)
    if number is not None and 0 <= number <= 255:
        return str(number)
    return _PROTOCOLS.get(name)


# What filters call the state of a packet, where IPVS tells netfilter of its connections and where it does not; None:
# any. An answer that passes a director belongs to a connection then, and else to none that netfilter knows, to which it
# cannot belong by TCP. What follows on a connection of which the host never sees the answers does not fit to what
# netfilter knows of it, and where it knows nothing, what ends one does not. What IPVS sends on is not tracked where
# netfilter is not told of the connection; the first packet of one stands for those that are.
STATES: Mapping[str, tuple[str | None, str | None]] = {
    "answer": ("established", "invalid"),
    "half": ("invalid", None),
    "closing": (None, "invalid"),
    "sent": ("new", "untracked"),
}


def packet_of(given: Mapping[str, Any], keeps_track: bool) -> Packet:
    """The packet of a question."""
    state, protocol = given["state"], protocol_number(given["protocol"])
    if state in STATES:
        state = STATES[state][not keeps_track]
    if given["state"] == "answer" and protocol != protocol_number("tcp") and not keeps_track:
        state = "new"
    known = {name: given[name] for name in Packet._fields if name not in ("protocol", "state")}
    return Packet(**known, protocol=protocol, state=state)
