#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/kmod.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_modules
short_description: Load kernel modules now and at boot, and unload them later
version_added: 0.1.0
description:
  - Loads kernel modules, with what they depend on, and lists them in C(/etc/modules-load.d) for the next boot.
  - A module that is built into the kernel is fine too.
  - With O(state=absent), what this module loaded is unloaded if nobody uses it. Nothing is ever forced. A module that
    was loaded before stays.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
options:
  modules:
    description:
      - The modules by name, such as V(ip_vs_wlc).
      - Required if O(state=present). With O(state=absent) only these; left out, all that the owner asked for.
    type: list
    elements: str
  state:
    description: V(present) loads the modules; V(absent) unloads those that this module loaded.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lvs.topology.sysctl_profile
"""

EXAMPLES = r"""
- name: IPVS with the schedulers in use
  lvs.topology.kernel_modules:
    modules:
      - ip_vs
      - ip_vs_wlc

- name: Unload what was loaded
  lvs.topology.kernel_modules:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(modprobe) and C(rmmod).
  returned: success
  type: list
  elements: str
  sample: [modprobe ip_vs, write /etc/modules-load.d/lvs-topology-lvs.conf]
still_in_use:
  description: The modules that this module once loaded and that stay loaded, because somebody uses them.
  returned: success
  type: list
  elements: str
  sample: [nf_conntrack]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would unload
      it, once nobody uses it any more. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [ip_vs_wlc]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.kmod import ensure_modules
from ansible_collections.lvs.topology.plugins.module_utils._options import KERNEL_MODULES_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=KERNEL_MODULES_SPEC,
            required_if=[("state", "present", ("modules",))],
            supports_check_mode=True,
        ),
        booked(ensure_modules),
    )


if __name__ == "__main__":
    main()
