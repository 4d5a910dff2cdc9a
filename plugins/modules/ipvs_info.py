#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_info
short_description: Read the kernel's IPVS table
version_added: 0.1.0
description:
  - Returns the virtual services with their real servers, settings, connections and counters, the version of IPVS, and
    its timeouts.
  - What it returns for a service is named like the options of M(lvs.topology.ipvs_table).
  - Without options it returns all services; each option that is given leaves only those that match.
  - A kernel without IPVS is no error; see RV(loaded). Nothing is loaded.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
  - lvs.topology.ipvs
options:
  address:
    description: Only services with this virtual IP address (VIP).
    type: str
  port:
    description: Only services with this port.
    type: int
  protocol:
    description: Only services of this protocol.
    type: str
    choices: [tcp, udp, sctp]
  fwmark:
    description: Only services of this firewall mark.
    type: int
  family:
    description: Only services of this address family.
    type: str
    choices: [ipv4, ipv6]
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
"""

RETURN = r"""
loaded:
  description: Whether the kernel has IPVS at the moment.
  returned: success
  type: bool
  sample: true
version:
  description: The version of IPVS. Null where there is none.
  returned: success
  type: str
  sample: 1.2.1
table_size:
  description: The number of buckets of the connection table. Null where there is no IPVS.
  returned: success
  type: int
  sample: 4096
timeouts:
  description: The timeouts of connections, in seconds. Null where there is no IPVS.
  returned: success
  type: dict
  sample: {tcp: 900, tcp_fin: 120, udp: 300}
rules:
  description: The services and their real servers in the words of C(ipvsadm-save), with thresholds.
  returned: success
  type: list
  elements: str
  sample:
    - -A -t 192.168.246.160:80 -s rr
services:
  description: The services, in the order of C(ipvsadm -Ln).
  returned: success
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure import gather, run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.options import INFO_SPEC


def main() -> None:
    run(AnsibleModule(argument_spec=INFO_SPEC, supports_check_mode=True), gather)


if __name__ == "__main__":
    main()
