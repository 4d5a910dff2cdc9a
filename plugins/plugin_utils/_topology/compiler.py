# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology compiler: hostvars and groups -> the plan of one host in one role, or every mistake of the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping, names
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import (
    Mistake,
    WrongModel,
    as_lines,
    choose,
    did_you_mean,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import ROLES
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.uncollected import uncollected
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_boolean
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.checks import check_membership, check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.misspelled import misspelled
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.plan import plan_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.roles import NEEDS, lost_routes
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import OVERRIDABLE, Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.parse import (
    parse_services,
    written_vips,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.reached import Side
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.shares import of_director
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.vrrp_settings import written_floating


@uncollected
def site_of(hostvars: Any, groups: Any, mistakes: list[Mistake]) -> Site:
    """The whole site of an inventory; what is wrong with it is noted."""
    inventory = Inventory(mapping(hostvars, "hostvars"), mapping(groups, "groups"), mistakes)
    return _site(inventory, inventory.directors, None, mistakes)


@uncollected
def host_plan(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    host: str,
    role: str,
    services: Any = None,
    directors: Iterable[str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The plan of a host in a role; WrongModel with every mistake where there is any."""
    mistakes: list[Mistake] = []
    hostvars, groups = mapping(hostvars, "hostvars"), mapping(groups, "groups")
    if role not in ROLES:
        raise WrongModel([Mistake("role", f"{show(role)} is not known", choose(role, ROLES))])
    if not isinstance(host, str) or host not in hostvars:
        raise WrongModel([Mistake("host", f"{show(host)} is not in the inventory", "name one of its hosts")])
    # Ansible makes empty text of a template that says none. To compare its lists with text it evaluates all of them.
    services = None if isinstance(services, str) and not services else evaluated(services, "services")
    overrides = _overrides(variables, mistakes)
    if role == "metrics" and as_boolean(overrides.get("lvs_metrics")) is False:
        return {}  # most directors have none, and it is asked for each of them in every run
    prepared = host if role == "real_server" else None
    inventory = Inventory(hostvars, groups, mistakes, reader=host, overrides=overrides, prepared=prepared)
    named = list(inventory.directors if directors is None else names(directors, "directors"))
    is_director = role in ("director", "keepalived", "metrics")
    if is_director and host not in named:
        named.append(host)
    site = _site(inventory, named, services, mistakes, asked=host if is_director else None)
    needs = list(NEEDS[role](site, host))
    # A list that is given to the role of a real server or router is that of all its directors: it does not tell which
    # of them holds a VIP, or what moves it.
    mistakes += check_site(site, are_holders_known=is_director or not services)
    # A role may be used by itself, with its directors given and without any of our groups.
    if is_director and (directors is None or inventory.has_group("lvs_real_servers")):
        mistakes += check_membership(site)
    mistakes += [need for need in needs if isinstance(need, Mistake)]
    if mistakes:
        raise WrongModel(mistakes)
    needs += lost_routes(site, host, needs)
    if role == _first_role(inventory, host, role):
        needs += misspelled(site, host)
    return plan_of(role, site, host, needs)


def _first_role(inventory: Inventory, host: str, role: str) -> str | None:
    """The one of the host's roles that says what concerns all of them; of a host in no group, the role that asks."""
    members = {"director": inventory.directors, "real_server": inventory.real_servers, "router": inventory.routers}
    every = [name for name, hosts in members.items() if host in hosts]
    return every[0] if every else next((name for name in members if name == role), None)


@uncollected
def mistakes_of(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    hosts: Iterable[str] | None = None,
    reached: Iterable[str] | None = None,
) -> list[str]:
    """Every mistake of the inventory. With ``hosts``, only these hosts' plans have to be complete.

    What is not among ``reached`` dropped out before the run began, and no play of the run has it.
    """
    mistakes: list[Mistake] = []
    site = site_of(hostvars, groups, mistakes)
    inventory = site.inventory
    mistakes += check_site(site)
    if inventory.has_group("lvs_real_servers"):
        mistakes += check_membership(site)
    members: dict[str, Iterable[str]] = {
        "director": inventory.directors,
        "real_server": dict.fromkeys([*inventory.real_servers, *site.listings]),
        "router": inventory.routers,
        "keepalived": inventory.directors,
        "announcer": dict.fromkeys([*inventory.directors, *inventory.routers]),
        "metrics": inventory.directors,
    }
    wanted = None if hosts is None else set(names(hosts, "hosts"))
    if wanted and reached is not None:
        mistakes += [
            Mistake(name, "failed or did not answer before this", "mend that first, or leave it out by --limit")
            for name in sorted(wanted.difference(names(reached, "reached")))
        ]
    asked = ((role, name) for role, every in members.items() for name in every if wanted is None or name in wanted)
    for role, name in asked:
        mistakes += _other_state(inventory, name, role)
        if name in site.services or (role in ("real_server", "router", "announcer") and not inventory.is_absent(name)):
            mistakes += [need for need in NEEDS[role](site, name) if isinstance(need, Mistake)]
    return as_lines(mistakes)


def _other_state(inventory: Inventory, name: str, role: str) -> Iterator[Mistake]:
    """A role's own state is for plays of one's own: here real servers, directors and keepalived have their order."""
    is_set, state = inventory.variable(name, f"{role}_state") if name in inventory else (False, None)
    wanted = "absent" if inventory.is_absent(name) else "present"
    if is_set and state != wanted:
        problem = f"is {show(state)}, and lvs_state {wanted}"
        yield Mistake(f"{name}: {role}_state", problem, f"set lvs_state in place of {role}_state")


def _overrides(variables: Mapping[str, Any] | None, mistakes: list[Mistake]) -> dict[str, Any]:
    overrides = mapping({} if variables is None else evaluated(variables, "variables"), "variables")
    for name in overrides:
        if name not in OVERRIDABLE:
            mistakes.append(Mistake(f"variables.{forms.word(name)}", "is not known", choose(name, OVERRIDABLE)))
    # Of a gateway, null says something: that the default route is left alone.
    return {name: value for name, value in overrides.items() if value is not None or name == "lvs_gateway"}


def _site(
    inventory: Inventory, directors: Iterable[str], given: Any, mistakes: list[Mistake], asked: str | None = None
) -> Site:
    """Every director's services. Directors with the same list share them, and their paths have no director's name.

    A director that is absent has none, unless it is the one whose plan is asked for.
    """
    named = list(map(str, directors))
    if not named and not mistakes:
        group = forms.word(inventory.group_name("lvs_directors"))
        mistakes.append(Mistake("lvs_services", f"no host is in the group {group}", "put the director there"))
    raw: dict[str, Any] = {}
    partners = {} if asked is None else _partners(inventory, asked, given, named)
    for director in named:
        if director != asked and inventory.is_absent(director):
            continue
        if director not in inventory:
            close = did_you_mean(director, inventory.names())
            mistakes.append(Mistake("directors", f"{show(director)} is not in the inventory", f"{close}add it there"))
            continue
        is_set, services = inventory.variable(director, "lvs_services") if given is None else (True, given)
        if is_set:
            raw[director] = services
        elif not inventory.is_wrong(director, "lvs_services"):
            remedy = "set it, to [] where there shall be no service"
            mistakes.append(Mistake(f"{director}: lvs_services", "is not set for this director", remedy))
    raw |= partners
    # Reading what floats is reading hosts, which needs no service.
    floating = frozenset(each.address for name in raw for each in inventory.host(name).vrrp.floating)
    lists = list(raw.values())
    # Of a director whose services cannot be read there is a mistake, and no plan.
    unread = dict.fromkeys([] if asked is None or asked not in inventory else [asked], ())
    if lists and all(each == lists[0] for each in lists):
        shared = parse_services(lists[0], "", inventory, mistakes, Side(tuple(raw), foreign=floating))
        return Site(inventory, {**unread, **{name: of_director(shared, name) for name in raw}})
    read = {
        name: parse_services(each, f"{name}: ", inventory, mistakes, Side((name,), foreign=floating))
        for name, each in raw.items()
    }
    return Site(inventory, {**unread, **{name: of_director(services, name) for name, services in read.items()}})


def _partners(inventory: Inventory, name: str, given: Any, named: list[str]) -> dict[str, Any]:
    """The directors beside those named that share addresses with this one, and their services.

    Its plan depends on them, and the role asks for the plan of its own host. A list of services that only the role has
    is that of all of them.
    """
    if name not in inventory or not inventory.host(name).shares_vips:
        return {}
    own = inventory.variable(name, "lvs_services")[1]
    mine = own if given is None else given
    vips = written_vips(mine)
    floating = frozenset() if vips else frozenset(each.address for each in inventory.host(name).vrrp.floating)
    partners = {}
    for other in inventory.directors:
        if other in named or inventory.is_absent(other):
            continue
        if mine != own and inventory.host(other).shares_vips:
            partners[other] = mine
            continue
        theirs = inventory.variable(other, "lvs_services")[1]
        moves = floating and inventory.variable(other, "lvs_manager")[1] == "keepalived"
        floats = moves and floating & written_floating(inventory.variable(other, "lvs_vrrp")[1])
        if floats or vips & written_vips(theirs):
            partners[other] = theirs
    return partners
