# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter director_files: documentation, one call, one translation of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._import import given
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import WrongModel

DOCUMENTATION = r"""
name: director_files
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What directors answered about their files, for the filter as_inventory
description:
  - Takes what the playbook C(lvs.topology.adopt) registers where it reads the files of the directors themselves, and
    returns the arguments of P(lvs.topology.as_inventory#filter).
  - Of a director with several forms of configuration the one that says its services is taken; the others are named.
    Where there is none, its table is taken.
positional: _input, hosts
options:
  _input:
    type: dict
    required: true
    description:
      - C(hostvars), where each director has what P(ansible.builtin.slurp#module) answered in a loop over paths as
        C(__lvs_files), and what P(lvs.topology.ipvs_info#module) answered as C(__lvs_info).
  hosts:
    type: list
    elements: str
    required: true
    description: The directors.
seealso:
  - plugin: lvs.topology.as_inventory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show which files of the directors are read first
  ansible.builtin.debug:
    msg: "{{ (hostvars | lvs.topology.director_files(groups.lvs_directors)).first }}"
"""

RETURN = r"""
_value:
  type: dict
  description: The arguments of the filter as_inventory, and what was not read.
  contains:
    files:
      type: dict
      description: The text of each file, by the director's name and its path beside the first file.
    first:
      type: list
      elements: str
      description: The first file of each director.
    hosts:
      type: list
      elements: str
      description: The directors of which anything is known, in the order of their files.
    tables:
      type: dict
      description: By the first file of a director the name of that with the rules of its table.
    unread:
      type: list
      elements: str
      description: What was not read, each with the reason.
"""


def director_files(hostvars: Mapping[str, Any], hosts: Any) -> dict[str, Any]:
    try:
        return given.files_of(hostvars, hosts)
    except WrongModel as wrong:
        raise AnsibleFilterError(str(wrong)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"director_files": director_files}
