# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a real server of weight 0 has no connections left. Pure: who looks, the clock and sleep are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    CONNECTION_KINDS,
    Connections,
    Destination,
    Service,
    ServiceKey,
    Timeouts,
)
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes

DRAINED = "drained"
GONE = "gone"
TAKEN_BACK = "taken back"
WAITING = "waiting"
OVER = "over"

# Below net.ipv4.vs: what decides whether clients go on being sent to a real server of weight 0.
SYSCTLS = ("expire_quiescent_template", "conn_reuse_mode")

# A handshake that was under way when the weight became 0 counts as inactive until its end.
_HANDSHAKE = 1.0

_SHORTEST_PAUSE = 1.0


@dataclass(frozen=True)
class Patience:
    """What is waited for, how long, and the longest pause between two looks, in seconds."""

    kinds: tuple[str, ...]
    timeout: float
    poll_interval: float


@dataclass(frozen=True)
class Ending:
    """How the waiting ended, after how many seconds, and the connections of the last look."""

    verdict: str
    waited: float
    connections: Connections
    weight: int


# Of a share of a weight, in percent.
SHARES = forms.Range(1, 100)


def check_share(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    """Refuse a share, or whom it raises, where nothing would be done with it."""
    state, share = params["state"], params["share"]
    mistakes.within("share", share, SHARES, "a share")
    if share != SHARES.high and state in (DRAINED, "absent"):
        mistakes.add("share", f"has no meaning with state: {state}; leave it out")
    elif share != SHARES.high and params["weight"] is None:
        mistakes.add("share", "is a part of weight, which is missing; give it, or leave share out")
    if params["raises"] != DRAINED and state != "restored":
        mistakes.add("raises", f"has no meaning with state: {state}; leave it out, or use state: restored")


def share_of(weight: int, share: int) -> int:
    """A share of a weight, rounded down. Who has a weight keeps one: with 0 it would get nobody."""
    return max(weight * share // SHARES.high, min(weight, 1))


def raised(there: int, weight: int, raises: str) -> bool:
    """Whether a real server that has the weight ``there`` is given this one: of those at 0, or of those below it."""
    return there == 0 < weight if raises == DRAINED else 0 < there < weight


def read_patience(params: Mapping[str, Any], service: ServiceKey | None, mistakes: Mistakes) -> Patience:
    """What draining waits for; by default what the protocol's connections that are under way count as."""
    kinds, poll_interval = params["wait_for"], params["poll_interval"]
    if kinds is None:
        kinds = ["inactive" if service and service.protocol == "udp" else "active"]
    elif not kinds:
        mistakes.add("wait_for", "empty; name what to wait for, or set timeout: 0 and on_timeout: proceed not to wait")
    mistakes.within("timeout", params["timeout"], forms.TIMEOUTS, "a number of seconds")
    if not 0.1 <= poll_interval <= 60:
        mistakes.add("poll_interval", f"{poll_interval} is not a number of seconds from 0.1 to 60")
    return Patience(tuple(kinds), params["timeout"], poll_interval)


def verdict(there: Destination | None, patience: Patience, waited: float, fresh: bool) -> str:
    """What one look says; ``fresh`` says that the weight was not 0 before the waiting began."""
    if there is None:
        return GONE
    if there.weight:
        return TAKEN_BACK
    connections = there.connections or Connections()
    settling = fresh and connections.inactive and waited < min(_HANDSHAKE, patience.timeout)
    if not settling and not any(getattr(connections, kind) for kind in patience.kinds):
        return DRAINED
    return OVER if waited >= patience.timeout else WAITING


def wait(
    look: Callable[[], Destination | None],
    patience: Patience,
    fresh: bool,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Ending:
    """Look until there is nothing left to wait for."""
    began = clock()
    while True:
        there = look()
        waited = clock() - began
        said = verdict(there, patience, waited, fresh)
        if said != WAITING:
            left = there.connections if there and there.connections else Connections()
            return Ending(said, round(waited, 1), left, there.weight if there else 0)
        sleep(min(_pause(patience, waited), patience.timeout - waited))


def _pause(patience: Patience, waited: float) -> float:
    """Until the next look: longer as the waiting goes on, so that a short drain is not seen a whole interval late."""
    return min(patience.poll_interval, max(_SHORTEST_PAUSE, waited))


def warnings(service: Service, patience: Patience, sysctls: Mapping[str, int], timeouts: Timeouts | None) -> list[str]:
    """Why this service may go on sending clients to a real server of weight 0, or why waiting is in vain."""
    key = service.key
    found = []
    if service.timeout and sysctls.get("expire_quiescent_template") == 0:
        found.append(
            f"{key} is persistent, and with net.ipv4.vs.expire_quiescent_template=0 a client that was here before is "
            "still sent to a real server of weight 0. Set it to 1."
        )
    if service.one_packet:
        return found  # nothing is kept
    if key.protocol != "udp" and sysctls.get("conn_reuse_mode") == 0:
        found.append(
            "With net.ipv4.vs.conn_reuse_mode=0 a client that uses a port again is still sent to a real server of "
            "weight 0. Set it to 1; from Linux 5.16 on net.ipv4.vs.expire_nodest_conn=1 does as well."
        )
    if key.protocol == "udp" and "inactive" not in patience.kinds:
        found.append(
            f"{key}: the kernel counts every UDP connection as inactive, and they are not waited for. "
            "Add inactive to wait_for."
        )
    elif key.protocol == "udp" and timeouts and 0 < patience.timeout <= timeouts.udp:
        found.append(
            f"{key}: the kernel remembers a UDP connection for {timeouts.udp} s after its last datagram, which a "
            f"timeout of {patience.timeout:g} s hardly sees. Raise it, or make the kernel's shorter with ipvs_timeouts."
        )
    return found


def left_text(connections: Connections) -> str:
    """How many connections of which kind are left."""
    counts = [(getattr(connections, kind), kind) for kind in CONNECTION_KINDS]
    return ", ".join(f"{count} {kind}" for count, kind in counts if count)
