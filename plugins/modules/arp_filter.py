#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/arptables.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: arp_filter
short_description: Keep a real server silent about the VIP with arptables
version_added: 0.1.0
description:
  - The alternative to M(lvs.topology.arp_tuning) for real servers of direct routing. ARP requests for the VIP are
    dropped, and the host's own ARP packets carry its real address where they would carry the VIP.
  - Uses that one of C(arptables-legacy) and C(arptables-nft) which the kernel serves.
  - Rules are recognised by their exact words. Those of others are left alone.
  - Rules live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - arptables on the managed host
options:
  filters:
    description:
      - The VIPs to be silent about.
      - Required if O(state=present). With O(state=absent) only these; left out, all that the owner asked for.
    type: list
    elements: dict
    suboptions:
      vip:
        description: The VIP, an IPv4 address. IPv6 needs no such filter.
        type: str
        required: true
      source:
        description: The host's own address (RIP) that its ARP packets carry instead.
        type: str
        required: true
      interface:
        description: The interface for which this holds. Left out, it holds for all.
        type: str
  state:
    description: V(present) adds the rules; V(absent) removes those that this module added.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lvs.topology.arp_tuning
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: Before the VIP is bound to lo
  lvs.topology.arp_filter:
    filters:
      - vip: 192.168.0.100
        source: 192.168.0.11

- name: Remove the rules
  lvs.topology.arp_filter:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(arptables).
  returned: success
  type: list
  elements: str
  sample: [arptables -A INPUT -j DROP -d 192.168.0.100]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [INPUT -j DROP -d 192.168.0.100]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.arptables import ensure_filters
from ansible_collections.lvs.topology.plugins.module_utils._options import ARP_FILTER_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=ARP_FILTER_SPEC,
            required_if=[("state", "present", ("filters",))],
            supports_check_mode=True,
        ),
        booked(ensure_filters),
    )


if __name__ == "__main__":
    main()
