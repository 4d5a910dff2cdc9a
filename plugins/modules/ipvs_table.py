#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure_table.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_table
short_description: Make many virtual services and their real servers in the kernel's IPVS table what they should be
version_added: 0.1.0
description:
  - Compares the services listed with the kernel's table and makes the smallest change, in place. The table is never
    flushed.
  - New services, new real servers and changes come first, removals last, so that no service is without real servers in
    between.
  - An option that is left out is left alone where the service or real server exists, and has a default where it is new.
  - Thousands of real servers take a fraction of a second, as the changes are sent to the kernel many at a time.
  - Services that are neither listed nor covered by O(purge) are left alone and returned in RV(unmanaged).
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.loading
options:
  services:
    description:
      - The virtual services.
      - Required if O(state=present). With O(state=absent) these are taken away besides those that the owner declared.
      - Not looked at with O(state=forgotten).
    type: list
    elements: dict
    suboptions:
      address:
        description:
          - The virtual IP address (VIP), IPv4 or IPv6.
          - Either this or O(services[].fwmark).
        type: str
      port:
        description:
          - The port, from V(0) to V(65535). V(0) is every port, for persistent services only.
          - Needed with O(services[].address).
        type: int
      protocol:
        description: The protocol of a service with an O(services[].address). Left out, V(tcp).
        type: str
        choices: [tcp, udp, sctp]
      fwmark:
        description: The firewall mark of the packets that the service takes, from V(1) to V(4294967295).
        type: int
      family:
        description:
          - The address family of a service with an O(services[].fwmark). Left out, V(ipv4).
          - That of a service with an address is known.
        type: str
        choices: [ipv4, ipv6]
      scheduler:
        description:
          - The scheduler, such as V(rr), V(wrr), V(lc), V(wlc), V(lblc), V(lblcr), V(dh), V(sh), V(sed), V(nq), V(fo),
            V(ovf), V(mh) or V(twos). Any name that the kernel has a module C(ip_vs_NAME) for.
          - A new service gets V(wlc).
        type: str
      scheduler_flags:
        description:
          - How V(sh) and V(mh) choose. V(sh-port) and V(mh-port) hash the client's port as well, V(sh-fallback) and
            V(mh-fallback) go to another real server where the first choice is not available.
          - V(flag-1) to V(flag-3) are the kernel's bits for a scheduler that C(ipvsadm) has no words for.
          - This is the whole list. An empty list switches all flags off. A new service has none, and so has one whose
            scheduler changes while this is left out.
        type: list
        elements: str
        choices: [sh-port, sh-fallback, mh-port, mh-fallback, flag-1, flag-2, flag-3]
      one_packet:
        description:
          - One-packet scheduling, each datagram for itself. Only for UDP and firewall mark services.
          - A new service gets V(false).
        type: bool
      persistence:
        description:
          - Send a client's connections to the same real server for some time.
          - Given, even empty, it switches persistence on; O(services[].persistence.timeout=0) switches it off.
          - A new service is not persistent.
        type: dict
        suboptions:
          timeout:
            description:
              - How long after its last connection a client keeps its real server, in seconds, up to 2678400 (31 days).
              - V(0) switches persistence off.
              - A service that was not persistent gets V(300).
            type: int
          netmask:
            description:
              - Which clients count as one. IPv4, a netmask such as V(255.255.255.0); IPv6, a prefix length from V(1) to
                V(128).
              - A service that was not persistent gets V(255.255.255.255) or V(128), each client for itself.
            type: str
          engine:
            description:
              - The persistence engine, such as V(sip), which goes by a call's Call-ID. V(none) for none.
              - A service that was not persistent gets V(none).
            type: str
      real_servers:
        description:
          - The real servers of the service. Left out, they are left alone.
          - Existing ones that are not listed are taken away if O(purge) has V(real_servers).
        type: list
        elements: dict
        suboptions:
          address:
            description:
              - The real server's address (RIP). Of the service's family, except with
                O(services[].real_servers[].forward=tun).
              - With the port it says which real server is meant.
            type: str
            required: true
          port:
            description:
              - The real server's port, from V(0) to V(65535). Left out, the service's, and V(0) for a firewall mark
                service.
              - Another one than the service's only with O(services[].real_servers[].forward=nat), as nothing else
                translates ports. In firewall mark services V(0) keeps the port of each packet.
            type: int
          forward:
            description:
              - The forwarding method, V(nat) (masquerading), V(dr) (direct routing, gatewaying) or V(tun) (tunnelling).
              - A new real server gets V(dr).
            type: str
            choices: [nat, dr, tun]
          weight:
            description:
              - Its capacity relative to the others', from V(0) to V(2147483647). With V(0) it gets no new connections
                and keeps those it has.
              - A new real server gets V(1).
            type: int
          upper_threshold:
            description:
              - From this many connections on it gets no new ones, up to V(65535). V(0) for no limit.
              - A new real server gets V(0).
            type: int
          lower_threshold:
            description:
              - Below this many connections it gets new ones again, up to V(65535) and not above
                O(services[].real_servers[].upper_threshold). V(0) for three quarters of the upper threshold.
              - A new real server gets V(0).
            type: int
          tunnel:
            description: The tunnel to the real server. Only with O(services[].real_servers[].forward=tun).
            type: dict
            suboptions:
              type:
                description:
                  - The kind of tunnel, V(ipip), V(gue) (Linux 5.2 or later) or V(gre) (Linux 5.3 or later).
                  - A new real server gets V(ipip).
                type: str
                choices: [ipip, gue, gre]
              port:
                description:
                  - The UDP port on which the real server takes V(gue) tunnels, from V(1) to V(65535). Needed there.
                type: int
              checksum:
                description:
                  - The tunnel's checksum, for V(gue) and V(gre). V(remote) is remote checksum offload, for V(gue) only.
                  - A new real server gets V(none).
                type: str
                choices: [none, "on", remote]
  purge:
    description:
      - What is taken away although nobody declared it.
      - V(real_servers) are real servers that a listed service has and the list does not.
      - A network, such as V(10.0.0.0/8), stands for the services whose VIP lies in it.
      - V(fwmark) are the firewall mark services, V(all) are all services.
      - What another owner declared is never purged. What the same owner declared in an earlier run and does not any
        more is taken away without being named here.
    type: list
    elements: str
    default: [real_servers]
  keep_weights:
    description:
      - Leave the weights of existing real servers alone, for where a health checker sets them. New ones get theirs.
    type: bool
    default: false
  owner:
    description:
      - On whose behalf the services are declared. The host notes in C(/var/lib/lvs-topology/ledger.json) which owner
        declared which service.
      - Declaring a service makes it the owner's, also if it existed before.
      - A service that several owners declare stays until the last one lets go of it.
      - Letters, digits, V(_) and V(-).
    type: str
    default: lvs
  state:
    description:
      - V(present) makes the services what the list says.
      - V(absent) takes away every service that the owner declared in earlier runs, and those listed, unless another
        owner declares them, too.
      - V(forgotten) leaves every service that the owner declared as it is and no longer counts it as the owner's,
        because somebody else, such as keepalived, looks after it from now on. V(forgotten) was added in version 0.3.0.
    type: str
    choices: [present, absent, forgotten]
    default: present
