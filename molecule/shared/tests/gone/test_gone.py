# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After teardown: every host is as it was before."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

SNAPSHOT = Path(__file__).parents[2] / "snapshot.sh"


def test_nothing_is_left(scenario: Any, before: Callable[[str], str]) -> None:
    for name, host in scenario.hosts.items():
        now = host.run(f"sh -s <<'EOF'\n{SNAPSHOT.read_text()}\nEOF").stdout
        wanted = [line for line in before(name).splitlines() if line not in scenario.expected.get("purged", [])]
        assert now.splitlines() == wanted, name
