# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup as_inventory: documentation, one call, one translation of exceptions."""

from __future__ import annotations

DOCUMENTATION = r"""
name: as_inventory
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: The configuration of directors that exist, as an inventory
description:
  - Reads C(keepalived.conf) with what it includes, C(ldirectord.cf), or the rules that C(ipvsadm -S) prints, and says
    the same in the words of C(lvs_services), C(lvs_vrrp) and the other variables of directors.
  - What no variable says is listed with its file and line and the reason. What is written is accepted by
    P(lvs.topology.mistakes#filter), as far as that needs no facts.
  - Of files of this machine only those below the folder of a director's first file are read; C(/etc/keepalived) in an
    include stands for that folder.
options:
  _terms:
    description:
      - For each director a file, or a folder with its C(keepalived.conf), C(ldirectord.cf) or C(ipvsadm.rules), which
        may be below C(etc) as it is on the director. Several in one term are separated by commas.
      - V(hosts) alone means what the directors of the inventory have answered. Of each of them that is what
        M(lvs.topology.configuration_files) returned, registered as C(__lvs_files), and what M(lvs.topology.ipvs_info)
        returned, as C(__lvs_info), which is held against the files. Of a director with several forms of configuration
        the one that says its services is taken, and where there is none, its table.
    type: list
    elements: str
    required: true
  hosts:
    type: list
    elements: str
    description:
      - What the directors are called, in the order of their files. Of a C(keepalived.conf) with lines for single hosts
        (C(@host)) these are the hosts, as C(keepalived -i) gets them.
      - By default their C(router_id), else the names of the files. With V(hosts) they keep their names.
  names:
    type: raw
    description:
      - What names mean that stand in place of addresses and ports. A mapping, or text as a command line has it, such as
        V(www=192.0.2.10,http-alt=8080), or JSON.
  resolve:
    type: bool
    default: false
    description: Whether names of hosts and ports that O(names) does not have are resolved as this machine does.
seealso:
  - module: lvs.topology.configuration_files
  - plugin: lvs.topology.as_model
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what of two files is not carried over
  ansible.builtin.debug:
    msg: "{{ lookup('lvs.topology.as_inventory', 'lb1/keepalived.conf', 'lb2/keepalived.conf').lost }}"
"""

RETURN = r"""
_raw:
  type: list
  elements: dict
  description: One inventory.
  contains:
    hosts:
      type: dict
      description: The variables of each director, by its name.
    groups:
      type: dict
      description: The directors, and which of them are real servers, too.
    files:
      type: list
      elements: dict
      description:
        - The files of an inventory, each with its C(path) and C(content), and in C(shown) its lines without
          passwords.
    lost:
      type: list
      elements: str
      description: What was not carried over, each with its file and line and the reason.
    notes:
      type: list
      elements: str
      description: What is carried over, and has to be known or decided.
    unread:
      type: list
      elements: str
      description: What of the hosts was not read, each with the reason.
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.lvs.topology.plugins.plugin_utils import _plays
from ansible_collections.lvs.topology.plugins.plugin_utils._import import given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel


class LookupModule(LookupBase):  # type: ignore[misc] # ansible-core has no types
    """Reads the files of this machine, or what directors have answered."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
        self.set_options(var_options=variables, direct=options)
        hosts, names, resolve = (self.get_option(name) for name in ("hosts", "names", "resolve"))
        try:
            if terms != [given.OF_HOSTS]:
                return [given.inventory_of_disk(terms, hosts, names, resolve)]
            known = _plays.evaluated(variables, self._templar.template)
            directors = _plays.members(["director"], known, known["groups"])
            return [given.inventory_of_hosts(known["hostvars"], directors, names, resolve)]
        except (Unreadable, WrongModel) as wrong:
            raise AnsibleLookupError(str(wrong)) from None
