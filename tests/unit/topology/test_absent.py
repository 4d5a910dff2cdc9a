# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors that are absent take no part in what looks at directors that run."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.plugin_utils._topology import verifying
from ansible_collections.lvs.topology.tests.unit.topology.inventories import r1, two_directors

EMPTY = {"services": [], "timeouts": None, "daemons": []}


def test_clients_connect_to_directors_that_are_present() -> None:
    model = two_directors()
    every = verifying.endpoints_of(model.hostvars, model.groups)
    assert [each["address"] for each in every] == ["192.168.246.160", "192.168.246.170"]
    model.hostvars["lb2"]["lvs_state"] = "absent"
    assert verifying.endpoints_of(model.hostvars, model.groups) == [
        {"name": "web", "protocol": "tcp", "address": "192.168.246.160", "port": 80, "connections": 4}
    ]


def test_what_clients_cannot_connect_to() -> None:
    model = r1()
    web = model.service
    web |= {"address": "192.168.246.160/24", "port": "80"}
    sorry = {"port": 82, "real_servers": [], "sorry_server": {"address": "192.168.246.163"}}
    others = [{"protocol": "udp"}, {"port": 0, "persistence": {"timeout": 9}}, {"port": 81, "real_servers": []}, sorry]
    model.services.extend({**web, "name": str(number), **other} for number, other in enumerate(others))
    assert verifying.endpoints_of(model.hostvars, model.groups) == [
        {"name": "web", "protocol": "tcp", "address": "192.168.246.160", "port": 80, "connections": 4}
    ]


def test_the_status_of_a_director_that_is_absent() -> None:
    model = two_directors()
    model.hostvars["lb2"]["lvs_state"] = "absent"
    lines = verifying.status_of(model.hostvars, model.groups, {"lb1": EMPTY, "lb2": EMPTY})
    assert lines[1].startswith("lb2: takes no part")
