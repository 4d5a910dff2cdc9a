#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation alone; all of it is done on the controller, by plugins/action/plan_directory.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan_directory
short_description: Write what hosts would be as files of the controller
version_added: 0.4.0
description:
  - Writes what the roles ask for on each host as a file for each tool, as C(ipvsadm -R), C(ip -batch), C(sysctl -p),
    C(nft -f) and keepalived read it. No host is asked anything.
  - C(plan.txt) lists the files. A file that an earlier run has listed and this run does not plan is removed; the files
    of hosts that are in the inventory and have no part in this run stay. A file that is not listed is never touched.
  - Passwords are left out. A link that leads out of the folder ends the task before anything is written.
  - Files have mode 0644. They belong to the user who runs Ansible, whatever C(become) says.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes
options:
  path:
    description: The folder of the controller.
    type: str
    required: true
  hosts:
    description:
      - The hosts of this run. Each has as C(parts) what P(lvs.topology.parts#lookup) returns for it, and, where
        keepalived is to run, as C(keepalived) its configuration as C(content), and its passwords as C(secrets).
      - C(guard) is the script that keepalived runs for C(min_up), where it does.
      - A host without parts has no files, and loses those that it had.
    type: dict
    required: true
  known:
    description: All hosts of the inventory.
    type: list
    elements: str
    required: true
seealso:
  - plugin: lvs.topology.host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write what directors would be
  hosts: lvs_directors
  gather_facts: false
  tasks:
    - name: Know the inputs of a director
      ansible.builtin.import_role:
        name: lvs.topology.director
        tasks_from: inputs

    - name: Know what its roles ask for
      ansible.builtin.set_fact:
        asked: {parts: "{{ query('lvs.topology.parts') }}"}

    - name: Write it
      lvs.topology.plan_directory:
        path: plan
        hosts: "{{ hostvars | lvs.topology.answers('asked') }}"
        known: "{{ groups.all }}"
      run_once: true
"""

RETURN = r"""
written:
  description: The files that are new or have another text than before, by their paths below O(path).
  returned: success
  type: list
  elements: str
removed:
  description: The files that were removed.
  returned: success
  type: list
  elements: str
"""
