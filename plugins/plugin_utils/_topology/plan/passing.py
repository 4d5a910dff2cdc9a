# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packets that have to pass a host's packet filter: what clients, directors and real servers send. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._filter import firewall_plan
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, BROKEN
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp, conntrackd, through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Replication
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import kernel_forward
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.vrrp import carriers
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import BY_DATAGRAM, KINDS

# The kernel's method by which what real servers answer passes the director.
_NAT = "nat"
_VRRP = "112"
# RFC 4271; of BFD, RFC 5881 for a neighbour on the own segment, RFC 5883 for one that is further away.
_BGP, _BFD, _BFD_MULTIHOP = 179, 3784, 4784
# By kind of tunnel, what the packet around is. What is in GUE is UDP to its own port.
_GRE, _UDP = "47", "udp"
_INSIDE = {4: "4", 6: "41"}
_ICMP = {4: "icmp", 6: "icmpv6"}
_Ports = tuple[int, int] | None


@dataclass(frozen=True)
class Passing:
    """A packet that is to pass: its options for host_info, and the finding where it does not."""

    name: str
    packet: Mapping[str, Any]
    degree: str
    effect: str

    @property
    def question(self) -> dict[str, Any]:
        return {"name": self.name, **{key: value for key, value in self.packet.items() if value}}


def passing(site: Site, host: str) -> list[Passing]:
    """What has to pass the filter of a host, each once: by its name, which says all of it.

    Who asks about the first ones only asks about what directors say to each other, and one packet of each kind.
    """
    return each_once((*of_director(site, host), *of_real_server(site, host)))


def each_once(every: Iterable[Passing]) -> list[Passing]:
    found: dict[str, Passing] = {}
    for each in every:
        found.setdefault(each.name, each)
    first: dict[tuple[Any, ...], Passing] = {}
    for each in found.values():
        first.setdefault((each.packet["hook"], each.packet["protocol"], is_ipv6(each.packet)), each)
    return list({each.name: each for each in (*first.values(), *found.values())}.values())


def is_ipv6(packet: Mapping[str, Any]) -> bool:
    return ":" in f"{packet.get('source')}{packet.get('destination')}" or packet.get("family") == 6


def of_director(site: Site, director: str) -> Iterator[Passing]:
    services = site.services.get(director, ())
    if services:
        yield from _between_directors(site, director)
    for service in services:
        is_idle = site.is_moved(director) and not any(site.holds(director, vip.address) for vip in service.vips)
        for each in (*_of_service(director, service), *_of_tunnels(site, director, service)):
            yield _for_later(each) if is_idle else each
    for service in services:
        for entry in service.real_servers:
            for packet in _of_checks(site, director, service, entry):
                yield Passing(
                    f"its checks of {entry.label} ({packet['protocol']} to port {packet['port']})",
                    {**packet, "hook": "output", "state": "new"},
                    BROKEN,
                    "keepalived takes the real server out.",
                )
    answers = through_vip.packets(site, director)
    is_standby = bool(answers) and not any(site.holds(director, vip) for vip in site.vips_of(director))
    for answer in answers:
        effect = "Its health checks take out every real server that they reach through the VIP."
        each = Passing(answer["name"], answer, BROKEN, effect)
        yield _for_later(each) if is_standby else each


def _between_directors(site: Site, director: str) -> Iterator[Passing]:
    if site.is_moved(director):
        yield from _vrrp(site, director)
    yield from _of_synchronisation(site, director)
    yield from _of_conntrackd(site, director)
    yield from _of_bgp(site, director)


def _of_service(director: str, service: Service) -> Iterator[Passing]:
    yield from _requests(service)
    others = [each for each in service.targets if each.host != director and not each.address.is_loopback]
    # By DR the packet is the same, whoever gets it.
    for entry in others[:1] if kernel_forward(service) == "dr" else others:
        yield from _handed_on(service, entry)
    for entry in others if kernel_forward(service) == _NAT else ():
        yield from _answers(service, entry)


def _of_tunnels(site: Site, director: str, service: Service) -> Iterator[Passing]:
    """What says that a packet around a client's was too large goes to whoever put it around."""
    for entry in service.targets if kernel_forward(service) == "tun" else ():
        family = entry.address.version
        own = site.address_towards(director, entry.address, family)
        if own is not None and entry.host != director:
            yield Passing(
                f"ICMP 'too large' for {own}, from which it sends through tunnels",
                {"hook": "input", "protocol": _ICMP[family], "destination": str(own), "taken": True},
                AT_RISK,
                "Large requests hang where the way to a real server has a smaller MTU than the director's interface.",
            )


def _meant(service: Service) -> Iterator[tuple[Address, str, _Ports]]:
    """What clients ask for: addresses, each with a protocol and its ports; None: every port."""
    if service.address is not None:
        yield service.address, service.protocol, (service.port, service.port) if service.port else None
    for each in service.marked:
        for ports in each.ports or (None,):
            yield each.vip.address, each.protocol, ports


