# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services with the same pool that keepalived checks once: where they differ, and what of them is written once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pairs import said
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import kernel_forward, service_key
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import KINDS

# What each service of a group has for itself.
_OWN = ("address", "port", "fwmark", "family", "marked", "protocol")


def check_groups(site: Site, director: str) -> Iterator[Mistake]:
    """Services of a group of the director that are not the same but for what makes each of them a service."""
    first: dict[str, Service] = {}
    expected: dict[str, Mapping[str, Any]] = {}
    for service in site.services.get(director, ()):
        name = service.supervision.group
        if name is None:
            continue
        if name not in first:
            first[name], expected[name] = service, _common(service)
        else:
            yield from _compare(first[name], expected[name], service)
        for entry in service.real_servers:
            for check in service.checks_of(entry):
                if check.get("through") == "vip":
                    problem = f"is vip, and the services of group {name} are checked once, for all of their VIPs"
                    yield Mistake(f"{service.path}.health_check.through", problem, "leave it out, or the group")


def _compare(first: Service, expected: Mapping[str, Any], service: Service) -> Iterator[Mistake]:
    name, mine = service.supervision.group, _common(service)
    remedy = "write the same, or leave the group out"
    for key, value in mine.items():
        if value != expected[key]:
            yield Mistake(f"{service.path}.{key}", f"is not that of {first.path}, which is in group {name} too", remedy)
    if service.family != first.family:
        problem = f"is of another family than {first.path}, which is in group {name} too"
        yield Mistake(service.path, problem, "make two groups")
    if None not in (service.address, first.address) and service.protocol != first.protocol:
        yield Mistake(f"{service.path}.protocol", f"is not that of {first.path} in group {name}", "make two groups")
    if service.port != first.port and _asks_its_port(service):
        problem = f"is needed: {first.path} has another port, and the checks of group {name} are made once"
        yield Mistake(f"{service.path}.health_check.port", problem, "write the port that is checked, in both")


def _asks_its_port(service: Service) -> bool:
    """Whether a check asks the port that the real server has by its service."""
    if kernel_forward(service) == "nat":
        return False
    every = (check for entry in service.real_servers for check in service.checks_of(entry))
    return any("port" in KINDS[each["type"]].options and "port" not in each for each in every)


def _common(service: Service) -> dict[str, Any]:
    found = {key: value for key, value in said(service).items() if key not in _OWN}
    if kernel_forward(service) != "nat":
        # There the port of a real server is that of its service.
        found["real_servers"] = [{**each, "port": 0} for each in found["real_servers"]]
    return found


def merged(services: Iterable[Service]) -> list[tuple[Service, list[dict[str, Any]]]]:
    """Each service that keepalived.conf has a block for, with the addresses and marks of its group, its own too."""
    found: dict[Any, tuple[Service, list[dict[str, Any]]]] = {}
    for service in services:
        name = service.supervision.group
        key = ("group", name) if name else id(service)
        found.setdefault(key, (service, []))[1].extend([service_key(service)] if name else [])
    return list(found.values())
