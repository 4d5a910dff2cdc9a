# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site as a picture or a page: from its model alone, with what status saw, or with what verify found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.chart import chart
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.drawing import svg
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.page import page
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.view import UNKNOWN, Seen, View, marked, view
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.wide import wide
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    AT_RISK,
    BROKEN,
    WORTH_KNOWING,
    Finding,
    in_order,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import mapping, names, shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import (
    Mistake,
    WrongModel,
    as_lines,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.checks import check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import Info
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import pools_and_holders
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.answers import read_all, read_host_info
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import read_infos
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.named_hosts import left_out
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.report import render

_STATUS = "lvs_status_file"


def diagram_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any]) -> str:
    """The picture of a site as SVG, from its model alone; WrongModel with every mistake where there is any."""
    mistakes: list[Mistake] = []
    site = site_of(hostvars, groups, mistakes)
    mistakes += check_site(site)
    if mistakes:
        raise WrongModel(mistakes)
    return svg(wide(chart(view(site))))


def site_file_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    infos: Mapping[str, Any],
    path: Any,
    asked: Any = None,
    answered: Any = None,
    made: str = "",
) -> str:
    """What the playbook status saw, as its file's name says; WrongModel where that says nothing.

    Mistakes of the inventory are no reason not to look.
    """
    name = path if isinstance(path, str) else ""
    if not name.endswith((".html", ".svg")):
        problem = f"{show(path)} does not say what is to be made"
        remedy = "let the name of the file end in .html, or in .svg for the picture alone"
        raise WrongModel([Mistake(_STATUS, problem, remedy)])
    mistakes: list[Mistake] = []
    site = site_of(hostvars, groups, mistakes)
    tables = read_infos(shown(infos, "infos"))
    every = site.inventory.members
    run = _Run(
        set(every if asked is None else names(asked, "asked")),
        {*tables, *(() if answered is None else names(answered, "answered"))},
    )
    drawn = _seen_by_status(site, tables, run, as_lines(mistakes))
    return page(drawn, "lvs.topology.status", made) if name.endswith(".html") else svg(wide(chart(drawn)))


@dataclass(frozen=True)
class _Run:
    """The hosts that were asked, and those that answered."""

    asked: set[str]
    answered: set[str]


def _seen_by_status(site: Site, tables: Mapping[str, Info], run: _Run, mistakes: list[str]) -> View:
    """What follows from the tables of directors, and from the addresses of all."""
    members = site.inventory.members
    silent = tuple(
        name
        for name in members
        if name in run.asked and name not in (tables if name in site.services else run.answered)
    )
    drawn = view(site, Seen(tables, silent, not mistakes))
    idle = [name for name in tables if name in site.services and site.is_checked(name) and not tables[name]["services"]]
    found = [
        *(Finding(AT_RISK, name, "did not answer", "Nothing is known of it.") for name in silent),
        *_of_idle(site, idle),
        *pools_and_holders.of_addresses(site, tables),
        *pools_and_holders.of_tables(site, tables, {}, idle),
        *_of_entries(drawn),
    ]
    return marked(drawn, tuple(in_order(found)), tuple(_not_looked_at(members, run, mistakes)))


def _not_looked_at(members: Iterable[str], run: _Run, mistakes: list[str]) -> Iterator[str]:
    yield "real servers and routers were only asked for addresses; `ansible-playbook lvs.topology.verify` does more"
    yield from left_out(members, run.asked)
    yield from (f"what of the inventory could not be read: {line}" for line in mistakes)


def _of_idle(site: Site, idle: Iterable[str]) -> Iterator[Finding]:
    """Directors under keepalived whose table is empty, as it is where keepalived does not run."""
    for name in idle:
        if any(service.real_servers for service in site.services[name]):
            is_serving = any(site.holds(name, address) for address in site.serving_addresses(name))
            effect = "Clients get no answer." if is_serving else "It cannot take over."
            remedy = f"see with `ansible-playbook lvs.topology.verify` whether keepalived runs on {name}"
            yield Finding(BROKEN if is_serving else AT_RISK, name, "its table is empty", effect, remedy)


def _of_entries(drawn: View) -> Iterator[Finding]:
    """What tables have otherwise than the model, although new clients are served."""
    for _group, service in drawn.services():
        if not service.is_declared and drawn.seen and drawn.seen.is_whole:
            what = f"the table has {service.where}, which nobody declared"
            yield Finding(WORTH_KNOWING, service.director, what, "", "lvs_services, or lvs_purge")
        for link in service.links if service.is_declared else ():
            if link.degree in (WORTH_KNOWING, BROKEN) and link.note != UNKNOWN:
                what = f"{service.where} ({service.name}): {link.target} {link.where}: {link.note}"
                remedy = f"ansible-playbook lvs.topology.site --limit {service.director}"
                yield Finding(link.degree, service.director, what, "", remedy)


def report_of(
    found: Mapping[str, Any],
    path: Any,
    hostvars: Any = None,
    groups: Any = None,
    answers: Any = None,
    made: str = "",
) -> str:
    """What the playbook verify found, as its file's name says. Only a page needs the inventory and the answers."""
    if not (isinstance(path, str) and path.endswith(".html")):
        return render(found, path, made)
    mistakes: list[Mistake] = []
    site = site_of({} if hostvars is None else hostvars, {} if groups is None else groups, mistakes)
    said = read_all(mapping({} if answers is None else answers, "answers"), "answers", read_host_info, [])
    tables = {name: said[name]["table"] for name in site.services if name in said and said[name]["table"]}
    asked = set(found["hosts"])
    silent = tuple(name for name in site.services if name in asked and name not in tables)
    findings = tuple(Finding(**each) for each in found["findings"])
    drawn = marked(view(site, Seen(tables, silent, not mistakes)), findings, tuple(found["unseen"]))
    return page(drawn, "lvs.topology.verify", made)
