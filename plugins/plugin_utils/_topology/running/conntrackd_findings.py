# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the directors of a pair tell each other of FULLNAT's connections, from what conntrackd has counted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import UNREADABLE
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, WORTH_KNOWING, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import conntrackd
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Replication
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site

_EFFECT = "Connections through FULLNAT break when the directors change places."


def of_pairs(site: Site, answers: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """What is wrong between the directors that have conntrackd and answered."""
    said = {
        name: answers[name].get("conntrackd")
        for name in site.services
        if name in answers and conntrackd.is_used(site, name) and not _is_unread(answers[name])
    }
    for name, counts in said.items():
        told = conntrackd.replicated(site, name)
        partner = next((each for each in site.partners(name) if each != name), "")
        if not isinstance(told, Replication):
            continue  # that no run could set it up is said already
        if counts is None:
            remedy = "systemctl restart conntrackd; `journalctl -u conntrackd` says what it found"
            yield Finding(AT_RISK, name, "conntrackd does not answer", _EFFECT, remedy)
            continue
        if not counts["hears"] and said.get(partner, {}) is not None:
            what = f"conntrackd hears nothing from {partner} ({told.partner}, UDP port {told.port} on {told.interface})"
            remedy = (
                f"see with `tcpdump -ni {told.interface} udp port {told.port}` on both whether packets come, and who "
                "drops them"
            )
            yield Finding(AT_RISK, name, what, _EFFECT, remedy)
        yield from _of_connections(site, name, partner, counts, said.get(partner))


def _is_unread(answer: Mapping[str, Any]) -> bool:
    """Whether conntrackd has answered in a way that nobody here understands, which is said as not looked at."""
    return any(UNREADABLE in each for each in answer["unseen"])


def _of_connections(
    site: Site, name: str, partner: str, counts: Mapping[str, Any], there: Mapping[str, Any] | None
) -> Iterator[Finding]:
    is_standby = not any(site.holds(name, vip) for vip in site.vips_of(name))
    if is_standby and counts["hears"] and not counts["taken"] and there and there["own"]:
        what = f"conntrackd has none of the {there['own']} connections of {partner}"
        yield Finding(AT_RISK, name, what, _EFFECT, f"conntrackd -n on {name} asks for all of them")
    if counts["failed"]:
        what = f"conntrackd could not take over {counts['failed']} of {counts['taken'] + counts['failed']} messages"
        remedy = "see what `journalctl -u conntrackd` says, and whether netfilter's table is full"
        yield Finding(WORTH_KNOWING, name, f"{what} of {partner} since it started", _EFFECT, remedy)
    if counts["lost"]:
        what = f"conntrackd has lost {counts['lost']} messages of {partner} since it started"
        remedy = "conntrackd asks for them again; where the number grows, give the directors a LAN of their own"
        yield Finding(WORTH_KNOWING, name, what, "", remedy)
