# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the role keepalived: what keepalived.conf says, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import special
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    CHECK,
    RealServer,
    Service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import (
    Instance,
    Keepalived,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import (
    address_options,
    bgp,
    conntrackd,
    guard,
    logins,
    planned_checks,
    sync_groups,
    through_vip,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.groups import merged
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import SyncDaemon, VirtualAddress
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.planned_checks import run
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pool_shares import quorum, weight
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    kernel_forward,
    real_server,
    tunnel,
    virtual_service,
    whole_service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.vrrp import Carrier, carriers
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import plan_text
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.vrrp_settings import DEFAULT_SCRIPT_USER

# Of characters; each takes up to four bytes of the 1023 that keepalived reads of a line.
_LONGEST_REMARK = 200
# Of the settings of announcements, the one that is none of an instance in keepalived.conf.
_INTERVAL = "interval"


def plan_of_keepalived(site: Site, name: str, daemon: SyncDaemon | None) -> dict[str, Any]:
    """The configuration; with the kernel's own table there is none."""
    if not site.is_checked(name):
        lists: dict[str, Any] = {key: [] for key in ("interfaces", "partners", "secrets", "packets", "on_lo")}
        return lists | {"keepalived": {}, "table": ""}
    host = site.host(name)
    # A checker has no VRRP: then keepalived starts no process for it.
    instances = carriers(site, name) if site.is_moved(name) else ()
    files: dict[str, str] = {}
    guards = guard.script(site, name)
    # keepalived takes no service without real servers.
    served = [each for each in site.services.get(name, ()) if each.real_servers]
    written = merged((*through_vip.check_services(site, name), *served))
    services = [_service(site, name, each, files) | _group(each, members) for each, members in written]
    interfaces = [interface for each in instances for interface in (*each.interfaces, *each.tracked)]
    if daemon:
        interfaces.append(daemon.interface)
    scripts = {each.name: each for carrier in instances for each in carrier.settings.track_scripts}
    processes = {each.name: each for carrier in instances for each in carrier.settings.track_processes}
    names = [each.settings.name for each in instances]
    configuration = {
        "global_defs": _given(
            router_id=host.keepalived.router_id,
            # One who was named runs what is in raw lines, too.
            script_user=host.keepalived.script_user or (DEFAULT_SCRIPT_USER if _runs_scripts(site, name) else None),
            timeouts=dict(host.timeouts) or None,
            sync=_sync(daemon, names),
            follower=names[0] if names and conntrackd.is_used(site, name) else None,
            mail=_mail(host.keepalived),
            garp_interval=_garp_interval(instances),
            guard=guard.digest(guards),
            raw=host.keepalived.global_raw,
        ),
        "scripts": [_given(**asdict(each)) for each in scripts.values()],
        "processes": [_given(**asdict(each)) for each in processes.values()],
        "files": [{"name": each, "path": path} for path, each in files.items()],
        "sync_groups": sync_groups.planned(host.vrrp, names),
        "instances": [_instance(site, name, each) for each in instances],
        "services": services,
    }
    return {
        "interfaces": list(dict.fromkeys(interfaces)),
        "partners": [each for each in site.partners(name) if each != name] if site.is_moved(name) else [],
        "secrets": list(dict.fromkeys(one for each in instances for one in _secrets(each.settings))),
        # Where the firewall is managed, they are let in; where it is not to be looked at, nobody asks.
        "packets": through_vip.packets(site, name) if site.host(name).firewall == CHECK else [],
        "keepalived": configuration | _given(raw=host.keepalived.raw),
        "on_lo": _on_lo(instances),
        "table": plan_text.written([whole_service(each) for each in served]),
        **_given(credentials=logins.credentials(site, name) or None, guard=guards),
    }


def _on_lo(instances: Iterable[Carrier]) -> list[dict[str, Any]]:
    """Where the addresses are held until keepalived holds them: real servers may have them as their gateway."""
    carried = [each for carrier in instances for each in (*carrier.announced, *carrier.excluded)]
    addresses = {each.address: each.interface for each in carried}
    return [
        {"address": str(address), "interface": "lo", **_given(announce=interface)}
        for address, interface in addresses.items()
    ]


def _runs_scripts(site: Site, name: str) -> bool:
    instances = carriers(site, name) if site.is_moved(name) else ()
    of_instances = any(each.settings.track_scripts or each.settings.notify for each in instances)
    # What follows VRRP for conntrackd, and what guards pools, is root's, and keepalived asks for the other settings
    # all the same.
    return bool(
        of_instances
        or conntrackd.is_used(site, name)
        or guard.guarded(site, name)
        or any(
            each.supervision.quorum_up
            or each.supervision.quorum_down
            or bgp.is_announced(site, name, each)
            or any(planned_checks.runs_commands(each, entry) for entry in each.real_servers)
            for each in site.services.get(name, ())
        )
    )


def _mail(settings: Keepalived) -> dict[str, Any] | None:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.mail} or None


def _garp_interval(instances: Iterable[Carrier]) -> float | None:
    """The pause between announcements, of which keepalived has one for all instances: the longest that any asks for."""
    return max((dict(each.settings.garp).get(_INTERVAL, 0) for each in instances), default=0) or None


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _sync(daemon: SyncDaemon | None, instances: list[str]) -> dict[str, Any] | None:
    if daemon is None or not instances:
        return None
    sync = daemon.sync
    return {
        "interface": daemon.interface,
        "instance": instances[0],
        "syncid": sync.syncid,
        "maxlen": sync.maxlen,
        "group": str(sync.group),
        "port": sync.port,
        "ttl": sync.ttl,
    }


def _instance(site: Site, name: str, carrier: Carrier) -> dict[str, Any]:
    settings = carrier.settings
    unicast = {"source": str(carrier.source), "peers": [str(each) for each in carrier.peers]}
    return {
        "name": settings.name,
        "interface": carrier.interface,
        "version": carrier.version,
        "router_id": settings.router_id,
        "priority": carrier.priority,
        "advert_int": settings.advert_int,
        "preempt": settings.preempt,
        "preempt_delay": settings.preempt_delay,
        **_given(
            auth_pass=settings.auth_pass,
            auth_hmac=asdict(settings.auth_hmac) if settings.auth_hmac else None,
            unicast=unicast if settings.unicast else None,
        ),
        "garp": {name: value for name, value in settings.garp if name != _INTERVAL},
        "track_interfaces": list(carrier.tracked),
        "track_scripts": [each.name for each in settings.track_scripts],
        "track_processes": [each.name for each in settings.track_processes],
        "addresses": [_address(each) for each in carrier.announced],
        "excluded": [_address(each) for each in carrier.excluded],
        "notify": {event: run(each) for event, each in settings.notify},
        **_given(
            raw=settings.raw,
            smtp_alert=settings.smtp_alert,
            address_words=address_options.planned(site, name, carrier.carried) or None,
        ),
    }


def _secrets(settings: Instance) -> Iterator[str]:
    if settings.auth_pass:
        yield settings.auth_pass
    if settings.auth_hmac:
        yield settings.auth_hmac.key


def _address(each: VirtualAddress) -> dict[str, Any]:
    address = address_options.in_words(each)
    return _given(address=address, interface=each.interface, deprecated=each.deprecated)


def _service(site: Site, name: str, service: Service, files: dict[str, str]) -> dict[str, Any]:
    extra, sorry = service.supervision, service.sorry_server
    times = planned_checks.times(service)
    servers = []
    for entry in service.real_servers:
        named = entry.host and len(entry.host) <= _LONGEST_REMARK and not special(entry.host)
        servers.append(
            ({"name": entry.host} if named else {})
            | real_server(entry)
            | planned_checks.watched(service, entry)
            | _given(checks=planned_checks.checks(site, name, service, entry, times, files) or None)
        )
    return {
        "name": _remark(service.name),
        **virtual_service(service),
        "forward": kernel_forward(service),
        "quorum": quorum(service),
        "hysteresis": min(extra.hysteresis, max(weight(service), 1) - 1),
        "inhibit_on_failure": extra.inhibit_on_failure,
        "alpha": extra.alpha or (bgp.is_announced(site, name, service) and any("checks" in each for each in servers)),
        "omega": extra.omega or bgp.is_announced(site, name, service),
        **bgp.quorum(site, name, service),
        **_given(
            smtp_alert=extra.smtp_alert,
            sorry_server=_sorry_server(sorry, kernel_forward(service)) if sorry else None,
            times=times or None,
            raw=extra.raw,
        ),
        "real_servers": servers,
    }


def _group(service: Service, members: list[dict[str, Any]]) -> dict[str, Any]:
    return {"group": service.supervision.group, "members": members} if members else {}


def _remark(name: str) -> str:
    """A name for a comment, which must stay one: keepalived cuts long lines, and reads on after a backslash."""
    text = "".join(each if each.isprintable() and each != "\\" else "?" for each in name)
    return text if len(text) <= _LONGEST_REMARK else f"{text[:_LONGEST_REMARK]}..."


def _sorry_server(entry: RealServer, forward: str) -> dict[str, Any]:
    return {"address": str(entry.address), "port": entry.port, "forward": forward, **tunnel(entry)}
