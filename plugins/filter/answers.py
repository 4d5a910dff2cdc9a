# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter answers: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: answers
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What each host answered to a task
description:
  - Collects by the name of the host what a task registered, as other filters of this collection take it. A host on
    which the task did not run, or did not get so far as to answer, is left out.
extends_documentation_fragment:
  - lvs.topology.inventory.hostvars
positional: _input, name, key
options:
  name:
    type: str
    required: true
    description: The name that the task registers, or a fact.
  key:
    type: str
    description: What an answer has. A task that failed, or was skipped, registers something as well, but not this.
seealso:
  - plugin: lvs.topology.findings
    plugin_type: filter
  - plugin: lvs.topology.status
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the synchronisation daemons
  lvs.topology.ipvs_info:
    gather_subset: [settings]
  register: settings

- name: Say which directors have answered
  ansible.builtin.debug:
    msg: "{{ hostvars | lvs.topology.answers('settings', 'daemons') | list }}"
  run_once: true
"""

RETURN = r"""
_value:
  type: dict
  description: The answers, by the name of the host.
"""

answers = as_filter("base.given.answers")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"answers": answers}
