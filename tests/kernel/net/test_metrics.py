# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of a director: the files that host_state writes, and what the program tells beside ipvsadm and ip."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path("/etc/lvs-topology/metrics.pyz")
DESCRIPTION = Path("/etc/lvs-topology/metrics.json")
UNIT = Path("/etc/systemd/system/lvs-topology-metrics.service")
TIMER = Path("/etc/systemd/system/lvs-topology-metrics.timer")
VIP, VIP6 = "10.0.0.100", "2001:db8::100"
# What a user has who may read the table and nothing else.
RIGHT = "--inh-caps=+net_admin --ambient-caps=+net_admin --bounding-set=-all,+net_admin --no-new-privs"
TCP, UDP, SIX, MARK = f"tcp {VIP}:80", f"udp {VIP}:53", f"tcp [{VIP6}]:80", "fwmark 7 ipv4"
# By what the metrics call it: how ipvsadm says it.
OPTIONS = {TCP: f"-t {VIP}:80", UDP: f"-u {VIP}:53", SIX: f"-t [{VIP6}]:80", MARK: "-f 7"}


def declared(key: str, *real_servers: str) -> dict[str, Any]:
    listed = [
        {"name": f"web{number}", "address": address, "port": port(key), "weight": number}
        for number, address in enumerate(real_servers, 1)
    ]
    return {"name": f"the {key}", "virtual_server": key, "quorum": 1, "guard": "", "real_servers": listed, "others": []}


def port(key: str) -> int:
    return 0 if key == MARK else int(key.rpartition(":")[2])


def plan(collector: Path, /, **changes: Any) -> dict[str, Any]:
    metrics = {
        "directory": str(collector),
        "interval": 30,
        "directors": ["lb1"],
        "keepalived": False,
        "sync_daemons": 2,
        "vips": [
            {"address": VIP, "interface": "lo", "holders": 1, "announcers": 0, "aggregate": ""},
            {"address": VIP6, "interface": "lo", "holders": 1, "announcers": 0, "aggregate": ""},
            {"address": "10.0.0.101", "interface": "lo", "holders": 1, "announcers": 0, "aggregate": ""},
        ],
        "aggregates": [],
        "sessions": [],
        "conntrackd": False,
        "hidden": [],
        "services": [declared(TCP, "10.0.1.1", "10.0.1.2"), declared(SIX, "2001:db8:1::1"), declared(MARK, "10.0.1.1")],
        **changes,
    }
    return {"owner": "metrics", "plan": {"metrics": metrics}}


@pytest.fixture(autouse=True)
def _own_units(sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")


@pytest.fixture
def directory(tmp_path) -> Path:
    made = tmp_path / "collector"
    made.mkdir(mode=0o755)
    # What the user of the test may reach.
    for each in (tmp_path, *tmp_path.parents):
        each.chmod(each.stat().st_mode | 0o055)
    return made


def tell(sh, directory: Path, user: str = "root") -> dict[str, float]:
    """Run the program as its unit does, and read what it wrote: by name and labels, the value."""
    sh(f"chown {user} {directory}; setpriv --reuid={user} --clear-groups {RIGHT} python3 -I -S {PROGRAM} {DESCRIPTION}")
    lines = (directory / "lvs-topology.prom").read_text().splitlines()
    found = dict(line.rpartition(" ")[::2] for line in lines if not line.startswith("#"))
    assert len(found) == len([line for line in lines if not line.startswith("#")])
    return {name: float(value) for name, value in found.items()}


def test_files_are_predicted_written_and_taken_away(run_module, sh, directory) -> None:
    predicted = run_module("host_state", plan(directory), check=True)
    assert not PROGRAM.exists()
    done = run_module("host_state", plan(directory))
    assert (predicted["changes"], predicted["diff"]) == (done["changes"], done["diff"])
    assert {each.stat().st_mode & 0o777 for each in (PROGRAM, DESCRIPTION, UNIT, TIMER)} == {0o644}
    assert json.loads(DESCRIPTION.read_text()) == plan(directory)["plan"]["metrics"]
    if Path("/run/systemd/system").is_dir():
        sh(f"systemd-analyze verify {UNIT} {TIMER}")
    assert not run_module("host_state", plan(directory))["changed"]
    assert run_module("host_state", plan(directory, interval=60))["changed"]
    assert "OnUnitInactiveSec=60" in TIMER.read_text()
    tell(sh, directory)
    # As site does it where nobody asks for them any more, and as teardown does.
    for gone in ({"owner": "metrics", "plan": {}}, {"owner": "metrics", "state": "absent"}):
        assert run_module("host_state", gone, check=True)["changed"]
        assert run_module("host_state", gone)["changed"]
        assert not [each for each in (PROGRAM, DESCRIPTION, UNIT, TIMER) if each.exists()]
        assert list(directory.iterdir()) == []
        assert not run_module("host_state", gone)["changed"]
        run_module("host_state", plan(directory))


def test_a_link_that_the_owner_of_the_directory_has_made_is_not_followed(run_module, sh, directory, tmp_path) -> None:
    run_module("host_state", plan(directory))
    precious = tmp_path / "precious"
    precious.write_text("x")
    (directory / "lvs-topology.prom").symlink_to(precious)
    sh(f"chown -hR nobody {directory}")
    assert run_module("host_state", {"owner": "metrics", "state": "absent"})["changed"]
    assert precious.read_text() == "x"
    assert list(directory.iterdir()) == []


def test_another_owner_has_nothing_to_do_with_it(run_module, directory) -> None:
    run_module("host_state", plan(directory))
    assert not run_module("host_state", {"owner": "director", "state": "absent"})["changed"]
    assert PROGRAM.exists()


def test_preflight_says_whether_there_is_anything_to_do(run_module, directory) -> None:
    part = {"name": "metrics", **plan(directory)}
    assert not run_module("preflight", {"parts": [part]})["parts"]["metrics"]["in_place"]
    run_module("host_state", plan(directory))
    # Whatever a director has on the host.
    run_module("sysctl_profile", {"owner": "director", "values": {"net.ipv4.ip_forward": "1"}})
    assert run_module("preflight", {"parts": [part]})["parts"]["metrics"]["in_place"]
    assert not run_module("preflight", {"parts": [{**part, "plan": {}}]})["parts"]["metrics"]["in_place"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"directory": "/nowhere/at/all"}, "metrics.directory: /nowhere/at/all is not there"),
        ({"interval": 1}, "metrics: interval is 1, and not a number from 5 to 3600"),
        ({"services": [{"name": "x"}]}, "metrics: services[0].guard is missing, or not known"),
        ({"more": 1}, "metrics: more is missing, or not known"),
    ],
)
def test_what_is_refused(run_module, directory, changes, said) -> None:
    for result in (
        run_module("host_state", plan(directory, **changes)),
        run_module("preflight", {"parts": [{"name": "metrics", **plan(directory, **changes)}]}),
    ):
        assert said in result["msg"]
    assert not PROGRAM.exists()


