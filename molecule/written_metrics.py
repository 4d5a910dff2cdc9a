# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a director's timer has written, as promtool takes it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

FILE = "/var/lib/prometheus/node-exporter/lvs-topology.prom"
PROMTOOL = Path(__file__).parents[1] / ".cache/prometheus/usr/bin/promtool"
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


def with_name(found: dict[str, float], name: str) -> dict[str, float]:
    """The samples of one metric, by their labels."""
    return {key[len(name) :]: value for key, value in found.items() if key.partition("{")[0] == name}


def check_unit(scenario: Any, host: str, *more: str) -> None:
    """The program ran with the one right that it needs, as root's directory asks, and could read everything."""
    asked = " -p ".join(("CapabilityBoundingSet", "User", "Result", *(each.partition("=")[0] for each in more)))
    shown = scenario.run(host, f"systemctl show lvs-topology-metrics.service -p {asked}")
    expected = {"CapabilityBoundingSet=cap_net_admin", "User=root", "Result=success", *more}
    assert set(shown.splitlines()) == expected
    assert scenario.run(host, f"stat -c %a {FILE}").strip() == "644"
    journal = "journalctl --no-pager --output=cat --priority=warning --unit=lvs-topology-metrics.service"
    assert "Not read" not in scenario.run(host, journal)