seealso:
  - module: lvs.topology.ipvs_service
  - module: lvs.topology.ipvs_real_server
  - module: lvs.topology.ipvs_info
"""

EXAMPLES = r"""
- name: Two services with their real servers, and nothing else of ours
  lvs.topology.ipvs_table:
    services:
      - address: 192.168.246.160
        port: 80
        scheduler: rr
        real_servers:
          - address: 192.168.246.161
            forward: dr
          - address: 192.168.246.162
            forward: dr
            weight: 2
      - fwmark: 10
        family: ipv6
        persistence:
          timeout: 300
          netmask: 64
        real_servers:
          - address: 2001:db8::51
            forward: tun
            tunnel:
              type: gre
              checksum: "on"

- name: The weights belong to a health checker, and every other service with a VIP in 192.168.246.0/24 goes
  lvs.topology.ipvs_table:
    keep_weights: true
    purge:
      - real_servers
      - 192.168.246.0/24
    services:
      - address: 192.168.246.160
        port: 80
        real_servers:
          - address: 192.168.246.161
          - address: 192.168.246.162

- name: Everything that was declared here is taken away
  lvs.topology.ipvs_table:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, as an operator would type them.
  returned: success
  type: list
  elements: str
  sample:
    - ipvsadm -A -t 192.168.246.160:80 -s rr
    - ipvsadm -a -t 192.168.246.160:80 -r 192.168.246.161:80 -g -w 1
rules:
  description:
    - The listed services and their real servers as they are afterwards, in the words of C(ipvsadm-save), to be read by
      C(ipvsadm -R).
    - Unlike C(ipvsadm-save) itself, with thresholds.
  returned: success
  type: list
  elements: str
  sample:
    - -A -t 192.168.246.160:80 -s rr
    - -a -t 192.168.246.160:80 -r 192.168.246.161:80 -g -w 1
unmanaged:
  description: The services that nobody declared and that were left alone, in the words of C(ipvsadm-save).
  returned: success
  type: list
  elements: str
  sample: [-A -t 192.168.246.170:443 -s wlc]
applied:
  description: The changes that took effect before the kernel refused one.
  returned: when the kernel refused a change
  type: list
  elements: str
remaining:
  description: The changes that did not take effect. Running the task again plans them anew.
  returned: when the kernel refused a change
  type: list
  elements: str
"""

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_table import ensure_table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import TABLE_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    module = Module(
        large="services",
        argument_spec=TABLE_SPEC,
        required_if=[("state", "present", ("services",))],
        supports_check_mode=True,
    )
    run(module, booked(ensure_table))


if __name__ == "__main__":
    main()
