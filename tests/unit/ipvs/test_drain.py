# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining as tables: what a look at a real server means, a whole wait by a clock of its own, and the warnings."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import drain
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Connections,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
    Timeouts,
)
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

TCP = ServiceKey("ipv4", "tcp", "10.0.0.1", 80)
UDP = ServiceKey("ipv4", "udp", "10.0.0.1", 53)
MARK = ServiceKey("ipv4", fwmark=5)


def there(active: int = 0, inactive: int = 0, persistent: int = 0, weight: int = 0) -> Destination:
    key = DestinationKey("10.0.0.2", 80)
    return Destination(key, weight=weight, connections=Connections(active, inactive, persistent))


def patience(*kinds: str, timeout: float = 10, poll_interval: float = 1) -> drain.Patience:
    return drain.Patience(kinds or ("active",), timeout, poll_interval)


LOOKS = [
    # What there is, what is waited for, seconds waited, whether the weight has just become 0.
    (None, patience(), 0, True, drain.GONE),
    (there(), patience(), 0, True, drain.DRAINED),
    (there(active=1), patience(), 0, True, drain.WAITING),
    (there(active=1), patience(), 9.9, True, drain.WAITING),
    (there(active=1), patience(), 10, True, drain.OVER),
    (there(active=1, inactive=3), patience("inactive"), 10, False, drain.OVER),
    (there(active=1), patience("inactive"), 0, False, drain.DRAINED),
    (there(persistent=1), patience("active", "inactive"), 0, False, drain.DRAINED),
    (there(persistent=1), patience("active", "persistent"), 0, False, drain.WAITING),
    # It may be a handshake that began when the weight was not 0 yet.
    (there(inactive=1), patience(), 0, True, drain.WAITING),
    (there(inactive=1), patience(), 1, True, drain.DRAINED),
    (there(inactive=1), patience(), 0, False, drain.DRAINED),
    (there(active=1), patience(timeout=0), 0, True, drain.OVER),
    (there(inactive=1), patience(timeout=0), 0, True, drain.DRAINED),
    (there(weight=3), patience(), 0, True, drain.TAKEN_BACK),
    (there(active=1, weight=3), patience(), 10, False, drain.TAKEN_BACK),
]


@pytest.mark.parametrize(("found", "asked", "waited", "fresh", "said"), LOOKS)
def test_a_look(found: Destination | None, asked: drain.Patience, waited: float, fresh: bool, said: str) -> None:
    assert drain.verdict(found, asked, waited, fresh) == said


WAITS = [
    ([there(active=2), there(active=1), there()], patience(), 2.0, drain.DRAINED),
    ([there(active=2), there(active=2), there()], patience(timeout=1.5), 1.5, drain.DRAINED),
    ([there(active=2), there(active=1)], patience(timeout=1), 1.0, drain.OVER),
    ([there(active=2), there(active=1)], patience(timeout=0.5, poll_interval=60), 0.5, drain.OVER),
    ([there(active=2), there()], patience(timeout=300, poll_interval=60), 1.0, drain.DRAINED),
    ([there(active=2), there(active=1), there()], patience(timeout=300, poll_interval=60), 2.0, drain.DRAINED),
    ([there(active=2)], patience(timeout=0), 0.0, drain.OVER),
    ([there(active=2), None], patience(poll_interval=0.5), 0.5, drain.GONE),
    ([there(active=2), there(weight=1)], patience(), 1.0, drain.TAKEN_BACK),
    ([there(inactive=1), there(active=1), there(inactive=1)], patience(), 2.0, drain.DRAINED),
]


@pytest.mark.parametrize(("looks", "asked", "waited", "said"), WAITS)
def test_a_wait(looks: list[Destination | None], asked: drain.Patience, waited: float, said: str) -> None:
    seconds = [1000.0]
    left = list(looks)
    ending = drain.wait(
        lambda: left.pop(0), asked, True, lambda: seconds[0], lambda more: seconds.append(seconds.pop() + more)
    )
    assert (ending.verdict, ending.waited, left) == (said, waited, looks[3:] if len(looks) > 3 else [])
    last = looks[-1]
    assert ending.connections == (last.connections if last else Connections())


