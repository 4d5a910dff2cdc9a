# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services by firewall mark whose real servers, or whose sorry server, have a port."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5

TEXT = """virtual_server fwmark 80 {
    lb_kind %s
    sorry_server 10.0.0.9 8081
    real_server 10.0.0.51 8080 {
        TCP_CHECK {
        }
    }
    real_server 10.0.0.52 8090 {
        TCP_CHECK {
        }
    }
}
"""


def marked() -> Model:
    """With NAT, whatever port clients ask for leads to one port of each real server."""
    model = r5()
    service = {
        **{"name": "mark", "fwmark": 80, "family": "ipv4", "forward": "nat", "health_check": {"type": "tcp"}},
        "marked": [{"address": "192.168.0.29", "ports": [80, 443]}],
        "sorry_server": {"address": "10.0.0.9", "port": 8081},
        "real_servers": [{"host": "app1", "port": 8080}, {"host": "app2", "port": 8090}],
    }
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"] = [service]
    return model


def test_with_nat_ports_are_what_packets_get() -> None:
    model = marked()
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    text = real_tools.rendered(plan)
    for line in ("sorry_server 10.0.0.9 8081", "real_server 10.0.0.51 8080 {", "real_server 10.0.0.52 8090 {"):
        assert f"    {line}\n" in text
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None
    (watched,) = model.plan("lb1", "director")["watched"]["services"]
    assert [each["port"] for each in watched["real_servers"]] == [8080, 8090]


def test_an_import_says_ports_of_nat_and_checks_the_others() -> None:
    found = imported(Given({"keepalived.conf": TEXT % "NAT"}), ["keepalived.conf"], ["lb1"])
    assert not [each for each in found.remarks if each.kind == LOST]
    (service,) = found.hostvars["lb1"]["lvs_services"]
    assert service["sorry_server"] == {"address": "10.0.0.9", "port": 8081}
    assert [each["port"] for each in service["real_servers"]] == [8080, 8090]
    # With DR nobody changes the port of a packet: it is what the check asks, of each real server its own.
    found = imported(Given({"keepalived.conf": TEXT % "DR"}), ["keepalived.conf"], ["lb1"])
    assert not [each for each in found.remarks if each.kind == LOST]
    (service,) = found.hostvars["lb1"]["lvs_services"]
    own = [each.get("health_check", service["health_check"])["port"] for each in service["real_servers"]]
    assert own == [8080, 8090]
    assert not any("port" in each for each in service["real_servers"])
