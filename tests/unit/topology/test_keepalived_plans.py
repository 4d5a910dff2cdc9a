# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans of directors whose VIPs and table are keepalived's: VRRP, and who has what."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.vrrp_settings import written_floating
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    Model,
    dr_pair,
    facts,
    nic,
    r1,
    r5,
    r7,
    rs,
)


def notes(plan: dict[str, Any]) -> list[str]:
    """What is worth knowing besides the password of r5, which can be read on the wire."""
    return [each for each in plan.get("notes", []) if "auth_pass" not in each]


def without_notes(model: Model, director: str) -> dict[str, Any]:
    return {key: value for key, value in model.plan(director, "keepalived").items() if key != "notes"}


def configuration(model: Model, host: str = "lb1", **more: Any) -> dict[str, Any]:
    keepalived: dict[str, Any] = model.plan(host, "keepalived", **more)["keepalived"]
    return keepalived


def instance(model: Model, host: str = "lb1") -> dict[str, Any]:
    (only,) = configuration(model, host)["instances"]
    assert isinstance(only, dict)
    return only


def both(model: Model, **more: Any) -> Model:
    """Change lvs_vrrp of both directors."""
    for director in ("lb1", "lb2"):
        model.hostvars[director].setdefault("lvs_vrrp", {}).update(copy.deepcopy(more))
    return model


def serving(model: Model, **more: Any) -> Model:
    """Change the first service of both directors."""
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0].update(copy.deepcopy(more))
    return model


def test_r5() -> None:
    model = r5()
    check = {"type": "http", "retries": 1, "urls": [{"path": "/", "status": ["200"]}]}
    server = {"port": 80, "weight": 1, "upper_threshold": 0, "lower_threshold": 0, "checks": [check]}
    plan: dict[str, Any] = {
        "commands": ["keepalived"],
        "interfaces": ["eth2", "eth1"],
        "partners": ["lb2"],
        "secrets": ["s3cret"],
        "packets": [],
        "on_lo": [
            {"address": "10.0.0.29", "interface": "lo", "announce": "eth2"},
            {"address": "192.168.0.29", "interface": "lo", "announce": "eth1"},
        ],
        "keepalived": {
            "global_defs": {"router_id": "lb1"},
            "scripts": [],
            "processes": [],
            "files": [],
            "sync_groups": [],
            "instances": [
                {
                    "name": "lvs",
                    "interface": "eth2",
                    "version": 2,
                    "router_id": 51,
                    "priority": 150,
                    "advert_int": 1,
                    "preempt": False,
                    "preempt_delay": 0,
                    "auth_pass": "s3cret",
                    "garp": {"master_refresh": 60},
                    "track_interfaces": ["eth1"],
                    "track_scripts": [],
                    "track_processes": [],
                    "addresses": [{"address": "10.0.0.29/24", "interface": "eth2"}],
                    "excluded": [{"address": "192.168.0.29/32", "interface": "eth1"}],
                    "notify": {},
                }
            ],
            "services": [
                {
                    "name": "web",
                    "address": "192.168.0.29",
                    "port": 80,
                    "protocol": "tcp",
                    "scheduler": "rr",
                    "scheduler_flags": [],
                    "one_packet": False,
                    "persistence": {"timeout": 0},
                    "forward": "nat",
                    "quorum": 1,
                    "hysteresis": 0,
                    "inhibit_on_failure": False,
                    "alpha": False,
                    "omega": False,
                    "times": {"interval": 3, "timeout": 3, "retry_delay": 1},
                    "real_servers": [
                        {"name": "app1", "address": "10.0.0.51", **server},
                        {"name": "app2", "address": "10.0.0.52", **server},
                    ],
                }
            ],
        },
    }
    # See test_handover.py.
    plan["table"] = model.plan("lb1", "keepalived")["table"]
    assert without_notes(model, "lb1") == plan
    plan["partners"] = ["lb1"]
    plan["keepalived"]["global_defs"]["router_id"] = "lb2"
    plan["keepalived"]["instances"][0]["priority"] = 140
    assert without_notes(model, "lb2") == plan


