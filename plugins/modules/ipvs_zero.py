#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_ipvs/ensure_settings.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_zero
short_description: Set the counters of IPVS to zero
version_added: 0.2.0
description:
  - Zeroes connections, packets, bytes and rates of one service and its real servers, or without options of all services
    and the total.
  - Where all of that is zero already, nothing is changed.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.ipvs
  - lvs.topology.ipvs.key
notes:
  - The kernel sums counters up every two seconds; what it has not summed up is counted afterwards.
  - The connections that a real server has now are no counters, and stay.
seealso:
  - module: lvs.topology.ipvs_info
"""

EXAMPLES = r"""
- name: Begin to count anew
  lvs.topology.ipvs_zero:

- name: A service whose counters are zeroed
  lvs.topology.ipvs_service:
    address: 192.168.246.160
    port: 80

- name: Only this one
  lvs.topology.ipvs_zero:
    address: 192.168.246.160
    port: 80
"""

RETURN = r"""
changes:
  description: The change made, or in check mode to be made, in the words of C(ipvsadm).
  returned: success
  type: list
  elements: str
  sample: [ipvsadm -Z -t 192.168.246.160:80]
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

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.ensure_settings import ensure_zero
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import ZERO_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(Module(argument_spec=ZERO_SPEC, supports_check_mode=True), ensure_zero)


if __name__ == "__main__":
    main()
