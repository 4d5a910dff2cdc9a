#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/connections.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
version_added: 0.4.0
short_description: Connect to services as a client does
description:
  - Opens connections to TCP services, 200 at a time and each from a port of its own, and says how many came about.
    Nothing is sent, and each is closed at once.
  - With as many connections as a service has real servers, and more, each of them is asked where the scheduler takes
    one after the other. A real server that drops what it gets shows as some of many connections that nobody answers.
  - A director and a real server are not sent through the table as clients are, so it runs on a host that is neither.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
options:
  endpoints:
    description: Where to connect to.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the answer calls it.
        type: str
      address:
        description: The address, IPv4 or IPv6.
        type: str
        required: true
      port:
        description: The port, 1 to 65535.
        type: int
        required: true
      connections:
        description: How many connections, 1 to 1000.
        type: int
        default: 1
  timeout:
    description: How many seconds to wait for those that are opened at a time, 1 to 60.
    type: int
    default: 5
seealso:
  - module: lvs.topology.host_info
  - plugin: lvs.topology.client_endpoints
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See whether both real servers behind a VIP serve
  lvs.topology.probe:
    endpoints:
      - name: web
        address: 192.168.246.160
        port: 80
        connections: 4
    timeout: 2
  register: probed
"""

RETURN = r"""
endpoints:
  description: The endpoints in their order, each with its options and how its connections ended.
  returned: success
  type: list
  elements: dict
  contains:
    connected:
      description: How many came about.
      returned: success
      type: int
    silent:
      description: How many nobody answered within the timeout.
      returned: success
      type: int
    failed:
      description: How many failed otherwise, by the reason that the system gave.
      returned: success
      type: dict
  sample:
    - {name: web, address: 192.168.246.160, port: 80, connections: 4, connected: 2, silent: 2, failed: {}}
"""

from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._net.connections import probe
from ansible_collections.lvs.topology.plugins.module_utils._plan import run_outside_of_turns


def main() -> None:
    run_outside_of_turns(
        Module(
            argument_spec={
                "endpoints": {
                    "type": "list",
                    "elements": "dict",
                    "required": True,
                    "options": {
                        "name": {"type": "str"},
                        "address": {"type": "str", "required": True},
                        "port": {"type": "int", "required": True},
                        "connections": {"type": "int", "default": 1},
                    },
                },
                "timeout": {"type": "int", "default": 5},
            },
            supports_check_mode=True,
        ),
        probe,
    )


if __name__ == "__main__":
    main()
