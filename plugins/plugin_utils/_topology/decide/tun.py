# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tunnels: the director wraps the packet and sends it to a real server anywhere, which unwraps it and answers itself.

So the real server has a tunnel end that fits what the director sends, and the VIP on it. As in direct routing ports
cannot be mapped, only the director may answer ARP for the VIP, and answers must not come back through it. What the
wrapping adds must fit too: clients are told to send smaller segments.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service, Tunnel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import dr, gateways
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import (
    Command,
    KernelModule,
    KernelRelease,
    Need,
    SegmentSize,
    Sysctl,
    TunnelEnd,
    VirtualAddress,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site

# The kernel calls the method as the model does.
KERNEL_FORWARD = "tun"

_IP = {4: 20, 6: 40}
_TCP = 20
_UDP_AND_GUE = 8 + 4
_REMOTE_CHECKSUM = 8
_GRE = 4
_GRE_CHECKSUM = 4
# What a link must be able to carry: RFC 791 asks it of every host, and below 1280 the kernel sends no IPv6 at all.
_LEAST = {4: 576, 6: 1280}
_ETHERNET = 1500


def check(site: Site, director: str, service: Service) -> Iterator[Mistake]:
    for entry in service.targets:
        yield from dr.check_port(service, entry, "a tunnel")
        if entry.host == director:
            continue  # it answers by itself
        yield from dr.check_gateway(site, director, service, entry)
        yield from dr.check_static_neighbour(site, director, service, entry)
        yield from _check_room(site, director, service, entry)
        yield from _check_end(site, service, entry)


def _check_room(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Mistake]:
    mtu = _mtu(site, director, entry)
    inside = room(site, director, entry)
    least = _LEAST[max(service.family, entry.address.version)]
    if inside < least:
        yield Mistake(
            entry.path,
            f"the MTU {mtu} between {director} and {entry.label} leaves {inside} bytes inside the tunnel, "
            f"and IPv{service.family} in IPv{entry.address.version} needs {least}",
            f"raise the MTU to {least + mtu - inside} or more, or use a tunnel that adds less",
        )


def _check_end(site: Site, service: Service, entry: RealServer) -> Iterator[Mistake]:
    """A host has one link of a kind, and its address and checksum are the same for all that arrives there."""
    link = _link(service, entry)
    for other_director, other_service, other in site.listings.get(str(entry.host), ()):
        if other_service.forward != KERNEL_FORWARD or other.host == other_director:
            continue
        first = _link(other_service, other)
        if first.interface != link.interface:
            continue
        if first.local != link.local:
            yield Mistake(
                entry.path,
                f"{entry.host} is reached at {link.local} here and at {first.local} in {other.path}, and its link "
                f"{link.interface} has one address",
                "use the same address, or another tunnel type",
            )
        elif first.checksum != link.checksum:
            yield Mistake(
                f"{entry.path}.tunnel.checksum",
                f"{_tunnel(entry).checksum} here and {_tunnel(other).checksum} in {other.path}, and the tunnel end "
                f"{link.interface} of {entry.host} takes only one of them",
                "use the same checksum for both",
            )
        return


def director(site: Site, director: str, service: Service) -> Iterator[Need]:
    yield from dr.director(site, director, service)
    # Clients are told what fits; otherwise the kernel would fragment what says that it must not be.
    yield Sysctl("net.ipv4.vs.pmtu_disc", "1")
    for entry in service.targets:
        tunnel = _tunnel(entry)
        if tunnel.kind == "gre" or tunnel.checksum != "none":
            yield KernelRelease("5.3", f"{entry.path}.tunnel")
        elif tunnel.kind == "gue":
            yield KernelRelease("5.2", f"{entry.path}.tunnel")


def real_server(site: Site, director: str, service: Service, entry: RealServer) -> Iterator[Need]:
    if entry.host == director:
        return  # it holds the VIP as the director, and no packet of its own is wrapped
    tunnel = _tunnel(entry)
    link = _link(service, entry)
    yield Command("modprobe")
    yield KernelModule(_MODULES[link.kind])
    yield link
    if tunnel.kind == "gue":
        yield KernelModule("fou")
        yield TunnelEnd("gue", port=tunnel.port, family=f"ipv{entry.address.version}")
    inside = room(site, director, entry)
    for vip in service.vips:
        yield VirtualAddress(vip.address, full_prefix(vip.address), str(link.interface))
        # What carries a firewall mark may be tcp.
        if service.protocol == "tcp" or service.fwmark is not None:
            yield SegmentSize(vip.address, inside - _IP[service.family] - _TCP)
            # The script at boot copies routes with it.
            yield Command("awk")
    yield from dr.hide_vip(site, director, service, entry)


router = dr.router


def room(site: Site, director: str, entry: RealServer) -> int:
    """How large a packet may be that the director wraps for the entry, as far as it is known."""
    return _mtu(site, director, entry) - overhead(_tunnel(entry), entry.address.version)


def overhead(tunnel: Tunnel, version: int) -> int:
    """What the kernel adds to a packet, as in __ip_vs_get_out_rt(); ``version`` is that of the outer header."""
    size = _IP[version]
    if tunnel.kind == "gue":
        size += _UDP_AND_GUE + (_REMOTE_CHECKSUM if tunnel.checksum == "remote" else 0)
    elif tunnel.kind == "gre":
        size += _GRE + (_GRE_CHECKSUM if tunnel.checksum == "on" else 0)
    return size


_MODULES = {"ipip": "ipip", "sit": "sit", "ip6tnl": "ip6_tunnel", "gre": "ip_gre", "ip6gre": "ip6_gre"}


def _link(service: Service, entry: RealServer) -> TunnelEnd:
    """The link that unwraps what comes for the entry. What arrived in GUE goes on as plain IP in IP."""
    tunnel, outer = _tunnel(entry), entry.address.version
    if tunnel.kind == "gre":
        kind = "gre" if outer == 4 else "ip6gre"
        return TunnelEnd(kind, f"lvs-{kind}", entry.address, tunnel.checksum == "on")
    if (outer, service.family) == (4, 4):
        return TunnelEnd("ipip", "tunl0")
    if (outer, service.family) == (6, 6):
        return TunnelEnd("ip6tnl", "ip6tnl0")
    # sit0 would take an IPv6 address for each IPv4 address, and ip6tnl0 takes only IPv6.
    kind = "sit" if outer == 4 else "ip6tnl"
    return TunnelEnd(kind, f"lvs-{kind}", entry.address)


def _tunnel(entry: RealServer) -> Tunnel:
    if entry.tunnel is None:
        raise AssertionError(f"{entry.path} was read without its tunnel")
    return entry.tunnel


def _mtu(site: Site, director: str, entry: RealServer) -> int:
    """The smaller MTU of the two ends, as far as they are known. Routers in between may have a smaller one."""
    links = [site.link_to(director, entry.address)]
    if links == [None]:
        ways = gateways.expected(site, director, entry.address.version)
        links = [site.link_to(director, each) for each in ways]
    if entry.host is not None:
        links.append(site.link_to(entry.host, entry.address))
    return min((link.interface.mtu for link in links if link and link.interface.mtu), default=_ETHERNET)
