# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A back end dies and returns, the master dies, both directors lose power: the service goes on by itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

NAT, DR = "192.168.0.29", "192.168.0.28"
POOLS = {NAT: {"web1", "web2"}, DR: {"app1", "app2"}}


def serves(scenario: Any, vip: str, expected: set[str]) -> bool:
    """Whether exactly these answer, and every request is answered."""
    return set(scenario.answers(f"http://{vip}/", 6, patience=30)) == expected


def wait_until_served(scenario: Any, *directors: str) -> None:
    """Wait until one of the directors that have power is master, and everybody answers through it."""

    def holders() -> int:
        return sum(f" {NAT}/" in scenario.run(director, "ip -o address show dev eth1") for director in directors)

    scenario.wait("one master", lambda: holders() == 1)
    for vip, pool in POOLS.items():
        scenario.wait(f"{pool} answer", lambda vip=vip, pool=pool: serves(scenario, vip, pool))


def listed(scenario: Any, address: str) -> int:
    """How many directors have a real server in their tables, by its address and the beginning of its port."""
    return sum(f"-r {address}" in scenario.run(name, "ipvsadm -Sn") for name in scenario.directors)


def test_a_back_end_dies_and_returns(scenario: Any) -> None:
    scenario.run("web1", "systemctl stop nginx")
    scenario.wait("web1 is in no table", lambda: listed(scenario, "10.0.0.51:80") == 0)
    assert serves(scenario, NAT, {"web2"})
    scenario.run("web1", "systemctl start nginx")
    scenario.wait("web1 is in both tables", lambda: listed(scenario, "10.0.0.51:80") == 2)
    assert serves(scenario, NAT, POOLS[NAT])


@pytest.mark.exhaustive
def test_a_real_server_loses_its_vip(scenario: Any) -> None:
    """A check of its own address would go on succeeding while clients wait in vain."""
    scenario.run("app1", f"ip address del {DR}/32 dev lo")
    scenario.wait("app1 is in no table", lambda: listed(scenario, "192.168.0.61:80") == 0)
    for director in scenario.directors:
        assert scenario.run(director, "curl --silent --show-error --max-time 60 http://192.168.0.61/") == "app1"
    assert serves(scenario, DR, {"app2"})
    scenario.run("app1", f"ip address add {DR}/32 dev lo")
    scenario.wait("app1 is in both tables", lambda: listed(scenario, "192.168.0.61:80") == 2)
    assert serves(scenario, DR, POOLS[DR])


def test_one_director_answers_for_the_vips(scenario: Any, tmp_path: Path) -> None:
    for vip in POOLS:
        with scenario.claims(tmp_path / vip, vip) as claims:
            pass
        assert claims == {scenario.arp_owner()}, (tmp_path / vip).read_text()


def test_the_master_dies_and_downloads_go_on(scenario: Any) -> None:
    master, backup = scenario.called("master"), scenario.called("backup")
    whole = scenario.run("web1", "sha256sum /srv/files/download").split()[0]
    with scenario.download(NAT) as through_nat, scenario.download(DR) as through_dr:
        scenario.wait("the backup knows both downloads", lambda: synced(scenario, backup))
        scenario.lab("power-off", scenario.name, master, "--power-cut")
        wait_until_served(scenario, backup)
        for download in (through_nat, through_dr):
            assert download.is_under_way()
            assert download.finish()[1:] == [whole]

    # nopreempt: who comes back does not take over.
    scenario.lab("power-on", scenario.name, master)
    daemon = "ipvsadm -Ln --daemon"
    scenario.wait(f"{master} is backup", lambda: scenario.run(master, daemon).startswith("backup sync daemon"))
    # More than three of the adverts after which it would. A longer time tells more, and a shorter one fails nobody.
    time.sleep(15)
    assert scenario.called("master") == backup
    wait_until_served(scenario, *scenario.directors)
    scenario.check("serving")


def synced(scenario: Any, director: str) -> bool:
    """Whether a director was told of a connection to each VIP that is open."""
    known = scenario.run(director, "ipvsadm -Lnc")
    return all(any("ESTABLISHED" in line and f" {vip}:80 " in line for line in known.split("\n")) for vip in POOLS)


def test_both_directors_lose_power(scenario: Any) -> None:
    scenario.lab("reboot", scenario.name, "lb1", "lb2", "--power-cut")
    wait_until_served(scenario, *scenario.directors)
    scenario.check("serving")
