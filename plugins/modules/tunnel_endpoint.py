#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_net/tunnels.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tunnel_endpoint
short_description: Unwrap what directors send to a real server through tunnels
version_added: 0.2.0
description:
  - Makes the ends of tunnels that only receive, on a real server that directors reach with the forwarding method
    C(tun). Packets come in from any director and go on as what they were inside.
  - A link is either the fallback device that comes with its kernel module, such as C(tunl0), which is brought up, or
    one of its own with O(tunnels[].local).
  - GUE is unwrapped on a UDP port, and goes on as IP in IP. It needs a link of that kind besides.
  - The reverse path filter of links with IPv4 inside is made loose (C(rp_filter) 2) before they are up, now and at
    boot, because the answer to what comes out of a tunnel goes another way.
  - Only what this module made is ever removed. A fallback device is put back as it was.
  - Links and ports live in the running kernel; M(lvs.topology.boot_restore) brings them back at boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
  - lvs.topology.owned.purge
requirements:
  - pyroute2 on the managed host (package C(python3-pyroute2))
options:
  tunnels:
    description:
      - The tunnel ends.
      - Required if O(state=present). With O(state=absent) only these are put back; left out, all that the owner made.
    type: list
    elements: dict
    suboptions:
      type:
        description:
          - What arrives, and what is inside.
          - V(ipip) is IPv4 in IPv4, V(sit) IPv6 in IPv4, V(ip6tnl) IPv6 in IPv6, and with O(tunnels[].local) also
            IPv4 in IPv6.
          - V(gre) is GRE over IPv4 and V(ip6gre) over IPv6, each with both families inside.
          - V(gue) is a UDP port.
        type: str
        required: true
        choices: [ipip, ip6tnl, sit, gre, ip6gre, gue]
      interface:
        description: The link. Required except for V(gue).
        type: str
      local:
        description:
          - The address at which packets arrive, of the family that is outside.
          - Required except for V(gue) and the fallback devices C(tunl0), C(ip6tnl0), C(sit0), C(gre0) and C(ip6gre0).
        type: str
      checksum:
        description:
          - Whether packets carry a checksum. The link takes only what is as said here.
          - For V(gre) and V(ip6gre) with O(tunnels[].local).
        type: bool
      port:
        description: The UDP port. Required for V(gue).
        type: int
      family:
        description: The family outside, for V(gue). Left out, it is V(ipv4).
        type: str
        choices: [ipv4, ipv6]
  state:
    description: V(present) makes the tunnel ends; V(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The kernel modules have to be loaded, which M(lvs.topology.kernel_modules) does, now and at boot.
  - A link of ours whose address or checksum changes is made anew, and loses its addresses.
  - A firewall has to let in IP protocol 4 (41 for IPv6) for IP in IP, 47 for GRE, or the UDP port for GUE.
seealso:
  - module: lvs.topology.kernel_modules
  - module: lvs.topology.vip_address
  - module: lvs.topology.boot_restore
"""

EXAMPLES = r"""
- name: Load what unwraps IP in IP and GUE
  lvs.topology.kernel_modules:
    modules: [ipip, fou, ip_gre]

- name: IP in IP, and GUE on a port
  lvs.topology.tunnel_endpoint:
    tunnels:
      - type: ipip
        interface: tunl0
      - type: gue
        port: 6080

- name: GRE with checksums instead
  lvs.topology.tunnel_endpoint:
    tunnels:
      - type: gre
        interface: lvs-gre
        local: 192.168.246.166
        checksum: true
    purge: true

- name: Put everything back
  lvs.topology.tunnel_endpoint:
    state: absent
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(ip) and C(sysctl).
  returned: success
  type: list
  elements: str
  sample: [sysctl -w net.ipv4.conf.tunl0.rp_filter=2, ip link set tunl0 up, ip fou add port 6080 gue]
left_alone:
  description: What was asked to be absent, is there, and was not put there by this collection.
  returned: success
  type: list
  elements: str
  sample: [dev tunl0]
left_over:
  description:
    - What this owner asked for in an earlier run, no longer lists, and still has, so that O(purge=true) would put it
      back. Sorted; empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [fou port 6080]
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
from ansible_collections.lvs.topology.plugins.module_utils._net.tunnels import ensure_tunnels
from ansible_collections.lvs.topology.plugins.module_utils._options import TUNNEL_ENDPOINT_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Module(
            argument_spec=TUNNEL_ENDPOINT_SPEC,
            required_if=[("state", "present", ("tunnels",))],
            supports_check_mode=True,
        ),
        booked(ensure_tunnels),
    )


if __name__ == "__main__":
    main()
