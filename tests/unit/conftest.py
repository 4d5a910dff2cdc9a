# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis without a deadline: a busy machine makes an example slow, not wrong. And Ansible for who calls pytest."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("patient", deadline=None)
# Of what takes a seed of its own: the same examples in each run, and no search for smaller ones.
settings.register_profile(
    "generated", deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
settings.load_profile("patient")

# Tests call the commands of this environment, which have to find the collection where make has put it.
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
os.environ.setdefault("ANSIBLE_COLLECTIONS_PATH", str(Path(__file__).resolve().parents[2] / ".cache/collections"))
