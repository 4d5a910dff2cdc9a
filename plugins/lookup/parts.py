# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup parts: documentation, and one call; which roles a host has is decided in plugin_utils/_plays.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: parts
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What each role of the host of a task is asked for
description:
  - Returns the parts of M(lvs.topology.preflight) and M(lvs.topology.host_info), one for each of the
    roles V(director), V(real_server) and V(router) that the host has by its groups, with the plan of each, and of
    V(announcer) where C(lvs_bgp) of a director or router is set. A director has one for its metrics besides.
  - A plan is one text, in JSON, as P(lvs.topology.host_plan#filter) makes it with C(as_text).
  - There are none for a host with C(lvs_state=absent).
  - The play has to import C(tasks_from=inputs) of these roles before.
"""

EXAMPLES = r"""
- name: Look at the host
  lvs.topology.host_info:
    parts: "{{ query('lvs.topology.parts') }}"
"""

RETURN = r"""
_list:
  description: The parts.
  type: list
  elements: dict
"""

from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible_collections.lvs.topology.plugins.plugin_utils import _plays


class LookupModule(LookupBase):  # type: ignore[misc] # ansible-core has no types
    """Reads the variables of the task's host."""

    def run(self, _terms: list[str], variables: dict[str, Any] | None = None) -> list[Any]:
        known = _plays.evaluated(variables, self._templar.template, "lvs_state")
        if _plays.is_to_be_put_back(known):
            return []
        has = _plays.roles_of(known["inventory_hostname"], known, known["groups"])
        return [self._templar.template(known[f"__{role}_part"]) for role in _plays.parts_of(has, known)]
