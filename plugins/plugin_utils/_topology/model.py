# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the model: services, real servers and hosts, checked and normalised. Nothing in here can be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

Address = IPv4Address | IPv6Address
AddressInNetwork = IPv4Interface | IPv6Interface

ROLES = ("director", "real_server", "router")
PROTOCOLS = ("tcp", "udp", "sctp")
FAMILIES = {"ipv4": 4, "ipv6": 6}
ARP_METHODS = ("sysctl", "arptables", "static_neighbour")
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos")
PACKET_FILTERS = ("auto", "nftables", "iptables")
# Each kind of tunnel with the checksums that it can carry; gue alone has a port.
TUNNEL_CHECKSUMS = {"ipip": ("none",), "gue": ("none", "on", "remote"), "gre": ("none", "on")}
# The kernel has one bit for each pair; which scheduler reads it decides what it means.
FLAGS_OF_SCHEDULER = {"sh": ("sh-port", "sh-fallback"), "mh": ("mh-port", "mh-fallback")}


@dataclass(frozen=True)
class Persistence:
    """How long a client stays with its real server, and who counts as one client. ``engine`` may be none."""

    timeout: int
    netmask: str | int
    engine: str


@dataclass(frozen=True)
class Tunnel:
    """How packets to a real server are wrapped. ``port`` is 0 where the kind has none."""

    kind: str
    port: int
    checksum: str


@dataclass(frozen=True)
class RealServer:
    """One entry of a service's real servers. ``host`` is None for a machine that is not in the inventory."""

    path: str
    address: Address
    host: str | None
    port: int
    weight: int
    upper_threshold: int
    lower_threshold: int
    tunnel: Tunnel | None = None

    @property
    def label(self) -> str:
        return f"{self.host} ({self.address})" if self.host else str(self.address)


@dataclass(frozen=True)
class Vip:
    """An address that clients use. ``prefix`` is None where none was written."""

    path: str
    address: Address
    prefix: int | None


@dataclass(frozen=True)
class Marked:
    """Packets to a VIP that carry the mark of a firewall-mark service. Without ports, all of the protocol."""

    path: str
    vip: Vip
    protocol: str
    ports: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Service:
    """A virtual service: by VIP, port and protocol, or by firewall mark.

    ``prefix`` is None where none was written, and ``marked`` is empty where somebody else sets the mark.
    """

    path: str
    name: str
    family: int
    address: Address | None
    prefix: int | None
    fwmark: int | None
    port: int
    protocol: str
    forward: str
    scheduler: str
    scheduler_flags: tuple[str, ...]
    persistence: Persistence | None
    one_packet: bool
    has_health_check: bool
    real_servers: tuple[RealServer, ...] = field(repr=False)
    marked: tuple[Marked, ...] = ()
    snat_addresses: tuple[Address, ...] = ()
    helper: str | None = None

    @property
    def vips(self) -> tuple[Vip, ...]:
        """What clients use: the service's address, or those that carry its mark where that is known."""
        if self.address is not None:
            return (Vip(f"{self.path}.address", self.address, self.prefix),)
        return tuple({each.vip.address: each.vip for each in reversed(self.marked)}.values())[::-1]

    @property
    def label(self) -> str:
        return f"{self.path} ({self.name})"


@dataclass(frozen=True)
class Sync:
    """The synchronisation daemons of a director. ``interface`` None: the one that holds the director's address."""

    states: tuple[str, ...]
    interface: str | None
    syncid: int
    maxlen: int
    group: Address
    port: int
    ttl: int


@dataclass(frozen=True)
class Host:
    """What the inventory says about a host: at most one address of each family, its RIPs or DIPs.

    ``gateways``: None, the topology decides; empty, leave the route alone.
    """

    name: str
    addresses: tuple[Address, ...]
    vip_interface: str | None
    packet_filter: str
    gateways: tuple[Address, ...] | None
    arp_method: str
    purge: tuple[str, ...]
    keep_weights: bool
    sysctls: tuple[tuple[str, str | None], ...]
    timeouts: tuple[tuple[str, int], ...]
    sync: Sync | None

    def address(self, family: int) -> Address | None:
        return next((address for address in self.addresses if address.version == family), None)


@dataclass(frozen=True)
class Interface:
    """A network interface, as the host's facts show it."""

    name: str
    mac: str | None
    active: bool
    addresses: tuple[AddressInNetwork, ...]
    mtu: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a host's network. ``interfaces`` is None where facts were not gathered."""

    interfaces: tuple[Interface, ...] | None = None
    gateways: tuple[Address, ...] = ()
