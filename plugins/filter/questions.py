# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter questions: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: questions
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What to ask the hosts of a site that runs
description:
  - The options of M(lvs.topology.host_info) for every host whose addresses are known, but for the plans of its roles.
  - Facts must be fresh, because a VIP is asked for where it is held at the moment.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
options:
  hosts:
    type: list
    elements: str
    description: The hosts whose facts are fresh. By default all of which there are any.
  through_vip:
    type: bool
    default: false
    description: Whether directors are to try real servers of DR and TUN one by one through the VIP.
seealso:
  - module: lvs.topology.host_info
  - plugin: lvs.topology.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Know what to ask
  ansible.builtin.set_fact:
    asked: "{{ hostvars | lvs.topology.questions(groups) }}"
  run_once: true
"""

RETURN = r"""
_value:
  type: dict
  description: What to ask, and why it may not be possible.
  contains:
    mistakes:
      type: list
      elements: str
      returned: always
      description:
        - The mistakes of the inventory, as P(lvs.topology.mistakes#filter) lists them for these hosts. None where a
          host is missing, because much would seem to be wrong only for that.
    hosts:
      type: dict
      returned: always
      description:
        - By the name of each host, the options of M(lvs.topology.host_info), but for the plans.
        - Of a director also C(tries), with the C(endpoints) of M(lvs.topology.probe), and the C(services) and
          C(sysctls) without which these would not be reached.
"""

questions = as_filter("verifying.questions_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"questions": questions}
