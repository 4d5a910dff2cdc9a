#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/network.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: static_neighbour
short_description: Pin the MAC address of a neighbour
version_added: 0.1.0
description:
  - Adds permanent entries to the ARP or neighbour table. On a router in front of direct routing, an entry for the VIP
    with the director's MAC address makes it irrelevant who answers ARP requests.
  - Neighbour entries live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - pyroute2 on the managed host (package C(python3-pyroute2))
options:
  neighbours:
    description:
      - The entries.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner set.
    type: list
    elements: dict
    suboptions:
      address:
        description: The neighbour's address.
        type: str
        required: true
      lladdr:
        description: The neighbour's MAC address. Required if O(state=present).
        type: str
      interface:
        description: The interface that leads to the neighbour.
        type: str
        required: true
  state:
    description: V(present) adds or replaces the entries; V(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
notes:
  - When the VIP moves to another director, the entry has to be changed; it never expires.
seealso:
  - module: lvs.topology.arp_tuning
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: The router knows which director has the VIP
  lvs.topology.static_neighbour:
    neighbours:
      - address: 192.168.0.100
        lladdr: "52:54:00:12:34:56"
        interface: eth1

- name: Let the router ask again
  lvs.topology.static_neighbour:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(ip).
  returned: success
  type: list
  elements: str
  sample: ["ip neigh replace 192.168.0.100 lladdr 52:54:00:12:34:56 dev eth1 nud permanent"]
left_alone:
  description: What was asked to be absent, is there, and was not put there by this collection.
  returned: success
  type: list
  elements: str
  sample: [192.168.0.100 dev eth1]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [192.168.0.100 dev eth1]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_neighbours
from ansible_collections.lvs.topology.plugins.module_utils._options import STATIC_NEIGHBOUR_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=STATIC_NEIGHBOUR_SPEC,
            required_if=[("state", "present", ("neighbours",))],
            supports_check_mode=True,
        ),
        booked(ensure_neighbours),
    )


if __name__ == "__main__":
    main()
