# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter diagram: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: diagram
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: A picture of a site, from its model alone
description:
  - An SVG with clients, routers, directors with their VIPs and services, and real servers. Lines show the way of
    requests with forwarding method and weight, and the way of answers, which depends on the method.
  - The picture has no script and nothing from elsewhere, is light or dark as whoever looks at it prefers, and is always
    the same for the same inventory, so it can be kept beside documents.
  - Of many services or real servers it shows some, and says how many more there are.
  - An inventory with mistakes is refused, with all of them.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups
notes:
  - Where the inventory leaves addresses to facts, as M(lvs.topology.host_facts) finds them, the facts are needed.
seealso:
  - plugin: lvs.topology.site_file
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Keep a picture of the site beside its documents
  ansible.builtin.copy:
    content: "{{ hostvars | lvs.topology.diagram(groups) }}"
    dest: docs/site.svg
    mode: "0644"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
_value:
  type: str
  description: The text of an SVG file.
"""

diagram = as_filter("pictures.diagram_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"diagram": diagram}
