# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's list of connections, counted by service and state."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._metrics import connection_states
from ansible_collections.lvs.topology.plugins.module_utils._metrics.connection_states import TooSlow, count
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer

HEAD = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
FOUR = b"TCP C000020A 8CA0 C0000201 0050 0A000033 0050 ESTABLISHED     899\n"
OTHER = b"TCP C000020B 8CA0 C0000201 0050 0A000034 0050 FIN_WAIT        101\n"
SIX = (
    b"UDP 2001:0db8:0000:0000:0000:0000:0000:000a 8CA0 2001:0db8:0000:0000:0000:0000:0000:0001 0035 "
    b"2001:0db8:0000:0000:0000:0000:0000:0033 0035 UDP             300 sip abc\n"
)


def always() -> bool:
    return True


def test_connections_are_counted() -> None:
    web = ServiceKey("ipv4", "tcp", "192.0.2.1", 80)
    assert count([HEAD, FOUR, FOUR, OTHER, SIX], always) == {
        (web, "ESTABLISHED"): 2,
        (web, "FIN_WAIT"): 1,
        (ServiceKey("ipv6", "udp", "2001:db8::1", 53), "UDP"): 1,
    }


def test_no_connections() -> None:
    assert count([HEAD], always) == {}
    assert count([], always) == {}


@pytest.mark.parametrize(
    "line",
    [b"TCP\n", FOUR.replace(b"C0000201", b"nowhere!"), FOUR.replace(b"TCP", b"XYZ"), FOUR.replace(b"0050", b"g")],
)
def test_a_line_that_is_none(line: bytes) -> None:
    with pytest.raises(OddAnswer, match="list of connections"):
        count([HEAD, line], always)


def test_the_clock_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_states, "_LINES", 2)
    asked = iter([True, True, False])
    with pytest.raises(TooSlow):
        count([HEAD, *[FOUR] * 10], lambda: next(asked))
