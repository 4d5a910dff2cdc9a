# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify and status ask of hosts and clients, and what they say of the answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    Finding,
    in_order,
    lines_of,
    makes_verify_fail,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import mapping, names, shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, as_lines
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.uncollected import uncollected
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import mistakes_of, site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import clients, from_director, verification
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.answers import (
    read_all,
    read_host_info,
    read_probe,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import read_infos
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.status import status


@uncollected
def questions_of(
    hostvars: Mapping[str, Any], groups: Mapping[str, Any], hosts: Any = None, *, through_vip: bool = False
) -> dict[str, Any]:
    """What the playbook verify asks of these hosts, and the mistakes for which it cannot.

    Where a host did not answer, much seems to be wrong with the others because its addresses are not known. Then those
    are asked whose plans can be made.
    """
    site = site_of(hostvars, groups, [])
    members = site.inventory.members
    answered = members if hosts is None else set(names(hosts, "hosts"))
    known = [name for name in members if name in answered and site.is_known(name)]
    asked = {name: verification.questions(site, name, through_vip=through_vip) for name in known}
    mistakes = mistakes_of(hostvars, groups, known) if len(known) == len(members) else []
    return {"mistakes": mistakes, "hosts": asked}


@uncollected
def findings_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    answers: Mapping[str, Any],
    probes: Mapping[str, Any],
    hosts: Any = None,
    attempts: Mapping[str, Any] | None = None,
    *,
    through_vip: bool = False,
    put_back: Any = None,
    known: Any = None,
) -> dict[str, Any]:
    """Everything that is not as it should be on the site, and what was not looked at."""
    site = site_of(hostvars, groups, [])
    odd: list[Finding] = []
    said = read_all(mapping(answers, "answers"), "answers", read_host_info, odd)
    probed = read_all(mapping(probes, "probes"), "probes", read_probe, odd)
    tried = read_all(mapping(attempts or {}, "attempts"), "attempts", read_probe, odd)
    members = site.inventory.members
    run = [*members, *site.inventory.clients] if hosts is None else names(hosts, "hosts")
    asked = [name for name in members if name in run]
    found = [*odd, *verification.every_finding(site, asked, said, probed)]
    for director, each in tried.items():
        found += from_director.of_answers(site, director, each, said.get(director), through=through_vip)
    if through_vip:
        done = set(names(put_back or [], "put_back"))
        # Whoever was asked for the way has it perhaps, also where nothing was heard of it since.
        fresh = asked if known is None else names(known, "known")
        left = [each for each in asked if each in fresh and site.is_known(each) and each not in done]
        found += from_director.of_what_is_left(site, left)
    found = in_order(found)
    failing = [each for each in found if makes_verify_fail(each.degree)]
    return {
        "hosts": asked,
        "is_well": not failing,
        "failing": len(failing),
        "findings": [asdict(each) for each in found],
        "lines": lines_of(found),
        "unseen": [
            *verification.unseen(site, run, members, said, probed),
            *from_director.untried(
                site,
                [name for name in asked if name in site.services],
                tried,
                said,
                through=through_vip,
                did_clients=bool(probed),
            ),
        ],
    }


def status_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any], infos: Mapping[str, Any]) -> list[str]:
    """What the directors do at the moment. Mistakes of the inventory are no reason not to look, and are said."""
    mistakes: list[Mistake] = []
    lines = list(status(site_of(hostvars, groups, mistakes), read_infos(shown(infos, "infos"))))
    # What cannot be read would be shown as something that nobody wrote down. Real servers were not asked for theirs.
    wrong = as_lines(each for each in mistakes if not each.path.endswith(": lvs_address"))
    said = [f"Mistakes in the inventory, for which what it says is not all known here: {len(wrong)}"] if wrong else []
    return [*said, *(f"  {each}" for each in wrong), *lines]


def endpoints_of(hostvars: Mapping[str, Any], groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What clients can try of the services of directors that are present."""
    return clients.endpoints(site_of(hostvars, groups, []))
