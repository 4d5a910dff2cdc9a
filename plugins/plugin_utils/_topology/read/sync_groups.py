# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of VRRP instances that move together, as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import is_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader

KEY = "sync_groups"
# keepalived refuses a group of one.
LEAST = 2

Groups = tuple[tuple[str, tuple[str, ...]], ...]


def read_sync_groups(reader: Reader, instances: Sequence[str]) -> Groups:
    """The groups that were written, each with the names of its instances."""
    raw = reader.mapping(KEY, "{outside: [one, two]}")
    if raw is None:
        return ()
    if reader.take("sync_group") is not None:
        reader.refuse("sync_group", f"stands beside {KEY}, which says it of each instance", "keep one of them")
    found: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    for name, members in raw.items():
        at = f"{KEY}[{name if is_name(name) else show(name)}]"
        if not is_name(name):
            reader.refuse(at, f"{show(name)} is no name", "use letters, digits, and - _ . : after the first one")
            continue
        if not isinstance(members, list) or len(members) < LEAST:
            problem = f"must be a list of at least {LEAST} instances, is {show(members)}"
            reader.refuse(at, problem, "list the instances that move together; one in no group moves by itself")
            continue
        for each in members:
            _check_member(reader, at, each, instances, taken, name)
        found[name] = tuple(each for each in members if isinstance(each, str))
    return tuple(found.items())


def _check_member(
    reader: Reader, at: str, member: Any, instances: Sequence[str], taken: dict[str, str], name: str
) -> None:
    if not isinstance(member, str) or member not in instances:
        reader.refuse(at, f"{show(member)} is no instance", choose(member, instances))
    elif taken.setdefault(member, name) != name:
        reader.refuse(at, f"{member} is in {taken[member]} too", "keep one")
