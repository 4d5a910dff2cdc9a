# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small lab, really booted: what the commands promise, and that nothing of it is left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "labtest"
NETWORK = {
    "name": NAME,
    "lans": ["front"],
    "hosts": {
        "one": {"lans": {"front": ["10.9.0.1/24", "2001:db8::1/64"]}, "forwarding": True},
        "two": {"lans": {"front": ["10.9.0.2/24", "2001:db8::2/64"]}, "gateway": "10.9.0.1", "web": True},
    },
}


def lab(*words: str) -> str:
    done = subprocess.run([CHECKOUT / "lab" / "lab", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def processes() -> list[str]:
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit() and int(directory.name) != os.getpid():
            try:
                words = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"/run/{NAME}" in words:
                found.append(words)
    return found


def in_namespace(inode: int) -> list[str]:
    found = []
    for directory in Path("/proc").iterdir():
        try:
            if directory.name.isdigit() and (directory / "ns" / "net").stat().st_ino == inode:
                found.append(directory.name)
        except OSError:
            continue
    return found


@pytest.fixture(scope="module", autouse=True)
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("lab") / "network.yml"
    path.write_text(yaml.safe_dump(NETWORK))
    lab("up", str(path))
    yield path
    lab("down", NAME)


def test_up_again_starts_nothing(network: Path) -> None:
    before = lab("ssh", NAME, "one", "cat /proc/sys/kernel/random/boot_id")
    lab("up", str(network))
    assert lab("ssh", NAME, "one", "cat /proc/sys/kernel/random/boot_id") == before


def test_hosts_are_what_the_file_says() -> None:
    assert lab("ssh", NAME, "two", "systemctl is-system-running") == "running\n"
    assert lab("ssh", NAME, "one", "hostname; curl -s 10.9.0.2; curl -s http://[2001:db8::2]/") == "one\ntwo\ntwo\n"
    assert lab("ssh", NAME, "two", "ip route show default") == "default via 10.9.0.1 dev eth1 \n"
    assert lab("ssh", NAME, "one", "sysctl -n net.ipv4.ip_forward") == "1\n"
    assert lab("ssh", NAME, "two", "sysctl -n net.ipv4.ip_forward") == "0\n"
    assert lab("ssh", NAME, "two", "ipvsadm -A -t 10.9.0.2:80 -s mh && ipvsadm -Sn && ipvsadm -C").startswith("-A -t")


def test_a_cable_can_be_cut() -> None:
    lab("link", NAME, "two", "front", "down")
    assert "0 received" in lab("ssh", NAME, "one", "ping -c 1 -W 1 10.9.0.2; true")
    lab("link", NAME, "two", "front", "up")
    # The neighbour entry may be failing just now, which the first echo request then is told.
    lab("ssh", NAME, "one", "timeout 300 sh -c 'until ping -c 1 -W 1 10.9.0.2; do sleep 0.2; done'")


@pytest.mark.parametrize("how", [[], ["--power-cut"]])
def test_a_reboot_keeps_the_disk_and_nothing_else(how: list[str]) -> None:
    before = lab(
        "ssh", NAME, "two", "echo kept > /root/kept; sync; touch /run/gone; cat /proc/sys/kernel/random/boot_id"
    )
    lab("reboot", NAME, "two", *how)
    assert lab("ssh", NAME, "two", "cat /proc/sys/kernel/random/boot_id") != before
    assert lab("ssh", NAME, "two", "cat /root/kept; ls /run/gone 2>/dev/null; true") == "kept\n"
    assert lab("ssh", NAME, "one", "curl -s 10.9.0.2") == "two\n"


def test_nothing_is_left() -> None:
    namespace = int(lab("exec", NAME, "--", "stat", "-Lc", "%i", "/proc/self/ns/net"))
    assert processes()
    assert in_namespace(namespace)
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert "lan-front" not in links
    assert "two.1" not in links
    lab("down", NAME)
    assert processes() == []
    assert in_namespace(namespace) == []
    assert not (CHECKOUT / ".cache" / "lab" / "run" / NAME).exists()
    assert [path.name for path in Path("/tmp").iterdir() if path.name == "uml" or path.name.startswith("lvs-lab")] == []
    lab("down", NAME)  # once more is no error
