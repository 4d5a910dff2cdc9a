# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lists a real server, how a director checks it, and which services would be left without any."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import draining
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.listings import left_empty
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    Model,
    dr_pair,
    r1,
    r5,
    r6,
    r7,
    rs,
    two_directors,
)

NAME = "name a real server or a group of the inventory"


def listed(model: Model, hosts: Any) -> list[dict[str, Any]]:
    return draining.listings_of(model.hostvars, model.groups, hosts)


def refused(model: Model, hosts: Any) -> list[str]:
    with pytest.raises(WrongModel) as wrong:
        listed(model, hosts)
    return wrong.value.lines


def test_every_director_s_entry_of_a_host() -> None:
    model = two_directors()
    model.hostvars["lb2"]["lvs_services"][0]["real_servers"] = rs("web1", weight=4, upper_threshold=9)
    one = {
        "host": "web1",
        "director": "lb1",
        "manager": "kernel",
        "inhibit_on_failure": False,
        "name": "web",
        "service": {"address": "192.168.246.160", "port": 80, "protocol": "tcp"},
        "real_server": {
            "address": "192.168.246.161",
            "port": 80,
            "forward": "dr",
            "weight": 1,
            "upper_threshold": 0,
            "lower_threshold": 0,
        },
        "check": {"type": "tcp", "address": "192.168.246.161", "port": 80},
    }
    other = one | {
        "director": "lb2",
        "service": one["service"] | {"address": "192.168.246.170"},
        "real_server": one["real_server"] | {"weight": 4, "upper_threshold": 9},
    }
    assert listed(model, "web1") == [one, other]
    model.hostvars["lb2"]["lvs_state"] = "absent"
    assert listed(model, "web1") == [one]


def test_whose_table_it_is() -> None:
    model = r5()
    model.hostvars["lb2"]["lvs_services"][0]["inhibit_on_failure"] = True
    found = [(each["director"], each["manager"], each["inhibit_on_failure"]) for each in listed(model, "app1")]
    assert found == [("lb1", "keepalived", False), ("lb2", "keepalived", True)]


def test_a_sorry_server_is_no_real_server() -> None:
    model = r5()
    every = listed(model, ["app1", "app2"])
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["sorry_server"] = {"host": "app1"}
    assert listed(model, ["app1", "app2"]) == every
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["lvs_services"][0]["real_servers"][0]
    assert listed(model, "app2") == [each for each in every if each["host"] == "app2"]
    (line,) = refused(model, "app1")
    assert line.startswith("app1: is a real server of no service")


def test_firewall_marks_tunnels_and_what_the_kernel_calls_fullnat() -> None:
    model = r6()
    model.service["real_servers"][0]["tunnel"] = {"type": "gue", "port": 6080}
    model.service.pop("address")
    model.service.pop("port")
    model.service.update(fwmark=7, family="ipv4")
    (found,) = listed(model, "web1")
    assert found["service"] == {"fwmark": 7, "family": "ipv4"}
    assert found["real_server"]["tunnel"] == {"type": "gue", "port": 6080, "checksum": "none"}
    assert found["real_server"]["port"] == 0
    assert found["check"] is None
    (found,) = listed(r7(), "web1")
    assert (found["real_server"]["forward"], found["real_server"]["port"]) == ("nat", 8080)


@pytest.mark.parametrize(
    ("names", "hosts"),
    [
        ("web2", ["web2"]),
        (["web2", "web1"], ["web2", "web1"]),
        ("lvs_real_servers", ["web1", "web2"]),
        (["web2", "lvs_real_servers"], ["web2", "web1"]),
        ("web2, web1,", ["web2", "web1"]),
    ],
)
def test_hosts_are_named_by_themselves_and_by_groups(names: Any, hosts: list[str]) -> None:
    assert [each["host"] for each in listed(r1(), names)] == hosts


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        ("webb1", [f"hosts: 'webb1' is neither a host nor a group; did you mean web1? Otherwise {NAME}"]),
        ("", ["hosts: '' names no host; give the name of a real server or of a group, or a list of names"]),
        (None, ["hosts: null names no host; give the name of a real server or of a group, or a list of names"]),
        ([], ["hosts: a list names no host; give the name of a real server or of a group, or a list of names"]),
        (
            ["web1", 3],
            ["hosts: a list names no host; give the name of a real server or of a group, or a list of names"],
        ),
        (
            ["lb1", "web1"],
            [
                "lb1: is a real server of no service of a director that is present; "
                "leave it out, or list it in lvs_services"
            ],
        ),
    ],
)
def test_what_cannot_be_drained_is_refused(names: Any, lines: list[str]) -> None:
    assert refused(r1(), names) == lines


