# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARP filters of a real server: the rules that are asked for, and what has to change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle_list

KIND = "arp_filter"


@dataclass(frozen=True)
class AddRule:
    """Append a rule, in the words of arptables."""

    rule: str


@dataclass(frozen=True)
class DeleteRule:
    """Delete a rule, in the words of arptables."""

    rule: str


def check(
    options: Sequence[Mapping[str, Any]],
    interfaces: AbstractSet[str] | None,
    mistakes: Mistakes,
    option: str = "filters",
) -> list[str]:
    """The rules for the filters of a task. Without interfaces, whether they exist is not looked at."""
    rules: list[str] = []
    positions: dict[tuple[str, str | None], int] = {}
    for position, item in enumerate(options):
        where = f"{option}[{position}]"
        addresses = {}
        for name in ("vip", "source"):
            address = mistakes.host_address(f"{where}.{name}", item[name])
            if address is not None and address.version == 6:
                mistakes.add(
                    f"{where}.{name}",
                    f"{address} is an IPv6 address; ARP is IPv4 only, and an IPv6 address on lo needs no filter",
                )
                address = None
            addresses[name] = address
        interface = item.get("interface")
        if interface is not None:
            mistakes.interface(f"{where}.interface", interface, interfaces)
        vip, source = addresses["vip"], addresses["source"]
        if vip is None or source is None:
            continue
        if vip == source:
            mistakes.add(f"{where}.source", f"{source} is the VIP; name this host's own address")
        identity = (forms.spelling(vip), interface)
        if identity in positions:
            mistakes.add(where, f"{vip} is already listed in {option}[{positions[identity]}]")
        positions.setdefault(identity, position)
        rules += rules_of(forms.spelling(vip), forms.spelling(source), interface)
    return rules


def rules_of(vip: str, source: str, interface: str | None) -> list[str]:
    """Do not answer for the VIP, and ask with the own address. Worded and ordered as arptables lists rules."""
    received = f"-i {interface} " if interface else ""
    sent = f"-o {interface} " if interface else ""
    return [f"INPUT -j DROP {received}-d {vip}", f"OUTPUT -j mangle {sent}-s {vip} --mangle-ip-s {source}"]


def plan_filters(
    ledger: Ledger,
    owner: str,
    current: Sequence[str],
    rules: Sequence[str] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement]:
    """Rules are compared as a whole; those of others are neither moved nor removed."""
    settlement = settle_list(
        ledger,
        KIND,
        owner,
        dict.fromkeys(current, True),
        None if rules is None else dict.fromkeys(rules, True),
        present=present,
        purge=purge,
    )
    gone = [rule for rule in settlement.restore if rule in current]
    changes = [Change(f"arptables -A {rule}", AddRule(rule)) for rule in settlement.wrong]
    changes += [Change(f"arptables -D {rule}", DeleteRule(rule)) for rule in gone]
    return (
        Plan(
            tuple(changes),
            tuple(f"-A {rule}" for rule in gone),
            tuple(f"-A {rule}" for rule in settlement.wrong),
        ),
        settlement,
    )
