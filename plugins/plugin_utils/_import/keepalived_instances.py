# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a keepalived.conf together: what they share, and which of them move together -> lvs_vrrp. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_vrrp import Instance
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.vrrp_settings import DEFAULT_INSTANCE


def vrrp_of(instances: Sequence[Instance], groups: Iterable[Node], remarks: Remarks) -> dict[str, Any]:
    """The instances as lvs_vrrp. ``groups`` are the blocks that say which of them move together."""
    together = _sync_groups(instances, groups, remarks)
    if len(instances) == 1:
        only = instances[0]
        # A reload keeps what an instance of that name holds.
        name = {} if only.name == DEFAULT_INSTANCE else {"name": only.name}
        return {**name, **_without_defaults(only.settings)}
    settings = [_without_defaults(each.settings) for each in instances]
    common = {
        key: value
        for key, value in settings[0].items()
        if key not in ("vips", "addresses", "router_id") and all(each.get(key) == value for each in settings)
    }
    own = [{key: value for key, value in each.items() if key not in common} for each in settings]
    names = [{"name": each.name, **mine} for each, mine in zip(instances, own)]
    return {**common, **together, "instances": names}


def _sync_groups(instances: Sequence[Instance], groups: Iterable[Node], remarks: Remarks) -> dict[str, Any]:
    """Which instances move together: all of them where nothing is said."""
    names = {each.name for each in instances}
    found: dict[str, list[str]] = {}
    for node in groups:
        block = Block(node, remarks)
        listed = [
            word for child in block.all("group") for each in child.children for word in (each.keyword, *each.arguments)
        ]
        block.finish({}, "the model has no such key of a sync group")
        members = list(dict.fromkeys(each for each in listed if each in names))
        taken = {each for some in found.values() for each in some}
        if len(members) == 1:
            remarks.note(node.place, node.words, "of one instance alone it means nothing")
        elif not members or taken.intersection(members):
            remarks.lost(node.place, node.words, "its instances are not there, or in another group already")
        else:
            found[node.argument() or ""] = members
    if any(names <= set(each) for each in found.values()):
        return {}
    return {"sync_groups": found} if found else {"sync_group": False}


def _without_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """An instance's settings without what the model takes anyway."""
    kept = dict(settings)
    if kept.get("garp") == {"master_refresh": 60}:
        del kept["garp"]
    if kept.get("preempt") is False:
        del kept["preempt"]
    if kept.get("advert_int") == 1:
        del kept["advert_int"]
    return kept
