# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that a timer runs on a director: read, and put a file into the directory that node_exporter reads.

It is packed, with the modules that it imports, into one file that the host's Python runs (program.py).
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import tempfile
import time
from typing import Any, Iterable, NoReturn

from ansible_collections.lvs.topology.plugins.module_utils._metrics import description, reading, samples
from ansible_collections.lvs.topology.plugins.module_utils._metrics.exposition import render


def main(program: str, path: str) -> int:
    """Write the metrics once. ``program`` says which one this is, and ``path`` is that of the description."""
    # So that nothing is left of a run that is stopped.
    signal.signal(signal.SIGTERM, _end)
    began, now = time.monotonic(), time.time()
    try:
        with open(path, encoding="utf-8") as file:
            described = description.parse(file.read())
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"{path}: {problem}. Run lvs.topology.site, which writes it.\n")
        return 1
    found = reading.read(described)
    for line in found.problems:
        sys.stderr.write(f"Not read: {line}\n")
    about = samples.About(program, platform.python_version(), now, time.monotonic() - began)
    try:
        write(
            os.path.join(described.directory, description.FILE),
            render(samples.blocks(described, found.readings, about)),
        )
    except OSError as problem:
        sys.stderr.write(f"{described.directory}: {problem.strerror}. Nothing was written there.\n")
        return 1
    return 0


def _end(_number: int, _frame: Any) -> NoReturn:
    raise SystemExit(0)


def write(path: str, pieces: Iterable[str]) -> None:
    """Replace the file in one step: node_exporter reads the old one or the new one, whole.

    Its name ends otherwise until then, so that node_exporter does not take it for another file of metrics.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
    try:
        # Names may hold what is no UTF-8.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
            os.fchmod(file.fileno(), 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
