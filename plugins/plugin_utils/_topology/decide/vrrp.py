# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VRRP: which instance of a director carries which addresses, over which interface, and with which priority."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    RealServer,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import (
    Floating,
    Instance,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import VirtualAddress
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import kernel_forward

_HIGHEST, _STEP = 150, 10


@dataclass(frozen=True)
class Carrier:
    """An instance with what it carries. ``interface`` None: not known."""

    settings: Instance
    carried: tuple[VirtualAddress, ...]
    interface: str | None
    family: int
    version: int
    priority: int | None
    source: Address | None
    peers: tuple[Address, ...]

    @property
    def announced(self) -> tuple[VirtualAddress, ...]:
        """What adverts name: one address, the same on all directors whatever their order of services.

        A director drops adverts that do not name what it has itself. With all addresses in them, every VIP that comes
        or goes would make directors deaf to each other until the last one has read its configuration. Others that the
        model lists are those that somebody else's configuration had in them, which a director that is taken over hears.
        """
        own = (each for each in self.carried if each.address.version == self.family)
        lowest, *others = sorted(own, key=lambda each: int(each.address))
        return tuple(each for each in (lowest, *others) if each.address in self.settings.in_adverts) or (lowest,)

    @property
    def excluded(self) -> tuple[VirtualAddress, ...]:
        announced = self.announced
        return tuple(each for each in self.carried if each not in announced)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface without which the instance cannot do its part."""
        every = [*([self.interface] if self.interface else []), *(each.interface for each in self.carried)]
        return tuple(dict.fromkeys(every))

    @property
    def tracked(self) -> tuple[str, ...]:
        """What is tracked beside the instance's own interface, which always is."""
        chosen = self.settings.track_interfaces
        return tuple(each for each in (self.interfaces if chosen is None else chosen) if each != self.interface)


def carriers(site: Site, name: str) -> tuple[Carrier, ...]:
    """The director's instances that have something to carry, as far as they are known."""
    return site.once(("carriers", name), lambda: tuple(_find_carriers(site, name)))


def _find_carriers(site: Site, name: str) -> Iterator[Carrier]:
    vrrp = site.host(name).vrrp
    if not vrrp.instances:
        return  # each was refused when it was read
    shares: dict[int, list[VirtualAddress]] = {position: [] for position in range(len(vrrp.instances))}
    for vip in distinct_vips(site, name):
        place = site.virtual_address(name, vip)
        if isinstance(place, VirtualAddress):
            shares[_instance_of(site, name, place)].append(place)
    for each in vrrp.addresses:
        place = floating_address(site, name, each)
        if isinstance(place, VirtualAddress):
            shares[_instance_of(site, name, place)].append(place)
    for position, instance in enumerate(vrrp.instances):
        for each in instance.addresses:
            place = floating_address(site, name, each)
            if isinstance(place, VirtualAddress):
                shares[position].append(place)
        if shares[position]:
            yield _carrier(site, name, instance, tuple(shares[position]))


def distinct_vips(site: Site, name: str) -> tuple[Address, ...]:
    """The VIPs of all services of the director, each once."""
    return tuple(dict.fromkeys(vip.address for service in site.services[name] for vip in service.vips))


def _instance_of(site: Site, name: str, place: VirtualAddress) -> int:
    """The instance that names the address, else the first whose interface holds it, else the first."""
    instances = site.host(name).vrrp.instances
    for position, instance in enumerate(instances):
        if place.address in instance.vips:
            return position
    for position, instance in enumerate(instances):
        if place.interface == instance.interface:
            return position
    return 0


def floating_address(site: Site, name: str, floating: Floating) -> VirtualAddress | Mistake:
    interface = floating.interface
    if interface is None:
        link = site.link_to(name, floating.address)
        if link is None:
            problem = f"no network of {name} holds {floating.address}"
            if not site.is_known(name):
                problem = "the interface is needed where facts do not tell it"
            remedy = f"write it as {{address: {floating.address}/{floating.prefix}, interface: eth2}}"
            return Mistake(floating.path, problem, remedy)
        interface = link.interface.name
    elif site.is_known(name) and not site.interface(name, interface):
        names = [each.name for each in site.facts(name).interfaces or ()]
        return Mistake(floating.path, f"{name} has no interface {interface!r}", choose(interface, names))
    deprecated = site.is_only_for_services(name, interface, floating.address, floating.prefix) or None
    return VirtualAddress(floating.address, floating.prefix, interface, interface, deprecated)


