# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drain asks of the model: where hosts are listed, what is left without them, and who announces which VIPs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping, names, shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import (
    Mistake,
    WrongModel,
    as_lines,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import bgp_drain, way_back
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.answers import read_bgp_info
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import (
    read_info,
    read_listings,
    read_returns,
    read_tables_asked,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.listings import (
    left_empty,
    listings,
    silent_directors,
)


def listings_of(
    hostvars: Mapping[str, Any], groups: Mapping[str, Any], hosts: Any, run: Any = None
) -> list[dict[str, Any]]:
    """Where these hosts are listed as real servers; WrongModel with every mistake where there is any."""
    mistakes: list[Mistake] = []
    site = site_of(hostvars, groups, mistakes)
    found = listings(site, groups, evaluated(hosts, "hosts"), None if run is None else names(run, "run"), mistakes)
    if mistakes:
        raise WrongModel(mistakes)
    return found


def silent_of(results: Any, listings: Any) -> dict[str, list[str]]:
    """Which directors did not answer when they were asked for their tables, and what speaks against a drain."""
    return silent_directors(read_tables_asked(results), read_listings(evaluated(listings, "listings")))


def emptied_of(found: Any, tables: Any, batches: Any) -> list[str]:
    """Which services would have no usable real server while each batch of hosts is drained."""
    infos = {
        director: read_info({"services": services}, f"tables.{forms.word(director)}")["services"]
        for director, services in mapping(shown(tables, "tables"), "tables").items()
    }
    return left_empty(read_listings(evaluated(found, "listings")), infos, _batches(batches))


def weights_back_of(listings: Any, steps: Any, first: Any) -> dict[str, Any]:
    """The listings with the weight that each real server gets, and its share of that at first and after each step."""
    shares = way_back.shares(_number(steps, "steps", way_back.STEPS), _number(first, "first", way_back.FIRST))
    found = []
    for each in read_returns(evaluated(listings, "listings")):
        wanted: int | None = each.model
        if each.was_drained:
            in_steps = len(shares) > 1
            wanted = way_back.weight(each.model, each.former, has_keepalived=each.has_keepalived, in_steps=in_steps)
        if wanted is not None:
            found.append({**each.listing, "real_server": {**each.real_server, "weight": wanted}})
    return {"listings": found, "shares": shares}


def weights_said_of(results: Any, afterwards: bool = False) -> str:
    """What a drain has found in each table, or has left there, in words."""
    return ", ".join(
        f"{way_back.said(each.former, is_known=each.is_known, afterwards=bool(afterwards))} "
        f"in {forms.word(each.name)} on {forms.word(each.director)}"
        for each in read_returns(evaluated(results, "results"))
    )


def announcers_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The directors that announce VIPs, and what each is asked."""
    return bgp_drain.announcers(site_of(hostvars, groups, []))


def unaddressed_of(
    hostvars: Mapping[str, Any], groups: Mapping[str, Any], directors: Any = None, hosts: Any = None
) -> list[str]:
    """By which of these names no director would be drained, and why. Without a name, all of the run are meant."""
    site = site_of(hostvars, groups, [])
    if directors is None:
        run = None if hosts is None else {*names(hosts, "hosts")}
        every = [name for name in site.services if run is None or name in run]
        return _directors(site, groups, every, hosts)[1] if every else []
    return _directors(site, groups, directors, hosts)[1]


def unannounced_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    answers: Any,
    directors: Any,
    hosts: Any = None,
    *,
    allow_empty: bool = False,
) -> list[str]:
    """What speaks against draining some directors: names that are none, and VIPs that nobody would announce."""
    site = site_of(hostvars, groups, [])
    drained, lines = _directors(site, groups, directors, hosts)
    said = {
        name: read_bgp_info(each, f"answers.{forms.word(name)}")
        for name, each in bgp_drain.read_answers(answers).items()
    }
    return lines if allow_empty else [*lines, *bgp_drain.unannounced(site, said, drained)]


def _directors(site: Site, groups: Mapping[str, Any], named: Any, hosts: Any) -> tuple[list[str], list[str]]:
    """The directors of these names, and what is wrong with the names."""
    mistakes: list[Mistake] = []
    run = None if hosts is None else names(hosts, "hosts")
    found = bgp_drain.directors_named(site, groups, evaluated(named, "directors"), run, mistakes)
    return found, as_lines(mistakes)


def _number(given: Any, what: str, possible: forms.Range) -> int:
    value = evaluated(given, what)
    number = forms.integer(value)
    if number is None or number not in possible:
        raise WrongModel([Mistake(what, f"{show(value)} is no number of this kind", f"use {possible}")])
    return number


def _batches(batches: Any) -> list[list[str]]:
    listed = evaluated(batches, "batches")
    if not isinstance(listed, list):
        problem = f"must be a list of lists of hosts, is {show(batches)}"
        raise WrongModel([Mistake("batches", problem, "give the hosts that are drained together as one list")])
    return [names(each, f"batches[{position}]") for position, each in enumerate(listed)]
