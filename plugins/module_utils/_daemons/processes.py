# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc says of a process. One that is gone is an OSError."""

from __future__ import annotations

import os


def parent_of(process: int) -> int:
    """The process that started it, or has taken it over; 0 where that one is in no namespace of ours."""
    with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
        # The name, in brackets, may hold anything.
        return int(file.read().rpartition(")")[2].split()[1])


def program_of(process: int) -> str:
    """The name of the program that it runs. The name of the process may be another: keepalived has options for that."""
    # An update of the package has taken the file away.
    return os.path.basename(os.readlink(f"/proc/{process}/exe").partition(" (deleted)")[0])
