# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else has a director's VIPs or fills its table: what is found in files, where its process runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._net import managers

CIB = '<nvpair id="ip" name="ip" value="192.168.0.29"/><nvpair name="ip" value="192.168.0.290"/><x v="fd00::29"/>'
PLAN: dict[str, Any] = {"services": [{"address": "192.168.0.29"}, {"fwmark": 7}, {"address": "192.168.0.2"}]}
WATCHED: dict[str, Any] = {"services": [], "watched": {"services": [{"address": "fd00::29"}]}}


@pytest.mark.parametrize(("plan", "vip"), [(PLAN, "192.168.0.29"), (WATCHED, "fd00::29"), ({}, None)])
@pytest.mark.parametrize("runs", [True, False])
def test_a_cluster_that_holds_a_vip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plan: dict[str, Any], vip: str | None, *, runs: bool
) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(CIB)
    monkeypatch.setattr(managers, "_CLUSTERS", {"pacemakerd": str(cib), "heartbeat": str(tmp_path / "none")})
    monkeypatch.setattr(managers, "_is_running", lambda name: runs and name == "pacemakerd")
    monkeypatch.setattr(managers, "_WANTS", ())
    found = managers.others("kernel", Ledger(), set(), plan, take_over=True)
    assert [each.partition(",")[0] for each in found] == (
        [f"pacemakerd runs here and has {vip} ({cib})"] if runs and vip else []
    )


@pytest.mark.parametrize(
    ("line", "fills"),
    [
        ("ipvsadm -A -t 10.0.0.1:80 -s rr", True),
        ("/sbin/ipvsadm --clear", True),
        ("ipvsadm-restore < /etc/table", True),
        ("cat /etc/table | ipvsadm -R", True),
        ("ipvsadm -Ln; grep -A 2 x y", False),
        ("ipvsadm -Ln | grep -R VIP", False),
        ("ipvsadm -a -t 10.0.0.1:80 -r 10.0.1.1 -g", False),
        ("ipvsadm-save -n", False),
        ("xipvsadmin -A", False),
    ],
)
def test_what_fills_a_table(line: str, fills: bool) -> None:
    assert bool(managers._FILLS.search(line)) == fills