def _carrier(site: Site, name: str, instance: Instance, carried: tuple[VirtualAddress, ...]) -> Carrier:
    family = _family(site, name, carried)
    version = 3 if family == 6 or not float(instance.advert_int).is_integer() else 2
    source, peers = _unicast(site, name, instance, family)
    return Carrier(
        settings=instance,
        carried=carried,
        interface=_interface(site, name, instance, family, carried),
        family=family,
        version=instance.version or version,
        priority=priority(site, name, instance),
        source=source,
        peers=peers,
    )


def _unicast(site: Site, name: str, instance: Instance, family: int) -> tuple[Address | None, tuple[Address, ...]]:
    """Where unicast adverts come from, and where they go. The source is None where it is not known."""
    if not instance.unicast:
        return None, ()
    if instance.peers:
        own = own_of(site, name, instance)
        source = instance.unicast_source or next((each for each in own if each.version == family), None)
        peers = tuple(each for each in instance.peers if each not in own)
        return source or sender(site, name, instance, family), peers
    found = []
    for other in site.partners(name):
        found.append(sender(site, other, twin_of(site, other, instance), family) if other != name else None)
    return sender(site, name, instance, family), tuple(each for each in found if each is not None)


def own_of(site: Site, name: str, instance: Instance) -> list[Address]:
    """Which of the addresses that are listed for unicast are the director's own, those of the instance's NIC first."""
    here = _own_addresses(site, name, instance.interface)
    own = {*site.host(name).addresses, *site.addresses(name)}.difference(site.moving)
    return sorted((each for each in instance.peers if each in own), key=lambda each: each not in here)


def _own_addresses(site: Site, name: str, interface: str | None) -> tuple[Address, ...]:
    """What the director has on the interface by itself, as far as facts tell."""
    known = site.interface(name, interface)
    return tuple(each.ip for each in known.addresses if each.ip not in site.moving) if known else ()


def sender(site: Site, name: str, instance: Instance, family: int) -> Address | None:
    """The address from which the director sends unicast adverts: as the inventory says, else the one that facts show.

    keepalived listens on the instance's interface alone, and does not hear what goes to an address elsewhere.
    None: it is not known, or there are several to choose from.
    """
    if instance.unicast_source is not None and instance.unicast_source.version == family:
        return instance.unicast_source
    named = site.named_address(name, family)
    if site.interface(name, instance.interface) is None:
        return named
    own = _own_addresses(site, name, instance.interface)
    if named in own:
        return named
    fitting = [each for each in own if each.version == family and not each.is_link_local]
    return fitting[0] if len(fitting) == 1 else None


def _family(site: Site, name: str, carried: tuple[VirtualAddress, ...]) -> int:
    """One in which the director has an address to send from, IPv4 where there is a choice."""
    families = sorted({each.address.version for each in carried})
    return next((each for each in families if site.host(name).address(each)), families[0])


def _interface(
    site: Site, name: str, instance: Instance, family: int, carried: tuple[VirtualAddress, ...]
) -> str | None:
    if instance.interface is not None:
        return instance.interface
    addresses = sorted(site.host(name).addresses, key=lambda each: each.version != family)
    links = (site.link_to(name, each) for each in addresses)
    link = next((each for each in links if each), None)
    return link.interface.name if link else carried[0].interface


def priority(site: Site, name: str, instance: Instance) -> int | None:
    """As the inventory says, else by the director's place in it. None: it has none, or is too far down."""
    if instance.priority is not None:
        return instance.priority
    directors = site.inventory.directors
    by_place = _HIGHEST - _STEP * directors.index(name) if name in directors else 0
    return by_place if by_place > 0 else None


def has_several_masters(site: Site, name: str) -> bool:
    """Whether one director may be master of some instances and another one of others."""
    vrrp = site.host(name).vrrp
    return len(vrrp.instances) > 1 and not vrrp.sync_group


def may_loop(site: Site, name: str) -> RealServer | None:
    """The entry that makes a director a real server of what another one may be master of.

    Both have the same table: what the master sends to this one, this one would schedule again. The kernel's guard
    against it knows only a master and backups, whatever the VIP: there can be no master of some VIPs alone.
    """
    return next(
        (
            entry
            for director, service, entry in site.listings.get(name, ())
            if director != name and director in site.partners(name) and kernel_forward(service) != "nat"
        ),
        None,
    )


def twin_of(site: Site, other: str, instance: Instance) -> Instance:
    """The same instance, as another director has it. The only one of it is the same, whatever its name is."""
    instances = site.host(other).vrrp.instances
    only = instances[0] if len(instances) == 1 else instance
    return next((each for each in instances if each.name == instance.name), only)
