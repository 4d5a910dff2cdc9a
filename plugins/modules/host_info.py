#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments, one call; the work is in module_utils/_look/examine.py and plugins/action/host_info.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
version_added: 0.4.0
short_description: Look how a host differs from its plans, and what else is in the way
description:
  - Says for each role of the host what M(lvs.topology.host_state) would change, concern by concern, and what would keep
    it from that. So whoever has the plan of a host sees what is not as it should be, without a run that could change
    anything.
  - Looks besides at what no plan has. Who else answers ARP for an address, what programs listen on, IPv6 addresses that
    another host had already, packet filters that drop what no rule accepts or what they have seen only half of, or one
    of the packets that were asked about, how full the table of netfilter's connections is, and whether keepalived runs.
  - It changes nothing and loads nothing into the kernel. The questions by ARP leave no trace in the caches of others.
  - What could not be looked at is said in RV(unseen).
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
options:
  parts:
    description:
      - What each role of the host is asked for, as O(lvs.topology.preflight#module:parts).
    type: list
    elements: dict
    default: []
  arp:
    description: The IPv4 addresses that this host holds, and for which nobody else may answer.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The address.
        type: str
        required: true
      interface:
        description: The interface on whose LAN to ask. It takes about a second, whatever the number of addresses.
        type: str
        required: true
  bgp:
    description: Of what to say something in RV(bgp). Left out, nothing of BGP is looked at.
    type: dict
    version_added: 0.4.0
    suboptions:
      table:
        description: The routing table whose routes say what is announced, on a director.
        type: int
      vips:
        description: The VIPs to which a router has routes.
        type: list
        elements: str
        default: []
      aggregates:
        description: >-
          The prefixes that a director announces as long as it announces a VIP in them, or to which a router has routes.
        type: list
        elements: str
        default: []
  ports:
    description: The ports of which RV(listeners) is to say who listens on them.
    type: list
    elements: int
    default: []
  interfaces:
    description: The interfaces of which RV(large_receive) is to say something, with those below them.
    type: list
    elements: str
    default: []
  packets:
    description:
      - Packets of which RV(dropped) is to say whether the packet filter drops them. What is left out may be anything.
      - The filter is read and not tried. What a rule says of a packet that is not known here leaves the matter open.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the answer calls it.
        type: str
        required: true
      hook:
        description: Whether it comes to this host, passes it, or leaves it.
        type: str
        choices: [input, forward, output]
        required: true
      protocol:
        description: A name of V(tcp), V(udp), V(sctp), V(icmp) and V(icmpv6), or a number. Of ICMP, what says that
          a packet was too large is meant.
        type: str
        required: true
      family:
        description: V(4) or V(6), where it has no address here.
        type: int
        choices: [4, 6]
        default: 4
      source:
        description: Where it comes from.
        type: str
      destination:
        description: Where it goes.
        type: str
      source_port:
        description: The port from which it comes.
        type: int
      last_source_port:
        description: The last one of several ports, of which O(packets[].source_port) is the first.
        type: int
      port:
        description: The port to which it goes.
        type: int
      last_port:
        description: The last one of several ports, of which O(packets[].port) is the first.
        type: int
      interface:
        description: The interface by which it comes or leaves. Of what passes this host it says nothing.
        type: str
      taken:
        description: Whether IPVS takes or changes it on this host, so that chains of nftables for C(input) and
          C(forward) with a priority of 98 or more do not see it.
        type: bool
        default: false
      state:
        description:
          - What netfilter makes of its connection. V(new) begins one.
          - Of the others that follows from C(net.ipv4.vs.conntrack). An V(answer) of a real server passes a director,
            V(half) is what follows on a connection of which the host never sees the answers, V(closing) what ends
            one, and V(sent) what a director sends on.
        type: str
        choices: [new, answer, half, closing, sent]
  table:
    description: Whether to read the IPVS table as well.
    type: bool
    default: false
  conntrackd:
    description: Whether to ask conntrackd what it has counted. Where conntrackd hears nothing, it takes five seconds.
    type: bool
    default: false
seealso:
  - module: lvs.topology.preflight
  - module: lvs.topology.host_state
  - plugin: lvs.topology.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See whether a real server lost its VIP, and whether anybody listens on it
  lvs.topology.host_info:
    parts:
      - name: real_server
        owner: real_server
        plan:
          addresses:
            - address: 192.168.246.160/32
              interface: lo
    ports: [80]
  register: looked

- name: See on a director who else answers for its VIP, and what its table is
  lvs.topology.host_info:
    arp:
      - address: 192.168.246.160
        interface: eth1
    table: true
"""

RETURN = r"""
problems:
  description: What keeps the host from being any director or real server, as M(lvs.topology.preflight) says it.
  returned: success
  type: list
  elements: str
parts:
  description: By the name of each part, what was found.
  returned: success
  type: dict
  contains:
    problems:
      description: What keeps the host from being what the part asks for.
      returned: success
      type: list
      elements: str
    differences:
      description: The concerns that are not as the plan has them, in their order.
      returned: success
      type: list
      elements: dict
      contains:
        concern:
          description:
            - One of O(lvs.topology.host_state#module:concerns), V(keepalived) for what
              M(lvs.topology.keepalived_config) would change, or V(warning).
          returned: success
          type: str
        changes:
          description: What would be changed, as an operator would type it.
          returned: success
          type: list
          elements: str
        problem:
          description: Why that cannot be told, or what the concern warns of. Empty where there is nothing.
          returned: success
          type: str
    unmanaged:
      description: The services that nobody declared, in the words of C(ipvsadm-save).
      returned: success
      type: list
      elements: str
arp:
  description: By each address of O(arp), the hardware addresses of other hosts that answered for it.
  returned: success
  type: dict
  sample: {192.168.246.160: ["02:00:00:00:00:07"]}
listeners:
  description: What listens on O(ports), each with C(protocol), C(address) and C(port).
  returned: success
  type: list
  elements: dict
  sample: [{protocol: tcp, address: 0.0.0.0, port: 80}]
failed_addresses:
  description: IPv6 addresses that are not used, because another host had them already when they came.
  returned: success
  type: list
  elements: str
  sample: [fd00::29 dev eth1]
tentative_addresses:
  description:
    - IPv6 addresses that were not used yet at the beginning, because it was not known whether another host has them,
      and still are not.
  returned: success
  type: list
  elements: str
  sample: []
large_receive:
  description:
    - Interfaces with large receive offload (LRO). What they put together is larger than the MTU, and is lost where it
      is forwarded.
  returned: success
  type: list
  elements: str
  sample: [eth1]
counters:
  description:
    - What was counted since the host booted. C(reverse_path) is the number of packets that C(rp_filter) dropped, of all
      interfaces. C(packets) is how many came, and C(no_room) how many of them were dropped because the processors were
      too slow.
  returned: success
  type: dict
  sample: {reverse_path: 0, packets: 81234, no_room: 0}
defences:
  description: Of C(drop_entry), C(drop_packet) and C(secure_tcp) below C(net.ipv4.vs), those that are not 0.
  returned: success
  type: dict
  sample: {drop_entry: 3}
conntrack:
  description: How many connections netfilter has, and how many it can have. Null where it has no such table.
  returned: success
  type: dict
  sample: {count: 120, max: 262144}
obstacles:
  description:
    - What packet filters drop whatever the rules for single services are, each with C(kind), C(hook) and what the
      filter's own command said.
    - The kind V(policy) is a chain that drops what no rule accepts, V(invalid) a rule that drops packets of connections
      of which the host sees only half.
  returned: success
  type: list
  elements: dict
  sample: [{kind: policy, hook: forward, said: "iptables -P FORWARD DROP"}]
dropped:
  description:
    - Of O(packets), those that the packet filter drops whatever else is in them, and its rule or policy.
    - One of several ports is among them where some of these ports are.
  returned: success
  type: list
  elements: dict
  sample: [{name: web, said: "iptables -A INPUT -p tcp -m tcp --dport 80 -j DROP"}]
undecided:
  description:
    - Of O(packets), the names of those that the packet filter may drop or let through, by what is not known of them or
      of its rules. All of them, where some of it could not be read.
  returned: success
  type: list
  elements: str
  sample: [web]
firewall:
  description: What rules the packet filter, V(firewalld) or V(ufw). Empty where it is neither.
  returned: success
  type: str
  sample: ufw
keepalived:
  description: Whether the unit of keepalived is C(active), C(enabled), C(failed), C(masked). Null without systemd.
  returned: success
  type: dict
  sample: {active: true, enabled: true, failed: false, masked: false}
conntrackd:
  description:
    - What conntrackd has counted, with O(conntrackd). C(own) connections are of this host, C(taken) and C(failed) are
      those of its partner that it could and could not take over, C(sent) and C(received) count packets, C(lost)
      messages. C(hears) is whether a packet of the partner came while it was looked at.
    - Null where conntrackd does not answer, or was not asked.
  returned: success
  type: dict
  sample: {own: 12, taken: 5, failed: 0, sent: 240, received: 238, lost: 0, hears: true}
table:
  description: As M(lvs.topology.ipvs_info) returns it with the subsets V(services) and V(settings), with O(table).
  returned: success
  type: dict
  sample: {}
bgp:
  description:
    - What was asked by O(bgp), else null. C(unit) is what systemd says of BIRD, null where that does not run, and
      C(sessions) are those of our configuration with the C(neighbour), the C(state) and the last C(error), null where
      C(unseen) says why they are not known.
    - C(announced) are the routes of the table, and C(aggregates) those of O(bgp.aggregates) that BIRD of a director
      announces, null where C(unseen) says why that is not known. C(ways) has the gateways of the route to each VIP and
      aggregate.
  returned: success
  type: dict
  sample:
    unit: {active: true, enabled: true, failed: false}
    sessions: [{name: lvs4_10_0_0_1, neighbour: 10.0.0.1, state: Established, error: ""}]
    announced: [{address: 198.51.100.1/32, metric: 65616, table: 1819}]
    aggregates: [198.51.100.0/24]
    ways: {}
unseen:
  description: What could not be looked at, and why.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_info import BGP
from ansible_collections.lvs.topology.plugins.module_utils._filter.filter_questions import PACKET
from ansible_collections.lvs.topology.plugins.module_utils._look.examine import examine
from ansible_collections.lvs.topology.plugins.module_utils._module import Discreet
from ansible_collections.lvs.topology.plugins.module_utils._plan import run_outside_of_turns


def main() -> None:
    run_outside_of_turns(
        Discreet(
            # What keepalived is asked about has passwords.
            shown=("arp", "bgp", "conntrackd", "interfaces", "packets", "ports", "table"),
            argument_spec={
                "parts": {"type": "list", "elements": "dict", "default": []},
                "arp": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "options": {
                        "address": {"type": "str", "required": True},
                        "interface": {"type": "str", "required": True},
                    },
                },
                "interfaces": {"type": "list", "elements": "str", "default": []},
                "packets": {"type": "list", "elements": "dict", "default": [], "options": PACKET},
                "bgp": BGP,
                "ports": {"type": "list", "elements": "int", "default": []},
                "table": {"type": "bool", "default": False},
                "conntrackd": {"type": "bool", "default": False},
            },
            supports_check_mode=True,
        ),
        examine,
    )


if __name__ == "__main__":
    main()
