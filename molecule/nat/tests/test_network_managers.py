# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each host's network is set anew by what manages it. VIP and gateways stay, or come back by themselves."""

from __future__ import annotations

from typing import Any

NETWORKD = ("networkctl reload; networkctl reconfigure eth1", "systemctl restart systemd-networkd")
NETWORKMANAGER = ("nmcli connection up eth1", "systemctl restart NetworkManager")
IFUPDOWN = ("ifdown eth1; ifup eth1", "systemctl restart networking")
HOSTS = ("director", "web1", "web2")


def test_what_managers_take_away_comes_back(scenario: Any) -> None:
    with scenario.load() as answers:
        for command in NETWORKD:
            set_anew(scenario, "director", command)
        for command in NETWORKMANAGER:
            set_anew(scenario, "web1", command)
    # Of every two connections the scheduler gives one to web2, and these are none of web1's business.
    assert 2 * answers["web2"] >= sum(answers.values()) - 1, answers
    # No requests meanwhile: networkd takes its own addresses away for a moment, and an interface that is down has none.
    set_anew(scenario, "director", "networkctl reconfigure eth2")
    for host in HOSTS:
        set_anew(scenario, host, "ip link set eth1 down; sleep 1; ip link set eth1 up")
    for command in IFUPDOWN:
        set_anew(scenario, "web2", command)
    scenario.check("serving")


def set_anew(scenario: Any, host: str, command: str) -> None:
    """Have the manager set the network anew, and wait until the host is as described again."""
    scenario.run(host, command)
    scenario.wait(f"{host} is as described after {command}", lambda: is_as_described(scenario))
    assert scenario.run(host, "systemctl --no-pager --no-legend --failed") == "", command


def is_as_described(scenario: Any) -> bool:
    try:
        scenario.check_hosts("serving")
    except AssertionError:
        return False
    # Nothing is under way any more that would bring it back.
    state = "systemctl show --property ActiveState --value lvs-topology-network.service"
    return all(scenario.run(host, state) == "inactive" for host in HOSTS)
