# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ipvs_info shows: settings, the table with its counters, and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import proc, specs
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.connections import (
    Filter,
    read_connections,
    read_filter,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Destination,
    Entry,
    ServiceKey,
    Table,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import flag_names, netmask_text, render
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def gather(module: AnsibleModule) -> dict[str, Any]:
    """The subsets that the module was asked for."""
    params = module.params
    subset = params["gather_subset"]
    filters = {name: params[name] for name in specs.ZERO_SPEC if params[name] is not None}
    mistakes = Mistakes()
    address = None
    if "address" in filters:
        address = mistakes.address("address", filters["address"])
        filters["address"] = forms.spelling(address) if address else None
    chosen = Filter()
    if "connections" in subset:
        chosen = read_filter(params, address, mistakes)
    elif params["connection_filter"] is not None:
        mistakes.add("connection_filter", "gather_subset has no connections; add them there, or leave it out")
    mistakes.raise_if_any()
    # Looking must not load anything, so that this is the same in check mode.
    with Ipvs(load_module=None) as kernel:
        facts: dict[str, Any] = {"loaded": kernel.loaded}
        if "settings" in subset:
            facts.update(_setting_facts(kernel))
        if "services" in subset:
            facts.update(_service_facts(kernel.table(counters=True), filters))
    if "connections" in subset:
        facts.update(_connection_facts(chosen, params["connection_limit"]))
    if "host" in subset:
        # Whoever looks at the table alone does without all that reads packet filters.
        from ansible_collections.lvs.topology.plugins.module_utils._look import rewriting

        facts["host"] = rewriting.look()
    return facts


def table_facts() -> dict[str, Any]:
    """The services and the settings."""
    with Ipvs(load_module=None) as kernel:
        return {**_setting_facts(kernel), **_service_facts(kernel.table(counters=True), {})}


def _setting_facts(kernel: Ipvs) -> dict[str, Any]:
    info, timeouts = kernel.info(), kernel.timeouts()
    return {
        "version": info.version if info else None,
        "table_size": info.table_size if info else None,
        "timeouts": vars(timeouts) if timeouts else None,
        "daemons": [vars(daemon) for daemon in kernel.daemons()],
    }


def _service_facts(table: Table, filters: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {key: entry for key, entry in table.items() if _matches(key, filters)}
    return {
        "services": [_entry_facts(chosen[key]) for key in sorted(chosen, key=ServiceKey.sort_key)],
        "rules": list(render(chosen.values())),
        "total": vars(proc.total_counters()),
    }


def _connection_facts(chosen: Filter, limit: int) -> dict[str, Any]:
    listing = proc.open_connections(with_origin=chosen.origin is not None)
    if listing is None:
        return {"connections": [], "connection_count": 0, "connection_states": {}}
    with listing:
        found = read_connections(listing, chosen, limit)
    return {
        "connections": found.listed,
        "connection_count": found.total,
        "connection_states": dict(found.states),
    }


def _matches(key: ServiceKey, filters: Mapping[str, Any]) -> bool:
    for name, value in filters.items():
        no_such_thing = key.fwmark and name in ("address", "port", "protocol")
        if no_such_thing or getattr(key, name) != value:
            return False
    return True


def _entry_facts(entry: Entry) -> dict[str, Any]:
    service = entry.service
    key = service.key
    facts: dict[str, Any] = (
        {"fwmark": key.fwmark} if key.fwmark else {"address": key.address, "port": key.port, "protocol": key.protocol}
    )
    return {
        **facts,
        "family": key.family,
        "scheduler": service.scheduler,
        "scheduler_flags": flag_names(service.scheduler, service.flags),
        "one_packet": service.one_packet,
        "persistence": {
            "timeout": service.timeout,
            "netmask": netmask_text(key.family, service.netmask),
            "engine": service.engine or "none",
        },
        "counters": vars(service.counters) if service.counters else {},
        "real_servers": [
            _destination_facts(entry.destinations[each])
            for each in sorted(entry.destinations, key=lambda one: one.sort_key())
        ],
    }


def _destination_facts(destination: Destination) -> dict[str, Any]:
    return {
        "address": destination.key.address,
        "port": destination.key.port,
        "forward": destination.forward,
        "weight": destination.weight,
        "upper_threshold": destination.upper,
        "lower_threshold": destination.lower,
        "tunnel": {
            "type": destination.tunnel,
            "port": destination.tunnel_port,
            "checksum": destination.checksum,
        }
        if destination.forward == "tun"
        else None,
        "connections": vars(destination.connections) if destination.connections else {},
        "counters": vars(destination.counters) if destination.counters else {},
    }
