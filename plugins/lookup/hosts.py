# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup hosts: documentation, and one call; what is decided is decided in plugin_utils/_plays.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: The hosts of a play, by their roles
description:
  - Returns the groups of these roles, for the C(hosts) of a play. A group that the inventory does not have is left out.
  - Fails where there are no directors, and where a variable such as C(lvs_directors_group) names a group that is not
    there. Both would be plays without hosts, without a word.
  - It is made for the playbooks of this collection, which also ask it who has something to do.
options:
  _terms:
    description:
      - V(director), V(real_server), V(router), V(client).
      - V(controller) alone is C(localhost). It fails where C(--limit) leaves that out, without a word.
    type: list
    elements: str
    required: true
  play:
    description:
      - Only those hosts that have something to do in this play of C(lvs.topology.site), by what its check found out.
        Then hosts are returned in place of groups. It takes a play before this one that has hosts.
      - V(wait) is for those that did not get their turn.
      - V(maintain) is the play of C(lvs.topology.rolling), for all hosts that are not absent.
    type: str
    choices: [wait, move, prepare, fill, tell, finish, maintain]
  need_directors:
    description: Whether it fails where there are no directors.
    type: bool
    default: true
  wanted:
    description: Whether the play is wanted at all. If not, it has no hosts, and nothing is looked at.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Something that every director and real server needs
  hosts: "{{ query('lvs.topology.hosts', 'director', 'real_server') }}"
  tasks:
    - name: Look at it
      lvs.topology.host_facts:
"""

RETURN = r"""
_list:
  description: Groups or hosts; a pattern that no host matches where there is none.
  type: list
  elements: str
"""

from typing import Any

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.lvs.topology.plugins.plugin_utils import _before_forks, _plays


class LookupModule(LookupBase):  # type: ignore[misc] # ansible-core has no types
    """Reads the play's variables, and those of the hosts where what was found out about them is asked for."""

    def run(
        self,
        terms: list[str],
        variables: dict[str, Any] | None = None,
        play: str | None = None,
        need_directors: bool = True,
        wanted: bool = True,
    ) -> list[str]:
        # What only looks at the playbook (ansible-lint, too) may have no inventory, and nothing is known of any host.
        looks_only = any(context.CLIARGS.get(option) for option in ("syntax", "listhosts", "listtasks", "listtags"))
        if not looks_only:
            # The hosts of a play are asked for in the process that forks.
            _before_forks.load()
        known = _plays.evaluated(variables, self._templar.template)
        groups = known.get("groups", {})
        try:
            _plays.check_words(terms or [None], (*_plays.GROUPS, _plays.CONTROLLER), "role")
            _plays.check_words([] if play is None else [play], (*_plays.PLAYS, _plays.MAINTAIN), "play")
            if not wanted:
                return [_plays.NOBODY]
            if _plays.CONTROLLER in terms:
                return _plays.controller(terms, context.CLIARGS.get("subset"))
        except _plays.Wrong as wrong:
            raise AnsibleLookupError(str(wrong)) from None
        if looks_only:
            return _plays.patterns(terms, known, groups)
        try:
            _plays.check_groups(known, groups, need_directors=need_directors)
        except _plays.Wrong as wrong:
            raise AnsibleLookupError(str(wrong)) from None
        if play is None:
            return _plays.patterns(terms, known, groups)
        if "hostvars" not in known:
            # Ansible has none before a play had hosts, and --limit may leave all of them out.
            if context.CLIARGS.get("subset"):
                return [_plays.NOBODY]
            raise AnsibleLookupError(
                f"play={play} is for a play after one that has hosts: before, nothing is known of any"
            )
        return _plays.busy(play, terms, known, groups) or [_plays.NOBODY]
