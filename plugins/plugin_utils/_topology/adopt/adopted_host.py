# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director whose table is adopted: what else of it the services and the variables of the model say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DEFAULT_TIMEOUTS
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.settings_plan import fitting_length
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.beside_table import (
    ELSEWHERE,
    Beside,
    Endpoint,
    Said,
    changed_sysctls,
    of_all,
    said_of,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, full_prefix
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import fullnat
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import SourceNat
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.plan import sysctls_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan.roles import NEEDS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.parse import parse_services
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.reached import Side

# Where somebody reads an entry, what belongs to it comes before these keys.
_AFTER = ("scheduler", "scheduler_flags", "one_packet", "persistence", "real_servers")
_BUCKETS = 4096
# By what the model says that a program is to run.
_SAYS = {"conntrackd": "lvs_conntrackd", "bird": "lvs_bgp"}


def completed(
    inventory: Inventory, director: str, pairs: Iterable[tuple[dict[str, Any], Mapping[str, Any]]], beside: Beside
) -> tuple[list[dict[str, Any]], list[str]]:
    """Entries with what the host says of them besides the table, each given with the service of the table.

    What has to be known or decided comes with them.
    """
    pairs = list(pairs)
    site = Site(inventory, {director: ()})
    own = {*site.addresses(director), *_held(site, director)}
    marks = {(entry["fwmark"], forms.FAMILIES[entry["family"]]) for entry, _service in pairs if "fwmark" in entry}
    found, problems = [], []
    for entry, service in pairs:
        addresses = ((as_address(each["address"]), each["port"]) for each in service["real_servers"])
        endpoints = [
            Endpoint(address, port)
            for address, port in addresses
            if address and address not in own and not address.is_loopback
        ]
        said = said_of(entry, endpoints, beside, marks)
        whole, notes = _with(inventory, director, entry, said)
        found.append(whole)
        problems += [f"{service_name(service)}: {each}" for each in (*said.notes, *notes)]
    return found, [*problems, *of_all(found, beside)]


def _held(site: Site, director: str) -> Iterator[Address]:
    for interface in site.facts(director).interfaces or ():
        yield from (each.ip for each in interface.addresses)


def _with(inventory: Inventory, director: str, entry: dict[str, Any], said: Said) -> tuple[dict[str, Any], list[str]]:
    plain = {**entry, **{key: value for key, value in said.keys.items() if key != "snat_addresses"}}
    chosen = said.keys.get("snat_addresses")
    notes: list[str] = []
    if said.sources is not None:
        # What the model would choose need not be written.
        known = {address: to for address, to in said.sources.items() if to}
        default = _default_sources(inventory, director, plain)
        if all(default.get(address) == to for address, to in known.items()):
            chosen = None
        elif chosen is None:
            seen = ", ".join(f"{address}: {' '.join(map(str, to))}" for address, to in known.items())
            notes.append(
                f"its real servers see different addresses of the director ({seen}), which snat_addresses cannot say. "
                "They see those that fullnat takes"
            )
    whole = {**plain, **({"snat_addresses": chosen} if chosen else {})}
    first = {key: whole[key] for key in whole if key not in _AFTER}
    return {**first, **{key: whole[key] for key in _AFTER if key in whole}}, notes


def _default_sources(inventory: Inventory, director: str, entry: Any) -> dict[Address, tuple[Address, ...]]:
    """What each real server of a service sees with fullnat, where nobody says anything."""
    found: dict[Address, tuple[Address, ...]] = {}
    services = _parsed(inventory, director, [entry])
    for service in services:
        every = tuple(each.address for each in service.targets)
        for need in fullnat.director(Site(inventory, {director: services}), director, service):
            if isinstance(need, SourceNat):
                found.update(dict.fromkeys(need.destinations or every, need.to))
    return found


def _parsed(inventory: Inventory, director: str, entries: list[Any]) -> tuple[Service, ...]:
    return parse_services(entries, "", inventory, [], Side((director,)))


def variables(
    inventory: Inventory, director: str, entries: list[dict[str, Any]], info: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The variables of the director besides its services, and what has to be known or decided.

    ``entries`` get the prefixes with which the director has their VIPs.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    host, beside = inventory.host(director), info["beside"]
    if host.manager == "kernel" and host.bgp is None:
        found.update(_places(inventory, director, entries, problems))
    times = {name: info["timeouts"].get(name, seconds) for name, seconds in DEFAULT_TIMEOUTS.items()}
    times = {name: seconds for name, seconds in times.items() if seconds != DEFAULT_TIMEOUTS[name]}
    if times:
        found["lvs_timeouts"] = times
    if info["daemons"] and host.manager != "keepalived":
        found["lvs_sync"] = _sync(inventory, director, info["daemons"], problems)
    if info["table_size"] > _BUCKETS:
        problems.append(
            f"the table of connections has {info['table_size']} buckets, which an option of the module says (options "
            "ip_vs conn_tab_bits in /etc/modprobe.d). No variable does: it stays what that file says"
        )
    if beside is not None:
        sysctls = _sysctls(inventory, director, entries, beside)
        if sysctls:
            written = inventory.variable(director, "lvs_sysctls")[1]
            found["lvs_sysctls"] = {**(written if isinstance(written, dict) else {}), **sysctls}
        problems += _programs(inventory, director, beside)
    return found, problems


def _places(inventory: Inventory, director: str, entries: list[dict[str, Any]], problems: list[str]) -> dict[str, Any]:
    """Where the director has the VIPs, as far as that is not what the model would choose by itself."""
    services = _parsed(inventory, director, entries)
    site = Site(inventory, {director: services})
    if not site.is_known(director):
        return {}
    elsewhere: dict[str, list[Address]] = {}
    prefixes: dict[Address, int] = {}
    for vip in sorted(site.vips_of(director).difference(inventory.host(director).addresses), key=str):
        held = site.holding(director, vip)
        # A VIP that is there already tells the interface, too, until the host is set up anew.
        links = (each.interface.name for each in site.on_link(director) if vip in each.own.network)
        chosen = site.vip_interface(director) or next(links, None)
        if not held:
            problems.append(f"{vip}: no interface of the director has it. The model puts it there: see site --check")
        elif chosen not in {each.name for each in held}:
            elsewhere.setdefault(held[0].name, []).append(vip)
        on_nics = (site.prefixes_there(director, each.name) for each in held if each.name != "lo")
        shortest = min((each.get(vip, full_prefix(vip)) for each in on_nics), default=full_prefix(vip))
        if shortest < full_prefix(vip):
            prefixes[vip] = shortest
    for entry in entries:
        for each in (entry, *entry.get("marked", ())):
            address = as_address(each.get("address"))
            if address in prefixes:
                each["address"] = f"{each['address']}/{prefixes[address]}"
    if len(elsewhere) == 1 and sum(map(len, elsewhere.values())) == len(site.vips_of(director)):
        return {"lvs_vip_interface": next(iter(elsewhere))}
    problems += [
        f"{', '.join(map(str, vips))}: the director has it on {name}, and the model would put it elsewhere. "
        "lvs_vip_interface names one interface for all VIPs"
        for name, vips in elsewhere.items()
    ]
    return {}


def _sync(inventory: Inventory, director: str, daemons: list[Mapping[str, Any]], problems: list[str]) -> dict[str, Any]:
    """The synchronisation daemons, of which there is one of each kind at most."""
    site = Site(inventory, {director: ()})
    first = min(daemons, key=lambda each: forms.DAEMON_STATES.index(each["state"]))
    same = ("interface", "syncid", "group", "port", "ttl")
    if any(each[key] != first[key] for each in daemons for key in same):
        problems.append(
            f"the synchronisation daemon of the state {first['state']} is written as lvs_sync. The other one has other "
            "options"
        )
        daemons = [first]
    links = (site.link_to(director, address) for address in inventory.host(director).addresses)
    default = next((each.interface.name for each in links if each), None)
    found = {
        "role": "both" if len(daemons) > 1 else first["state"],
        **({"interface": first["interface"]} if first["interface"] != default else {}),
        "syncid": first["syncid"],
    }
    lengths = {each["maxlen"] for each in daemons if each["maxlen"] != _fitting(site, director, each)}
    if lengths:
        found["maxlen"] = max(lengths)
    defaults = {"group": forms.DEFAULT_GROUP, "port": forms.DEFAULT_SYNC_PORT, "ttl": forms.DEFAULT_TTL}
    return {**found, **{key: first[key] for key, default in defaults.items() if first[key] != default}}


def _fitting(site: Site, director: str, daemon: Mapping[str, Any]) -> int:
    interface = site.interface(director, daemon["interface"])
    return fitting_length(daemon["state"], daemon["group"], (interface.mtu if interface else None) or 0)


def _sysctls(
    inventory: Inventory, director: str, entries: list[dict[str, Any]], beside: Beside
) -> dict[str, int | str]:
    """Those below net.ipv4.vs that somebody has set, and that the model does not set by itself."""
    site = Site(inventory, {director: _parsed(inventory, director, entries)})
    ours = sysctls_of(list(NEEDS["director"](site, director)), inventory.host(director))
    return {key: value for key, value in changed_sysctls(beside).items() if key not in ours}


def _programs(inventory: Inventory, director: str, beside: Beside) -> Iterator[str]:
    """What has a configuration of its own, where the inventory does not say it."""
    manager = inventory.host(director).manager
    for each in beside.programs:
        variable = _SAYS.get(each)
        is_said = inventory.variable(director, variable)[1] if variable else manager != "kernel"
        if not is_said:
            yield f"{each} runs here, which no table says: {ELSEWHERE[each]}"
