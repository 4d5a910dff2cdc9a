#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_look/ipvs_info.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_info
short_description: Read what the kernel's IPVS knows
version_added: 0.1.0
description:
  - Returns all that the listings of C(ipvsadm) show. The virtual services with their real servers, settings, numbers of
    connections and counters; the version of IPVS, its timeouts and synchronisation daemons; and where asked for, the
    connections themselves.
  - What it returns for a service is named like the options of M(lvs.topology.ipvs_table), timeouts and daemons like
    those of M(lvs.topology.ipvs_timeouts) and M(lvs.topology.ipvs_sync_daemon).
  - Without options it returns all services; each option that is given leaves only those that match.
  - A kernel without IPVS is no error; see RV(loaded). Nothing is loaded.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
  - lvs.topology.ipvs
options:
  gather_subset:
    description:
      - What to read. V(services) costs a request for each service, V(settings) a few in all.
      - V(connections) reads every connection that the director knows, line by line, which takes seconds for millions.
      - V(host) reads what belongs to the table and is not in it. It is there since 0.4.0.
    type: list
    elements: str
    choices: [services, settings, connections, host]
    default: [services, settings]
  address:
    description: Only services with this virtual IP address (VIP), and connections to it.
    type: str
  port:
    description: Only services with this port, and connections to it.
    type: int
  protocol:
    description: Only services and connections of this protocol.
    type: str
    choices: [tcp, udp, sctp]
  fwmark:
    description: Only services of this firewall mark. Not with V(connections), as these do not tell their mark.
    type: int
  family:
    description: Only services and connections of this address family.
    type: str
    choices: [ipv4, ipv6]
  connection_filter:
    description:
      - Which connections are counted and listed, besides the options above. It is refused where O(gather_subset) does
        not have V(connections).
    type: dict
    suboptions:
      client:
        description: Only those of this client, or of the clients in this network, such as V(10.0.0.0/8).
        type: str
      real_server:
        description: Only those to the real server of this address.
        type: str
      real_server_port:
        description: Only those to this port of real servers.
        type: int
      state:
        description:
          - Only those in one of these states, such as V(ESTABLISHED), V(FIN_WAIT) or V(UDP). Templates of persistence
            have V(NONE) or V(ASSURED).
        type: list
        elements: str
      origin:
        description:
          - Only those that this director scheduled (V(local)), or those that a synchronisation daemon told it of
            (V(sync)). V(any) leaves out none.
          - Given, each connection listed tells its origin, and not the persistence engine's data. The kernel has a list
            with the one and a list with the other.
        type: str
        choices: [any, local, sync]
  connection_limit:
    description:
      - How many connections are listed at most. All that match are counted.
      - V(0) lists none.
    type: int
    default: 1000
seealso:
  - module: lvs.topology.ipvs_table
"""

EXAMPLES = r"""
- name: Everything
  lvs.topology.ipvs_info:
  register: ipvs

- name: One service
  lvs.topology.ipvs_info:
    address: 192.168.246.160
    port: 80

- name: How many connections of this service are in which state
  lvs.topology.ipvs_info:
    gather_subset: [connections]
    address: 192.168.246.160
    port: 80
    connection_limit: 0

- name: Who is still connected to a real server that shall be taken down
  lvs.topology.ipvs_info:
    gather_subset: [connections]
    connection_filter:
      real_server: 192.168.246.161
      state: [ESTABLISHED]
    connection_limit: 100
"""

RETURN = r"""
loaded:
  description: Whether the kernel has IPVS at the moment.
  returned: success
  type: bool
  sample: true
version:
  description: The version of IPVS. Null where there is none.
  returned: O(gather_subset) has V(settings)
  type: str
  sample: 1.2.1
table_size:
  description: The number of buckets of the connection table. Null where there is no IPVS.
  returned: O(gather_subset) has V(settings)
  type: int
  sample: 4096
timeouts:
  description: The timeouts of connections, in seconds. Null where there is no IPVS.
  returned: O(gather_subset) has V(settings)
  type: dict
  sample: {tcp: 900, tcpfin: 120, udp: 300}
daemons:
  description: The synchronisation daemons that run.
  returned: O(gather_subset) has V(settings)
  type: list
  elements: dict
  sample:
    - {state: master, interface: eth1, syncid: 5, maxlen: 1472, group: 224.0.0.81, port: 8848, ttl: 1}
total:
  description:
    - What all services together counted, those that are gone included, with the keys of RV(services[].counters).
  returned: O(gather_subset) has V(services)
  type: dict
  sample: {conns: 12, inpkts: 100, inbytes: 7000}
