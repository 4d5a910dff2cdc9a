# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner itself: the kernel has IPVS, and tests do not see each other."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest


def test_the_kernel_accepts_a_service(sh: Callable[[str], str]) -> None:
    sh("ipvsadm -A -t 192.0.2.1:80 -s rr")
    sh("ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.2:80 -g")
    assert sh("ipvsadm -Sn").splitlines() == [
        "-A -t 192.0.2.1:80 -s rr",
        "-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1",
    ]


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_starts_with_nothing(sh: Callable[[str], str], turn: str) -> None:
    assert sh("ipvsadm -Sn") == ""
    assert [line.split()[1] for line in sh("ip -brief -o link").splitlines() if line.startswith("dummy")] == []
    assert not list(Path("/var/lib/lvs-topology").iterdir())
    assert not list(Path("/etc/sysctl.d").iterdir())
    assert Path("/proc/sys/net/ipv4/vs/conntrack").read_text() == "0\n"
    sh("ipvsadm -A -t 192.0.2.1:80 -s rr")
    sh("ip link add dummy9 type dummy")
    sh("sysctl -qw net.ipv4.vs.conntrack=1")
    Path("/var/lib/lvs-topology/ledger.json").write_text(turn)
    Path("/etc/sysctl.d/90-test.conf").write_text(turn)


def test_wire_joins_hosts_to_one_segment(sh: Callable[[str], str], wire: Callable[..., str]) -> None:
    wire("client", "10.0.0.1/24", "2001:db8::1/64")
    wire("server", "10.0.0.2/24", "2001:db8::2/64")
    wire("server", "10.0.1.2/24", bridge="br1")
    assert "1 received" in sh("ip netns exec client ping -c 1 -W 5 10.0.0.2")
    assert "1 received" in sh("ip netns exec client ping -c 1 -W 5 2001:db8::2")
    assert "10.0.1.2/24" in sh("ip -n server -brief address show eth1")


def test_the_checkout_cannot_be_written() -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        Path("/checkout/written-by-a-test").write_text("")
