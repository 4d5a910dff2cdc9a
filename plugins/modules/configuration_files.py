#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_daemons/configuration_files.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: configuration_files
short_description: Read the files by which a director is configured
version_added: 0.4.0
description:
  - Reads what keepalived, ldirectord and ipvsadm are told by files, for P(lvs.topology.as_inventory#lookup). That is
    everything below C(/etc/keepalived) and C(/usr/local/etc/keepalived), because keepalived may include it, and the
    files that ldirectord, C(ipvsadm) and their packages read.
  - Passwords may be in these files. Give the task C(no_log).
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
seealso:
  - plugin: lvs.topology.as_inventory
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read the files of a director
  lvs.topology.configuration_files:
  register: __lvs_files
  no_log: true
"""

RETURN = r"""
files:
  description: The files that were read.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Where it is on the host.
      type: str
      sample: /etc/keepalived/keepalived.conf
    content:
      description: What is in it, in base64.
      type: str
unread:
  description: What is there, and was not read.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Where it is on the host.
      type: str
    reason:
      description: Why it was not read.
      type: str
      sample: Permission denied
"""

from ansible_collections.lvs.topology.plugins.module_utils._daemons.configuration_files import look
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._plan import run_outside_of_turns


def main() -> None:
    run_outside_of_turns(Module(argument_spec={}, supports_check_mode=True), look)


if __name__ == "__main__":
    main()