def test_the_director_keeps_what_keepalived_does_not_do() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director] |= {"lvs_timeouts": {"tcp": 60}, "lvs_sync": {"syncid": 7}}
    for director in ("lb1", "lb2"):
        plan = model.plan(director, "director")
        assert plan["manager"] == "keepalived"
        assert (plan["addresses"], plan["services"], plan["timeouts"], plan["sync_daemons"]) == ([], [], {}, [])
        assert plan["kernel_modules"] == ["ip_vs", "ip_vs_rr"]
        assert plan["sysctls"]["net.ipv4.ip_forward"] == "1"
        assert "net.ipv4.vs.backup_only" not in plan["sysctls"]
        assert "notes" not in plan
        made = configuration(model, director)["global_defs"]
        assert made["timeouts"] == {"tcp": 60}
        assert made["sync"] == {
            "interface": "eth2",
            "instance": "lvs",
            "syncid": 7,
            "maxlen": 0,
            "group": "224.0.0.81",
            "port": 8848,
            "ttl": 1,
        }


def test_the_gateway_of_nat_real_servers_moves_too() -> None:
    model = r5()
    assert model.plan("app1", "real_server")["gateways"] == [{"gateway": "10.0.0.29"}]
    model.without_facts("app1")
    assert model.plan("app1", "real_server")["gateways"] == [{"gateway": "10.0.0.29"}]
    model.without_facts()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vip_interface"] = "eth1"
    assert model.plan("app1", "real_server")["gateways"] == [{"gateway": "10.0.0.29"}]


def test_a_director_by_itself_is_the_gateway_itself() -> None:
    model = r5()
    model.groups["lvs_directors"].remove("lb2")
    del model.hostvars["lb2"]
    model.hostvars["lb1"]["lvs_vrrp"] = {}
    assert model.plan("app1", "real_server")["gateways"] == [{"gateway": "10.0.0.11"}]


def test_with_the_kernel_there_is_nothing_to_say() -> None:
    model = r1()
    model.hostvars["lb1"]["lvs_vrrp"] = {"router_id": 7}
    model.service.update(quorum=2, sorry_server={"address": "127.0.0.1"}, health_check={"type": "tcp"})
    lists: dict[str, Any] = {"commands": [], "interfaces": [], "partners": [], "secrets": [], "packets": []}
    nothing: dict[str, Any] = {**lists, "keepalived": {}, "on_lo": [], "table": ""}
    assert model.plan("lb1", "keepalived") == nothing
    assert model.plan("lb1", "director")["notes"] == [
        "lvs_services[0].health_check: nothing checks while lvs_manager is kernel",
        "lvs_services[0]: nothing acts on quorum, sorry_server while lvs_manager is kernel",
        "lb1: lvs_vrrp: nothing moves addresses while lvs_manager is kernel",
    ]


@pytest.mark.parametrize("role", ["keepalived", "director"])
@pytest.mark.parametrize("make", [r5, dr_pair])
def test_a_role_that_names_only_its_host_gets_the_same_plan(make: Callable[[], Model], role: str) -> None:
    model = both(make(), unicast=True, preempt=True)
    # The role gives its own variables, which are the host's.
    for director in ("lb1", "lb2"):
        own = model.hostvars[director]
        given = {name: own[name] for name in ("lvs_vrrp", "lvs_manager")}
        plan = model.plan(director, role, directors=[director], services=own["lvs_services"], variables=given)
        assert plan == model.plan(director, role)
    if role == "keepalived":
        assert plan["keepalived"]["instances"][0]["unicast"]["peers"] == [model.hostvars["lb1"]["lvs_address"]]


def test_a_list_of_services_that_only_the_role_has_is_that_of_all_directors() -> None:
    model = both(r5(), unicast=True)
    services = model.hostvars["lb1"].pop("lvs_services")
    del model.hostvars["lb2"]["lvs_services"]
    plan = model.plan("lb2", "keepalived", directors=["lb2"], services=services)
    assert plan["keepalived"]["instances"][0]["unicast"] == {"source": "10.0.0.12", "peers": ["10.0.0.11"]}


