# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director that is absent: site takes away what it had and what real servers had for it, and nobody asks it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import HERE, Run, hosts_changed, said

RETIRED = ("--extra-vars", f"@{HERE}/retired.yml")


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adopted")


def test_it_and_what_was_there_for_it_goes(scenario: Any, playbook: Run) -> None:
    table = scenario.run("lb1", "ipvsadm -Sn")
    assert hosts_changed(playbook("site", *RETIRED)) == {"lb2", "app1", "app2"}
    assert scenario.run("lb1", "ipvsadm -Sn") == table
    assert "192.168.246.160/32" in scenario.run("lb1", "ip -o address show dev eth1")
    # ipvsadm would load ip_vs again, which went with the rest.
    seen = scenario.run("lb2", "ip -o address; cat /proc/net/ip_vs 2>/dev/null; iptables-legacy-save; lsmod")
    assert "192.168.246.170" not in seen
    assert "ip_vs" not in seen
    assert scenario.run("lb2", "ls /etc/lvs-topology 2>/dev/null || true") == ""
    for host in ("app1", "app2"):
        addresses = scenario.run(host, "ip -o address show dev lo")
        assert "192.168.246.160/32" in addresses
        assert "192.168.246.170" not in addresses


def test_nobody_asks_it(playbook: Run) -> None:
    assert hosts_changed(playbook("verify", *RETIRED)) == set()


@pytest.mark.exhaustive
def test_what_adopt_writes_asks_for_the_table_as_it_is(playbook: Run, adopted: Path) -> None:
    result = playbook("adopt", *RETIRED, "--extra-vars", f"lvs_adopt_directory={adopted}")
    assert result.returncode == 0, said(result)
    services = yaml.safe_load((adopted / "lb1.yml").read_text())["lvs_services"]
    assert [(each["forward"], each["scheduler"]) for each in services] == [("dr", "rr")]
    assert [each.get("weight", 1) for each in services[0]["real_servers"]] == [1, 2]
    # site begins with every mistake of the model.
    assert hosts_changed(playbook("site", "--check", *RETIRED, "--extra-vars", f"@{adopted}/lb1.yml")) == set()