def test_a_wrong_model_is_refused() -> None:
    model = r1()
    model.service["portt"] = 80
    assert refused(model, "web1") == model.mistakes()
    assert refused(model, "web1")[0].startswith("lvs_services[0].portt: is not a known key; did you mean port?")


TCP = {"type": "tcp", "address": "192.168.246.161", "port": 80}
MARKED = {"fwmark": 5, "family": "ipv4", "address": None, "port": None}
CHECKS: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({}, TCP),
    ({"health_check": {"type": "tcp", "port": 8080}}, TCP | {"port": 8080}),
    ({"health_check": {"type": "ping"}}, TCP),
    (
        {"health_check": {"type": "http", "path": "/up", "status": 204}},
        {"type": "http", "url": "http://192.168.246.161:80/up", "headers": {}, "status": [204]},
    ),
    (
        {"health_check": {"type": "https", "port": "8443", "status": ["200-202", 301], "virtual_host": "example.org"}},
        {
            "type": "http",
            "url": "https://192.168.246.161:8443/",
            "headers": {"Host": "example.org"},
            "status": [200, 201, 202, 301],
        },
    ),
    ({"protocol": "udp"}, None),
    ({"protocol": "udp", "health_check": {"type": "udp", "port": 80}}, None),
    ({"port": 0, "persistence": {"timeout": 60}}, None),
    ({"port": 0, "persistence": {"timeout": 60}, "health_check": {"type": "tcp", "port": 22}}, TCP | {"port": 22}),
    (MARKED | {"marked": [{"address": "192.168.246.160", "ports": [80]}]}, TCP),
    (MARKED | {"marked": [{"address": "192.168.246.160", "ports": [80, 443]}]}, None),
    (MARKED | {"marked": [{"address": "192.168.246.160", "ports": ["80-81"]}]}, None),
    (MARKED | {"marked": [{"address": "192.168.246.160", "ports": [80], "protocol": "udp"}]}, None),
    (
        MARKED | {"health_check": {"type": "http", "port": 80}},
        {"type": "http", "url": "http://192.168.246.161:80/", "headers": {}, "status": [200]},
    ),
]


def test_a_director_checks_through_the_vip_where_its_health_checks_go_there() -> None:
    model = dr_pair()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["health_check"] = {"type": "http", "through": "vip"}
    first = [each for each in listed(model, "web1") if each["name"] == "web"]
    assert [each["check"]["type"] for each in first] == ["through_vip"] * 2
    assert [each["check"]["endpoints"][0]["source"] for each in first] == ["192.168.246.166", "192.168.246.167"]
    # A name server may answer nothing by TCP.
    model.hostvars["lb1"]["lvs_services"][0]["health_check"]["type"] = "dns"
    assert listed(model, "web1")[0]["check"] is None
    model.hostvars["lb1"]["lvs_services"][0]["health_check"]["type"] = "http"
    known = model.hostvars["lb1"].pop("ansible_facts")
    assert listed(model, "web1")[0]["check"] == {"type": "unknown", "endpoints": []}
    model.hostvars["lb1"]["ansible_facts"] = known
    # Without keepalived there is no service for checks.
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_manager"] = "kernel"
    assert listed(model, "web1")[0]["check"]["type"] == "http"


@pytest.mark.parametrize(("service", "check"), CHECKS)
def test_how_a_director_checks(service: dict[str, Any], check: dict[str, Any] | None) -> None:
    model = r1()
    model.service.update(service)
    assert listed(model, "web1")[0]["check"] == check


def test_an_ipv6_url_has_brackets() -> None:
    model = r7()
    model.services[1]["real_servers"] = [{"host": "web1", "port": 8080}]
    model.services[1]["health_check"] = {"type": "http"}
    model.hostvars["web1"]["lvs_address"] = ["10.2.0.51", "fd02::51"]
    assert listed(model, "web1")[1]["check"]["url"] == "http://[fd02::51]:8080/"


def table(**weights: int) -> dict[str, Any]:
    """What ipvs_info says of a director with one service, by the last part of each real server's address."""
    addresses = {"web1": "192.168.246.161", "web2": "192.168.246.162", "other": "192.168.246.199"}
    servers = [{"address": addresses[name], "port": 80, "weight": weight} for name, weight in weights.items()]
    service = {"address": "192.168.246.160", "port": 80, "protocol": "tcp", "family": "ipv4", "real_servers": servers}
    return {"lb1": [service]}


