# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the compiler takes, how that grows, and how much memory it needs. A process of its own for each size."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler

SIZES = ((100, 100), (1000, 100), (10000, 4))


def _interface(address: str) -> dict[str, object]:
    ipv4 = {"address": address, "netmask": "255.0.0.0", "prefix": "8"}
    eth0 = {"device": "eth0", "active": True, "type": "ether", "ipv4": ipv4}
    return {"interfaces": ["eth0"], "eth0": eth0}


def measure(services: int, real_servers: int) -> None:
    """Print the seconds for all mistakes, and for the director's plan, and the peak of memory in MiB."""
    addresses = {f"web{number}": f"10.1.{number // 200}.{number % 200 + 1}" for number in range(real_servers)}
    listed = [
        {
            "name": f"service {number}",
            "address": f"10.{2 + number // 40000}.{number // 200 % 200}.{number % 200 + 1}",
            "port": 80,
            "forward": "dr",
            "real_servers": [{"host": name} for name in addresses],
        }
        for number in range(services)
    ]
    hostvars = {name: {"lvs_address": each, "ansible_facts": _interface(each)} for name, each in addresses.items()}
    hostvars["lb1"] = {"lvs_address": "10.0.0.2", "ansible_facts": _interface("10.0.0.2"), "lvs_services": listed}
    groups = {"lvs_directors": ["lb1"], "lvs_real_servers": list(addresses)}
    start = time.process_time()
    mistakes = compiler.mistakes_of(hostvars, groups)
    checked = time.process_time()
    compiler.host_plan(hostvars, groups, "lb1", "director")
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
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        mistakes, plan, memory = map(float, done.stdout.split())
        first = first or mistakes + plan
        name = f"{size[0]} services of {size[1]}"
        print(f"{name:30}{mistakes:8.2f} s{plan:8.2f} s{memory:6.0f} MiB{(mistakes + plan) / first:8.1f} times")


if __name__ == "__main__":
    main()
