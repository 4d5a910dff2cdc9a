# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules vip_address, default_gateway and static_neighbour: read, plan, carry out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils._ledger import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._net import address_plan, gateway_plan, neighbour_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink
from ansible_collections.lvs.topology.plugins.module_utils._net.settle import Settlement
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, one_by_one

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def ensure_addresses(module: AnsibleModule) -> dict[str, Any]:
    """What the module vip_address does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    with Rtnetlink() as kernel:
        wishes = None
        if params["addresses"] is not None:
            wishes = address_plan.check(params["addresses"], kernel.interfaces() if present else None, mistakes)
        book = LedgerFile()
        ledger = book.load()
        current = kernel.addresses()
        if present:
            address_plan.clashes(wishes or (), current, ledger, params["owner"], mistakes)
        mistakes.raise_if_any()
        plan, settlement = address_plan.plan_addresses(
            ledger, params["owner"], current, wishes, present=present, purge=params["purge"]
        )
        return _carry_out(module, kernel, book, plan, settlement)


def ensure_gateways(module: AnsibleModule) -> dict[str, Any]:
    """What the module default_gateway does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    with Rtnetlink() as kernel:
        routes = kernel.routes()
        interfaces = kernel.interfaces()
        wishes = None
        if params["gateways"] is not None:
            own = {held.address for held in kernel.addresses()}
            host = (interfaces, routes, own) if present else ()
            wishes = gateway_plan.check(params["gateways"], mistakes, *host)
        mistakes.raise_if_any()
        book = LedgerFile()
        plan, settlement, warnings = gateway_plan.plan_gateways(
            book.load(), params["owner"], interfaces, routes, wishes, present=present, purge=params["purge"]
        )
        for warning in warnings:
            module.warn(warning)
        return _carry_out(module, kernel, book, plan, settlement)


def ensure_neighbours(module: AnsibleModule) -> dict[str, Any]:
    """What the module static_neighbour does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    with Rtnetlink() as kernel:
        wishes = None
        if params["neighbours"] is not None:
            interfaces = kernel.interfaces() if present else None
            wishes = neighbour_plan.check(params["neighbours"], interfaces, mistakes, present=present)
        mistakes.raise_if_any()
        book = LedgerFile()
        plan, settlement = neighbour_plan.plan_neighbours(
            book.load(),
            params["owner"],
            kernel.permanent_neighbours(),
            wishes,
            present=present,
            purge=params["purge"],
        )
        return _carry_out(module, kernel, book, plan, settlement)


def _carry_out(
    module: AnsibleModule,
    kernel: Rtnetlink,
    book: LedgerFile,
    plan: Plan,
    settlement: Settlement,
) -> dict[str, Any]:
    result = carry_out_booked(module, plan, one_by_one(kernel.apply), book, settlement.claimed, settlement.settled)
    result["left_alone"] = list(settlement.left_alone)
    result["left_over"] = list(settlement.left_over)
    for warning in kernel.warnings:
        module.warn(warning)
    return result
