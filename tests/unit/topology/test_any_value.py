# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value of any type, anywhere: the filters accept it or say what is wrong with it, and never end in a traceback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.filter.announcers import announcers
from ansible_collections.lvs.topology.plugins.filter.as_model import as_model
from ansible_collections.lvs.topology.plugins.filter.findings import findings
from ansible_collections.lvs.topology.plugins.filter.host_plan import host_plan
from ansible_collections.lvs.topology.plugins.filter.left_empty import left_empty
from ansible_collections.lvs.topology.plugins.filter.listings import listings
from ansible_collections.lvs.topology.plugins.filter.mistakes import mistakes
from ansible_collections.lvs.topology.plugins.filter.questions import questions
from ansible_collections.lvs.topology.plugins.filter.silent_directors import silent_directors
from ansible_collections.lvs.topology.plugins.filter.status import status
from ansible_collections.lvs.topology.plugins.filter.unaddressed import unaddressed
from ansible_collections.lvs.topology.plugins.filter.unannounced import unannounced
from ansible_collections.lvs.topology.plugins.filter.weights_back import weights_back
from ansible_collections.lvs.topology.plugins.filter.weights_said import weights_said
from ansible_collections.lvs.topology.plugins.filter.words import words
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    QUIET,
    REFERENCES,
    Model,
    dr_pair,
    facts,
    nic,
    r1,
    r5,
    r6,
)


def endless() -> list[Any]:
    inside: list[Any] = []
    inside.append(inside)
    return inside


def deep() -> Any:
    value: Any = "x"
    for _level in range(5000):
        value = [value]
    return value


ODD: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "minus": -1,
    "huge": 10**5000,
    "float": 1.5,
    "nan": float("nan"),
    "infinite": float("inf"),
    "bytes": b"\xff",
    "empty": "",
    "blank": " ",
    "nul": "a\0b",
    "line": "a\nb",
    "surrogate": "\ud800",
    "digits": "9" * 5000,
    "long": "a" * 2000,
    "template": "{{ lookup('pipe', 'id') }}",
    "list": [],
    "words": ["x"],
    "lists": [["x"], {"y": ["z"]}],
    "mapping": {},
    "keys": {1: 2, None: 3, False: 4, ("a", "b"): 5, "\ud800": 6, "a\nb": 7, "a\0b": 9, 10**5000: 8},
    "set": {1, 2},
    "tuple": ("x",),
    "object": object(),
    "endless": endless(),
    "deep": deep(),
}
MODELS = {**REFERENCES, "pair": dr_pair}
VARIABLES = [
    *["lvs_address", "lvs_arp_method", "lvs_gateway", "lvs_keep_weights", "lvs_keepalived", "lvs_manager"],
    *[
        "lvs_bgp",
        "lvs_conntrackd",
        "lvs_firewall",
        "lvs_metrics",
        "lvs_metrics_directory",
        "lvs_metrics_interval",
        "lvs_packet_filter",
        "lvs_purge",
        "lvs_services",
        "lvs_state",
        "lvs_sync",
        "lvs_sysctls",
        "lvs_take_over",
        "lvs_timeouts",
    ],
    *["lvs_vip_interface", "lvs_vrrp", "lvs_directors_group", "ansible_host", "ansible_facts"],
]
# Every key of the model, in a service that has as many of them as go together.
EVERYTHING: dict[str, Any] = {
    "persistence": {"timeout": 300, "netmask": "255.255.255.0", "engine": "none"},
    "scheduler_flags": ["sh-port"],
    "sorry_server": {"address": "127.0.0.1", "port": 80, "host": None, "tunnel": None},
    "health_check": {"type": "http", "urls": [{"path": "/", "status": [200], "digest": None, "virtual_host": "x"}]},
    "quorum_up": "/bin/up",
    "raw": "delay_loop 3",
    "marked": [{"address": "192.168.246.161", "ports": [80, "90-91"], "protocol": "tcp"}],
    "snat_addresses": ["10.0.0.11"],
    "fwmark": None,
    "family": None,
    "helper": None,
    "one_packet": False,
}
VRRP: dict[str, Any] = {
    "interface": "eth1",
    "unicast": ["192.168.0.12"],
    "addresses": ["10.0.0.29/24", {"address": "10.0.0.30/24", "interface": "eth2"}],
    "garp": {"master_refresh": 60},
    "track_interfaces": ["eth1"],
    "track_scripts": [{"name": "a", "script": "/bin/true", "weight": -2}],
    "track_processes": [{"name": "b", "process": "x"}],
    "notify": {"master": "/bin/true"},
    "instances": [{"name": "one", "vips": ["192.168.0.29"]}],
    "raw": "debug 1",
    "auth_pass": "secret",
    "in_adverts": ["192.168.0.29"],
}
# An instance of what goes beside other keys only, and then is read to its end.
SIGNED: dict[str, Any] = {
    "router_id": 51,
    "addresses": ["10.0.0.29/24"],
    "auth_hmac": {"key": "k" * 32, "id": 1, "mode": "permissive"},
}
GUARDED: dict[str, Any] = {
    "name": "guarded",
    "address": "192.168.0.31",
    "port": 80,
    "forward": "nat",
    "scheduler": "wrr",
    "min_up": "50%",
    "health_check": {"type": "tcp", "through": "rip", "source": "10.0.0.11"},
    "real_servers": [{"host": "app1", "weight": 20}, {"host": "app2", "canary": "5%"}],
}
BGP: dict[str, Any] = {
    "asn": 65001,
    "router_id": "10.0.0.11",
    "table": 1819,
    "hold_time": 9,
    "password": "secret",
    "raw": "debug protocols off;",
    "neighbours": [
        {
            "address": "10.0.0.1",
            "asn": 65000,
            "password": "s",
            "bfd": {"interval": 300, "multiplier": 3},
            "multihop": 2,
        },
    ],
}


