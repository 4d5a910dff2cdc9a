# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter site_plans: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler, decided
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

DOCUMENTATION = r"""
name: site_plans
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What every host has to be in each of its roles, decided at once
description:
  - Reads the inventory once and makes the plans of all hosts. Each is the one that P(lvs.topology.host_plan#filter)
    makes for the host and the role. The work grows with the services times their real servers.
  - Inputs of roles that the inventory sets, such as C(director_sysctls), count as they do in the role.
  - Nothing is raised, so that a playbook can show all mistakes before any host is touched.
  - The plan of V(keepalived) holds passwords. Keep what is returned out of the output by C(no_log).
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
options:
  hosts:
    type: list
    elements: str
    description:
      - The hosts whose plans are wanted. By default all that have a role.
      - A host whose C(lvs_state) is V(absent) has none.
  as_json:
    type: bool
    default: false
    description:
      - Returns what is decided for each host as text, for P(ansible.builtin.from_json#filter).
      - Where a fact holds the plans of many hosts, ansible-core 2.18 goes through all of their values whenever a task
        of one host uses the fact.
seealso:
  - plugin: lvs.topology.host_plan
    plugin_type: filter
  - plugin: lvs.topology.mistakes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Decide what every host of this play has to be
  ansible.builtin.set_fact:
    __decided: "{{ hostvars | lvs.topology.site_plans(groups, hosts=ansible_play_hosts_all, as_json=true) }}"
  run_once: true
  no_log: true
"""

RETURN = r"""
_value:
  type: dict
  description: The plans, or what keeps them from being made.
  contains:
    mistakes:
      type: list
      elements: str
      description: As P(lvs.topology.mistakes#filter) returns them. Where there is one, there are no plans.
    hosts:
      type: dict
      description: For each host what is decided, in text where O(as_json=true).
      contains:
        parts:
          type: dict
          description:
            - For each role of the host an element of the option O(lvs.topology.preflight#module:parts). In C(plan) it
              has the plan as P(lvs.topology.host_plan#filter) returns it, except for V(keepalived).
        keepalived:
          type: dict
          returned: for a director
          description: The plan for O(lvs.topology.host_plan#filter:role=keepalived).
"""


def site_plans(
    hostvars: Mapping[str, Any], groups: Mapping[str, Any], hosts: list[str] | None = None, as_json: bool = False
) -> dict[str, Any]:
    try:
        mistakes, found = compiler.site_plans(hostvars, groups, hosts)
    except WrongModel as wrong:
        return {"mistakes": wrong.lines, "hosts": {}}
    every: dict[str, Any] = {name: decided.handed_on(roles) for name, roles in found.items()}
    if as_json:
        every = {name: decided.as_json(each) for name, each in every.items()}
    return {"mistakes": mistakes, "hosts": every}


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"site_plans": site_plans}
