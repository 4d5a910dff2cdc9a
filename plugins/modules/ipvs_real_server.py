#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_real_server
short_description: Add, change or remove one real server of a virtual service in the kernel's IPVS table
version_added: 0.1.0
description:
  - Makes one real server of a virtual service what the options say, or removes it.
  - An option that is left out is left alone where the real server exists, and has a default where it is new.
  - A real server is changed in place, so that its connections and counters stay.
  - The service must exist. In check mode, where an earlier task may only have said that it would add it, a warning is
    given and the real server counts as new.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.loading
  - lvs.topology.ipvs.real_server
options:
  service:
    description: The virtual service.
    type: dict
    required: true
    suboptions:
      address:
        description:
          - The virtual IP address (VIP), IPv4 or IPv6.
          - Either this or O(service.fwmark).
        type: str
      port:
        description: The port, from V(0) to V(65535). Needed with O(service.address).
        type: int
      protocol:
        description: The protocol of a service with an O(service.address). Left out, V(tcp).
        type: str
        choices: [tcp, udp, sctp]
      fwmark:
        description: The firewall mark, from V(1) to V(4294967295).
        type: int
      family:
        description: The address family of a service with an O(service.fwmark). Left out, V(ipv4).
        type: str
        choices: [ipv4, ipv6]
  address:
    description:
      - The real server's address (RIP). Of the service's family, except with O(forward=tun).
      - With the port it says which real server is meant.
    type: str
    required: true
  port:
    description:
      - The real server's port, from V(0) to V(65535). Left out, the service's, and V(0) for a firewall mark service.
      - Another one than the service's only with O(forward=nat), as nothing else translates ports. In firewall mark
        services V(0) keeps the port of each packet.
    type: int
  state:
    description:
      - V(present) adds or changes the real server.
      - V(absent) removes it. Connections that are established are dropped; to let them end, set O(weight=0) and wait.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lvs.topology.ipvs_service
  - module: lvs.topology.ipvs_table
"""

EXAMPLES = r"""
- name: A web service
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80

- name: Its first real server, reached directly
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    forward: dr

- name: No new connections for it
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    weight: 0

- name: A second one behind NAT, on another port, for at most 1000 connections
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 10.0.0.51
    port: 8080
    forward: nat
    weight: 3
    upper_threshold: 1000
    lower_threshold: 800

- name: A third one in another network, through a GUE tunnel
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 203.0.113.7
    forward: tun
    tunnel:
      type: gue
      port: 5555

- name: The first one leaves
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, as an operator would type them.
  returned: success
  type: list
  elements: str
  sample: [ipvsadm -e -t 192.168.246.160:80 -r 192.168.246.161:80 -g -w 0]
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure import ensure_real_server, run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.options import REAL_SERVER_SPEC


def main() -> None:
    run(AnsibleModule(argument_spec=REAL_SERVER_SPEC, supports_check_mode=True), ensure_real_server)


if __name__ == "__main__":
    main()
