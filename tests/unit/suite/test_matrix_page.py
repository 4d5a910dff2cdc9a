# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that the matrix writes of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "matrix/page.py"
PASSED = {"result": "passed", "on": "2026-11-27", "seconds": 9}


def page(place: Path, results: dict[str, Any], logs: dict[str, str]) -> list[str]:
    (place / "matrix.json").write_text(json.dumps(results))
    for name, text in logs.items():
        (place / f"{name}.log").write_text(text)
    command = [sys.executable, str(PAGE), str(place / "matrix.json"), str(place), str(place / "record.json")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")


def test_rows_are_in_the_order_of_versions_and_say_what_was_met(tmp_path: Path) -> None:
    results = {"controller-2.21-3.12": PASSED, "controller-2.9-3.11": {"result": "FAILED", "on": "2026-11-26"}}
    lines = page(tmp_path, results, {"controller-2.21-3.12": "x\nSEEN ansible-core 2.21.3\nSEEN Python 3.12.1\n"})
    assert [line for line in lines if line.startswith("| 2")] == [
        "| 2.9 | 3.11 | FAILED | 2026-11-26 |",
        "| 2.21.3 | 3.12.1 | passed | 2026-11-27 |",
    ]


def test_what_was_not_tried_does_not_count_as_passed(tmp_path: Path) -> None:
    lines = page(
        tmp_path, {"kernel-python3.9": PASSED}, {"kernel-python3.9": "[1 s] NOT TESTED: modules on Python 3.9"}
    )
    (row,) = [line for line in lines if "Python 3.9" in line]
    assert row.endswith("| not tried: no such Python there | 2026-11-27 |")
    failed = {"kernel-python3.9": {**PASSED, "result": "FAILED"}}
    lines = page(tmp_path, failed, {"kernel-python3.9": "NOT TESTED: modules on Python 3.9"})
    (row,) = [line for line in lines if "Python 3.9" in line]
    assert row.endswith("| FAILED | 2026-11-27 |")


def test_releases_and_their_kernel_tests(tmp_path: Path) -> None:
    parts = ("versions", "trixie-versions", "trixie-molecule-dr", "two-releases", "trixie-debian-pyroute2-kernel-net")
    logs = {
        "versions": "SEEN keepalived 2.2.7\n",
        "trixie-versions": "SEEN keepalived 2.3.3\nSEEN python3-pyroute2 0.8\n",
    }
    lines = page(tmp_path, dict.fromkeys(parts, PASSED), logs)
    assert "| keepalived | 2.2.7 | 2.3.3 |" in lines
    assert "| dr | passed | 2026-11-27 |" in lines
    assert "| ha, one director of each | passed | 2026-11-27 |" in lines
    assert "| all of kernel-net | Debian 13 | pyroute2 0.8 | passed | 2026-11-27 |" in lines


def test_what_was_run_before_is_kept_until_it_is_run_again(tmp_path: Path) -> None:
    page(tmp_path, {"trixie-molecule-ha": PASSED, "controller-2.21-3.12": PASSED}, {})
    # The first of them was interrupted.
    later = {"trixie-molecule-ha": {"seconds": 5}, "controller-2.21-3.12": {"result": "FAILED", "on": "2026-11-29"}}
    lines = page(tmp_path, later, {"controller-2.21-3.12": "SEEN ansible-core 2.21.5\n"})
    assert "| ha | passed | 2026-11-27 |" in lines
    assert "| 2.21.5 | 3.12 | FAILED | 2026-11-29 |" in lines


def test_what_was_shown_of_each_firewall(tmp_path: Path) -> None:
    logs = {"firewall-ufw": "SEEN ufw 0.36.2\nSEEN dr:manage yes\nSEEN dr:reboot yes\nSEEN nat:manage yes\n"}
    lines = page(tmp_path, {"firewall-ufw": PASSED, "firewall-iptables-nft": {"result": "FAILED", "on": "x"}}, logs)
    assert [line for line in lines if line.startswith(("| ufw", "| iptables"))] == [
        "| iptables-nft |  | none | none | none | none | FAILED | x |",
        "| ufw | ufw 0.36.2 | manage, reboot | none | manage | none | passed | 2026-11-27 |",
    ]
