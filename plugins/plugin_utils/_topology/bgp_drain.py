# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked what is announced, and which VIPs nobody would announce while some directors are drained. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._net.bird_text import ESTABLISHED
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import bgp, through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.bgp_findings import questions
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.given import evaluated, shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import Mistake, WrongModel, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import as_address


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


def read_directors(given: Any) -> list[str]:
    """The names of directors. On the command line a list is words with commas."""
    value = evaluated(given, "directors")
    words = [each.strip() for each in value.split(",")] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(each, str) and each for each in words):
        problem = f"{show(given)} names no director"
        raise WrongModel([Mistake("directors", problem, "give the name of a director, or a list of names")])
    return words


def read_answers(given: Any) -> dict[str, Any]:
    """By director, what it said of BGP: the results of a task that went through announcers() as ``lvs_announcer``."""
    results = shown(given, "answers")
    if not isinstance(results, list) or not all(isinstance(each, Mapping) for each in results):
        raise WrongModel([Mistake("answers", f"must be a list of results, is {show(given)}", "give results of a loop")])
    asked = [(each.get("lvs_announcer"), each.get("bgp")) for each in results]
    return {str(who.get("director")): said for who, said in asked if isinstance(who, Mapping) and said is not None}


def unaddressed(site: Site, drained: Collection[str], hosts: Collection[str] | None) -> Iterator[str]:
    """A line for each name by which nothing would be done. ``hosts`` are those of the play; None: all."""
    for name in drained:
        if name not in site.services:
            yield f"{name} is no director that is present"
        elif bgp.own(site, name) is None:
            yield f"{name} announces nothing by BGP (lvs_bgp)"
        elif hosts is not None and name not in hosts:
            yield f"{name} is not part of this run: add it to --limit, or leave that out"


def unannounced(site: Site, infos: Mapping[str, Mapping[str, Any]], drained: Collection[str]) -> Iterator[str]:
    """A line for each VIP. ``infos`` are what directors that answered say of BGP.

    Of a service that cannot be read, the model names no VIP. So what is announced at the moment counts, too.
    """
    lost = {vip for name in drained if name in site.services for vip in site.vips_of(name)}
    for name in drained:
        lost.update(filter(None, map(_address_of, infos[name]["announced"] if name in infos else ())))
    others = [name for name in bgp.announcing(site) if name not in drained]
    silent = [name for name in others if name not in infos]
    for vip in sorted(lost, key=lambda each: (each.version, int(each))):
        if not any(_announces(infos[name], vip) for name in others if name in infos):
            unheard = f" ({', '.join(silent)} did not answer)" if silent else ""
            yield f"nobody besides {', '.join(drained)} announces {vip}{unheard}"


def _announces(info: Mapping[str, Any], vip: Address) -> bool:
    """Whether a director announces a VIP, and a router hears it."""
    neighbours = (as_address(each["neighbour"]) for each in info["sessions"] or () if each["state"] == ESTABLISHED)
    is_heard = any(each is not None and each.version == vip.version for each in neighbours)
    return is_heard and any(_address_of(each) == vip for each in info["announced"])


def _address_of(route: Mapping[str, Any]) -> Address | None:
    return as_address(route["address"].partition("/")[0])
