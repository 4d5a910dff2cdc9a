# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter plan_changes: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import on_paper
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.given import evaluated, mapping, names
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

DOCUMENTATION = r"""
name: plan_changes
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Which planned files are written, and which of an earlier run go
description:
  - Puts together what P(lvs.topology.plan_files#filter) returned for several hosts. Of what an earlier run has written,
    what is planned no more goes; the files of hosts that are in the inventory and have no part in this run stay.
  - Only what the index of the earlier run lists is ever named for removal.
positional: _input, index, known
options:
  _input:
    type: dict
    required: true
    description: The files of each host of this run.
  index:
    type: str
    required: true
    description: What is in the index that an earlier run has written; empty where there is none.
  known:
    type: list
    elements: str
    required: true
    description: All hosts of the inventory.
seealso:
  - plugin: lvs.topology.plan_files
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show which files would go
  ansible.builtin.debug:
    msg: "{{ ({'lb1': []} | lvs.topology.plan_changes('lb1/director.ip', groups.all)).gone }}"
"""

RETURN = r"""
_value:
  type: dict
  description: What to do, with paths below the directory of the plan.
  contains:
    files:
      type: list
      elements: dict
      description: The files to write, each with C(path) and C(content).
    folders:
      type: list
      elements: str
      description: The folders that they are in.
    gone:
      type: list
      elements: str
      description: The files to remove.
    empty:
      type: list
      elements: str
      description: The folders of which nothing is left then.
    index:
      type: str
      description: The new index.
"""


def plan_changes(files: Mapping[str, Any], index: Any, known: Any) -> dict[str, Any]:
    try:
        given = mapping(evaluated(files, "files"), "files")
        return on_paper.changes_of(str(evaluated(index, "index")), dict(given), names(known, "known"))
    except WrongModel as wrong:
        raise AnsibleFilterError(str(wrong)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"plan_changes": plan_changes}
