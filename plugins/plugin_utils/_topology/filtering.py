# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packets that have to pass a host's packet filter, and what it means where one is dropped for certain. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.findings import AT_RISK, BROKEN, DEGREES, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Address, RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.vrrp import carriers

# What real servers answer passes the director.
_BACK = ("nat", "fullnat")
_VRRP = "112"
# By kind of tunnel, what the packet around is. What is in GUE is UDP to its own port.
_GRE, _UDP = "47", "udp"
_INSIDE = {4: "4", 6: "41"}
_ICMP = {4: "icmp", 6: "icmpv6"}
# What makes two packets one to a rule.
_SAME = ("hook", "protocol", "family", "source", "source_port", "destination", "port")
# The commands whose rules a remedy may name. What a host says is typed by people.
_COMMANDS = ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy")
# By field of a packet, the option of iptables that asks for it.
_OPTIONS = {"protocol": "-p", "source": "-s", "source_port": "--sport", "destination": "-d", "port": "--dport"}
# By protocol, the ICMP that says that a packet was too large.
_TOO_LARGE = {"icmp": ("--icmp-type", "fragmentation-needed"), "icmpv6": ("--icmpv6-type", "packet-too-big")}
# A rule that asks for one of these may go. One without is what a whole firewall ends in.
_SPECIAL = {"-s", "-d", "--sport", "--sports", "--dport", "--dports", "--state", "--ctstate"}


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
    """What has to pass the filter of a host, each once.

    Who asks about the first ones only asks about what directors say to each other, and one packet of each kind.
    """
    found: dict[str, Passing] = {}
    for each in (*_of_director(site, host), *_of_real_server(site, host)):
        found.setdefault(each.name, each)
    first: dict[tuple[Any, ...], Passing] = {}
    for each in found.values():
        first.setdefault((each.packet["hook"], each.packet["protocol"], _is_ipv6(each.packet)), each)
    return list({each.name: each for each in (*first.values(), *found.values())}.values())


def _is_ipv6(packet: Mapping[str, Any]) -> bool:
    return ":" in f"{packet.get('source')}{packet.get('destination')}" or packet.get("family") == 6


def of_filter(site: Site, host: str, dropped: Iterable[Mapping[str, str]]) -> Iterator[Finding]:
    """What a host said of packets that it drops for certain: a line for each rule or policy that does it."""
    known = {each.name: each for each in passing(site, host)}
    by_rule: dict[str, list[Passing]] = {}
    for each in dropped:
        if each["name"] in known:
            by_rule.setdefault(each["said"], []).append(known[each["name"]])
    for rule, every in by_rule.items():
        first = min(every, key=lambda each: DEGREES.index(each.degree))
        # What begins a connection stands for what follows on it.
        count = len({tuple(each.packet.get(name) for name in _SAME) for each in every}) - 1
        more = f", and {count} more that should pass" if count else ""
        what = f"its packet filter drops {first.name}{more} (`{rule}`)"
        yield Finding(first.degree, host, what, first.effect, _remedy(rule, first.packet, count))


def _remedy(rule: str, packet: Mapping[str, Any], others: int) -> str:
    """A rule for this packet. Only one that asks for something special is named as one that may go."""
    try:
        command, action, *words = shlex.split(rule)
    except ValueError:
        command, action, words = "", "", []
    options = [word for name, option in _OPTIONS.items() if packet.get(name) for word in (option, str(packet[name]))]
    options += _TOO_LARGE.get(packet["protocol"], ())
    said = "a rule before it that lets this pass"
    if command in _COMMANDS:
        said = shlex.join([command, "-I", packet["hook"].upper(), *options, "-j", "ACCEPT"])
    if others:
        said += ", and such a rule for each of the others"
    if command in _COMMANDS and action == "-A" and "!" not in words and _SPECIAL & {*words}:
        said += f"; or {shlex.join([command, '-D', *words])}"
    return f"{said}; and the same where the rules come from"


def _of_director(site: Site, director: str) -> Iterator[Passing]:
    services = site.services.get(director, ())
    if services:
        yield from _between_directors(site, director)
    for service in services:
        is_idle = site.is_moved(director) and not any(site.holds(director, vip.address) for vip in service.vips)
        for each in _of_service(director, service):
            yield _for_later(each) if is_idle else each
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


def _of_service(director: str, service: Service) -> Iterator[Passing]:
    yield from _requests(service)
    others = [entry for entry in service.real_servers if entry.host != director]
    for entry in others:
        yield from _handed_on(service, entry)
    for entry in others if service.forward in _BACK and _has_ports(service) else ():
        yield _answers(service, entry)


def _for_later(each: Passing) -> Passing:
    """Of a director that is not master now."""
    return replace(each, degree=AT_RISK, effect=f"When this director takes over: {each.effect}")


