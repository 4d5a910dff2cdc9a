#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/network.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: source_route
short_description: Announce a TCP segment size for what comes from an address
version_added: 0.2.0
description:
  - A director that wraps packets into a tunnel has less room in them than the client knows. A real server that
    announces a smaller segment size for the VIP makes clients send what fits, also where ICMP is filtered.
  - What comes from the address takes a routing table of our own by a policy rule. The table holds the routes of the
    main table with C(advmss); the main table itself is not touched.
  - The routes are copied when the module runs, at boot, and when a network manager has set an interface anew. Run the
    module again after the main table was changed; it alone takes away what has gone.
  - Rules have the priority 32100, and the table has 10000 more than the size for its number, or 70000 or
    140000 more than that where somebody else has routes there.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - pyroute2 on the managed host (package C(python3-pyroute2))
options:
  source_routes:
    description:
      - The addresses.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner asked
        for.
    type: list
    elements: dict
    suboptions:
      source:
        description: The address that connections are made to, such as a VIP.
        type: str
        required: true
      advmss:
        description: The largest segment, 536 to 65475. Required if O(state=present).
        type: int
  state:
    description: V(present) adds rules and tables; V(absent) takes them away.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lvs.topology.tunnel_endpoint
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: IP in IP leaves 1440 bytes of a segment
  lvs.topology.source_route:
    source_routes:
      - source: 192.168.246.160
        advmss: 1440

- name: Take the main table again
  lvs.topology.source_route:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(ip).
  returned: success
  type: list
  elements: str
  sample:
    - ip route replace default via 10.0.0.1 dev eth1 proto static table 11440 advmss 1440
    - ip rule add from 192.168.246.160 lookup 11440 priority 32100
left_alone:
  description: What was asked to be absent, is there, and was not put there by this collection.
  returned: success
  type: list
  elements: str
  sample: [from 192.168.246.160]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [from 192.168.246.160]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_source_routes
from ansible_collections.lvs.topology.plugins.module_utils._options import SOURCE_ROUTE_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=SOURCE_ROUTE_SPEC,
            required_if=[("state", "present", ("source_routes",))],
            supports_check_mode=True,
        ),
        booked(ensure_source_routes),
    )


if __name__ == "__main__":
    main()
