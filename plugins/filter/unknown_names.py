# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter unknown_names: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: unknown_names
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Names of variables that no playbook has
description:
  - Finds variables that are meant for a playbook of this collection and would count for nothing, because their names
    are misspelled, such as C(lvs_drain_timout) and C(lvs_drian_timeout).
  - Names that neither begin with that of a playbook nor are nearly that of a variable are passed over.
options:
  _input:
    type: list
    elements: str
    required: true
    description: Names of variables.
  arguments:
    type: dict
    required: true
    description: By the name of each playbook, its variables in the form of an argument spec.
  playbook:
    type: str
    required: true
    description: The playbook that runs.
seealso:
  - plugin: lvs.topology.wrong_values
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Find a name that the playbook drain does not know
  ansible.builtin.debug:
    msg: "{{ ['lvs_drian'] | lvs.topology.unknown_names({'drain': {'lvs_drain': {'type': 'list'}}}, 'drain') }}"
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: One line for each of them, with what to do. Empty where all are known.
"""

unknown_names = as_filter("playbook_values.unknown_names_of", "Nothing was touched.\n")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unknown_names": unknown_names}
