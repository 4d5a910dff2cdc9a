# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the arguments of an ipvs_* task to what it wants of the table. Pure.

Everything that can be known to be wrong without looking at the kernel is refused here, with the path of the option.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    IPV4,
    IPV6,
    DestinationKey,
    Network,
    ServiceKey,
    WantedDestination,
    WantedService,
    family_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Purge
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes

# The numbers of a real server.
_NUMBERS = (
    ("port", forms.PORTS, "a port"),
    ("weight", forms.WEIGHTS, "a weight"),
    ("upper_threshold", forms.THRESHOLDS, "a threshold"),
    ("lower_threshold", forms.THRESHOLDS, "a threshold"),
)


# Thousands of real servers have the same numbers.
@lru_cache(maxsize=1024)
def _are_in_range(*given: int | None) -> bool:
    return all(number is None or number in numbers for (_option, numbers, _what), number in zip(_NUMBERS, given))


def join(path: str, option: str) -> str:
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
                mistakes.add(join(path, option), "a firewall mark service has none; leave it out")
        if not mistakes.within(join(path, "fwmark"), fwmark, forms.FIREWALL_MARKS, "a firewall mark"):
            return None
        return ServiceKey(family=item.get("family") or IPV4, fwmark=fwmark)
    vip = _unicast(mistakes, join(path, "address"), str(address))
    if port is None:
        mistakes.add(join(path, "port"), "missing; a service with an address has a port (0: every port)")
    else:
        mistakes.within(join(path, "port"), port, forms.PORTS, "a port")
    if vip is None or port is None or port not in forms.PORTS:
        return None
    family = family_of(vip)
    if item.get("family") not in (None, family):
        mistakes.add(join(path, "family"), f"{vip} is {family}; leave the family out")
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
    mistakes.within(join(path, "timeout"), timeout, forms.TIMEOUTS, "a number of seconds")
    if timeout == 0:
        for name, value in (("netmask", netmask), ("engine", engine)):
            if value is not None and value != "none":
                mistakes.add(join(path, name), "has no meaning with timeout 0, which switches persistence off")
        return {"persistent": False}
    if engine is not None and not forms.is_part_of_module(engine):
        mistakes.add(join(path, "engine"), f"{engine!r} is not the name of a persistence engine")
    return {
        "persistent": True,
        "timeout": timeout,
        "netmask": None if netmask is None else _netmask(mistakes, join(path, "netmask"), netmask, family),
        "engine": "" if engine == "none" else engine,
    }


def wanted_service(item: Mapping[str, Any], path: str, mistakes: Mistakes) -> WantedService | None:
    """What an item says about a service and its real servers; None where it cannot be told which one."""
    key = service_key(item, path, mistakes)
    # Even where the key is wrong, what else is wrong is said in the same run.
    family = key.family if key else item.get("family") or IPV4
    scheduler, flags = item.get("scheduler"), item.get("scheduler_flags")
    if scheduler is not None and not forms.is_part_of_module(scheduler):
        mistakes.add(join(path, "scheduler"), f"{scheduler!r} is not the name of a scheduler, such as wlc or rr")
    persistence = _persistence(item.get("persistence"), join(path, "persistence"), family, mistakes)
    destinations = None
    if item.get("real_servers") is not None:
        destinations = _real_servers(item["real_servers"], join(path, "real_servers"), key, mistakes)
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
    address = _unicast(mistakes, join(path, "address"), str(item["address"]))
    port, weight = item.get("port"), item.get("weight")
    upper, lower = item.get("upper_threshold"), item.get("lower_threshold")
    if not _are_in_range(port, weight, upper, lower):
        for (option, numbers, what), number in zip(_NUMBERS, (port, weight, upper, lower)):
            if number is not None:
                mistakes.within(join(path, option), number, numbers, what)
    tunnel = item.get("tunnel") or {}
    if tunnel:
        mistakes.within(join(path, "tunnel.port"), tunnel.get("port"), forms.REAL_PORTS, "a port")
    if address is None:
        return None
    if port is None:
        port = service.port if service else 0
    return WantedDestination(
        key=DestinationKey(address, port),
        path=path,
        forward=item.get("forward"),
        weight=weight,
        upper=upper,
        lower=lower,
        tunnel=tunnel.get("type"),
        tunnel_port=tunnel.get("port"),
        checksum=tunnel.get("checksum"),
    )


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
