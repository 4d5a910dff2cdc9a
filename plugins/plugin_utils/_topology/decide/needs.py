# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a topology needs on a host, one small value each; a plan is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Sync


@dataclass(frozen=True)
class Command:
    name: str


@dataclass(frozen=True)
class KernelModule:
    name: str


@dataclass(frozen=True)
class KernelOption:
    """An option of the kernel build. Without that of a protocol, IPVS takes the service and ignores its packets."""

    name: str


@dataclass(frozen=True)
class Sysctl:
    key: str
    value: str


@dataclass(frozen=True)
class Arp:
    """Answer ARP for what the receiving interface has itself, and announce nothing else."""

    interface: str
    arp_ignore: int = 1
    arp_announce: int = 2


@dataclass(frozen=True)
class ArpFilter:
    vip: Address
    source: Address
    interface: str | None


@dataclass(frozen=True)
class VirtualAddress:
    address: Address
    prefix: int
    interface: str
    announce: str | None = None
    deprecated: bool | None = None


@dataclass(frozen=True)
class TunnelEnd:
    """What unwraps packets on a real server: a link, or for GUE a UDP port in front of one.

    A link without ``local`` is the fallback device of its kind, which takes what no other link takes.
    """

    kind: str
    interface: str | None = None
    local: Address | None = None
    checksum: bool | None = None
    port: int | None = None
    family: str | None = None


@dataclass(frozen=True)
class SegmentSize:
    """The largest TCP segment that fits through the tunnel to an address."""

    address: Address
    size: int


@dataclass(frozen=True)
class KernelRelease:
    """The oldest kernel that can do it."""

    release: str
    because: str


@dataclass(frozen=True)
class Gateway:
    """A default gateway, and why: two different ones for one host are a mistake that has to be explained."""

    address: Address
    because: str


@dataclass(frozen=True)
class Neighbour:
    address: Address
    lladdr: str
    interface: str


@dataclass(frozen=True)
class SyncDaemon:
    state: str
    interface: str
    sync: Sync


@dataclass(frozen=True)
class Replication:
    """What netfilter knows of connections to these real servers is told to a partner. A master has what is held."""

    held: Address
    own: Address
    partner: Address
    interface: str
    port: int
    real_servers: tuple[Address, ...]
    connections: int


@dataclass(frozen=True)
class Mark:
    """Packets to this address and these ports (all of the protocol where there are none) get a firewall mark."""

    mark: int
    address: Address
    protocol: str
    ports: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SourceNat:
    """Connections of a service to these real servers (all where there are none) get a source of the director.

    ``service`` is an address with protocol and port, or a mark with its address family.
    """

    service: tuple[Address, str, int] | tuple[int, int]
    destinations: tuple[Address, ...]
    to: tuple[Address, ...]


@dataclass(frozen=True)
class Announcement:
    """A route of a VIP that says to BGP: announce it. Each service has its own, by its metric.

    ``service`` is the service as the ledger calls it.
    """

    address: Address
    metric: int
    service: str


@dataclass(frozen=True)
class Note:
    """Something that works, and that an operator should know."""

    text: str


# Where a need cannot be determined, the mistake stands in its place.
Need = (
    Command
    | KernelModule
    | KernelOption
    | KernelRelease
    | Sysctl
    | Arp
    | ArpFilter
    | TunnelEnd
    | VirtualAddress
    | SegmentSize
    | Gateway
    | Neighbour
    | SyncDaemon
    | Replication
    | Mark
    | SourceNat
    | Announcement
    | Note
    | Mistake
)
