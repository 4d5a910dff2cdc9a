# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's network as its manager has it configured, written as Debian's administrators write it. Pure."""

from __future__ import annotations

import ipaddress
from typing import Callable

from .network import Host, Nic


def files(host: Host) -> dict[str, str]:
    """The files of the manager, by their path below /; none where the lab sets the network by itself."""
    return {} if host.manager is None else {f"root/{path}": text for path, text in _FILES[host.manager](host).items()}


def mode(name: str) -> int:
    """Who may read a file: networkd reads its own as an ordinary user, and NetworkManager wants its own closed."""
    return 0o644 if name.startswith("root/") and not name.endswith(".nmconnection") else 0o600


def _networkd(host: Host) -> dict[str, str]:
    return {f"etc/systemd/network/10-{nic.name}.network": _network_file(host, nic) for nic in host.nics[1:]}


def _network_file(host: Host, nic: Nic) -> str:
    lines = ["[Match]", f"Name={nic.name}", "", "[Network]", "IPv6AcceptRA=no"]
    lines += [f"Address={address}" for address in nic.addresses]
    lines += [f"Gateway={gateway}" for gateway in host.gateways if _reaches(nic, gateway)]
    for to, via in host.routes:
        if _reaches(nic, via):
            lines += ["", "[Route]", f"Destination={to}", f"Gateway={via}"]
    return "\n".join(lines) + "\n"


def _networkmanager(host: Host) -> dict[str, str]:
    return {
        f"etc/NetworkManager/system-connections/{nic.name}.nmconnection": _connection_file(host, nic)
        for nic in host.nics[1:]
    }


def _connection_file(host: Host, nic: Nic) -> str:
    lines = ["[connection]", f"id={nic.name}", "type=ethernet", f"interface-name={nic.name}", "", "[ethernet]"]
    for section, version, without in (("ipv4", 4, "disabled"), ("ipv6", 6, "link-local")):
        addresses = [one for one in nic.addresses if ipaddress.ip_interface(one).version == version]
        lines += ["", f"[{section}]", f"method={'manual' if addresses else without}"]
        lines += [f"address{number}={address}" for number, address in enumerate(addresses, start=1)]
        lines += [f"gateway={one}" for one in host.gateways if _reaches(nic, one) and _version(one) == version]
        routes = [(to, via) for to, via in host.routes if _reaches(nic, via) and _version(via) == version]
        lines += [f"route{number}={to},{via}" for number, (to, via) in enumerate(routes, start=1)]
    return "\n".join(lines) + "\n"


def _ifupdown(host: Host) -> dict[str, str]:
    lines = ["auto lo", "iface lo inet loopback"]
    for nic in host.nics[1:]:
        lines += ["", f"auto {nic.name}"]
        if not nic.addresses:
            lines += [f"iface {nic.name} inet manual"]
        for address in nic.addresses:
            version = ipaddress.ip_interface(address).version
            lines += [f"iface {nic.name} {'inet' if version == 4 else 'inet6'} static", f"    address {address}"]
            # The gateway and the routes once only, with the first address of the family.
            if address == next(one for one in nic.addresses if ipaddress.ip_interface(one).version == version):
                hops = [one for one in host.gateways if _reaches(nic, one) and _version(one) == version]
                lines += [f"    gateway {gateway}" for gateway in hops]
                routes = [(to, via) for to, via in host.routes if _reaches(nic, via) and _version(via) == version]
                lines += [f"    up ip route add {to} via {via}" for to, via in routes]
    return {"etc/network/interfaces": "\n".join(lines) + "\n"}


def _reaches(nic: Nic, hop: str) -> bool:
    return any(ipaddress.ip_address(hop) in ipaddress.ip_interface(address).network for address in nic.addresses)


def _version(address: str) -> int:
    return ipaddress.ip_address(address).version


_FILES: dict[str, Callable[[Host], dict[str, str]]] = {
    "networkd": _networkd,
    "networkmanager": _networkmanager,
    "ifupdown": _ifupdown,
}
