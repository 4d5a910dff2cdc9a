# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the arguments of an ipvs_* task to what it wants of the table. Pure.

Everything that can be known to be wrong without looking at the kernel is refused here, with the path of the option.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import Address
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.connections import Filter
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.drain import Patience
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Purge
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.settings_plan import fitting_length, message_lengths
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import ZERO_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.types import (
    DAEMON_STATES,
    DEFAULT_GROUP,
    DEFAULT_TIMEOUTS,
    IPV4,
    IPV6,
    Daemon,
    DestinationKey,
    Network,
    ServiceKey,
    WantedDestination,
    WantedService,
    family_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes


def _join(path: str, option: str) -> str:
    return f"{path}.{option}" if path else option


def _unicast(mistakes: Mistakes, path: str, text: str) -> str | None:
    """An address in the kernel's own spelling; on lo, too, where a director serves itself."""
    if forms.is_plain_ipv4(text):
        return text
    address = mistakes.address(path, text)
    if address is None:
        return None
    if forms.IN_TABLE.problem(address):
        mistakes.add(path, f"{address} is not a unicast address")
        return None
    return forms.spelling(address)


def service_key(item: Mapping[str, Any], path: str, mistakes: Mistakes) -> ServiceKey | None:
    """Which service an item is about; None where that cannot be told."""
    address, fwmark, port = item.get("address"), item.get("fwmark"), item.get("port")
    if (address is None) == (fwmark is None):
        mistakes.add(
            path or "address",
            "a service has either an address (with a port) or a fwmark; "
            + ("give one" if address is None else "leave one out"),
        )
        return None
    if fwmark is not None:
        for option in ("port", "protocol"):
            if item.get(option) is not None:
                mistakes.add(_join(path, option), "a firewall mark service has none; leave it out")
        if not mistakes.within(_join(path, "fwmark"), fwmark, forms.FIREWALL_MARKS, "a firewall mark"):
            return None
        return ServiceKey(family=item.get("family") or IPV4, fwmark=fwmark)
    vip = _unicast(mistakes, _join(path, "address"), str(address))
    if port is None:
        mistakes.add(_join(path, "port"), "missing; a service with an address has a port (0: every port)")
    else:
        mistakes.within(_join(path, "port"), port, forms.PORTS, "a port")
    if vip is None or port is None or port not in forms.PORTS:
        return None
    family = family_of(vip)
    if item.get("family") not in (None, family):
        mistakes.add(_join(path, "family"), f"{vip} is {family}; leave the family out")
    return ServiceKey(family=family, protocol=item.get("protocol") or "tcp", address=vip, port=port)


def _netmask(mistakes: Mistakes, path: str, text: str, family: str) -> int | None:
    if family == IPV6:
        prefix = forms.integer(text)
        if prefix in forms.IPV6_PREFIXES:
            return prefix
        numbers = forms.IPV6_PREFIXES
        problem = f"is not a prefix length from {numbers.low} to {numbers.high}, as an IPv6 service has it"
        mistakes.add(path, f"{forms.shown(text)} {problem}")
        return None
    try:
        return int(ipaddress.IPv4Address(text))
    except ValueError:
        mistakes.add(path, f"{forms.shown(text)} is not a netmask such as 255.255.255.0, as an IPv4 service has it")
        return None


def _persistence(options: Mapping[str, Any] | None, path: str, family: str, mistakes: Mistakes) -> dict[str, Any]:
    if options is None:
        return {}
    timeout, netmask, engine = (options.get(name) for name in ("timeout", "netmask", "engine"))
    mistakes.within(_join(path, "timeout"), timeout, forms.TIMEOUTS, "a number of seconds")
    if timeout == 0:
        for name, value in (("netmask", netmask), ("engine", engine)):
            if value is not None and value != "none":
                mistakes.add(_join(path, name), "has no meaning with timeout 0, which switches persistence off")
        return {"persistent": False}
    if engine is not None and not forms.is_part_of_module(engine):
        mistakes.add(_join(path, "engine"), f"{engine!r} is not the name of a persistence engine")
    return {
        "persistent": True,
        "timeout": timeout,
        "netmask": None if netmask is None else _netmask(mistakes, _join(path, "netmask"), netmask, family),
        "engine": "" if engine == "none" else engine,
    }


def wanted_service(item: Mapping[str, Any], path: str, mistakes: Mistakes) -> WantedService | None:
    """What an item says about a service and its real servers; None where it cannot be told which one."""
    key = service_key(item, path, mistakes)
    # Even where the key is wrong, what else is wrong is said in the same run.
    family = key.family if key else item.get("family") or IPV4
    scheduler, flags = item.get("scheduler"), item.get("scheduler_flags")
    if scheduler is not None and not forms.is_part_of_module(scheduler):
        mistakes.add(_join(path, "scheduler"), f"{scheduler!r} is not the name of a scheduler, such as wlc or rr")
    persistence = _persistence(item.get("persistence"), _join(path, "persistence"), family, mistakes)
    destinations = None
    if item.get("real_servers") is not None:
        destinations = _real_servers(item["real_servers"], _join(path, "real_servers"), key, mistakes)
    if key is None:
        return None
    return WantedService(
        key=key,
        path=path,
        scheduler=scheduler,
        flags=None if flags is None else frozenset(flags),
        one_packet=item.get("one_packet"),
        destinations=destinations,
        **persistence,
    )


def _real_servers(
    items: Sequence[Mapping[str, Any]], path: str, service: ServiceKey | None, mistakes: Mistakes
) -> tuple[WantedDestination, ...]:
    found: dict[DestinationKey, WantedDestination] = {}
    for position, item in enumerate(items):
        here = f"{path}[{position}]"
        wanted = wanted_destination(item, here, service, mistakes)
        if wanted is None:
            continue
        if wanted.key in found:
            mistakes.add(here, f"the same real server as {found[wanted.key].path} ({wanted.key}); name it once")
        else:
            found[wanted.key] = wanted
    return tuple(found.values())


def wanted_destination(
    item: Mapping[str, Any], path: str, service: ServiceKey | None, mistakes: Mistakes
) -> WantedDestination | None:
    """What an item says about a real server; None where it cannot be told which one."""
    address = _unicast(mistakes, _join(path, "address"), str(item["address"]))
    port = item.get("port")
    mistakes.within(_join(path, "port"), port, forms.PORTS, "a port")
    mistakes.within(_join(path, "weight"), item.get("weight"), forms.WEIGHTS, "a weight")
    upper, lower = item.get("upper_threshold"), item.get("lower_threshold")
    mistakes.within(_join(path, "upper_threshold"), upper, forms.THRESHOLDS, "a threshold")
    mistakes.within(_join(path, "lower_threshold"), lower, forms.THRESHOLDS, "a threshold")
    tunnel = item.get("tunnel") or {}
    mistakes.within(_join(path, "tunnel.port"), tunnel.get("port"), forms.REAL_PORTS, "a port")
    if address is None:
        return None
    if port is None:
        port = service.port if service else 0
    return WantedDestination(
        key=DestinationKey(address, port),
        path=path,
        forward=item.get("forward"),
        weight=item.get("weight"),
        upper=upper,
        lower=lower,
        tunnel=tunnel.get("type"),
        tunnel_port=tunnel.get("port"),
        checksum=tunnel.get("checksum"),
    )


def patience(params: Mapping[str, Any], service: ServiceKey | None, mistakes: Mistakes) -> Patience:
    """What draining waits for; by default what the protocol's connections that are under way count as."""
    kinds, poll_interval = params["wait_for"], params["poll_interval"]
    if kinds is None:
        kinds = ["inactive" if service and service.protocol == "udp" else "active"]
    elif not kinds:
        mistakes.add("wait_for", "empty; name what to wait for, or set timeout: 0 and on_timeout: proceed not to wait")
    mistakes.within("timeout", params["timeout"], forms.TIMEOUTS, "a number of seconds")
    if not 0.1 <= poll_interval <= 60:
        mistakes.add("poll_interval", f"{poll_interval} is not a number of seconds from 0.1 to 60")
    return Patience(tuple(kinds), params["timeout"], poll_interval)


def wanted_services(items: Sequence[Mapping[str, Any]], path: str, mistakes: Mistakes) -> tuple[WantedService, ...]:
    """What a list says about services, each of which it may name once."""
    found: dict[ServiceKey, WantedService] = {}
    for position, item in enumerate(items):
        here = f"{path}[{position}]"
        wanted = wanted_service(item, here, mistakes)
        if wanted is None:
            continue
        if wanted.key in found:
            mistakes.add(here, f"the same service as {found[wanted.key].path} ({wanted.key}); name it once")
        else:
            found[wanted.key] = wanted
    return tuple(found.values())


def wanted_timeouts(params: Mapping[str, Any], mistakes: Mistakes, path: str = "") -> dict[str, int]:
    """The timeouts that shall change; 0 is the kernel's own way to leave one as it is."""
    given = {name: params[name] for name in DEFAULT_TIMEOUTS if params.get(name)}
    for name, seconds in given.items():
        mistakes.within(_join(path, name), seconds, forms.TIMEOUTS, "a number of seconds")
    return given


def wanted_daemons(
    items: Sequence[Mapping[str, Any]], lengths: Mapping[str, int] | None, mistakes: Mistakes, option: str = "daemons"
) -> tuple[Daemon, ...]:
    """The daemons of a list; ``lengths`` are the MTUs of the interfaces that exist, None where that is of no matter."""
    found: dict[str, str] = {}
    daemons = []
    for position, item in enumerate(items):
        path = f"{option}[{position}]"
        first = found.setdefault(item["state"], path)
        if first != path:
            mistakes.add(path, f"{first} is a {item['state']} too, and the kernel has one of each; keep one")
        daemon = _daemon(item, path, lengths, mistakes)
        if daemon:
            daemons.append(daemon)
    return tuple(sorted(daemons, key=lambda each: DAEMON_STATES[each.state]))


def _daemon(item: Mapping[str, Any], path: str, lengths: Mapping[str, int] | None, mistakes: Mistakes) -> Daemon | None:
    interface, maxlen = item.get("interface"), item["maxlen"]
    if interface is None:
        mistakes.add(_join(path, "interface"), "missing; name the one on which the directors reach each other")
    elif not mistakes.interface(_join(path, "interface"), interface, None if lengths is None else set(lengths)):
        interface = None
    group = _multicast(mistakes, _join(path, "group"), item["group"])
    mistakes.within(_join(path, "syncid"), item["syncid"], forms.SYNC_IDS, "a sync id")
    mistakes.within(_join(path, "port"), item["port"], forms.REAL_PORTS, "a port")
    mistakes.within(_join(path, "ttl"), item["ttl"], forms.TTLS, "a ttl")
    if interface is None or group is None:
        return None
    if maxlen:
        lengths_of = forms.Range(*message_lengths(item["state"], group))
        mistakes.within(_join(path, "maxlen"), maxlen, lengths_of, f"a length of a {item['state']}'s messages")
    elif lengths is not None:
        maxlen = fitting_length(item["state"], group, lengths[interface])
    return Daemon(item["state"], interface, item["syncid"], maxlen, group, item["port"], item["ttl"])


def _multicast(mistakes: Mistakes, path: str, text: str) -> str | None:
    address = mistakes.address(path, text)
    if address is None:
        return None
    if not address.is_multicast:
        mistakes.add(path, f"{forms.word(text)} is not a multicast address such as {DEFAULT_GROUP} or ff02::81")
        return None
    return forms.spelling(address)


def zero_key(params: Mapping[str, Any], mistakes: Mistakes) -> ServiceKey | None:
    """The service whose counters are meant; None for all."""
    if all(params[name] is None for name in ZERO_SPEC):
        return None
    return service_key(params, "", mistakes)


def connection_filter(params: Mapping[str, Any], address: Address | None, mistakes: Mistakes) -> Filter:
    """Which connections are asked for, by the options for services and those for connections alone."""
    options = params["connection_filter"] or {}
    if params["fwmark"] is not None:
        mistakes.add("fwmark", "connections do not tell by which mark they came; give the address that clients use")
    real_server = client = None
    if options.get("real_server") is not None:
        real_server = mistakes.address("connection_filter.real_server", options["real_server"])
    if options.get("client") is not None:
        try:
            client = ipaddress.ip_network(options["client"])
        except ValueError as problem:
            mistakes.add("connection_filter.client", f"{problem}; give an address or a network")
    for name, value in (
        ("port", params["port"]),
        ("connection_filter.real_server_port", options.get("real_server_port")),
    ):
        mistakes.within(name, value, forms.PORTS, "a port")
    if params["connection_limit"] < 0:
        mistakes.add("connection_limit", f"{params['connection_limit']} is less than 0")
    return Filter(
        family=params["family"],
        protocol=params["protocol"],
        address=address,
        port=params["port"],
        client=client,
        real_server=real_server,
        real_server_port=options.get("real_server_port"),
        states=frozenset(state.upper() for state in options.get("state") or ()),
        origin=options.get("origin"),
    )


def purge(scopes: Sequence[str], mistakes: Mistakes) -> Purge:
    """What may be taken away besides what the owner declared earlier."""
    networks: list[Network] = []
    for position, scope in enumerate(scopes):
        if scope in ("real_servers", "fwmark", "all"):
            continue
        try:
            networks.append(ipaddress.ip_network(scope))
        except ValueError as problem:
            mistakes.add(f"purge[{position}]", f"{problem}; give real_servers, fwmark, all or a network")
    return Purge(
        real_servers="real_servers" in scopes,
        fwmark="fwmark" in scopes,
        everything="all" in scopes,
        networks=tuple(networks),
    )
