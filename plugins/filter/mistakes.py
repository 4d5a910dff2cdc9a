# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mistakes: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel

DOCUMENTATION = r"""
name: mistakes
version_added: 0.1.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Every mistake of an inventory's virtual services, in one list
description:
  - Checks every service of every director, and whether the plan of every host can be made. Nothing is raised, so that a
    playbook can show all mistakes before any host is touched.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
options:
  hosts:
    type: list
    elements: str
    description:
      - The hosts whose plans have to be complete. By default all that have a role.
      - A host whose C(lvs_state) is V(absent) needs none.
      - A run that is limited to some hosts has no facts of the others, and does not need their plans.
  reached:
    type: list
    elements: str
    description: Those of O(hosts) that have neither failed nor been unreachable so far. By default all of them.
    version_added: 0.4.0
  host:
    type: str
    description:
      - One host, whose plan in O(role) is to be made, in place of all hosts and roles. What is listed then is what
        P(lvs.topology.host_plan#filter) would fail with, so that a task that keeps passwords out of the output by
        C(no_log) need not hide what is wrong with the inventory.
    version_added: 0.4.0
  role:
    type: str
    description: The role of O(host).
    choices: [director, real_server, router, keepalived]
    version_added: 0.4.0
  services:
    type: list
    elements: dict
    description: As in P(lvs.topology.host_plan#filter), with O(host).
    version_added: 0.4.0
  directors:
    type: list
    elements: str
    description: As in P(lvs.topology.host_plan#filter), with O(host).
    version_added: 0.4.0
  variables:
    type: dict
    description: As in P(lvs.topology.host_plan#filter), with O(host).
    version_added: 0.4.0
seealso:
  - plugin: lvs.topology.host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse an inventory with mistakes
  ansible.builtin.assert:
    that: __mistakes | length == 0
    fail_msg: "{{ __mistakes }}"
  vars:
    __mistakes: "{{ hostvars | lvs.topology.mistakes(groups) }}"
  run_once: true
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description:
    - One line for each mistake with its path, what is wrong, and what to do. Empty where all is well.
    - A path begins with the name of a director only where the directors' lists of services differ.
"""


def mistakes(
    hostvars: Mapping[str, Any],
    groups: Mapping[str, Any],
    hosts: list[str] | None = None,
    host: str | None = None,
    role: str | None = None,
    services: list[Any] | None = None,
    directors: list[str] | None = None,
    variables: Mapping[str, Any] | None = None,
    reached: list[str] | None = None,
) -> list[str]:
    try:
        if host is None:
            return compiler.mistakes_of(hostvars, groups, hosts, reached)
        compiler.host_plan(hostvars, groups, host, role or "", services, directors, variables)
    except WrongModel as wrong:
        return wrong.lines
    return []


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mistakes": mistakes}
