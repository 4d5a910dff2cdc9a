# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each director writes what conntrackd says of itself."""

from __future__ import annotations

import re
from typing import Any

from written_metrics import check_unit, new

PAIR = '{directors="lb1,lb2"}'
RECEIVED = f"lvs_conntrackd_received_packets_total{PAIR}"


def test_conntrackd_is_heard_until_it_is_stopped(scenario: Any) -> None:
    for host in scenario.directors:
        before, after = new(scenario, host), new(scenario, host)
        (now,) = re.findall(r"Pckts sent +(\d+) Pckts recv", scenario.run(host, "conntrackd -s"))
        assert before[RECEIVED] < after[RECEIVED] <= int(now)
        assert after[f"lvs_conntrackd_running{PAIR}"] == 1
        check_unit(scenario, host, "RestrictAddressFamilies=AF_NETLINK AF_UNIX", "SupplementaryGroups=")
    backup = scenario.called("backup")
    scenario.run(backup, "systemctl stop conntrackd")
    found = new(scenario, backup)
    assert found[f"lvs_conntrackd_running{PAIR}"] == 0
    assert RECEIVED not in found
    scenario.run(backup, "systemctl start conntrackd")
    assert new(scenario, backup)[f"lvs_conntrackd_running{PAIR}"] == 1
