# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter weights_back: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: weights_back
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: With which weight real servers come back, and in which steps
description:
  - Says for each of the listings which weight its real server gets. That is the weight of the model, or where it was
    drained the one that it had.
  - A real server that had no entry or weight 0 gets the weight of the model where keepalived fills the table, because
    that may have been the word of a health check. Elsewhere it is left out.
  - With steps, a real server that had less than the weight of the model gets that of the model. An earlier run may have
    been interrupted on the way.
positional: _input, steps, first
options:
  _input:
    type: list
    elements: dict
    required: true
    description: >-
      What P(lvs.topology.listings#filter) found, or the results of M(lvs.topology.ipvs_real_server) with
      C(state=drained) in a loop over it, whose variable is C(director_listing).
  steps:
    type: int
    required: true
    description: In how many steps the weight comes back, from V(0) to V(99). With V(0) it is there at once.
  first:
    type: int
    required: true
    description: With steps, with how much of its weight, in percent, a real server begins, from V(1) to V(99).
seealso:
  - plugin: lvs.topology.listings
    plugin_type: filter
  - module: lvs.topology.ipvs_real_server
"""

EXAMPLES = r"""
- name: Say how much of its weight web1 has at first and after each of five steps
  ansible.builtin.debug:
    msg: "{{ (hostvars | lvs.topology.listings(groups, 'web1') | lvs.topology.weights_back(5, 10)).shares }}"
"""

RETURN = r"""
_value:
  type: dict
  description: What there is to do.
  contains:
    listings:
      type: list
      elements: dict
      returned: always
      description: The listings, each with the weight that its real server gets as C(real_server.weight).
    shares:
      type: list
      elements: int
      returned: always
      description: >-
        How much of that weight the real server has, in percent, for O(lvs.topology.ipvs_real_server#module:share). The
        first one is what it begins with, and one for each step follows.
      sample: [10, 28, 46, 64, 82, 100]
"""

weights_back = as_filter("draining.weights_back_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weights_back": weights_back}