def rich() -> Model:
    """A pair whose services have every key, right or not: reading has to go through all of it."""
    model = r5()
    for name in model.groups["lvs_directors"]:
        variables = model.hostvars[name]
        service = variables["lvs_services"][0]
        service.update(copy.deepcopy(EVERYTHING))
        service["real_servers"] = [{"host": "app1", "port": 80, "tunnel": {"type": "gue", "port": 1, "checksum": "on"}}]
        variables["lvs_vrrp"] = copy.deepcopy(VRRP)
        variables["lvs_sync"] = {"role": "both", "interface": "eth1", "group": "224.0.0.81", "maxlen": 0}
        variables["lvs_timeouts"] = {"tcp": 900}
        variables["lvs_sysctls"] = {"net.ipv4.vs.conntrack": 1}
        variables["lvs_keepalived"] = {"router_id": "x", "script_user": "y", "global_raw": "z", "raw": "w"}
    return model


def signed() -> Model:
    """A pair with what the other one has no place for."""
    model = r5()
    for name in model.groups["lvs_directors"]:
        variables = model.hostvars[name]
        variables["lvs_services"].append(copy.deepcopy(GUARDED))
        variables["lvs_vrrp"] = copy.deepcopy(SIGNED)
        variables["lvs_conntrackd"] = True
    return model


