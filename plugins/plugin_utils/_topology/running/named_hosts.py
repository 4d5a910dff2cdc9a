# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts are meant by the names that a playbook is given, and which of them the run leaves out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, did_you_mean, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory


def hosts_named(
    inventory: Inventory, groups: Mapping[str, Any], given: Any, what: str, kind: str, mistakes: list[Mistake]
) -> dict[str, str]:
    """The hosts that are meant, each once, and by which name: its own, or that of a group.

    ``given`` is a name, or a list of names. Commas part names, as they do for Ansible in the hosts of a play. ``what``
    is how the list is called, ``kind`` the kind of host that is to be in it.
    """
    words = [given] if isinstance(given, str) else given
    is_right = isinstance(words, list) and all(isinstance(each, str) and each for each in words)
    names = [name for each in words for part in each.split(",") if (name := part.strip())] if is_right else []
    if not names:
        remedy = f"give the name of a {kind} or of a group, or a list of names"
        mistakes.append(Mistake(what, f"{show(given)} names no host", remedy))
    found: dict[str, str] = {}
    for name in names:
        if name in inventory:
            found[name] = name
        elif isinstance(groups.get(name), (list, tuple)):
            if not groups[name]:
                problem = f"the group {show(name)} has no hosts"
                mistakes.append(Mistake(what, problem, f"add a {kind} to it, or name another"))
            for host in map(str, groups[name]):
                found.setdefault(host, name)
        else:
            close = did_you_mean(name, [*inventory.names(), *map(str, groups)])
            remedy = f"name a {kind} or a group of the inventory"
            mistakes.append(Mistake(what, f"{show(name)} is neither a host nor a group", f"{close}{remedy}"))
    return found


def check_run(host: str, run: Collection[str] | None, mistakes: list[Mistake]) -> None:
    """Note whom --limit leaves out: the play for it would have no hosts, and end without a word.

    ``run`` are the hosts that are part of it; None: all.
    """
    if run is not None and host not in run:
        mistakes.append(Mistake(host, "is left out by --limit", "add it there, or leave --limit out"))


def left_out(members: Iterable[str], run: Collection[str]) -> Iterator[str]:
    """A line for each of these hosts that --limit leaves out, so that nobody takes it for looked at."""
    yield from (f"{name}: it is not part of this run (--limit)" for name in members if name not in run)
