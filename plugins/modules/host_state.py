#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments, one call; the work is in _host/host_state.py and plugins/action/host_state.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_state
short_description: Bring a host to everything that a plan asks for, in the right order
version_added: 0.4.0
description:
  - Does in one call, and in the one order that is right, what the modules M(lvs.topology.kernel_modules),
    M(lvs.topology.sysctl_profile), M(lvs.topology.arp_tuning), M(lvs.topology.arp_filter),
    M(lvs.topology.tunnel_endpoint), M(lvs.topology.vip_address), M(lvs.topology.default_gateway),
    M(lvs.topology.source_route), M(lvs.topology.static_neighbour), M(lvs.topology.packet_rules),
    M(lvs.topology.ipvs_timeouts), M(lvs.topology.ipvs_table), M(lvs.topology.ipvs_sync_daemon) and
    M(lvs.topology.boot_restore) do one by one.
  - Where the plan says so, it also lets the topology's packets pass the host's firewall, sets up conntrackd and BIRD,
    and a timer that writes metrics for node_exporter.
  - With O(state=present) all concerns are planned before the first one is changed. What one of them refuses is refused
    while nothing is touched, and where nothing is to be changed the host is only looked at.
  - Where the kernel refuses a change after all, the module says what was applied and what was not begun. A later run
    goes on from there.
  - Concerns of which the plan has nothing, and of which an earlier run left nothing, are passed over. The table of IPVS
    is always looked at where the plan has O(plan.services), for RV(unmanaged).
  - No other module of this collection that uses the ledger changes the host while this one is at work.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
