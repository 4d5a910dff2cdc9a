# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter unannounced: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

DOCUMENTATION = r"""
name: unannounced
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: Which VIPs nobody would announce while some directors are drained
description:
  - Compares the inventory with what directors announce at the moment. A director without a session that is established,
    and one that did not answer, announces nothing to anybody.
positional: _input, groups, infos, directors
options:
  _input:
    type: dict
    required: true
    description: C(hostvars).
  groups:
    type: dict
    required: true
    description: C(groups).
  infos:
    type: dict
    required: true
    description: For each director what M(lvs.topology.host_info) returned there as C(bgp).
  directors:
    type: list
    elements: str
    required: true
    description: The directors that are drained together.
"""

EXAMPLES = r"""
- name: Refuse to drain what is needed
  ansible.builtin.assert:
    that: __lvs_lost | length == 0
    fail_msg: "{{ __lvs_lost }}"
  vars:
    __lvs_lost: "{{ hostvars | lvs.topology.unannounced(groups, __lvs_infos, ['lb1']) }}"
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: >-
    One line for each VIP, and one for each of the directors that announces nothing by BGP. Empty where all is well.
"""


def unannounced(
    hostvars: Mapping[str, Any], groups: Mapping[str, Any], infos: Mapping[str, Any], directors: Any
) -> list[str]:
    try:
        return compiler.unannounced_of(hostvars, groups, infos, directors)
    except WrongModel as wrong:
        raise AnsibleFilterError(str(wrong)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unannounced": unannounced}
