# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes by which VIPs are announced, where a graceful shutdown was killed and left them as those of what goes."""

from __future__ import annotations

from typing import Any

import pytest

VIPS = ["198.51.100.1/32", "2001:db8:100::1/128"]
TABLE, METRIC = 1819, 65616


def state(*vips: str) -> dict[str, Any]:
    """The arguments of host_state for a director that announces these."""
    routes = [{"address": vip, "metric": METRIC} for vip in vips]
    return {"owner": "director", "plan": {"announcements": {"table": TABLE, "by_checks": False, "routes": routes}}}


def kinds(sh) -> list[str]:
    return [
        line.split()[0] for line in sh(f"ip -4 route show table {TABLE}; ip -6 route show table {TABLE}").splitlines()
    ]


@pytest.fixture(autouse=True)
def _killed_in_the_pause(run_module, sh) -> None:
    sh("modprobe ipv6; ip link set lo up")
    run_module("host_state", state(*VIPS))
    assert kinds(sh) == ["blackhole"] * 2
    for vip in VIPS:
        sh(f"ip {'-6' if ':' in vip else '-4'} route replace prohibit {vip} table {TABLE} proto static metric {METRIC}")
    assert kinds(sh) == ["prohibit"] * 2


def test_a_run_puts_them_back_in_place(run_module, sh) -> None:
    predicted = run_module("host_state", state(*VIPS), check=True)
    assert [line.split()[:3] for line in predicted["changes"]] == [["ip", "route", "change"]] * 2
    assert run_module("host_state", state(*VIPS))["changes"] == predicted["changes"]
    assert kinds(sh) == ["blackhole"] * 2
    assert not run_module("host_state", state(*VIPS))["changed"]


def test_what_is_no_longer_announced_goes(run_module, sh) -> None:
    run_module("host_state", state(VIPS[0]))
    assert kinds(sh) == ["blackhole"]


def test_a_teardown_takes_them_away(run_module, sh) -> None:
    run_module("host_state", {"owner": "director", "state": "absent"})
    assert kinds(sh) == []
