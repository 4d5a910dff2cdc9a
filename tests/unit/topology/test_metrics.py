# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program of a director's metrics is told by its model."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import parse, read, render
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import host_plan
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair, r1, r5
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import active, every
from ansible_collections.lvs.topology.tests.unit.topology.test_conntrackd import pair

ON = {"lvs_metrics": True, "lvs_metrics_interval": 15}


def metrics(model: Model, host: str = "lb1", **variables: Any) -> dict[str, Any]:
    plan = host_plan(model.hostvars, model.groups, host, "metrics", variables={**ON, **variables})
    assert plan["commands"] == []
    found: dict[str, Any] = plan["metrics"]
    return found


def test_a_director_by_itself() -> None:
    model = r1()
    found = metrics(model)
    services = model.hostvars["lb1"]["lvs_services"]
    assert {key: found[key] for key in found if key != "services"} == {
        "directory": "/var/lib/prometheus/node-exporter",
        "interval": 15,
        "directors": ["lb1"],
        "keepalived": False,
        "sync_daemons": 0,
        "vips": [{"address": "192.168.246.160", "interface": "eth1", "holders": 1, "announcers": 0, "aggregate": ""}],
        "aggregates": [],
        "sessions": [],
        "conntrackd": False,
        "hidden": [],
    }
    assert [each["name"] for each in found["services"]] == [each["name"] for each in services]
    (service,) = found["services"]
    assert service["virtual_server"] == "tcp 192.168.246.160:80"
    assert service["real_servers"][0] == {"name": "web1", "address": "192.168.246.161", "port": 80, "weight": 1}


def test_a_pair_shares_names_and_addresses() -> None:
    one, other = metrics(r5()), metrics(r5(), "lb2")
    assert one["directors"] == other["directors"] == ["lb1", "lb2"]
    assert one["keepalived"]
    assert [each["address"] for each in one["vips"]] == [each["address"] for each in other["vips"]]
    # The gateway of the real servers moves with the VIPs.
    assert len(one["vips"]) > len({each["virtual_server"] for each in one["services"]})


def test_directors_that_all_announce_the_vips() -> None:
    model = active()
    found = metrics(model, "lb2")
    assert found["directors"] == ["lb1", "lb2", "lb3"]
    assert [(each["address"], each["interface"], each["holders"], each["announcers"]) for each in found["vips"]] == [
        ("198.51.100.1", "lo", 3, 3),
        ("2001:db8:100::1", "lo", 3, 3),
    ]
    assert found["sessions"] == [
        {"name": "lvs4_10_0_0_1", "neighbour": "router", "address": "10.0.0.1", "bfd": True},
        {"name": "lvs6_2001_db8_b__1", "neighbour": "router", "address": "2001:db8:b::1", "bfd": True},
    ]
    # A router of which the inventory knows nothing but its address.
    model = active()
    model.groups["lvs_routers"] = []
    del model.hostvars["router"]
    assert [each["neighbour"] for each in metrics(model)["sessions"]] == ["10.0.0.1", "2001:db8:b::1"]


def test_what_is_announced_by_aggregates() -> None:
    model = every(active(), aggregates=["198.51.100.0/24", {"prefix": "2001:db8:100::/48", "summary_only": True}])
    model.hostvars["lb3"]["lvs_bgp"]["aggregates"].pop(0)
    found = metrics(model)
    assert found["aggregates"] == [
        {"prefix": "198.51.100.0/24", "announcers": 2},
        {"prefix": "2001:db8:100::/48", "announcers": 3},
    ]
    assert [each["aggregate"] for each in found["vips"]] == ["", "2001:db8:100::/48"]
    assert parse(render(found)) == read(found)


def test_vips_that_something_else_announces() -> None:
    model = active()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_bgp"] = "elsewhere"
    found = metrics(model)
    assert found["sessions"] == []
    assert [each["announcers"] for each in found["vips"]] == [0, 0]


def test_conntrackd_of_a_pair() -> None:
    assert metrics(pair())["conntrackd"]


@pytest.mark.parametrize(
    ("sync", "count"), [({}, 0), ({"role": "master"}, 1), ({"role": "both"}, 2)], ids=["none", "one", "two"]
)
def test_daemons_that_are_to_run(sync: dict[str, Any], count: int) -> None:
    assert metrics(r1(), lvs_sync=sync)["sync_daemons"] == count


def test_under_keepalived_one_daemon_runs_at_a_time() -> None:
    model = r5()
    for host in ("lb1", "lb2"):
        model.hostvars[host]["lvs_sync"] = {"syncid": 1}
    assert metrics(model)["sync_daemons"] == 1


def test_a_quorum_that_cannot_be_met_is_lowered_as_keepalived_lowers_it() -> None:
    model = dr_pair()
    for host in ("lb1", "lb2"):
        for service in model.hostvars[host]["lvs_services"]:
            service["quorum"] = 1000
    for service in metrics(model)["services"]:
        assert service["quorum"] == sum(each["weight"] for each in service["real_servers"])


def test_who_says_sorry_is_no_real_server() -> None:
    model = r5()
    for host in ("lb1", "lb2"):
        model.hostvars[host]["lvs_services"][0]["sorry_server"] = {"address": "10.0.0.99", "port": 80}
    first = metrics(model)["services"][0]
    assert first["others"] == [{"name": "10.0.0.99", "address": "10.0.0.99", "port": 80, "weight": 1}]
    assert "10.0.0.99" not in [each["address"] for each in first["real_servers"]]


@pytest.mark.parametrize("name", REFERENCES)
def test_what_is_told_has_the_form_that_is_read(name: str) -> None:
    model = REFERENCES[name]()
    for host in model.groups["lvs_directors"]:
        found = metrics(model, host)
        assert parse(render(found)) == read(found)


def test_nothing_where_there_are_to_be_no_metrics() -> None:
    model = r1()
    plan = host_plan(model.hostvars, model.groups, "lb1", "metrics")
    assert plan["metrics"] == {}
    # Whoever says so outright is not even asked for services.
    for no in (False, "no"):
        assert host_plan(model.hostvars, model.groups, "lb1", "metrics", variables={"lvs_metrics": no}) == {}
