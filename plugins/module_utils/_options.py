# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs: of the lists that describe a host, and of the modules that bring it to one of these lists."""

from __future__ import annotations

from typing import Any, Dict

Spec = Dict[str, Any]

# What every module has that keeps books.
OWNED: Spec = {
    "owner": {"type": "str", "default": "lvs"},
    "purge": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

ADDRESSES: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "address": {"type": "str", "required": True},
        "interface": {"type": "str", "required": True},
        "label": {"type": "str"},
        "deprecated": {"type": "bool"},
        "announce": {"type": "str"},
    },
}

GATEWAYS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "gateway": {"type": "str", "required": True},
        "interface": {"type": "str"},
        "metric": {"type": "int", "default": 0},
    },
}

NEIGHBOURS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "address": {"type": "str", "required": True},
        "lladdr": {"type": "str"},
        "interface": {"type": "str", "required": True},
    },
}

FILTERS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "vip": {"type": "str", "required": True},
        "source": {"type": "str", "required": True},
        "interface": {"type": "str"},
    },
}

ARP: Spec = {
    "interface": {"type": "str", "required": True},
    "arp_ignore": {"type": "int", "choices": [0, 1, 2, 3, 8]},
    "arp_announce": {"type": "int", "choices": [0, 1, 2]},
}

TUNNELS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "type": {"type": "str", "required": True, "choices": ["ipip", "ip6tnl", "sit", "gre", "ip6gre", "gue"]},
        "interface": {"type": "str"},
        "local": {"type": "str"},
        "checksum": {"type": "bool"},
        "port": {"type": "int"},
        "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
    },
}

SOURCE_ROUTES: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "source": {"type": "str", "required": True},
        "advmss": {"type": "int"},
    },
}

MARKS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "mark": {"type": "int", "required": True},
        "address": {"type": "str", "required": True},
        "protocol": {"type": "str", "choices": ["tcp", "udp", "sctp"], "default": "tcp"},
        "ports": {"type": "list", "elements": "str"},
    },
}

SOURCE_NAT: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "address": {"type": "str"},
        "port": {"type": "int", "default": 0},
        "protocol": {"type": "str", "choices": ["tcp", "udp", "sctp"], "default": "tcp"},
        "fwmark": {"type": "int"},
        "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
        "destinations": {"type": "list", "elements": "str"},
        "to": {"type": "list", "elements": "str", "required": True},
    },
    "required_one_of": [("address", "fwmark")],
    "mutually_exclusive": [("address", "fwmark"), ("address", "family")],
    "required_by": {"fwmark": ["family"]},
}

BACKEND: Spec = {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"}

PACKET_RULES: Spec = {
    "type": "dict",
    "options": {"backend": BACKEND, "marks": MARKS, "source_nat": SOURCE_NAT},
}

# The oldest kernels with which something works.
KERNELS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {"release": {"type": "str", "required": True}, "because": {"type": "str", "required": True}},
}

# The modules, in the order in which host_state calls what is in them.
KERNEL_MODULES_SPEC: Spec = {**OWNED, "modules": {"type": "list", "elements": "str"}}
_PERSIST: Spec = {"persist": {"type": "bool", "default": True}}
SYSCTL_PROFILE_SPEC: Spec = {
    **OWNED,
    **_PERSIST,
    "values": {"type": "dict"},
    "missing": {"type": "str", "choices": ["report", "fail"], "default": "report"},
}
ARP_TUNING_SPEC: Spec = {**OWNED, **_PERSIST, "interfaces": {"type": "list", "elements": "dict", "options": ARP}}
ARP_FILTER_SPEC: Spec = {**OWNED, "filters": FILTERS}
TUNNEL_ENDPOINT_SPEC: Spec = {**OWNED, "tunnels": TUNNELS}
VIP_ADDRESS_SPEC: Spec = {
    **OWNED,
    "addresses": ADDRESSES,
    "state": {"type": "str", "choices": ["present", "absent", "forgotten"], "default": "present"},
}
DEFAULT_GATEWAY_SPEC: Spec = {**OWNED, "gateways": GATEWAYS}
SOURCE_ROUTE_SPEC: Spec = {**OWNED, "source_routes": SOURCE_ROUTES}
STATIC_NEIGHBOUR_SPEC: Spec = {**OWNED, "neighbours": NEIGHBOURS}
PACKET_RULES_SPEC: Spec = {**OWNED, **PACKET_RULES["options"]}
BOOT_RESTORE_SPEC: Spec = {
    "owner": {"type": "str", "default": "lvs"},
    "tunnels": {"type": "list", "elements": "dict", "default": []},
    "addresses": {"type": "list", "elements": "dict", "default": []},
    "gateways": {"type": "list", "elements": "dict", "default": []},
    "source_routes": {"type": "list", "elements": "dict", "default": []},
    "neighbours": {"type": "list", "elements": "dict", "default": []},
    "arp_filters": {"type": "list", "elements": "dict", "default": []},
    "packet_rules": {"type": "dict"},
    "firewall": {"type": "dict"},
    "announcements": {"type": "dict"},
    "services": {"type": "list", "elements": "dict", "default": []},
    "timeouts": {"type": "dict", "default": {}},
    "sync_daemons": {"type": "list", "elements": "dict", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
# What of a plan is restored at boot, besides the IPVS table.
RESTORED: dict[str, Any] = {
    "tunnels": TUNNELS,
    "addresses": ADDRESSES,
    "gateways": GATEWAYS,
    "source_routes": SOURCE_ROUTES,
    "neighbours": NEIGHBOURS,
    "arp_filters": FILTERS,
    "packet_rules": PACKET_RULES,
}
