# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``birdc`` prints of sessions, BFD and routes -> what is in it. Pure."""

from __future__ import annotations

import contextlib
import re
from typing import Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

ESTABLISHED = "Established"
# BIRD's own word for a session that was disabled.
DISABLED = "Down"
BFD_UP = "Up"
# What it says where its table has no route to a prefix.
NO_ROUTE = "Network not found"
SESSION_NAME = re.compile(r"lvs[46]_\w{1,64}\Z", re.ASCII)
# A session in `birdc show protocols all`, from its line to the next one that is not indented.
_SESSION = re.compile(r"^(?P<name>lvs[46]_\w+) +BGP +(?P<lines>.*(?:\n[ \t].*)*)", re.MULTILINE)
_KEYS = {"state": "BGP state", "neighbour": "Neighbor address", "error": "Last error"}
_BFD = re.compile(r"^(?P<address>[0-9a-fA-F.:]{2,45}) +\S+ +(?P<state>AdminDown|Down|Init|Up) ", re.MULTILINE)
_ROUTE = re.compile(r"^(?P<prefix>[0-9a-fA-F.:]{2,45}/(?:0|[1-9][0-9]{0,2})) ", re.MULTILINE)


class Said(NamedTuple):
    """What BIRD says: by session its state, the neighbours that BFD hears, and what routers are told.

    ``announced`` and ``known`` are addresses and prefixes, ``known`` those that BIRD may tell routers by an aggregate.
    """

    states: Mapping[str, str]
    heard: frozenset[str]
    announced: frozenset[str]
    known: frozenset[str] = frozenset()


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


def routes_to(text: str) -> frozenset[str]:
    """To what ``birdc show route`` has routes: single addresses as forms.spelling() writes them, and other prefixes."""
    found = set()
    for match in _ROUTE.finditer(text):
        with contextlib.suppress(forms.BadForm):
            prefix = forms.prefix(match["prefix"])
            address, _slash, length = prefix.partition("/")
            found.add(address if length == ("128" if ":" in address else "32") else prefix)
    return frozenset(found)


def _spelled(text: str) -> str:
    """Empty for what is no address."""
    try:
        return forms.spelling(forms.address(text))
    except forms.BadForm:
        return ""
