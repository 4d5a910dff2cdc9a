# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the roles by themselves: the hosts are what the prefixed inputs say, and the playbooks see nothing to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from runs import Run, hosts_changed, said

SHOP, INTRANET = "192.168.246.160", "192.168.246.170"
STATES = {
    ("lb1", "ipvsadm -Sn"): [
        f"-A -t {SHOP}:80 -s rr",
        f"-a -t {SHOP}:80 -r 192.168.246.161:80 -g -w 1",
        f"-a -t {SHOP}:80 -r 192.168.246.162:80 -g -w 2",
    ],
    ("lb2", "ipvsadm -Sn"): [
        "-A -f 10 -s rr",
        "-a -f 10 -r 192.168.246.161:0 -g -w 1",
        "-a -f 10 -r 192.168.246.162:0 -g -w 1",
    ],
    ("lb1", "ipvsadm -Ln --timeout"): ["Timeout (tcp tcpfin udp): 1200 120 300"],
    ("lb1", "ip -o -4 address show dev eth1 | awk '{ print $4 }'"): [f"{SHOP}/32", "192.168.246.166/24"],
    ("lb2", "ip -o -4 address show dev eth1 | awk '{ print $4 }'"): ["192.168.246.167/24", f"{INTRANET}/32"],
    ("lb2", "iptables-legacy-save -t mangle | grep -c -- '--set-x*mark 0xa'"): ["1"],
    ("lb1", "sysctl -n net.ipv4.vs.sloppy_tcp"): ["1"],
    ("client", "sysctl -n net.ipv4.ip_forward"): ["1"],
    **{
        (host, "ip -o -4 address show dev lo | awk '{ print $4 }'"): ["127.0.0.1/8", f"{SHOP}/32", f"{INTRANET}/32"]
        for host in ("app1", "app2")
    },
    **{(host, "sysctl -n net.ipv4.conf.all.arp_ignore"): ["1"] for host in ("app1", "app2")},
}


@pytest.mark.parametrize(("host", "command"), STATES)
def test_the_hosts_are_as_the_inputs_say(scenario: Any, host: str, command: str) -> None:
    assert sorted(scenario.run(host, command).splitlines()) == sorted(STATES[host, command])


def test_the_daemon_runs(scenario: Any) -> None:
    assert "backup sync daemon (mcast=eth1, syncid=7" in scenario.run("lb1", "ipvsadm -Ln --daemon")


@pytest.mark.parametrize("vip", [SHOP, INTRANET])
def test_every_real_server_answers(scenario: Any, vip: str) -> None:
    assert set(scenario.answers(f"http://{vip}/")) == {"app1", "app2"}


def test_an_input_that_is_empty_is_as_if_it_was_not_given(roles: Run) -> None:
    given = {"director_services": [], "lvs_services": "{{ balanced }}"}
    result = roles("--check", "--limit", "lb2", "--tags", "balancing", "--extra-vars", json.dumps(given))
    assert hosts_changed(result) == set()


def test_the_playbooks_agree_with_the_roles(playbook: Run) -> None:
    assert hosts_changed(playbook("site", "--check")) == set()


def test_a_limit_that_hides_what_is_needed_is_refused(playbook: Run) -> None:
    result = playbook("site", "--check", "--limit", "client", "--extra-vars", "lvs_arp_method=static_neighbour")
    assert result.returncode != 0
    assert "lvs_vip_interface (lb1, lb2): is needed where facts do not tell the interface for the VIPs" in said(result)
    assert "Nothing was touched" in said(result)
