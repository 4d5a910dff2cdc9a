# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the compiler takes, how that grows, and how much memory it needs. A process of its own for each size."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from ansible_collections.lvs.topology.tests.unit.topology.inventories import large

SIZES = ((100, 100), (1000, 100), (10000, 4))


def measure(services: int, real_servers: int) -> None:
    """Print the seconds for all mistakes, and for the director's plan, and the peak of memory in MiB."""
    model = large("dr", services, real_servers, is_pair=False)
    start = time.process_time()
    mistakes = model.mistakes()
    checked = time.process_time()
    model.plan("lb1", "director")
    planned = time.process_time()
    if mistakes:
        sys.exit("\n".join(mistakes))
    print(checked - start, planned - checked, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def main() -> None:
    """Measure each size."""
    if len(sys.argv) == 3:
        measure(*map(int, sys.argv[1:]))
        return
    first = 0.0
    print(f"{'compiler':30}{'mistakes':>10}{'director':>10}{'memory':>10}{'as long':>14}")
    for size in SIZES:
        command = [sys.executable, __file__, *map(str, size)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        mistakes, plan, memory = map(float, done.stdout.split())
        first = first or mistakes + plan
        name = f"{size[0]} services of {size[1]}"
        print(f"{name:30}{mistakes:8.2f} s{plan:8.2f} s{memory:6.0f} MiB{(mistakes + plan) / first:8.1f} times")


if __name__ == "__main__":
    main()
