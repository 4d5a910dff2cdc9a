#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure_real_server.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_real_server
short_description: Add, change, drain, restore or remove one real server of a virtual service in the kernel's IPVS table
version_added: 0.1.0
description:
  - Makes one real server of a virtual service what the options say, lets its connections end, or removes it.
  - An option that is left out is left alone where the real server exists, and has a default where it is new.
  - A real server is changed in place, so that its connections and counters stay.
  - The service must exist. In check mode, where an earlier task may only have said that it would add it, a warning is
    given and the real server counts as new.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.loading
  - lvs.topology.ipvs.real_server
options:
  service:
    description: The virtual service.
    type: dict
    required: true
    suboptions:
      address:
        description:
          - The virtual IP address (VIP), IPv4 or IPv6.
          - Either this or O(service.fwmark).
        type: str
      port:
        description: The port, from V(0) to V(65535). Needed with O(service.address).
        type: int
      protocol:
        description: The protocol of a service with an O(service.address). Left out, V(tcp).
        type: str
        choices: [tcp, udp, sctp]
      fwmark:
        description: The firewall mark, from V(1) to V(4294967295).
        type: int
      family:
        description: The address family of a service with an O(service.fwmark). Left out, V(ipv4).
        type: str
        choices: [ipv4, ipv6]
  address:
    description:
      - The real server's address (RIP). Of the service's family, except with O(forward=tun).
      - With the port it says which real server is meant.
    type: str
    required: true
  port:
    description:
      - The real server's port, from V(0) to V(65535). Left out, the service's, and V(0) for a firewall mark service.
      - Another one than the service's only with O(forward=nat), as nothing else translates ports. In firewall mark
        services V(0) keeps the port of each packet.
    type: int
  state:
    description:
      - V(present) adds or changes the real server.
      - V(absent) removes it. Connections that are established are dropped.
      - V(drained) sets weight 0 in place, so that there are no new connections, waits until those that are there have
        ended, and only then removes it. One that is absent, or whose service is, is drained already. What O(forward),
        O(weight), the thresholds and O(tunnel) say does not matter.
      - V(restored) gives O(weight) to one that is there at weight 0, and changes nothing else. It never adds, so that
        it is safe where a health checker such as keepalived removes and adds real servers. O(weight) is needed.
        O(raises) says what else it may raise.
    type: str
    choices: [present, absent, drained, restored]
    default: present
  wait_for:
    description:
      - With O(state=drained), the connections to wait for, as the kernel counts them.
      - V(active) are established TCP connections and SCTP associations.
      - V(inactive) are TCP connections that are opened or closed, and those closed lately (TIME_WAIT, 60 to 120
        seconds). Every UDP connection is inactive from its first datagram until the UDP timeout, 300 seconds unless
        set, has passed without one.
      - V(persistent) are the templates by which persistent services remember a client. They last for the timeout of
        persistence after the client's last connection.
      - Left out, V(active), and V(inactive) for a UDP service. For a firewall mark service that takes UDP, list both.
    type: list
    elements: str
    choices: [active, inactive, persistent]
    version_added: 0.3.0
  timeout:
    description:
      - With O(state=drained), how long to wait at most, in seconds, up to 2678400 (31 days). V(0) looks once.
      - Connections that a client left open without a word are remembered for 900 seconds, unless set otherwise with
        M(lvs.topology.ipvs_timeouts).
    type: int
    default: 300
    version_added: 0.3.0
  poll_interval:
    description:
      - With O(state=drained), the longest pause between two looks, in seconds, from V(0.1) to V(60).
      - At first the pauses are shorter, so that the end of a short drain is not seen late.
    type: float
    default: 1.0
    version_added: 0.3.0
  on_timeout:
    description:
      - With O(state=drained), what happens when O(timeout) has passed and connections are left.
      - V(fail) leaves the real server at weight 0 and fails.
      - V(proceed) goes on as if they had ended. With O(remove=true) that cuts them.
    type: str
    choices: [fail, proceed]
    default: fail
    version_added: 0.3.0
  remove:
    description:
      - With O(state=drained), whether the real server is removed in the end.
      - V(false) keeps it at weight 0, to be put back later with its RV(former_weight).
    type: bool
    default: true
    version_added: 0.3.0
  share:
    description:
      - How much of O(weight) the real server gets, in percent, from V(1) to V(100). It is rounded down, and a weight
        that is not V(0) stays at least V(1).
      - A share needs O(weight), and is refused with O(state=drained) and O(state=absent).
    type: int
    default: 100
    version_added: 0.4.0
  raises:
    description:
      - With O(state=restored), which real servers get the weight. V(drained) are those that have V(0), and V(lowered)
        those that have less than that, but not V(0). With another state, V(lowered) is refused.
    type: str
    choices: [drained, lowered]
    default: drained
    version_added: 0.4.0
  waited:
    description:
      - With O(state=drained), for how many seconds an earlier call has waited already. A weight that is not V(0) is
        somebody else's then, and refused.
      - The controller gives this itself. A wait of more than ten seconds is several calls, so that it can say every ten
        seconds how many connections are left.
    type: float
    version_added: 0.4.0
