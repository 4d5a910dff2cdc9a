# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table that somebody filled -> the lvs_services that ask for the same.

What the kernel does not know is not in it, see ``adopted_host``. Values that are the model's defaults are left out, as
a person would.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, as_lines
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.checks import check_site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import endpoint, service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import Inventory
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.parse import parse_services
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.reached import Side

_DEFAULTS = {"scheduler": "wlc", "scheduler_flags": [], "one_packet": False}
_WIDTH = 118
_OF_REAL_SERVER = {"weight": 1, "upper_threshold": 0, "lower_threshold": 0}


def as_model(
    services: Iterable[Mapping[str, Any]],
    hosts: Mapping[Address, str],
    weight: int | None = None,
    unsaid: frozenset[Address] = frozenset(),
) -> tuple[list[Any], list[str]]:
    """What ipvs_info says, in the words of the model, and what the model cannot say. ``hosts`` have these addresses.

    Where the inventory leaves an address ``unsaid``, it stands beside the name of the host.

    ``weight`` is given to real servers that have none: the kernel does not know whether somebody wrote that 0, or a
    health check or a drain left it for as long as something lasts.
    """
    found: list[Any] = []
    problems: list[str] = []
    for service in services:
        methods = sorted({each["forward"] for each in service["real_servers"]})
        if len(methods) > 1:
            problems.append(
                f"{service_name(service)}: its real servers are forwarded to by {' and '.join(methods)}, "
                "and a service of the model has one method"
            )
        elif not methods:
            problems.append(
                f"{service_name(service)}: has no real server, by which its forwarding method would be known"
            )
        else:
            idle = [endpoint(each) for each in service["real_servers"] if not each["weight"]]
            if idle and weight is None:
                problems.append(
                    f"{service_name(service)}: {', '.join(idle)} has weight 0, perhaps only until a health check or a "
                    "drain ends. Correct it in the list, or set lvs_adopt_weight to the weight to write in its place"
                )
            known = forms.FLAGS_OF_SCHEDULER.get(service["scheduler"], ())
            lost = [flag for flag in service["scheduler_flags"] if flag not in known]
            flags = [flag for flag in service["scheduler_flags"] if flag in known]
            if lost:
                problems.append(
                    f"{service_name(service)}: {', '.join(lost)} means nothing to {service['scheduler']}, "
                    "and is left out"
                )
            raised = [
                each if each["weight"] or weight is None else {**each, "weight": weight}
                for each in service["real_servers"]
            ]
            told = {**service, "scheduler_flags": flags, "real_servers": raised}
            found.append(_service(told, methods[0], hosts, unsaid))
    return found, problems


def name_of(service: Mapping[str, Any]) -> str:
    """What a service of a table is called in the model, where nobody gave it a name."""
    if "fwmark" in service:
        return f"mark-{service['fwmark']}-{service['family']}"
    return f"{service['protocol']}-{service['address']}-{service['port']}"


def as_comment(problems: Iterable[str]) -> str:
    """The problems above what is written, for whoever reads the file later."""
    lines = (
        textwrap.wrap(each, _WIDTH, initial_indent="# - ", subsequent_indent="#   ", break_on_hyphens=False)
        for each in problems
    )
    said = "".join(f"{line}\n" for each in lines for line in each)
    return f"# To be known, or decided:\n{said}" if said else ""


def possible(inventory: Inventory, director: str, found: list[Any], problems: list[str]) -> list[Any]:
    """The services that a model can say beside each other; of the others there are problems."""
    if not _adopted(inventory, director, found):
        return found
    alone: list[Any] = []
    for each in found:
        wrong = _adopted(inventory, director, [each])
        problems += _left_out(each, wrong)
        if not wrong:
            alone.append(each)
    services: list[Any] = []
    _add(inventory, director, services, alone, problems)
    return services


