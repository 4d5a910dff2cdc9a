# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter left_empty: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: left_empty
version_added: 0.3.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Which services would have no usable real server while some hosts are drained
description:
  - Compares what P(lvs.topology.listings#filter) found with the tables as they are. A real server of weight 0 counts as
    not usable, whoever gave it that weight.
positional: _input, tables, batches
options:
  _input:
    type: list
    elements: dict
    required: true
    description: The listings.
  tables:
    type: dict
    required: true
    description: For each director the C(services) that M(lvs.topology.ipvs_info) returned there.
  batches:
    type: list
    elements: list
    required: true
    description: The hosts that are drained together, one batch after the other.
seealso:
  - plugin: lvs.topology.listings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the table
  lvs.topology.ipvs_info:
    gather_subset: [services]
  register: table

- name: Refuse to drain what is needed
  ansible.builtin.assert:
    that: __empty | length == 0
    fail_msg: "{{ __empty }}"
  vars:
    __empty: >-
      {{ hostvars | lvs.topology.listings(groups, 'web1')
         | lvs.topology.left_empty({inventory_hostname: table.services}, [['web1']]) }}
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: One line for each service. Empty where all is well.
"""

left_empty = as_filter("draining.emptied_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"left_empty": left_empty}
