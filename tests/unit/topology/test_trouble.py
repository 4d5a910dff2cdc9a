# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What running directors are found to lack, on the NAT pair of the guides."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, r1, r5

GATEWAY, VIP = "10.0.0.29", "192.168.0.29"
WEB = f"tcp {VIP}:80"


def _info(**weights: int) -> dict[str, Any]:
    pool = {"app1": "10.0.0.51", "app2": "10.0.0.52"}
    real_servers = [
        {"address": pool[name], "port": 80, "weight": weight, "upper_threshold": 0, "lower_threshold": 0}
        for name, weight in weights.items()
    ]
    service = {"address": VIP, "port": 80, "protocol": "tcp", "scheduler": "rr", "real_servers": real_servers}
    return {"services": [service], "timeouts": {"tcp": 900}, "daemons": []}


def _pair(*masters: str) -> Model:
    model = r5()
    for name, number in (("lb1", 11), ("lb2", 12)):
        floating = ([f"{VIP}/32"], [f"{GATEWAY}/24"]) if name in masters else ([], [])
        model.hostvars[name]["ansible_facts"] = facts(
            nic("eth1", f"192.168.0.{number}/24", *floating[0]), nic("eth2", f"10.0.0.{number}/24", *floating[1])
        )
    return model


def _trouble(model: Model, **infos: Any) -> list[str]:
    return compiler.trouble_of(model.hostvars, model.groups, infos)


@pytest.mark.parametrize("master", ["lb1", "lb2"])
def test_a_pair_in_order_whoever_is_master(master: str) -> None:
    assert _trouble(_pair(master), lb1=_info(app1=1, app2=1), lb2=_info(app1=1, app2=1)) == []


def test_two_masters_and_none() -> None:
    fine = _info(app1=1, app2=1)
    both = [f"{address}: lb1 and lb2 both hold it, and both answer for it" for address in (VIP, GATEWAY)]
    assert _trouble(_pair("lb1", "lb2"), lb1=fine, lb2=fine) == both
    none = [f"{address}: is on no director of lb1, lb2" for address in (VIP, GATEWAY)]
    assert _trouble(_pair(), lb1=fine, lb2=fine) == none


def test_a_vip_on_lo_is_held_by_nobody() -> None:
    model = _pair("lb1")
    lo = model.hostvars["lb2"]["ansible_facts"]["lo"]
    lo["ipv4_secondaries"] = [{"address": VIP, "netmask": "255.255.255.255"}]
    assert _trouble(model, lb1=_info(app1=1, app2=1), lb2=_info(app1=1, app2=1)) == []


def test_what_a_health_check_took_out() -> None:
    found = _trouble(_pair("lb1"), lb1=_info(app1=1), lb2=_info(app1=1, app2=0))
    assert f"lb1: {WEB} (web) has no real server app2 10.0.0.52:80" in found
    assert f"lb2: {WEB} (web) sends nobody new to app2 10.0.0.52:80: its weight is 0" in found
    assert any(line.startswith(f"{WEB}, real server 10.0.0.52:80: is on lb2, and not on lb1") for line in found)


def test_nobody_left_to_serve() -> None:
    found = _trouble(_pair("lb1"), lb1=_info(app1=0, app2=0), lb2=_info(app1=1, app2=1))
    assert f"lb1: {WEB} (web) has no real server for new connections" in found


def test_a_weight_of_0_that_the_model_asks_for_is_no_trouble() -> None:
    model = _pair("lb1")
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"][0]["real_servers"][1]["weight"] = 0
    assert _trouble(model, lb1=_info(app1=1, app2=0), lb2=_info(app1=1, app2=0)) == []


def test_thresholds_that_an_entry_got_when_it_was_new() -> None:
    model = _pair("lb1")
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"][0]["real_servers"][0]["upper_threshold"] = 100
    found = _trouble(model, lb1=_info(app1=1, app2=1), lb2=_info(app1=1, app2=1))
    line = f"{WEB} (web): upper_threshold of app1 10.0.0.51:80 is 0, and 100 in the model"
    assert found == [f"lb1: {line}", f"lb2: {line}"]


def test_a_director_without_its_service_and_one_that_is_silent() -> None:
    empty = {"services": [], "timeouts": {"tcp": 900}, "daemons": []}
    found = _trouble(_pair("lb1"), lb1=empty)
    assert found == [f"lb1: {WEB} (web) is not in the table", "lb2: says nothing of its table"]


def test_mistakes_of_the_inventory_come_first() -> None:
    model = _pair("lb1")
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"][0]["forward"] = "nut"
    assert _trouble(model) == model.mistakes()[:1]
    assert "lvs_services[0].forward: 'nut' is not known" in _trouble(model)[0]


def test_what_a_director_does_in_lines() -> None:
    model = _pair("lb1")
    info = _info(app1=1, app2=0)
    for each in info["services"][0]["real_servers"]:
        each.update(forward="nat", connections={"active": 3, "inactive": 12, "persistent": 0})
    info["services"].append({"fwmark": 7, "family": "ipv4", "scheduler": "wlc", "real_servers": []})
    info["daemons"] = [{"state": "master", "syncid": 1}]
    assert compiler.status_of(model.hostvars, model.groups, {"lb1": info, "lb2": {"services": [], "daemons": []}}) == [
        f"lb1: holds {VIP}, {GATEWAY}; synchronisation daemon: master (syncid 1)",
        f"  {WEB} rr (web)",
        "    app1 10.0.0.51:80 nat weight 1 active 3 inactive 12",
        "    app2 10.0.0.52:80 nat weight 0 active 3 inactive 12",
        "  firewall mark 7 (ipv4) wlc (not in lvs_services)",
        "lb2: holds no VIP",
    ]


def test_a_real_server_that_lost_its_vip() -> None:
    model = r1()
    vip = "192.168.246.160"
    pool = [
        {"address": f"192.168.246.16{number}", "port": 80, "weight": 1, "upper_threshold": 0, "lower_threshold": 0}
        for number in (1, 2)
    ]
    service = {"address": vip, "port": 80, "protocol": "tcp", "scheduler": "rr", "real_servers": pool}
    infos = {"lb1": {"services": [service], "timeouts": {}, "daemons": []}}
    for name, address, held in (
        ("lb1", "192.168.246.166/24", [f"{vip}/32"]),
        ("web1", "192.168.246.161/24", []),
        ("web2", "192.168.246.162/24", []),
    ):
        model.hostvars[name]["ansible_facts"] = facts(nic("eth1", address, *held))
    on_lo = [{"address": vip, "netmask": "255.255.255.255"}]
    model.hostvars["web1"]["ansible_facts"]["lo"]["ipv4_secondaries"] = on_lo
    assert _trouble(model, **infos) == [f"web2: the VIP {vip} is on none of its interfaces"]
    # Without facts nothing is concluded.
    del model.hostvars["web2"]["ansible_facts"]
    assert _trouble(model, **infos) == []
