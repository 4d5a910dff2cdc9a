# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGP: by which route each service has its VIP announced, who is whose neighbour, and what BIRD is to have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Network, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_bgp import (
    Aggregate,
    Bgp,
    BgpNeighbour,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.bird_conf import rendered
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Announcement, Need, Sysctl
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.planned_checks import run
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import key_text

# A metric says which service a route is of, so that a VIP stays announced as long as one of its services is up. It
# must not change while keepalived runs: it would take away a route of the old one, which is not there.
_PROTOCOLS = {"tcp": 1, "udp": 2, "sctp": 3}
_PORTS = 0x10000
_MARKS = 4 * _PORTS
# What the kernel takes for a metric, in 32 bits.
_MOST = 2**32
# The one path that every distribution has. keepalived 2.3.3 leaves out what root is to run below a link such as /sbin.
_IP = "/usr/sbin/ip"
_ROOT = "root"
_OF_ANNOUNCING = re.compile(
    rf"{_IP} route (?:add throw|change blackhole|replace blackhole|del) [0-9a-f.:]+/(?:32|128) "
    r"table \d+ proto static metric \d+|/usr/bin/sleep \d+"
)
_HASHES = ("net.ipv4.fib_multipath_hash_policy", "net.ipv6.fib_multipath_hash_policy")


def metric_of(service: Service) -> int:
    if service.fwmark is not None:
        return _MARKS + service.fwmark % (_MOST - _MARKS)
    return _PROTOCOLS[service.protocol] * _PORTS + service.port


def own(site: Site, name: str) -> Bgp | None:
    """What of lvs_bgp is for BIRD; None where something else announces, or nothing does."""
    bgp = site.host(name).bgp
    return None if bgp is None or bgp.is_elsewhere else bgp


def is_announced(site: Site, director: str, service: Service) -> bool:
    """Whether the director announces the service's VIPs itself."""
    return own(site, director) is not None and bool(service.vips) and bool(service.real_servers)


def announcements(site: Site, director: str) -> Iterator[Announcement]:
    for service in site.services.get(director, ()):
        if is_announced(site, director, service):
            for vip in service.vips:
                yield Announcement(vip.address, metric_of(service), key_text(service))


def quorum(site: Site, director: str, service: Service) -> dict[str, Any]:
    """The commands that keepalived runs when a service comes up or goes down."""
    extra = service.supervision
    bgp = own(site, director)
    if bgp is None or not is_announced(site, director, service):
        given = {"quorum_up": run(extra.quorum_up), "quorum_down": run(extra.quorum_down)}
        return {key: value for key, value in given.items() if value is not None}
    ends = [
        f"{vip.address}/{full_prefix(vip.address)} table {bgp.table} proto static metric {metric_of(service)}"
        for vip in service.vips
    ]
    # BIRD does not learn a route of the type throw. "change" fails where the quorum was lost meanwhile, and the route
    # with it; "add" leaves alone what is announced already.
    seconds = first_checks(service)
    later = [*(f"{_IP} route add throw {each}" for each in ends), f"/usr/bin/sleep {seconds}"]
    announce = [f"{_IP} route change blackhole {each}" for each in ends]
    at_once = [f"{_IP} route replace blackhole {each}" for each in ends]
    return {
        "quorum_up": run((_command([*later, *announce] if seconds else at_once), _ROOT)),
        "quorum_down": run((_command([f"{_IP} route del {each}" for each in ends]), _ROOT)),
    }


def first_checks(service: Service) -> int:
    """How many seconds after the first real server is well the first checks of all others are over, too.

    keepalived spreads them over their warmup. Announced earlier, a director would choose other real servers than the
    others for connections that routers move to it.
    """
    if len(service.real_servers) < 2:
        return 0
    every = (check for entry in service.real_servers for check in service.checks_of(entry))
    waits = [check.get("warmup", check["interval"]) + check.get("timeout", 0) for check in every if "interval" in check]
    return math.ceil(max(waits, default=0))


def _command(commands: list[str]) -> str:
    return commands[0] if len(commands) == 1 else f"/usr/bin/sh -c '{'; '.join(commands)}'"


def is_announcement(command: str) -> bool:
    """Whether a command does nothing but what quorum() has keepalived do."""
    plain = command.removeprefix("/usr/bin/sh -c '").removesuffix("'")
    return all(map(_OF_ANNOUNCING.fullmatch, plain.split("; ")))


def host_of(site: Site, address: Address) -> str | None:
    """The director or router that has the address, as far as the inventory and facts tell."""
    known = site.once(("BGP hosts",), lambda: _find_hosts(site))
    return known.get(address)


def _find_hosts(site: Site) -> dict[Address, str]:
    found: dict[Address, str] = {}
    for name in dict.fromkeys([*site.services, *site.inventory.routers]):
        if not site.inventory.is_absent(name):
            for address in site.addresses(name):
                found.setdefault(address, name)
    return found


def neighbour_of(site: Site, host: str, other: str) -> Iterator[BgpNeighbour]:
    """Where the one names the other as its neighbour."""
    bgp = own(site, host)
    for each in bgp.neighbours if bgp else ():
        if host_of(site, each.address) == other:
            yield each


