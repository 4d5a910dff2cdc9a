# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' own opinion, by promtool. scripts/prometheus puts it into .cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
UNPACKED = CHECKOUT / ".cache/prometheus/usr/bin/promtool"


def promtool(*words: str, text: str = "") -> None:
    """Call promtool, which has to have no complaint."""
    command = str(UNPACKED) if UNPACKED.exists() else shutil.which("promtool")
    if command is None:
        pytest.skip("there is no promtool: run scripts/prometheus .cache/prometheus")
    done = subprocess.run([command, *words], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # What it warns of does not make it fail.
    assert not done.stderr.strip(), done.stderr
