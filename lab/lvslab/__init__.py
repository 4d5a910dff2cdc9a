# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Linux hosts with real IPVS kernels on one machine."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Callable, Sequence

from .common import LabError


def run(main: Callable[[Sequence[str]], int]) -> int:
    """Run a command of the lab; what the user must know goes to standard error, without a traceback."""
    # Python would end at once and leave half-made files and its children behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)
    try:
        return main(sys.argv[1:])
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
