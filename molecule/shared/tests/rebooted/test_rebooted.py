# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power of every host is cut: the service comes back by itself, and in DR only the director claims the VIP."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def test_the_service_comes_back_without_ansible(scenario: Any, tmp_path: Path) -> None:
    capture = tmp_path / "arp.txt"
    with watching(scenario, capture) if "arp" in scenario.expected else contextlib.nullcontext():
        scenario.lab("reboot", scenario.name, "--power-cut")
        scenario.check("serving")
    if "arp" in scenario.expected:
        arp = scenario.expected["arp"]
        owner = scenario.run(arp["owner"], f"cat /sys/class/net/{arp['interface']}/address")
        seen = capture.read_text()
        assert claimants(seen, scenario.expected["vip"]) == {owner}, seen


@contextlib.contextmanager
def watching(scenario: Any, capture: Path) -> Iterator[None]:
    """Ask for the VIP over and over on the LAN itself, which no host's reboot interrupts, and write down all ARP."""
    bridge = f"lan-{scenario.expected['arp']['lan']}"
    ask = 'while :; do arping -q -D -c 1 -w 1 -I "$1" "$2"; sleep 0.2; done'
    with capture.open("w") as output:
        processes = [
            scenario.lab_process("tcpdump", "-l", "-n", "-e", "-i", bridge, "arp", stdout=output),
            scenario.lab_process("sh", "-c", ask, "ask", bridge, scenario.expected["vip"], stdout=subprocess.DEVNULL),
        ]
        try:
            yield
            time.sleep(2)
        finally:
            for process in processes:
                process.terminate()
                process.wait(10)


def claimants(seen: str, vip: str) -> set[str]:
    """The MAC addresses that said the VIP was theirs, in a reply or as the sender of a request."""
    claim = re.compile(rf"^\S+ (\S+) > .*(?:Reply {re.escape(vip)} is-at (\S+),|who-has \S+.* tell {re.escape(vip)},)")
    found = (claim.match(line) for line in seen.splitlines())
    return {mac for match in found if match for mac in (match[1], match[2] or match[1])}
