#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure_settings.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_sync_daemon
short_description: Run the daemons that keep the connections of two directors in step
version_added: 0.2.0
description:
  - A master daemon tells a multicast group of the connections that its director has; a backup daemon listens, and knows
    them when its director takes over.
  - In this network namespace there may be one of each, both at once.
  - The kernel cannot change a daemon that runs. One that shall be otherwise is stopped and started, the other one is
    not touched.
  - Daemons live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.loading
  - lvs.topology.owned
  - lvs.topology.owned.purge
options:
  daemons:
    description:
      - The daemons, at most one of each state.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner
        started.
    type: list
    elements: dict
    suboptions:
      state:
        description: V(master) tells, V(backup) listens.
        type: str
        choices: [master, backup]
        required: true
      interface:
        description: The interface on which the directors reach each other. Required if O(state=present).
        type: str
      syncid:
        description: Which directors belong together, from V(0) to V(255). A backup daemon of V(0) listens to all.
        type: int
        default: 0
      maxlen:
        description:
          - The length up to which messages are put together and taken. A master has V(1) to V(65507), a backup V(1024)
            to V(65507); with an IPv6 group 20 less. A backup does not take longer messages than its own limit.
          - V(0) for what fits. A master then sends what Ethernet carries (1472), a backup takes what its interface
            does.
        type: int
        default: 0
      group:
        description: The multicast group, IPv4 or IPv6.
        type: str
        default: 224.0.0.81
      port:
        description: The UDP port, from V(1) to V(65535).
        type: int
        default: 8848
      ttl:
        description: How many routers a message may pass, plus one, from V(1) to V(255).
        type: int
        default: 1
  state:
    description: V(present) makes the daemons run as listed; V(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Both directors need the same services, and each other's syncid, group and port.
  - With net.ipv4.vs.backup_only=1 a director whose backup daemon runs forwards nothing, also where its master daemon
    runs as well.
  - Messages are neither encrypted nor signed. Use an interface that only the directors share.
  - The kernel refuses it where a real server has another address family than its service.
seealso:
  - module: lvs.topology.ipvs_info
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: The active director
  lvs.topology.ipvs_sync_daemon:
    daemons:
      - state: master
        interface: eth1
        syncid: 5

- name: Directors that take turns, each telling and listening, over IPv6
  lvs.topology.ipvs_sync_daemon:
    daemons:
      - state: master
        interface: eth1
        group: ff02::81
        maxlen: 1400
      - state: backup
        interface: eth1
        group: ff02::81

- name: Stop what was started
  lvs.topology.ipvs_sync_daemon:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(ipvsadm).
  returned: success
  type: list
  elements: str
  sample:
    - ipvsadm --start-daemon master --mcast-interface eth1 --syncid 5 --sync-maxlen 1472 --mcast-group 224.0.0.81
      --mcast-port 8848 --mcast-ttl 1
left_alone:
  description: What was asked to be absent, runs, and was not started by this collection.
  returned: success
  type: list
  elements: str
  sample: [backup]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [backup]
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

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_settings import ensure_daemons
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import DAEMONS_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(
        Module(
            argument_spec=DAEMONS_SPEC,
            required_if=[("state", "present", ("daemons",))],
            supports_check_mode=True,
        ),
        booked(ensure_daemons),
    )


if __name__ == "__main__":
    main()
