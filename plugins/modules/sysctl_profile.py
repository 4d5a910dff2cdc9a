#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/sysctl.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl_profile
short_description: Set many sysctls at once, now and at boot, and put them back later
version_added: 0.1.0
description:
  - Sets the values of the running kernel and writes them to a file of their own, which is read at boot.
  - A value that was changed by hand is seen and put right, as is the file.
  - What a sysctl was before the first change is remembered and comes back with O(state=absent), or with O(purge) once
    it is no longer listed.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
options:
  values:
    description:
      - The sysctls by name, each with its value as a string.
      - The names are those of C(sysctl). For an interface with a dot in its name write
        V(net/ipv4/conf/eth0.100/rp_filter) or V(net.ipv4.conf.eth0/100.rp_filter).
      - Blanks and tabs inside a value count as one blank when values are compared.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner set.
    type: dict
  missing:
    description:
      - What to do about a name that this kernel does not have. V(report) warns and sets the others, V(fail) changes
        nothing and fails.
      - Names below C(net.ipv4.vs) exist only once the kernel module C(ip_vs) is loaded.
    type: str
    choices: [report, fail]
    default: report
  persist:
    description:
      - Whether the values are also set at boot, through C(/etc/sysctl.d/99-zz-lvs-topology-OWNER.conf).
      - With V(false), the listed names are taken out of that file.
    type: bool
    default: true
  state:
    description: V(present) sets the values; V(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The kernel sets C(net.ipv4.conf.all.accept_redirects) to the opposite whenever it switches IPv4 forwarding. Switched
    on as listed, it stays so, as at boot. Switched off or put back, the value from before is kept or comes back.
  - In check mode the sysctls below C(net.ipv4.vs) count as there where C(ip_vs) is not loaded yet.
seealso:
  - module: lvs.topology.arp_tuning
"""

EXAMPLES = r"""
- name: A director that forwards for NAT and sends no redirects
  lvs.topology.sysctl_profile:
    values:
      net.ipv4.ip_forward: "1"
      net.ipv4.conf.all.send_redirects: "0"

- name: Put everything back as it was
  lvs.topology.sysctl_profile:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(sysctl).
  returned: success
  type: list
  elements: str
  sample: [sysctl -w net.ipv4.ip_forward=1, write /etc/sysctl.d/99-zz-lvs-topology-lvs.conf]
missing:
  description: The listed sysctls that this kernel does not have.
  returned: success
  type: list
  elements: str
  sample: [net.ipv4.vs.run_estimation]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [net.ipv4.ip_forward]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import ensure_profile
from ansible_collections.lvs.topology.plugins.module_utils._options import SYSCTL_PROFILE_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=SYSCTL_PROFILE_SPEC,
            required_if=[("state", "present", ("values",))],
            supports_check_mode=True,
        ),
        booked(ensure_profile),
    )


if __name__ == "__main__":
    main()
