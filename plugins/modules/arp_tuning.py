#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/sysctl.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: arp_tuning
short_description: Tell a real server when to answer and what to announce by ARP
version_added: 0.1.0
description:
  - Sets C(arp_ignore) and C(arp_announce) so that a real server that holds the VIP neither answers ARP requests for it
    nor uses it as the source of its own. Direct routing needs this on every real server, before the VIP is added.
  - Judges by what counts, as the kernel computes it, the larger one of C(net.ipv4.conf.all) and
    C(net.ipv4.conf.INTERFACE). A value for a single interface that the larger value of C(all) makes impossible is
    refused.
  - What was set before the first change is remembered and comes back with O(state=absent), or with O(purge) once the
    interface is no longer listed.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
options:
  interfaces:
    description:
      - What shall count where.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner set.
    type: list
    elements: dict
    suboptions:
      interface:
        description:
          - An interface that receives the requests, or V(all), or V(default) for interfaces that appear later.
          - With V(all), a larger value of an interface that is not listed still wins there. This gives a warning.
        type: str
        required: true
      arp_ignore:
        description:
          - Which ARP requests are answered. V(0) those for any local address, V(1) only those for an address of the
            receiving interface, V(2) of these only from the same subnet, V(3) not those for addresses of host scope,
            V(8) none.
          - Left out, it is left alone. V(1) is what direct routing needs; V(8) would silence the host's own address.
        type: int
        choices: [0, 1, 2, 3, 8]
      arp_announce:
        description:
          - Which source address the host's own ARP requests carry. V(0) any, V(1) preferably one of the target's
            subnet, V(2) always the best local one for the target.
          - Left out, it is left alone. V(2) is what direct routing needs.
        type: int
        choices: [0, 1, 2]
  persist:
    description:
      - Whether the values are also set at boot, through C(/etc/sysctl.d/99-zz-lvs-topology-OWNER-arp.conf).
      - With V(false), the listed interfaces are taken out of that file.
    type: bool
    default: true
  state:
    description: V(present) sets the values; V(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A value of C(net.ipv4.conf.lo.arp_ignore) has no effect on ARP for the VIP, although many guides set it, because no
    ARP request is received on C(lo). What counts is the interface on which the request arrives.
  - IPv6 needs no counterpart. Linux does not answer neighbour solicitations for an address on C(lo).
seealso:
  - module: lvs.topology.arp_filter
  - module: lvs.topology.vip_address
"""

EXAMPLES = r"""
- name: A real server of direct routing
  lvs.topology.arp_tuning:
    interfaces:
      - interface: all
        arp_ignore: 1
        arp_announce: 2

- name: Put everything back as it was
  lvs.topology.arp_tuning:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(sysctl).
  returned: success
  type: list
  elements: str
  sample: [sysctl -w net.ipv4.conf.all.arp_ignore=1, write /etc/sysctl.d/99-zz-lvs-topology-lvs-arp.conf]
effective:
  description: What counts on each interface of the host afterwards.
  returned: success
  type: dict
  sample:
    eth0: {arp_ignore: 1, arp_announce: 2}
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [net.ipv4.conf.eth1.arp_ignore]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import ensure_arp
from ansible_collections.lvs.topology.plugins.module_utils._options import ARP_TUNING_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=ARP_TUNING_SPEC,
            required_if=[("state", "present", ("interfaces",))],
            supports_check_mode=True,
        ),
        booked(ensure_arp),
    )


if __name__ == "__main__":
    main()
