# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read while another process changes it: everything that was there all the time is there in every reading."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink

# More than one piece of a list of the kernel holds.
STABLE = 600
READINGS = 100

# Adds and removes 50 addresses, 50 routes of each family and 50 neighbours a second, the lower half of which comes
# before what is stable.
_CHANGES = """
import subprocess, time
with subprocess.Popen(["ip", "-force", "-batch", "-"], stdin=subprocess.PIPE, text=True, bufsize=1) as ip:
    number = 0
    while True:
        number = number % 200 + 1
        for verb in ("add", "del"):
            ip.stdin.write(
                f"address {verb} 10.{1 + 8 * (number % 2)}.0.{number}/32 dev dummy0\\n"
                f"route {verb} 10.{2 + 8 * (number % 2)}.0.{number}/32 dev dummy0\\n"
                f"route {verb} fd0{2 + 6 * (number % 2)}::{number}/128 dev dummy0\\n"
                f"neigh {verb} 10.3.0.{number} lladdr 02:00:00:00:00:01 dev dummy0\\n"
            )
            ip.stdin.flush()
            time.sleep(0.01)
"""


@pytest.fixture
def _busy(sh, tmp_path) -> Iterator[None]:
    lines: dict[str, list[str]] = {"-4": [], "-6": []}
    for number in range(STABLE):
        place = f"{number // 200}.{number % 200 + 1}"
        lines["-4"] += [
            f"address add 10.5.{place}/32 dev dummy0",
            f"route add 10.6.{place}/32 dev dummy0",
            f"neigh add 10.7.{place} lladdr 02:00:00:00:00:02 dev dummy0",
        ]
        lines["-6"].append(f"route add fd05::{number + 1:x}/128 dev dummy0")
    sh("ip link add dummy0 type veth peer name dummy1 && ip link set dummy1 up && ip link set dummy0 up")
    # Some kernels load IPv6 when it is first used.
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    for family, commands in lines.items():
        batch = tmp_path / family
        batch.write_text("".join(f"{command}\n" for command in commands))
        sh(f"ip {family} -batch {batch}")
    with subprocess.Popen([sys.executable, "-c", _CHANGES], stderr=subprocess.DEVNULL) as other:
        yield
        other.kill()


@pytest.mark.usefixtures("_busy")
def test_what_is_stable_is_in_every_reading() -> None:
    for _reading in range(READINGS):
        with Rtnetlink() as kernel:
            addresses = {held.address for held in kernel.addresses()}
            routes = {route.destination for route in kernel.routes()}
            neighbours = {entry.address for entry in kernel.permanent_neighbours()}
        assert sum(address.startswith("10.5.") for address in addresses) == STABLE
        assert sum(str(destination).startswith("10.6.") for destination in routes) == STABLE
        assert sum(str(destination).startswith("fd05:") for destination in routes) == STABLE
        assert sum(address.startswith("10.7.") for address in neighbours) == STABLE
