# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing or wrong where several directors get packets for one VIP at once, by routes."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import LONGEST
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_bgp import Bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp, bgp_aggregates
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Command, Need, Note, Sysctl
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import kernel_forward

# A packet in the middle of a connection that another director had, and an ICMP message about one, are scheduled anew.
_SYSCTLS = ("net.ipv4.vs.sloppy_tcp", "net.ipv4.vs.schedule_icmp")


def check(site: Site, name: str) -> Iterator[Mistake]:
    """What can be said of a director that routers know, whatever is known of its network."""
    host = site.host(name)
    path = f"{name}: lvs_bgp"
    if host.manager == "keepalived":
        problem = "announces the VIPs from every director, and with lvs_manager: keepalived VRRP moves them to one"
        yield Mistake(path, problem, "use lvs_manager: checker, which checks and does not move, or leave lvs_bgp out")
    if host.vip_interface and host.vip_interface != "lo" and not host.vip_interface.startswith("dummy"):
        problem = f"{host.vip_interface} has neighbours, and all directors would answer them for the VIPs"
        yield Mistake(f"{name}: lvs_vip_interface", problem, "leave it out, for lo, or name a dummy interface")
    yield from bgp.problems(site, name)
    yield from _check_router_id(site, name)
    yield from bgp_aggregates.check(site, name)
    partners = site.partners(name)
    for service in site.services[name]:
        if len(partners) > 1:
            yield from _check_state(site, name, service)
            yield from _check_loop(site, name, service)
        if not host.bgp or host.bgp.is_wrong:
            continue
        yield from _check_neighbours(site, name, service)
        yield from _check_commands(site, name, service)


def _check_router_id(site: Site, name: str) -> Iterator[Mistake]:
    """Within one AS each router has an identifier of its own (RFC 6286, section 2.1)."""
    own = bgp.own(site, name)
    if own is None or own.is_wrong or own.router_id is None:
        return
    for other in dict.fromkeys([*site.services, *site.inventory.routers]):
        if other == name:
            return  # what comes later says it
        theirs = None if site.inventory.is_absent(other) else bgp.own(site, other)
        if theirs and not theirs.is_wrong and (theirs.asn, theirs.router_id) == (own.asn, own.router_id):
            problem = f"{own.router_id} is that of {other} too, in the same AS {own.asn}"
            yield Mistake(f"{own.path}.router_id", problem, "give each one of its own")
            return


def _check_state(site: Site, name: str, service: Service) -> Iterator[Mistake]:
    """Whoever rewrites packets knows of a connection what no other director can guess."""
    if kernel_forward(service) == "nat":
        others = ", ".join(each for each in site.partners(name) if each != name)
        problem = (
            f"{service.forward} keeps the state of a connection in one director, and {others} would get its packets too"
        )
        remedy = "use dr or tun, or announce it from one director, or use lvs_manager: keepalived for it"
        yield Mistake(f"{service.path}.forward", problem, remedy)


def _check_loop(site: Site, name: str, service: Service) -> Iterator[Mistake]:
    """A director schedules what comes to a VIP of its own, also where another director has done so already."""
    others = site.at_other_directors(name)
    for entry in service.targets:
        other = entry.host or others.get(entry.address)
        if other in site.partners(name):
            problem = f"{other} is a director of the same VIPs, and would schedule again what others send it"
            yield Mistake(entry.path, problem, "list a host that is no director of them")


def _check_neighbours(site: Site, name: str, service: Service) -> Iterator[Mistake]:
    own = bgp.own(site, name)
    if own is None:
        return
    families = {each.address.version for each in own.neighbours}
    for vip in service.vips:
        if vip.address.version not in families:
            problem = (
                f"{name} may announce {vip.address} to nobody: no neighbour of {own.path} is IPv{vip.address.version}"
            )
            yield Mistake(vip.path, problem, f"list the IPv{vip.address.version} address of a router there, too")


def _check_commands(site: Site, name: str, service: Service) -> Iterator[Mistake]:
    if not (site.is_checked(name) and bgp.is_announced(site, name, service)):
        return
    for key in ("quorum_up", "quorum_down"):
        if getattr(service.supervision, key) is not None:
            problem = "is what announces the VIP here: keepalived runs one command, and lvs_bgp has its own"
            yield Mistake(
                f"{service.path}.{key}", problem, "leave it out, or use lvs_bgp: elsewhere and announce by it"
            )
    if len(bgp.quorum(site, name, service)["quorum_up"]["script"]) > LONGEST:
        problem = f"has {len(service.vips)} addresses, more than keepalived's line for announcing them takes"
        yield Mistake(f"{service.path}.marked", problem, "give some of them to a service with another mark")


def needs(site: Site, name: str) -> Iterator[Need]:
    """What a director needs so that it goes on with connections of others."""
    if not site.is_routed(name):
        return
    yield from bgp.announcements(site, name)
    yield from bgp_aggregates.needs(site, name)
    for key in _SYSCTLS:
        yield Sysctl(key, "1")
    is_alone = len(site.partners(name)) == 1
    for service in site.services.get(name, ()):
        if not is_alone:
            yield from _flows(service)
        if service.sorry_server and bgp.is_announced(site, name, service):
            yield Note(
                f"{service.path}.sorry_server: the VIP is withdrawn where the service lost its quorum, so clients come "
                "to it only as long as another service of the VIP is up"
            )
        for vip in service.vips:
            if site.is_on_link(name, vip.address):
                yield Note(
                    f"{vip.path}: {vip.address} is in a network of {name}: neighbours there ask for it by ARP, and "
                    "reach any of the directors. Use an address that only routes lead to"
                )


def _flows(service: Service) -> Iterator[Note]:
    """Why connections would break when a director comes or goes, and routers spread flows anew."""
    if service.persistence:
        yield Note(
            f"{service.path}.persistence: each director remembers clients by itself, and routers spread the "
            "connections of one over all. With scheduler: mh, without mh-port, all send a client to one real server"
        )
    elif service.scheduler != "mh" or "mh-port" not in service.scheduler_flags:
        flags = "" if service.scheduler != "mh" else " without mh-port"
        yield Note(
            f"{service.path}.scheduler: with {service.scheduler}{flags}, another director sends a connection to "
            "another real server, which knows nothing of it: connections break when routes change. Use mh with mh-port"
        )


def announcer_needs(site: Site, name: str) -> Iterator[Need]:
    """What a director or router needs for BIRD itself."""
    own = bgp.own(site, name)
    if own is None:
        return
    yield Command("bird")
    yield Command("birdc")
    yield from _out_of_reach(site, name, own)
    if name in site.services:
        return  # check() has said it
    yield from bgp.problems(site, name)
    yield from _check_router_id(site, name)
    yield from bgp_aggregates.of_router(site, name)


def _out_of_reach(site: Site, name: str, own: Bgp) -> Iterator[Note]:
    """Neighbours for whom BIRD waits until an interface has a network with them. Facts do not show peers of a link."""
    for each in own.neighbours if site.is_known(name) else ():
        if not each.multihop and not site.is_on_link(name, each.address):
            yield Note(
                f"{each.path}.address: {each.address} is in no network of {name}, and BIRD opens no session until it "
                "is in one. Where it is behind a router, set multihop"
            )
