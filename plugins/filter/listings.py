# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter listings: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: listings
version_added: 0.3.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: In which services of which directors some hosts are real servers
description:
  - Looks through the virtual services of every director that is present. Firewall-mark services count as well, sorry
    servers do not.
  - A name that is not in the inventory, a host that no director lists, and every mistake of the services is reported.
extends_documentation_fragment:
  - lvs.topology.inventory
positional: _input, _groups, hosts, run
options:
  hosts:
    type: raw
    required: true
    description: The name of a host or of a group, or a list of such names.
  run:
    type: list
    elements: str
    version_added: 0.4.0
    description: The hosts that are part of the run. Any other one is reported. All are, where it is not given.
seealso:
  - plugin: lvs.topology.left_empty
    plugin_type: filter
  - plugin: lvs.topology.host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show where web1 gets its clients from
  ansible.builtin.debug:
    msg: "{{ hostvars | lvs.topology.listings(groups, 'web1') }}"
"""

RETURN = r"""
_value:
  type: list
  elements: dict
  description: One for each entry, in the order of the hosts.
  contains:
    host:
      type: str
      returned: always
      description: The real server's name in the inventory.
    director:
      type: str
      returned: always
      description: The director that lists it.
    manager:
      type: str
      returned: always
      description: Who fills the director's table, V(kernel) or V(keepalived).
    inhibit_on_failure:
      type: bool
      returned: always
      description: Whether a keepalived leaves a real server that fails in the table, with weight 0.
    name:
      type: str
      returned: always
      description: The name of the service.
    service:
      type: dict
      returned: always
      description: The service, as M(lvs.topology.ipvs_real_server) wants it.
    real_server:
      type: dict
      returned: always
      description: The options of the real server, as M(lvs.topology.ipvs_table) wants them.
    check:
      type: dict
      returned: always
      description:
        - How the director can tell that the real server serves, without the VIP. C(type) is V(http), with C(url) and
          the list C(status), where the service's C(health_check) says http or https. Otherwise it is V(tcp), with
          C(address) and C(port).
        - Null where nothing says which TCP port to try, as for UDP.
"""

listings = as_filter("draining.listings_of", "Nothing was touched.\n")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"listings": listings}
