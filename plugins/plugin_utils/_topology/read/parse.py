# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_services as it was written -> services. What is wrong is noted with its path, and reading goes on.

Only what can be said of one list of services by itself is checked here; what needs the hosts' networks comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    FORWARDING,
    Address,
    Persistence,
    Service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    Reader,
    as_address,
    as_integer,
    as_interface,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.parse_real_servers import RealServers
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.parse_vips import read_marked, virtual_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.reached import Side
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.shares import read_directors
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.supervision import read_supervision

# What messages, comments and lists of keepalived take in one line.
_NAME_BYTES = 200
HELPERS = ("ftp",)
# Of ip_vs_ftp, unless it is loaded with another parameter.
FTP_PORT = 21


def parse_services(
    raw: Any,
    prefix: str,
    inventory: Inventory,
    mistakes: list[Mistake],
    side: Side | None = None,
) -> tuple[Service, ...]:
    """The services that can be understood; for every other there is a mistake.

    ``side`` is the directors that have the list, and what is no host's own address besides its VIPs.
    """
    path = f"{prefix}lvs_services"
    if not isinstance(raw, list):
        mistakes.append(Mistake(path, f"must be a list of services, is {show(raw)}", "write each with a dash"))
        return ()
    side = side or Side()
    parser = _Parser(inventory, mistakes, replace(side, foreign=side.foreign | written_vips(raw)))
    parsed = [parser.service(each, f"{path}[{position}]") for position, each in enumerate(raw)]
    services = tuple(service for service in parsed if service is not None)
    _refuse_duplicates(services, mistakes)
    return services


def _refuse_duplicates(services: tuple[Service, ...], mistakes: list[Mistake]) -> None:
    keys: dict[tuple[object, ...], str] = {}
    for service in services:
        if service.address is None:
            key: tuple[object, ...] = (service.family, service.fwmark)
            label, remedy = f"fwmark {service.fwmark}", "use another mark"
        else:
            key = (service.protocol, service.address, service.port)
            label = f"{service.protocol} {service.address} port {service.port}"
            remedy = "use another protocol, address or port"
        first = keys.setdefault(key, service.path)
        if first != service.path:
            mistakes.append(
                Mistake(service.path, f"{label} is {first} already", f"{remedy}, or put their real servers together")
            )


def written_vips(raw: Any) -> frozenset[Address]:
    """The VIPs as far as they can be read: no host's own address, although facts may show them on one."""
    services = [each for each in (raw if isinstance(raw, list) else []) if isinstance(each, Mapping)]
    marked = [each.get("marked") for each in services]
    every = [*services, *(one for each in marked if isinstance(each, list) for one in each if isinstance(one, Mapping))]
    found = [as_interface(each.get("address")) for each in every]
    return frozenset(each.ip for each in found if each is not None)