connections:
  description: The first of the connections that match, at most O(connection_limit).
  returned: O(gather_subset) has V(connections)
  type: list
  elements: dict
  contains:
    protocol:
      description: The protocol. Templates of persistence that stand for all ports have V(ip).
      returned: always
      type: str
      sample: tcp
    family:
      description: The address family of client and VIP.
      returned: always
      type: str
      sample: ipv4
    client:
      description: The client's address. In templates of persistence, with the service's netmask applied.
      returned: always
      type: str
      sample: 192.168.246.50
    client_port:
      description: The client's port.
      returned: always
      type: int
      sample: 40312
    address:
      description: The virtual IP address. Templates of firewall mark services have the mark in its form.
      returned: always
      type: str
      sample: 192.168.246.160
    port:
      description: The port to which the client connected.
      returned: always
      type: int
      sample: 80
    real_server:
      description: The real server's address.
      returned: always
      type: str
      sample: 192.168.246.161
    real_server_port:
      description: The real server's port.
      returned: always
      type: int
      sample: 80
    state:
      description: The state, in the kernel's words.
      returned: always
      type: str
      sample: ESTABLISHED
    expires:
      description: In how many seconds it is forgotten, unless a packet comes.
      returned: always
      type: int
      sample: 897
    engine:
      description: The persistence engine. Null for none.
      returned: without O(connection_filter.origin)
      type: str
      sample: sip
    engine_data:
      description: What the persistence engine goes by. Null for none.
      returned: without O(connection_filter.origin)
      type: str
      sample: a84b4c76e66710
    origin:
      description: Where this director knows it from, V(local) or V(sync).
      returned: with O(connection_filter.origin)
      type: str
      sample: local
connection_count:
  description: How many connections match, templates of persistence included.
  returned: O(gather_subset) has V(connections)
  type: int
  sample: 2
connection_states:
  description: How many of them are in each state.
  returned: O(gather_subset) has V(connections)
  type: dict
  sample: {ESTABLISHED: 1, FIN_WAIT: 1}
host:
  description:
    - What of the host belongs to its table. C(sysctls) has those below C(net.ipv4.vs), C(helpers) has C(ip_vs_ftp)
      where that is loaded, and C(programs) those of C(keepalived), C(ldirectord), C(conntrackd) and C(bird) that run.
    - C(marking_rules) are the rules of packet filters that set a mark on what arrives, and C(translating_rules) those
      that change the source of connections, each with the text of the C(rule) and what it asks for. One that asks for
      more, or that a rule before it may keep packets from, has false as C(is_plain).
    - C(unseen) says what could not be looked at.
  returned: O(gather_subset) has V(host)
  type: dict
  version_added: 0.4.0
  sample:
    sysctls: {net.ipv4.vs.conntrack: "0"}
    helpers: []
    programs: []
    marking_rules:
      - rule: -A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1/0xffffffff
        is_plain: true
        family: 4
        destination: 192.0.2.1
        protocol: tcp
        ports: ["80"]
        mark: 1
    translating_rules: []
    unseen: []
rules:
  description: The services and their real servers in the words of C(ipvsadm-save), with thresholds.
  returned: O(gather_subset) has V(services)
  type: list
  elements: str
  sample:
    - -A -t 192.168.246.160:80 -s rr
services:
  description: The services, in the order of C(ipvsadm -Ln).
  returned: O(gather_subset) has V(services)
  type: list
  elements: dict
  contains:
    address:
      description: The virtual IP address.
      returned: for services with an address
      type: str
      sample: 192.168.246.160
    port:
      description: The port.
      returned: for services with an address
      type: int
      sample: 80
    protocol:
      description: The protocol.
      returned: for services with an address
      type: str
      sample: tcp
    fwmark:
      description: The firewall mark.
      returned: for firewall mark services
      type: int
      sample: 10
    family:
      description: The address family, ipv4 or ipv6.
      returned: always
      type: str
      sample: ipv4
    scheduler:
      description: The scheduler.
      returned: always
      type: str
      sample: wlc
    scheduler_flags:
      description: The scheduler's flags.
      returned: always
      type: list
      elements: str
      sample: []
    one_packet:
      description: Whether each datagram is scheduled for itself.
      returned: always
      type: bool
      sample: false
    persistence:
      description: Timeout in seconds (0 where the service is not persistent), netmask and engine.
      returned: always
      type: dict
      sample: {timeout: 300, netmask: 255.255.255.255, engine: none}
    counters:
      description:
        - Totals of connections, packets and bytes (C(conns), C(inpkts), C(outpkts), C(inbytes), C(outbytes)) and
          rates per second (C(cps), C(inpps), C(outpps), C(inbps), C(outbps)).
        - In direct routing and tunnels the director does not see what goes out.
      returned: always
      type: dict
      sample: {conns: 12, inpkts: 100, inbytes: 7000}
    real_servers:
      description: The real servers.
      returned: always
      type: list
      elements: dict
      contains:
        address:
          description: The real server's address.
          returned: always
          type: str
          sample: 192.168.246.161
        port:
          description: The real server's port.
          returned: always
          type: int
          sample: 80
        forward:
          description: The forwarding method, V(nat), V(dr), V(tun), or V(local) on kernels before 2.6.37.
          returned: always
          type: str
          sample: dr
        weight:
          description: The weight.
          returned: always
          type: int
          sample: 1
        upper_threshold:
          description: The upper threshold, 0 for none.
          returned: always
          type: int
          sample: 0
        lower_threshold:
          description: The lower threshold.
          returned: always
          type: int
          sample: 0
        tunnel:
          description: Type, port and checksum of the tunnel. Null unless forwarding is V(tun).
          returned: always
          type: dict
          sample: {type: ipip, port: 0, checksum: none}
        connections:
          description: Connections now, C(active), C(inactive) and C(persistent).
          returned: always
          type: dict
          sample: {active: 3, inactive: 1, persistent: 0}
        counters:
          description: As the service's.
          returned: always
          type: dict
          sample: {conns: 12, inpkts: 100, inbytes: 7000}
"""

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import INFO_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._look.ipvs_info import gather
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(Module(argument_spec=INFO_SPEC, supports_check_mode=True), gather)


if __name__ == "__main__":
    main()
