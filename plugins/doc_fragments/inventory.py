# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of filters that read a whole inventory."""

from __future__ import annotations


class ModuleDocFragment:
    """The variables of every host and the groups, or the variables alone, and the hosts of a run."""

    DOCUMENTATION = r"""
options:
  _input:
    type: dict
    required: true
    description: The variable C(hostvars), or a dictionary of the same form.
  _groups:
    type: dict
    required: true
    description:
      - The variable C(groups).
      - Directors, real servers and routers are the hosts of C(lvs_directors), C(lvs_real_servers) and C(lvs_routers).
        The variables C(lvs_directors_group), C(lvs_real_servers_group) and C(lvs_routers_group) name other groups.
"""

    HOSTVARS = r"""
options:
  _input:
    type: dict
    required: true
    description: The variable C(hostvars), or a dictionary of the same form.
"""

    RUN = r"""
options:
  hosts:
    type: list
    elements: str
    description: The hosts that are part of the run, C(ansible_play_hosts_all). All are, where it is not given.
"""
