# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VRRP instances move together: all of them, none, or several groups of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import Vrrp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.sync_groups import LEAST

# Of the one group of all instances.
_NAME = "lvs"


def planned(vrrp: Vrrp, names: Sequence[str]) -> list[dict[str, Any]]:
    """The groups of keepalived.conf, of these instances, which have something to carry."""
    if vrrp.sync_groups:
        groups = ((name, [each for each in names if each in members]) for name, members in vrrp.sync_groups)
        return [{"name": name, "instances": members} for name, members in groups if len(members) >= LEAST]
    return [{"name": _NAME, "instances": list(names)}] if vrrp.sync_group and len(names) >= LEAST else []


def is_grouped(vrrp: Vrrp, name: str, count: int) -> bool:
    """Whether an instance moves together with others. ``count`` is how many instances there are."""
    if vrrp.sync_groups:
        return any(name in members and len(members) > 1 for _group, members in vrrp.sync_groups)
    return vrrp.sync_group and count > 1
