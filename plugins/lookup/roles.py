# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup roles: documentation, and one call; what is decided is decided in plugin_utils/_plays.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: roles
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: The roles of the host of a task
description:
  - Returns which of V(director), V(real_server), V(router) and V(client) the host is, by its groups.
options:
  _terms:
    description:
      - A play of C(lvs.topology.site), as O(lvs.topology.hosts#lookup:play). Only the roles that have something to do
        in it are returned.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Say what this host is
  ansible.builtin.debug:
    msg: "{{ query('lvs.topology.roles') }}"
"""

RETURN = r"""
_list:
  description: The roles.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.lvs.topology.plugins.plugin_utils import _plays


class LookupModule(LookupBase):  # type: ignore[misc] # ansible-core has no types
    """Reads the variables of the task's host."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None) -> list[str]:
        known = _plays.evaluated(variables, self._templar.template, "lvs_state")
        try:
            _plays.check_words(terms, _plays.PLAYS[1:], "play of site that changes something")
        except _plays.Wrong as wrong:
            raise AnsibleLookupError(str(wrong)) from None
        roles = _plays.roles_of(known["inventory_hostname"], known, known["groups"])
        return list(_plays.to_do(terms[0], roles, known)) if terms else roles
