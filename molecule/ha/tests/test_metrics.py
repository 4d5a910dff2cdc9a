# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A timer writes the metrics of each director, and they say what ip and ipvsadm say."""

from __future__ import annotations

import re
from typing import Any

from written_metrics import check_unit, new

WEB1 = 'service="web",virtual_server="tcp 192.168.0.29:80",real_server="web1",address="10.0.0.51:80"'


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
    check_unit(scenario, scenario.called("master"), "RestrictAddressFamilies=AF_NETLINK")
