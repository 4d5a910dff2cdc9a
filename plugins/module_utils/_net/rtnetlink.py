# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only user of pyroute2: reads addresses, routes and neighbours, and applies one change of them.

Works with pyroute2 0.7.2 (Debian 12) as well as 0.9.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import sys
from typing import Any, Callable, Iterator

try:
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    _IMPORT_PROBLEM = None
except Exception as problem:
    # Not only ImportError: on Python 3.8, which it no longer supports, pyroute2 0.9 raises TypeError.
    _IMPORT_PROBLEM = problem

from ansible_collections.lvs.topology.plugins.module_utils._net import address_plan, gateway_plan, neighbour_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.announce import announce
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_AF_INET = 2
_AF_INET6 = 10
_MAIN = 254
_UNICAST = 1
_ONLINK = 4
_NODAD = 0x02
_DEPRECATED = 0x20
_PERMANENT = 0x80
_PROXY = 0x08
_FOREVER = 0xFFFFFFFF
_FAMILY = {4: _AF_INET, 6: _AF_INET6}

_MEANING = {
    errno.EPERM: "the privilege is missing; run as root (CAP_NET_ADMIN) in the host's network namespace",
    errno.EACCES: "the kernel forbids it; for IPv6 look whether net.ipv6.conf.INTERFACE.disable_ipv6 is set",
    errno.ENODEV: "the interface has disappeared since it was read",
    errno.ENETDOWN: "the interface is down; bring it up first",
    errno.ENETUNREACH: "the gateway is not reachable on that interface; look whether it is up",
    errno.EHOSTUNREACH: "the gateway is not reachable on that interface; look whether it is up",
    errno.EEXIST: "something else has put it there since it was read; run the task again",
    errno.ESRCH: "it has disappeared since it was read; run the task again",
    errno.EADDRNOTAVAIL: "the address has disappeared since it was read, or a source address is not on this host",
    errno.ENOENT: "it has disappeared since it was read; run the task again",
    errno.EOPNOTSUPP: "this kernel cannot do it; look whether IPv6 is switched off",
}


def _usable() -> None:
    if _IMPORT_PROBLEM is None:
        return
    found = importlib.util.find_spec("pyroute2")
    where = f"it was found at {found.origin} but does not load ({_IMPORT_PROBLEM})" if found else "it is not installed"
    version = ".".join(str(number) for number in sys.version_info[:3])
    raise Refused(
        f"The Python library pyroute2 cannot be used by {sys.executable} ({version}): {where}. "
        "Install the package python3-pyroute2 (Debian, Ubuntu, RHEL, Fedora), or with pip pyroute2 "
        "('pyroute2<0.9' for Python 3.8)."
    )


@contextlib.contextmanager
def _promoting(interface: str) -> Iterator[None]:
    """Let the kernel keep the other addresses of a subnet when the first one goes.

    Unless it is told to, it drops them, and with the last address every route on the interface.
    """
    path = f"/proc/sys/net/ipv4/conf/{interface}/promote_secondaries"
    was = _swap(path, "1")
    try:
        yield
    finally:
        if was != "1":
            _swap(path, was)


def _swap(path: str, value: str) -> str:
    """Set a sysctl and return what it was; what is right is not written, as /proc/sys may be read-only."""
    try:
        with open(path, encoding="ascii") as file:
            was = file.read().strip()
        if was != value:
            with open(path, "w", encoding="ascii") as file:
                file.write(value)
    except OSError as problem:
        raise Refused(
            f"{path} cannot be set to {value} ({problem.strerror}), so taking an address away would take others of its "
            "subnet along. Run as root in the host's own network namespace."
        ) from problem
    return was


