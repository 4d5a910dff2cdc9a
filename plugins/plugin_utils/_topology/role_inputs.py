# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of roles that an inventory sets itself, such as director_sysctls."""

from __future__ import annotations

from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.inventory import Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import as_boolean

# The variable that each input of a role stands above, by the input's name without that of its role. The roles' defaults
# say the same, because a role may be used without a playbook of this collection.
INPUTS: dict[str, dict[str, str]] = {
    "director": {
        "manager": "lvs_manager",
        "vip_interface": "lvs_vip_interface",
        "gateway": "lvs_gateway",
        "packet_filter": "lvs_packet_filter",
        "sysctls": "lvs_sysctls",
        "timeouts": "lvs_timeouts",
        "sync": "lvs_sync",
        "purge": "lvs_purge",
        "keep_weights": "lvs_keep_weights",
    },
    "real_server": {"arp_method": "lvs_arp_method", "gateway": "lvs_gateway", "sysctls": "lvs_sysctls"},
    "router": {"gateway": "lvs_gateway", "sysctls": "lvs_sysctls"},
    "keepalived": {
        "manager": "lvs_manager",
        "vrrp": "lvs_vrrp",
        "options": "lvs_keepalived",
        "vip_interface": "lvs_vip_interface",
        "timeouts": "lvs_timeouts",
        "sync": "lvs_sync",
    },
}


def role_inputs(inventory: Inventory, host: str, role: str) -> dict[str, Any]:
    """What the role would ask for the host's plan with; empty where the inventory sets no input of the role."""

    def given(name: str) -> tuple[bool, Any]:
        return inventory.variable(host, f"{role}_{name}")

    read = {variable: given(name) for name, variable in INPUTS[role].items()}
    variables = {variable: value for variable, (is_set, value) in read.items() if is_set}
    _is_set, services = given("services")
    _is_set, directors = given("directors")
    if not (variables or services or directors):
        return {}
    if role in ("director", "keepalived"):
        directors = [host]
    return {"services": services or None, "directors": directors or None, "variables": variables}


def installs_packages(inventory: Inventory, host: str, role: str) -> bool:
    """Whether the role installs what is missing on the host; what is no boolean, the role refuses."""
    return as_boolean(inventory.variable(host, f"{role}_manage_packages")[1]) is not False
