# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter host_plan: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import plan_text

DOCUMENTATION = r"""
name: host_plan
version_added: 0.1.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What one host must be in one role, compiled from C(lvs_services)
description:
  - Compiles the virtual services of all directors, the variables of the hosts and their facts into the plan of one
    host. The roles of this collection hand the plan on to the modules.
  - The model is checked first, and all its mistakes are reported together.
  - Facts are used where they were gathered. What can only be told with them, such as the interface of a VIP, is asked
    for where they are missing.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
options:
  host:
    type: str
    required: true
    description: The host whose plan is wanted, by its inventory name.
  role:
    type: str
    required: true
    choices: [director, real_server, router, keepalived, announcer, metrics]
    description:
      - The role of the host that the plan is for. A host may have several.
      - V(keepalived) is that of a director whose C(lvs_manager) is V(keepalived) or V(checker).
      - V(announcer) is that of a director or router that has C(lvs_bgp), and V(metrics) that of a director whose
        C(lvs_metrics) is V(true).
  services:
    type: list
    elements: dict
    description: The services of each of the directors. Where there are none, the C(lvs_services) of each director.
  directors:
    type: list
    elements: str
    description:
      - The directors whose services matter. By default the hosts of the group of directors.
      - A director whose C(lvs_state) is V(absent) takes no part.
      - For O(role=director), O(role=keepalived) and O(role=metrics) the O(host) is always one of them, and where
        keepalived moves its VIPs, so is every other director of the group that shares them.
  variables:
    type: dict
    description:
      - Values that stand above this host's variables of the same name.
      - Known are C(lvs_address), C(lvs_arp_method), C(lvs_bgp), C(lvs_conntrackd), C(lvs_firewall), C(lvs_gateway),
        C(lvs_keep_weights), C(lvs_keepalived), C(lvs_manager), C(lvs_metrics), C(lvs_metrics_directory),
        C(lvs_metrics_interval), C(lvs_packet_filter), C(lvs_purge), C(lvs_sync), C(lvs_sysctls), C(lvs_take_over),
        C(lvs_timeouts), C(lvs_vip_interface) and C(lvs_vrrp). A null is ignored, except for C(lvs_gateway), whose null
        leaves the default route alone.
  as_text:
    type: bool
    default: false
    description:
      - Whether the plan is returned as one text, in JSON, which the modules of this collection take as well.
      - Ansible looks at each value of a structure again and again. With thousands of services that takes longer than
        all else.
    version_added: 0.4.0
seealso:
  - plugin: lvs.topology.mistakes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what this director will be
  ansible.builtin.debug:
    msg: "{{ hostvars | lvs.topology.host_plan(groups, host=inventory_hostname, role='director') }}"

- name: Show what a real server needs for services that are not in the inventory
  ansible.builtin.debug:
    msg: >-
      {{ hostvars | lvs.topology.host_plan(groups, host='web1', role='real_server',
         services=my_services, directors=['lb1'], variables={'lvs_arp_method': 'arptables'}) }}
"""

