#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_look/host_facts.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_facts
short_description: Read the facts of a host's network that plans are made of
version_added: 0.4.0
description:
  - Asks C(ip) for interfaces, addresses and default routes. The filters of this collection read them from the fact
    C(lvs_topology) of each host, or else from what M(ansible.builtin.setup) gathered with the subset C(network).
  - It takes a small part of the time that M(ansible.builtin.setup) takes, and does not change facts that other roles
    read.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
requirements:
  - C(ip) of iproute2 4.16 or later, which knows C(-json). Without C(ip) there is a warning, and the fact is empty.
seealso:
  - plugin: lvs.topology.host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Learn what plans are made of
  lvs.topology.host_facts:
"""

RETURN = r"""
ansible_facts:
  description: One fact.
  returned: success
  type: dict
  contains:
    lvs_topology:
      description: The host's network.
      returned: success
      type: dict
      contains:
        interfaces:
          description: The interfaces, each with its addresses.
          type: list
          elements: dict
          contains:
            device:
              description: The name.
              type: str
              sample: eth1
            macaddress:
              description: The address of the link layer.
              type: str
              sample: 52:54:00:12:34:56
            mtu:
              description: The largest packet, in bytes.
              type: int
              sample: 1500
            active:
              description: Whether the kernel does not call it down.
              type: bool
              sample: true
            addresses:
              description: The addresses, as C(address) and the length of the C(prefix).
              type: list
              elements: dict
              sample:
                - address: 192.168.246.161
                  prefix: 24
        default_ipv4:
          description: The next hop of the default route of IPv4, as C(gateway).
          returned: where there is one
          type: dict
          sample:
            gateway: 192.168.246.1
        default_ipv6:
          description: The next hop of the default route of IPv6, as C(gateway).
          returned: where there is one
          type: dict
          sample:
            gateway: fe80::1
"""

from ansible_collections.lvs.topology.plugins.module_utils._look.host_facts import look
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._plan import run_outside_of_turns


def main() -> None:
    run_outside_of_turns(Module(argument_spec={}, supports_check_mode=True), look)


if __name__ == "__main__":
    main()
