# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``birdc`` prints of sessions, BFD and routes -> what is in it. Pure."""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

ESTABLISHED = "Established"
# BIRD's own word for a session that was disabled.
DISABLED = "Down"
BFD_UP = "Up"
SESSION_NAME = re.compile(r"lvs[46]_\w{1,64}\Z", re.ASCII)
# A session in `birdc show protocols all`, from its line to the next one that is not indented.
_SESSION = re.compile(r"^(?P<name>lvs[46]_\w+) +BGP +(?P<lines>.*(?:\n[ \t].*)*)", re.MULTILINE)
_KEYS = {"state": "BGP state", "neighbour": "Neighbor address", "error": "Last error"}
_BFD = re.compile(r"^(?P<address>[0-9a-fA-F.:]{2,45}) +\S+ +(?P<state>AdminDown|Down|Init|Up) ", re.MULTILINE)
_ROUTE = re.compile(r"^(?P<address>[0-9a-fA-F.:]{2,45})/(?P<prefix>32|128) ", re.MULTILINE)


class Said(NamedTuple):
    """What BIRD says: by session its state, the neighbours that BFD hears, and the addresses that routers are told."""

    states: Mapping[str, str]
    heard: frozenset[str]
    announced: frozenset[str]


# What is so where BIRD does not run.
SILENCE = Said({}, frozenset(), frozenset())


def sessions_of(text: str) -> list[dict[str, str]]:
    """The sessions that ``birdc show protocols all`` has of us."""
    found = []
    for match in _SESSION.finditer(text):
        said = {}
        for key, words in _KEYS.items():
            value = re.search(rf"^ +{words}: +(.*\S)", match["lines"], re.MULTILINE)
            said[key] = value[1] if value else ""
        # Of an IPv6 neighbour, BIRD may say the interface as well.
        said["neighbour"] = said["neighbour"].partition("%")[0]
        found.append({"name": match["name"], **said})
    return found


def heard_by_bfd(text: str) -> frozenset[str]:
    """The neighbours that ``birdc show bfd sessions`` says are up, as forms.spelling() writes them."""
    found = {_spelled(match["address"]) for match in _BFD.finditer(text) if match["state"] == BFD_UP}
    return frozenset(address for address in found if address)


def exported(text: str) -> frozenset[str]:
    """The single addresses to which ``birdc show route export SESSION`` has a route, as forms.spelling() writes."""
    found = set()
    for match in _ROUTE.finditer(text):
        address = _spelled(match["address"])
        if address and int(match["prefix"]) == (128 if ":" in address else 32):
            found.add(address)
    return frozenset(found)


def _spelled(text: str) -> str:
    """Empty for what is no address."""
    try:
        return forms.spelling(forms.address(text))
    except forms.BadForm:
        return ""
