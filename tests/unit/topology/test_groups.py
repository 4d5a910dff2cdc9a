# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that keepalived checks once for all of them: the file, who reads it again, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5


def grouped(*others: dict[str, Any], **common: Any) -> Model:
    """The service of a pair, and others in its group."""
    model = r5()
    for director in ("lb1", "lb2"):
        services = model.hostvars[director]["lvs_services"]
        services[0] |= {"group": "web", **copy.deepcopy(common)}
        for number, each in enumerate(others, start=2):
            service = {**copy.deepcopy(services[0]), "name": f"web{number}", **copy.deepcopy(each)}
            if "fwmark" in service:
                del service["address"], service["port"]
            services.append(service)
    return model


def test_one_pool_for_all() -> None:
    mark = {"fwmark": 9, "family": "ipv4", "real_servers": [{"host": "app1", "port": 80}, {"host": "app2", "port": 80}]}
    model = grouped({"port": 8080, "real_servers": mark["real_servers"]}, mark)
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    text = real_tools.rendered(plan)
    expected = """virtual_server_group web {
    192.168.0.29 80
    192.168.0.29 8080
    fwmark 9
}
virtual_server group web {
    protocol TCP
"""
    assert expected in text
    assert text.count("HTTP_GET {") == text.count("real_server ") == 2
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None
    # What keepalived leaves behind, and what drift is measured by, are the services.
    names = ["tcp 192.168.0.29:80", "tcp 192.168.0.29:8080", "fwmark 9 ipv4"]
    assert keepalived_plan.services_of(text) == names
    assert len(model.plan("lb1", "director")["watched"]["services"]) == 3
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    assert not [each for each in found.remarks if each.kind == LOST]
    services = found.hostvars["lb1"]["lvs_services"]
    assert [each["group"] for each in services] == ["web"] * 3


def test_marks_alone_have_a_family() -> None:
    mark = {"family": "ipv6", "real_servers": [{"address": "fd00::1"}], "health_check": {"type": "ping"}}
    model = grouped({"fwmark": 8, **mark}, {"fwmark": 9, **mark})
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["lvs_services"][0]
    model.hostvars["lb2"]["lvs_vrrp"] = {"router_id": 52}
    text = real_tools.rendered(model.plan("lb1", "keepalived"))
    assert "virtual_server group web {\n    ip_family inet6\n" in text
    assert keepalived_plan.services_of(text) == ["fwmark 8 ipv6", "fwmark 9 ipv6"]


@pytest.mark.parametrize(
    ("common", "other", "said"),
    [
        ({}, {"port": 81, "scheduler": "wlc"}, "lvs_services[1].scheduler: is not that of lvs_services[0]"),
        ({}, {"port": 81, "quorum": 2}, "lvs_services[1].quorum: is not that of lvs_services[0]"),
        ({}, {"port": 81}, "lvs_services[1].real_servers: is not that of lvs_services[0]"),
        ({}, {"protocol": "udp"}, "lvs_services[1].protocol: is not that of lvs_services[0]"),
        (
            {"forward": "tun"},
            {"port": 81},
            "lvs_services[1].health_check.port: is needed: lvs_services[0] has another port",
        ),
        ({"group": "a b"}, {"port": 81}, "lvs_services[0].group: 'a b' is no name"),
    ],
)
def test_mistakes(common: dict[str, Any], other: dict[str, Any], said: str) -> None:
    lines = grouped(other, **common).mistakes()
    assert [line for line in lines if said in line], lines
