# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked what is announced, and which VIPs nobody would announce while some directors are drained. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import ESTABLISHED
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, WrongModel, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp, through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.bgp_findings import questions
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.named_hosts import check_run, hosts_named


def announcers(site: Site) -> list[dict[str, Any]]:
    """The directors that announce VIPs by BIRD, what host_info is asked there, and the marks of checks through VIPs."""
    return [
        {
            "director": name,
            "bgp": questions(site, name),
            "graceful_shutdown": own.graceful_shutdown,
            "check_marks": [each.fwmark for each in through_vip.check_services(site, name)],
        }
        for name in bgp.announcing(site)
        if (own := bgp.own(site, name))
    ]


def read_answers(given: Any) -> dict[str, Any]:
    """By director, what it said of BGP: the results of a task that went through announcers() as ``lvs_announcer``."""
    results = shown(given, "answers")
    if not isinstance(results, list) or not all(isinstance(each, Mapping) for each in results):
        raise WrongModel([Mistake("answers", f"must be a list of results, is {show(given)}", "give results of a loop")])
    asked = [(each.get("lvs_announcer"), each.get("bgp")) for each in results]
    return {str(who.get("director")): said for who, said in asked if isinstance(who, Mapping) and said is not None}


def directors_named(
    site: Site, groups: Mapping[str, Any], given: Any, run: Collection[str] | None, mistakes: list[Mistake]
) -> list[str]:
    """The directors of these names, or of these groups; whoever has no sessions that could be drained is a mistake.

    ``run`` are the hosts that are part of it; None: all. An absent director of a group is passed over.
    """
    named = hosts_named(site.inventory, groups, given, "directors", "director", mistakes)
    found = []
    for host, name in named.items():
        if host in site.services:
            if bgp.own(site, host) is None:
                mistakes.append(Mistake(host, "announces nothing by BGP", "leave it out, or set lvs_bgp"))
            check_run(host, run, mistakes)
        elif name != host and host in site.inventory.directors:
            continue
        else:
            mistakes.append(Mistake(host, "is no director that is present", "name directors, or groups of them"))
        found.append(host)
    if named and not found:
        mistakes.append(Mistake("directors", "all of them are absent", "name directors that are present"))
    return found


def unannounced(site: Site, infos: Mapping[str, Mapping[str, Any]], drained: Collection[str]) -> Iterator[str]:
    """A line for each VIP. ``infos`` are what directors that answered say of BGP.

    Of a service that cannot be read, the model names no VIP. So what is announced at the moment counts, too.
    """
    lost = {vip for name in drained if name in site.services for vip in site.vips_of(name)}
    for name in drained:
        lost.update(filter(None, map(_address_of, infos[name]["announced"] if name in infos else ())))
    others = [name for name in bgp.announcing(site) if name not in drained]
    silent = [name for name in others if name not in infos]
    heard = set[Address | None]().union(*(_heard(infos[name]) for name in others if name in infos))
    for vip in sorted(lost, key=lambda each: (each.version, int(each))):
        if vip not in heard:
            unheard = f" ({', '.join(silent)} did not answer)" if silent else ""
            yield f"nobody besides {', '.join(drained)} announces {vip}{unheard}"


def _heard(info: Mapping[str, Any]) -> set[Address | None]:
    """What a director announces, where a router hears it."""
    neighbours = (as_address(each["neighbour"]) for each in info["sessions"] or () if each["state"] == ESTABLISHED)
    families = {each.version for each in neighbours if each is not None}
    announced = map(_address_of, info["announced"])
    return {each for each in announced if each is not None and each.version in families}


def _address_of(route: Mapping[str, Any]) -> Address | None:
    return as_address(route["address"].partition("/")[0])
