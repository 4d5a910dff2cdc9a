# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter unaddressed: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: unaddressed
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Names by which no director would be drained
description:
  - A play for such names would have no hosts and end without a word, or fail when others are drained already.
  - A director of a group with C(lvs_state=absent) is passed over.
extends_documentation_fragment:
  - lvs.topology.inventory
  - lvs.topology.inventory.run
positional: _input, _groups, directors, hosts
options:
  directors:
    type: raw
    description: >-
      Names of directors, or of groups of them, as a list or as words with commas. All directors of the run, where it is
      not given.
seealso:
  - plugin: lvs.topology.unannounced
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse names of whom nobody would be drained
  ansible.builtin.assert:
    that: __lvs_unaddressed | length == 0
    fail_msg: "{{ __lvs_unaddressed }}"
  vars:
    __lvs_unaddressed: "{{ hostvars | lvs.topology.unaddressed(groups, ['lb1', 'lb2'], ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: One line for each mistake, with what to do. Empty where each name is that of directors that announce.
"""

unaddressed = as_filter("draining.unaddressed_of", "Nothing was touched.\n")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unaddressed": unaddressed}
