#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure_settings.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_timeouts
short_description: Set how long IPVS remembers idle connections
version_added: 0.2.0
description:
  - Sets the timeouts that C(ipvsadm --set) sets, in this network namespace.
  - A timeout that is left out is left alone, and so is one of V(0), as in C(ipvsadm).
  - A connection that exists takes a new timeout over with its next packet.
  - Timeouts live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.loading
  - lvs.topology.owned
  - lvs.topology.owned.purge
options:
  tcp:
    description:
      - How long an established TCP connection may be idle, in seconds, up to 2678400 (31 days). The kernel starts with
        900.
      - Above 24 days only a kernel of less than 1000 ticks per second takes it.
    type: int
  tcpfin:
    description: As O(tcp), for a TCP connection after its first FIN. The kernel starts with 120.
    type: int
  udp:
    description: As O(tcp), for what came from one client's UDP port. The kernel starts with 300.
    type: int
  state:
    description:
      - V(present) sets the timeouts given. V(absent) puts back what was there before, of those given, or of all that
        the owner set where none is given.
    type: str
    choices: [present, absent]
    default: present
notes:
  - SCTP has no timeout that can be set.
  - A connection idle for longer is forgotten, and its next packet answered by a reset. Keep the TCP timeout above the
    keepalive of clients and real servers.
seealso:
  - module: lvs.topology.ipvs_info
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: Idle TCP connections for two hours, UDP for a minute; the time after a FIN as it is
  lvs.topology.ipvs_timeouts:
    tcp: 7200
    udp: 60

- name: Put the earlier ones back
  lvs.topology.ipvs_timeouts:
    state: absent
"""

RETURN = r"""
changes:
  description: The change made, or in check mode to be made, in the words of C(ipvsadm), whose 0 keeps a timeout.
  returned: success
  type: list
  elements: str
  sample: [ipvsadm --set 7200 0 60]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [udp]
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

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_settings import ensure_timeouts
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import TIMEOUTS_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(Module(argument_spec=TIMEOUTS_SPEC, supports_check_mode=True), booked(ensure_timeouts))


if __name__ == "__main__":
    main()
