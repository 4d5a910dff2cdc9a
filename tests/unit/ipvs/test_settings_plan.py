# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timeouts and synchronisation daemons where IPVS is not there, and what the ledger cannot mean; connections' lines."""

from __future__ import annotations

import contextlib
from ipaddress import ip_address, ip_network

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.connections import Filter, read_connections
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Daemon, Timeouts
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.settings_plan import (
    DAEMON_KIND,
    TIMEOUT_KIND,
    plan_daemons,
    plan_timeouts,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan
from hypothesis import given
from hypothesis import strategies as st

ONE = Daemon("master", "eth1", 5, 1472)


def lines(plan: Plan) -> list[str]:
    return [change.line for change in plan.changes]


def test_without_ipvs_timeouts_are_the_kernel_s() -> None:
    plan, settlement = plan_timeouts(Ledger(), "me", None, {"tcp": 5, "udp": 300}, present=True, purge=False)
    assert lines(plan) == ["ipvsadm --set 5 0 0"]
    assert settlement.settled.owned(TIMEOUT_KIND, "me") == {"tcp": 900}


@pytest.mark.parametrize(("present", "purge"), [(False, False), (True, True)])
def test_without_ipvs_nothing_is_put_back(present: bool, purge: bool) -> None:
    ledger = Ledger().claim(TIMEOUT_KIND, "tcp", "me", 77).claim(DAEMON_KIND, "master", "me", vars(ONE))
    plan, settlement = plan_timeouts(ledger, "me", None, {}, present=present, purge=purge)
    assert (lines(plan), settlement.settled.owned(TIMEOUT_KIND, "me")) == ([], {})
    wishes = () if present else None
    plan, settlement, warnings = plan_daemons(ledger, "me", {"eth1"}, None, wishes, present=present, purge=purge)
    assert (lines(plan), warnings, settlement.settled.owned(DAEMON_KIND, "me")) == ([], [], {})


def test_what_was_there_stays_where_it_is_right_again() -> None:
    ledger = Ledger().claim(TIMEOUT_KIND, "tcp", "me", 77)
    plan, settlement = plan_timeouts(ledger, "me", Timeouts(77, 120, 300), {}, present=False, purge=False)
    assert (plan, settlement.settled) == (Plan(), Ledger())


HEAD = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
V4 = b"TCP C0A80001 04D2 C0A80064 0050 0A000001 0050 ESTABLISHED     899\n"
V6 = (
    b"UDP 2001:0db8:0000:0000:0000:0000:0000:0009 04D2 2001:0db8:0000:0000:0000:0000:0000:0001 0035 "
    b"0A000001 0035 UDP             299 sip a84b 4c76\n"
)


def test_lines_of_both_families() -> None:
    found = read_connections([HEAD, V4, V6], Filter(), 9)
    assert [each["client"] for each in found.listed] == ["192.168.0.1", "2001:db8::9"]
    assert found.listed[1] == {
        "protocol": "udp",
        "family": "ipv6",
        "client": "2001:db8::9",
        "client_port": 1234,
        "address": "2001:db8::1",
        "port": 53,
        "real_server": "10.0.0.1",
        "real_server_port": 53,
        "state": "UDP",
        "expires": 299,
        "engine": "sip",
        "engine_data": "a84b 4c76",
    }
    assert found.states == {"ESTABLISHED": 1, "UDP": 1}


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (Filter(family="ipv6"), 1),
        (Filter(address=ip_address("2001:db8::1")), 1),
        (Filter(real_server=ip_address("10.0.0.1")), 2),
        (Filter(client=ip_network("192.168.0.0/24")), 1),
        (Filter(client=ip_network("2001:db8::/32"), states=frozenset({"ESTABLISHED"})), 0),
        (Filter(protocol="tcp", port=80), 1),
    ],
)
def test_filters(chosen: Filter, count: int) -> None:
    assert read_connections([HEAD, V4, V6], chosen, 0).total == count


def test_a_million_lines_are_not_kept() -> None:
    found = read_connections((V4 for _number in range(100_000)), Filter(), 3)
    assert (found.total, len(found.listed)) == (99_999, 3)  # the first is the head


@given(st.binary(max_size=200), st.integers(0, 9), st.binary(max_size=9))
def test_lines_that_no_kernel_prints(line: bytes, at: int, word: bytes) -> None:
    words = V4.split()
    words[at : at + 1] = [word]
    for each in (line, b" ".join(words)):
        with contextlib.suppress(OddAnswer):
            read_connections([HEAD, each], Filter(client=ip_network("10.0.0.0/8")), 1)
        with contextlib.suppress(OddAnswer):
            read_connections([HEAD, each], Filter(), 1)
