# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is a packet filter: where nobody can tell, there may be one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter import loaded, nf_tables


@pytest.mark.parametrize(
    ("has_nft", "tables", "is_any"),
    [
        (False, None, False),
        (False, "", False),
        (False, "filter\n", True),
        # Of which nothing is read.
        (False, "security\n", False),
        (True, None, True),
        (None, None, True),
    ],
)
def test_whether_there_is_a_packet_filter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_nft: bool | None, tables: str | None, is_any: bool
) -> None:
    names = tmp_path / "ip_tables_names"
    if tables is not None:
        names.write_text(tables)
    monkeypatch.setattr(nf_tables, "is_there", lambda: has_nft)
    monkeypatch.setattr(loaded, "SAVES", {str(names): (4, ("iptables-save",))})
    assert loaded.is_any() is is_any
