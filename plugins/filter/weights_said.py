# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter weights_said: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: weights_said
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Which weights real servers had before they were drained, in words
description:
  - Says for each listing what the drain found in the table, for a message that tells somebody how to put it back.
positional: _input
options:
  _input:
    type: list
    elements: dict
    required: true
    description: >-
      The results of M(lvs.topology.ipvs_real_server) with C(state=drained) in a loop over what
      P(lvs.topology.listings#filter) found, whose variable is C(director_listing).
  afterwards:
    type: bool
    default: false
    description: Whether to say what the drain has left there, in place of what it found.
seealso:
  - plugin: lvs.topology.weights_back
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Take web1 out
  lvs.topology.ipvs_real_server:
    service: "{{ director_listing.service }}"
    address: "{{ director_listing.real_server.address }}"
    port: "{{ director_listing.real_server.port }}"
    state: drained
    remove: false
  delegate_to: "{{ director_listing.director }}"
  loop: "{{ hostvars | lvs.topology.listings(groups, 'web1') }}"
  loop_control:
    loop_var: director_listing
  register: __drained

- name: Say what it had
  ansible.builtin.debug:
    msg: "web1 had {{ __drained.results | lvs.topology.weights_said }}."
"""

RETURN = r"""
_value:
  type: str
  description: The weights, in one line. Empty where there are no results.
  sample: 1 in web on lb1, no entry in web on lb2
"""

weights_said = as_filter("draining.weights_said_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weights_said": weights_said}
