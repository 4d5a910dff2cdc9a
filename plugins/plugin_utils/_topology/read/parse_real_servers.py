# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real servers of a service as they were written -> who they are, and by which address they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, did_you_mean, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, RealServer, Tunnel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.canary import read_canary, with_weights
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.reached import Side, address_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.supervision import read_watch


class RealServers:
    """Reads the real servers of one list of services.

    ``foreign`` are the addresses that are no host's own, although facts may show them on one.
    """

    def __init__(self, inventory: Inventory, mistakes: list[Mistake], foreign: frozenset[Address]) -> None:
        self._inventory = inventory
        self._mistakes = mistakes
        self._foreign = foreign
        self._by_address: dict[Address, str] | None = None

    def listed(self, reader: Reader, port: int, forward: str | None, side: Side) -> tuple[RealServer, ...]:
        """The real servers that can be understood; for every other there is a mistake."""
        elements = reader.elements("real_servers", "real servers")
        if not reader.has("real_servers"):
            remedy = "list them, or write [] where there shall be none: those in the table are taken away then"
            reader.refuse("real_servers", "is missing", remedy)
        parsed = [
            self._real_server(raw, f"{reader.path}.real_servers[{position}]", port, forward, side)
            for position, raw in enumerate(elements)
        ]
        known = [each for each in parsed if each is not None]
        # Where one is wrong, it is not known what the shares are of.
        is_whole = len(known) == len(parsed)
        real_servers = with_weights(reader, known) if is_whole else tuple(each for each, _share in known)
        first_by_key: dict[tuple[Address, int], str] = {}
        for each in real_servers:
            first = first_by_key.setdefault((each.address, each.port), each.path)
            if first != each.path:
                problem = f"{each.address} port {each.port} is {first} already"
                self._mistakes.append(Mistake(each.path, problem, "keep one, with the weight it shall have"))
        return real_servers

    def _real_server(
        self, raw: Any, path: str, port: int, forward: str | None, side: Side
    ) -> tuple[RealServer, int | None] | None:
        """The real server, and the share of the clients that it is to have where one was written."""
        if not isinstance(raw, Mapping):
            problem = f"must be a mapping, is {show(raw)}"
            self._mistakes.append(Mistake(path, problem, "write host: NAME, or address: RIP"))
            return None
        reader = Reader(raw, path, self._mistakes)
        host, address = self._who(reader, side)
        rs_port = reader.integer("port", *forms.PORTS, default=port)
        canary = read_canary(reader)
        weight = reader.integer("weight", *forms.WEIGHTS, default=1)
        upper = reader.integer("upper_threshold", *forms.THRESHOLDS, default=0)
        lower = reader.integer("lower_threshold", *forms.THRESHOLDS, default=0)
        tunnel = self._tunnel(reader, forward)
        watch = read_watch(reader, address, rs_port, forward)
        reader.finish()
        # 0 is no limit; the kernel then takes three quarters of the upper threshold as the lower one.
        if lower > upper:
            remedy = f"use 0 to {upper}" if upper else "set upper_threshold too, or leave it out"
            problem = f"{lower} is above upper_threshold {upper}" if upper else "has no upper_threshold to go with"
            reader.refuse("lower_threshold", problem, remedy)
        if address is None:
            return None
        found = RealServer(
            path=path,
            address=address,
            host=host,
            port=rs_port,
            weight=weight,
            upper_threshold=upper,
            lower_threshold=lower,
            tunnel=tunnel,
            watch=watch,
        )
        return found, canary

    def sorry(self, reader: Reader, port: int, forward: str | None, side: Side) -> RealServer | None:
        """Who answers while there are too few real servers. It may be the director itself."""
        raw = reader.mapping("sorry_server", "{address: 127.0.0.1, port: 8080}")
        if raw is None:
            return None
        inner = Reader(raw, reader.at("sorry_server"), self._mistakes)
        host, address = self._who(inner, side, forms.SORRY_SERVER)
        sorry_port = inner.integer("port", *forms.PORTS, default=port)
        tunnel = self._tunnel(inner, forward)
        inner.finish()
        if address is None:
            return None
        return RealServer(inner.path, address, host, sorry_port, 1, 0, 0, tunnel)

    def _tunnel(self, reader: Reader, forward: str | None) -> Tunnel | None:
        raw = reader.mapping("tunnel", "{type: ipip}")
        if forward != "tun":
            # Where the method itself is wrong, it is not known whether a tunnel belongs here.
            if reader.take("tunnel") is not None and forward is not None:
                reader.refuse("tunnel", "has no meaning without forward: tun", "leave it out")
            return None
        inner = Reader(raw or {}, reader.at("tunnel"), self._mistakes)
        kind = inner.choice("type", forms.TUNNEL_CHECKSUMS, "ipip")
        port = inner.integer("port", *forms.REAL_PORTS, default=0)
        # An unquoted on is true in YAML.
        is_on = inner.take("checksum") is True
        checksum = "on" if is_on else inner.choice("checksum", forms.TUNNEL_CHECKSUMS["gue"], "none")
        inner.finish()
        if kind != "gue" and inner.take("port") is not None:
            inner.refuse("port", f"has no meaning with type: {kind}, which is no UDP", "leave it out, or use type: gue")
        elif kind == "gue" and inner.take("port") is None:
            inner.refuse("port", "is missing", "write the UDP port for type: gue, such as 6080")
        possible = forms.TUNNEL_CHECKSUMS[kind]
        if checksum not in possible:
            remedy = f"use {' or '.join(possible)}" if len(possible) > 1 else "leave it out, or use type: gue or gre"
            inner.refuse("checksum", f"{show(checksum)} is not possible with type: {kind}", remedy)
        return Tunnel(kind, port, checksum)

    def _who(
        self, reader: Reader, side: Side, purpose: forms.Purpose = forms.REAL_SERVER
    ) -> tuple[str | None, Address | None]:
        """The inventory host, where there is one, and the RIP."""
        raw_host, raw_address = reader.take("host"), reader.take("address")
        address = as_address(raw_address)
        if raw_address is not None:
            problem = "is no IP address" if address is None else purpose.problem(address)
            if address is None or problem:
                reader.refuse("address", f"{show(raw_address)} {problem}", "write the real server's own address")
                return None, None
        if raw_host is None:
            if address is None:
                remedy = "write host: NAME of the inventory, or address: RIP"
                self._mistakes.append(Mistake(reader.path, "names no real server", remedy))
                return None, None
            host = self._host_at(address)
            return (None, None) if self._is_absent(reader, "address", host) else (host, address)
        return self._named(reader, raw_host, address, side)

    def _named(
        self, reader: Reader, name: Any, address: Address | None, side: Side
    ) -> tuple[str | None, Address | None]:
        """The host of that name, with the address that stands beside it, or else with its own."""
        if not isinstance(name, str) or name not in self._inventory:
            close = did_you_mean(name, self._inventory.names())
            remedy = f"{close}add it to the inventory, or write address: RIP"
            reader.refuse("host", f"{show(name)} is not in the inventory", remedy)
            return None, None
        if self._is_absent(reader, "host", name):
            return None, None
        if address is None:
            return name, self._address_of(name, side)
        # Facts alone may show on another host what moves, and on this one what the inventory does not say.
        other = self._host_at(address)
        seen = [own.ip for each in self._inventory.facts(name).interfaces or () for own in each.addresses]
        known = {*self._inventory.written_addresses(name), *seen}
        if other is not None and address in self._inventory.written_addresses(other) and address not in known:
            remedy = f"write host: {other}, or the address of {name}"
            reader.refuse("address", f"{address} is {other}, and host names {name}", remedy)
            return None, None
        return name, address

    def _address_of(self, host: str, side: Side) -> Address | None:
        """The host's address of the service's family: as the inventory says, else as networks tell."""
        if side.family is None:
            return None  # the service is wrong already
        named = self._inventory.host(host).address(side.family) if self._inventory.names_address(host) else None
        if named is not None or self._inventory.is_wrong(host, "lvs_address"):
            return named
        found = address_of(self._inventory, host, side.family, side)
        if isinstance(found, Mistake):
            self._mistakes.append(found)
            return None
        return found

    def _is_absent(self, reader: Reader, key: str, host: str | None) -> bool:
        if host is None or not self._inventory.is_absent(host):
            return False
        remedy = "take it out of real_servers; a weight of 0 is not enough"
        reader.refuse(key, f"{host} has lvs_state absent, and would get packets while it is put back", remedy)
        return True

    def _host_at(self, address: Address) -> str | None:
        """The inventory's name of a real server that was given by its address."""
        if self._by_address is None:
            self._by_address = self._inventory.hosts_by_address(self._foreign)
        return self._by_address.get(address)