def test_an_absent_director_is_no_partner_but_keeps_its_place() -> None:
    model = both(r5(), unicast=True)
    model.hostvars["lb3"] = copy.deepcopy(model.hostvars["lb2"]) | {
        "lvs_address": "10.0.0.13",
        "ansible_facts": facts(nic("eth1", "192.168.0.13/24"), nic("eth2", "10.0.0.13/24")),
    }
    model.groups["lvs_directors"].append("lb3")
    model.hostvars["lb1"]["lvs_state"] = "absent"
    assert instance(model, "lb2")["priority"] == 140
    assert instance(model, "lb2")["unicast"] == {"source": "10.0.0.12", "peers": ["10.0.0.13"]}
    assert instance(model, "lb3")["priority"] == 130
    assert model.mistakes() == []


@pytest.mark.parametrize("make", [r5, dr_pair])
@pytest.mark.parametrize("master", ["lb1", "lb2"])
def test_whoever_is_master_the_plans_are_the_same(make: Callable[[], Model], master: str) -> None:
    model = make()
    roles = ("director", "keepalived", "real_server")

    def plans() -> dict[tuple[str, str], Any]:
        hosts = {"director": "lvs_directors", "keepalived": "lvs_directors", "real_server": "lvs_real_servers"}
        return {(host, role): model.plan(host, role) for role in roles for host in model.groups[hosts[role]]}

    before = plans()
    known = model.hostvars[master]["ansible_facts"]
    for each in before[master, "keepalived"]["keepalived"]["instances"]:
        for address in (*each["addresses"], *each["excluded"]):
            entry = nic(address["interface"], address["address"])
            if "ipv4" in entry:
                known[address["interface"]].setdefault("ipv4_secondaries", []).append(entry["ipv4"])
            else:
                known[address["interface"]].setdefault("ipv6", []).extend(entry["ipv6"])
    assert plans() == before
    # Nor does it matter where lvs_address is left to the facts.
    del model.hostvars["app1" if make is r5 else "web1"]["lvs_address"]
    assert plans() == before


