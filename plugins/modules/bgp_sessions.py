#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_bgp/bgp_sessions.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bgp_sessions
short_description: Withdraw a director from its routers for a while, and announce it again
version_added: 0.4.0
description:
  - Disables the sessions of BIRD that the role P(lvs.topology.announcer#role) has configured, or enables them. Routers
    send to other directors as soon as a session ends, and these go on with the connections.
  - Table, addresses and checks stay as they are. What is disabled is enabled again where BIRD is started anew, as after
    a boot.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
options:
  state:
    description:
      - V(disabled) waits until no packet of a client has come for five seconds, V(enabled) until all sessions are
        established and O(announced) is.
    type: str
    choices: [enabled, disabled]
    default: enabled
  announced:
    description:
      - With O(state=enabled), what has to be announced in the end.
      - With O(state=disabled), O(announced.table) is where to look for what RV(announced) returns, and what
        O(graceful_shutdown) changes for a while.
    type: dict
    suboptions:
      table:
        description: The routing table whose routes say what is announced, C(table) of C(lvs_bgp).
        type: int
      vips:
        description: The VIPs, without prefixes.
        type: list
        elements: str
        default: []
      aggregates:
        description: Is taken, and says nothing here. BIRD announces them as long as it announces a VIP in them.
        type: list
        elements: str
        default: []
  graceful_shutdown:
    description:
      - With O(state=disabled), for how many seconds the VIPs are announced with the community 65535:0 (RFC 8326) before
        the sessions end. Routers that know it prefer other directors meanwhile, and packets that still come are served.
      - BIRD adds the community where C(graceful_shutdown) of C(lvs_bgp) has been set.
      - What a task that was killed meanwhile has left so, O(state=enabled) with O(announced.table) puts back.
    type: int
    default: 0
  check_marks:
    description:
      - The firewall marks of health checks that go through a VIP (C(through) of C(health_check)). Their packets are not
        those of clients, and nobody waits for their end.
    type: list
    elements: int
    default: []
  timeout:
    description: How many seconds to wait.
    type: int
    default: 60
  on_timeout:
    description: Whether to go on when the time is over. What is missing then is in RV(missing).
    type: str
    choices: [fail, proceed]
    default: fail
seealso:
  - module: lvs.topology.host_info
"""

EXAMPLES = r"""
- name: Send clients to the other directors, and note what was announced
  lvs.topology.bgp_sessions:
    state: disabled
    announced: {table: 1819}
  register: withdrawn

- name: Serve again
  lvs.topology.bgp_sessions:
    announced: {table: 1819, vips: [198.51.100.1]}
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made, in the words of C(birdc) and C(ip).
  returned: success
  type: list
  elements: str
  sample: [birdc disable lvs4_10_0_0_1]
announced:
  description: The routing table, and the VIPs that its routes say are announced, in the form of O(announced).
  returned: success, with O(announced.table)
  type: dict
  sample: {table: 1819, vips: [198.51.100.1]}
missing:
  description: What was waited for and did not come.
  returned: success
  type: list
  elements: str
  sample: [packets of clients still come]
applied:
  description: The changes that took effect before BIRD refused one, or before the time was over.
  returned: when something was refused, or the time was over
  type: list
  elements: str
remaining:
  description: The changes that did not take effect. Running the task again plans them anew.
  returned: when a change was refused
  type: list
  elements: str
"""

from ansible_collections.lvs.topology.plugins.module_utils._bgp.bgp_sessions import SPEC, ensure_sessions
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import run
from ansible_collections.lvs.topology.plugins.module_utils._module import Module


def main() -> None:
    run(Module(argument_spec=SPEC, supports_check_mode=True), ensure_sessions)


if __name__ == "__main__":
    main()
