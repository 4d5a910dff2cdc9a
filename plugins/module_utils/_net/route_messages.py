# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes as messages of rtnetlink have them, decoded or encoded by pyroute2, and as the planners do. Pure."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.lvs.topology.plugins.module_utils._net.gateway_plan import Hop, Route

_AF_INET = 2
_AF_INET6 = 10
FAMILY = {4: _AF_INET, 6: _AF_INET6}
MAIN = 254
# The types of routes that a table chooses by itself; None: that leads somewhere.
_KINDS = {1: None, 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}
_TYPES = {kind: number for number, kind in _KINDS.items()}
_METRICS = (
    "lock",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
)
_ONLINK = 4
# What the kernel learned for a while of one destination, such as a smaller MTU: listed with the routes, and none.
_CLONED = 0x200
SOURCE = "a source for which alone it is"


def is_route(message: Any) -> bool:
    """Whether it is a route for packets of every kind of service."""
    return message["type"] in _KINDS and message["tos"] == 0 and not message["flags"] & _CLONED


def route_of(message: Any, table: int | None, name: Callable[[int], str]) -> Route:
    """The route that a message tells of. ``name`` is asked for the interface of a number."""
    attribute = message.get_attr("RTA_METRICS")
    metrics = {each: attribute.get_attr(f"RTAX_{each.upper()}") for each in _METRICS} if attribute else {}
    kind, interface = _KINDS[message["type"]], message.get_attr("RTA_OIF")
    return Route(
        version=6 if message["family"] == _AF_INET6 else 4,
        destination=message.get_attr("RTA_DST"),
        length=message["dst_len"],
        metric=message.get_attr("RTA_PRIORITY") or 0,
        gateway=_gateway(message),
        # For IPv6 the kernel says lo where a route leads nowhere.
        interface=None if kind or interface is None else name(interface),
        protocol=message["proto"],
        scope=message["scope"],
        source=message.get_attr("RTA_PREFSRC"),
        onlink=bool(message["flags"] & _ONLINK),
        mtu=attribute.get_attr("RTAX_MTU") if attribute else None,
        table=table,
        advmss=attribute.get_attr("RTAX_ADVMSS") if attribute else None,
        kind=kind,
        metrics=tuple((each, value) for each, value in metrics.items() if value is not None),
        hops=tuple(
            Hop(_gateway(hop), name(hop["oif"]), hop["hops"] + 1) for hop in message.get_attr("RTA_MULTIPATH") or ()
        ),
    )


def own(message: Any) -> str:
    """What a route, or one of its next hops, has beside what a Route says."""
    if message["src_len"]:
        return SOURCE
    hops = message.get_attr("RTA_MULTIPATH") or ()
    return "an encapsulation" if any(way.get_attr("RTA_ENCAP_TYPE") for way in (message, *hops)) else ""


def _gateway(message: Any) -> str | None:
    """The next hop of a route. An IPv4 route that has an IPv6 one says so in another attribute."""
    via = message.get_attr("RTA_VIA")
    gateway: str | None = via["addr"] if via else message.get_attr("RTA_GATEWAY")
    return gateway


def options_of(route: Route, index: Callable[[str], int]) -> dict[str, Any]:
    """The same for pyroute2 to send. ``index`` is asked for the number of an interface."""
    anywhere = "::" if route.version == 6 else "0.0.0.0"  # noqa: S104, a default route: nothing listens there
    options: dict[str, Any] = {
        "dst": f"{route.destination or anywhere}/{route.length}",
        "family": FAMILY[route.version],
        "table": route.table or MAIN,
        "scope": route.scope,
        "type": _TYPES[route.kind],
    }
    if route.metric:
        options["priority"] = route.metric
    if route.hops:
        options["multipath"] = [
            {**_way(route, hop.gateway), "oif": index(hop.interface), "hops": hop.weight - 1} for hop in route.hops
        ]
    elif not route.kind:
        options["oif"] = index(route.interface or "")
        options.update(_way(route, route.gateway))
    if route.source:
        options["prefsrc"] = route.source
    if route.onlink:
        options["flags"] = _ONLINK
    metrics = {"mtu": route.mtu, "advmss": route.advmss, **dict(route.metrics)}
    if any(metrics.values()):
        options["metrics"] = {name: value for name, value in metrics.items() if value}
    return options


def _way(route: Route, gateway: str | None) -> dict[str, Any]:
    if gateway is None:
        return {}
    if route.version == 4 and ":" in gateway:
        return {"via": {"family": _AF_INET6, "addr": gateway}}
    return {"gateway": gateway}
