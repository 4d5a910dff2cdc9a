# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where real servers are listed: by which director, in which service, and what would be left without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    kernel_forward,
    real_server,
    service_key,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import BY_DATAGRAM
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.named_hosts import check_run, hosts_named

_WEB = ("http", "https")
# What makes a service, a real server, or a real server of a service one and the same.
_Key = tuple[Any, ...]
# The type of a check whose way depends on addresses that are not known.
UNKNOWN = "unknown"
# Where a digest alone says what is right.
_ANY_STATUS = ("200-299",)


def listings(
    site: Site, groups: Mapping[str, Any], names: Any, run: Collection[str] | None, mistakes: list[Mistake]
) -> list[dict[str, Any]]:
    """Every entry of these hosts, or of the hosts of these groups; what nobody lists is a mistake.

    ``run`` are the hosts that are part of it; None: all.
    """
    found = []
    for host in hosts_named(site.inventory, groups, names, "hosts", "real server", mistakes):
        check_run(host, run, mistakes)
        # Draining does not concern the one that says sorry: keepalived adds it where no real server is left.
        entries = [each for each in site.listings.get(host, []) if each[2] is not each[1].sorry_server]
        if not entries:
            problem = "is a real server of no service of a director that is present"
            mistakes.append(Mistake(host, problem, "leave it out, or list it in lvs_services"))
        for director, service, entry in entries:
            found.append(
                {
                    "host": host,
                    "director": director,
                    "manager": "keepalived" if site.is_checked(director) else "kernel",
                    "inhibit_on_failure": _is_inhibited(service, entry),
                    "name": service.name,
                    "service": service_key(service),
                    "real_server": real_server(entry) | {"forward": kernel_forward(service)},
                    "check": _check(site, director, service, entry),
                }
            )
    return found


def _is_inhibited(service: Service, entry: RealServer) -> bool:
    own = entry.watch.inhibit_on_failure
    return service.supervision.inhibit_on_failure if own is None else own


def _check(site: Site, director: str, service: Service, entry: RealServer) -> dict[str, Any] | None:
    """How a director can tell that the real server serves; None where nothing says what to try by TCP.

    The type is UNKNOWN where that depends on the director's addresses, and these are not known.
    """
    checks = [each for each in service.checks_of(entry) if each.get("address") in (None, str(entry.address))]
    through = through_vip.checks_through_vip(service, entry) if site.is_checked(director) else []
    # Of several the first one that asks for a page, else simply the first one.
    given = next((each for each in through or checks if each["type"] in _WEB), (through or checks or [{}])[0])
    kind = str(given.get("type"))
    if kind in BY_DATAGRAM:
        return None
    if through:
        ways = through_vip.ways(site, director, service, entry, given) if site.is_known(director) else []
        return {"type": "through_vip" if ways else UNKNOWN, "endpoints": ways}
    port = given.get("port") or entry.port or _only_port(service)
    if not port:
        return None
    if kind in _WEB:
        host = f"[{entry.address}]" if entry.address.version == 6 else str(entry.address)
        url = given["urls"][0]
        return {
            "type": "http",
            "url": f"{kind}://{host}:{port}{url['path']}",
            "headers": {"Host": url["virtual_host"]} if "virtual_host" in url else {},
            "status": [code for each in url.get("status", _ANY_STATUS) for code in _codes(each)],
        }
    if service.protocol != "tcp":
        return None
    return {"type": "tcp", "address": str(entry.address), "port": port}


def _codes(status: str) -> range:
    """A status, or a range of them."""
    low, _dash, high = status.partition("-")
    return range(int(low), int(high or low) + 1)


def _only_port(service: Service) -> int:
    """The port of a firewall-mark service that marks one TCP port only."""
    ranges = {each for marked in service.marked if marked.protocol == "tcp" for each in marked.ports}
    low, high = ranges.pop() if len(ranges) == 1 else (0, 0)
    return low if low == high else 0


def silent_directors(asked: Mapping[str, str | None], found: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The directors that did not answer, and what speaks against draining what is listed.

    ``asked`` says of each director why its table could not be read: an empty text where it was, None where the director
    did not answer at all. Such a one sends nobody anywhere, and keeps nobody from draining as long as another is left.
    """
    silent = [director for director, problem in asked.items() if problem is None]
    unread = {director: problem for director, problem in asked.items() if problem}
    if unread:
        reasons = " ".join(dict.fromkeys(unread.values()))
        return {"silent": silent, "problems": [f"The table of {', '.join(unread)} cannot be read: {reasons}"]}
    directors: dict[str, set[str]] = {}
    unknown: dict[str, None] = {}
    for each in found:
        directors.setdefault(each["host"], set()).add(each["director"])
        if each["check"] == UNKNOWN and each["director"] not in silent:
            unknown[each["director"]] = None
    problems = []
    lost = [host for host, every in directors.items() if every <= set(silent)]
    if lost:
        problem = f"No director that lists {', '.join(lost)} can be reached: {', '.join(silent)}"
        problems.append(f"{problem}. Bring one of them back first.")
    if unknown:
        problem = f"the addresses of {', '.join(unknown)} from which they would come are not known"
        problems.append(
            f"Health checks go through the VIP, and {problem}. See whether lvs.topology.host_facts works there."
        )
    return {"silent": silent, "problems": problems}


def left_empty(
    found: Iterable[Mapping[str, Any]], tables: Mapping[str, Sequence[Mapping[str, Any]]], batches: Iterable[Any]
) -> list[str]:
    """One line for each service that would have no usable real server while a batch of hosts is drained.

    ``tables`` has what ipvs_info says of each director. A real server of weight 0 serves nobody as it is.
    """
    listed: dict[str, dict[str, set[_Key]]] = {}
    for each in found:
        listed.setdefault(each["director"], {}).setdefault(each["host"], set()).add(_listed(each))
    usable = {director: [*_usable(services)] for director, services in tables.items()}
    lines: dict[str, None] = {}
    for batch in batches:
        hosts = list(batch)
        for director, services in usable.items():
            of_hosts = listed.get(director, {})
            drained = set().union(*(of_hosts.get(host, ()) for host in hosts))
            for name, every in services:
                if every and every <= drained:
                    lines[f"{director}: {name} has no usable real server besides {', '.join(hosts)}"] = None
    return list(lines)


def _usable(services: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, frozenset[_Key]]]:
    """The name of each service, and its real servers that serve somebody."""
    for service in services:
        which = _service(service)
        yield (
            service_name(service),
            frozenset((*which, *_endpoint(each)) for each in service["real_servers"] if each["weight"]),
        )


def _listed(listing: Mapping[str, Any]) -> _Key:
    return (*_service(listing["service"]), *_endpoint(listing["real_server"]))


def _service(service: Mapping[str, Any]) -> _Key:
    if "fwmark" in service:
        return service["fwmark"], service["family"]
    return service["protocol"], forms.canonical_address(service["address"]), service["port"]


def _endpoint(real_server: Mapping[str, Any]) -> _Key:
    """Addresses are compared as such: the kernel spells some of them otherwise than Python does."""
    return forms.canonical_address(real_server["address"]), real_server["port"]
