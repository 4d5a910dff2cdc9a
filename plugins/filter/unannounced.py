# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter unannounced: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: unannounced
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What speaks against draining some directors
description:
  - Compares the inventory with what directors announce at the moment. A director without a session that is established,
    and one that did not answer, announces nothing to anybody.
extends_documentation_fragment:
  - lvs.topology.inventory
  - lvs.topology.inventory.run
positional: _input, _groups, answers, directors, hosts
options:
  answers:
    type: list
    elements: dict
    required: true
    description: >-
      The results of M(lvs.topology.host_info) in a loop over P(lvs.topology.announcers#filter), whose variable is
      C(lvs_announcer).
  directors:
    type: raw
    required: true
    description: The directors that are drained together, or groups of them, as a list or as words with commas.
  allow_empty:
    type: bool
    default: false
    description: Whether a VIP may be left without a director that announces it.
seealso:
  - plugin: lvs.topology.announcers
    plugin_type: filter
  - plugin: lvs.topology.unaddressed
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look what each director announces
  lvs.topology.host_info:
    bgp: "{{ lvs_announcer.bgp }}"
  delegate_to: "{{ lvs_announcer.director }}"
  loop: "{{ hostvars | lvs.topology.announcers(groups) }}"
  loop_control:
    loop_var: lvs_announcer
  register: __lvs_announces

- name: Refuse to drain what is needed
  ansible.builtin.assert:
    that: __lvs_lost | length == 0
    fail_msg: "{{ __lvs_lost }}"
  vars:
    __lvs_lost: "{{ hostvars | lvs.topology.unannounced(groups, __lvs_announces.results, ['lb1']) }}"
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: >-
    One line for each name that is not of a director which announces, and for each VIP that nobody would announce.
    Empty where all is well.
"""

unannounced = as_filter("draining.unannounced_of", "Nothing was touched.\n")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unannounced": unannounced}
