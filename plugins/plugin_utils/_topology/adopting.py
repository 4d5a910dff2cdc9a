# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model that says what a director does already, for adopt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt import adopted_host
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.adoption import (
    as_comment,
    as_model,
    name_of,
    possible,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import mapping, shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import (
    Mistake,
    WrongModel,
    as_lines,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import read_info

_NOT_ASKED = (
    "what sets firewall marks, whether NAT is FULLNAT, and whether ip_vs_ftp is loaded was not looked at: have "
    "ipvs_info gather the subset host as well"
)


def model_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    info: Mapping[str, Any],
    host: str | None = None,
    weight: Any = None,
) -> dict[str, Any]:
    """The lvs_services and other variables that ask for a director as it is, and what of it they cannot say.

    ``host`` is the director, and ``weight`` what a real server gets whose weight is 0.
    """
    hostvars, groups = mapping(hostvars, "hostvars"), mapping(groups, "groups")
    inventory = Inventory(hostvars, groups, [])
    director = host or next(iter(inventory.directors), "")
    if director not in inventory:
        raise WrongModel([Mistake("host", f"{show(director)} is not in the inventory", "name the director")])
    given = None if weight in (None, "") else forms.integer(weight)
    if weight not in (None, "") and (given is None or not forms.WEIGHTS.low < given <= forms.WEIGHTS.high):
        raise WrongModel([Mistake("weight", f"{show(weight)} is no weight", f"use 1 to {forms.WEIGHTS.high}")])
    site = Site(inventory, {})
    hosts = {address: name for name in inventory.real_servers for address in site.addresses(name)}
    # Those for checks through the VIP follow from the health_check of others.
    of_checks = through_vip.check_names(site_of(hostvars, groups, []), director)
    read = read_info(shown(info, "info"), "info")
    there = [each for each in read["services"] if service_name(each) not in of_checks]
    named = {name: inventory.host(name).addresses for name in hosts.values() if inventory.names_address(name)}
    unsaid = frozenset(address for address, name in hosts.items() if address not in named.get(name, ()))
    found, problems = as_model(there, hosts, given, unsaid)
    if read["beside"] is None:
        problems += [_NOT_ASKED] if any("fwmark" in each or each["forward"] == "nat" for each in found) else []
    else:
        by_name = {name_of(each): each for each in there}
        pairs = [(each, by_name[each["name"]]) for each in found]
        found, more = adopted_host.completed(inventory, director, pairs, read["beside"])
        problems += more
    services = possible(inventory, director, found, problems)
    variables, more = adopted_host.variables(inventory, director, services, read)
    for name, value in list(variables.items()):
        mistakes: list[Mistake] = []
        Inventory(hostvars, groups, mistakes, reader=director, overrides={name: value}).host(director)
        wrong = as_lines(each for each in mistakes if name in each.path)
        more += [f"{name} is left out, because no model can say it so: {line}" for line in wrong]
        if wrong:
            del variables[name]
    problems += more
    return {"services": services, "variables": variables, "problems": problems, "comment": as_comment(problems)}