def _add(inventory: Inventory, director: str, services: list[Any], more: list[Any], problems: list[str]) -> None:
    """Add those that can be beside each other and beside those that are there. Few cannot, so halves are tried."""
    wrong = _adopted(inventory, director, [*services, *more]) if more else []
    if not wrong:
        services += more
    elif len(more) > 1:
        _add(inventory, director, services, more[: len(more) // 2], problems)
        _add(inventory, director, services, more[len(more) // 2 :], problems)
    else:
        other = _as_fullnat(inventory, director, services, more[0])
        if other is None:
            problems += _left_out(more[0], wrong)
        else:
            services += more
            problems.append(
                f"{other}: is written as fullnat, because with nat there could be no {more[0]['name']} beside it"
            )


def _left_out(service: Any, wrong: Iterable[str]) -> list[str]:
    return [f"{service['name']}: left out, because no model can say it so: {line}" for line in wrong]


def _as_fullnat(inventory: Inventory, director: str, services: list[Any], new: Any) -> str | None:
    """Make that service FULLNAT which leaves no other place for the new one: a table says NAT of both. Its name."""
    hosts = {each.get("host", each.get("address")) for each in new["real_servers"]}
    for at, each in enumerate(services):
        shares = hosts & {other.get("host", other.get("address")) for other in each["real_servers"]}
        if each["forward"] == "nat" and shares and _adopted(inventory, director, [each, new]):
            trial = {**each, "forward": "fullnat"}
            if not _adopted(inventory, director, [*services[:at], trial, *services[at + 1 :], new]):
                services[at] = trial
                return str(each["name"])
    return None


def _adopted(inventory: Inventory, director: str, services: list[Any]) -> list[str]:
    """What is wrong with services that somebody else's table has."""
    mistakes: list[Mistake] = []
    site = Site(inventory, {director: parse_services(services, "", inventory, mistakes, Side((director,)))})
    mistakes += check_site(site)
    return as_lines(each for each in mistakes if "lvs_services" in each.path)


def _service(
    service: Mapping[str, Any], forward: str, hosts: Mapping[Address, str], unsaid: frozenset[Address]
) -> dict[str, Any]:
    key = ("fwmark", "family") if "fwmark" in service else ("address", "port", "protocol")
    return {
        "name": name_of(service),
        **{each: service[each] for each in key},
        "forward": forward,
        **_other_than(_DEFAULTS, service),
        **_persistence(service),
        "real_servers": [_real_server(each, service, hosts, unsaid) for each in service["real_servers"]],
    }


def _other_than(defaults: Mapping[str, Any], thing: Mapping[str, Any]) -> dict[str, Any]:
    return {name: thing[name] for name, default in defaults.items() if thing[name] != default}


def _persistence(service: Mapping[str, Any]) -> dict[str, Any]:
    given = service["persistence"]
    if not given["timeout"]:
        return {}
    one_address = "255.255.255.255" if forms.FAMILIES[service["family"]] == 4 else 128
    return {
        "persistence": {
            "timeout": given["timeout"],
            **_other_than({"netmask": one_address, "engine": "none"}, given),
        }
    }


def _real_server(
    each: Mapping[str, Any], service: Mapping[str, Any], hosts: Mapping[Address, str], unsaid: frozenset[Address]
) -> dict[str, Any]:
    address = as_address(each["address"])
    host = hosts.get(address) if address else None
    who = {"host": host} if host else {}
    # A name means the host's address of the service's family. A tunnel may go to the other one.
    if not host or address is None or address in unsaid or address.version != forms.FAMILIES[service["family"]]:
        who["address"] = each["address"]
    port = {} if each["port"] == service.get("port", 0) else {"port": each["port"]}
    return {**who, **port, **_other_than(_OF_REAL_SERVER, each), **_tunnel(each)}


def _tunnel(each: Mapping[str, Any]) -> dict[str, Any]:
    given = each["tunnel"]
    if given is None or given["type"] == "ipip":
        return {}
    return {"tunnel": {"type": given["type"], **_other_than({"port": 0, "checksum": "none"}, given)}}
