# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a play of the playbooks is for: by the groups of the inventory, and by what site has found out. Pure.

A play without hosts is two lines of output and no time, so a run of site that changes nothing ends with its look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import CHECKER, KEEPALIVED

# The roles of hosts, and the group of each as long as no variable of its name with _group at the end names another one.
GROUPS: Mapping[str, str] = {
    "director": "lvs_directors",
    "real_server": "lvs_real_servers",
    "router": "lvs_routers",
    "client": "lvs_clients",
}
NOBODY = "all:!all"
# The machine that runs Ansible, as the host of a play.
CONTROLLER = "controller"
_LOCALHOST = "localhost"
# The roles that a model gives to hosts, and the plays of site that have only some of the hosts.
ROLES = ("director", "real_server", "router")
# Beside these, what directors and routers have that speak BGP.
ANNOUNCER = "announcer"
PLAYS = ("wait", "move", "prepare", "fill", "tell", "finish")
# The play of rolling that goes through all real servers where nobody names any.
MAINTAIN = "maintain"
# What a director has besides, as a part of its own. It is never a role of a host by its groups.
METRICS = "metrics"
# What names the groups. A lookup sees the templates of variables, not what they come to.
GROUP_NAMES = tuple(f"{group}_group" for group in GROUPS.values())
# What a host answered when it was asked for its turn, and what site found out about it. The playbook registers them.
TURN = "__host_state_turn"
CHECKED = "__lvs_checked"


class Wrong(Exception):
    """A group that is needed is not there, or what is asked for is not known."""


def check_words(asked: Iterable[Any], known: Collection[str], what: str) -> None:
    """Refuse what would be no host, or an error of Python."""
    for word in asked:
        if not isinstance(word, str) or word not in known:
            raise Wrong(f"{word!r} is no {what}; use {', '.join(known)}")


def evaluated(variables: Mapping[str, Any] | None, template: Callable[[Any], Any], *more: str) -> dict[str, Any]:
    """The variables, with what names groups, and ``more``, as they come to."""
    known = {**(variables or {})}
    known.update((name, template(known[name])) for name in (*GROUP_NAMES, *more) if name in known)
    return known


def group_of(role: str, variables: Mapping[str, Any]) -> str:
    """The name of the group of a role, as the inventory has it."""
    return str(variables.get(f"{GROUPS[role]}_group") or GROUPS[role])


def check_groups(variables: Mapping[str, Any], groups: Mapping[str, Any], *, need_directors: bool) -> None:
    """Refuse what would be no host of any play, without a word."""
    given = {variable: variables.get(variable) for variable in GROUP_NAMES}
    for variable, name in given.items():
        if isinstance(name, bool) or not isinstance(name, (str, int, type(None))):
            raise Wrong(f"Nothing was touched. {variable} is {forms.shown(name)}. Give it the name of a group.")
    directors = group_of("director", variables)
    if need_directors and not groups.get(directors):
        raise Wrong(
            f"Nothing was touched. The group {directors} is missing or empty. Put the directors into it, or name "
            "another group with --extra-vars lvs_directors_group=NAME: the hosts line of a play sees extra variables "
            "only."
        )
    missing = [str(name) for name in given.values() if name and name not in groups]
    if missing:
        raise Wrong(
            f"Nothing was touched. No group is called {' or '.join(missing)}. Correct it "
            f"({', '.join(GROUP_NAMES)}), or leave it out."
        )


