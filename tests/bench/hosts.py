# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a scenario, booted for a measurement."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
LAB = CHECKOUT / "lab/lab"
CACHE = CHECKOUT / ".cache/bench"


def network_of(scenario: str) -> Path:
    """The network file of a scenario of molecule."""
    return CHECKOUT / "molecule" / scenario / "network.yml"


@contextmanager
def booted(network: Path) -> Iterator[Path]:
    """The hosts of a network file, freshly booted: their inventory."""
    name = yaml.safe_load(network.read_text())["name"]
    if (CHECKOUT / ".cache/lab/run" / name).exists():
        sys.exit(f"The hosts of {name} run already, and may be somebody's: lab/lab down {name}")
    inventory = CACHE / f"{name}.yml"
    try:
        subprocess.run([LAB, "up", network], check=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(inventory, "w") as file:
            subprocess.run([LAB, "inventory", name], stdout=file, check=True)
        yield inventory
    finally:
        subprocess.run([LAB, "down", name], check=True)
