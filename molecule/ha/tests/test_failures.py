# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A back end dies and returns, the master dies, both directors lose power: the service goes on by itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import pytest

NAT, DR = "192.168.0.29", "192.168.0.28"
POOLS = {NAT: {"web1", "web2"}, DR: {"app1", "app2"}}


def wait(condition: Callable[[], object], limit: float = 30) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.3)


def serves(scenario: Any, vip: str, expected: set[str]) -> bool:
    """Whether exactly these answer, and every request is answered."""
    return set(scenario.asked(f"curl --silent --max-time 2 http://{vip}/", 6)) == expected


def listed(scenario: Any, address: str) -> int:
    """How many directors have a real server in their tables."""
    return sum(f"-r {address}:" in scenario.run(name, "ipvsadm -Sn") for name in scenario.directors)


@pytest.mark.parametrize(("vip", "address"), [(NAT, "10.0.0.51"), (DR, "192.168.0.61")])
def test_a_back_end_dies_and_returns(scenario: Any, vip: str, address: str) -> None:
    dead, other = sorted(POOLS[vip])
    scenario.run(dead, "systemctl stop nginx")
    wait(lambda: listed(scenario, address) == 0)
    assert serves(scenario, vip, {other})
    scenario.run(dead, "systemctl start nginx")
    wait(lambda: listed(scenario, address) == 2)
    assert serves(scenario, vip, POOLS[vip])


def test_one_director_answers_for_the_vips(scenario: Any, tmp_path: Path) -> None:
    for vip in POOLS:
        with scenario.claims(tmp_path / vip, vip) as claims:
            time.sleep(3)
        assert claims == {scenario.arp_owner()}, (tmp_path / vip).read_text()


def test_the_master_dies_and_downloads_go_on(scenario: Any) -> None:
    master, backup = scenario.called("master"), scenario.called("backup")
    whole = scenario.run("web1", "sha256sum /srv/files/download").split()[0]
    for vip in POOLS:
        curl = f"curl --silent --limit-rate 1M --max-time 90 http://{vip}/files/download"
        scenario.run("client", f"nohup sh -c '{curl} | sha256sum' >/tmp/{vip} 2>/dev/null &")
    time.sleep(4)
    scenario.lab("power-off", scenario.name, master, "--power-cut")
    for vip, pool in POOLS.items():
        wait(lambda vip=vip, pool=pool: serves(scenario, vip, pool))
        assert scenario.run("client", f"cat /tmp/{vip}") == "", "the download was over before the master died"
    for vip in POOLS:
        wait(lambda vip=vip: scenario.run("client", f"cat /tmp/{vip}"), 60)
        assert scenario.run("client", f"cat /tmp/{vip}").split()[0] == whole, vip

    # nopreempt: who comes back does not take over.
    scenario.lab("power-on", scenario.name, master)
    time.sleep(5)
    assert scenario.called("master") == backup
    scenario.check("serving")


def test_both_directors_lose_power(scenario: Any) -> None:
    scenario.lab("reboot", scenario.name, "lb1", "lb2", "--power-cut")
    for vip, pool in POOLS.items():
        wait(lambda vip=vip, pool=pool: serves(scenario, vip, pool))
    scenario.check("serving")
