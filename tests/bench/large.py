# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long site takes with thousands of services, and how much memory: the first run, an unchanged one, one weight.

A director of its own (large.yml), with real servers that are no hosts of the inventory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import Any

import yaml
from hosts import CACHE, CHECKOUT, HERE, LAB, booted

SIZES = (1_000, 10_000)
REAL_SERVERS = 4
_PORTS_OF_A_VIP = 100
_DIRECTOR = "director"


def services(count: int, weight: int) -> list[dict[str, Any]]:
    """So many of them, a hundred ports of each VIP. The first one's first real server has this weight."""
    return [
        {
            "name": f"service {number}",
            "address": f"10.0.0.{number // _PORTS_OF_A_VIP + 1}",
            "port": 1_000 + number % _PORTS_OF_A_VIP,
            "forward": "dr",
            "scheduler": "wrr",
            "real_servers": [
                {"address": f"192.168.246.{161 + each}", "weight": weight if number == each == 0 else 1}
                for each in range(REAL_SERVERS)
            ],
        }
        for number in range(count)
    ]


def run(count: int, weight: int, playbook: str = "lvs.topology.site") -> tuple[float, int, str]:
    """Seconds of a run, the largest process of the controller in MiB, and what the run printed."""
    inventory = CACHE / "large_services.yml"
    variables = {
        "lvs_address": "192.168.246.166",
        "lvs_vip_interface": "eth1",
        "lvs_services": services(count, weight),
    }
    inventory.write_text(yaml.safe_dump({"lvs_directors": {"hosts": {_DIRECTOR: variables}}}))
    here = {"ANSIBLE_HOST_KEY_CHECKING": "0", "ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1"}
    here["ANSIBLE_COLLECTIONS_PATH"] = str(CHECKOUT / ".cache/collections")
    command = ["ansible-playbook", "-i", str(CACHE / "large.yml"), "-i", str(inventory), playbook]
    start = time.monotonic()
    with open(CACHE / "large.log", "w+") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **here}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        log.seek(0)
        said = log.read()
    if status:
        sys.exit(f"{playbook} failed:\n{said}")
    return seconds, used.ru_maxrss // 1024, said


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    with booted(HERE / "large.yml"):
        print(f"\n{'services of 4 real servers':28}{'first run':>12}{'unchanged':>12}{'one weight':>12}{'memory':>12}")
        for count in SIZES:
            first, unchanged, one = run(count, 1), run(count, 1), run(count, 2)
            if "changed=0" not in unchanged[2] or "changed=0" in one[2]:
                sys.exit(f"What changes is not what was asked for:\n{unchanged[2]}{one[2]}")
            # ipvsadm and not this collection says whether it is there.
            listed = subprocess.run(
                [LAB, "ssh", "large", _DIRECTOR, "ipvsadm -Sn | grep -c ^-a"],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
            if int(listed) != count * REAL_SERVERS:
                sys.exit(f"ipvsadm lists {listed} real servers")
            times = "".join(f"{seconds:10.1f} s" for seconds, _memory, _said in (first, unchanged, one))
            memory = max(each[1] for each in (first, unchanged, one))
            print(f"{count:<28,}{times}{memory:8,} MiB")
            run(count, 1, "lvs.topology.teardown")


if __name__ == "__main__":
    main()
