#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/network.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_address
short_description: Hold virtual addresses on interfaces, and tell the neighbours
version_added: 0.1.0
description:
  - Adds the addresses of virtual services to interfaces, on a director to the interface towards the clients, on a real
    server of direct routing to C(lo).
  - An address that moves to another interface is added there before it is taken away from the old one.
  - Only addresses that this module added are ever removed. One that an operator configured stays.
  - Addresses live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - pyroute2 on the managed host (package C(python3-pyroute2))
options:
  addresses:
    description:
      - The addresses.
      - Required if O(state=present). With O(state=absent) only these are removed, and with O(state=forgotten) only
        these forgotten; left out, all that the owner added.
    type: list
    elements: dict
    suboptions:
      address:
        description:
          - The address, with or without a prefix length. Without one it is that of a single host, /32 or /128.
          - On C(lo) only a single host's is accepted, because the host would take the whole subnet for itself.
        type: str
        required: true
      interface:
        description: The interface that holds it.
        type: str
        required: true
      label:
        description:
          - The label of an IPv4 address, the interface's name, a colon and a word.
          - Left out, an existing one is left alone.
        type: str
      deprecated:
        description:
          - Whether the kernel shall not choose the address as the source of new connections, which is a preferred
            lifetime of 0.
          - Left out, an existing address is left alone and a new one is not deprecated.
          - For IPv6 in IPv6 tunnels the director needs it, or the outer source would be the VIP.
        type: bool
      announce:
        description:
          - The interface on which the neighbours are told when the address is new here, by gratuitous ARP, or for IPv6
            by an unsolicited neighbour advertisement.
          - Never set it on a real server of direct routing.
        type: str
  state:
    description:
      - V(present) adds the addresses; V(absent) puts back what was there before.
      - V(forgotten) leaves them where they are and no longer counts them as the owner's, because somebody else, such
        as keepalived, looks after them from now on. V(forgotten) was added in version 0.3.0.
    type: str
    choices: [present, absent, forgotten]
    default: present
notes:
  - IPv6 addresses are added without duplicate address detection, since the same VIP is on the real servers too.
seealso:
  - module: lvs.topology.arp_tuning
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: The VIP of a director
  lvs.topology.vip_address:
    addresses:
      - address: 192.168.246.160
        interface: eth1
        announce: eth1

- name: The same VIP on a real server, after ARP tuning
  lvs.topology.vip_address:
    addresses:
      - address: 192.168.246.160/32
        interface: lo

- name: Remove every address that was added
  lvs.topology.vip_address:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(ip).
  returned: success
  type: list
  elements: str
  sample: [ip address add 192.168.246.160/32 dev eth1, arping -U -c 3 -I eth1 192.168.246.160]
left_alone:
  description: What was asked to be absent, is there, and was not put there by this collection.
  returned: success
  type: list
  elements: str
  sample: [192.168.246.160/32 dev eth1]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [192.168.246.160/32 dev eth1]
applied:
  description: The changes that took effect before the host refused one.
  returned: when the host refused a change
  type: list
  elements: str
remaining:
  description: The changes that did not take effect. Running the task again plans them anew.
  returned: when the host refused a change
  type: list
  elements: str
"""

from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_addresses
from ansible_collections.lvs.topology.plugins.module_utils._options import VIP_ADDRESS_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=VIP_ADDRESS_SPEC,
            required_if=[("state", "present", ("addresses",))],
            supports_check_mode=True,
        ),
        booked(ensure_addresses),
    )


if __name__ == "__main__":
    main()
