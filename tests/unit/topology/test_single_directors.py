# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of one director of a pair, UDP that is one-way, groups of instances, and where unicast comes from."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import pools_and_holders
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r5


def with_another(**own: Any) -> Model:
    """The pair with a second service on the VIP of the first."""
    model = r5()
    first = model.hostvars["lb1"]["lvs_services"]
    second = {**copy.deepcopy(first[0]), "name": "admin", "port": 8443, "real_servers": [{"host": "app1", "port": 80}]}
    services = [*first, {**second, **own}]
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"] = services
    return model


def ports(model: Model, director: str) -> list[int]:
    return [each["port"] for each in model.plan(director, "keepalived")["keepalived"]["services"]]


def test_a_service_of_one_director() -> None:
    model = with_another(directors=["lb1"])
    assert model.mistakes() == []
    assert (ports(model, "lb1"), ports(model, "lb2")) == ([80, 8443], [80])
    assert len(model.plan("lb2", "director")["watched"]["services"]) == 1
    # Written in two lists it is the same.
    model.hostvars["lb2"]["lvs_services"] = copy.deepcopy(model.hostvars["lb1"]["lvs_services"])
    assert model.mistakes() == []
    del model.hostvars["lb2"]["lvs_services"][1]
    assert model.mistakes() == []


def test_that_tables_differ_by_it_is_no_finding() -> None:
    def found(model: Model) -> list[str]:
        every = with_another().plan("lb1", "director")["watched"]["services"]
        tables = {"lb1": every, "lb2": every[:1]}
        infos = {name: {"services": table, "timeouts": {}, "daemons": []} for name, table in tables.items()}
        site = site_of(model.hostvars, model.groups, [])
        return [each.what for each in pools_and_holders.of_tables(site, infos, {}, ()) if "and not on" in each.what]

    assert found(with_another(directors=["lb1"])) == []
    assert len(found(with_another())) == 1


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"directors": []}, "lvs_services[1].directors: is empty"),
        ({"directors": ["lb3"]}, "directors[0]: 'lb3' is not in the inventory; did you mean lb"),
        ({"directors": ["app1"]}, "directors[0]: app1 is no director"),
        ({"directors": ["lb1", "lb1"]}, "directors[1]: lb1 is listed twice"),
        ({"directors": "lb1"}, "directors: must be a list"),
        ({"directors": ["lb1"], "address": "192.168.0.30"}, "directors: leaves 192.168.0.30 to these: lb2, which"),
    ],
)
def test_mistakes(own: dict[str, Any], said: str) -> None:
    lines = with_another(**own).mistakes()
    assert [line for line in lines if said in line], lines


def test_an_import_finds_the_service_of_one_director() -> None:
    model = with_another(directors=["lb2"])
    texts = {f"{name}/keepalived.conf": real_tools.rendered(model.plan(name, "keepalived")) for name in ("lb1", "lb2")}
    found = imported(Given(texts), list(texts), ["lb1", "lb2"])
    assert not [each for each in found.remarks if each.kind == LOST]
    assert [each.get("directors") for each in found.hostvars["lb1"]["lvs_services"]] == [None, ["lb2"]]


def test_udp_that_is_one_way() -> None:
    syslog = {"name": "syslog", "port": 514, "protocol": "udp", "one_packet": True, "health_check": {"type": "ping"}}
    assert [line for line in with_another(**syslog).mistakes() if "or say one_way: true where" in line]
    model = with_another(**syslog, one_way=True)
    assert model.mistakes() == []
    text = real_tools.rendered(model.plan("lb1", "keepalived"))
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    assert found.hostvars["lb1"]["lvs_services"][1]["one_way"] is True
    model = with_another(one_way=True)
    assert [line for line in model.mistakes() if "one_way: has no meaning without one_packet" in line]


def instances(**vrrp: Any) -> Model:
    """A pair with an instance for each family, and one more."""
    model = dr_pair()
    names = [{"name": "four", "router_id": 4}, {"name": "six", "router_id": 6}, {"name": "more", "router_id": 7}]
    for director in model.groups["lvs_directors"]:
        of_vips = [{"vips": ["192.168.246.160"]}, {"vips": ["fd00::160"]}, {"addresses": ["192.168.246.170/24"]}]
        listed = [{**name, **own} for name, own in zip(names, of_vips)]
        model.hostvars[director]["lvs_vrrp"] = {"instances": listed, **copy.deepcopy(vrrp)}
    return model


def test_several_groups_of_instances() -> None:
    model = instances(sync_groups={"web": ["four", "six"]})
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    text = real_tools.rendered(plan)
    assert "vrrp_sync_group web {\n    group {\n        four\n        six\n    }\n}\n" in text
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    assert not [each for each in found.remarks if each.kind == LOST]
    assert found.hostvars["lb1"]["lvs_vrrp"]["sync_groups"] == {"web": ["four", "six"]}


@pytest.mark.parametrize(
    ("vrrp", "said"),
    [
        ({"sync_groups": {"a": ["fuor", "six"]}}, "sync_groups[a]: 'fuor' is no instance; did you mean four"),
        ({"sync_groups": {"a": ["four", "six"], "b": ["four", "more"]}}, "sync_groups[b]: four is in a too"),
        ({"sync_groups": {"a b": ["four", "six"]}}, "sync_groups['a b']: 'a b' is no name"),
        ({"sync_groups": {"a": ["four"]}}, "sync_groups[a]: must be a list of at least 2 instances"),
        ({"sync_groups": {"a": ["four", "six"]}, "sync_group": True}, "sync_group: stands beside sync_groups"),
        ({"unicast_source": "192.168.246.166"}, "unicast_source: has no meaning without unicast"),
        ({"unicast_source": "x", "unicast": True}, "unicast_source: 'x' is no IP address"),
    ],
)
def test_mistakes_of_instances(vrrp: dict[str, Any], said: str) -> None:
    lines = [line.replace(" (lb1, lb2)", "") for line in instances(**vrrp).mistakes()]
    assert [line for line in lines if said in line], lines


def test_where_unicast_comes_from() -> None:
    model = r5()
    for director, last in (("lb1", 11), ("lb2", 12)):
        vrrp = model.hostvars[director].setdefault("lvs_vrrp", {})
        vrrp |= {"unicast": True, "unicast_source": f"192.168.0.{last}"}
    assert model.mistakes() == []
    (instance,) = model.plan("lb1", "keepalived")["keepalived"]["instances"]
    assert instance["unicast"] == {"source": "192.168.0.11", "peers": ["192.168.0.12"]}
