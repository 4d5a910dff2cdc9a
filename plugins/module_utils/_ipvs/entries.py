# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's IPVS table holds, as immutable values, and what a task may want of it.

Names and ranges follow include/uapi/linux/ip_vs.h and ipvsadm 1.31. Nothing here reads or writes anything.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field, fields
from typing import Dict, Mapping, NamedTuple, Union

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

IPV4 = "ipv4"
IPV6 = "ipv6"

PROTOCOLS: Mapping[str, int] = {"tcp": 6, "udp": 17, "sctp": 132}

# IP_VS_CONN_F_FWD_MASK. The last two are only ever read: kernels before 2.6.37 report them.
FORWARD_METHODS: Mapping[str, int] = {"nat": 0, "local": 1, "tun": 2, "dr": 3, "bypass": 4}
TUNNEL_TYPES: Mapping[str, int] = {"ipip": 0, "gue": 1, "gre": 2}
TUNNEL_CHECKSUMS: Mapping[str, int] = {"none": 0, "on": 1, "remote": 2}

# The kernel has three flag bits that mean what the service's scheduler takes them for.
SCHEDULER_FLAG_BITS: Mapping[str, int] = {"flag-1": 0x08, "flag-2": 0x10, "flag-3": 0x20}
SCHEDULER_FLAG_NAMES: Mapping[str, Mapping[str, str]] = {
    "sh": {"sh-fallback": "flag-1", "sh-port": "flag-2"},
    "mh": {"mh-fallback": "flag-1", "mh-port": "flag-2"},
}

DEFAULT_SCHEDULER = forms.DEFAULT_SCHEDULER
DEFAULT_FORWARD = "dr"
DEFAULT_WEIGHT = forms.DEFAULT_WEIGHT
DEFAULT_TIMEOUT = forms.DEFAULT_PERSISTENCE
MAX_WEIGHT = forms.WEIGHTS.high
MAX_THRESHOLD = forms.THRESHOLDS.high
# What the kernel has as long as nobody sets them. A connection's timeout is bounded like that of persistence.
DEFAULT_TIMEOUTS: Mapping[str, int] = {"tcp": 900, "tcpfin": 120, "udp": 300}
DAEMON_STATES: Mapping[str, int] = {"master": 1, "backup": 2}
DEFAULT_GROUP = forms.DEFAULT_GROUP
DEFAULT_SYNC_PORT = forms.DEFAULT_SYNC_PORT
DEFAULT_TTL = forms.DEFAULT_TTL
FULL_MASK: Mapping[str, int] = {IPV4: 0xFFFFFFFF, IPV6: 128}


def family_of(address: str) -> str:
    return IPV6 if ":" in address else IPV4


def packed(address: str) -> bytes:
    """The address, whose form was checked, as the kernel compares and sorts it. A table asks for thousands."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def endpoint(address: str, port: int) -> str:
    """Address and port as ipvsadm writes them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True)
class ServiceKey:
    """What makes a virtual service the same one: a firewall mark and family, or protocol, VIP and port."""

    family: str
    protocol: str = ""
    address: str = ""
    port: int = 0
    fwmark: int = 0

    def __str__(self) -> str:
        if self.fwmark:
            return f"fwmark {self.fwmark} {self.family}"
        return f"{self.protocol} {endpoint(self.address, self.port)}"

    @classmethod
    def from_text(cls, text: str) -> ServiceKey:
        """Read what str() wrote; ValueError for anything else."""
        kind, rest = text.split(" ", 1)
        if kind == "fwmark":
            mark, family = rest.split(" ")
            if family not in (IPV4, IPV6):
                raise ValueError(f"{family} is no address family")
            return cls(family=family, fwmark=int(mark))
        if kind not in PROTOCOLS:
            raise ValueError(f"{kind} is no protocol")
        address, port = rest.rsplit(":", 1)
        address = forms.canonical_address(address.strip("[]"))
        return cls(family=family_of(address), protocol=kind, address=address, port=int(port))

    def sort_key(self) -> tuple[int, str, int, bytes, int]:
        """The order in which ipvsadm lists services."""
        if self.fwmark:
            return (self.fwmark, self.family, 0, b"", 0)
        return (0, self.family, PROTOCOLS[self.protocol], packed(self.address), self.port)


