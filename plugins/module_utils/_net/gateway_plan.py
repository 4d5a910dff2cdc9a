# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Default routes: what is asked for, and what has to change. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass
from typing import AbstractSet, Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle_list

KIND = "gateway"
_STATIC = 4
_LINK = 253
# What the kernel makes of an IPv6 route without a metric.
_DEFAULT_IPV6_METRIC = 1024
# Where the kernel says of a route only which object has its next hops.
NAMELESS = "nhid, with net.ipv4.nexthop_compat_mode=0"
_PROTOCOLS = {2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}


@dataclass(frozen=True)
class Hop:
    """One of several next hops of a route. One of IPv4 may be reached by an IPv6 address."""

    gateway: str | None
    interface: str
    weight: int


@dataclass(frozen=True)
class Route:
    """A route of the main table or of another one, with all that is needed to put it back."""

    version: int
    destination: str | None = None
    length: int = 0
    metric: int = 0
    gateway: str | None = None
    interface: str | None = None
    protocol: int = _STATIC
    scope: int = 0
    source: str | None = None
    onlink: bool = False
    mtu: int | None = None
    hops: tuple[Hop, ...] = ()
    table: int | None = None
    advmss: int | None = None
    # Leads nowhere: unreachable, prohibit, blackhole or throw.
    kind: str | None = None
    # Other metrics by name, as numbers.
    metrics: tuple[tuple[str, int], ...] = ()

    @property
    def key(self) -> str:
        return f"ipv{self.version} default metric {self.metric}"

    @property
    def state(self) -> dict[str, Any]:
        """What the ledger notes: whatever is not as in a plain route."""
        plain = Route(self.version)
        noted = {name: value for name, value in asdict(self).items() if value != getattr(plain, name)}
        noted["version"] = self.version
        return noted

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Route:
        hops = tuple(Hop(**hop) for hop in state.get("hops", ()))
        metrics = tuple((name, value) for name, value in state.get("metrics", ()))
        return cls(**{**state, "hops": hops, "metrics": metrics})

    def __str__(self) -> str:
        """As the ip command takes it."""
        words = [self.kind] if self.kind else []
        words.append(f"{self.destination}/{self.length}" if self.destination else "default")
        words += self._next_hop(self.gateway, self.interface)
        # The metric is the route's, so it comes before the next hops.
        if self.protocol != 3:
            words += ["proto", _PROTOCOLS.get(self.protocol, str(self.protocol))]
        if self.scope == _LINK:
            words += ["scope", "link"]
        if self.source:
            words += ["src", self.source]
        if self.metric:
            words += ["metric", str(self.metric)]
        if self.table:
            words += ["table", str(self.table)]
        if self.mtu:
            words += ["mtu", str(self.mtu)]
        if self.advmss:
            words += ["advmss", str(self.advmss)]
        for name, value in self.metrics:
            words += [name, str(value)]
        if self.onlink:
            words.append("onlink")
        for hop in self.hops:
            words += ["nexthop", *self._next_hop(hop.gateway, hop.interface), "weight", str(hop.weight)]
        return " ".join(words)

    def _next_hop(self, gateway: str | None, interface: str | None) -> list[str]:
        family = ["inet6"] if self.version == 4 and ":" in (gateway or "") else []
        return (["via", *family, gateway] if gateway else []) + (["dev", interface] if interface else [])

    @property
    def place(self) -> tuple[object, ...]:
        """What makes the kernel take one route for another one of the same table."""
        return (self.version, self.table, self.destination, self.length, self.metric)

    @property
    def is_link(self) -> bool:
        """Whether what it leads to is directly reachable."""
        return not (self.gateway or self.hops or self.kind)

    @property
    def leads(self) -> bool:
        """Whether it is known where it leads, which an object of next hops may keep to itself."""
        return bool(self.kind or self.gateway or self.interfaces)

    @property
    def interfaces(self) -> set[str]:
        return {hop.interface for hop in self.hops} | ({self.interface} if self.interface else set())


@dataclass(frozen=True)
class SetRoute:
    """Add a default route, or replace the one of the same metric in one step."""

    route: Route

    def __str__(self) -> str:
        return f"{_command(self.route)} replace {self.route}"


@dataclass(frozen=True)
class DeleteRoute:
    """Remove a default route."""

    route: Route

    def __str__(self) -> str:
        return f"{_command(self.route)} del {self.route}"