notes:
  - While O(state=drained) waits, the task runs on the host. For long waits use C(async), which is one call and says
    nothing before it ends.
  - O(state=drained) warns where sysctls of the host make the kernel go on sending clients to a real server of weight 0.
    These are C(net.ipv4.vs.expire_quiescent_template=0) with a persistent service, and
    C(net.ipv4.vs.conn_reuse_mode=0).
seealso:
  - module: lvs.topology.ipvs_service
  - module: lvs.topology.ipvs_table
"""

EXAMPLES = r"""
- name: A web service
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80

- name: Its first real server, reached directly
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    forward: dr

- name: No new connections for it
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    weight: 0

- name: A second one behind NAT, on another port, for at most 1000 connections
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 10.0.0.51
    port: 8080
    forward: nat
    weight: 3
    upper_threshold: 1000
    lower_threshold: 800

- name: A third one in another network, through a GUE tunnel
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 203.0.113.7
    forward: tun
    tunnel:
      type: gue
      port: 5555

- name: The first one is maintained, once its users have finished, after ten minutes at the latest
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    state: drained
    remove: false
    timeout: 600
    on_timeout: proceed

- name: The second one leaves for good, and nobody notices
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 10.0.0.51
    port: 8080
    state: drained

- name: The first one is back, unless a health checker removed it meanwhile
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    state: restored
    weight: 1

- name: It gets half of its weight for the time being, if nobody drained it
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    state: restored
    raises: lowered
    weight: 10
    share: 50

- name: The first one leaves at once
  lvs.topology.ipvs_real_server:
    service:
      address: 192.168.246.160
      port: 80
    address: 192.168.246.161
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, as an operator would type them.
  returned: success
  type: list
  elements: str
  sample: [ipvsadm -e -t 192.168.246.160:80 -r 192.168.246.161:80 -g -w 0]
former_weight:
  description: The weight before this task, or null where it is absent.
  returned: O(state=drained)
  type: int
  sample: 3
weight:
  description: The weight after this task, or in check mode as it would be; null where the real server is absent.
  returned: O(state=restored)
  type: int
  sample: 1
waited:
  description: How long this task waited, in seconds.
  returned: O(state=drained)
  type: float
  sample: 12.0
connections:
  description: The connections that were left at the last look, C(active), C(inactive) and C(persistent).
  returned: O(state=drained)
  type: dict
  sample: {active: 0, inactive: 2, persistent: 0}
drained:
  description: Whether no connections of those that were waited for are left, or nothing is there.
  returned: O(state=drained)
  type: bool
  sample: true
removed:
  description: Whether this task removed it, or in check mode would.
  returned: O(state=drained)
  type: bool
  sample: true
applied:
  description: The changes that took effect before the kernel refused one, or before the time was over.
  returned: when the kernel refused a change, or connections are left
  type: list
  elements: str
remaining:
  description: The changes that did not take effect. Running the task again plans them anew.
  returned: when the kernel refused a change, or connections are left
  type: list
  elements: str
"""

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_real_server import ensure_real_server
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import REAL_SERVER_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(Module(argument_spec=REAL_SERVER_SPEC, supports_check_mode=True), ensure_real_server)


if __name__ == "__main__":
    main()