def _for_later(each: Passing) -> Passing:
    """Of a director that is not master now."""
    return replace(each, degree=AT_RISK, effect=f"When this director takes over: {each.effect}")


def _requests(service: Service) -> Iterator[Passing]:
    for address, protocol, ports in _meant(service):
        name = f"{protocol} to {address} port {_text(ports)}"
        packet = {**_to(address, protocol, ports), "taken": True}
        yield Passing(
            f"what clients send to {service.name} ({name})",
            {**packet, "state": "new"},
            BROKEN,
            "Clients of the service get no answer.",
        )
        if protocol == "tcp" and kernel_forward(service) != _NAT:
            yield Passing(
                f"what follows on a connection to {service.name} ({name}), of which the director never sees the "
                "answers",
                {**packet, "state": "half"},
                BROKEN,
                "Connections of clients hang, because net.ipv4.vs.conntrack is 1 and they are INVALID to netfilter.",
            )
            yield Passing(
                f"the end of connections to {service.name} ({name}), of which the director never sees the answers",
                {**packet, "state": "closing"},
                AT_RISK,
                "Real servers keep connections that clients have closed: their last packets are INVALID to netfilter.",
            )
        yield Passing(
            f"ICMP 'too large' for {address}",
            {"hook": "input", "protocol": _ICMP[service.family], "destination": str(address), "taken": True},
            AT_RISK,
            "Large answers hang for clients behind a link with a smaller MTU.",
        )


def _handed_on(service: Service, entry: RealServer) -> Iterator[Passing]:
    """What the director sends to the real server leaves it as what it sends itself does."""
    is_as_it_came = kernel_forward(service) == "dr"
    for address, protocol, ports in _meant(service):
        if kernel_forward(service) == "tun":
            packet = _wrapped(service, entry).packet
        elif is_as_it_came:
            packet = _to(address, protocol, ports)
        else:
            packet = _to(entry.address, protocol, _own(entry) or ports)
        where = f" to {address}" if is_as_it_came else ""
        told = f", {protocol}{where} port {_text(ports)}" if service.address is None else ""
        if entry.port and (entry.port, entry.port) != ports and not is_as_it_came:
            told += f", by its port {entry.port}"
        to, who = ("the real servers", "of the service") if is_as_it_came else (entry.label, "that should land there")
        yield Passing(
            f"what is sent on to {to} for {service.name}{told}",
            # Around a tunnel's packet is one of the director's own.
            {**packet, "hook": "output", "state": "new" if kernel_forward(service) == "tun" else "sent"},
            BROKEN,
            f"Clients {who} get no answer.",
        )


def _own(entry: RealServer) -> _Ports:
    return (entry.port, entry.port) if entry.port else None


def _text(ports: _Ports) -> str:
    return firewall_plan.ports_text(ports) if ports else "any"


def _to(address: Address, protocol: str, ports: _Ports) -> dict[str, Any]:
    return {"hook": "input", "protocol": protocol, "destination": str(address), **_at("port", protocol, ports)}


def _at(name: str, protocol: str, ports: _Ports) -> dict[str, Any]:
    if ports is None or protocol not in firewall_plan.WITH_PORTS:
        return {}
    low, high = ports
    return {name: low, **({f"last_{name}": high} if high != low else {})}


def _answers(service: Service, entry: RealServer) -> Iterator[Passing]:
    who = entry.host or str(entry.address)
    for protocol, ports in dict.fromkeys((protocol, _own(entry) or ports) for _vip, protocol, ports in _meant(service)):
        packet = {"hook": "forward", "protocol": protocol, "source": str(entry.address)}
        where = f"{protocol} from {entry.address} port {_text(ports)}"
        yield Passing(
            f"what {who} answers to clients of {service.name} ({where})",
            {**packet, **_at("source_port", protocol, ports), "state": "answer", "taken": True},
            BROKEN,
            "Clients that land there get no answer.",
        )


def _vrrp(site: Site, director: str) -> Iterator[Passing]:
    partners = [each for each in site.partners(director) if each != director]
    kinds = {(each.family, bool(each.settings.unicast)) for each in carriers(site, director)}
    for family, is_unicast in sorted(kinds) if partners else ():
        told = f"protocol {_VRRP}, IPv{family}{', unicast' if is_unicast else ''}"
        yield Passing(
            f"VRRP of {' and '.join(partners)} ({told})",
            # To netfilter, adverts of a partner may belong to the connection that this director's own adverts began.
            {"hook": "input", "protocol": _VRRP, "family": family, "state": None if is_unicast else "new"},
            AT_RISK,
            "It does not hear whether another director is master, so that two of them may hold the VIPs.",
        )
        yield Passing(
            f"its own VRRP ({told})",
            {"hook": "output", "protocol": _VRRP, "family": family, "state": None if is_unicast else "new"},
            AT_RISK,
            "Other directors do not hear that it is master, so that two of them may hold the VIPs.",
        )


