# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole picture: every director's services, and where the hosts are on the network.

Facts show a host before or after this collection worked on it, and a director as master or not. So that all give the
same plan, the VIPs and the floating addresses of the model never count when networks are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

from ansible_collections.lvs.topology.plugins.module_utils._net.tunnel_plan import is_tunnel_end
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    AddressInNetwork,
    Facts,
    Host,
    Interface,
    RealServer,
    Service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import Floating
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import VirtualAddress
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory

_T = TypeVar("_T")


@dataclass(frozen=True)
class Place:
    """Where a director holds a VIP, and the interface that answers for it (None: not known)."""

    interface: str
    announce: str | None


@dataclass(frozen=True)
class OnLink:
    """An address of a host with the network around it, and its interface."""

    own: AddressInNetwork
    interface: Interface


class Site:
    """Answers the questions that the topologies ask. ``services`` is by director."""

    def __init__(self, inventory: Inventory, services: Mapping[str, tuple[Service, ...]]) -> None:
        self.inventory = inventory
        self.services = services
        self._answers: dict[tuple[Any, ...], Any] = {}

    def once(self, question: tuple[Any, ...], answer: Callable[[], _T]) -> _T:
        """The answer to a question that is asked for every real server of every service, worked out once."""
        if question not in self._answers:
            self._answers[question] = answer()
        return cast("_T", self._answers[question])

    def pairs(self) -> Iterator[tuple[str, Service]]:
        """Every director with each of its services."""
        for director, services in self.services.items():
            for service in services:
                yield director, service

    @cached_property
    def listings(self) -> Mapping[str, list[tuple[str, Service, RealServer]]]:
        """Every host that is a real server, with the entries that say so."""
        listings: dict[str, list[tuple[str, Service, RealServer]]] = {}
        for director, service in self.pairs():
            for entry in service.targets:
                if entry.host is not None:
                    listings.setdefault(entry.host, []).append((director, service, entry))
        return listings

    @cached_property
    def vips(self) -> frozenset[Address]:
        return frozenset(vip.address for _director, service in self.pairs() for vip in service.vips)

    @cached_property
    def floating(self) -> frozenset[Address]:
        """What moves from director to director besides the VIPs."""
        return frozenset(each.address for name in self.services for each in self.host(name).vrrp.floating)

    @cached_property
    def moving(self) -> frozenset[Address]:
        """What facts may show on one director or the other."""
        moved = [name for name in self.services if self.is_moved(name)]
        return self.floating.union(*(self.vips_of(name) for name in moved))

    def is_moved(self, director: str) -> bool:
        """Whether keepalived brings the director its VIPs and takes them away."""
        return self.host(director).manager == "keepalived"

    def is_routed(self, director: str) -> bool:
        """Whether routers know the director by routes to its VIPs: then several may have the same at once."""
        return self.host(director).bgp is not None

    def vip_interface(self, director: str) -> str | None:
        """The interface for the VIPs where one is chosen. What routers send to a director needs no answer to ARP."""
        return self.host(director).vip_interface or ("lo" if self.is_routed(director) else None)

    def is_checked(self, director: str) -> bool:
        """Whether keepalived fills the director's table, by its checks; the VIPs may be ours all the same."""
        return self.host(director).manager in ("keepalived", "checker")

    def partners(self, director: str) -> tuple[str, ...]:
        """The directors that have VIPs of this one too, and itself. Without any VIP, what floats stands for them."""
        return self.once(
            ("partners", director),
            lambda: tuple(
                each for each in self.services if each == director or self._shared(each) & self._shared(director)
            ),
        )

    def at_other_directors(self, director: str) -> Mapping[Address, str]:
        """The addresses of the others that have its VIPs. What it has as well, such as a bridge's, is its own to it."""
        own = self.addresses(director)
        others = (each for each in self.partners(director) if each != director)
        return {each: other for other in others for each in self.addresses(other) if each not in own}

    def _shared(self, director: str) -> frozenset[Address]:
        """What directors that have it both belong together by.

        Beside VIPs, what floats does not tell: the networks of two pairs may have the same gateway, each its own. A
        service by a firewall mark need not have a VIP, and then there is nothing else.
        """
        return self.once(
            ("shared", director),
            lambda: self.vips_of(director) or frozenset(each.address for each in self.floating_of(director)),
        )

    def floating_of(self, director: str) -> tuple[Floating, ...]:
        """What moves with the director's VIPs; nothing where no keepalived moves it."""
        return self.host(director).vrrp.floating if self.is_moved(director) else ()

    def serving_addresses(self, director: str) -> tuple[Address, ...]:
        """What clients and real servers reach the director by, as long as it is the one that serves."""
        vips = sorted(self.vips_of(director), key=str)
        return tuple(dict.fromkeys([*vips, *(each.address for each in self.floating_of(director))]))

    def holds(self, director: str, address: Address) -> bool:
        """Whether facts show the address where the director answers for it."""
        may_be_on_lo = self.vip_interface(director) == "lo"
        return any(interface.name != "lo" or may_be_on_lo for interface in self.holding(director, address))

    def holding(self, director: str, address: Address) -> list[Interface]:
        """The interfaces that have the address, but for the ends of tunnels, where a real server has its VIPs."""
        return self.once(("holding", director), lambda: self._find_holding(director)).get(address, [])

    def _find_holding(self, director: str) -> dict[Address, list[Interface]]:
        holding: dict[Address, list[Interface]] = {}
        for interface in self.facts(director).interfaces or ():
            for address in () if is_tunnel_end(interface.name) else {own.ip for own in interface.addresses}:
                holding.setdefault(address, []).append(interface)
        return holding

    def vips_of(self, director: str) -> frozenset[Address]:
        return self.once(
            ("vips", director),
            lambda: frozenset(vip.address for service in self.services[director] for vip in service.vips),
        )

    def host(self, name: str) -> Host:
        return self.inventory.host(name)

    def facts(self, name: str) -> Facts:
        return self.inventory.facts(name)

    def is_known(self, name: str) -> bool:
        """Whether facts tell the host's addresses; without them nothing can be concluded from their absence."""
        return self.facts(name).interfaces is not None

    def interface(self, name: str, interface: str | None) -> Interface | None:
        return next((each for each in self.facts(name).interfaces or () if each.name == interface), None)

    def on_link(self, name: str) -> tuple[OnLink, ...]:
        """The host's addresses that have a network around them, the most specific network first."""
        return self.once(("on_link", name), lambda: self._find_on_link(name))

    def _find_on_link(self, name: str) -> tuple[OnLink, ...]:
        # A VIP that is the host's own address is a mistake, and shall not make others appear.
        foreign = (self.vips | self.floating).difference(self.host(name).addresses)
        found = [
            each
            for each in self._all_links(name)
            if each.own.ip not in foreign and each.own.network.prefixlen < full_prefix(each.own.ip)
        ]
        found.sort(key=lambda each: (-each.own.network.prefixlen, not each.interface.active))
        return tuple(found)

    def _all_links(self, name: str) -> Iterator[OnLink]:
        for interface in self.facts(name).interfaces or ():
            for own in interface.addresses:
                if interface.name != "lo" and not own.ip.is_loopback and not own.ip.is_link_local:
                    yield OnLink(own, interface)

    def link_to(self, name: str, address: Address) -> OnLink | None:
        """The host's link that holds the address: by its network, else because the address itself is there."""
        return self.once(("link", name, address), lambda: self._find_link(name, address))

    def _find_link(self, name: str, address: Address) -> OnLink | None:
        by_network = (each for each in self.on_link(name) if address in each.own.network)
        # An address that comes and goes says nothing by being there.
        return next(by_network, None) or (None if address in self.moving else self._by_itself(name).get(address))

    def _by_itself(self, name: str) -> Mapping[Address, OnLink]:
        """By each address, the first link that has it: a host may have thousands of VIPs."""
        return self.once(
            ("by itself", name), lambda: {each.own.ip: each for each in reversed([*self._all_links(name)])}
        )

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The host's own addresses as far as they are known, the one that the inventory names first."""
        return self.once(("addresses", name), lambda: self._find_addresses(name))

    def _find_addresses(self, name: str) -> tuple[Address, ...]:
        return tuple(dict.fromkeys([*self.host(name).addresses, *(each.own.ip for each in self.on_link(name))]))

    def named_address(self, name: str, family: int) -> Address | None:
        """The address of a family that the inventory gives the host.

        Without lvs_address it is the one by which Ansible reaches the host, unless facts show that it is not the host's
        own: a router may translate it.
        """
        named = self.host(name).address(family)
        if self.inventory.names_address(name) or not self.is_known(name):
            return named
        return named if named in self.held(name) else None

    def held(self, name: str) -> frozenset[Address]:
        """Every address that facts show on the host, whatever put it there."""
        return self.once(
            ("held", name),
            lambda: frozenset(
                each.ip for interface in self.facts(name).interfaces or () for each in interface.addresses
            ),
        )

    def address_towards(self, name: str, address: Address, family: int) -> Address | None:
        """The host's own address of a family by which it reaches an address, as far as it is known.

        On one of the networks of that address, else the one that the inventory names, else one of the same NIC.
        """
        named = self.named_address(name, family)
        near = [each.own.ip for each in self.on_link(name) if address in each.own.network]
        own = [each for each in near if each.version == family]
        if own:
            return named if named in own else own[0]
        if named is not None:
            return named
        known = {*self.host(name).addresses, *near}
        nics = {each.interface.name for each in self.on_link(name) if each.own.ip in known}
        return next(
            (each.own.ip for each in self.on_link(name) if each.interface.name in nics and each.own.version == family),
            None,
        )

    def place(self, director: str, vip: Address) -> Place | Mistake:
        """Where the director holds the VIP."""
        chosen = self.vip_interface(director)
        if chosen is not None and self.is_routed(director):
            return Place(chosen, None)
        if chosen not in (None, "lo"):
            return Place(chosen, chosen)
        link = self.link_to(director, vip)
        if chosen == "lo":
            return Place(chosen, link.interface.name if link else None)
        if link:
            return Place(link.interface.name, link.interface.name)
        path = f"{director}: lvs_vip_interface"
        if not self.is_known(director):
            return Mistake(
                path, "is needed where facts do not tell the interface for the VIPs", "set it, or gather facts"
            )
        return Mistake(path, f"is needed: no network of {director} holds the VIP {vip}", "set it, or correct the VIP")

    def is_on_link(self, name: str, address: Address) -> bool:
        """Whether neighbours of the host look for the address themselves: one that is routed to the host is not."""
        return any(address in each.own.network for each in self.on_link(name))

    def prefix(self, director: str, place: Place, vip: Address) -> int:
        """The prefix of the VIP on the director: as written, else as an operator has set it up, else of one address."""
        if place.interface == "lo" or self.is_routed(director):
            return full_prefix(vip)  # a shorter one would make the whole network local
        written = self.once(("written prefixes", director), lambda: self._find_written_prefixes(director))
        # What comes and goes was not set up by an operator.
        there = {} if self.is_moved(director) else self.prefixes_there(director, place.interface)
        return written[vip] if vip in written else there.get(vip, full_prefix(vip))

    def prefixes_there(self, director: str, name: str) -> Mapping[Address, int]:
        """By each address of an interface, its shortest prefix there."""
        return self.once(("prefixes there", director, name), lambda: self._find_prefixes_there(director, name))

    def _find_prefixes_there(self, director: str, name: str) -> dict[Address, int]:
        interface = self.interface(director, name)
        found: dict[Address, int] = {}
        for each in interface.addresses if interface else ():
            found[each.ip] = min(each.network.prefixlen, found.get(each.ip, each.network.prefixlen))
        return found

    def _find_written_prefixes(self, director: str) -> dict[Address, int]:
        """The prefix of each VIP that was written with one: where several services wrote one, that of the first."""
        every = [each for service in self.services[director] for each in service.vips]
        return {each.address: each.prefix for each in reversed(every) if each.prefix is not None}

    def virtual_address(self, director: str, vip: Address) -> VirtualAddress | Mistake:
        """How the director holds the VIP."""
        place = self.place(director, vip)
        if isinstance(place, Mistake):
            return place
        prefix = self.prefix(director, place, vip)
        deprecated = self.is_only_for_services(director, place.interface, vip, prefix) or None
        return VirtualAddress(vip, prefix, place.interface, place.announce, deprecated)

    def is_only_for_services(self, name: str, interface: str, address: Address, prefix: int) -> bool:
        """Whether the director must not choose the address as the source of what it sends itself.

        IPv4 prefers the address that was there first. IPv6 has no such rule, and real servers that hold the VIP would
        answer themselves. A VIP with a network, in which the director has no other address, is its own there.
        """
        if address.version == 4 or interface == "lo":
            return False
        return prefix == full_prefix(address) or self.is_on_link(name, address)