def patterns(roles: Iterable[str], variables: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
    """The groups of these roles, those that the inventory has, as the hosts of a play."""
    return [name for name in (group_of(role, variables) for role in roles) if name in groups] or [NOBODY]


def controller(terms: Collection[str], limit: str | None) -> list[str]:
    """The host of a play that only the controller has. ``limit`` is that of the command line."""
    if len(terms) > 1:
        raise Wrong(f"{CONTROLLER} has no group; ask for it alone")
    if limit and _LOCALHOST not in re.split("[:,]", limit):
        raise Wrong(
            f"Nothing was written. --limit {limit} leaves {_LOCALHOST} out, which is this machine. Leave --limit out, "
            f"or add {_LOCALHOST} to it."
        )
    return [_LOCALHOST]


def roles_of(host: str, variables: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
    """The roles of a host, by its groups."""
    return [role for role in GROUPS if host in groups.get(group_of(role, variables), ())]


def parts_of(roles: Collection[str], variables: Mapping[str, Any]) -> list[str]:
    """What is looked at and changed by itself on a host of these roles, in the order of the plays."""
    found = [role for role in ROLES if role in roles]
    found += [ANNOUNCER] if announces(roles, variables) else []
    return found + ([METRICS] if "director" in roles else [])


def members(roles: Iterable[str], variables: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
    """The hosts of these roles, each once."""
    return list(dict.fromkeys(host for role in roles for host in groups.get(group_of(role, variables), ())))


def busy(play: str, roles: Collection[str], variables: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
    """The hosts of these roles that have something to do in a play."""
    hosts, known = members(roles, variables, groups), variables["hostvars"]
    if play == "wait":
        return to_wait(hosts, known)
    if play == MAINTAIN:
        # Nobody sends anything to one that is absent, and nothing is known of it.
        return [host for host in hosts if not is_to_be_put_back(known[host])]
    own = {host: {*roles}.intersection(roles_of(host, variables, groups)) for host in hosts}
    return [host for host in hosts if any(to_do(play, own[host], known[host]))]


def to_wait(hosts: Iterable[str], known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Who is asked for its turn once more: all that were asked, where one is another run's or did not answer.

    A run that waits for some hosts while it has its turn on others may wait for a run that waits for it. Whoever is not
    part of the run (--limit) was not asked.
    """
    variables = ((host, known[host]) for host in hosts)
    asked = {host: each[TURN] for host, each in variables if TURN in each}
    return [] if all((turn or {}).get("taken") for turn in asked.values()) else [*asked]


def to_do(play: str, roles: Collection[str], variables: Mapping[str, Any]) -> Iterator[str]:
    """Those of a host's roles that have something to do in a play of site, by the host's variables.

    In ``move`` addresses go to or from keepalived; ``prepare`` is for those that directors send packets to, ``fill``
    for directors, ``tell`` for what they tell of themselves, and ``finish`` for whoever has had anything to do, or has
    something to take away at last.
    """
    is_absent = is_to_be_put_back(variables)
    parts = (variables.get(CHECKED) or {}).get("parts", {})
    for role in parts_of(roles, variables):
        part = parts.get(role)
        # A director with keepalived is looked at in that play.
        has_keepalived = part is None or _has_keepalived(part)
        is_done = not is_absent and part is not None and is_settled(part)
        if {
            "move": role == "director" and (is_absent or has_keepalived),
            "prepare": _is_prepared(role, roles) and not is_done and not is_absent,
            "fill": (role == "director" or (role == ANNOUNCER and "director" in roles)) and not is_done,
            "tell": role == METRICS and not is_done,
            "finish": not is_done,
        }[play]:
            yield role


def is_to_be_put_back(variables: Mapping[str, Any]) -> bool:
    """Whether a host is to be what it was before, so that no role asks for anything."""
    return variables.get("lvs_state") == "absent"


def announces(roles: Collection[str], variables: Mapping[str, Any]) -> bool:
    """Whether a host has the role of those that speak BGP: directors and routers for which somebody says so."""
    return "lvs_bgp" in variables and bool({"director", "router"}.intersection(roles))


def _is_prepared(role: str, roles: Collection[str]) -> bool:
    """Whether a role comes before the directors: a router takes routes before anybody announces them."""
    return role in ("real_server", "router") or (role == ANNOUNCER and "director" not in roles)


def is_settled(part: Mapping[str, Any]) -> bool:
    """Whether a role of a host is as it should be, so that the run has nothing more to do with it."""
    return bool(part["in_place"]) and not _has_keepalived(part)


def _has_keepalived(part: Mapping[str, Any]) -> bool:
    """Whether keepalived is to manage the director, or did so far, or has left something of its files."""
    is_wanted = part["planned"]["manager"] in (KEEPALIVED, CHECKER)
    return is_wanted or KEEPALIVED in part["managed_by"] or bool(part["keepalived_left_over"])
