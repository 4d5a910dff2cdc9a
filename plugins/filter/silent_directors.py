# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter silent_directors: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: silent_directors
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Which directors do not answer, and what speaks against draining hosts that they list
description:
  - A director that does not answer is no reason against it, as long as another director that lists the host does.
  - One whose table cannot be read for another reason is, and so is one of which it is not known how it could tell
    afterwards that a real server serves.
positional: _input, listings
options:
  _input:
    type: list
    elements: dict
    required: true
    description: >-
      The results of M(lvs.topology.ipvs_info) in a loop over the names of the directors, whose variable is
      C(director_name).
  listings:
    type: list
    elements: dict
    required: true
    description: What P(lvs.topology.listings#filter) found.
seealso:
  - plugin: lvs.topology.listings
    plugin_type: filter
  - plugin: lvs.topology.left_empty
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the tables
  lvs.topology.ipvs_info:
    gather_subset: [services]
  delegate_to: "{{ director_name }}"
  loop: "{{ hostvars | lvs.topology.listings(groups, 'web1') | map(attribute='director') | unique }}"
  loop_control:
    loop_var: director_name
  register: __tables
  ignore_unreachable: true
  ignore_errors: true # said by the next task

- name: Say who did not answer, and what speaks against draining web1
  ansible.builtin.debug:
    msg: "{{ __tables.results | lvs.topology.silent_directors(hostvars | lvs.topology.listings(groups, 'web1')) }}"
"""

RETURN = r"""
_value:
  type: dict
  description: What came of asking.
  contains:
    silent:
      type: list
      elements: str
      returned: always
      description: The directors that did not answer.
      sample: [lb2]
    problems:
      type: list
      elements: str
      returned: always
      description: What speaks against it, a line each. Empty where all is well.
      sample: []
"""

silent_directors = as_filter("draining.silent_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"silent_directors": silent_directors}
