# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services as plain data, the same for the kernel's table and for keepalived. Every option is spelled out."""

from __future__ import annotations

from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.methods import METHODS


def kernel_forward(service: Service) -> str:
    return METHODS[service.forward].KERNEL_FORWARD


def service_key(service: Service) -> dict[str, Any]:
    """What says which service is meant, in the options of the modules."""
    if service.address is None:
        return {"fwmark": service.fwmark, "family": f"ipv{service.family}"}
    return {"address": forms.spelling(service.address), "port": service.port, "protocol": service.protocol}


def key_text(service: Service) -> str:
    """The service as messages of modules and the ledger name it, and as labels of metrics do."""
    family = f"ipv{service.family}"
    if service.address is None:
        return str(ServiceKey(family, fwmark=service.fwmark or 0))
    return str(ServiceKey(family, service.protocol, forms.spelling(service.address), service.port))


def virtual_service(service: Service) -> dict[str, Any]:
    """The service without its real servers."""
    persistence = service.persistence
    return service_key(service) | {
        "scheduler": service.scheduler,
        "scheduler_flags": list(service.scheduler_flags),
        "one_packet": service.one_packet,
        "persistence": {"timeout": 0}
        if persistence is None
        else {
            "timeout": persistence.timeout,
            "netmask": persistence.netmask,
            "engine": persistence.engine,
        },
    }


def real_server(entry: RealServer) -> dict[str, Any]:
    """The real server without its forwarding method, which is its service's."""
    return {
        "address": forms.spelling(entry.address),
        "port": entry.port,
        "weight": entry.weight,
        "upper_threshold": entry.upper_threshold,
        "lower_threshold": entry.lower_threshold,
        **tunnel(entry),
    }


def whole_service(service: Service) -> dict[str, Any]:
    """The service with its real servers, for ipvs_table: what is left out there would be left alone."""
    forward = {"forward": kernel_forward(service)}
    return virtual_service(service) | {"real_servers": [real_server(each) | forward for each in service.real_servers]}


def tunnel(entry: RealServer) -> dict[str, Any]:
    if entry.tunnel is None:
        return {}
    port = {"port": entry.tunnel.port} if entry.tunnel.port else {}
    return {"tunnel": {"type": entry.tunnel.kind, **port, "checksum": entry.tunnel.checksum}}
