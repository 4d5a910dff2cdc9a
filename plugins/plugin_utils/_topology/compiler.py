# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology compiler: hostvars and groups -> the plan of one host in one role, or every mistake of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt import adopted_host
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.adoption import (
    as_comment,
    as_model,
    name_of,
    possible,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    AT_RISK,
    Finding,
    in_order,
    lines_of,
    makes_verify_fail,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import evaluated, mapping, names, shown
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
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.checks import check_membership, check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
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
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import clients, from_director, verification
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.answers import (
    read_host_info,
    read_probe,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.infos import read_info, read_infos
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.status import status

_T = TypeVar("_T")
_NOT_ASKED = (
    "what sets firewall marks, whether NAT is FULLNAT, and whether ip_vs_ftp is loaded was not looked at: have "
    "ipvs_info gather the subset host as well"
)


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
    return plan_of(role, site, host, needs)


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


def read_all(
    answers: Mapping[str, Any], path: str, read: Callable[[Any, str], _T], odd: list[Finding]
) -> dict[str, _T]:
    """The answers that have their form. What has not is a finding about the host."""
    found = {}
    for host, answer in answers.items():
        where = f"{path}.{forms.word(host)}"
        try:
            found[str(host)] = read(shown(answer, where), where)
        except WrongModel as wrong:
            odd.append(Finding(AT_RISK, str(host), f"what it answered cannot be read: {'; '.join(wrong.lines)}"))
    return found


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