LONELY = ["lb1: tcp 192.168.246.160:80 has no usable real server besides web1"]
TABLES: list[tuple[dict[str, Any], list[list[str]], list[str]]] = [
    (table(web1=1, web2=1), [["web1"]], []),
    (table(web1=1, web2=1), [["web1"], ["web2"]], []),
    (
        table(web1=1, web2=1),
        [["web1", "web2"]],
        ["lb1: tcp 192.168.246.160:80 has no usable real server besides web1, web2"],
    ),
    (table(web1=1, web2=0), [["web1"]], LONELY),
    # It serves nobody already.
    (table(web1=0, web2=1), [["web1"]], []),
    (table(web1=0, web2=0), [["web1"]], []),
    (table(web1=1), [["web1"]], LONELY),
    (table(web1=1, other=5), [["web1"]], []),
    (table(web2=1), [["web1"]], []),
    (table(), [["web1"]], []),
    ({"lb1": []}, [["web1"]], []),
]


@pytest.mark.parametrize(("tables", "batches", "lines"), TABLES)
def test_what_is_left_empty(tables: dict[str, Any], batches: list[list[str]], lines: list[str]) -> None:
    assert left_empty(listed(r1(), ["web1", "web2"]), tables, batches) == lines


def test_addresses_are_the_same_however_they_are_spelled() -> None:
    listing = {"director": "lb1", "host": "web1", "service": {"fwmark": 5, "family": "ipv6"}}
    listing["real_server"] = {"address": "::a00:1", "port": 0}
    server = {"address": "::10.0.0.1", "port": 0, "weight": 1}
    tables = {"lb1": [{"fwmark": 5, "family": "ipv6", "real_servers": [server]}]}
    (line,) = left_empty([listing], tables, [["web1"]])
    assert line == "lb1: firewall mark 5 (ipv6) has no usable real server besides web1"


@pytest.mark.parametrize(
    ("steps", "first", "shares"),
    [
        (0, 10, [100]),
        (1, 10, [10, 100]),
        (2, 1, [1, 50, 100]),
        (5, 10, [10, 28, 46, 64, 82, 100]),
        (4, 99, [99, 99, 99, 99, 100]),
    ],
)
def test_the_share_of_a_weight_at_first_and_after_each_step(steps: int, first: int, shares: list[int]) -> None:
    assert draining.weights_back_of([], steps, first) == {"listings": [], "shares": shares}


@pytest.mark.parametrize(
    ("manager", "former", "steps", "weight"),
    [
        ("kernel", 4, 0, 4),
        ("kernel", 1, 0, 1),
        # What an interrupted run had given back so far, and more than the model has.
        ("kernel", 1, 3, 2),
        ("kernel", 4, 3, 4),
        # Somebody's decision, with or without steps.
        ("kernel", 0, 0, None),
        ("kernel", 0, 3, None),
        ("kernel", None, 0, None),
        ("kernel", None, 3, None),
        # The word of a health check.
        ("keepalived", 0, 0, 2),
        ("keepalived", None, 0, 2),
        ("keepalived", None, 3, 2),
        ("keepalived", 1, 0, 1),
        ("keepalived", 1, 3, 2),
        ("keepalived", 4, 3, 4),
    ],
)
def test_the_weight_that_comes_back(manager: str, former: int | None, steps: int, weight: int | None) -> None:
    (listing,) = listed(r1(), "web1")
    listing |= {"manager": manager, "real_server": listing["real_server"] | {"weight": 2}}
    result = {"director_listing": listing, "former_weight": former, "changed": True}
    found = draining.weights_back_of([result], steps, 10)["listings"]
    back = [listing | {"real_server": listing["real_server"] | {"weight": weight}}]
    assert found == ([] if weight is None else back)
    # What was not drained has the weight of the model, whoever fills the table.
    assert draining.weights_back_of([listing], steps, 10)["listings"] == [listing]


