# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the ipvs_* modules, in the form of AnsibleModule's argument_spec."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    CONNECTION_KINDS,
    DEFAULT_GROUP,
    DEFAULT_SYNC_PORT,
    DEFAULT_TIMEOUTS,
    DEFAULT_TTL,
)
from ansible_collections.lvs.topology.plugins.module_utils._options import OWNED, Spec

_KEY: Spec = {
    "address": {"type": "str"},
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": ["tcp", "udp", "sctp"]},
    "fwmark": {"type": "int"},
    "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
}

_SETTINGS: Spec = {
    "scheduler": {"type": "str"},
    "scheduler_flags": {
        "type": "list",
        "elements": "str",
        "choices": ["sh-port", "sh-fallback", "mh-port", "mh-fallback", "flag-1", "flag-2", "flag-3"],
    },
    "one_packet": {"type": "bool"},
    "persistence": {
        "type": "dict",
        "options": {
            "timeout": {"type": "int"},
            "netmask": {"type": "str"},
            "engine": {"type": "str"},
        },
    },
}

_REAL_SERVER: Spec = {
    "address": {"type": "str", "required": True},
    "port": {"type": "int"},
    "forward": {"type": "str", "choices": list(forms.FORWARDS)},
    "weight": {"type": "int"},
    "upper_threshold": {"type": "int"},
    "lower_threshold": {"type": "int"},
    "tunnel": {
        "type": "dict",
        "options": {
            "type": {"type": "str", "choices": ["ipip", "gue", "gre"]},
            "port": {"type": "int"},
            "checksum": {"type": "str", "choices": ["none", "on", "remote"]},
        },
    },
}

_STATE: Spec = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}

SERVICE_SPEC: Spec = {**_KEY, **_SETTINGS, **_STATE}
REAL_SERVER_SPEC: Spec = {
    "service": {"type": "dict", "required": True, "options": _KEY},
    **_REAL_SERVER,
    "state": {"type": "str", "choices": ["present", "absent", "drained", "restored"], "default": "present"},
    "wait_for": {"type": "list", "elements": "str", "choices": list(CONNECTION_KINDS)},
    "timeout": {"type": "int", "default": 300},
    "poll_interval": {"type": "float", "default": 1.0},
    "on_timeout": {"type": "str", "choices": ["fail", "proceed"], "default": "fail"},
    "remove": {"type": "bool", "default": True},
    "share": {"type": "int", "default": 100},
    "raises": {"type": "str", "choices": ["drained", "lowered"], "default": "drained"},
    "waited": {"type": "float"},
}
TABLE_SPEC: Spec = {
    "services": {
        "type": "list",
        "elements": "dict",
        "options": {
            **_KEY,
            **_SETTINGS,
            "real_servers": {"type": "list", "elements": "dict", "options": _REAL_SERVER},
        },
    },
    "purge": {"type": "list", "elements": "str", "default": ["real_servers"]},
    "keep_weights": {"type": "bool", "default": False},
    "owner": {"type": "str", "default": "lvs"},
    "state": {"type": "str", "choices": ["present", "absent", "forgotten"], "default": "present"},
}
TIMEOUTS: Spec = {"type": "dict", "options": {name: {"type": "int"} for name in DEFAULT_TIMEOUTS}}
TIMEOUTS_SPEC: Spec = {**TIMEOUTS["options"], **OWNED}
DAEMONS: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "state": {"type": "str", "choices": ["master", "backup"], "required": True},
        "interface": {"type": "str"},
        "syncid": {"type": "int", "default": 0},
        "maxlen": {"type": "int", "default": 0},
        "group": {"type": "str", "default": DEFAULT_GROUP},
        "port": {"type": "int", "default": DEFAULT_SYNC_PORT},
        "ttl": {"type": "int", "default": DEFAULT_TTL},
    },
}
DAEMONS_SPEC: Spec = {"daemons": DAEMONS, **OWNED}
ZERO_SPEC: Spec = dict(_KEY)
INFO_SPEC: Spec = {
    "gather_subset": {
        "type": "list",
        "elements": "str",
        "choices": ["services", "settings", "connections", "host"],
        "default": ["services", "settings"],
    },
    **_KEY,
    "connection_filter": {
        "type": "dict",
        "options": {
            "client": {"type": "str"},
            "real_server": {"type": "str"},
            "real_server_port": {"type": "int"},
            "state": {"type": "list", "elements": "str"},
            "origin": {"type": "str", "choices": ["any", "local", "sync"]},
        },
    },
    "connection_limit": {"type": "int", "default": 1000},
}
