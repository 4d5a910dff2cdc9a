# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_facts: what plans are made of, as far as the host knows it. It changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# The fact that the compiler reads.
NAME = "lvs_topology"
# Far away, so that the answer is the default route. Nothing is sent there. ansible.builtin.setup asks for the like.
_FAR = {"4": "8.8.8.8", "6": "2001:4860:4860::8888"}


def look(module: AnsibleModule) -> dict[str, Any]:
    """What the module host_facts does."""
    command = _commands.find("ip")
    if command is None:
        # Where the inventory names the addresses nothing is missing, and preflight names the package.
        module.warn("There is no ip command, so nothing is known of this host's network.")
        return {"changed": False, "ansible_facts": {NAME: {}}}
    return {"changed": False, "ansible_facts": {NAME: _network(command)}}


def _network(command: str) -> dict[str, Any]:
    """The interfaces with their addresses, and the next hops of the default routes."""
    status, links, errors = _ask(command, "address", "show")
    if status != 0 or links is None:
        raise Refused(f"{command} -json address show failed: {errors.strip() or 'what it printed is not JSON'}.")
    found: dict[str, Any] = {"interfaces": [_interface(link) for link in links if isinstance(link, dict)]}
    for family, far in _FAR.items():
        _status, routes, _errors = _ask(command, f"-{family}", "route", "get", far)
        first = routes[0] if routes and isinstance(routes[0], dict) else {}
        if first.get("gateway"):
            found[f"default_ipv{family}"] = {"gateway": first["gateway"]}
    return found


def _interface(link: Mapping[str, Any]) -> dict[str, Any]:
    every = link.get("addr_info") or []
    return {
        "device": link.get("ifname"),
        "macaddress": link.get("address"),
        "mtu": link.get("mtu"),
        "active": link.get("operstate") != "DOWN",
        "addresses": [
            {"address": each["local"], "prefix": each["prefixlen"]}
            for each in every
            if isinstance(each, dict) and "local" in each and "prefixlen" in each
        ],
    }


def _ask(command: str, *words: str) -> tuple[int, list[Any] | None, str]:
    """The status of an ip command, what it lists (None where it cannot be read), and what it complains of."""
    status, output, errors = _commands.run([command, "-json", *words])
    try:
        listed = json.loads(output) if output.strip() else []
    except ValueError:
        listed = None
    return status, listed if isinstance(listed, list) else None, errors
