# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter as_model: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: as_model
version_added: 0.3.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: An IPVS table that somebody filled, as C(lvs_services)
description:
  - Says in the words of C(lvs_services) what a director's table has, so that an inventory can begin with it.
  - What no table says is read from what the director has besides, where that is certain. C(marked) and
    C(forward=fullnat) are rules of a packet filter, C(helper) is a module that is loaded, and timeouts, synchronisation
    daemons, sysctls below C(net.ipv4.vs) and the interface of the VIPs are variables of the director. Where it is not
    certain, a problem says so.
  - Health checks are in no table and have to be added.
  - Real servers that are hosts of the inventory get their names.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups, info
options:
  info:
    type: dict
    required: true
    description:
      - What M(lvs.topology.ipvs_info) returned on the director with the subsets V(services), V(settings) and V(host).
      - Without V(settings), there are neither timeouts nor daemons. Without V(host), what no table says is not looked
        at.
  host:
    type: str
    description: The director's name in the inventory. By default the first one.
    version_added: 0.4.0
  weight:
    type: int
    description: The weight to write for real servers whose weight is 0. By default 0, with a problem that says so.
    version_added: 0.4.0
seealso:
  - module: lvs.topology.ipvs_info
"""

EXAMPLES = r"""
- name: Look at the table
  lvs.topology.ipvs_info:
    gather_subset: [services, settings, host]
  register: info

- name: Show it as a model
  ansible.builtin.debug:
    msg: "{{ {'lvs_services': (hostvars | lvs.topology.as_model(groups, info)).services} | to_nice_yaml }}"
"""

RETURN = r"""
_value:
  type: dict
  description: The model.
  contains:
    services:
      type: list
      elements: dict
      description: The services, for C(lvs_services).
    variables:
      type: dict
      description: Other variables of the director, such as C(lvs_timeouts).
    problems:
      type: list
      elements: str
      description:
        - A line for each service of the table that a model cannot say, for each weight of 0, and for whatever has to
          be known or decided.
    comment:
      type: str
      description: The problems as lines of a comment, for a file of variables.
"""

as_model = as_filter("adopting.model_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"as_model": as_model}
