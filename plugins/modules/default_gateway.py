#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/network.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: default_gateway
short_description: Set default routes, and put back the earlier ones later
version_added: 0.1.0
description:
  - Sets the default route of a real server to the director (NAT), or to a router (direct routing).
  - An existing default route of the same metric is replaced in one step, so there is no moment without one. It is
    remembered with its source, protocol and other details, and comes back with O(state=absent).
  - Default routes of other metrics are left alone.
  - Routes live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - pyroute2 on the managed host (package C(python3-pyroute2))
options:
  gateways:
    description:
      - The default routes, at most one per family and metric.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner set.
    type: list
    elements: dict
    suboptions:
      gateway:
        description: The address of the next hop, which has to be directly reachable.
        type: str
        required: true
      interface:
        description: The interface that leads to the gateway. Left out, the one whose subnet holds it.
        type: str
      metric:
        description: The metric of the route. For IPv6 the kernel makes 1024 of V(0).
        type: int
        default: 0
  state:
    description: V(present) sets the default routes; V(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
notes:
  - What manages the host's network may replace the route again. With M(lvs.topology.boot_restore), which
    M(lvs.topology.host_state) and the roles use, systemd-networkd, NetworkManager and ifupdown bring it back.
seealso:
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: A real server of NAT sends its answers through the director
  lvs.topology.default_gateway:
    gateways:
      - gateway: 10.0.0.30

- name: Both families, each by its own interface
  lvs.topology.default_gateway:
    gateways:
      - gateway: 10.0.0.30
        interface: eth1
        metric: 50
      - gateway: fe80::30
        interface: eth1

- name: Put the earlier default routes back
  lvs.topology.default_gateway:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(ip).
  returned: success
  type: list
  elements: str
  sample: [ip route replace default via 10.0.0.30 dev eth1 proto static]
left_alone:
  description: What was asked to be absent, is there, and was not put there by this collection.
  returned: success
  type: list
  elements: str
  sample: [ipv4 default metric 0]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [ipv4 default metric 0]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.network import ensure_gateways
from ansible_collections.lvs.topology.plugins.module_utils._options import DEFAULT_GATEWAY_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=DEFAULT_GATEWAY_SPEC,
            required_if=[("state", "present", ("gateways",))],
            supports_check_mode=True,
        ),
        booked(ensure_gateways),
    )


if __name__ == "__main__":
    main()