def _of_synchronisation(site: Site, director: str) -> Iterator[Passing]:
    sync = site.host(director).sync
    for state, hook, name in (("backup", "input", "the other director says"), ("master", "output", "it says itself")):
        if sync is not None and state in sync.states:
            yield Passing(
                f"what {name} of its connections (UDP port {sync.port})",
                {
                    **_to(sync.group, _UDP, (sync.port, sync.port)),
                    "hook": hook,
                    "state": "new",
                },
                AT_RISK,
                "Connections would not outlive a failover.",
            )


def _of_conntrackd(site: Site, director: str) -> Iterator[Passing]:
    told = conntrackd.replicated(site, director) if conntrackd.is_used(site, director) else None
    if not isinstance(told, Replication):
        return
    for hook, source, destination, name in (
        ("input", told.partner, told.own, "the other director's conntrackd says"),
        ("output", told.own, told.partner, "its own conntrackd says"),
    ):
        packet = {**_to(destination, _UDP, (told.port, told.port)), "hook": hook, "source": str(source)}
        yield Passing(
            f"what {name} (UDP port {told.port})",
            {**packet, "state": "new" if hook == "input" else None},
            AT_RISK,
            "Connections through FULLNAT would not outlive a failover.",
        )


def _of_bgp(site: Site, director: str) -> Iterator[Passing]:
    """Either of two neighbours begins a session. BFD is sent by both."""
    announced = bgp.own(site, director)
    for each in announced.neighbours if announced else ():
        asked = [("BGP", "tcp", _BGP)]
        if each.bfd:
            asked.append(("BFD", _UDP, _BFD_MULTIHOP if each.multihop else _BFD))
        for what, protocol, port in asked:
            packet = {**_at("port", protocol, (port, port)), "protocol": protocol, "state": "new"}
            effect = (
                f"The session with {each.address} may not come about, and then it sends no packets to this director."
            )
            incoming = {**packet, "hook": "input", "source": str(each.address)}
            outgoing = {**packet, "hook": "output", "destination": str(each.address)}
            yield Passing(f"{what} of {each.address} ({protocol} to port {port})", incoming, AT_RISK, effect)
            yield Passing(f"{what} to {each.address} ({protocol} port {port})", outgoing, AT_RISK, effect)


def _of_checks(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[dict[str, Any]]:
    """What keepalived sends to the real server itself where that is something else than what clients send."""
    if not site.is_checked(director) or entry.host == director:
        return
    asked: dict[tuple[str, int], None] = {}
    for check in service.checks_of(entry):
        port = check.get("port") or KINDS[check["type"]].port or entry.port
        # What goes to another machine is no packet of this one's.
        is_own = check.get("address") in (None, str(entry.address)) and check.get("through") != "vip"
        if port and is_own and "port" in KINDS[check["type"]].options:
            asked[_UDP if check["type"] in BY_DATAGRAM else "tcp", port] = None
    for protocol, port in asked:
        if kernel_forward(service) != _NAT or (protocol, port) != (service.protocol, entry.port):
            yield _to(entry.address, protocol, (port, port))


def of_real_server(site: Site, host: str) -> Iterator[Passing]:
    for director, service, entry in site.listings.get(host, ()):
        if director == host:
            continue
        if kernel_forward(service) == "tun":
            yield _wrapped(service, entry)
        for address, protocol, ports in _meant(service):
            inside = entry.address if kernel_forward(service) == _NAT else address
            own = _own(entry) or ports
            yield Passing(
                f"what directors send to {service.name} ({protocol} to {inside} port {_text(own)})",
                {**_to(inside, protocol, own), "state": "new"},
                BROKEN,
                "Clients that land there get no answer.",
            )
        for packet in _of_checks(site, director, service, entry):
            yield Passing(
                f"health checks of {service.name} ({packet['protocol']} to {entry.address} port {packet['port']})",
                {**packet, "state": "new"},
                BROKEN,
                "keepalived takes the real server out.",
            )


def _wrapped(service: Service, entry: RealServer) -> Passing:
    kind = entry.tunnel.kind if entry.tunnel else "ipip"
    port = entry.tunnel.port if entry.tunnel and kind == "gue" else 0
    protocol = {"gue": _UDP, "gre": _GRE}.get(kind, _INSIDE[service.family])
    said = f"UDP port {port}" if port else f"protocol {protocol}"
    return Passing(
        f"what comes through the tunnel of {service.name} ({kind}, {said} to {entry.address})",
        {**_to(entry.address, protocol, (port, port) if port else None), "state": "new"},
        BROKEN,
        "Clients that land there get no answer.",
    )