def check(
    options: Sequence[Mapping[str, Any]],
    mistakes: Mistakes,
    interfaces: AbstractSet[str] | None = None,
    routes: Sequence[Route] | None = None,
    own: AbstractSet[str] = frozenset(),
    doubts: list[str] | None = None,
) -> list[Route]:
    """The default routes that a task names.

    Where the host's routes are given, each gateway has to be directly reachable, and gets the interface to it. With a
    list of doubts, one that is not reachable yet is noted there instead.
    """
    wanted: list[Route] = []
    positions: dict[str, int] = {}
    for position, option in enumerate(options):
        where = f"gateways[{position}]"
        gateway = mistakes.host_address(f"{where}.gateway", option["gateway"])
        interface = option.get("interface")
        if interface is not None and not mistakes.interface(f"{where}.interface", interface, interfaces):
            continue
        mistakes.within(f"{where}.metric", option["metric"], forms.METRICS, "a metric")
        if gateway is None:
            continue
        metric = option["metric"] or (_DEFAULT_IPV6_METRIC if gateway.version == 6 else 0)
        route = Route(gateway.version, metric=metric, gateway=forms.spelling(gateway), interface=interface)
        if route.key in positions:
            mistakes.add(where, f"gateways[{positions[route.key]}] is already the {route.key}")
            continue
        positions[route.key] = position
        if routes is None:
            wanted.append(route)
            continue
        if forms.spelling(gateway) in own:
            mistakes.add(f"{where}.gateway", f"{gateway} is an address of this host itself")
            continue
        if gateway.version == 6 and gateway.is_link_local and interface is None:
            mistakes.add(f"{where}.interface", f"is needed for {gateway}, which exists on every link")
            continue
        reached = _reached(gateway, interface, routes)
        if reached is None:
            on = f" on {interface}" if interface else ""
            near = sorted(
                f"{one.destination}/{one.length} on {one.interface}"
                for one in routes
                if one.version == gateway.version and one.destination and one.is_link
            )
            text = f"{gateway} is not directly reachable{on}; directly reachable are {', '.join(near) or 'no networks'}"
            if doubts is None:
                mistakes.add(f"{where}.gateway", text)
            else:
                doubts.append(f"{where}.gateway: {text}")
                wanted.append(route)
            continue
        wanted.append(Route(gateway.version, metric=metric, gateway=forms.spelling(gateway), interface=reached))
    return wanted


def _reached(
    gateway: ipaddress.IPv4Address | ipaddress.IPv6Address,
    interface: str | None,
    routes: Sequence[Route],
) -> str | None:
    """The interface on whose link the gateway is, by the longest matching route."""
    best: Route | None = None
    for route in routes:
        if route.version != gateway.version or not route.destination or interface not in (None, route.interface):
            continue
        network = ipaddress.ip_network(f"{route.destination}/{route.length}", strict=False)
        if gateway in network and (best is None or route.length > best.length):
            best = route
    return best.interface if best and best.is_link else None


def plan_gateways(
    ledger: Ledger,
    owner: str,
    interfaces: AbstractSet[str],
    routes: Sequence[Route],
    wishes: Sequence[Route] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement, list[str]]:
    """Replace in place: there is no moment without a default route. Other metrics are left alone."""
    current: dict[str, Route] = {}
    for route in routes:
        if route.length == 0:
            current.setdefault(route.key, route)
    wanted = {wish.key: wish for wish in wishes or ()}
    settlement = settle_list(
        ledger,
        KIND,
        owner,
        {key: route.state for key, route in current.items()},
        None if wishes is None else {key: route.state for key, route in wanted.items()},
        present=present,
        purge=purge,
        # Who set the route, and other details of it, are of no matter as long as it leads there.
        # In check mode the interface may not be known yet.
        is_right=lambda state, want: all(
            state.get(name) == want[name] for name in ("gateway", "interface") if name in want
        ),
    )
    warnings: list[str] = []
    changes = [_change(SetRoute(wanted[key])) for key in settlement.wrong]
    after = {**current, **{key: wanted[key] for key in settlement.wrong}}
    for key, was in settlement.restore.items():
        old = None if was is None else Route.from_state(was)
        gone = old.interfaces - interfaces if old else set()
        if gone:
            warnings.append(f"{old} cannot be put back, because {', '.join(sorted(gone))} does not exist any more")
            old = None
        now = current.get(key)
        if old == now:
            continue
        if now is not None and now.protocol != _STATIC:
            # Ours always are static. Without this one, the host may be cut off from whoever looks after it.
            warnings.append(f"{now} is left alone: somebody else has put it in place of the route that was set here")
            continue
        if now is not None and old is not None and not old.leads:
            warnings.append(f"{now} stays: of the route before it, the kernel did not tell where it led ({NAMELESS})")
            continue
        if old is None:
            changes.append(_change(DeleteRoute(current[key])))
            del after[key]
        else:
            changes.append(_change(SetRoute(old)))
            after[key] = old
    touched = sorted({change.action.route.key for change in changes})
    return (
        Plan(
            tuple(changes),
            tuple(f"route add {current[key]}" for key in touched if key in current),
            tuple(f"route add {after[key]}" for key in touched if key in after),
        ),
        settlement,
        warnings,
    )


def _command(route: Route) -> str:
    return "ip -6 route" if route.version == 6 else "ip route"


def _change(action: Any) -> Change:
    return Change(str(action), action)
