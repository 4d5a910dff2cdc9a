# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter plan_files: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import on_paper
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.given import evaluated, mapping
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

DOCUMENTATION = r"""
name: plan_files
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What a host would be, as files in the words of the tools
description:
  - Makes of what the roles of a host ask for a file for each tool, as C(ipvsadm -R), C(ip -batch), C(sysctl -p),
    C(nft -f) and keepalived read it. Nothing is asked of the host.
  - Passwords are left out.
positional: _input, host
options:
  _input:
    type: list
    elements: dict
    required: true
    description: What P(lvs.topology.parts#lookup) returns for the host.
  host:
    type: str
    required: true
    description: The host's name in the inventory, which becomes that of its folder.
  keepalived:
    type: dict
    description: Where keepalived is to run, its configuration as C(content), and its passwords as C(secrets).
seealso:
  - plugin: lvs.topology.plan_changes
    plugin_type: filter
  - plugin: lvs.topology.host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Know the inputs of a director
  ansible.builtin.import_role:
    name: lvs.topology.director
    tasks_from: inputs

- name: Show what it would be
  ansible.builtin.debug:
    msg: "{{ query('lvs.topology.parts') | lvs.topology.plan_files(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  type: list
  elements: dict
  description: The files, in the order of their names.
  contains:
    path:
      type: str
      description: The name of the host, a slash, and that of the file.
    content:
      type: str
      description: What is in it.
"""


def plan_files(parts: Any, host: str, keepalived: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    try:
        given = mapping(evaluated(keepalived or {}, "keepalived"), "keepalived")
        return on_paper.files_of(host, evaluated(parts, "parts"), given)
    except (WrongModel, BadRequest) as wrong:
        raise AnsibleFilterError(str(wrong)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"plan_files": plan_files}
