# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other examples on the same hosts: everything by site, and single modules beside what the roles look after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import EXAMPLES, Run, hosts_changed

VIP = "192.168.246.180"
USED_BY_MODULES = ("lb1", "app1", "app2")
SITE = str(EXAMPLES / "by-site/site.yml")


def test_site_asks_for_the_same_as_the_roles(by_site: Run, scenario: Any) -> None:
    """But for lb2, which an earlier test has put back. No address of a real server is in that inventory."""
    result = by_site(SITE, "--diff")
    assert hosts_changed(result) == {"lb2", "app1", "app2", "client"}
    changed = scenario.changed(result.stdout)
    assert changed["client"] == ["/etc/motd"]
    assert changed["app1"] == changed["app2"] == ["addresses", "boot"]
    assert set(scenario.answers("http://192.168.246.170/")) == {"app1", "app2"}
    assert hosts_changed(by_site(SITE, "--check", "--tags", "balancing")) == set()


@pytest.fixture(scope="module")
def somebody(scenario: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Variables of a user who is not root, and becomes root by a password."""
    hosts = ("lb1", "app1")
    for host in hosts:
        scenario.run(host, "useradd --create-home --password '*' deploy; echo root:unlike9 | chpasswd")
        scenario.run(host, "chmod a+rx /run/lab; chmod a+r /run/lab/authorized_keys")
    place = tmp_path_factory.mktemp("somebody")
    known = yaml.safe_load(scenario.inventory.read_text())["all"]["vars"]["ansible_ssh_common_args"]
    values = {
        "ansible_user": "deploy",
        "ansible_become_method": "ansible.builtin.su",
        "ansible_become_password": "unlike9",
        # A connection of root's would be used again.
        "ansible_ssh_common_args": f"{known.partition(' -o ControlPath')[0]} -o ControlPath={place}/%h",
    }
    (place / "somebody.yml").write_text(yaml.safe_dump(values))
    yield place / "somebody.yml"
    for host in hosts:
        scenario.run(host, "pkill -u deploy; userdel --remove deploy; usermod --password '*' root; chmod 0700 /run/lab")


def test_become_of_ansible_cfg_is_enough(roles: Run, somebody: Path) -> None:
    result = roles("--check", "--limit", "lb1,app1", "--tags", "balancing", "--extra-vars", f"@{somebody}")
    assert hosts_changed(result) == set()


def test_single_modules_do_their_part_and_nothing_else(scenario: Any, by_modules: Run, by_site: Run) -> None:
    before = {host: scenario.picture(host) for host in USED_BY_MODULES}
    assert hosts_changed(by_modules("balancer.yml")) == set(USED_BY_MODULES)
    assert set(scenario.answers(f"http://{VIP}/")) == {"app1", "app2"}
    assert hosts_changed(by_modules("balancer.yml", "--check")) == set()
    assert hosts_changed(by_site(SITE, "--check", "--tags", "balancing")) == set()
    assert hosts_changed(by_modules("gone.yml")) == set(USED_BY_MODULES)
    assert {host: scenario.picture(host) for host in USED_BY_MODULES} == before
