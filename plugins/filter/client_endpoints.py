# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter client_endpoints: documentation and one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: client_endpoints
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Where clients can connect by TCP
description:
  - The VIP and the port of every TCP service of the directors that are present, and how many connections meet every
    real server where the scheduler takes one after the other.
  - Services for every port and with an empty pool are left out. Of a firewall mark, single ports are tried where the
    model says which packets get the mark, and no ranges of ports.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
seealso:
  - plugin: lvs.topology.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Connect to every service
  lvs.topology.probe:
    endpoints: "{{ hostvars | lvs.topology.client_endpoints(groups) }}"
"""

RETURN = r"""
_value:
  type: list
  elements: dict
  description: One for each address and port.
  contains:
    name:
      type: str
      returned: always
      description: The name of the service.
    address:
      type: str
      returned: always
      description: The VIP.
    port:
      type: int
      returned: always
      description: The port.
    connections:
      type: int
      returned: always
      description: Twice the number of its real servers, but 50 at most.
"""

client_endpoints = as_filter("verifying.endpoints_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"client_endpoints": client_endpoints}
