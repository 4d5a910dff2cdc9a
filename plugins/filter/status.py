# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter status: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: status
version_added: 0.3.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What running directors do, in lines to read
description:
  - For each director the VIPs and floating addresses that it holds, its services, and their real servers with weights
    and connections.
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
  - plugin: lvs.topology.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the table
  lvs.topology.ipvs_info:
    gather_subset: [services, settings]
  register: info

- name: Show what the directors do
  ansible.builtin.debug:
    msg: "{{ hostvars | lvs.topology.status(groups, __infos) }}"
  vars:
    __infos: "{{ hostvars | lvs.topology.answers('info', 'services') }}"
  run_once: true
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: Lines, indented by director, service and real server.
"""

status = as_filter("verifying.status_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"status": status}
