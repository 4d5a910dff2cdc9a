# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permanent neighbour entries: what is asked for, and what has to change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle_list

KIND = "neighbour"


@dataclass(frozen=True)
class Neighbour:
    """A permanent entry of the ARP or neighbour table."""

    address: str
    interface: str
    lladdr: str | None

    @property
    def key(self) -> str:
        return f"{self.address} dev {self.interface}"

    def __str__(self) -> str:
        """As the ip command takes it."""
        return f"{self.address} lladdr {self.lladdr} dev {self.interface} nud permanent"


@dataclass(frozen=True)
class SetNeighbour:
    """Add an entry, or replace whatever is known of the neighbour."""

    neighbour: Neighbour

    def __str__(self) -> str:
        return f"ip neigh replace {self.neighbour}"


@dataclass(frozen=True)
class DeleteNeighbour:
    """Forget the entry; the kernel asks for the neighbour again when it needs it."""

    neighbour: Neighbour

    def __str__(self) -> str:
        return f"ip neigh del {self.neighbour.key}"


def check(
    options: Sequence[Mapping[str, Any]],
    interfaces: AbstractSet[str] | None,
    mistakes: Mistakes,
    *,
    present: bool,
) -> list[Neighbour]:
    """The entries that a task asks for. Without interfaces, whether they exist is not looked at."""
    wanted: list[Neighbour] = []
    positions: dict[str, int] = {}
    for position, option in enumerate(options):
        where = f"neighbours[{position}]"
        address = mistakes.host_address(f"{where}.address", option["address"])
        lladdr = None
        if option.get("lladdr") is not None:
            lladdr = mistakes.lladdr(f"{where}.lladdr", option["lladdr"])
        elif present:
            mistakes.add(f"{where}.lladdr", "is needed where state is present")
        interface = option["interface"]
        mistakes.interface(f"{where}.interface", interface, interfaces)
        if address is None:
            continue
        neighbour = Neighbour(forms.spelling(address), interface, lladdr)
        if neighbour.key in positions:
            mistakes.add(where, f"{neighbour.key} is already listed in neighbours[{positions[neighbour.key]}]")
        positions.setdefault(neighbour.key, position)
        wanted.append(neighbour)
    return wanted


def plan_neighbours(
    ledger: Ledger,
    owner: str,
    permanent: Sequence[Neighbour],
    wishes: Sequence[Neighbour] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement]:
    """An entry that the kernel learned by itself is nothing to put back: it learns it again."""
    current = {one.key: one for one in permanent}
    wanted = {wish.key: wish for wish in wishes or ()}
    settlement = settle_list(
        ledger,
        KIND,
        owner,
        {key: one.lladdr for key, one in current.items()},
        None if wishes is None else {key: one.lladdr for key, one in wanted.items()},
        present=present,
        purge=purge,
    )
    changes = [_change(SetNeighbour(wanted[key])) for key in settlement.wrong]
    after = {**current, **{key: wanted[key] for key in settlement.wrong}}
    for key, was in settlement.restore.items():
        # Gone already, and with it perhaps its interface.
        if key not in current or current[key].lladdr == was:
            continue
        if was is None:
            changes.append(_change(DeleteNeighbour(current[key])))
            del after[key]
        else:
            after[key] = Neighbour(current[key].address, current[key].interface, was)
            changes.append(_change(SetNeighbour(after[key])))
    touched = sorted({change.action.neighbour.key for change in changes})
    return (
        Plan(
            tuple(changes),
            tuple(f"neigh replace {current[key]}" for key in touched if key in current),
            tuple(f"neigh replace {after[key]}" for key in touched if key in after),
        ),
        settlement,
    )


def _change(action: Any) -> Change:
    return Change(str(action), action)
