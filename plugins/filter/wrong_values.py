# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter wrong_values: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: wrong_values
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Variables of the playbooks whose values make no sense
description:
  - Looks at the values of variables such as C(lvs_drain_timeout). Variables that no playbook has are passed over.
options:
  _input:
    type: dict
    required: true
    description: The values of variables by their names.
  types:
    type: dict
    description:
      - The type of each variable, in the form of an argument spec. Without, only numbers and words are looked at.
"""

EXAMPLES = r"""
- name: Refuse a state that the playbook drain does not know
  ansible.builtin.assert:
    that: __lvs_wrong | length == 0
    fail_msg: "{{ __lvs_wrong }}"
  vars:
    __lvs_wrong: "{{ {'lvs_drain_state': 'drained'} | lvs.topology.wrong_values }}"
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: One line for each of them, with what to do. Empty where all make sense.
"""

wrong_values = as_filter("playbook_values.wrong_values_of", "Nothing was touched.\n")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"wrong_values": wrong_values}
