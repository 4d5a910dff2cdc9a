# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What links, addresses, routes and neighbours are there, and one change of them, by rtnetlink.

host_lists.py reads the lists. pyroute2, of which pyroute.py loads the parts, says what the bytes of an entry mean, and
sends the changes.

Works with pyroute2 0.7.2 (Debian 12) as well as 0.9.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Any, Callable, Iterator

from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    gateway_plan,
    neighbour_plan,
    pyroute,
    route_messages,
    source_route_plan,
    tunnel_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.announce import announce
from ansible_collections.lvs.topology.plugins.module_utils._net.host_lists import Entries, HostLists
from ansible_collections.lvs.topology.plugins.module_utils._net.route_messages import FAMILY, MAIN
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_NODAD = 0x02
_OPTIMISTIC = 0x04
_DEPRECATED = 0x20
_TENTATIVE = 0x40
_PERMANENT = 0x80
_PROXY = 0x08
_FOREVER = 0xFFFFFFFF
_UP = 1
# In network order; pyroute2 swaps it for gre, and not for ip6gre.
_CHECKSUM = {"gre": 0x8000, "ip6gre": socket.htons(0x8000)}
_IPV6_IN_IPV4 = 41
# What pyroute2 calls the attributes of a kind of tunnel.
_PREFIXES = {"ipip": "IPIP", "sit": "SIT", "gre": "GRE", "ip6tnl": "IP6TNL", "ip6gre": "IP6GRE"}

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
        self._kinds = pyroute.messages()
        self._connection: Any = None
        self._lists = HostLists()
        self._links = list(_decoded(self._kinds.link, self._lists.links()))
        self._names: dict[int, str] = {link["index"]: _text(link.get_attr("IFLA_IFNAME")) for link in self._links}
        self._indexes = {name: index for index, name in self._names.items()}
        # What did not work and is no reason to stop.
        self.warnings: list[str] = []

    def __enter__(self) -> Rtnetlink:
        return self

    def __exit__(self, *_unused: object) -> None:
        self._lists.close()
        if self._connection is not None:
            self._connection.close()

    @property
    def _socket(self) -> Any:
        """Only a host on which something is to be changed needs it."""
        if self._connection is None:
            make = self.ready()
            try:
                self._connection = make()
            except OSError as problem:
                raise Refused(f"No netlink socket can be had for changes: {problem.strerror}.") from problem
        return self._connection

    def ready(self) -> Any:
        """Refuse where nothing could be changed, before anything is."""
        found = pyroute.connection_class()
        # Of the same load: an exception of another one would not be caught.
        self._kinds = pyroute.messages()
        return found

    def interfaces(self) -> set[str]:
        return set(self._indexes)

    def tunnels(self) -> list[tunnel_plan.Link]:
        """The tunnel links of those kinds that unwrap what a director sends."""
        found = []
        for link in self._links:
            kind = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND")
            if kind not in tunnel_plan.FALLBACKS:
                continue
            prefix = f"IFLA_{_PREFIXES[kind]}"
            data = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
            local = data.get_attr(f"{prefix}_LOCAL") if data else None
            flags = data.get_attr(f"{prefix}_IFLAGS") if data else None
            found.append(
                tunnel_plan.Link(
                    interface=self._name(link["index"]),
                    type=kind,
                    local=None if local in (None, "0.0.0.0", "::") else local,  # noqa: S104, nothing listens there
                    checksum=bool((flags or 0) & _CHECKSUM.get(kind, 0)),
                    up=bool(link["flags"] & _UP),
                )
            )
        return found

    def addresses(self) -> list[address_plan.Held]:
        held = []
        for message in _decoded(self._kinds.address, self._lists.addresses()):
            flags = message.get_attr("IFA_FLAGS") or message["flags"]
            held.append(
                address_plan.Held(
                    # IFA_LOCAL is the host's own on point-to-point links; IPv6 has it only there.
                    address=message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS"),
                    prefix=message["prefixlen"],
                    interface=self._name(message["index"]),
                    label=_text(message.get_attr("IFA_LABEL")),
                    deprecated=bool(flags & _DEPRECATED),
                    tentative=flags & (_TENTATIVE | _OPTIMISTIC) == _TENTATIVE,
                )
            )
        return held

    def routes(self, table: int = MAIN) -> list[gateway_plan.Route]:
        """The routes of a table, both families, for packets from anywhere."""
        return [route for route, own in self._routes(table) if own != route_messages.SOURCE]

    def _routes(self, table: int) -> list[tuple[gateway_plan.Route, str]]:
        """Each with what it has of its own that a copy would lack."""
        return [
            (
                route_messages.route_of(message, None if table == MAIN else table, self._name),
                route_messages.own(message),
            )
            for family in FAMILY.values()
            for message in _decoded(self._kinds.route, self._lists.routes(family, table))
            if message.get_attr("RTA_TABLE") == table and route_messages.is_route(message)
        ]

    def plain_routes(self) -> list[gateway_plan.Route]:
        """The routes of the main table that a copy can stand for."""
        found = []
        for route, own in self._routes(MAIN):
            if not route.leads:
                self.warnings.append(
                    f"{route}: the kernel does not tell where it leads ({gateway_plan.NAMELESS}), so it is not copied"
                )
            elif own:
                self.warnings.append(f"{route} has {own}, which is not copied: the route is left out")
            else:
                found.append(route)
        return found

    def source_rules(self) -> list[source_route_plan.Rule]:
        """The rules by source address that look like ours."""
        return [
            source_route_plan.Rule(message.get_attr("FRA_SRC"), message.get_attr("FRA_TABLE"))
            for family in FAMILY.values()
            for message in _decoded(self._kinds.rule, self._lists.rules(family))
            if message.get_attr("FRA_SRC")
            and source_route_plan.is_ours(message.get_attr("FRA_PRIORITY"), message.get_attr("FRA_TABLE"))
        ]

    def permanent_neighbours(self) -> list[neighbour_plan.Neighbour]:
        return [
            neighbour_plan.Neighbour(
                message.get_attr("NDA_DST"), self._name(message["ifindex"]), message.get_attr("NDA_LLADDR")
            )
            for family in FAMILY.values()
            for message in _decoded(self._kinds.neighbour, self._lists.neighbours(family))
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
            source_route_plan.SetCopy: self._set_route,
            source_route_plan.DeleteCopy: self._delete_route,
            source_route_plan.AddRule: self._add_rule,
            source_route_plan.DeleteRule: self._delete_rule,
            tunnel_plan.AddLink: self._add_link,
            tunnel_plan.DeleteLink: self._delete_link,
            tunnel_plan.SwitchLink: self._switch_link,
        }
        try:
            handlers[type(action)](action)
        except self._kinds.refusal as refusal:
            meaning = _MEANING.get(refusal.code, str(refusal))
            raise Refused(f"{action} failed: {meaning}.") from refusal

    def _add_link(self, action: tunnel_plan.AddLink) -> None:
        link = action.link
        prefix = _PREFIXES[link.type].lower()
        options: dict[str, Any] = {f"{prefix}_local": link.local}
        if link.checksum:
            options[f"{prefix}_iflags"] = options[f"{prefix}_oflags"] = _CHECKSUM[link.type]
        if link.type == "sit":
            options["sit_proto"] = _IPV6_IN_IPV4
        if link.type == "ip6tnl":
            options["ip6tnl_proto"] = 0  # both families
        self._socket.link("add", ifname=link.interface, kind=link.type, **options)
        self._indexes[link.interface] = socket.if_nametoindex(link.interface)

    def _delete_link(self, action: tunnel_plan.DeleteLink) -> None:
        self._socket.link("del", index=self._index(action.interface))

    def _switch_link(self, action: tunnel_plan.SwitchLink) -> None:
        self._socket.link("set", index=self._index(action.interface), state="up" if action.up else "down")

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
            family=FAMILY[held.version],
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
                "del", index=index, address=gone.address, prefixlen=gone.prefix, family=FAMILY[gone.version]
            )

    def _announce(self, action: address_plan.Announce) -> None:
        try:
            announce(action.address, action.interface)
        except OSError as problem:
            self.warnings.append(
                f"{action.address} is there, but could not be announced on {action.interface} ({problem.strerror}): "
                "neighbours may go on using what they knew before"
            )

    def _set_route(self, action: gateway_plan.SetRoute | source_route_plan.SetCopy) -> None:
        self._socket.route(
            "replace", **route_messages.options_of(action.route, self._index), proto=action.route.protocol
        )

    def _delete_route(self, action: gateway_plan.DeleteRoute | source_route_plan.DeleteCopy) -> None:
        self._socket.route("del", **route_messages.options_of(action.route, self._index))

    def _add_rule(self, action: source_route_plan.AddRule) -> None:
        self._socket.rule("add", **self._rule_options(action.rule))

    def _delete_rule(self, action: source_route_plan.DeleteRule) -> None:
        self._socket.rule("del", **self._rule_options(action.rule))

    def _rule_options(self, rule: source_route_plan.Rule) -> dict[str, Any]:
        return {
            "family": FAMILY[rule.version],
            "src": rule.source,
            "src_len": 128 if rule.version == 6 else 32,
            "table": rule.table,
            "priority": source_route_plan.PRIORITY,
        }

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
            "family": FAMILY[6 if ":" in neighbour.address else 4],
        }

    def _name(self, index: int) -> str:
        # One that has appeared since the links were read: containers bring such all the time.
        return self._names.get(index, f"if{index}")

    def _index(self, interface: str) -> int:
        index = self._indexes.get(interface)
        if index is None:
            raise Refused(f"The interface {interface} does not exist.")
        return int(index)


def _decoded(kind: Any, entries: Entries) -> Iterator[Any]:
    """The entries of a list as pyroute2 understands them."""
    for entry in entries:
        message = kind(entry)
        message.decode()
        yield message


def _text(name: str | bytes | None) -> Any:
    """A name as text. The kernel takes nearly every byte, and pyroute2 leaves what is not UTF-8 as it is."""
    return name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
