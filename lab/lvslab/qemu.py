# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stock Debian kernel under QEMU."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from .network import Host


def test_kernel(disk: Path, memory: int, words: Sequence[str]) -> list[str]:
    """The command line of a stock kernel on a throw-away copy of the disk."""
    raise NotImplementedError


def host_kernel(host: Host, files: Path, disk: Path) -> list[str]:
    """The command line of a host of a network; its disk stays in files from one boot to the next."""
    raise NotImplementedError