def test_the_family_and_the_version_follow_what_is_carried() -> None:
    model = dr_pair()
    made = instance(model)
    assert (made["version"], made["interface"]) == (2, "eth1")
    assert made["addresses"] == [{"address": "192.168.246.160/32", "interface": "eth1"}]
    assert made["excluded"] == [{"address": "fd00::160/128", "interface": "eth1", "deprecated": True}]
    # Only IPv6: version 3.
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["lvs_services"][0]
    made = instance(model)
    assert made["version"] == 3
    assert made["addresses"] == [{"address": "fd00::160/128", "interface": "eth1", "deprecated": True}]
    assert made["excluded"] == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"version": 2, "advert_int": 1}),
        ({"advert_int": 0.5}, {"version": 3, "advert_int": 0.5}),
        ({"advert_int": "0.5"}, {"version": 3, "advert_int": 0.5}),
        ({"advert_int": 2.0}, {"version": 2, "advert_int": 2}),
        ({"version": 3}, {"version": 3}),
        ({"preempt": True, "preempt_delay": 30}, {"preempt": True, "preempt_delay": 30}),
        ({"interface": "eth1"}, {"interface": "eth1", "track_interfaces": ["eth2"]}),
        ({"track_interfaces": []}, {"track_interfaces": []}),
        ({"track_interfaces": ["eth2", "lo"]}, {"track_interfaces": ["lo"]}),
        ({"garp": {"master_refresh": 0, "interval": 0.001}}, {"garp": {"master_refresh": 0}}),
        ({"garp": {"master_delay": 1}}, {"garp": {"master_delay": 1, "master_refresh": 60}}),
        ({"notify": {"any": "/bin/tell 'a b'"}}, {"notify": {"any": "/bin/tell 'a b'"}}),
        ({"raw": "debug 4\n"}, {"raw": "debug 4\n"}),
        ({"unicast": True}, {"unicast": {"source": "10.0.0.11", "peers": ["10.0.0.12"]}}),
        ({"unicast": ["10.0.0.11", "10.9.9.9"]}, {"unicast": {"source": "10.0.0.11", "peers": ["10.9.9.9"]}}),
        ({"router_id": 255}, {"router_id": 255}),
    ],
)
def test_settings_of_the_instance(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"] = {"addresses": ["10.0.0.29/24"], **copy.deepcopy(settings)}
    assert model.mistakes() == []
    made = instance(model)
    assert {key: made[key] for key in expected} == expected
    for key in ("unicast", "auth_pass", "raw"):
        assert (key in made) == (key in settings)


def test_the_longest_pause_between_announcements_is_that_of_all_instances() -> None:
    asked = ({"master_delay": 1}, {"interval": 0.5}, {"interval": 2}, {"interval": 0})
    model = r5()
    names = [f"vi{number}" for number, _garp in enumerate(asked)]
    instances = [
        {"name": name, "router_id": 60 + number, "addresses": [f"10.0.0.{30 + number}/24"], "garp": garp}
        for number, (name, garp) in enumerate(zip(names, asked, strict=True))
    ]
    instances[0]["vips"] = ["192.168.0.29"]
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"] = {"instances": copy.deepcopy(instances)}
    assert model.mistakes() == []
    made = configuration(model)
    assert made["global_defs"]["garp_interval"] == 2
    assert [[*each["garp"]] for each in made["instances"]] == [
        ["master_delay", "master_refresh"],
        ["master_refresh"],
        ["master_refresh"],
        ["master_refresh"],
    ]
    assert "garp_interval" not in configuration(r5())["global_defs"]


def test_a_priority_of_its_own() -> None:
    model = r5()
    model.hostvars["lb2"]["lvs_vrrp"]["priority"] = 200
    assert [instance(model, each)["priority"] for each in ("lb1", "lb2")] == [150, 200]


def test_adverts_are_the_same_whatever_vips_there_are_and_in_whichever_order() -> None:
    model = r5()
    before = instance(model)["addresses"]
    service = model.hostvars["lb1"]["lvs_services"][0]
    more = {**service, "name": "more", "address": "192.168.0.100"}
    model.hostvars["lb1"]["lvs_services"] = [more, service]
    model.hostvars["lb2"]["lvs_services"] = [service, more]
    assert instance(model)["addresses"] == instance(model, "lb2")["addresses"] == before
    assert [each["address"] for each in instance(model)["excluded"]] == ["192.168.0.100/32", "192.168.0.29/32"]


def test_adverts_name_what_they_are_told_to() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"]["in_adverts"] = ["192.168.0.29", "10.0.0.29"]
    assert model.mistakes() == []
    made = instance(model)
    assert [each["address"] for each in made["addresses"]] == ["10.0.0.29/24", "192.168.0.29/32"]
    assert made["excluded"] == []


def test_the_one_instance_may_have_a_name() -> None:
    """A reload keeps the addresses of an instance whose name stays. Between directors names do not matter."""
    model = r5()
    both(model, name="VI_1")
    assert [instance(model, each)["name"] for each in ("lb1", "lb2")] == ["VI_1", "VI_1"]
    model.hostvars["lb2"]["lvs_vrrp"] = {**model.hostvars["lb2"]["lvs_vrrp"], "name": "VI_2", "priority": 90}
    assert model.mistakes() == []
    assert [instance(model, each)["name"] for each in ("lb1", "lb2")] == ["VI_1", "VI_2"]
    # What both need is compared all the same.
    model.hostvars["lb2"]["lvs_vrrp"]["router_id"] = 9
    assert [each for each in model.mistakes() if "router_id" in each]


def test_an_instance_for_each_interface_moves_with_the_others() -> None:
    model = r5()
    instances = [
        {"name": "inside", "interface": "eth2", "router_id": 52, "addresses": ["10.0.0.29/24"]},
        {"name": "outside", "interface": "eth1", "preempt": True},
    ]
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"] = {"advert_int": 2, "instances": instances}
    made = configuration(model, "lb2")
    assert made["sync_groups"] == [{"name": "lvs", "instances": ["inside", "outside"]}]
    inside, outside = made["instances"]
    assert (inside["router_id"], inside["preempt"], inside["priority"]) == (52, False, 140)
    assert (outside["router_id"], outside["preempt"], outside["priority"]) == (51, True, 140)
    assert [each["advert_int"] for each in (inside, outside)] == [2, 2]
    assert inside["addresses"] == [{"address": "10.0.0.29/24", "interface": "eth2"}]
    assert outside["addresses"] == [{"address": "192.168.0.29/32", "interface": "eth1"}]
    both(model, sync_group=False)
    assert configuration(model)["sync_groups"] == []


def test_vips_go_to_the_instance_that_names_them() -> None:
    """Active/active: each director is master of one."""
    model = r5()
    for director, other in (("lb1", "lb2"), ("lb2", "lb1")):
        services = model.hostvars[director]["lvs_services"]
        services.append({**services[0], "name": "second", "address": "192.168.0.30"})
        model.hostvars[director]["lvs_vrrp"] = {
            "interface": "eth2",
            "sync_group": False,
            "addresses": ["10.0.0.29/24"],
            "instances": [
                {"name": "one", "router_id": 1, "priority": 150 if director == "lb1" else 140},
                {"name": "two", "router_id": 2, "vips": ["192.168.0.30"], "priority": 150 if other == "lb1" else 140},
            ],
        }
    assert model.mistakes() == []
    for director, priorities in (("lb1", [150, 140]), ("lb2", [140, 150])):
        made = configuration(model, director)["instances"]
        assert [each["priority"] for each in made] == priorities
        # What nobody names goes to the first whose interface holds it.
        assert [[one["address"] for one in (*each["addresses"], *each["excluded"])] for each in made] == [
            ["10.0.0.29/24", "192.168.0.29/32"],
            ["192.168.0.30/32"],
        ]


def test_of_several_masters_one_sends_its_connections() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_sync"] = {"syncid": 1}
        model.hostvars[director]["lvs_vrrp"]["instances"] = [
            {"name": "one", "interface": "eth2"},
            {"name": "two", "interface": "eth1"},
        ]
    assert configuration(model)["global_defs"]["sync"]["instance"] == "one"
    assert not notes(model.plan("lb1", "keepalived"))
    both(model, sync_group=False)
    assert notes(model.plan("lb1", "keepalived")) == [
        "lb1: lvs_sync: whoever is master of one sends; connections of the other instances stay apart"
    ]


def test_an_instance_without_addresses_is_left_out() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"] = {
            "addresses": ["10.0.0.29/24"],
            "instances": [{"name": "one", "router_id": 1}, {"name": "two", "router_id": 2}],
        }
    made = configuration(model)
    assert [each["name"] for each in made["instances"]] == ["one"]
    assert made["sync_groups"] == []
    for director in ("lb1", "lb2"):
        model.hostvars[director] |= {"lvs_services": [], "lvs_vrrp": {}, "lvs_sync": {"syncid": 1}}
    made = configuration(model)
    assert (made["instances"], made["services"], "sync" in made["global_defs"]) == ([], [], False)


