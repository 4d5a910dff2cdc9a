# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A timer writes the metrics of each director, as promtool takes them, and they say what ip and ipvsadm say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

FILE = "/var/lib/prometheus/node-exporter/lvs-topology.prom"
PROMTOOL = Path(__file__).parents[3] / ".cache/prometheus/usr/bin/promtool"
WEB1 = 'service="web",virtual_server="tcp 192.168.0.29:80",real_server="web1",address="10.0.0.51:80"'
LAST_RUN = "lvs_topology_last_run_timestamp_seconds"


def metrics(scenario: Any, host: str) -> dict[str, float]:
    """What the timer wrote at last, by name and labels."""
    # What a command prints comes without the end of its last line.
    text = scenario.run(host, f"cat {FILE}") + "\n"
    subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True, check=True)
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def new(scenario: Any, host: str) -> dict[str, float]:
    """What is written from now on."""
    now = float(scenario.run(host, "date +%s.%N"))
    found: list[dict[str, float]] = []

    def is_newer() -> bool:
        found.append(metrics(scenario, host))
        return found[-1][LAST_RUN] > now

    scenario.wait(f"metrics of {host}", is_newer)
    return found[-1]


def test_each_director_tells_who_holds_the_vips(scenario: Any) -> None:
    for host in scenario.directors:
        addresses = scenario.run(host, "ip -o address show")
        told = {name: value for name, value in new(scenario, host).items() if name.startswith("lvs_vip_held")}
        assert len(told) == 3
        for name, held in told.items():
            (vip,) = re.findall(r'vip="([^"]+)"', name)
            assert held == (f" {vip}/" in addresses), name
        assert 'directors="lb1,lb2"' in next(iter(told))


def test_what_clients_send_is_counted_by_the_names_of_the_model(scenario: Any) -> None:
    master = scenario.called("master")
    counter = f"lvs_real_server_accepted_connections_total{{{WEB1}}}"
    before = new(scenario, master)[counter]
    scenario.answers("http://192.168.0.29/", count=10)
    found = new(scenario, master)
    rows = scenario.run(master, "ipvsadm -Ln --stats --exact -t 192.168.0.29:80")
    (conns,) = re.findall(r"-> 10\.0\.0\.51:80 +(\d+)", rows)
    assert found[counter] == int(conns) >= before + 5
    assert found[f"lvs_real_server_weight{{{WEB1}}}"] == 1
    assert found["lvs_keepalived_running"] == 1
    assert found['lvs_sync_daemon_running{state="master"}'] == 1


def test_the_program_runs_with_one_right(scenario: Any) -> None:
    master = scenario.called("master")
    shown = scenario.run(
        master, "systemctl show lvs-topology-metrics.service -p CapabilityBoundingSet -p User -p Result"
    )
    assert set(shown.split()) == {"CapabilityBoundingSet=cap_net_admin", "User=root", "Result=success"}
    assert scenario.run(master, f"stat -c %a {FILE}").strip() == "644"
    journal = "journalctl --no-pager --output=cat --priority=warning --unit=lvs-topology-metrics.service"
    assert "Not read" not in scenario.run(master, journal)
