# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which synchronisation daemons a director runs, on which interface, and whom else they would hear."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Sync
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Need, Note, SyncDaemon
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site


def needs(site: Site, name: str) -> Iterator[Need]:
    host = site.host(name)
    if host.sync is None:
        return
    path, interface = f"{name}: lvs_sync.interface", _interface(site, name)
    if interface is None:
        problem = "is needed where facts do not tell the interface that holds lvs_address"
        yield Mistake(path, problem, "name the one on which the directors reach each other")
        return
    if interface == "lo":
        problem = "is lo, where no partner hears anything"
        yield Mistake(path, problem, "name the one on which the directors reach each other")
    elif site.is_known(name) and not site.interface(name, interface):
        names = [each.name for each in site.facts(name).interfaces or ()]
        yield Mistake(path, f"{name} has no interface {interface!r}", choose(interface, names))
    for state in host.sync.states:
        yield SyncDaemon(state, interface, host.sync)
    if (
        not site.is_moved(name)
        and len(host.sync.states) == 2
        and dict(host.sysctls).get("net.ipv4.vs.backup_only") == "1"
    ):
        yield Mistake(
            f"{name}: lvs_sync.role",
            "is both, and with net.ipv4.vs.backup_only a director whose backup daemon runs forwards nothing",
            "take net.ipv4.vs.backup_only out of lvs_sysctls, or use one role at a time",
        )


def strangers(site: Site, name: str) -> Iterator[Note]:
    """Directors of other VIPs whose connections this one would keep as well.

    A backup daemon with syncid 0 takes what any daemon sends; one with another number takes that number alone
    (ip_vs_process_message() in net/netfilter/ipvs/ip_vs_sync.c).
    """
    ours = site.host(name).sync
    for other in site.services if ours else ():
        theirs = site.host(other).sync
        if ours is None or theirs is None or not site.is_moved(other) or other in site.partners(name):
            continue
        if ours.syncid in (0, theirs.syncid) and _channel(ours) == _channel(theirs) and _meet(site, name, other):
            yield Note(
                f"{name}: lvs_sync.syncid: {other}, which shares no address with {name}, sends its connections there "
                f"too, with syncid {theirs.syncid}, and {name} would keep them in its memory. Give each pair a syncid "
                "of its own, from 1 on"
            )


def _channel(sync: Sync) -> tuple[object, int]:
    return sync.group, sync.port


def _meet(site: Site, name: str, other: str) -> bool:
    """Whether they are in one network with the interfaces of their daemons."""
    ours, theirs = (
        {link.own.network for link in site.on_link(each) if link.interface.name == _interface(site, each)}
        for each in (name, other)
    )
    return bool(ours & theirs)


def _interface(site: Site, name: str) -> str | None:
    """The one that is named, else the one that holds the director's address; None: not known."""
    host = site.host(name)
    if host.sync is not None and host.sync.interface is not None:
        return host.sync.interface
    links = (site.link_to(name, address) for address in host.addresses)
    return next((each.interface.name for each in links if each), None)
