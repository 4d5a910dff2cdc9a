# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the model: services, real servers and hosts, checked and normalised. Nothing in here can be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_bgp import Bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import Keepalived, Vrrp

Address = IPv4Address | IPv6Address
AddressInNetwork = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network

ROLES = ("director", "real_server", "router", "keepalived", "announcer", "metrics")
# The forwarding methods. What each of them needs is in decide/methods.py.
FORWARDING = ("dr", "nat", "tun", "fullnat")
ARP_METHODS = ("sysctl", "arptables", "static_neighbour")
# What is done about a firewall that drops what the topology needs.
CHECK, MANAGE, NONE = FIREWALLS = ("check", "manage", "none")


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


# A command, and where it has one of its own the user who runs it.
Run = str | tuple[str, str]


@dataclass(frozen=True)
class Watch:
    """What keepalived does for one real server besides its entry in the table. None: what its service says.

    ``checks`` are as the plan has them.
    """

    checks: tuple[Mapping[str, Any], ...] | None = field(default=None, hash=False)
    notify_up: Run | None = None
    notify_down: Run | None = None
    inhibit_on_failure: bool | None = None
    alpha: bool | None = None
    smtp_alert: bool | None = None


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
    watch: Watch = Watch()
    # The share of the clients, in percent, of which its weight was made.
    canary: int | None = field(default=None, compare=False)

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
class Share:
    """A part of a pool: so many percent of the weight of all its real servers, or so much weight."""

    amount: int
    is_percent: bool

    def of(self, weight: int) -> int:
        """So much of that weight; of a pool that has some, never nothing."""
        return max(-(-weight * self.amount // 100), 1) if self.is_percent else self.amount


@dataclass(frozen=True)
class Supervision:
    """What keepalived does for a service besides its table. ``given`` are the keys that the model has.

    ``health_checks`` are as the plan has them; without one, real servers are always up.
    """

    health_checks: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    quorum: int = 1
    hysteresis: int = 0
    # Where less is up, all real servers serve: then ``quorum`` and ``hysteresis`` are not given.
    min_up: Share | None = None
    quorum_up: Run | None = None
    quorum_down: Run | None = None
    inhibit_on_failure: bool = False
    alpha: bool = False
    omega: bool = False
    smtp_alert: bool | None = None
    # Services of one group have the same pool, which keepalived checks once.
    group: str | None = None
    raw: str | None = None
    given: tuple[str, ...] = field(default=(), compare=False)


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
    real_servers: tuple[RealServer, ...] = field(repr=False)
    supervision: Supervision = Supervision()
    sorry_server: RealServer | None = None
    marked: tuple[Marked, ...] = ()
    snat_addresses: tuple[Address, ...] = ()
    helper: str | None = None
    # The directors that have it, of all that have the list; none: each of them.
    directors: tuple[str, ...] = ()
    # Whether real servers answer nothing.
    one_way: bool = False

    @property
    def vips(self) -> tuple[Vip, ...]:
        """What clients use: the service's address, or those that carry its mark where that is known."""
        if self.address is not None:
            return (Vip(f"{self.path}.address", self.address, self.prefix),)
        return tuple({each.vip.address: each.vip for each in reversed(self.marked)}.values())[::-1]

    @property
    def label(self) -> str:
        return f"{self.path} ({self.name})"

    def checks_of(self, entry: RealServer) -> tuple[Mapping[str, Any], ...]:
        """The health checks of one of its real servers: its own, or those that the service has for all."""
        return self.supervision.health_checks if entry.watch.checks is None else entry.watch.checks

    @property
    def targets(self) -> tuple[RealServer, ...]:
        """Every machine that packets may go to: the real servers, and the one that says sorry for all of them."""
        return self.real_servers if self.sorry_server is None else (*self.real_servers, self.sorry_server)


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
class Conntrackd:
    """How a director tells its partner of FULLNAT's connections. ``interface`` None: that of the other daemon's."""

    interface: str | None
    port: int
    connections: int


@dataclass(frozen=True)
class Metrics:
    """Where a director writes its metrics, and every how many seconds."""

    directory: str
    interval: int


@dataclass(frozen=True)
class Host:
    """What the inventory says about a host: at most one address of each family, its RIPs or DIPs.

    ``gateways``: None, the topology decides; empty, leave the route alone. ``metrics``: None, it writes none.
    """

    name: str
    manager: str
    addresses: tuple[Address, ...]
    vip_interface: str | None
    packet_filter: str
    firewall: str
    gateways: tuple[Address, ...] | None
    arp_method: str
    purge: tuple[str, ...]
    keep_weights: bool
    take_over: bool
    sysctls: tuple[tuple[str, str | None], ...]
    timeouts: tuple[tuple[str, int], ...]
    sync: Sync | None
    conntrackd: Conntrackd | None
    vrrp: Vrrp
    keepalived: Keepalived
    metrics: Metrics | None = None
    bgp: Bgp | None = None

    @property
    def shares_vips(self) -> bool:
        """Whether other directors may have the same VIPs: keepalived moves them, or routers know several."""
        return self.manager == "keepalived" or self.bgp is not None

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