@pytest.mark.parametrize(
    ("listings", "steps", "first", "said"),
    [
        ([], 100, 10, "steps: 100 is no number of this kind"),
        ([], "x", 10, "steps: 'x' is no number of this kind"),
        ([], 1, 0, "first: 0 is no number of this kind"),
        ("web1", 0, 10, "must be a list"),
        (
            [{"director_listing": {"real_server": {"weight": 1}}, "former_weight": "\x1b[2J"}],
            *(0, 10),
            "is no whole number",
        ),
        ([{"director_listing": {"real_server": {"weight": -1}}}], 0, 10, "-1 is out of range"),
        ([{"real_server": []}], 0, 10, "must be a mapping"),
    ],
)
def test_what_is_no_weight_is_refused(listings: Any, steps: Any, first: Any, said: str) -> None:
    with pytest.raises(WrongModel, match=said):
        draining.weights_back_of(listings, steps, first)


def test_a_host_that_is_not_part_of_the_run_is_refused() -> None:
    model = r1()
    every = draining.listings_of(model.hostvars, model.groups, ["web1", "web2"], ["web1", "web2"])
    assert every == listed(model, ["web1", "web2"])
    with pytest.raises(WrongModel) as wrong:
        draining.listings_of(model.hostvars, model.groups, ["web1", "web2"], ["lb1", "web1"])
    assert wrong.value.lines == ["web2: is left out by --limit; add it there, or leave --limit out"]


def asked(**directors: Any) -> list[dict[str, Any]]:
    """What ipvs_info returned on each director: True, its table; False, nothing; a text, why it failed."""
    returned = {True: {"services": [], "msg": ""}, False: {"unreachable": True, "msg": "timed out"}}
    return [
        {"director_name": name, **returned.get(how, {"failed": True, "msg": how})} for name, how in directors.items()
    ]


@pytest.mark.parametrize(
    ("results", "unknown", "silent", "problems"),
    [
        (asked(lb1=True, lb2=True), (), [], []),
        (asked(lb1=True, lb2=False), (), ["lb2"], []),
        (asked(lb1=True, lb2=False), ("lb2",), ["lb2"], []),
        (asked(lb1="no pyroute2", lb2=False), ("lb1",), ["lb2"], ["The table of lb1 cannot be read: no pyroute2"]),
        (asked(lb1="x", lb2="x"), (), [], ["The table of lb1, lb2 cannot be read: x"]),
        (asked(lb1=None, lb2=True), (), [], ["The table of lb1 cannot be read: no reason is given"]),
        (
            asked(lb1=False, lb2=False),
            (),
            ["lb1", "lb2"],
            ["No director that lists web1, web2 can be reached: lb1, lb2. Bring one of them back first."],
        ),
        # web2 is listed by lb1 alone.
        (
            asked(lb1=False, lb2=True),
            ("lb2",),
            ["lb1"],
            [
                "No director that lists web2 can be reached: lb1. Bring one of them back first.",
                "Health checks go through the VIP, and the addresses of lb2 from which they would come are not known. "
                "See whether lvs.topology.host_facts works there.",
            ],
        ),
    ],
)
def test_who_did_not_answer(results: Any, unknown: tuple[str, ...], silent: list[str], problems: list[str]) -> None:
    model = two_directors()
    model.hostvars["lb2"]["lvs_services"][0]["real_servers"] = rs("web1")
    found = listed(model, ["web1", "web2"])
    found += [each | {"check": None} for each in found]
    found = [each | {"check": {"type": "unknown"}} if each["director"] in unknown else each for each in found]
    assert draining.silent_of(results, found) == {"silent": silent, "problems": problems}


def test_what_directors_say_is_harmless() -> None:
    (line,) = draining.silent_of(asked(lb1="\x1b[2Jwell"), [])["problems"]
    assert line.isprintable()


@pytest.mark.parametrize(
    ("result", "before", "afterwards"),
    [
        ({"former_weight": 3}, "3", "weight 0"),
        ({"former_weight": 0}, "0", "weight 0"),
        ({"former_weight": None}, "no entry", "no entry"),
        ({"failed": True, "msg": "no pyroute2"}, "a weight that is not known", "a weight that is not known"),
        ({"unreachable": True}, "a weight that is not known", "a weight that is not known"),
    ],
)
def test_what_it_had_is_said(result: dict[str, Any], before: str, afterwards: str) -> None:
    results = [{"director_listing": each, **result} for each in listed(two_directors(), "web1")]
    places = ("in web on lb1", "in web on lb2")
    assert draining.weights_said_of(results) == ", ".join(f"{before} {place}" for place in places)
    assert draining.weights_said_of(results, afterwards=True) == ", ".join(f"{afterwards} {place}" for place in places)
    assert draining.weights_said_of([]) == ""
