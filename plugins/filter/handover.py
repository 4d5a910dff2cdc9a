# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter handover: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: handover
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: How addresses and table go from the kernel's own to keepalived, and back
description:
  - Says what a director does on this way, by what M(lvs.topology.preflight) has found on all directors of a run.
  - It belongs to the role C(keepalived), which registers as C(__keepalived_checked) what it compares.
extends_documentation_fragment:
  - lvs.topology.inventory.hostvars
positional: _input, host, hosts
options:
  host:
    type: str
    required: true
    description: The director.
  hosts:
    type: list
    elements: str
    required: true
    description: Those that are part of the run.
  plan:
    type: dict
    description: The director's plan of the role C(keepalived). None where it is absent.
  director:
    type: dict
    description: What M(lvs.topology.preflight) has found on it in the role C(director), where that was asked.
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the director is to be put back.
seealso:
  - module: lvs.topology.preflight
"""

EXAMPLES = r"""
- name: Say whether this director becomes master first
  ansible.builtin.debug:
    msg: "{{ (hostvars | lvs.topology.handover('lb1', ['lb1', 'lb2'], plan=__keepalived_plan)).is_first }}"
"""

RETURN = r"""
_value:
  type: dict
  description: What the director does.
  contains:
    moves:
      type: bool
      returned: always
      description: Whether keepalived is to move addresses. A checker has no VRRP.
    holders:
      type: list
      elements: str
      returned: always
      description: Where keepalived cannot take over, the directors that all hold addresses without it. Else empty.
    unseen:
      type: list
      elements: str
      returned: always
      description: Where it begins with keepalived, those that share its VIPs and are not part of the run.
    is_first:
      type: bool
      returned: always
      description: Whether it holds the addresses, and its keepalived is master before those of others begin.
    stays_still:
      type: bool
      returned: always
      description: Whether keepalived moved addresses so far, and the director itself holds them from now on.
    gives_up:
      type: bool
      returned: always
      description: Whether it is to hold nothing, and its keepalived ends before the others change.
    ends:
      type: bool
      returned: always
      description: Whether the keepalived that an earlier run set up ends.
    takes_over:
      type: bool
      returned: always
      description: Whether keepalived begins, and takes over what the director holds.
    configures:
      type: bool
      returned: always
      description: Whether the configuration of keepalived is brought about.
    throttle:
      type: int
      returned: always
      description: How many directors do that at once, V(0) for all of them.
    left_over:
      type: list
      elements: str
      returned: always
      description: What earlier runs have written beside the configuration of keepalived, and what goes now.
    agrees_in:
      type: int
      returned: always
      description: In how many seconds directors have agreed who is master, V(0) where there is nothing to agree.
    forgets:
      type: bool
      returned: always
      description: Whether what keepalived holds is not the director's own any more.
"""

handover = as_filter("handover.handover_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"handover": handover}
