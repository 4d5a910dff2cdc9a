# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as ipvs_info returns them, in the words of the model, and compiled again."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adoption import as_model
from ansible_collections.lvs.topology.tests.unit.topology.inventories import r1

HOSTS = {ip_address("192.168.246.161"): "web1", ip_address("2001:db8::162"): "web2"}


def _real_server(address: str, port: int = 80, **more: Any) -> dict[str, Any]:
    plain = {"forward": "dr", "weight": 1, "upper_threshold": 0, "lower_threshold": 0, "tunnel": None}
    return {"address": address, "port": port, "connections": {"active": 1}, **plain, **more}


def _service(*real_servers: dict[str, Any], family: str = "ipv4", **more: Any) -> dict[str, Any]:
    off = {"timeout": 0, "netmask": "255.255.255.255" if family == "ipv4" else 128, "engine": "none"}
    plain = {"scheduler": "wlc", "scheduler_flags": [], "one_packet": False, "persistence": off, "counters": {}}
    return {"family": family, **plain, **more, "real_servers": list(real_servers)}


WEB = {"address": "192.168.246.160", "port": 80, "protocol": "tcp"}


def test_what_is_default_is_left_out_and_hosts_have_their_names() -> None:
    table = [_service(_real_server("192.168.246.161"), _real_server("192.168.246.170", weight=0), **WEB)]
    assert as_model(table, HOSTS) == (
        [
            {
                "name": "tcp-192.168.246.160-80",
                **WEB,
                "forward": "dr",
                "real_servers": [{"host": "web1"}, {"address": "192.168.246.170", "weight": 0}],
            }
        ],
        [],
    )


def test_everything_else_is_said() -> None:
    gue = {"type": "gue", "port": 6080, "checksum": "remote"}
    ipip = {"type": "ipip", "port": 0, "checksum": "none"}
    sticky = {"timeout": 600, "netmask": 64, "engine": "sip"}
    table = [
        _service(
            _real_server("2001:db8::162", 0, forward="tun", tunnel=gue, upper_threshold=9, lower_threshold=3),
            _real_server("2001:db8::163", 0, forward="tun", tunnel=ipip),
            family="ipv6",
            fwmark=10,
            scheduler="mh",
            scheduler_flags=["mh-port"],
            persistence=sticky,
        ),
        _service(_real_server("10.0.0.51", 8080, forward="nat"), **WEB),
    ]
    found, problems = as_model(table, HOSTS)
    assert problems == []
    assert found[0] == {
        "name": "mark-10-ipv6",
        "fwmark": 10,
        "family": "ipv6",
        "forward": "tun",
        "scheduler": "mh",
        "scheduler_flags": ["mh-port"],
        "persistence": sticky,
        "real_servers": [
            {"host": "web2", "upper_threshold": 9, "lower_threshold": 3, "tunnel": gue},
            {"address": "2001:db8::163"},
        ],
    }
    assert found[1]["real_servers"] == [{"address": "10.0.0.51", "port": 8080}]


def test_what_the_model_cannot_say() -> None:
    mixed = _service(_real_server("192.168.246.161"), _real_server("192.168.246.162", forward="nat"), **WEB)
    found, problems = as_model([mixed, _service(fwmark=7)], HOSTS)
    assert found == []
    assert len(problems) == 2
    assert problems[0].startswith("tcp 192.168.246.160:80: ")
    assert problems[1].startswith("firewall mark 7 (ipv4): ")


def test_the_compiler_asks_for_the_same_again() -> None:
    model = r1()
    plan = model.plan("lb1", "director")
    table = [
        {**each, "family": "ipv4", "persistence": {"timeout": 0, "netmask": "255.255.255.255", "engine": "none"}}
        for each in plan["services"]
    ]
    for service in table:
        service["real_servers"] = [{**each, "tunnel": None} for each in service["real_servers"]]
    model.hostvars["lb1"]["lvs_services"] = as_model(table, {})[0]
    assert model.plan("lb1", "director")["services"] == plan["services"]
