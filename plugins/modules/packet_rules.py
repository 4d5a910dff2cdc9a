#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_filter/packet_filter.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packet_rules
short_description: Firewall marks and source NAT of a director, in nftables or iptables
version_added: 0.2.0
description:
  - Marks packets for firewall-mark services, and gives connections to real servers a source address of the director,
    which makes FULLNAT of masquerading.
  - In nftables each owner has one table, C(inet lvs_topology_OWNER), which is replaced in one transaction. In iptables
    and ip6tables it has the chains C(lvs-OWNER-mark) in C(mangle) and C(lvs-OWNER-snat) in C(nat), each called once.
    Rules of others are never touched.
  - State is read from the kernel. A rule that was removed or changed by hand is put right.
  - Rules live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - nftables, or iptables with the kernel module xt_ipvs, on the managed host
options:
  backend:
    description:
      - V(auto) takes nftables where the kernel serves it, else iptables. To find out, the rules are added in a network
        namespace that exists for that moment only.
    type: str
    choices: [auto, nftables, iptables]
    default: auto
  marks:
    description:
      - Which packets get a mark when they arrive. No packet may be meant twice, and no rule of somebody else may set
        the same mark.
      - With O(state=present) this or O(source_nat) is required. With O(state=absent) only these; both left out, all
        that the owner asked for.
    type: list
    elements: dict
    suboptions:
      mark:
        description: The mark, 1 to 4294967295.
        type: int
        required: true
      address:
        description: The destination, one address.
        type: str
        required: true
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
      ports:
        description: Destination ports and ranges of them, such as V(30000-30100). Left out, every port.
        type: list
        elements: str
  source_nat:
    description: Services whose connections reach the real servers from an address of the director.
    type: list
    elements: dict
    suboptions:
      address:
        description: The VIP. This or O(source_nat[].fwmark) is required.
        type: str
      port:
        description: The service's port; V(0) means every port. A service with O(source_nat[].fwmark) has none.
        type: int
        default: 0
      protocol:
        description: The service's protocol. A service with O(source_nat[].fwmark) has none.
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
      fwmark:
        description: The mark of a firewall-mark service, in place of an address.
        type: int
      family:
        description: The address family of that service. Required with O(source_nat[].fwmark).
        type: str
        choices: [ipv4, ipv6]
      destinations:
        description: Only for these real servers. Left out, for all of the service.
        type: list
        elements: str
      to:
        description:
          - The source address. Where there are several, connections take them in turn, so that each lends its ports.
          - They have to be the host's own.
        type: list
        elements: str
        required: true
  state:
    description: V(present) adds the rules; V(absent) removes those that this module added.
    type: str
    choices: [present, absent]
    default: present
notes:
  - What flushes the whole ruleset takes these rules away too, such as a reload of C(nftables.service) with Debian's
    configuration. Running the task brings them back. With M(lvs.topology.boot_restore), the unit
    C(lvs-topology-firewall.service) does so after each restart or reload of a service that loads rules.
  - Source NAT of IPVS connections needs the sysctl C(net.ipv4.vs.conntrack=1).
seealso:
  - module: lvs.topology.ipvs_table
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: Real servers shall see the director, not the client
  lvs.topology.packet_rules:
    source_nat:
      - address: 192.168.50.128
        port: 80
        to:
          - 10.0.0.31

- name: FTP and its passive ports are one firewall-mark service
  lvs.topology.packet_rules:
    marks:
      - mark: 21
        address: 192.168.50.129
        ports: [20-21, 30000-30100]
    owner: ftp

- name: Remove the rules of this owner
  lvs.topology.packet_rules:
    owner: ftp
    state: absent
"""

RETURN = r"""
backend:
  description: The command that the kernel serves; null where no rule is asked for.
  returned: success
  type: str
  sample: /usr/sbin/nft
changes:
  description: The changes made, or in check mode to be made. Each table is replaced in one transaction.
  returned: success
  type: list
  elements: str
  sample:
    - "nft inet lvs_topology_lvs: add ip daddr 192.168.50.129 tcp dport 21 meta mark set 0x00000015"
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would take it
      away. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: ["mark 21: tcp 192.168.50.129 20-21"]
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

from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_filter import ensure_packet_rules
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._options import PACKET_RULES_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=PACKET_RULES_SPEC,
            required_if=[("state", "present", ("marks", "source_nat"), True)],
            supports_check_mode=True,
        ),
        booked(ensure_packet_rules),
    )


if __name__ == "__main__":
    main()
