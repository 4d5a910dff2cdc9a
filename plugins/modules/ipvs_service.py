#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure_table.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_service
short_description: Add, change or remove one virtual service of the kernel's IPVS table
version_added: 0.1.0
description:
  - Makes one virtual service what the options say, or removes it with its real servers.
  - An option that is left out is left alone where the service exists, and has a default where it is new.
  - A service is changed in place, so that its connections, counters and real servers stay.
  - Real servers are the subject of M(lvs.topology.ipvs_real_server). For many services, or a service with its real
    servers, M(lvs.topology.ipvs_table) does all in one task.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.loading
  - lvs.topology.ipvs.key
  - lvs.topology.ipvs.service
options:
  state:
    description:
      - V(present) adds or changes the service.
      - V(absent) removes it with all its real servers. Connections that are established are dropped; to let them end,
        set the real servers' weight to 0 and wait.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lvs.topology.ipvs_real_server
  - module: lvs.topology.ipvs_table
  - module: lvs.topology.ipvs_info
"""

EXAMPLES = r"""
- name: A web service that shares its connections out in turn
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80
    scheduler: rr

- name: Clients of one network keep their real server for ten minutes
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80
    persistence:
      timeout: 600
      netmask: 255.255.255.0

- name: The same service is not persistent any more
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80
    persistence:
      timeout: 0

- name: DNS over IPv6, each query for itself
  lvs.topology.ipvs_service:
    address: 2001:db8::53
    port: 53
    protocol: udp
    one_packet: true

- name: What nftables marks with 10, by the client's address and port
  lvs.topology.ipvs_service:
    fwmark: 10
    scheduler: sh
    scheduler_flags: [sh-port]

- name: The web service is no more
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, as an operator would type them.
  returned: success
  type: list
  elements: str
  sample: [ipvsadm -A -t 192.168.246.160:80 -s rr]
applied:
  description: The changes that took effect before the kernel refused one.
  returned: when the kernel refused a change
  type: list
  elements: str
remaining:
  description: The changes that did not take effect. Running the task again plans them anew.
  returned: when the kernel refused a change
  type: list
  elements: str
"""

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_table import ensure_service
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import SERVICE_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(Module(argument_spec=SERVICE_SPEC, supports_check_mode=True), ensure_service)


if __name__ == "__main__":
    main()