def test_what_is_left_is_said_in_words() -> None:
    assert drain.left_text(Connections(2, 0, 1)) == "2 active, 1 persistent"


QUIESCENT = "expire_quiescent_template=0"
REUSE = "conn_reuse_mode=0"
LATER_ZERO = {"expire_quiescent_template": 0, "conn_reuse_mode": 0}
WARNINGS = [
    (Service(TCP), patience(), {}, []),
    (Service(TCP), patience(), {"expire_quiescent_template": 1, "conn_reuse_mode": 1}, []),
    (Service(TCP, timeout=60), patience(), LATER_ZERO, [QUIESCENT, REUSE]),
    (Service(TCP), patience(), LATER_ZERO, [REUSE]),
    (Service(MARK, timeout=60), patience(), LATER_ZERO, [QUIESCENT, REUSE]),
    (Service(UDP, timeout=60), patience("inactive", timeout=301), LATER_ZERO, [QUIESCENT]),
    (Service(UDP), patience("inactive", timeout=300), {}, ["remembers a UDP connection for 300 s"]),
    (Service(UDP), patience("inactive", timeout=0), {}, []),
    (Service(UDP), patience("active", "persistent"), {}, ["counts every UDP connection as inactive"]),
    (Service(UDP, one_packet=True), patience("active"), LATER_ZERO, []),
]


@pytest.mark.parametrize(("service", "asked", "sysctls", "warned"), WARNINGS)
def test_warnings(service: Service, asked: drain.Patience, sysctls: dict[str, int], warned: list[str]) -> None:
    found = drain.warnings(service, asked, sysctls, Timeouts(900, 120, 300))
    assert len(found) == len(warned), found
    for text, part in zip(found, warned):
        assert part in text


def asked_for(**params: Any) -> dict[str, Any]:
    return {"wait_for": None, "timeout": 300, "poll_interval": 1.0, **params}


@pytest.mark.parametrize(
    ("key", "kinds"), [(TCP, ("active",)), (UDP, ("inactive",)), (MARK, ("active",)), (None, ("active",))]
)
def test_what_is_waited_for_goes_by_the_protocol(key: ServiceKey | None, kinds: tuple[str, ...]) -> None:
    assert drain.read_patience(asked_for(), key, Mistakes()).kinds == kinds
    assert drain.read_patience(asked_for(wait_for=["persistent"]), key, Mistakes()).kinds == ("persistent",)


def test_bad_patience_is_refused() -> None:
    mistakes = Mistakes()
    drain.read_patience(asked_for(wait_for=[], timeout=-1, poll_interval=0.0), TCP, mistakes)
    with pytest.raises(BadRequest) as refused:
        mistakes.raise_if_any()
    for part in ("wait_for: empty", "timeout: -1 is not", "poll_interval: 0.0 is not"):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("weight", "share", "expected"),
    [(10, 100, 10), (10, 10, 1), (10, 28, 2), (3, 50, 1), (1, 10, 1), (1, 99, 1), (0, 50, 0), (2**31 - 1, 1, 21474836)],
)
def test_a_share_of_a_weight(weight: int, share: int, expected: int) -> None:
    assert drain.share_of(weight, share) == expected


@pytest.mark.parametrize(
    ("there", "weight", "raises", "expected"),
    [
        (0, 5, "drained", True),
        (0, 0, "drained", False),
        (3, 5, "drained", False),
        (3, 5, "lowered", True),
        # Nothing is lowered, and a 0 is the word of somebody else.
        (7, 5, "lowered", False),
        (5, 5, "lowered", False),
        (0, 5, "lowered", False),
        (3, 0, "lowered", False),
    ],
)
def test_who_is_raised(there: int, weight: int, raises: str, expected: bool) -> None:
    assert drain.raised(there, weight, raises) is expected
