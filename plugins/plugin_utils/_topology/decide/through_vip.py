# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks that go the way of clients' packets: to the VIP, and from there to one single real server.

Each real server that is checked in this way has a service of its own, by a firewall mark that keepalived's checks
carry. IPVS looks for the mark before it looks at addresses (ip_vs_service_find() in the kernel), and forwards such a
check as it forwards what clients send. The check comes from an address of the director's own: the kernel would choose
the VIP, and the real server, which has it too, would answer itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import conf_key
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    RealServer,
    Service,
    Tunnel,
    Watch,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import vrrp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Need, Sysctl
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import virtual_service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import BY_DATAGRAM

_SCHEDULER = "rr"
_MARKS = 2**16

Key = tuple[int, Address, str, Tunnel | None]


def check_services(site: Site, director: str) -> tuple[Service, ...]:
    """A service by firewall mark for each real server that is checked through a VIP."""
    return tuple(_by_real_server(site, director).values())


def check_names(site: Site, director: str) -> frozenset[str]:
    """What messages call these services, by which they are known in a table."""
    return frozenset(service_name(virtual_service(each)) for each in check_services(site, director))


def ways(
    site: Site, director: str, service: Service, entry: RealServer, check: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What keepalived is told of such a check: where it goes to, from where, with which mark. One for each VIP."""
    mark = _by_real_server(site, director)[key_of(service, entry)].fwmark
    source = site.address_towards(director, entry.address, service.family)
    if source is None:
        return []
    port = check.get("port") or entry.port
    return [
        {"address": str(vip), "port": port, "source": str(source), "fwmark": mark} for vip in _checked(service, port)
    ]


def packets(site: Site, director: str) -> list[dict[str, Any]]:
    """The answers to such checks, as host_info asks for packets: they have to get in."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for service in site.services.get(director, ()) if site.is_checked(director) else ():
        asked = ((entry, each) for entry in service.real_servers for each in checks_through_vip(service, entry))
        for entry, check in asked:
            for way in ways(site, director, service, entry, check) if entry.host != director else ():
                protocol = "udp" if check["type"] in BY_DATAGRAM else "tcp"
                source = site.address_towards(director, entry.address, service.family)
                if source is not None:
                    key = (protocol, way["address"], way["port"], source)
                    found[key] = answer_of(site, director, protocol, way["address"], way["port"], source)
    return list(found.values())


def answer_of(site: Site, director: str, protocol: str, vip: str, port: int, source: Address) -> dict[str, Any]:
    """What a real server answers from the VIP, as host_info asks for packets.

    The packet filter may know nothing of the connection: IPVS keeps what it forwards out of netfilter's table, unless
    net.ipv4.vs.conntrack is 1 (ip_vs_notrack() in the kernel).
    """
    link = site.link_to(director, source)
    return {
        "name": f"answers from {vip} port {port} ({protocol}) to {source}, where checks through the VIP come from",
        "hook": "input",
        "protocol": protocol,
        "source": vip,
        "source_port": port,
        "destination": str(source),
        **({"interface": link.interface.name} if link else {}),
        "state": "answer",
    }


def needs(site: Site, director: str) -> Iterator[Need]:
    """What such checks need of a director that keepalived manages."""
    for service in site.services.get(director, ()):
        entries = [each for each in service.real_servers if goes_through_vip(service, each)]
        if not entries:
            continue
        own = next((each.path for each in entries if each.watch.checks is not None), service.path)
        path = f"{own}.health_check.through"
        if not service.vips:
            problem = f"is vip, and the addresses that carry firewall mark {service.fwmark} are not known here"
            yield Mistake(path, problem, "name them with marked, or use through: rip")
        if is_passive_as_backup(site, director):
            problem = f"is vip, and with net.ipv4.vs.backup_only the director {director} forwards no check as backup"
            yield Mistake(path, problem, "use through: rip")
        for entry in entries:
            if entry.host != director:
                yield from answers_let_in(site, director, service, entry)


def answers_let_in(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Need]:
    """What lets the real server's answers in."""
    source = site.address_towards(director, entry.address, service.family)
    if source is None:
        problem = (
            f"is needed: checks of {entry.label} through the VIP come from an IPv{service.family} address of "
            f"{director}, and none is known"
        )
        yield Mistake(f"{director}: lvs_address", problem, "write it, or gather facts")
        return
    if service.family == 6:
        return  # IPv6 takes answers from an address that the director has itself
    link = site.link_to(director, source)
    if link is None:
        problem = f"are needed to find the interface of {source}, from which checks go through the VIP"
        yield Mistake(f"{director}: facts", problem, f"gather the facts of {director}, or use through: rip")
        return
    # Answers come from the VIP, which the master has itself (fib_validate_source() in the kernel).
    yield Sysctl(conf_key(link.interface.name, "accept_local"), "1")
    places = [site.place(director, vip.address) for vip in service.vips]
    if any(not isinstance(each, Mistake) and each.interface != link.interface.name for each in places):
        yield Sysctl(conf_key(link.interface.name, "rp_filter"), "2")


def checks_through_vip(service: Service, entry: RealServer) -> list[Mapping[str, Any]]:
    """The health checks of a real server that go the way of clients' packets."""
    return [each for each in service.checks_of(entry) if each.get("through") == "vip"]


def goes_through_vip(service: Service, entry: RealServer) -> bool:
    """Whether any of its health checks does."""
    return bool(checks_through_vip(service, entry))


def is_passive_as_backup(site: Site, director: str) -> bool:
    """Whether a director hands on nothing while another one is master (ip_vs_in_hook() in the kernel)."""
    host = site.host(director)
    return vrrp.may_loop(site, director) is not None or (
        host.sync is not None and dict(host.sysctls).get("net.ipv4.vs.backup_only") == "1"
    )


def _checked(service: Service, port: int) -> tuple[Address, ...]:
    """The VIPs through which a port is checked: of a firewall mark those whose packets to that port carry it."""
    carrying = [
        each.vip.address
        for each in service.marked
        if not each.ports or any(low <= port <= high for low, high in each.ports)
    ]
    return tuple(dict.fromkeys(carrying or [vip.address for vip in service.vips]))


def _by_real_server(site: Site, director: str) -> Mapping[Key, Service]:
    return site.once(("check services", director), lambda: _find_services(site, director))


def _find_services(site: Site, director: str) -> dict[Key, Service]:
    entries: dict[Key, RealServer] = {}
    for service in site.services.get(director, ()):
        for entry in service.real_servers if site.is_checked(director) else ():
            if goes_through_vip(service, entry):
                entries.setdefault(key_of(service, entry), entry)
    return services_by_mark(site, director, entries)


def services_by_mark(
    site: Site,
    director: str,
    entries: Mapping[Key, RealServer],
    others: Iterable[Service] = (),
    scheduler: str = _SCHEDULER,
) -> dict[Key, Service]:
    """A service for each of these real servers, by a mark that neither the model's services have nor the ``others``."""
    used = {service.fwmark for service in (*site.services.get(director, ()), *others) if service.fwmark}
    first = site.host(director).keepalived.check_marks
    last = first + _MARKS - 1
    found: dict[Key, Service] = {}
    for key in sorted(entries, key=lambda each: (each[0], each[1].version, int(each[1]), each[2], repr(each[3]))):
        # A real server keeps its mark while others come and go, but for those whose addresses end alike.
        mark = first + int(key[1]) % _MARKS
        while mark in used:
            mark = last = last + 1
        used.add(mark)
        found[key] = _service(key, entries[key], mark, scheduler)
    return found


def key_of(service: Service, entry: RealServer) -> Key:
    """What makes a difference to how a real server is reached: the family of the VIP, its address, and the method."""
    return service.family, entry.address, service.forward, entry.tunnel


def _service(key: Key, entry: RealServer, mark: int, scheduler: str) -> Service:
    family, _address, forward, _tunnel = key
    return Service(
        path=entry.path,
        name=f"checks of {entry.label} through the VIP",
        family=family,
        address=None,
        prefix=None,
        fwmark=mark,
        port=0,
        protocol="tcp",
        forward=forward,
        scheduler=scheduler,
        scheduler_flags=(),
        persistence=None,
        one_packet=False,
        real_servers=(replace(entry, port=0, weight=1, upper_threshold=0, lower_threshold=0, watch=Watch()),),
    )
