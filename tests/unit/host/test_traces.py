# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which concerns may be passed over: only those where nothing of the owner is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _disk, _traces
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan, bird_plan
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot_plan, boot_script, hooks_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import copy_of
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan
from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH, Ledger


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ([], []),
        ([("address", "10.0.0.1/32 dev lo", "director")], ["addresses"]),
        ([("address", "10.0.0.1/32 dev lo", "other")], []),
        ([("sysctl", "net.ipv4.conf.all.arp_ignore", "director:arp")], ["arp"]),
        ([("sysctl", "net.ipv4.ip_forward", "director"), ("timeout", "tcp", "director")], ["sysctls", "timeouts"]),
    ],
)
def test_claims(claims: list[tuple[str, str, str]], found: list[str]) -> None:
    ledger = Ledger()
    for kind, key, owner in claims:
        ledger = ledger.claim(kind, key, owner)
    assert _traces.traces(ledger, "director") == found


def test_a_file_is_a_trace_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that was right before is not claimed, and yet in the file for the next boot."""
    (tmp_path / "lvs-director.conf").touch()
    monkeypatch.setattr(_traces, "TRACES", {"sysctls": _traces.Trace("sysctl", file=f"{tmp_path}/lvs-{{}}.conf")})
    assert _traces.traces(Ledger(), "director") == ["sysctls"]
    assert _traces.traces(Ledger(), "router") == []


def test_what_a_killed_run_left_is_looked_for_beside_every_file() -> None:
    files = [trace.path("director") for trace in _traces.TRACES.values() if trace.file]
    files += [PATH, boot_script.SCRIPT_PATH, boot_script.UNIT_PATH, boot_plan.owner_path("director", "ip")]
    files += hooks_plan.FIXED
    files += [keepalived_plan.PATH, keepalived_plan.DROP_IN, copy_of(keepalived_plan.PATH), announcement_plan.DROP_IN]
    files += [bird_plan.PATH, conntrackd_plan.PATH, conntrackd_plan.FOLLOWER, conntrackd_plan.DROP_IN]
    assert {os.path.dirname(path) for path in files} == set(_disk.PLACES)