# Of these a table has thousands, each of which is looked up several times: a tuple is compared and hashed by C.
class DestinationKey(NamedTuple):
    """What makes a real server of a service the same one."""

    address: str
    port: int

    def __str__(self) -> str:
        return endpoint(self.address, self.port)

    def sort_key(self) -> tuple[str, bytes, int]:
        """The order in which ipvsadm lists real servers, IPv4 before IPv6."""
        return (family_of(self.address), packed(self.address), self.port)


@dataclass(frozen=True)
class Counters:
    """Statistics of a service or real server: totals, and rates per second as the kernel's estimator has them."""

    conns: int = 0
    inpkts: int = 0
    outpkts: int = 0
    inbytes: int = 0
    outbytes: int = 0
    cps: int = 0
    inpps: int = 0
    outpps: int = 0
    inbps: int = 0
    outbps: int = 0


@dataclass(frozen=True)
class Connections:
    """Connections of a real server, as the schedulers count them."""

    active: int = 0
    inactive: int = 0
    persistent: int = 0


CONNECTION_KINDS = tuple(each.name for each in fields(Connections))


@dataclass(frozen=True)
class Service:
    """A virtual service's settings. Counters take no part in comparisons."""

    key: ServiceKey
    scheduler: str = DEFAULT_SCHEDULER
    flags: frozenset[str] = frozenset()  # of SCHEDULER_FLAG_BITS; HASHED is the kernel's own and masked
    one_packet: bool = False
    timeout: int = 0  # of persistence, 0: not persistent
    netmask: int = 0  # of persistence: IPv4 the mask, IPv6 the prefix length
    engine: str = ""  # of persistence, "": none
    counters: Counters | None = field(default=None, compare=False)


# There are thousands, and a frozen one takes three times as long to make. Nobody changes one.
@dataclass(unsafe_hash=True)
class Destination:
    """A real server's settings. Connections and counters take no part in comparisons."""

    key: DestinationKey
    forward: str = DEFAULT_FORWARD
    weight: int = DEFAULT_WEIGHT
    upper: int = 0
    lower: int = 0
    tunnel: str = "ipip"
    tunnel_port: int = 0
    checksum: str = "none"
    connections: Connections | None = field(default=None, compare=False)
    counters: Counters | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Entry:
    """A virtual service with its real servers."""

    service: Service
    destinations: Mapping[DestinationKey, Destination] = field(default_factory=dict)


Table = Dict[ServiceKey, Entry]


class WantedDestination(NamedTuple):
    """What a task says about a real server; None: not said, so left alone."""

    key: DestinationKey
    path: str  # where the task says it
    forward: str | None = None
    weight: int | None = None
    upper: int | None = None
    lower: int | None = None
    tunnel: str | None = None
    tunnel_port: int | None = None
    checksum: str | None = None


@dataclass(frozen=True)
class WantedService:
    """What a task says about a virtual service; None: not said, so left alone."""

    key: ServiceKey
    path: str
    scheduler: str | None = None
    flags: frozenset[str] | None = None  # of SCHEDULER_FLAG_NAMES
    one_packet: bool | None = None
    persistent: bool | None = None
    timeout: int | None = None
    netmask: int | None = None
    engine: str | None = None
    destinations: tuple[WantedDestination, ...] | None = None


@dataclass(frozen=True)
class Info:
    """What IPVS says about itself."""

    version: str
    table_size: int


@dataclass(frozen=True)
class Timeouts:
    """The connection timeouts of a network namespace, in seconds."""

    tcp: int
    tcpfin: int
    udp: int


@dataclass(frozen=True)
class Daemon:
    """A synchronisation daemon that runs. There is at most one of each state."""

    state: str  # of DAEMON_STATES
    interface: str
    syncid: int = 0
    maxlen: int = 0
    group: str = DEFAULT_GROUP
    port: int = DEFAULT_SYNC_PORT
    ttl: int = DEFAULT_TTL


@dataclass(frozen=True)
class SetTimeouts:
    """Change timeouts; 0 leaves one as it is."""

    timeouts: Timeouts


@dataclass(frozen=True)
class StartDaemon:
    daemon: Daemon


@dataclass(frozen=True)
class StopDaemon:
    state: str


@dataclass(frozen=True)
class Zero:
    """Set the counters of one service, or of all, to zero."""

    key: ServiceKey | None = None


Setting = Union[SetTimeouts, StartDaemon, StopDaemon, Zero]


@dataclass(frozen=True)
class Action:
    """One change of the table. Only a destination's change has one; a deletion uses only the keys."""

    verb: str  # add, edit, delete
    service: Service
    destination: Destination | None = None


Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
