# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network file, validated into plain types. Pure: rendered.py says what the hosts are told of it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Any, Mapping

MANAGEMENT = ipaddress.ip_network("10.255.0.0/24")
_FIRST_HOST = 11
# HOST.NUMBER and lan-NAME are names of network interfaces, which have 15 characters.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,10}[a-z0-9]|[a-z]")
_LAN = re.compile(r"[a-z][a-z0-9-]{0,9}[a-z0-9]|[a-z]")
_GROUP = re.compile(r"[a-z_][a-z0-9_]*")
MANAGERS = ("networkd", "networkmanager", "ifupdown")
# The first one where nobody says which.
BACKENDS = ("uml", "qemu")
# Of Debian, the first one where nobody says which.
RELEASES = ("bookworm", "trixie")


class Invalid(Exception):
    """Every mistake of the file, a line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Nic:
    """A card of a host; lan is None for the card of the management network."""

    name: str
    tap: str
    mac: str
    lan: str | None
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Host:
    """A host of the network."""

    name: str
    management: str
    nics: tuple[Nic, ...]
    gateways: tuple[str, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    forwarding: bool = False
    web: bool = False
    groups: tuple[str, ...] = ()
    manager: str | None = None
    release: str = RELEASES[0]
    backend: str = BACKENDS[0]
    # In MiB; None: what is enough for most, which depends on the backend.
    memory: int | None = None


@dataclass(frozen=True)
class Network:
    """A validated network file."""

    name: str
    lans: tuple[str, ...]
    hosts: tuple[Host, ...]

    def host(self, name: str) -> Host:
        """The host of that name."""
        return next(host for host in self.hosts if host.name == name)


class _Reader:
    """Collects mistakes instead of stopping at the first."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def wrong(self, path: str, text: str) -> None:
        self.mistakes.append(f"{path}: {text}")

    def mapping(self, path: str, value: Any, keys: tuple[str, ...] | None = None) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            self.wrong(path, f"must be a mapping, not {value!r}")
            return {}
        for key in value:
            if keys is not None and key not in keys:
                self.wrong(f"{path}.{key}" if path else str(key), f"unknown key; known are {', '.join(keys)}")
        return dict(value)

    def name(self, path: str, value: Any, pattern: re.Pattern[str], what: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.wrong(path, f"{value!r} is no {what}: {_RULES[pattern]}")
            return ""
        return value

    def flag(self, path: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.wrong(path, f"must be true or false, not {value!r}")
        return value is True

    def one_of(self, known: tuple[str, ...], path: str, value: Any) -> str | None:
        if value is not None and value not in known:
            self.wrong(path, f"{value!r} is none of {', '.join(known)}")
        return next((each for each in known if each == value), None)

    def memory(self, path: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 128 <= value <= 4096:
            self.wrong(path, f"{value!r} is no number of MiB from 128 to 4096")
            return None
        return value

    def address(self, path: str, value: Any) -> str:
        try:
            return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
        except ValueError:
            self.wrong(path, f"{value!r} is no IP address")
            return ""

    def interface(self, path: str, value: Any) -> str:
        if not isinstance(value, str) or "/" not in value:
            self.wrong(path, f"{value!r} is no address with a prefix length such as 192.0.2.1/24")
            return ""
        try:
            found = ipaddress.ip_interface(value)
        except ValueError:
            self.wrong(path, f"{value!r} is no address with a prefix length such as 192.0.2.1/24")
            return ""
        if found.network.overlaps(MANAGEMENT) if found.version == 4 else False:
            self.wrong(path, f"{value} lies in {MANAGEMENT}, the management network of every lab")
        return str(found)


_RULES = {
    _NAME: "lower-case letters, digits and dashes, a letter first, at most 12 characters",
    _LAN: "lower-case letters, digits and dashes, a letter first, at most 11 characters",
    _GROUP: "lower-case letters, digits and underscores, no digit first",
}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def parse(data: Any, releases: str = "") -> Network:
    """Validate a network file's content; raise Invalid with all of its mistakes.

    ``releases`` is what LAB_RELEASE says: words, of which each is a release for all hosts whose entry names none, or
    HOST=RELEASE for one host, whatever its entry says.
    """
    read = _Reader()
    top = read.mapping("", data, ("name", "backend", "manager", "release", "lans", "hosts"))
    if not top:
        raise Invalid(read.mistakes or ["the file is empty: it needs name, lans and hosts"])
    for key in ("name", "lans", "hosts"):
        if key not in top:
            read.wrong(key, "is missing")
    name = read.name("name", top["name"], _NAME, "name of a lab") if "name" in top else ""
    backend = read.one_of(BACKENDS, "backend", top.get("backend")) or BACKENDS[0]
    manager = read.one_of(MANAGERS, "manager", top.get("manager"))
    given = _releases(read, releases)
    release = given.pop("", None) or read.one_of(RELEASES, "release", top.get("release")) or RELEASES[0]
    lans: list[str] = []
    for position, value in enumerate(_list(top.get("lans"))):
        lan = read.name(f"lans[{position}]", value, _LAN, "name of a LAN")
        if lan in lans:
            read.wrong(f"lans[{position}]", f"{lan} is listed twice")
        lans.append(lan)
    hosts = read.mapping("hosts", top["hosts"]) if "hosts" in top else {}
    if "hosts" in top and not hosts and not read.mistakes:
        read.wrong("hosts", "there must be one at least")
    if len(hosts) > 200:
        read.wrong("hosts", "a lab has room for 200")
    common = {"manager": manager, "release": release, "backend": backend}
    parsed = tuple(_host(read, number, key, value, lans, common) for number, (key, value) in enumerate(hosts.items()))
    parsed = tuple(replace(host, release=given.pop(host.name, host.release)) for host in parsed)
    for name_of_none in given:
        read.wrong("LAB_RELEASE", f"there is no host {name_of_none}")
    _no_address_twice(read, parsed)
    if read.mistakes:
        raise Invalid(read.mistakes)
    return Network(name, tuple(lans), parsed)


def _releases(read: _Reader, text: str) -> dict[str, str]:
    """By host, what LAB_RELEASE says; of all hosts by an empty name."""
    found = {}
    for word in text.split():
        host, _, release = word.rpartition("=")
        found[host] = read.one_of(RELEASES, "LAB_RELEASE", release) or RELEASES[0]
    return found


def default_release(releases: str) -> str:
    """The release that LAB_RELEASE names for what is no host of a network file."""
    read = _Reader()
    found = _releases(read, releases)
    if read.mistakes:
        raise Invalid(read.mistakes)
    return found.get("", RELEASES[0])


def _no_address_twice(read: _Reader, hosts: tuple[Host, ...]) -> None:
    owners: dict[str, str] = {}
    for host in hosts:
        for nic in host.nics:
            for address in nic.addresses:
                key = f"{nic.lan} {address.split('/')[0]}"
                if owners.setdefault(key, host.name) != host.name:
                    where = f"hosts.{host.name}.lans.{nic.lan}"
                    read.wrong(where, f"{address.split('/')[0]} is also the address of {owners[key]}")


def _host(read: _Reader, number: int, key: Any, value: Any, lans: list[str], common: dict[str, Any]) -> Host:
    path = f"hosts.{key}"
    name = read.name(path, key, _NAME, "name of a host")
    known = ("lans", "gateway", "routes", "forwarding", "web", "groups", "manager", "release", "backend", "memory")
    options = {**common, **read.mapping(path, {} if value is None else value, known)}
    management = str(MANAGEMENT[_FIRST_HOST + number])
    nics = [Nic("eth0", f"{name}.0", _mac(number, 0), None, (f"{management}/{MANAGEMENT.prefixlen}",))]
    for position, (lan, given) in enumerate(read.mapping(f"{path}.lans", options.get("lans", {})).items(), start=1):
        where = f"{path}.lans.{lan}"
        if lan not in lans:
            read.wrong(where, f"there is no such LAN in lans, which has {', '.join(lans) or 'none'}")
        addresses = [read.interface(where, one) for one in _list(given)]
        if len(set(addresses)) != len(addresses):
            read.wrong(where, "the same address is listed twice")
        nics.append(Nic(f"eth{position}", f"{name}.{position}", _mac(number, position), lan, tuple(addresses)))
    gateways = [read.address(f"{path}.gateway", one) for one in _list(options.get("gateway"))]
    families = [":" in gateway for gateway in gateways if gateway]
    if len(set(families)) != len(families):
        read.wrong(f"{path}.gateway", "at most one gateway per address family")
    routes = []
    for to, via in read.mapping(f"{path}.routes", options.get("routes", {})).items():
        where = f"{path}.routes.{to}"
        try:
            target = str(ipaddress.ip_network(to))
        except ValueError:
            read.wrong(where, f"{to!r} is no network such as 192.0.2.0/24")
            continue
        hop = read.address(where, via)
        if hop and (":" in hop) != (":" in target):
            read.wrong(where, f"{hop} is of the other address family")
        routes.append((target, hop))
    networks = [ipaddress.ip_interface(one).network for nic in nics[1:] for one in nic.addresses if one]
    hops = [(f"{path}.gateway", one) for one in gateways] + [(f"{path}.routes.{to}", via) for to, via in routes]
    for where, hop in hops:
        if hop and not any(ipaddress.ip_address(hop) in network for network in networks):
            read.wrong(where, f"{hop} is in none of the host's own networks")
    groups = [
        read.name(f"{path}.groups[{position}]", group, _GROUP, "name of a group")
        for position, group in enumerate(_list(options.get("groups")))
    ]
    return Host(
        name=name,
        management=management,
        nics=tuple(nics),
        gateways=tuple(gateways),
        routes=tuple(routes),
        forwarding=read.flag(f"{path}.forwarding", options.get("forwarding", False)),
        web=read.flag(f"{path}.web", options.get("web", False)),
        groups=tuple(groups),
        manager=read.one_of(MANAGERS, f"{path}.manager", options["manager"]),
        release=read.one_of(RELEASES, f"{path}.release", options["release"]) or RELEASES[0],
        backend=read.one_of(BACKENDS, f"{path}.backend", options["backend"]) or BACKENDS[0],
        memory=read.memory(f"{path}.memory", options.get("memory")),
    )


def _mac(host: int, nic: int) -> str:
    return f"02:4c:56:00:{host + 1:02x}:{nic:02x}"
