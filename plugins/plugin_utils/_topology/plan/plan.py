# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs -> its plan: each need once, as plain data that modules take."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Host, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import guard
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.bgp import plan_of_bird
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import (
    Announcement,
    Arp,
    ArpFilter,
    Command,
    Gateway,
    KernelModule,
    KernelOption,
    KernelRelease,
    Mark,
    Need,
    Neighbour,
    Note,
    Replication,
    SegmentSize,
    SourceNat,
    SyncDaemon,
    Sysctl,
    TunnelEnd,
    VirtualAddress,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    key_text,
    service_key,
    whole_service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.through_vip import check_services
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.vrrp import carriers
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.filtering import plan_of_filter
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.keepalived import plan_of_keepalived
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.metrics import plan_of_metrics

_T = TypeVar("_T")

# Better than what routers advertise, which gets 1024 of the kernel and of systemd-networkd, and 100 of NetworkManager.
# Beside a route of the same metric, some answers would go past the director. An IPv4 route without one is the best.
_IPV6_METRIC = 64
_COMMANDS = {
    "director": ["ip", "ipvsadm", "modprobe"],
    "real_server": ["ip"],
    "router": ["ip"],
    "keepalived": [],
    "announcer": [],
    "metrics": [],
}


def plan_of(role: str, site: Site, name: str, needs: list[Need]) -> dict[str, Any]:
    """The needs of a host, each once, as plain data."""
    host = site.host(name)
    plan: dict[str, Any] = {"commands": [*_COMMANDS[role], *(each.name for each in _each(needs, Command))]}
    notes = [each.text for each in _each(needs, Note)]
    said = {"notes": notes} if notes else {}
    if role == "keepalived":
        daemon = next(iter(_each(needs, SyncDaemon)), None)
        return plan | plan_of_keepalived(site, name, daemon) | said
    if role == "announcer":
        return plan | plan_of_bird(site, name) | said
    if role == "metrics":
        return plan | {"metrics": plan_of_metrics(site, name)} | said
    if role != "router":
        plan["kernel_modules"] = [each.name for each in _each(needs, KernelModule)]
    if role == "director":
        plan["kernel_options"] = [each.name for each in _each(needs, KernelOption)]
    releases = [{"release": each.release, "because": each.because} for each in _each(needs, KernelRelease)]
    if releases:
        plan["kernels"] = releases
    plan["sysctls"] = sysctls_of(needs, host)
    if role == "real_server":
        plan["arp"] = [
            {"interface": each.interface, "arp_ignore": each.arp_ignore, "arp_announce": each.arp_announce}
            for each in _each(needs, Arp)
        ]
        plan["arp_filters"] = [
            _given(vip=str(each.vip), source=str(each.source), interface=each.interface)
            for each in _each(needs, ArpFilter)
        ]
        ends = (_given(**_words(each)) for each in _each(needs, TunnelEnd))
        # What a port unwraps, an interface has to take.
        plan["tunnels"] = sorted(ends, key=lambda each: ("port" in each, repr(each)))
    if role != "router":
        plan["addresses"] = [
            _given(
                address=f"{each.address}/{each.prefix}",
                interface=each.interface,
                announce=each.announce,
                deprecated=each.deprecated,
            )
            for each in sorted(_each(needs, VirtualAddress), key=_place)
        ]
    gateways = sorted({each.address for each in _each(needs, Gateway)}, key=_number)
    plan["gateways"] = [
        _given(gateway=str(address), metric=_IPV6_METRIC if address.version == 6 else None) for address in gateways
    ]
    if role == "real_server":
        plan["source_routes"] = _source_routes(needs)
    if role == "router":
        plan["neighbours"] = [
            {"address": str(each.address), "lladdr": each.lladdr, "interface": each.interface}
            for each in sorted(_each(needs, Neighbour), key=lambda one: (one.interface, _number(one.address)))
        ]
    if role == "director":
        plan |= _of_director(site, name, needs)
    of_filter = plan_of_filter(site, name, role) if role != "router" else {}
    return plan | of_filter | said


def _of_director(site: Site, name: str, needs: list[Need]) -> dict[str, Any]:
    """What only a director has: services and what belongs to them, as far as keepalived does not have them."""
    host, daemons, replicated = site.host(name), _each(needs, SyncDaemon), _each(needs, Replication)
    services = () if site.is_checked(name) else site.services.get(name, ())
    return {
        "packet_rules": _packet_rules(needs, host),
        **({"conntrackd": _conntrackd(replicated[0])} if replicated else {}),
        **_announcements(site, name, needs),
        "watched": _watched(site, name, daemons) if site.is_checked(name) else {},
        "manager": host.manager,
        **({"take_over": True} if host.take_over else {}),
        "services": [whole_service(service) for service in services],
        "purge": list(host.purge),
        "keep_weights": host.keep_weights,
        "timeouts": {} if site.is_checked(name) else dict(host.timeouts),
        "sync_daemons": [] if site.is_moved(name) else [_sync_daemon(each) for each in daemons],
    }


def _announcements(site: Site, name: str, needs: list[Need]) -> dict[str, Any]:
    """The routes by which BGP knows what to announce, and whose they are: ours, or those of keepalived's checks."""
    bgp = site.host(name).bgp
    if bgp is None or bgp.is_elsewhere:
        return {}
    by_checks = site.is_checked(name)
    routes = [
        {"address": f"{each.address}/{full_prefix(each.address)}", "metric": each.metric}
        | ({"service": each.service} if by_checks else {})
        for each in sorted(_each(needs, Announcement), key=lambda one: (_number(one.address), one.service))
    ]
    return {"announcements": {"table": bgp.table, "by_checks": by_checks, "routes": routes}}


def _watched(site: Site, name: str, daemons: list[SyncDaemon]) -> dict[str, Any]:
    """What keepalived is to have in the table, and with it, while all checks succeed."""
    host, instances = site.host(name), carriers(site, name) if site.is_moved(name) else ()
    guarded = {key_text(each): guard.name_of(each) for each in guard.guarded(site, name)}
    plan: dict[str, Any] = {
        # keepalived takes no service without real servers.
        "services": [
            _watched_service(each)
            for each in (*check_services(site, name), *site.services.get(name, ()))
            if each.real_servers
        ],
        "purge": list(host.purge),
        "keep_weights": host.keep_weights,
        "timeouts": dict(host.timeouts),
        **({"guarded": guarded} if guarded else {}),
    }
    if daemons and instances:
        # It is a master's where the first instance is master, and whoever is master holds its addresses.
        addresses = [str(each.address) for each in instances[0].carried]
        plan["sync_daemon"] = {**_sync_daemon(daemons[0]), "addresses": addresses}
        del plan["sync_daemon"]["state"]
    return plan


def _watched_service(service: Service) -> dict[str, Any]:
    """What stands in raw lines may say anything of a service, so only its real servers are known."""
    named = whole_service(service)
    return service_key(service) | {"real_servers": named["real_servers"]} if service.supervision.raw else named


def _sync_daemon(daemon: SyncDaemon) -> dict[str, Any]:
    sync = daemon.sync
    return {
        "state": daemon.state,
        "interface": daemon.interface,
        "syncid": sync.syncid,
        "maxlen": sync.maxlen,
        "group": str(sync.group),
        "port": sync.port,
        "ttl": sync.ttl,
    }


def _packet_rules(needs: list[Need], host: Host) -> dict[str, Any]:
    """Empty where there is no rule: then it does not matter which packet filter the host has."""
    marks = [
        _given(
            mark=each.mark,
            address=str(each.address),
            protocol=each.protocol,
            ports=[str(low) if low == high else f"{low}-{high}" for low, high in each.ports] or None,
        )
        for each in _each(needs, Mark)
    ]
    source_nat = [_source_nat(each) for each in _each(needs, SourceNat)]
    return {"backend": host.packet_filter, "marks": marks, "source_nat": source_nat} if marks or source_nat else {}


def _source_nat(need: SourceNat) -> dict[str, Any]:
    if len(need.service) == 2:
        mark, family = need.service
        service: dict[str, Any] = {"fwmark": mark, "family": f"ipv{family}"}
    else:
        address, protocol, port = need.service
        service = {"address": str(address), "port": port, "protocol": protocol}
    addresses = [str(each) for each in need.destinations]
    return service | _given(destinations=addresses or None) | {"to": [str(each) for each in need.to]}


def _conntrackd(need: Replication) -> dict[str, Any]:
    return {
        "held": str(need.held),
        "own": str(need.own),
        "partner": str(need.partner),
        "interface": need.interface,
        "port": need.port,
        "real_servers": [str(each) for each in need.real_servers],
        "connections": need.connections,
    }


def sysctls_of(needs: list[Need], host: Host) -> dict[str, str]:
    sysctls = {each.key: each.value for each in _each(needs, Sysctl)} | dict(host.sysctls)
    return {key: value for key, value in sysctls.items() if value is not None}


def _each(needs: list[Need], kind: type[_T]) -> list[_T]:
    return list(dict.fromkeys(need for need in needs if isinstance(need, kind)))


def _source_routes(needs: list[Need]) -> list[dict[str, Any]]:
    """What answers from a VIP announce: the smallest of what its tunnels can take."""
    sizes: dict[Address, int] = {}
    for each in _each(needs, SegmentSize):
        sizes[each.address] = min(each.size, sizes.get(each.address, each.size))
    return [{"source": str(each), "advmss": sizes[each]} for each in sorted(sizes, key=_number)]


def _place(each: VirtualAddress) -> tuple[Any, ...]:
    """Where an address stands among those of its host, wherever its service stands among others.

    Of several with a network around them the first one is the primary of that network, so these keep their order.
    """
    has_network = each.prefix < full_prefix(each.address)
    return each.address.version, not has_network, () if has_network else (_number(each.address), each.interface)


def _number(address: Address) -> tuple[int, int]:
    return address.version, int(address)


def _words(end: TunnelEnd) -> dict[str, Any]:
    words = {"type" if name == "kind" else name: value for name, value in asdict(end).items()}
    return words | {"local": str(end.local) if end.local else None}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