def _has_ports(service: Service) -> bool:
    """Whether answers can be told by the port from which real servers send them."""
    return service.protocol in ("tcp", "udp") and service.fwmark is None


def _requests(service: Service) -> Iterator[Passing]:
    if service.address is None:
        return
    name = f"{service.protocol} to {service.address} port {service.port or 'any'}"
    packet = _to(service.address, service.protocol, service.port)
    yield Passing(
        f"what clients send to {service.name} ({name})",
        {**packet, "state": "new"},
        BROKEN,
        "Clients of the service get no answer.",
    )
    if service.protocol == "tcp" and service.forward in ("dr", "tun"):
        yield Passing(
            f"what follows on a connection to {service.name} ({name}), of which the director never sees the answers",
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
        f"ICMP 'too large' for {service.address}",
        {"hook": "input", "protocol": _ICMP[service.family], "destination": str(service.address)},
        AT_RISK,
        "Large answers hang for clients behind a link with a smaller MTU.",
    )


def _handed_on(service: Service, entry: RealServer) -> Iterator[Passing]:
    """What the director sends to the real server leaves it as what it sends itself does."""
    if service.fwmark is not None:
        return
    packet = (
        _wrapped(service, entry).packet
        if service.forward == "tun"
        else _to(entry.address, service.protocol, entry.port)
    )
    if service.forward == "dr" and service.address is not None:
        packet = _to(service.address, service.protocol, service.port)
    yield Passing(
        f"what is sent on to {entry.label} for {service.name}",
        {**packet, "hook": "output", "state": None},
        BROKEN,
        "Clients that should land there get no answer.",
    )


def _to(address: Address, protocol: str, port: int) -> dict[str, Any]:
    return {"hook": "input", "protocol": protocol, "destination": str(address), "port": port}


def _answers(service: Service, entry: RealServer) -> Passing:
    who = entry.host or str(entry.address)
    packet = {"hook": "forward", "protocol": service.protocol, "source": str(entry.address), "source_port": entry.port}
    return Passing(
        f"what {who} answers to clients of {service.name} ({service.protocol} from {entry.address} port {entry.port})",
        {**packet, "state": "answer"},
        BROKEN,
        "Clients that land there get no answer.",
    )


def _vrrp(site: Site, director: str) -> Iterator[Passing]:
    partners = [each for each in site.partners(director) if each != director]
    kinds = {(each.family, bool(each.settings.unicast)) for each in carriers(site, director)}
    for family, is_unicast in sorted(kinds) if partners else ():
        yield Passing(
            f"VRRP of {' and '.join(partners)} (protocol {_VRRP}, IPv{family}{', unicast' if is_unicast else ''})",
            # To netfilter, adverts of a partner may belong to the connection that this director's own adverts began.
            {"hook": "input", "protocol": _VRRP, "family": family, "state": None if is_unicast else "new"},
            AT_RISK,
            "It does not hear whether another director is master, so that two of them may hold the VIPs.",
        )


def _of_synchronisation(site: Site, director: str) -> Iterator[Passing]:
    sync = site.host(director).sync
    if sync is not None and "backup" in sync.states:
        yield Passing(
            f"what the other director says of its connections (UDP port {sync.port})",
            {"hook": "input", "protocol": _UDP, "destination": str(sync.group), "port": sync.port, "state": "new"},
            AT_RISK,
            "Connections would not outlive a failover.",
        )


def _of_real_server(site: Site, host: str) -> Iterator[Passing]:
    for director, service, entry in site.listings.get(host, ()):
        if director == host:
            continue
        if service.forward == "tun":
            yield _wrapped(service, entry)
        inside = service.vips[0].address if service.forward in ("dr", "tun") and service.vips else entry.address
        if service.fwmark is None:
            yield Passing(
                f"what directors send to {service.name} ({service.protocol} to {inside} port {entry.port or 'any'})",
                {**_to(inside, service.protocol, entry.port), "state": "new"},
                BROKEN,
                "Clients that land there get no answer.",
            )


def _wrapped(service: Service, entry: RealServer) -> Passing:
    kind = entry.tunnel.kind if entry.tunnel else "ipip"
    port = entry.tunnel.port if entry.tunnel and kind == "gue" else 0
    protocol = {"gue": _UDP, "gre": _GRE}.get(kind, _INSIDE[service.family])
    said = f"UDP port {port}" if port else f"protocol {protocol}"
    return Passing(
        f"what comes through the tunnel of {service.name} ({kind}, {said} to {entry.address})",
        {**_to(entry.address, protocol, port), "state": "new"},
        BROKEN,
        "Clients that land there get no answer.",
    )
