# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter announcers: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: announcers
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: The directors that announce VIPs by BGP, and what each is asked about it
description:
  - Returns the directors that are present and whose C(lvs_bgp) is for BIRD, each with options of modules that ask or
    withdraw it.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
seealso:
  - plugin: lvs.topology.unannounced
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Name those that announce
  ansible.builtin.debug:
    msg: "{{ hostvars | lvs.topology.announcers(groups) | map(attribute='director') }}"
"""

RETURN = r"""
_value:
  type: list
  elements: dict
  description: One entry for each of them.
  contains:
    director:
      type: str
      returned: always
      description: The director, by its inventory name.
    bgp:
      type: dict
      returned: always
      description: The option C(bgp) of M(lvs.topology.host_info) for it.
    graceful_shutdown:
      type: int
      returned: always
      description: The option C(graceful_shutdown) of M(lvs.topology.bgp_sessions) for it.
    check_marks:
      type: list
      elements: int
      returned: always
      description: The option C(check_marks) of M(lvs.topology.bgp_sessions) for it.
  sample: [{director: lb1, bgp: {table: 1819, vips: []}, graceful_shutdown: 0, check_marks: []}]
"""

announcers = as_filter("draining.announcers_of", "Nothing was touched.\n")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"announcers": announcers}