def test_a_floating_address_with_its_interface_needs_no_facts() -> None:
    model = both(r5(), addresses=[{"address": "10.0.0.29/24", "interface": "eth2"}], interface="eth2")
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vip_interface"] = "eth1"
    with_facts = model.plan("lb1", "keepalived")
    model.without_facts()
    assert model.plan("lb1", "keepalived") == with_facts
    assert model.mistakes() == []


def test_a_weight_moves_nothing_as_long_as_nobody_preempts() -> None:
    model = both(r5(), track_scripts=[{"name": "up", "script": "/bin/up", "weight": -60}])
    note = (
        "lb1: lvs_vrrp.track_scripts[0].weight: while preempt is false, the master stays master whatever its priority; "
        "leave it out, so that a failure makes the director give way, or set preempt: true"
    )
    assert notes(model.plan("lb1", "keepalived")) == [note]
    for better in ({"preempt": True}, {"track_scripts": [{"name": "up", "script": "/bin/up"}]}):
        assert not notes(both(copy.deepcopy(model), **better).plan("lb1", "keepalived"))


def test_who_was_named_to_run_scripts_runs_those_of_raw_lines_too() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        raw = "vrrp_script up {\n    script /bin/up\n}"
        model.hostvars[director]["lvs_keepalived"] = {"script_user": "checker", "raw": raw}
    assert configuration(model)["global_defs"]["script_user"] == "checker"


