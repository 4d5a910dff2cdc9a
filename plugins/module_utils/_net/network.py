# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules vip_address, default_gateway, source_route and static_neighbour: read, plan, carry out."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    gateway_plan,
    neighbour_plan,
    source_route_plan,
    tunnel_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, do_nothing, one_by_one
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, forget

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def ensure_addresses(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module vip_address does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    ledger = book.load()
    if params["state"] == "forgotten":
        return _forget_addresses(module, book, ledger, mistakes)
    if _nothing_to_do(ledger, address_plan.KIND, params["owner"], params["addresses"], mistakes):
        return _unchanged()
    with Rtnetlink() as kernel:
        wishes = None
        if params["addresses"] is not None:
            interfaces = kernel.interfaces() if present else None
            if present and module.check_mode:
                interfaces = _and_those_to_come(module, kernel.interfaces(), params["addresses"])
            wishes = address_plan.check(params["addresses"], interfaces, mistakes)
        current = kernel.addresses()
        if present:
            address_plan.clashes(wishes or (), current, ledger, params["owner"], mistakes)
        mistakes.raise_if_any()
        plan, settlement = address_plan.plan_addresses(
            ledger,
            params["owner"],
            current,
            wishes,
            present=present,
            purge=params["purge"],
            interfaces=kernel.interfaces(),
        )
        for warning in address_plan.lost(settlement, kernel.interfaces()):
            module.warn(warning)
        return _carry_out(module, kernel, book, plan, settlement)


def _forget_addresses(module: AnsibleModule, book: LedgerFile, ledger: Ledger, mistakes: Mistakes) -> dict[str, Any]:
    listed = None
    if module.params["addresses"] is not None:
        listed = {wish.held.key for wish in address_plan.check(module.params["addresses"], None, mistakes)}
    mistakes.raise_if_any()
    plan, settled = forget(ledger, address_plan.KIND, module.params["owner"], listed)
    return {**_unchanged(), **carry_out_booked(module, plan, do_nothing, book, ledger, settled)}


def ensure_gateways(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module default_gateway does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    ledger = book.load()
    if _nothing_to_do(ledger, gateway_plan.KIND, params["owner"], params["gateways"], mistakes):
        return _unchanged()
    with Rtnetlink() as kernel:
        routes = kernel.routes()
        interfaces = kernel.interfaces()
        wishes = None
        doubts: list[str] = []
        if params["gateways"] is not None:
            own = {held.address for held in kernel.addresses()}
            host = (interfaces, routes, own, doubts if module.check_mode else None) if present else ()
            wishes = gateway_plan.check(params["gateways"], mistakes, *host)
        mistakes.raise_if_any()
        plan, settlement, warnings = gateway_plan.plan_gateways(
            ledger, params["owner"], interfaces, routes, wishes, present=present, purge=params["purge"]
        )
        for doubt in doubts:
            # An earlier task of the play, which was not carried out either, may add the address that leads there.
            module.warn(f"{doubt}. In check mode this cannot be checked before the addresses are there.")
        for warning in warnings:
            module.warn(warning)
        return _carry_out(module, kernel, book, plan, settlement)


def ensure_source_routes(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module source_route does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    ledger = book.load()
    if _nothing_to_do(ledger, source_route_plan.KIND, params["owner"], params["source_routes"], mistakes):
        return _unchanged()
    wishes = None
    if params["source_routes"] is not None:
        wishes = source_route_plan.check(params["source_routes"], mistakes, present=present)
    mistakes.raise_if_any()
    with Rtnetlink() as kernel:
        rules = kernel.source_rules()
        routes_of = functools.lru_cache(None)(kernel.routes)
        if present and wishes is not None:
            wishes = [source_route_plan.in_free_table(wish, routes_of) for wish in wishes]
        for warning in source_route_plan.of_others(wishes or (), routes_of):
            module.warn(warning)
        tables = sorted({rule.table for rule in (*rules, *(wishes or ()))})
        held = [route for table in tables for route in routes_of(table)]
        plan, settlement = source_route_plan.plan_source_routes(
            ledger,
            params["owner"],
            rules,
            kernel.plain_routes(),
            held,
            wishes,
            present=present,
            purge=params["purge"],
        )
        return _carry_out(module, kernel, book, plan, settlement)


def ensure_neighbours(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module static_neighbour does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    ledger = book.load()
    if _nothing_to_do(ledger, neighbour_plan.KIND, params["owner"], params["neighbours"], mistakes):
        return _unchanged()
    with Rtnetlink() as kernel:
        wishes = None
        if params["neighbours"] is not None:
            interfaces = kernel.interfaces() if present else None
            wishes = neighbour_plan.check(params["neighbours"], interfaces, mistakes, present=present)
        mistakes.raise_if_any()
        plan, settlement = neighbour_plan.plan_neighbours(
            ledger,
            params["owner"],
            kernel.permanent_neighbours(),
            wishes,
            present=present,
            purge=params["purge"],
        )
        return _carry_out(module, kernel, book, plan, settlement)


def _and_those_to_come(module: AnsibleModule, interfaces: set[str], addresses: list[dict[str, Any]]) -> set[str]:
    """In check mode, the tunnel links too that an earlier task of the play, which was not carried out, makes."""
    ours = {
        address["interface"] for address in addresses if tunnel_plan.is_tunnel_end(address["interface"])
    } - interfaces
    for name in sorted(ours):
        module.warn(f"addresses: the interface {name} does not exist yet. In check mode it cannot be looked at.")
    return interfaces | ours


def _nothing_to_do(ledger: Ledger, kind: str, owner: str, listed: list[Any] | None, mistakes: Mistakes) -> bool:
    """Whether the kernel need not be asked, so that a host that was never set up needs no pyroute2 to be taken down."""
    if listed or ledger.owned(kind, owner):
        return False
    mistakes.raise_if_any()
    return True


def _unchanged() -> dict[str, Any]:
    return {"changed": False, "changes": [], "left_alone": [], "left_over": []}


def _carry_out(
    module: AnsibleModule,
    kernel: Rtnetlink,
    book: LedgerFile,
    plan: Plan,
    settlement: Settlement,
) -> dict[str, Any]:
    if plan.changes:
        kernel.ready()
    result = carry_out_booked(module, plan, one_by_one(kernel.apply), book, settlement.claimed, settlement.settled)
    result["left_alone"] = list(settlement.left_alone)
    result["left_over"] = list(settlement.left_over)
    for warning in kernel.warnings:
        module.warn(warning)
    return result
