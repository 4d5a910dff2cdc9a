# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs in each of its roles, and what of the inventory keeps it from that."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import ARP_NAMES
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    Host,
    Service,
    Watch,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import (
    address_options,
    bgp,
    bgp_checks,
    conntrackd,
    guard,
    logins,
    pairs,
    sync_daemons,
    through_vip,
    vrrp,
    vrrp_checks,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.methods import METHODS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.nat import forwarding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import (
    Arp,
    Command,
    Gateway,
    KernelModule,
    KernelOption,
    Mark,
    Need,
    Note,
    Sysctl,
    VirtualAddress,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pool_shares import weight
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.plan import sysctls_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import sets_weight

# A connection whose real server is gone starts anew at once, and persistence does not outlive a weight of 0.
_IPVS_SYSCTLS = ("net.ipv4.vs.expire_nodest_conn", "net.ipv4.vs.expire_quiescent_template")


def _director_needs(site: Site, name: str) -> Iterator[Need]:
    is_moved, is_checked = site.is_moved(name), site.is_checked(name)
    yield KernelModule("ip_vs")
    for key in _IPVS_SYSCTLS:
        yield Sysctl(key, "1")
    for service in site.services.get(name, ()):
        yield from _kernel_parts(service)
        if not is_checked:
            if not service.real_servers:
                yield Note(f"{service.path}.real_servers: is empty: nobody serves its clients")
            yield from _idle(service)
        if not is_moved:
            yield from _vip_needs(site, name, service)
        for entry in service.targets:
            if entry.canary is not None:
                yield Note(
                    f"{entry.path}.canary: {entry.label} has weight {entry.weight} of {weight(service)}, "
                    f"which is {entry.weight / weight(service):.1%}"
                )
        for each in service.marked:
            yield Mark(service.fwmark or 0, each.vip.address, each.protocol, each.ports)
        yield from METHODS[service.forward].director(site, name, service)
    yield from sync_daemons.needs(site, name)
    yield from pairs.notes(site, name)
    yield from guard.unguarded(site, name)
    yield from conntrackd.needs(site, name)
    yield from bgp_checks.needs(site, name)
    if is_moved:
        yield from _loop_guard(site, name)
    elif site.inventory.variable(name, "lvs_vrrp")[1]:
        yield _idle_vrrp(name, is_checked=is_checked)
    if is_checked:
        for service in through_vip.check_services(site, name):
            yield KernelModule(f"ip_vs_{service.scheduler}")
        yield from through_vip.needs(site, name)
    yield from _inventory_gateways(site, site.host(name))


def _kernel_parts(service: Service) -> Iterator[Need]:
    yield KernelModule(f"ip_vs_{service.scheduler}")
    if service.persistence and service.persistence.engine != "none":
        yield KernelModule(f"ip_vs_pe_{service.persistence.engine}")
    if service.address is not None:
        yield KernelOption(f"IP_VS_PROTO_{service.protocol.upper()}")
    if service.family == 6:
        yield KernelOption("IP_VS_IPV6")


def _idle_vrrp(name: str, *, is_checked: bool) -> Need:
    """What says how VIPs move, where nothing moves them."""
    if not is_checked:
        return Note(f"{name}: lvs_vrrp: nothing moves addresses while lvs_manager is kernel")
    problem = "has no meaning with lvs_manager: checker, which runs keepalived without VRRP"
    return Mistake(f"{name}: lvs_vrrp", problem, "leave it out, or use lvs_manager: keepalived, which moves the VIPs")


def _idle(service: Service) -> Iterator[Need]:
    """What only keepalived does."""
    given = [*service.supervision.given, *(["sorry_server"] if service.sorry_server else [])]
    if any(each.watch != Watch() for each in service.real_servers):
        given.append("what real_servers have besides their entries in the table")
    if "health_check" in given:
        yield Note(f"{service.path}.health_check: nothing checks while lvs_manager is kernel")
    # What is refused there needs no note.
    others = [key for key in given if key not in ("health_check", "min_up")]
    if others:
        yield Note(f"{service.path}: nothing acts on {', '.join(others)} while lvs_manager is kernel")


def _loop_guard(site: Site, name: str) -> Iterator[Need]:
    """A director that is a real server too must hand on nothing while another one is master."""
    entry = vrrp.may_loop(site, name)
    if entry is None:
        return
    yield Sysctl("net.ipv4.vs.backup_only", "1")
    if vrrp.has_several_masters(site, name):
        problem = f"is false, and {entry.path} makes the director {name} a real server too"
        remedy = (
            "leave it out, and give each director one priority for all instances: as backup of one it hands on "
            "nothing, of the other instances neither"
        )
        yield Mistake(f"{name}: lvs_vrrp.sync_group", problem, remedy)
    if site.host(name).sync is None:
        problem = f"is needed: {entry.path} makes the director {name} a real server too"
        remedy = (
            "set it to {syncid: 1}: without a backup daemon net.ipv4.vs.backup_only has no effect, and packets loop"
        )
        yield Mistake(f"{name}: lvs_sync", problem, remedy)


def _vip_needs(site: Site, name: str, service: Service) -> Iterator[Need]:
    for vip in (each.address for each in service.vips):
        yield site.virtual_address(name, vip)


def _keepalived_needs(site: Site, name: str) -> Iterator[Need]:
    if site.is_checked(name):
        yield Command("keepalived")
        if site.is_moved(name):
            yield from vrrp_checks.needs(site, name)
            yield from address_options.needs(site, name)
            yield from sync_daemons.needs(site, name)
            yield from sync_daemons.strangers(site, name)
        yield from logins.needs(site, name)
        yield from through_vip.needs(site, name)
        yield from guard.needs(site, name)
        yield from _without_shares(site, name)
        yield from _unsaid(site, name)
        yield from _to_nobody(site, name)


def _without_shares(site: Site, name: str) -> Iterator[Mistake]:
    """Where a check gives a weight, no other weight of the pool is a share of the clients."""
    for service in site.services.get(name, ()):
        checks = [check for each in service.real_servers for check in service.checks_of(each)]
        canary = next((each for each in service.real_servers if each.canary is not None), None)
        if canary is not None and any(map(sets_weight, checks)):
            problem = "cannot be kept: a health check of the pool sets weights"
            yield Mistake(f"{canary.path}.canary", problem, "leave one of them out")


def _unsaid(site: Site, name: str) -> Iterator[Need]:
    """What the model says, and keepalived cannot be told."""
    for service in site.services.get(name, ()):
        quorum = service.supervision.quorum
        if not service.real_servers:
            yield Note(f"{service.path}: keepalived takes no service without real servers; it is left out until then")
        elif weight(service) < quorum and service.supervision.min_up is None:
            yield Note(
                f"{service.path}.quorum: {quorum} is above the weight of all real servers together; it is lowered"
            )
    every = vrrp.carriers(site, name) if site.is_moved(name) else ()
    if site.host(name).sync and len(every) > 1 and vrrp.has_several_masters(site, name):
        first = every[0].settings.name
        yield Note(
            f"{name}: lvs_sync: whoever is master of {first} sends; connections of the other instances stay apart"
        )


def _to_nobody(site: Site, name: str) -> Iterator[Note]:
    """What keepalived takes and does nothing about, because something else is not there."""
    services, settings = site.services.get(name, ()), site.host(name).keepalived
    asking = [f"{each.path}.smtp_alert" for each in services if each.supervision.smtp_alert]
    asking += [f"{each.path}.smtp_alert" for one in services for each in one.real_servers if each.watch.smtp_alert]
    if site.is_moved(name):
        asking += [each.at("smtp_alert") for each in site.host(name).vrrp.instances if each.smtp_alert]
    raw = (settings.global_raw or "") + (settings.raw or "")
    if asking and not settings.mail and "notification_email" not in raw:
        yield Note(f"{asking[0]}: nobody gets a mail: say whom in mail of lvs_keepalived")
    for service in services:
        every = (check for entry in service.real_servers for check in service.checks_of(entry))
        is_unnamed = any(
            check.get("sni") and not any("virtual_host" in url for url in check["urls"]) for check in every
        )
        if is_unnamed and "virtualhost" not in (service.supervision.raw or ""):
            yield Note(f"{service.path}: sni of its health_check has no effect: there is no virtual_host to be named")


def _metrics_needs(site: Site, name: str) -> Iterator[Need]:
    """Which interfaces hold the VIPs is all that has to be known."""
    if site.host(name).metrics is not None and not site.is_moved(name):
        for service in site.services.get(name, ()):
            yield from _vip_needs(site, name, service)


def real_server_needs(site: Site, name: str) -> Iterator[Need]:
    gateways: dict[int, Gateway] = {}
    vips: dict[Address, VirtualAddress] = {}
    is_tuned = False
    # Without a director that is present all real servers are put back, as was asked for.
    if site.services and name not in site.listings:
        yield _unlisted(site, name)
    for director, service, entry in site.listings.get(name, ()):
        for need in METHODS[service.forward].real_server(site, director, service, entry):
            if isinstance(need, Gateway):
                first = gateways.setdefault(need.address.version, need)
                if first.address != need.address:
                    yield _two_gateways(name, first, need)
                    continue
            # A packet to the VIP is local whichever interface holds it: one is enough.
            if isinstance(need, VirtualAddress) and vips.setdefault(need.address, need) != need:
                continue
            is_tuned = is_tuned or isinstance(need, Arp)
            yield need
    if is_tuned:
        yield from _second_tuning(site.host(name))
    yield from _inventory_gateways(site, site.host(name))


def _unlisted(site: Site, name: str) -> Note:
    """What looks like success would leave the clients of whoever meant this host waiting."""
    known = ", ".join(map(str, site.addresses(name))) or "not known"
    others = [str(entry.address) for _director, service in site.pairs() for entry in service.targets if not entry.host]
    listed = f" They list {', '.join(dict.fromkeys(others))}, which no host of the inventory is." if others else ""
    return Note(
        f"{name}: NO SERVICE LISTS THIS HOST as a real server ({', '.join(site.services)}). Nothing is configured "
        f"on it, and what an earlier run configured is put back. Its addresses are {known}.{listed} "
        f"List it with host: {name}, or "
        "with one of its addresses"
    )


def _second_tuning(host: Host) -> Iterator[Mistake]:
    for key, _value in host.sysctls:
        if key.startswith("net.ipv4.conf.") and key.rpartition(".")[2] in ARP_NAMES:
            problem = "is set by lvs_arp_method: sysctl here, and the two would overwrite each other"
            yield Mistake(f"{host.name}: lvs_sysctls[{key}]", problem, "leave it out, or use another lvs_arp_method")


def _two_gateways(name: str, one: Gateway, other: Gateway) -> Mistake:
    problem = f"is needed: {one.because} wants {one.address} as default gateway, {other.because} wants {other.address}"
    return Mistake(f"{name}: lvs_gateway", problem, "set it to the one that leads back through all of them")


def _router_needs(site: Site, name: str) -> Iterator[Need]:
    yield forwarding(4)
    yield from bgp.router_needs(site, name)
    for director, service in site.pairs():
        if service.family == 6:
            yield forwarding(6)
        yield from METHODS[service.forward].router(site, director, service, name)
    yield from _inventory_gateways(site, site.host(name))


def lost_routes(site: Site, name: str, needs: list[Need]) -> Iterator[Need]:
    """The kernel drops default routes from router advertisements when forwarding is switched on."""
    host = site.host(name)
    sysctls = sysctls_of(needs, host)
    forwards = sysctls.get(forwarding(6).key) == forwarding(6).value
    keeps = any(key.endswith(".accept_ra") and value == "2" for key, value in sysctls.items())
    has_route, is_static = (
        any(each.version == 6 for each in of or ()) for of in (site.facts(name).gateways, host.gateways)
    )
    if forwards and has_route and not is_static and not keeps:
        yield Note(
            "IPv6 forwarding makes the kernel ignore router advertisements, and drop the default routes that came from "
            f"them: give {name} its IPv6 default gateway with lvs_gateway, or net.ipv6.conf.INTERFACE.accept_ra: 2 in "
            "lvs_sysctls"
        )


def _inventory_gateways(site: Site, host: Host) -> Iterator[Need]:
    # What moves is on another director now, which may be the gateway of this one.
    vips = site.vips_of(host.name) if host.name in site.services else frozenset()
    own = vips.union(site.addresses(host.name)).difference(site.moving)
    for address in host.gateways or ():
        if address in own:
            problem = f"{address} is an address of {host.name} itself"
            yield Mistake(f"{host.name}: lvs_gateway", problem, "write the router's, or none to leave the route alone")
        yield Gateway(address, "lvs_gateway")


NEEDS = {
    "director": _director_needs,
    "real_server": real_server_needs,
    "router": _router_needs,
    "keepalived": _keepalived_needs,
    "announcer": bgp_checks.announcer_needs,
    "metrics": _metrics_needs,
}