def announced() -> Model:
    """Directors that speak BGP."""
    model = r5()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name].update(lvs_manager="checker", lvs_bgp=copy.deepcopy(BGP))
        del model.hostvars[name]["lvs_vrrp"]
        model.hostvars[name]["lvs_services"][0]["forward"] = "dr"
    return model


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within a value with every key or position in it."""
    if isinstance(value, dict):
        for key in value:
            yield value, key
            yield from places(value[key])
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield value, position
            yield from places(each)


def quiet(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """The answer of a filter; None where it refused, in lines that can be printed."""
    answer = None
    refused = ""
    try:
        answer = call(*arguments, **more)
    except AnsibleFilterError as error:
        refused = str(error)
    assert all(line.isprintable() for line in refused.splitlines()), refused[:500]
    return answer


def ask(model: Model) -> None:
    """Every filter that takes an inventory."""
    lines = quiet(mistakes, model.hostvars, model.groups)
    assert lines is None or all(line.isprintable() for line in lines), lines
    director, other = next(iter(model.hostvars)), list(model.hostvars)[-1]
    for name, role in ((director, "director"), (director, "keepalived"), (other, "real_server"), (other, "router")):
        quiet(host_plan, model.hostvars, model.groups, name, role)
    for report in (listings, status):
        quiet(report, model.hostvars, model.groups, "app1" if report is listings else {})
    quiet(findings, model.hostvars, model.groups, {}, {})
    quiet(questions, model.hostvars, model.groups)
    quiet(announcers, model.hostvars, model.groups)
    quiet(unannounced, model.hostvars, model.groups, [], "lb1", allow_empty=False)
    quiet(unaddressed, model.hostvars, model.groups)


@pytest.mark.slow
@pytest.mark.parametrize("make", [rich, signed, announced])
@pytest.mark.parametrize("odd", ODD)
def test_any_value_as_any_part_of_a_model(odd: str, make: Callable[[], Model]) -> None:
    model = make()
    model.groups["lvs_directors"] = ["lb1"]
    lb1 = model.hostvars["lb1"]
    parts = list(places({key: lb1[key] for key in lb1 if key != "ansible_facts"}))
    for container, key in parts:
        kept = container[key]
        container[key] = ODD[odd]
        lines = quiet(mistakes, model.hostvars, model.groups)
        assert lines is None or all(line.isprintable() for line in lines), (key, lines)
        container[key] = kept


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("variable", VARIABLES)
def test_any_value_of_a_variable(variable: str, odd: str) -> None:
    for make in (r1, r5):
        model = make()
        for name in model.hostvars:
            model.hostvars[name][variable] = ODD[odd]
        ask(model)


@pytest.mark.parametrize("odd", ODD)
def test_any_value_as_a_fact(odd: str) -> None:
    model = r6()
    model.groups["lvs_real_servers"] = ["web1"]
    for container, key in list(places(model.hostvars["web1"]["ansible_facts"])):
        kept = container[key]
        container[key] = ODD[odd]
        lines = quiet(mistakes, model.hostvars, model.groups)
        assert lines is None or all(line.isprintable() for line in lines), (key, lines)
        container[key] = kept


@pytest.mark.parametrize("odd", ODD)
def test_any_value_as_an_argument(odd: str) -> None:
    model, value = r1(), ODD[odd]
    hostvars, groups = model.hostvars, model.groups
    for call in (mistakes, lambda *two: host_plan(*two, "lb1", "director")):
        quiet(call, value, groups)
        quiet(call, hostvars, value)
        quiet(call, {**hostvars, "lb1": value}, groups)
        quiet(call, hostvars, {**groups, "lvs_directors": value, "lvs_real_servers": value})
    quiet(mistakes, hostvars, groups, value)
    quiet(host_plan, hostvars, groups, value, "director")
    quiet(host_plan, hostvars, groups, "lb1", value)
    for name in ("services", "directors", "variables"):
        quiet(host_plan, hostvars, groups, "lb1", "director", **{name: value})
    quiet(host_plan, hostvars, groups, "lb1", "director", services=[value])
    quiet(host_plan, hostvars, groups, "lb1", "director", directors=[value])
    quiet(listings, hostvars, groups, value)
    quiet(listings, hostvars, groups, [value])
    for given in (value, [value], [{"lvs_announcer": value, "bgp": value}]):
        quiet(unannounced, hostvars, groups, given, "lb1")
        quiet(unannounced, hostvars, groups, [], given)
        quiet(unannounced, hostvars, groups, [], "lb1", given)
        quiet(unaddressed, hostvars, groups, given)
        quiet(unaddressed, hostvars, groups, "lb1", given)
    quiet(left_empty, value, {}, [])
    quiet(left_empty, [], value, [])
    quiet(left_empty, [], {}, value)
    quiet(left_empty, [], {}, [value])
    quiet(listings, hostvars, groups, "web1", value)
    for given in (value, [value], [{"director_listing": value, "former_weight": value}]):
        quiet(weights_back, given, 0, 10)
        quiet(weights_said, given)
    quiet(weights_back, [], value, 10)
    quiet(weights_back, [], 1, value)
    quiet(silent_directors, value, [])
    quiet(silent_directors, [value], [])
    quiet(silent_directors, [{"director_name": value, "msg": value}], [])
    quiet(silent_directors, [], value)
    quiet(words, value)
    quiet(words, [value])


def info() -> dict[str, Any]:
    """What ipvs_info returns."""
    real_server = {
        "address": "192.168.246.161",
        "port": 80,
        "forward": "tun",
        "weight": 1,
        "upper_threshold": 0,
        "lower_threshold": 0,
        "tunnel": {"type": "ipip", "port": 0, "checksum": "none"},
        "connections": {"active": 1, "inactive": 0, "persistent": 0},
    }
    service = {
        "address": "192.168.246.160",
        "port": 80,
        "protocol": "tcp",
        "family": "ipv4",
        "scheduler": "sh",
        "scheduler_flags": ["sh-port"],
        "one_packet": False,
        "persistence": {"timeout": 300, "netmask": "255.255.255.255", "engine": "none"},
        "real_servers": [real_server],
    }
    mark = {**copy.deepcopy(service), "fwmark": 1}
    for key in ("address", "port", "protocol"):
        del mark[key]
    # Nothing but NAT has another port than the service.
    mark["real_servers"][0]["port"] = 0
    daemon = {"state": "master", "interface": "eth1", "syncid": 1, "group": "224.0.0.81", "port": 8848}
    rule = {"rule": "-A x", "is_plain": True, "is_ours": True, "family": 4, "destination": "192.168.246.160"}
    marks = {**rule, "protocol": "tcp", "ports": ["81"], "mark": 1, "vip": "", "vport": 0, "asked_mark": 0, "to": []}
    host = {
        "sysctls": {"net.ipv4.vs.conntrack": "1"},
        "helpers": [],
        "programs": [],
        "marking_rules": [marks],
        "translating_rules": [{**rule, "vip": "192.168.246.160", "vport": 80, "to": ["192.168.246.166"]}],
        "unseen": [],
    }
    return {"services": [service, mark], "timeouts": {"tcp": 900}, "daemons": [daemon], "host": host}


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_any_value_in_what_a_director_answers(odd: str) -> None:
    model = r1()
    answer = info()
    listed = quiet(listings, model.hostvars, model.groups, "web1")
    for container, key in [({"x": answer}, "x"), *places(answer)]:
        kept = container[key]
        container[key] = ODD[odd]
        lines = quiet(status, model.hostvars, model.groups, {"lb1": answer})
        assert lines is None or all(line.isprintable() for line in lines), (key, lines)
        lines = quiet(findings, model.hostvars, model.groups, {"lb1": {**QUIET, "table": answer}}, {})["lines"]
        assert all(line.isprintable() for line in lines), (key, lines)
        quiet(as_model, model.hostvars, model.groups, answer)
        if isinstance(answer, dict):
            quiet(left_empty, listed, {"lb1": answer.get("services")}, [["web1"]])
        container[key] = kept
    for call in (status, as_model):
        quiet(call, model.hostvars, model.groups, ODD[odd])
    for container, key in places(listed):
        kept = container[key]
        container[key] = ODD[odd]
        quiet(left_empty, listed, {"lb1": answer["services"]}, [["web1"]])
        quiet(weights_back, listed, 0, 10)
        quiet(silent_directors, [], listed)
        container[key] = kept


@pytest.mark.parametrize("odd", ODD)
def test_any_value_in_what_hosts_say_of_themselves(odd: str) -> None:
    model = r1()
    concerns = ("arp", "services", "watched", "sysctls", "warning")
    part = {
        "problems": ["p"],
        "differences": [{"concern": concern, "changes": ["c"], "problem": "p"} for concern in concerns],
        "unmanaged": ["u"],
    }
    answer = {
        **QUIET,
        "parts": {"director": part},
        "arp": {"192.168.246.160": ["02:00:00:00:00:01"]},
        "listeners": [{"protocol": "tcp", "address": "::", "port": 80}],
        "conntrack": {"count": 1, "max": 1},
        "obstacles": [{"kind": "policy", "hook": "input", "said": "s"}],
    }
    probed = {
        "name": "w",
        "address": "a",
        "port": 80,
        "connections": 2,
        "connected": 1,
        "silent": 1,
        "failed": {"x": 1},
    }
    for container, key in [*places(answer), *places(probed)]:
        kept = container[key]
        container[key] = ODD[odd]
        lines = quiet(findings, model.hostvars, model.groups, {"lb1": answer}, {"client": [probed]})["lines"]
        assert all(line.isprintable() for line in lines), (key, lines)
        container[key] = kept


@pytest.mark.parametrize("odd", ODD)
def test_any_value_in_what_directors_and_routers_say_of_bgp(odd: str) -> None:
    model = announced()
    said = {
        "unit": {"active": True, "enabled": True, "failed": False},
        "sessions": [{"name": "lvs4_10_0_0_1", "neighbour": "10.0.0.1", "state": "Established", "error": "e"}],
        "announced": [{"address": "192.168.0.29/32", "metric": 65616}],
        "aggregates": ["192.168.0.0/24"],
        "ways": {"192.168.0.29": ["10.0.0.11"], "192.168.0.0/24": ["10.0.0.11"]},
    }
    answer = {**QUIET, "bgp": said, "conntrackd": {**dict.fromkeys(("own", "taken", "failed"), 1), "hears": True}}
    for container, key in [({"x": said}, "x"), *places(answer["bgp"]), *places(answer["conntrackd"])]:
        kept = container[key]
        container[key] = ODD[odd]
        lines = quiet(findings, model.hostvars, model.groups, {"lb1": answer}, {})["lines"]
        assert all(line.isprintable() for line in lines), (key, lines)
        results = [{"lvs_announcer": {"director": "lb1"}, "bgp": said}]
        lines = quiet(unannounced, model.hostvars, model.groups, results, ["lb1"]) or []
        assert all(line.isprintable() for line in lines), (key, lines)
        container[key] = kept


def test_what_a_director_answers_is_used_where_it_is_right() -> None:
    model = r1()
    held = nic("eth1", "192.168.246.166/24", "192.168.246.160/32")
    hostvars = {**model.hostvars, "lb1": {**model.hostvars["lb1"], "ansible_facts": facts(held)}}
    assert quiet(as_model, hostvars, model.groups, info())["problems"] == []
    assert len(quiet(status, model.hostvars, model.groups, {"lb1": info()})) == 5


@pytest.mark.parametrize(
    ("key", "value"), [("scheduler", "{{ 1 }}"), ("scheduler", "rr\nx"), ("protocol", "icmp"), ("address", "{{ x }}")]
)
def test_a_director_s_words_are_of_the_vocabulary(key: str, value: str) -> None:
    model, answer = r1(), info()
    answer["services"][0][key] = value
    for call in (as_model, lambda *two, **more: status(two[0], two[1], {"lb1": two[2]}, **more)):
        with pytest.raises(AnsibleFilterError, match=rf"services\[0\]\.{key}"):
            call(model.hostvars, model.groups, answer)


def test_status_says_where_the_inventory_is_not_all_of_it() -> None:
    """A service that cannot be read would be shown as one that nobody wrote down."""
    model = r1()
    for name in model.groups["lvs_real_servers"]:
        # Real servers are not asked for their addresses.
        model.hostvars[name] = {}
    right = quiet(status, model.hostvars, model.groups, {"lb1": info()})
    assert right[0].startswith("lb1: ")
    model.services[0]["address"] = "192.168.246.16O"
    wrong = quiet(status, model.hostvars, model.groups, {"lb1": info()})
    assert wrong[0] == "Mistakes in the inventory, for which what it says is not all known here: 1"
    assert wrong[1].startswith("  lvs_services[0].address: ")
    assert any("192.168.246.160:80" in each and "not in lvs_services" in each for each in wrong[2:])