options:
  owner:
    description:
      - On whose behalf the plan is, which is noted on the host with what was there before.
      - Letters, digits, V(_) and V(-).
    type: str
    default: lvs
  plan:
    description:
      - What the host shall have, as the filter P(lvs.topology.host_plan#filter) returns it for the roles C(director),
        C(real_server) and C(router).
      - A key that is left out or empty means that the host shall have nothing of that kind. Required with
        O(state=present).
    type: dict
    suboptions:
      kernel_modules:
        description: As O(lvs.topology.kernel_modules#module:modules).
        type: list
        elements: str
      sysctls:
        description: As O(lvs.topology.sysctl_profile#module:values).
        type: dict
      arp:
        description: As O(lvs.topology.arp_tuning#module:interfaces).
        type: list
        elements: dict
      arp_filters:
        description: As O(lvs.topology.arp_filter#module:filters).
        type: list
        elements: dict
      tunnels:
        description: As O(lvs.topology.tunnel_endpoint#module:tunnels).
        type: list
        elements: dict
      addresses:
        description: As O(lvs.topology.vip_address#module:addresses).
        type: list
        elements: dict
      gateways:
        description: As O(lvs.topology.default_gateway#module:gateways).
        type: list
        elements: dict
      source_routes:
        description: As O(lvs.topology.source_route#module:source_routes).
        type: list
        elements: dict
      neighbours:
        description: As O(lvs.topology.static_neighbour#module:neighbours).
        type: list
        elements: dict
      packet_rules:
        description: The options C(backend), C(marks) and C(source_nat) of M(lvs.topology.packet_rules).
        type: dict
      firewall:
        description:
          - C(packets), which the host's firewall is to let pass, each as in O(lvs.topology.host_info#module:packets)
            without a name. Where the firewall drops none of them, nothing is added to it.
        type: dict
      passing:
        description: Packets that M(lvs.topology.preflight) looked for. They are ignored here.
        type: list
        elements: dict
      conntrackd:
        description:
          - How conntrackd tells another director of connections. C(own) and C(partner) are the addresses of the two on
            the C(interface), C(port) is that of UDP, and C(held) is an address that a master holds. Connections to
            C(real_servers) are told, and conntrackd holds at most C(connections) of them.
        type: dict
      timeouts:
        description: The options C(tcp), C(tcpfin) and C(udp) of M(lvs.topology.ipvs_timeouts).
        type: dict
      services:
        description: As O(lvs.topology.ipvs_table#module:services).
        type: list
        elements: dict
      purge:
        description: As O(lvs.topology.ipvs_table#module:purge).
        type: list
        elements: str
      keep_weights:
        description: As O(lvs.topology.ipvs_table#module:keep_weights).
        type: bool
      watched:
        description:
          - What keepalived has in the table while all of its checks succeed, where it manages the table. It has
            C(services), C(purge) and C(keep_weights) as M(lvs.topology.ipvs_table) does, C(timeouts) as this plan does,
            and C(sync_daemon), which has the options of an entry of O(plan.sync_daemons) but for C(state), and
            C(addresses). The daemon is a master's where keepalived holds one of them, and a backup's where it holds
            none.
          - What somebody else has changed there is put right. What checks decide stays as it is. Keepalived itself
            is asked for that, by SIGUSR1, see keepalived(8).
        type: dict
      announcements:
        description:
          - Routes in a routing table of their own, by which BIRD knows which VIPs to announce. C(table) is its number,
            and C(routes) has an C(address) with its prefix and a C(metric) for each service.
          - With C(by_checks) keepalived adds them when its checks succeed, and its unit takes all away when it ends.
            Keepalived is asked, by SIGUSR1, which services have their quorum, C(service) of a route being its service
            in the words of M(lvs.topology.ipvs_table). What keepalived has not added or taken away by itself, because
            it has read another configuration in between, is added or taken away.
        type: dict
      bird:
        description: The configuration of BIRD.
        type: dict
        suboptions:
          content:
            description: What is in the file. BIRD is asked for its opinion before it is written.
            type: str
          secrets:
            description: The passwords in it, which are shown nowhere.
            type: list
            elements: str
            default: []
      sync_daemons:
        description: As O(lvs.topology.ipvs_sync_daemon#module:daemons).
        type: list
        elements: dict
      metrics:
        description:
          - What a timer is to write for node_exporter every so many seconds. It has C(directory), C(interval),
            C(directors), C(keepalived), C(sync_daemons), C(vips), C(hidden) and C(services), as the filter
            P(lvs.topology.host_plan#filter) returns them for the role V(metrics). C(services) have the names that the
            model has for them and their real servers.
        type: dict
      take_over:
        description:
          - Whether the service of ipvsadm and ldirectord are ended, where they fill the table, so that it stays as it
            is. With O(state=absent) they are given back.
        type: bool
      manager:
        description: >-
          With V(keepalived), addresses and services are left to M(lvs.topology.keepalived_config), with V(checker) the
          services alone.
        type: str
        choices: [kernel, keepalived, checker]
      commands: &not_here
        description: A part of every plan, for the options of M(lvs.topology.preflight). This module does not use it.
        type: list
        elements: str
      kernel_options: *not_here
      kernels:
        description: A part of every plan, for the options of M(lvs.topology.preflight). This module does not use it.
        type: list
        elements: dict
      notes:
        description: What the operator should know. This module does not use it.
        type: list
        elements: str
  concerns:
    description: Which parts of the plan to look after. V(boot) stands for the files that restore the others at boot.
    type: list
    elements: str
    choices: &concerns
      - kernel_modules
      - sysctls
      - arp
      - arp_filters
      - tunnels
      - addresses
      - gateways
      - source_routes
      - neighbours
      - packet_rules
      - firewall
      - conntrackd
      - take_over
      - timeouts
      - withdrawals
      - services
      - watched
      - sync_daemons
      - announcements
      - bird
      - boot
      - metrics
    default: *concerns
  follow_tags:
    description:
      - Look only after what C(--tags) and C(--skip-tags) of the run choose, in place of O(concerns), by the tags that
        the roles of this collection have for it. The task that has this has the tag C(always).
      - The controller handles this; the module on the host never sees a tag.
    type: bool
    default: false
  steps:
    description:
      - V(add) adds and changes what the plan asks for, and takes away nothing but entries of the table of IPVS.
      - V(release) takes away, or puts back as it was, what an earlier run had and the plan does not have, in the
        opposite order.
      - Run the two in separate tasks where other hosts must change in between, so that nobody sends packets to what is
        gone.
    type: list
    elements: str
    choices: [add, release]
    default: [add, release]
  state:
    description: V(absent) takes away, or puts back as it was, everything that O(owner) has on the host.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - plugin: lvs.topology.host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Have a real server of a DR topology
  lvs.topology.host_state:
    owner: real_server
    plan:
      sysctls:
        net.ipv4.conf.all.rp_filter: "2"
      arp:
        - interface: all
          arp_ignore: 1
          arp_announce: 2
      addresses:
        - address: 192.168.246.160/32
          interface: lo

- name: Put back what was there before
  lvs.topology.host_state:
    owner: real_server
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, as an operator would type them.
  returned: success
  type: list
  elements: str
  sample:
    - sysctl -w net.ipv4.conf.all.arp_ignore=1
    - ip address add 192.168.246.160/32 dev lo
left_over:
  description: The concerns in which something is left that the plan has not, for a call with the step V(release).
  returned: success, where O(steps) is only V(add)
  type: list
  elements: str
  sample: [addresses]
unmanaged:
  description: The services that nobody declared and that were left alone, in the words of C(ipvsadm-save).
  returned: success
  type: list
  elements: str
  sample: [-A -t 192.168.246.170:443 -s wlc]
applied:
  description: The changes that took effect before one was refused.
  returned: when a change was refused
  type: list
  elements: str
remaining:
  description: The changes of the same concern that did not take effect. A later run plans them anew.
  returned: when a change was refused
  type: list
  elements: str
not_begun:
  description: The concerns that come after the one in which a change was refused.
  returned: when a change was refused
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import SPEC, ensure_host
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._plan import run
from ansible_collections.lvs.topology.plugins.module_utils._screen import MASK


class _HostState(Module):
    """What BIRD is to have is neither returned nor in the host's log: it has passwords."""

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        if not ((self.params or {}).get("plan") or {}).get("bird"):
            super().log(msg, log_args)

    def _invocation(self) -> dict[str, Any]:
        found = super()._invocation()
        plan = found.get("invocation", {}).get("module_args", {}).get("plan")
        if isinstance(plan, dict) and plan.get("bird"):
            found["invocation"]["module_args"]["plan"] = {**plan, "bird": MASK}
        return found


def main() -> None:
    run(
        _HostState(
            argument_spec=SPEC,
            required_if=[("state", "present", ("plan",))],
            supports_check_mode=True,
        ),
        booked(ensure_host),
    )


if __name__ == "__main__":
    main()