def filled(sh) -> None:
    """Services with real servers of all kinds, and clients whose connections are counted."""
    sh("modprobe ipv6 && modprobe ip_vs && ip link add d0 type dummy && ip link set d0 up")
    sh(f"ip addr add {VIP}/32 dev lo && ip addr add {VIP6}/128 dev lo nodad")
    sh("ip addr add 10.0.1.254/24 dev d0 && ip addr add 2001:db8:1::fe/64 dev d0 nodad")
    for key, option in OPTIONS.items():
        sh(f"ipvsadm -A {option} -s rr")
        one, two = ("[2001:db8:1::1]", "[2001:db8:1::2]") if key == SIX else ("10.0.1.1", "10.0.1.2")
        for number, rip in enumerate((one, two), 1):
            sh(f"ipvsadm -a {option} -r {rip}{f':{port(key)}' if port(key) else ''} -m -w {number}")
    sh(f"ipvsadm -e {OPTIONS[UDP]} -r 10.0.1.2:53 -m -w 0")
    for family, vip in ((socket.AF_INET, VIP), (socket.AF_INET6, VIP6)):
        for _number in range(3):
            with socket.socket(family, socket.SOCK_STREAM) as client:
                client.setblocking(False)
                client.connect_ex((vip, 80))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for size in (1, 100, 1000):
            client.sendto(b"x" * size, (VIP, 53))


def of_ipvsadm(sh, options: str) -> list[list[str]]:
    """The rows of a listing, each with the service that it belongs to."""
    rows, service = [], ""
    for line in sh(f"ipvsadm {options}").splitlines():
        words = line.split()
        if words and words[0] in ("TCP", "UDP", "FWM"):
            service = f"fwmark {words[1]} ipv4" if words[0] == "FWM" else f"{words[0].lower()} {words[1]}"
            rows.append([service, "", *words[2:]])
        elif words and words[0] == "->" and service:
            rows.append([service, *words[1:]])
    return rows


def test_counters_are_those_of_ipvsadm(run_module, sh, directory) -> None:
    filled(sh)
    run_module("host_state", plan(directory))
    # The kernel sums its counters up every two seconds.
    deadline = time.monotonic() + 120
    while sum(int(row[2]) for row in of_ipvsadm(sh, "-Ln --stats --exact") if not row[1]) <= 6:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    found = tell(sh, directory, "nobody")
    kinds = ("accepted_connections", "incoming_packets", "outgoing_packets", "incoming_bytes", "outgoing_bytes")
    rows = of_ipvsadm(sh, "-Ln --stats --exact")
    assert len(rows) == 12
    for service, address, *counted in rows:
        assert len(counted) == len(kinds)
        for kind, number in zip(kinds, counted):
            prefix = f"lvs_{'real_server' if address else 'service'}_{kind}_total"
            (value,) = (found[name] for name in found if is_about(name, prefix, service, address))
            assert value == int(number), (service, address, kind)
    totals = sh("tail -n +3 /proc/net/ip_vs_stats | head -n 1").split()
    assert [found[f"lvs_{kind}_total"] for kind in kinds] == [int(word, 16) for word in totals]


