# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program of the metrics costs: with many services and real servers, and with many connections.

Nothing is asserted about times. Here is a slow kernel; how figures grow says more than they do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._metrics import description, program, reading

REAL_SERVERS = 4
CONNECT = """
import socket, sys
count = 0
for host in range(1, 6):
    for port in range(2000, 62000):
        if count == int(sys.argv[1]):
            raise SystemExit
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((f"127.0.0.{host}", port))
            client.sendto(b"x", ("10.0.0.100", 53))
        count += 1
"""


@pytest.fixture
def inside() -> Iterator[list[str]]:
    """The words that run a command in a network namespace of its own."""
    name = f"bench{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        words = ["ip", "netns", "exec", name]
        run(
            words,
            "ip link set lo up && ip link add d0 type dummy && ip link set d0 up && ip addr add 10.2.0.1/16 dev d0",
        )
        run(words, "ip addr add 10.0.0.100/32 dev lo && ipvsadm -l")
        yield words
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def run(inside: list[str], command: str, text: str = "") -> None:
    subprocess.run([*inside, "sh", "-c", command], input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def address(number: int) -> str:
    return f"10.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


def described(directory: Path, services: int) -> dict[str, Any]:
    return {
        "directory": str(directory),
        "interval": 30,
        "directors": ["lb1"],
        "keepalived": False,
        "sync_daemons": 0,
        "vips": [],
        "aggregates": [],
        "sessions": [],
        "conntrackd": False,
        "hidden": [],
        "services": [
            {
                "name": f"service-{number}",
                "virtual_server": f"tcp {address(number)}:80",
                "quorum": 1,
                "guard": "",
                "real_servers": [
                    {"name": f"web{each}", "address": f"10.2.{number % 250}.{each}", "port": 80, "weight": 1}
                    for each in range(1, REAL_SERVERS + 1)
                ],
                "others": [],
            }
            for number in range(services)
        ],
    }


def measure(inside: list[str], directory: Path, model: dict[str, Any]) -> tuple[float, float, int, int]:
    """Seconds, those of the processor, MiB of memory, and KiB of the file."""
    (directory / "metrics.pyz").write_bytes(program.bundle())
    (directory / "metrics.json").write_text(description.render(model))
    words = [*inside, sys.executable, "-I", "-S", f"{directory}/metrics.pyz", f"{directory}/metrics.json"]
    began = time.monotonic()
    process = subprocess.Popen(words)
    _pid, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    process.returncode = status
    assert status == 0
    size = (directory / description.FILE).stat().st_size
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, size // 1024


@pytest.mark.parametrize("services", [1, 1000, 10000])
def test_many_services(inside: list[str], tmp_path: Path, services: int) -> None:
    model = described(tmp_path, services)
    rules = []
    for service in model["services"]:
        virtual = service["virtual_server"].partition(" ")[2]
        rules.append(f"-A -t {virtual} -s rr\n")
        rules += [f"-a -t {virtual} -r {each['address']}:80 -m -w 1\n" for each in service["real_servers"]]
    run(inside, "ipvsadm -R", "".join(rules))
    took, busy, memory, size = measure(inside, tmp_path, model)
    print(
        f"\n{services:6} services of {REAL_SERVERS}: {took:6.2f} s, {busy:6.2f} s of the processor, "
        f"{memory} MiB, a file of {size} KiB"
    )


@pytest.mark.parametrize("connections", [10_000, 20_000, 40_000, 80_000])
def test_many_connections(inside: list[str], tmp_path: Path, connections: int) -> None:
    """How long the kernel takes to list them is why they are counted up to a limit, and for no longer than seconds."""
    run(inside, "ipvsadm -A -u 10.0.0.100:53 -s rr && ipvsadm -a -u 10.0.0.100:53 -r 10.2.0.9:53 -m")
    run(inside, f"python3 -c '{CONNECT}' {connections}")
    took, busy, _memory, _size = measure(inside, tmp_path, described(tmp_path, 1))
    is_counted = "lvs_connection_states_counted 1" in (tmp_path / description.FILE).read_text()
    assert not is_counted or connections <= reading.MOST_CONNECTIONS
    began = time.monotonic()
    run(inside, "cat /proc/net/ip_vs_conn")
    listing = time.monotonic() - began
    print(
        f"\n{connections:6} connections: {took:6.2f} s, {busy:6.2f} s of the processor; "
        f"{'counted' if is_counted else 'not counted'}; cat of the list {listing:6.2f} s"
    )
