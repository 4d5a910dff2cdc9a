# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter findings: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: findings
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What is not as it should be on a site that runs
description:
  - Compares what hosts said of themselves with the model, and with each other. A finding names the host, what is and
    what is meant, what clients notice of it, and what puts it right.
  - There are three degrees. V(broken) is what clients notice, V(at risk) what they will notice when something else
    happens, and V(worth knowing) the rest.
  - A host that did not answer, or whose answer has not the form of the module's, is a finding too.
  - Facts must be fresh.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups, answers, probes
options:
  answers:
    type: dict
    required: true
    description: By the name of each host, what M(lvs.topology.host_info) returned there.
  probes:
    type: dict
    required: true
    description: By the name of each client, what M(lvs.topology.probe) returned there.
  hosts:
    type: list
    elements: str
    description:
      - The hosts of the run, clients included. What is not among them was not to be looked at, which C(unseen) says.
      - By default all that have a role, and the clients of the inventory.
  attempts:
    type: dict
    description: By the name of each director, what M(lvs.topology.probe) returned there.
  through_vip:
    type: bool
    default: false
    description: As P(lvs.topology.questions#filter) was told.
  put_back:
    type: list
    elements: str
    description: The directors on which that way was taken away again.
  known:
    type: list
    elements: str
    description: The C(hosts) that P(lvs.topology.questions#filter) was told. By default all that have facts.
seealso:
  - module: lvs.topology.host_info
  - module: lvs.topology.probe
  - plugin: lvs.topology.questions
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the host
  lvs.topology.host_info:
    table: true
  register: looked

- name: Refuse what is not as it should be
  ansible.builtin.assert:
    that: __found.is_well
    fail_msg: "{{ __found.lines }}"
  vars:
    __answers: "{{ hostvars | lvs.topology.answers('looked', 'parts') }}"
    __found: "{{ hostvars | lvs.topology.findings(groups, __answers, {}) }}"
  run_once: true
"""

RETURN = r"""
_value:
  type: dict
  description: What was found, and what was not looked at.
  contains:
    hosts:
      type: list
      elements: str
      returned: always
      description: The hosts that take part.
    is_well:
      type: bool
      returned: always
      description: Whether nothing is broken or at risk.
    failing:
      type: int
      returned: always
      description: How many findings are V(broken) or V(at risk).
    findings:
      type: list
      elements: dict
      returned: always
      description:
        - The worst first, each with C(degree), C(host), C(what), C(effect) and C(remedy). The last two may be empty.
    lines:
      type: list
      elements: str
      returned: always
      description: The same, each as a line to read, but for what comes after the first 50 of a host.
    unseen:
      type: list
      elements: str
      returned: always
      description: What was not looked at, and why.
"""

findings = as_filter("verifying.findings_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"findings": findings}