def announcing(site: Site) -> tuple[str, ...]:
    """The directors that announce VIPs by BIRD."""
    return tuple(name for name in site.services if own(site, name))


def router_needs(site: Site, name: str) -> Iterator[Need]:
    """A router that has several ways to a VIP must choose by the ports, or all of a client's connections go one way."""
    if own(site, name) or any(True for director in announcing(site) for _each in neighbour_of(site, director, name)):
        for key in _HASHES:
            yield Sysctl(key, "1")


def vips_for(site: Site, host: str) -> tuple[Address, ...]:
    """What a director announces, or what a router takes."""
    directors = (host,) if host in site.services else announcing(site)
    every = {vip.address for name in directors for service in site.services[name] for vip in service.vips}
    return tuple(sorted(every, key=lambda each: (each.version, int(each))))


def aggregates(site: Site, name: str) -> dict[Aggregate, tuple[Address, ...]]:
    """The aggregates of a director, each with the VIPs in it. One without a VIP would never be announced."""
    return site.once(("aggregates", name), lambda: _find_aggregates(site, name))


def _find_aggregates(site: Site, name: str) -> dict[Aggregate, tuple[Address, ...]]:
    bgp = own(site, name)
    if bgp is None or name not in site.services:
        return {}
    vips = vips_for(site, name)
    inside = {each: tuple(vip for vip in vips if vip in each.prefix) for each in bgp.aggregates}
    return {each: covered for each, covered in inside.items() if covered}


def only_aggregate(site: Site, name: str, vip: Address) -> Aggregate | None:
    """The aggregate that a director announces in place of a VIP; None where it announces the VIP itself."""
    return next((each for each in aggregates(site, name) if each.summary_only and vip in each.prefix), None)


def told_of(site: Site, name: str, vip: Address) -> Network:
    """The prefix by which routers hear of a VIP where they do: its own, or that of the aggregate in its place."""
    aggregate = only_aggregate(site, name, vip)
    return ip_network(vip) if aggregate is None else aggregate.prefix


def is_vip(prefix: Network) -> bool:
    """Whether it is that of one address."""
    return prefix.prefixlen == prefix.max_prefixlen


def prefixes_of(site: Site, *directors: str) -> tuple[Network, ...]:
    """What routers may hear of directors: VIPs, and after them aggregates."""
    found: set[Network] = set()
    for name in directors:
        found.update(ip_network(vip) for vip in vips_for(site, name) if only_aggregate(site, name, vip) is None)
        found.update(each.prefix for each in aggregates(site, name))
    return _in_order(found)


def _taken(site: Site) -> tuple[Network, ...]:
    """What a router takes of directors. A run has routers first, and what they hear until it is over is taken, too."""
    directors = announcing(site)
    vips = (ip_network(vip) for name in directors for vip in vips_for(site, name))
    return _in_order({*vips, *prefixes_of(site, *directors)})


def _in_order(prefixes: Iterable[Network]) -> tuple[Network, ...]:
    return tuple(sorted(prefixes, key=lambda each: (each.version, -each.prefixlen, int(each.network_address))))


def plan_of_bird(site: Site, name: str) -> dict[str, Any]:
    """What BIRD is to have; empty: nothing of ours."""
    bgp = own(site, name)
    if bgp is None:
        return {"bird": {}}
    secrets = [each.password for each in bgp.neighbours if each.password]
    announces = name in site.services
    prefixes = prefixes_of(site, name) if announces else _taken(site)
    text = rendered(bgp, prefixes, aggregates(site, name), announces=announces)
    return {"bird": {"content": text, "secrets": list(dict.fromkeys(secrets))}}


def problems(site: Site, name: str) -> Iterator[Mistake]:
    """Where a neighbour of the inventory says otherwise of the session than this host."""
    for each in (own(site, name) or Bgp("")).neighbours:
        other = host_of(site, each.address)
        bgp = site.host(other).bgp if other else None
        if other is None or bgp is None or bgp.is_wrong:
            continue
        if other == name:
            yield Mistake(f"{each.path}.address", f"{each.address} is an address of {name} itself", "name a router")
            continue
        if bgp.is_elsewhere:
            continue
        if each.asn != bgp.asn:
            problem = f"{each.asn} is not what {bgp.path}.asn is, {bgp.asn}"
            yield Mistake(f"{each.path}.asn", problem, "write the same number on both sides")
        family = each.address.version
        back = next((one for one in neighbour_of(site, other, name) if one.address.version == family), None)
        if back is None:
            problem = f"is {other}, and {bgp.path} names no IPv{family} address of {name}"
            yield Mistake(f"{each.path}.address", problem, f"list {name} among the neighbours of {other}")
            continue
        if back.password != each.password:
            problem = f"is not what {back.path}.password is"
            yield Mistake(f"{each.path}.password", problem, "give both sides the same, or none")
        if (back.bfd is None) != (each.bfd is None):
            problem = f"is {'on' if each.bfd else 'off'}, and {back.path}.bfd is {'on' if back.bfd else 'off'}"
            yield Mistake(f"{each.path}.bfd", problem, "give both sides bfd, or none")
