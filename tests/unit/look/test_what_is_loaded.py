# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the import of preflight loads: Python compiles it anew in each run, so it is what every host needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_UTILS = "ansible_collections.lvs.topology.plugins.module_utils"
_LIST = f"import sys, {_UTILS}._look.preflight; print(*sys.modules)"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    # Other tests have loaded everything in this process.
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", _LIST], env=there, capture_output=True, text=True, check=True)
    return {name.removeprefix(f"{_UTILS}.") for name in done.stdout.split() if name.startswith(f"{_UTILS}.")}


def test_something_is_loaded(loaded: set[str]) -> None:
    assert {"_look.preflight", "_host.host_state", "_filter.loaded"} <= loaded


@pytest.mark.parametrize(
    "name",
    [
        "_bgp.bird_plan",
        "_boot.boot",
        "_filter.filter_rules",
        "_filter.packet_filter",
        "_ipvs.planner",
        "_keepalived.keepalived_plan",
        "_keepalived.take_over_plan",
        "_net.network",
        "_net.pyroute",
    ],
)
def test_what_few_hosts_need_waits(loaded: set[str], name: str) -> None:
    assert name not in loaded
