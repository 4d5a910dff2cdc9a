#!/usr/bin/python3
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In place of the Python of a director (ansible_python_interpreter): all is as it should be there, whatever is asked.

So a run costs what the controller does, and no kernel with IPVS is needed.
"""

from __future__ import annotations

import json
import sys

INTERFACE = {
    "device": "eth1",
    "macaddress": "02:00:00:00:00:01",
    "mtu": 1500,
    "active": True,
    "addresses": [{"address": "192.168.246.166", "prefix": 24}],
}
TURN = {
    "changed": False,
    "taken": True,
    "run": "stand-in",
    "ansible_facts": {"lvs_topology": {"interfaces": [INTERFACE]}},
}
PART = {
    **{
        name: []
        for name in (
            "messages",
            "unseen",
            "missing_packages",
            "kernel_modules",
            "keepalived_holds",
            "keepalived_left_over",
            "dropped",
        )
    },
    "keepalived_in_place": False,
    "keepalived_runs": False,
    "managed_by": ["kernel"],
    "in_place": True,
    "firewall": "",
}


def main() -> None:
    """Answer the module that comes by standard input."""
    asked = sys.stdin.buffer.read()
    checks = b"topology.plugins.modules.preflight" in asked
    print(json.dumps({"changed": False, "parts": {"director": PART, "metrics": PART}} if checks else TURN))


if __name__ == "__main__":
    main()