def is_about(name: str, metric: str, service: str, address: str) -> bool:
    """Whether a sample is that metric of the service, or of a real server of it."""
    labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', name))
    return (
        name.startswith(f"{metric}{{") and labels["virtual_server"] == service and labels.get("address", "") == address
    )


def test_weights_and_connections_are_those_of_ipvsadm(run_module, sh, directory) -> None:
    filled(sh)
    run_module("host_state", plan(directory))
    found = tell(sh, directory)
    entries = 0
    for service, address, *words in of_ipvsadm(sh, "-Ln"):
        if address:
            weight, active, inactive = map(int, words[-3:])
            entries += active + inactive
            for metric, number in (
                ("weight", weight),
                ("active_connections", active),
                ("inactive_connections", inactive),
            ):
                (value,) = (
                    found[name] for name in found if is_about(name, f"lvs_real_server_{metric}", service, address)
                )
                assert value == number, (service, address, metric)
    assert found["lvs_connection_table_entries"] == entries > 0
    listed: dict[str, int] = {}
    for line in sh("ipvsadm -Lcn").splitlines()[2:]:
        protocol, _expires, state, _client, virtual, *_rest = line.split()
        name = f"{protocol.lower()} {virtual} {state}"
        listed[name] = listed.get(name, 0) + 1
    told = {}
    for name, value in found.items():
        if name.startswith("lvs_service_connections{"):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', name))
            told[f"{labels['virtual_server']} {labels['state']}"] = value
    assert told == listed
    assert found["lvs_connection_states_counted"] == 1


def test_names_are_those_of_the_model(run_module, sh, directory) -> None:
    filled(sh)
    run_module("host_state", plan(directory))
    found = tell(sh, directory)
    web = f'service="the {TCP}",virtual_server="{TCP}"'
    assert found[f'lvs_real_server_weight{{{web},real_server="web2",address="10.0.1.2:80"}}'] == 2
    assert found[f"lvs_service_available_real_servers{{{web}}}"] == 2
    # Nobody declared it, and its second real server has no weight.
    dns = f'service="",virtual_server="{UDP}"'
    assert found[f'lvs_real_server_weight{{{dns},real_server="10.0.1.2",address="10.0.1.2:53"}}'] == 0
    sh(f"ipvsadm -d {OPTIONS[TCP]} -r 10.0.1.2:80; ipvsadm -D {OPTIONS[SIX]}")
    found = tell(sh, directory)
    assert f'lvs_real_server_weight{{{web},real_server="web2",address="10.0.1.2:80"}}' not in found
    assert found[f'lvs_real_server_configured_weight{{{web},real_server="web2",address="10.0.1.2:80"}}'] == 2
    assert found[f"lvs_service_available_weight{{{web}}}"] == 1
    assert found[f'lvs_service_present{{service="the {SIX}",virtual_server="{SIX}"}}'] == 0


def test_addresses_and_daemons_are_those_of_ip_and_ipvsadm(run_module, sh, directory, stop_daemon) -> None:
    filled(sh)
    sh("ip link set d0 multicast on && ip route add 224.0.0.0/4 dev d0")
    sh("ipvsadm --start-daemon master --mcast-interface d0")
    try:
        run_module("host_state", plan(directory))
        found = tell(sh, directory)
        for address, held in ((VIP, 1), (VIP6, 1), ("10.0.0.101", 0)):
            assert (f" {address}/" in sh("ip -o address show dev lo")) == bool(held)
            assert found[f'lvs_vip_held{{directors="lb1",vip="{address}",interface="lo"}}'] == held
        assert found['lvs_sync_daemon_running{state="master"}'] == 1
        assert found['lvs_sync_daemon_running{state="backup"}'] == 0
    finally:
        stop_daemon("master")


def test_a_kernel_without_the_module_is_not_given_it(run_module, sh, directory) -> None:
    """In a namespace of its own the table is there as soon as the module is; so this is only seen where it is not."""
    run_module("host_state", plan(directory))
    before = Path("/proc/net/ip_vs").exists()
    found = tell(sh, directory)
    assert found['lvs_topology_source_up{source="ipvs"}'] == before == Path("/proc/net/ip_vs").exists()
    assert found['lvs_topology_source_up{source="addresses"}'] == 1
