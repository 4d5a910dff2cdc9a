# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter as_inventory: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._import import given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

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
positional: _input, first
options:
  _input:
    type: dict
    required: true
    description: The files, each with its text. The name of one that another one includes is its path beside that one.
  first:
    type: list
    elements: str
    required: true
    description: The first file of each director. Those of a pair belong together, and what differs is said.
  hosts:
    type: list
    elements: str
    description:
      - What the directors are called, in the order of their files. Of a C(keepalived.conf) with lines for single hosts
        (C(@host)) these are the hosts, as C(keepalived -i) gets them.
      - By default their C(router_id), else the names of the files.
  names:
    type: dict
    description: What names mean that stand in place of addresses and ports.
  tables:
    type: dict
    description:
      - What the kernels of directors have, to be held against their files. By the first file of a director the name of
        one of the files, with the rules of its table as P(lvs.topology.ipvs_info#module) returns them, joined to text.
seealso:
  - plugin: lvs.topology.as_inventory
    plugin_type: lookup
  - plugin: lvs.topology.as_model
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read what keepalived has on the directors
  ansible.builtin.slurp:
    src: /etc/keepalived/keepalived.conf
  register: conf

- name: Show what is not carried over
  ansible.builtin.debug:
    msg: "{{ ({'keepalived.conf': conf.content | b64decode} | lvs.topology.as_inventory(['keepalived.conf'])).lost }}"
"""

RETURN = r"""
_value:
  type: dict
  description: The inventory, and what of the files it does not say.
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
"""


def as_inventory(
    files: Mapping[str, Any],
    first: Any,
    hosts: Any = None,
    names: Mapping[str, Any] | None = None,
    tables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    try:
        return given.inventory_of(files, first, hosts, names, tables)
    except (Unreadable, WrongModel) as wrong:
        raise AnsibleFilterError(str(wrong)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"as_inventory": as_inventory}
