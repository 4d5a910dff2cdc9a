# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern conntrackd of host_state: its file, and what conntrackd itself brings into the kernel's table by it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan

CONFIG, THEIRS = Path(conntrackd_plan.PATH), "# of the operator\n"
COPY = Path("/var/lib/lvs-topology/before.etc_conntrackd_conntrackd.conf")
REPLICA: dict[str, Any] = {
    "held": "192.0.2.100",
    "own": "10.9.0.21",
    "partner": "10.9.0.22",
    "interface": "between0",
    "port": 3780,
    "real_servers": ["10.1.0.51", "fd01::51"],
    "connections": 8000,
}
# Client, VIP, real server, and the address that the real server sees.
IPV4 = ("192.0.2.10", "192.0.2.100", "10.1.0.51", "10.1.0.29")
IPV6 = ("2001:db8::10", "2001:db8::100", "fd01::51", "fd01::29")
ELSEWHERE = ("192.0.2.10", "192.0.2.100", "10.1.0.99", "10.1.0.29")


def args(**changed: Any) -> dict[str, Any]:
    return {"owner": "director", "plan": {"conntrackd": {**REPLICA, **changed}}}


@pytest.fixture(autouse=True)
def _own_files(sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system; mkdir -p /etc/conntrackd; mount -t tmpfs tmpfs /etc/conntrackd")
    CONFIG.write_text(THEIRS)
    CONFIG.chmod(0o640)
    # systemd makes the directory. A daemon that was killed leaves its lock behind.
    Path(conntrackd_plan.LOCK).parent.mkdir(exist_ok=True)
    Path(conntrackd_plan.LOCK).unlink(missing_ok=True)


def files(sh) -> str:
    return sh("ls -l --time-style=+ /etc/conntrackd /var/lib/lvs-topology 2>/dev/null; cat /etc/conntrackd/*; true")


def test_the_file_is_predicted_written_and_put_back(run_module, sh) -> None:
    before = files(sh)
    predicted = run_module("host_state", args(), check=True)
    assert files(sh) == before
    done = run_module("host_state", args())
    assert done["changes"] == predicted["changes"]
    assert done["diff"] == predicted["diff"]
    assert CONFIG.read_text() == conntrackd_plan.render(conntrackd_plan.Replica(**REPLICA))
    assert (COPY.read_text(), COPY.stat().st_mode & 0o777) == (THEIRS, 0o600)
    assert not run_module("host_state", args())["changed"]
    changed = run_module("host_state", args(port=4000), check=True)
    assert changed["changes"] == [f"write {CONFIG}"]
    assert "Port 3780" in CONFIG.read_text()
    run_module("host_state", args(port=4000))
    assert "Port 4000" in CONFIG.read_text()
    # A plan that has none gives back what was there, and so does a host that leaves.
    for options in ({"plan": {"commands": ["ip"]}}, {"state": "absent"}):
        run_module("host_state", args())
        assert run_module("host_state", {"owner": "director", **options}, check=True)["changed"]
        assert "Port 3780" in CONFIG.read_text()
        assert run_module("host_state", {"owner": "director", **options})["changed"]
        assert (CONFIG.read_text(), CONFIG.stat().st_mode & 0o777) == (THEIRS, 0o640)
        assert not COPY.exists()
        assert not run_module("host_state", {"owner": "director", **options})["changed"]


def test_what_is_wrong_is_refused_untouched(run_module, sh) -> None:
    before = files(sh)
    refused = run_module("host_state", args(own="10.9.0.21 }", port=0))
    assert "own: " in refused["msg"]
    assert "port: 0 is not a port" in refused["msg"]
    assert files(sh) == before


@pytest.fixture
def partner(sh) -> Iterator[None]:
    """Another director in a network namespace, with the same file the other way round."""
    sh(
        "ip netns add partner; ip link add between0 type veth peer name between1; ip link set between1 netns partner;"
        "ip address add 10.9.0.21/24 dev between0; ip link set between0 up;"
        "ip netns exec partner sh -c 'ip link set between1 name between0; ip address add 10.9.0.22/24 dev between0;"
        " ip link set between0 up; ip link set lo up'; ip link set lo up"
    )
    text = conntrackd_plan.render(
        conntrackd_plan.Replica(**{**REPLICA, "own": REPLICA["partner"], "partner": REPLICA["own"]})
    )
    there = Path("/tmp/partner.conf")
    there.write_text(
        text.replace(conntrackd_plan.SOCKET, "/tmp/partner.ctl").replace(conntrackd_plan.LOCK, "/tmp/partner.lock")
    )
    daemon = subprocess.Popen(["ip", "netns", "exec", "partner", "conntrackd", "-C", str(there)])
    yield
    daemon.terminate()
    daemon.wait(60)
    sh("ip netns del partner")


@pytest.fixture
def conntrackd(run_module) -> Iterator[None]:
    """What the concern has written, running."""
    run_module("host_state", args())
    daemon = subprocess.Popen(["conntrackd", "-C", str(CONFIG)])
    yield
    daemon.terminate()
    daemon.wait(60)


def add(sh, ends: tuple[str, ...], port: int) -> None:
    """An established connection of the partner, translated as FULLNAT does it."""
    client, vip, server, source = ends
    sh(
        f"ip netns exec partner conntrack -I -p tcp -s {client} -d {vip} --sport {port} --dport 80"
        f" --src-nat {source} --dst-nat {server} --state ESTABLISHED --status ASSURED,SEEN_REPLY --timeout 600"
    )


def known(sh, ends: tuple[str, ...], port: int) -> bool:
    client, vip, server, source = ends
    lines = sh(f"conntrack -L -p tcp -f {'ipv6' if ':' in client else 'ipv4'} 2>/dev/null")
    wanted = f"src={client} dst={vip} sport={port} dport=80 src={server} dst={source} sport=80 dport={port} "
    return any(wanted in line for line in lines.splitlines())


@pytest.mark.usefixtures("partner", "conntrackd")
def test_connections_come_with_their_translation(run_module, sh, until) -> None:
    until(lambda: (run_module("host_info", {"conntrackd": True})["conntrackd"] or {}).get("hears"))
    add(sh, ELSEWHERE, 5001)
    for port, ends in ((5002, IPV4), (5003, IPV6)):
        add(sh, ends, port)
        until(lambda ends=ends, port=port: known(sh, ends, port))
    # It was there first, and it is none of FULLNAT's.
    assert not known(sh, ELSEWHERE, 5001)
    counted = run_module("host_info", {"conntrackd": True})["conntrackd"]
    assert (counted["taken"], counted["failed"], counted["lost"]) == (2, 0, 0)
    sh("ip netns exec partner conntrack -D -p tcp --orig-port-src 5002")
    until(lambda: not known(sh, IPV4, 5002))


def test_nobody_is_heard(run_module, sh, until) -> None:
    run_module("host_state", args())
    sh("ip link add between0 type dummy; ip address add 10.9.0.21/24 dev between0; ip link set between0 up")
    assert run_module("host_info", {})["conntrackd"] is None
    daemon = subprocess.Popen(["conntrackd", "-C", str(CONFIG)])
    try:
        until(lambda: run_module("host_info", {"conntrackd": True})["conntrackd"])
        assert run_module("host_info", {"conntrackd": True})["conntrackd"]["hears"] is False
    finally:
        daemon.terminate()
        daemon.wait(60)
    assert run_module("host_info", {"conntrackd": True})["conntrackd"] is None
