# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of a lab's namespaces. Everything in the lab dies with it, and nothing of it is seen outside."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from .common import SCRATCH


def main(directory: Path) -> None:
    """Prepare the namespaces, say that they are there, and wait to be killed."""
    # /proc is still the one outside: this is the process id by which others know us.
    outside = os.readlink("/proc/self")
    lock = open(directory / "holder.lock", "w", encoding="utf-8")  # noqa: SIM115, held for life
    fcntl.flock(lock, fcntl.LOCK_EX)
    # Whatever a host's process writes there, its memory included, ends with the mount namespace.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90%", "tmpfs", SCRATCH], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    # The bridges only carry the hosts' frames: no router solicitations of their own.
    for which in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    ready = directory / "holder.pid.new"
    ready.write_text(outside)
    ready.rename(directory / "holder.pid")
    # Orphans of the namespace become ours: let the kernel reap them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
