# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_conntrackd of one director, as it was written."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_plan import CONNECTIONS, PORTS
from ansible_collections.lvs.topology.plugins.module_utils._forms import is_interface
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Conntrackd
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_boolean
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.variables import Variables

_VARIABLE = "lvs_conntrackd"
_DEFAULT_PORT = 3780
_DEFAULT_CONNECTIONS = 1_000_000


def read_conntrackd(variables: Variables, host: str) -> Conntrackd | None:
    """None where conntrackd is not asked for, or wrongly."""
    _given, value = variables.variable(host, _VARIABLE)
    if value is None or value in ("", {}):
        return None
    if not isinstance(value, Mapping):
        boolean = as_boolean(value)
        if boolean is None:
            problem = f"must be true or a mapping, is {show(value)}"
            variables.mistake(host, _VARIABLE, problem, "write true, or {interface: eth2}")
        value = {}
        if not boolean:
            return None
    reader = Reader(value, f"{host}: {_VARIABLE}", variables.mistakes)
    interface = reader.take("interface")
    if interface is not None and not is_interface(interface):
        reader.refuse("interface", f"{show(interface)} is no name of an interface", "write it as eth2")
        interface = None
    settings = Conntrackd(
        interface=interface,
        port=reader.integer("port", *PORTS, default=_DEFAULT_PORT),
        connections=reader.integer("connections", *CONNECTIONS, default=_DEFAULT_CONNECTIONS),
    )
    reader.finish()
    return settings
