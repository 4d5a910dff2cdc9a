# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter site_file: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: site_file
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What running directors do, as a page or a picture
description:
  - A page of HTML with a picture of the site, findings, and tables of directors and services; or the picture alone.
  - The page has no script and asks nobody for anything.
  - What the directors' tables and addresses show is a finding. P(lvs.topology.findings#filter) looks at every host.
  - Facts must be fresh.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups, infos, path
options:
  infos:
    type: dict
    required: true
    description:
      - By the name of each director, what M(lvs.topology.ipvs_info) returned there with the subsets V(services) and
        V(settings).
  path:
    type: str
    required: true
    description: The name of the file, which ends in C(.html) or, for the picture alone, in C(.svg).
  asked:
    type: list
    elements: str
    description:
      - The hosts that were asked for anything. What is not among them was not looked at, as the page says.
      - By default all directors, real servers and routers.
  answered:
    type: list
    elements: str
    description:
      - The hosts whose addresses were learned by M(lvs.topology.host_facts). Of a real server or router that was asked
        and is not among them, the page says that it did not answer.
      - By default none.
  made:
    type: str
    default: ""
    description: When this was, as the page is to say it.
seealso:
  - module: lvs.topology.ipvs_info
  - plugin: lvs.topology.diagram
    plugin_type: filter
  - plugin: lvs.topology.status
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Learn the hosts' addresses
  lvs.topology.host_facts:

- name: Look at the table
  lvs.topology.ipvs_info:
    gather_subset: [services, settings]
  register: info

- name: Write a page
  ansible.builtin.copy:
    content: "{{ hostvars | lvs.topology.site_file(groups, __infos, 'site.html', answered=ansible_play_hosts) }}"
    dest: site.html
    mode: "0644"
  vars:
    __infos: "{{ hostvars | lvs.topology.answers('info', 'services') }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
_value:
  type: str
  description: The text of the file.
"""

site_file = as_filter("pictures.site_file_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"site_file": site_file}
