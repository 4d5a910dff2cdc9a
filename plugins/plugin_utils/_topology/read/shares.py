# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of one list that only some of its directors have."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory


def read_directors(reader: Reader, inventory: Inventory) -> tuple[str, ...]:
    """The directors that have the service; none where these are all of them."""
    names = reader.elements("directors", "directors")
    known = inventory.directors
    for position, name in enumerate(names):
        at = f"directors[{position}]"
        if not isinstance(name, str) or name not in inventory:
            reader.refuse(at, f"{show(name)} is not in the inventory", choose(name, known))
        elif known and name not in known:
            reader.refuse(at, f"{name} is no director", choose(name, known))
        elif name in names[:position]:
            reader.refuse(at, f"{name} is listed twice", "keep one")
    if reader.take("directors") == []:
        reader.refuse("directors", "is empty, so no director has the service", "leave the service out, or the key")
    return tuple(name for name in names if isinstance(name, str))


def of_director(services: tuple[Service, ...], director: str) -> tuple[Service, ...]:
    """The services of a list that one of its directors has."""
    if not any(each.directors for each in services):
        # What directors share is the same thing, and is compared as such.
        return services
    return tuple(each for each in services if not each.directors or director in each.directors)
