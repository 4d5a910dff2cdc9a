#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_boot/boot.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_restore
short_description: Bring addresses, routes, packet rules, ARP filters and what IPVS has back at boot
version_added: 0.1.0
description:
  - Writes what a host shall be into files in C(/etc/lvs-topology) that an operator can read. There is a short shell
    script that reads them, and a systemd unit that runs it once the network is there.
  - The files are C(OWNER.ip) in the syntax of C(ip -batch), C(OWNER.arptables), C(OWNER.tunnels) with lines of C(ip),
    C(OWNER.sources) with one policy rule a line, C(OWNER.nft) or C(OWNER.iptables) and C(OWNER.ip6tables),
    C(OWNER.announcements) with routes, C(OWNER.ipvsadm) as C(ipvsadm -S) writes it, and the options of C(ipvsadm) in
    C(OWNER.timeouts) and C(OWNER.daemons). What O(firewall) asks for is in C(OWNER.nft-firewall), or in
    C(OWNER.iptables-legacy) or C(OWNER.iptables-nft) and that of ip6tables; a second unit brings it back after the
    firewall has read its rules anew.
  - The script adds and replaces, fills the IPVS table only where it is empty, and starts a synchronisation daemon only
    where none of its kind runs. Running it on a live host disturbs nothing.
  - Where systemd-networkd, NetworkManager or ifupdown manage interfaces of the host, each of them gets files of its own
    kind. They make it leave what is restored, or start the script with the argument C(network) when it has set an
    interface anew, or when a link has changed. Who manages interfaces is seen from what the managers note below
    C(/run). None of them is restarted or told to read its files.
  - Nothing is changed in the running kernel; the other modules do that. Sysctls and kernel modules have files of their
    own, which M(lvs.topology.sysctl_profile), M(lvs.topology.arp_tuning) and M(lvs.topology.kernel_modules) write.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
options:
  owner:
    description:
      - On whose behalf the files are written, and after whom they are named.
      - Letters, digits, V(_) and V(-).
    type: str
    default: lvs
  tunnels:
    description: As O(lvs.topology.tunnel_endpoint#module:tunnels).
    version_added: 0.2.0
    type: list
    elements: dict
    default: []
  addresses:
    description: As O(lvs.topology.vip_address#module:addresses).
    type: list
    elements: dict
    default: []
  gateways:
    description: As O(lvs.topology.default_gateway#module:gateways).
    type: list
    elements: dict
    default: []
  source_routes:
    description:
      - As O(lvs.topology.source_route#module:source_routes). The routes are those that are there at boot.
    version_added: 0.2.0
    type: list
    elements: dict
    default: []
  neighbours:
    description: As O(lvs.topology.static_neighbour#module:neighbours).
    type: list
    elements: dict
    default: []
  arp_filters:
    description: As O(lvs.topology.arp_filter#module:filters).
    type: list
    elements: dict
    default: []
  packet_rules:
    description:
      - C(backend), C(marks) and C(source_nat), as the options of M(lvs.topology.packet_rules).
    type: dict
  firewall:
    description:
      - C(packets), which the host's firewall is to let pass, each as in O(lvs.topology.host_info#module:packets)
        without a name. They are let pass where the firewall would drop them now.
    type: dict
    version_added: 0.4.0
  announcements:
    description:
      - Routes by which BGP knows what to announce, C(table) and C(routes), as in the plan of
        M(lvs.topology.host_state).
    type: dict
    version_added: 0.4.0
  services:
    description: As O(lvs.topology.ipvs_table#module:services).
    type: list
    elements: dict
    default: []
  timeouts:
    description: A dictionary with the options C(tcp), C(tcpfin) and C(udp) of M(lvs.topology.ipvs_timeouts).
    type: dict
    default: {}
  sync_daemons:
    description: As O(lvs.topology.ipvs_sync_daemon#module:daemons).
    type: list
    elements: dict
    default: []
  state:
    description:
      - V(present) makes the owner's files hold exactly what is listed, and enables the unit without starting it.
      - V(absent) removes the owner's files. With the last owner's go the script, the units, the files for managers of
        the network, and the directory.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Where systemd does not run, the files are written and a warning says that nobody reads them at boot.
  - A director needs C(ipvsadm) at boot.
seealso:
  - module: lvs.topology.ipvs_table
  - module: lvs.topology.vip_address
"""

EXAMPLES = r"""
- name: A director of direct routing
  lvs.topology.boot_restore:
    addresses:
      - address: 192.168.246.160
        interface: eth1
    services:
      - address: 192.168.246.160
        port: 80
        scheduler: rr
        real_servers:
          - address: 192.168.246.161
            forward: dr
          - address: 192.168.246.162
            forward: dr
    timeouts:
      tcp: 7200
    sync_daemons:
      - state: master
        interface: eth1

- name: A real server of NAT
  lvs.topology.boot_restore:
    gateways:
      - gateway: 10.0.0.30

- name: Restore nothing any more
  lvs.topology.boot_restore:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made.
  returned: success
  type: list
  elements: str
  sample: [write /etc/lvs-topology/lvs.ip, systemctl daemon-reload, systemctl enable lvs-topology.service]
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

from ansible_collections.lvs.topology.plugins.module_utils._boot.boot import ensure_boot
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._options import BOOT_RESTORE_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=BOOT_RESTORE_SPEC,
            supports_check_mode=True,
        ),
        booked(ensure_boot),
    )


if __name__ == "__main__":
    main()