RETURN = r"""
_value:
  type: dict
  description:
    - The plan as plain data, or with O(as_text) as text.
    - A key that is absent does not concern the role; one that is present and empty means none.
  contains:
    commands:
      type: list
      elements: str
      returned: always
      description: Commands that the host needs, such as C(ipvsadm).
    kernel_modules:
      type: list
      elements: str
      returned: for a director and a real server
      description: Kernel modules to load.
    manager:
      type: str
      returned: for a director
      description:
        - Who holds the VIPs and fills the table, V(kernel), V(keepalived) or V(checker).
        - With V(keepalived), C(addresses), C(services), C(timeouts) and C(sync_daemons) are empty, with V(checker)
          C(services) and C(timeouts).
    announcements:
      type: dict
      returned: for a director with C(lvs_bgp)
      description: The routes that say what is announced, as M(lvs.topology.host_state) takes them.
    bird:
      type: dict
      returned: for O(role=announcer)
      description:
        - The configuration of BIRD as C(content), and the passwords in it as C(secrets). Empty where there is to be
          none.
    interfaces:
      type: list
      elements: str
      returned: for O(role=keepalived)
      description: Interfaces that keepalived needs.
    secrets:
      type: list
      elements: str
      returned: for O(role=keepalived)
      description: What C(keepalived) holds and nobody else shall see.
    keepalived:
      type: dict
      returned: for O(role=keepalived)
      description:
        - What C(keepalived.conf) has to say. Empty where C(lvs_manager) is V(kernel).
      contains:
        global_defs:
          type: dict
          description: C(router_id), and where there is something to say C(script_user), C(timeouts), C(sync), C(raw).
        scripts:
          type: list
          elements: dict
          description: Scripts that instances track.
        processes:
          type: list
          elements: dict
          description: Processes that instances track.
        files:
          type: list
          elements: dict
          description: Files that health checks of real servers read, with C(name) and C(path).
        sync_groups:
          type: list
          elements: dict
          description: Instances that move together.
        instances:
          type: list
          elements: dict
          description: VRRP instances, each with the addresses that it announces and those that it only sets.
        services:
          type: list
          elements: dict
          description: Virtual services with their health checks and real servers.
        raw:
          type: str
          description: The operator's own blocks.
    kernels:
      type: list
      elements: dict
      returned: where not every kernel will do
      description: The oldest kernels with which something works, and what that is.
    sysctls:
      type: dict
      returned: but for O(role=keepalived)
      description: Sysctls and their values as text.
    arp:
      type: list
      elements: dict
      returned: for a real server
      description: Interfaces, and the C(arp_ignore) and C(arp_announce) that they need.
    arp_filters:
      type: list
      elements: dict
      returned: for a real server
      description: Each VIP that is hidden by arptables, and the address to show instead.
    tunnels:
      type: list
      elements: dict
      returned: for a real server
      description: The ends of tunnels, for M(lvs.topology.tunnel_endpoint).
    addresses:
      type: list
      elements: dict
      returned: for a director and a real server
      description: VIPs with their prefixes and interfaces; for a director also where to announce them.
    gateways:
      type: list
      elements: dict
      returned: but for O(role=keepalived)
      description: Default gateways, at most one for each address family.
    source_routes:
      type: list
      elements: dict
      returned: for a real server
      description: VIPs that are reached through tunnels, and the segment size that fits.
    neighbours:
      type: list
      elements: dict
      returned: for a router
      description: Fixed neighbour entries.
    packet_rules:
      type: dict
      returned: for a director
      description: The C(backend), C(marks) and C(source_nat) for M(lvs.topology.packet_rules).
    services:
      type: list
      elements: dict
      returned: for a director
      description: The services for M(lvs.topology.ipvs_table), with every option spelled out.
    purge:
      type: list
      elements: str
      returned: for a director
      description: The scopes that M(lvs.topology.ipvs_table) purges.
    keep_weights:
      type: bool
      returned: for a director
      description: Whether weights in the table are left as they are.
    timeouts:
      type: dict
      returned: for a director
      description: The timeouts that M(lvs.topology.ipvs_timeouts) sets.
    sync_daemons:
      type: list
      elements: dict
      returned: for a director
      description: The daemons that M(lvs.topology.ipvs_sync_daemon) runs.
    notes:
      type: list
      elements: str
      returned: where there is something to say
      description: What works, but an operator should know.
"""


def host_plan(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    host: str,
    role: str,
    services: list[Any] | None = None,
    directors: list[str] | None = None,
    variables: Mapping[str, Any] | None = None,
    as_text: bool = False,
) -> dict[str, Any] | str:
    try:
        plan = compiler.host_plan(hostvars, groups, host, role, services, directors, variables)
    except WrongModel as wrong:
        count = len(wrong.lines)
        raise AnsibleFilterError(f"The inventory has {count} mistake{'s' if count > 1 else ''}:\n{wrong}") from None
    return plan_text.written(plan) if as_text else plan


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"host_plan": host_plan}