class Rtnetlink:
    """The state of this network namespace, and changes to it."""

    def __init__(self) -> None:
        _usable()
        self._socket = IPRoute()
        self._names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in self._socket.get_links()}
        self._indexes = {name: index for index, name in self._names.items()}
        # What did not work and is no reason to stop.
        self.warnings: list[str] = []

    def __enter__(self) -> Rtnetlink:
        return self

    def __exit__(self, *_unused: object) -> None:
        self._socket.close()

    def interfaces(self) -> set[str]:
        return set(self._indexes)

    def addresses(self) -> list[address_plan.Held]:
        held = []
        for message in self._socket.get_addr():
            flags = message.get_attr("IFA_FLAGS") or message["flags"]
            held.append(
                address_plan.Held(
                    # IFA_LOCAL is the host's own on point-to-point links; IPv6 has it only there.
                    address=message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS"),
                    prefix=message["prefixlen"],
                    interface=self._names[message["index"]],
                    label=message.get_attr("IFA_LABEL"),
                    deprecated=bool(flags & _DEPRECATED),
                )
            )
        return held

    def routes(self) -> list[gateway_plan.Route]:
        """The unicast routes of the main table, both families."""
        return [
            self._route(message)
            for family in (_AF_INET, _AF_INET6)
            for message in self._socket.get_routes(family=family, table=_MAIN)
            if message["type"] == _UNICAST and message["tos"] == 0
        ]

    def _route(self, message: Any) -> gateway_plan.Route:
        metrics = message.get_attr("RTA_METRICS")
        return gateway_plan.Route(
            version=6 if message["family"] == _AF_INET6 else 4,
            destination=message.get_attr("RTA_DST"),
            length=message["dst_len"],
            metric=message.get_attr("RTA_PRIORITY") or 0,
            gateway=message.get_attr("RTA_GATEWAY"),
            interface=self._names.get(message.get_attr("RTA_OIF")),
            protocol=message["proto"],
            scope=message["scope"],
            source=message.get_attr("RTA_PREFSRC"),
            onlink=bool(message["flags"] & _ONLINK),
            mtu=metrics.get_attr("RTAX_MTU") if metrics else None,
            hops=tuple(
                gateway_plan.Hop(hop.get_attr("RTA_GATEWAY"), self._names[hop["oif"]], hop["hops"] + 1)
                for hop in message.get_attr("RTA_MULTIPATH") or ()
            ),
        )

    def permanent_neighbours(self) -> list[neighbour_plan.Neighbour]:
        return [
            neighbour_plan.Neighbour(
                message.get_attr("NDA_DST"), self._names[message["ifindex"]], message.get_attr("NDA_LLADDR")
            )
            for family in (_AF_INET, _AF_INET6)
            for message in self._socket.get_neighbours(family=family)
            if message["state"] & _PERMANENT and not message["flags"] & _PROXY
        ]

    def apply(self, action: Any) -> None:
        """Carry out one action of one of the planners."""
        handlers: dict[type, Callable[[Any], None]] = {
            address_plan.SetAddress: self._set_address,
            address_plan.DeleteAddress: self._delete_address,
            address_plan.Announce: self._announce,
            gateway_plan.SetRoute: self._set_route,
            gateway_plan.DeleteRoute: self._delete_route,
            neighbour_plan.SetNeighbour: self._set_neighbour,
            neighbour_plan.DeleteNeighbour: self._delete_neighbour,
        }
        try:
            handlers[type(action)](action)
        except NetlinkError as refusal:
            meaning = _MEANING.get(refusal.code, str(refusal))
            raise Refused(f"{action} failed: {meaning}.") from refusal

    def _set_address(self, action: address_plan.SetAddress) -> None:
        self._put_address("replace" if action.change else "add", action.held)

    def _put_address(self, command: str, held: address_plan.Held) -> None:
        options: dict[str, Any] = {}
        if held.label is not None and held.version == 4:
            options["label"] = held.label
        if held.version == 6:
            # A VIP is also on the real servers: duplicate address detection would take it for a clash.
            options["flags"] = _NODAD
        preferred = 0 if held.deprecated else _FOREVER
        self._socket.addr(
            command,
            index=self._index(held.interface),
            address=held.address,
            prefixlen=held.prefix,
            family=_FAMILY[held.version],
            preferred_lft=preferred,
            valid_lft=_FOREVER,
            # pyroute2 0.7.2 hears of the lifetimes only this way, 0.9 only the other way.
            cacheinfo={"preferred": preferred, "valid": _FOREVER},
            **options,
        )

    def _delete_address(self, action: address_plan.DeleteAddress) -> None:
        gone = action.held
        index = self._index(gone.interface)
        shared = any(gone.shares_subnet(held) for held in self.addresses())
        with _promoting(gone.interface) if shared else contextlib.nullcontext():
            self._socket.addr(
                "del", index=index, address=gone.address, prefixlen=gone.prefix, family=_FAMILY[gone.version]
            )

    def _announce(self, action: address_plan.Announce) -> None:
        try:
            announce(action.address, action.interface)
        except OSError as problem:
            self.warnings.append(
                f"{action.address} is there, but could not be announced on {action.interface} ({problem.strerror}): "
                "neighbours may go on using what they knew before"
            )

    def _set_route(self, action: gateway_plan.SetRoute) -> None:
        self._socket.route("replace", **self._route_options(action.route), proto=action.route.protocol)

    def _delete_route(self, action: gateway_plan.DeleteRoute) -> None:
        self._socket.route("del", **self._route_options(action.route))

    def _route_options(self, route: gateway_plan.Route) -> dict[str, Any]:
        options: dict[str, Any] = {
            "dst": "::/0" if route.version == 6 else "0.0.0.0/0",
            "family": _FAMILY[route.version],
            "table": _MAIN,
            "scope": route.scope,
        }
        if route.metric:
            options["priority"] = route.metric
        if route.hops:
            options["multipath"] = [
                {"gateway": hop.gateway, "oif": self._index(hop.interface), "hops": hop.weight - 1}
                for hop in route.hops
            ]
        else:
            options["oif"] = self._index(route.interface or "")
            if route.gateway:
                options["gateway"] = route.gateway
        if route.source:
            options["prefsrc"] = route.source
        if route.onlink:
            options["flags"] = _ONLINK
        if route.mtu:
            options["metrics"] = {"mtu": route.mtu}
        return options

    def _set_neighbour(self, action: neighbour_plan.SetNeighbour) -> None:
        self._socket.neigh(
            "replace", **self._neighbour_options(action.neighbour), lladdr=action.neighbour.lladdr, state=_PERMANENT
        )

    def _delete_neighbour(self, action: neighbour_plan.DeleteNeighbour) -> None:
        self._socket.neigh("del", **self._neighbour_options(action.neighbour))

    def _neighbour_options(self, neighbour: neighbour_plan.Neighbour) -> dict[str, Any]:
        return {
            "dst": neighbour.address,
            "ifindex": self._index(neighbour.interface),
            "family": _AF_INET6 if ":" in neighbour.address else _AF_INET,
        }

    def _index(self, interface: str) -> int:
        index = self._indexes.get(interface)
        if index is None:
            raise Refused(f"The interface {interface} does not exist.")
        return int(index)
