# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a part: a tag mends its own damage and no other, a limit reaches its host and no other.

Which tag chooses what, tests/unit/test_roles.py sees.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from runs import Run, hosts_changed


class Damage(NamedTuple):
    """What is broken on a host, and the command that succeeds where it is whole."""

    host: str
    broken_by: str
    whole: str


MEND = {
    "lvs_modules": Damage(
        "lb1",
        "rm /etc/modules-load.d/lvs-topology-director.conf",
        "test -e /etc/modules-load.d/lvs-topology-director.conf",
    ),
    "lvs_sysctl": Damage("client", "sysctl -qw net.ipv4.ip_forward=0", "sysctl -n net.ipv4.ip_forward | grep -q 1"),
    "lvs_arp": Damage(
        "app1",
        "sysctl -qw net.ipv4.conf.all.arp_ignore=0",
        "sysctl -n net.ipv4.conf.all.arp_ignore | grep -q 1",
    ),
    "lvs_addresses": Damage(
        "app1", "ip address del 192.168.246.160/32 dev lo", "ip address show dev lo | grep -q 192.168.246.160/32"
    ),
    "lvs_packet_rules": Damage(
        "lb2", "iptables-legacy -t mangle -F lvs-director-mark", "iptables-legacy-save -t mangle | grep -q -- '--set-'"
    ),
    "lvs_timeouts": Damage("lb1", "ipvsadm --set 900 0 0", "ipvsadm -Ln --timeout | grep -q ': 1200 '"),
    "lvs_table": Damage("lb1", "ipvsadm -D -t 192.168.246.160:80", "ipvsadm -Sn | grep -q 192.168.246.162:80"),
    "lvs_sync": Damage("lb1", "ipvsadm --stop-daemon backup", "ipvsadm -Ln --daemon | grep -q syncid=7"),
    "lvs_boot": Damage(
        "lb1", "rm /etc/lvs-topology/director.ipvsadm", "grep -q 192.168.246.162:80 /etc/lvs-topology/director.ipvsadm"
    ),
}


def broken(scenario: Any) -> set[str]:
    """The tags whose damage is there."""
    return {tag for tag, damage in MEND.items() if scenario.hosts[damage.host].run(damage.whole).rc != 0}


def test_parts_and_the_whole(scenario: Any, roles: Run) -> None:
    for damage in MEND.values():
        scenario.run(damage.host, damage.broken_by)
    left = set(MEND)
    assert broken(scenario) == left

    result = roles("--tags", "lvs_table", "--diff")
    assert hosts_changed(result) == {"lb1"}
    assert scenario.changed(result.stdout)["lb1"] == ["services"]
    left -= {"lvs_table"}
    assert broken(scenario) == left

    # The address is another host's.
    assert hosts_changed(roles("--tags", "lvs_boot,lvs_addresses", "--limit", "lb1")) == {"lb1"}
    left -= {"lvs_boot"}
    assert broken(scenario) == left

    # A tag that the repository has put on the roles runs all of them.
    result = roles("--tags", "balancing", "--diff")
    assert hosts_changed(result) == {"lb1", "lb2", "app1", "client"}
    assert scenario.changed(result.stdout) == {
        "lb1": ["kernel_modules", "timeouts", "sync_daemons"],
        "lb2": ["packet_rules"],
        "app1": ["arp", "addresses"],
        "app2": [],
        "client": ["sysctls"],
    }
    assert broken(scenario) == set()