class _Parser:
    def __init__(self, inventory: Inventory, mistakes: list[Mistake], side: Side) -> None:
        self._mistakes = mistakes
        self._side = side
        self._real_servers = RealServers(inventory, mistakes, side.foreign)
        self._inventory = inventory
        self._names: dict[str, str] = {}

    def service(self, raw: Any, path: str) -> Service | None:
        if not isinstance(raw, Mapping):
            problem = f"must be a mapping, is {show(raw)}"
            self._mistakes.append(Mistake(path, problem, "write name, address, port, forward and real_servers"))
            return None
        reader = Reader(raw, path, self._mistakes)
        name = self._name(reader)
        address, prefix = self._vip(reader)
        fwmark, family = self._fwmark(reader, address)
        protocol = self._protocol(reader, fwmark)
        port = self._port(reader, fwmark)
        forward = self._forward(reader)
        scheduler = reader.choice("scheduler", forms.SCHEDULERS, forms.DEFAULT_SCHEDULER)
        flags = self._scheduler_flags(reader, scheduler)
        persistence = self._persistence(reader, family, protocol, fwmark)
        one_packet = self._one_packet(reader, protocol, fwmark)
        one_way = self._one_way(reader, one_packet=one_packet)
        side = replace(self._side, vips=written_vips([raw]), family=family)
        real_servers = self._real_servers.listed(reader, port or 0, forward, side)
        snat_addresses = self._snat_addresses(reader, forward, family)
        marked = read_marked(reader, fwmark, family, self._mistakes)
        helper = self._helper(reader, forward, protocol, port, fwmark)
        directors = read_directors(reader, self._inventory)
        sorry_server = self._real_servers.sorry(reader, port or 0, forward, side)
        supervision = read_supervision(reader, real_servers, forward)
        reader.finish()
        if port == 0 and fwmark is None and persistence is None:
            remedy = "add persistence: {timeout: 300}, or name the port"
            reader.refuse("port", "0 means every port, which needs persistence", remedy)
        if family is None or protocol is None or port is None or forward is None:
            return None
        return Service(
            path=path,
            name=name,
            family=family,
            address=address,
            prefix=prefix,
            fwmark=fwmark,
            port=port,
            protocol=protocol,
            forward=forward,
            scheduler=scheduler,
            scheduler_flags=flags,
            persistence=persistence,
            one_packet=one_packet,
            real_servers=real_servers,
            supervision=supervision,
            sorry_server=sorry_server,
            marked=marked,
            snat_addresses=snat_addresses,
            helper=helper,
            directors=directors,
            one_way=one_way,
        )

    def _name(self, reader: Reader) -> str:
        name = reader.take("name")
        if isinstance(name, str) and forms.is_line(name, _NAME_BYTES):
            first = self._names.setdefault(name, reader.path)
            if first != reader.path:
                reader.refuse(
                    "name", f"{show(name)} is the name of {first} too", "give every service a name of its own"
                )
            return name
        problem = "is missing" if name is None else f"{show(name)} is no name"
        if isinstance(name, str) and len(name.encode(errors="replace")) > _NAME_BYTES:
            problem = f"is longer than {_NAME_BYTES} bytes"
        reader.refuse("name", problem, "give the service a name of its own")
        return ""

    def _vip(self, reader: Reader) -> tuple[Address | None, int | None]:
        """The VIP, and its prefix where one was written."""
        return virtual_address(reader, reader.take("address"))

    def _fwmark(self, reader: Reader, address: Address | None) -> tuple[int | None, int | None]:
        """The firewall mark or None, and the address family or None where it is not known."""
        raw, raw_family = reader.take("fwmark"), reader.take("family")
        family = forms.FAMILIES.get(raw_family) if isinstance(raw_family, str) else None
        if raw_family is not None and family is None:
            reader.refuse("family", f"{show(raw_family)} is not known", choose(raw_family, forms.FAMILIES))
        if raw is None:
            if reader.take("address") is None:
                reader.refuse("address", "is missing", "write the VIP, or fwmark and family")
            if address is None:
                return None, None
            if family not in (None, address.version):
                reader.refuse("family", f"{show(raw_family)} is not the family of {address}", "leave it out")
            return None, address.version
        if reader.take("address") is not None:
            reader.refuse("fwmark", "stands together with address", "keep one: a mark or an address makes the service")
            return None, None
        if raw_family is None:
            reader.refuse("family", "is missing", "a firewall mark needs family: ipv4 or ipv6")
        fwmark = reader.integer("fwmark", *forms.FIREWALL_MARKS, default=0)
        return fwmark, family if fwmark else None

    def _protocol(self, reader: Reader, fwmark: int | None) -> str | None:
        raw = reader.take("protocol")
        if raw is None:
            return forms.PROTOCOLS[0]
        if fwmark is not None:
            reader.refuse("protocol", "has no meaning with fwmark", "leave it out: the firewall's rule chooses")
            return forms.PROTOCOLS[0]
        return reader.choice("protocol", forms.PROTOCOLS, "") or None

    def _port(self, reader: Reader, fwmark: int | None) -> int | None:
        raw = reader.take("port")
        if fwmark is not None:
            if raw not in (None, 0):
                reader.refuse("port", "has no meaning with fwmark", "leave it out: the firewall's rule chooses")
            return 0
        if raw is None:
            reader.refuse("port", "is missing", "use 1 to 65535, or 0 for every port of a persistent service")
            return None
        port = reader.integer("port", *forms.PORTS, default=-1)
        return None if port < 0 else port

    def _forward(self, reader: Reader) -> str | None:
        raw = reader.take("forward")
        if isinstance(raw, str) and raw in FORWARDING:
            return raw
        if raw is None:
            reader.refuse("forward", "is missing", f"use one of {', '.join(FORWARDING)}: it decides the topology")
        else:
            reader.refuse("forward", f"{show(raw)} is not known", choose(raw, FORWARDING))
        return None

    def _scheduler_flags(self, reader: Reader, scheduler: str) -> tuple[str, ...]:
        known = forms.FLAGS_OF_SCHEDULER.get(scheduler, ())
        every = [flag for flags in forms.FLAGS_OF_SCHEDULER.values() for flag in flags]
        flags = reader.elements("scheduler_flags", "flags")
        for position, flag in enumerate(flags):
            at = f"scheduler_flags[{position}]"
            if flag not in every:
                reader.refuse(at, f"{show(flag)} is not known", choose(flag, every))
            elif flag not in known:
                remedy = f"use one of {', '.join(known)}" if known else "leave it out, or use scheduler sh or mh"
                reader.refuse(at, f"{show(flag)} is no flag of the scheduler {scheduler}", remedy)
            elif flag in flags[:position]:
                reader.refuse(at, f"{show(flag)} is listed twice", "keep one")
        return tuple(flag for flag in flags if flag in known)

    def _persistence(
        self, reader: Reader, family: int | None, protocol: str | None, fwmark: int | None
    ) -> Persistence | None:
        raw = reader.mapping("persistence", "{timeout: 300}")
        if raw is None:
            return None
        inner = Reader(raw, reader.at("persistence"), self._mistakes)
        timeout = inner.integer("timeout", *forms.TIMEOUTS, default=forms.DEFAULT_PERSISTENCE)
        netmask = self._netmask(inner, family)
        engine = inner.take("engine")
        if engine == "none":
            engine = None
        inner.finish()
        if engine is not None:
            if engine != "sip":
                inner.refuse("engine", f"{show(engine)} is not known", "use sip, or leave it out")
                engine = None
            elif protocol not in (None, "udp") and fwmark is None:
                inner.refuse("engine", f"sip reads udp, and the service is {protocol}", "use protocol: udp")
        if timeout == 0:
            if raw.get("netmask") is not None or engine is not None:
                inner.refuse("timeout", "0 turns persistence off", "use 1 to 2678400, or keep only timeout: 0")
            return None
        return Persistence(timeout, netmask, engine or "none")

    def _netmask(self, reader: Reader, family: int | None) -> str | int:
        """IPv4: a netmask in dots; IPv6: a prefix. Default: every client by itself."""
        raw = reader.take("netmask")
        if family == 6:
            prefix = as_integer(raw)
            if raw is not None and (prefix is None or not 1 <= prefix <= 128):
                reader.refuse("netmask", f"{show(raw)} is no prefix of IPv6", "use 1 to 128")
            return 128 if prefix is None else prefix
        if raw is None:
            return "255.255.255.255"
        mask = as_address(raw)
        if not isinstance(mask, IPv4Address):
            # Without a family the service is wrong already, and which kind of netmask it needs is not known.
            if family == 4:
                reader.refuse("netmask", f"{show(raw)} is no netmask of IPv4", "write it such as 255.255.255.0")
        elif not _contiguous(mask):
            reader.refuse("netmask", f"{mask} has a gap in its bits", "write it such as 255.255.255.0")
        return str(mask)

    def _one_packet(self, reader: Reader, protocol: str | None, fwmark: int | None) -> bool:
        one_packet = reader.boolean("one_packet", default=False)
        if one_packet and protocol not in (None, "udp") and fwmark is None:
            reader.refuse("one_packet", f"works with udp, and the service is {protocol}", "use protocol: udp")
        return one_packet

    def _one_way(self, reader: Reader, *, one_packet: bool) -> bool:
        one_way = reader.boolean("one_way", default=False)
        if one_way and not one_packet:
            problem = "has no meaning without one_packet: answers come back by the connection"
            reader.refuse("one_way", problem, "set one_packet: true, or leave it out")
        return one_way

    def _snat_addresses(self, reader: Reader, forward: str | None, family: int | None) -> tuple[Address, ...]:
        addresses = reader.elements("snat_addresses", "addresses")
        found: list[Address] = []
        for position, raw in enumerate(addresses):
            at = f"snat_addresses[{position}]"
            address = as_address(raw)
            problem = "is no IP address" if address is None else forms.SOURCE_NAT.problem(address)
            if address is None or problem:
                reader.refuse(at, f"{show(raw)} {problem}", "write one of the director's")
            elif family is not None and address.version != family:
                reader.refuse(at, f"{address} is not of the VIP's family", f"use an IPv{family} address")
            elif address in found:
                reader.refuse(at, f"{address} is listed twice", "keep one")
            else:
                found.append(address)
        if addresses and forward not in (None, "fullnat"):
            reader.refuse("snat_addresses", f"has no meaning with forward: {forward}", "leave it out, or use fullnat")
        return tuple(found)

    def _helper(
        self, reader: Reader, forward: str | None, protocol: str | None, port: int | None, fwmark: int | None
    ) -> str | None:
        """What else the director has to read, for protocols that negotiate ports."""
        helper = reader.choice("helper", HELPERS, "") or None
        if helper is None or forward is None or port is None:
            return helper
        if forward != "nat" or fwmark is not None:
            problem = "has no effect but on a service with address and forward: nat"
            remedy = "leave it out, and use fwmark with the ports of control and data in marked, and persistence"
            reader.refuse("helper", problem, remedy)
        elif protocol not in (None, "tcp"):
            reader.refuse("helper", f"ftp is tcp, and the service is {protocol}", "use protocol: tcp")
        elif port != FTP_PORT:
            problem = f"the kernel looks at port {FTP_PORT} only, and the service has {port}"
            reader.refuse("helper", problem, f"use port: {FTP_PORT}, or leave it out")
        return helper


def _contiguous(mask: IPv4Address) -> bool:
    inverted = ~int(mask) & 0xFFFFFFFF
    return inverted & (inverted + 1) == 0
