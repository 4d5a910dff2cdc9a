# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter trouble: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

DOCUMENTATION = r"""
name: trouble
version_added: 0.3.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What is wrong on running directors, in one list
description:
  - Compares what the kernels of the directors have with C(lvs_services), and directors that share VIPs with each other.
  - It shows what changes without a run of a playbook. A real server that a health check took out, a VIP that two
    directors hold, or none, and tables that differ, so that a takeover would lose something.
  - A real server that should hold a VIP and does not is named too, where its facts were gathered.
  - Facts must be fresh.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups, infos
options:
  infos:
    type: dict
    required: true
    description:
      - By the name of each director, what M(lvs.topology.ipvs_info) returned there with the subsets V(services) and
        V(settings).
seealso:
  - module: lvs.topology.ipvs_info
  - plugin: lvs.topology.mistakes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the table
  lvs.topology.ipvs_info:
    gather_subset: [services, settings]
  register: info

- name: Refuse trouble
  ansible.builtin.assert:
    that: __trouble | length == 0
    fail_msg: "{{ __trouble }}"
  vars:
    __infos: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'info'))) }}"
    __trouble: "{{ hostvars | lvs.topology.trouble(groups, __infos) }}"
  run_once: true
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: One line for each thing that is not as it should be. Empty where all is well.
"""


def trouble(hostvars: Mapping[str, Any], groups: Mapping[str, Any], infos: Mapping[str, Any]) -> list[str]:
    try:
        return compiler.trouble_of(hostvars, groups, infos)
    except WrongModel as wrong:
        raise AnsibleFilterError(str(wrong)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"trouble": trouble}