def test_remarks_stay_remarks() -> None:
    """keepalived takes what is behind the 1023rd byte of a line for a line of its own."""
    assert serving(r5(), name="a" * 1021 + "include /x").mistakes()
    (made,) = configuration(serving(r5(), name="ü" * 100))["services"]
    assert len(f"# {made['name']}".encode()) < 1000
    (made,) = configuration(serving(r5(), name="web\\"))["services"]
    assert made["name"] == "web?"


def test_the_source_of_fullnat_moves_with_the_vip() -> None:
    model = r7()
    model.hostvars["lb1"]["lvs_manager"] = "keepalived"
    model.hostvars["lb1"]["lvs_vrrp"] = {"addresses": ["10.1.0.9/24"]}
    by_route, by_network = model.plan("lb1", "director")["packet_rules"]["source_nat"]
    assert by_route["to"] == ["10.1.0.9"]
    # No floating address of that family: the director's own.
    assert by_network["to"] == ["fd01::2"]
    model.service["real_servers"] = [{"address": "10.1.0.51"}]
    assert model.plan("lb1", "director")["packet_rules"]["source_nat"][0]["to"] == ["10.1.0.9"]
    model.service["snat_addresses"] = ["10.1.0.9"]
    assert model.plan("lb1", "director")["packet_rules"]["source_nat"][0]["to"] == ["10.1.0.9"]


def directors_that_serve() -> Model:
    """A DR pair whose directors are its real servers."""
    model = serving(dr_pair(), real_servers=rs("lb1", "lb2"))
    model.groups["lvs_real_servers"] = ["lb1", "lb2"]
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["lvs_services"][1]
        model.hostvars[director]["lvs_sync"] = {"syncid": 1}
    return model


def test_directors_that_are_real_servers_hand_nothing_on_as_backup() -> None:
    model = directors_that_serve()
    assert model.mistakes() == []
    for director in ("lb1", "lb2"):
        assert model.plan(director, "director")["sysctls"]["net.ipv4.vs.backup_only"] == "1"
        plan = model.plan(director, "real_server")
        assert plan["addresses"] == [{"address": "192.168.246.160/32", "interface": "lo"}]
        assert plan["arp"] == [{"interface": "all", "arp_ignore": 1, "arp_announce": 2}]
        assert configuration(model, director)["global_defs"]["sync"]["instance"] == "lvs"
    model.hostvars["lb1"]["lvs_sysctls"] = {"net.ipv4.vs.backup_only": 0}
    assert model.plan("lb1", "director")["sysctls"]["net.ipv4.vs.backup_only"] == "0"


def test_pairs_in_one_network_need_different_router_ids() -> None:
    model = r5()
    for director, number in (("lb3", 13), ("lb4", 14)):
        other = copy.deepcopy(model.hostvars["lb1"])
        other["lvs_services"][0] |= {"name": "other", "address": "192.168.0.39"}
        other["lvs_vrrp"] |= {"addresses": ["10.0.0.39/24"], "router_id": 52}
        other["lvs_address"] = f"10.0.0.{number}"
        other["ansible_facts"] = facts(nic("eth1", f"192.168.0.{number}/24"), nic("eth2", f"10.0.0.{number}/24"))
        model.hostvars[director] = other
        model.groups["lvs_directors"].append(director)
    for app, number in (("app3", 53), ("app4", 54)):
        model.hostvars[app] = {
            "lvs_address": f"10.0.0.{number}",
            "ansible_facts": facts(nic("eth1", f"10.0.0.{number}/24")),
        }
        model.groups["lvs_real_servers"].append(app)
    for director in ("lb3", "lb4"):
        model.hostvars[director]["lvs_services"][0]["real_servers"] = rs("app3", "app4")
    assert model.mistakes() == []
    assert configuration(model, "lb3")["instances"][0]["priority"] == 130
    model.hostvars["lb3"]["lvs_vrrp"]["router_id"] = 51
    assert any("which shares no address with lb3" in line for line in model.mistakes())


def by_mark(model: Model) -> None:
    """Routers mark what is for the service: it has no VIP, and the gateway is all that moves."""
    for name in ("lb1", "lb2"):
        service = model.hostvars[name]["lvs_services"][0]
        model.hostvars[name]["lvs_services"][0] = {"fwmark": 10, "family": "ipv4", **service}
        model.hostvars[name]["lvs_services"][0]["health_check"] = {"type": "tcp", "port": 80}
        for key in ("address", "port"):
            del model.hostvars[name]["lvs_services"][0][key]


