#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_keepalived/keepalived.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalived_config
short_description: Give keepalived a configuration that it takes, and have it run with it
version_added: 0.3.0
description:
  - Writes keepalived's configuration after keepalived itself (C(keepalived -t)) took it without leaving any of it out.
    One that it does not take is refused with its own words, and neither the file nor the daemon is touched. The same
    happens in check mode. What is mere advice, such as a deprecated keyword, is returned in RV(messages).
  - Starts keepalived and enables it, or has a running one read the file again (C(systemctl reload)), which changes
    services in place. It is never restarted.
  - Adds to the unit that it is started after C(lvs-topology.service), and again when it was killed, because it then
    left its addresses behind. When it is stopped, its addresses go before its table.
  - The host remembers what was there before, and O(state=absent) puts it back.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
  - lvs.topology.owned
requirements:
  - keepalived 2.2 or later on the managed host
options:
  content:
    description:
      - The configuration.
      - Required if O(state=present).
    type: str
  secrets:
    description: What in O(content) nobody shall see in the output.
    type: list
    elements: str
    default: []
  path:
    description: The file. It gets mode 0640.
    type: path
    default: /etc/keepalived/keepalived.conf
  script_user:
    description:
      - The user that O(content) names to run scripts. Where it does not exist yet, check mode cannot know whether
        keepalived takes the configuration, and warns instead.
    type: str
  heir:
    description:
      - With O(state=absent), the owner of what keepalived leaves behind. keepalived is killed in place of stopped, so
        that its addresses and its part of the IPVS table stay, and these are noted as the heir's, for
        M(lvs.topology.vip_address) and M(lvs.topology.ipvs_table).
      - Without it, keepalived takes its addresses and services away. With O(state=present) it is refused.
    type: str
  state:
    description:
      - V(present) has keepalived run with O(content).
      - V(absent) stops it and puts its file and its unit back to what they were.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Where systemd does not run, only the file is written.
  - Passwords are masked in the diff and in what keepalived says, whether they are in O(secrets) or not. So is the rest
    of every line that has a definition or a variable, C($) or C(~SEQ), because a password can come from there.
  - The task's arguments are neither in the host's log nor in the output. A configuration that was there before is kept
    beside the ledger in a file of its own with mode 0600.
seealso:
  - module: lvs.topology.preflight
"""

EXAMPLES = r"""
- name: A virtual address that moves
  lvs.topology.keepalived_config:
    content: |
      vrrp_instance lvs {
          state BACKUP
          nopreempt
          interface eth1
          virtual_router_id 51
          priority 150
          authentication {
              auth_type PASS
              auth_pass s3cret
          }
          virtual_ipaddress {
              192.168.0.29/32 dev eth1
          }
      }
    secrets:
      - s3cret

- name: Stop keepalived and put back what was there before
  lvs.topology.keepalived_config:
    state: absent

- name: End keepalived, with everything that it did still there
  lvs.topology.keepalived_config:
    state: absent
    heir: director
"""

RETURN = r"""
changes:
  description: The changes made, or in check mode to be made.
  returned: success
  type: list
  elements: str
  sample: [write /etc/keepalived/keepalived.conf, systemctl reload keepalived.service]
started:
  description: Whether keepalived was started, or in check mode is to be.
  returned: success
  type: bool
  sample: false
in_place:
  description:
    - Whether the file is this very configuration and nothing has to be noted. Where systemd runs, the unit is enabled
      and active as well, and keepalived has read the file since it was written.
    - Never where keepalived could not say what it thinks of the configuration.
  returned: success
  type: bool
  sample: true
messages:
  description: What keepalived said of the configuration although it took it.
  returned: success
  type: list
  elements: str
  sample: []
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

from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived import ensure_config
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_plan import PATH
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import booked
from ansible_collections.lvs.topology.plugins.module_utils._module import Discreet
from ansible_collections.lvs.topology.plugins.module_utils._plan import run


def main() -> None:
    run(
        Discreet(
            shown=("owner", "path", "script_user", "heir", "state"),
            argument_spec={
                "owner": {"type": "str", "default": "lvs"},
                "content": {"type": "str"},
                # Masked where they stand, not by Ansible, which would replace them in every word of the answer.
                "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
                "path": {"type": "path", "default": PATH},
                "script_user": {"type": "str"},
                "heir": {"type": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
            required_if=[("state", "present", ("content",))],
            supports_check_mode=True,
        ),
        booked(ensure_config),
    )


if __name__ == "__main__":
    main()