def test_directors_that_share_only_what_floats_are_a_pair() -> None:
    model = r5()
    by_mark(model)
    assert model.mistakes() == []
    for name, other in (("lb1", "lb2"), ("lb2", "lb1")):
        assert model.plan(name, "keepalived")["partners"] == [other]
        # The same where the role asks for the plan of its host alone.
        assert model.plan(name, "keepalived", directors=[name])["partners"] == [other]
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_vrrp"]["unicast"] = True
    assert instance(model)["unicast"] == {"source": "10.0.0.11", "peers": ["10.0.0.12"]}
    # They have to agree on what they share.
    model.hostvars["lb2"]["lvs_services"][0]["scheduler"] = "wrr"
    assert any("directors that share VIPs need the same services" in line for line in model.mistakes())
    model.hostvars["lb2"]["lvs_manager"] = "checker"
    del model.hostvars["lb1"]["lvs_vrrp"]["unicast"]
    assert model.plan("lb1", "keepalived", directors=["lb1"])["partners"] == []


def test_addresses_are_spelled_as_the_kernel_shows_them() -> None:
    """The role waits until keepalived holds them, and compares them with what ip prints. Python has ::a00:1d there."""
    model = r5()
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_vrrp"] |= {
            "addresses": ["10.0.0.29/24", {"address": "::a00:1d/128", "interface": "eth2"}],
            "address_options": {"0:0::A00:1D": {"no_track": True}},
        }
        model.hostvars[name]["lvs_vrrp"]["addresses"].append({"address": "2001:DB8:0::1/64", "interface": "eth2"})
    (only,) = configuration(model)["instances"]
    held = [each["address"] for each in (*only["addresses"], *only["excluded"])]
    assert {"::10.0.0.29/128", "2001:db8::1/64"} <= {*held}
    assert [*only["address_words"]] == ["::10.0.0.29/128"]


def test_what_floats_tells_nothing_beside_vips() -> None:
    """Two pairs may have the same gateway in networks of their own."""
    model = r5()
    model.hostvars["lb2"]["lvs_services"][0] |= {"name": "other", "address": "192.168.0.39"}
    model.hostvars["lb2"]["lvs_vrrp"]["router_id"] = 52
    assert model.mistakes() == []
    assert model.plan("lb1", "keepalived")["partners"] == []
    assert model.plan("lb1", "keepalived", directors=["lb1"])["partners"] == []


@pytest.mark.parametrize(
    "raw", [None, 7, {"addresses": 7}, {"instances": {"addresses": ["10.0.0.29"]}}, {"addresses": [7]}]
)
def test_what_another_director_has_written_need_not_make_sense(raw: Any) -> None:
    assert written_floating(raw) == frozenset()


def test_what_a_director_watches() -> None:
    """What keepalived makes of the model, for the comparison with the kernel's table."""
    model = r5()
    for name in ("lb1", "lb2"):
        model.hostvars[name] |= {"lvs_timeouts": {"tcp": 600}, "lvs_sync": {"syncid": 5}}
    watched = model.plan("lb1", "director")["watched"]
    assert [each["address"] for each in watched["services"]] == [
        each["address"] for each in model.plan("lb1", "keepalived")["keepalived"]["services"]
    ]
    assert (watched["timeouts"], watched["purge"]) == ({"tcp": 600}, ["real_servers"])
    daemon = watched["sync_daemon"]
    instance = json.dumps(model.plan("lb1", "keepalived")["keepalived"]["instances"][0])
    assert daemon["addresses"]
    assert all(each in instance for each in daemon["addresses"])
    assert "state" not in daemon
    # What stands in raw lines may say anything of a service.
    serving(model, raw="lvs_sched sh")
    first = model.plan("lb1", "director")["watched"]["services"][0]
    assert set(first) == {"address", "port", "protocol", "real_servers"}
    # keepalived takes no service without real servers.
    serving(model, real_servers=[])
    assert model.plan("lb1", "director")["watched"]["services"] == []
