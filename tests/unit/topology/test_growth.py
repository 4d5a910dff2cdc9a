# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four times the services, or four times the real servers, are about four times the work.

The work is counted in lines that Python runs, which are the same on every machine, and not in time. What Python does in
one step, such as looking for a name in a list, is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import TRANSLATES, Rewriting
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import adopting, draining, pictures, verifying
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt import beside_table
from ansible_collections.lvs.topology.tests.unit.lines_run import lines_run
from ansible_collections.lvs.topology.tests.unit.topology.inventories import QUIET, Model, facts, large, nic

METHODS = ("nat", "dr", "tun", "fullnat")


def _info(model: Model) -> dict[str, Any]:
    """A director's table as ipvs_info returns it."""
    services = []
    for service in model.plan("lb1", "director", directors=["lb1"], variables={"lvs_manager": "kernel"})["services"]:
        counted = {"counters": {"conns": 0}, "connections": {"active": 0, "inactive": 0}}
        services.append({**service, "real_servers": [{**each, **counted} for each in service["real_servers"]]})
    return {"services": services, "timeouts": {}, "daemons": []}


def _rules(services: int) -> beside_table.Beside:
    """A rule for each service, as FULLNAT has them."""
    rules = [
        Rewriting(TRANSLATES, "rule", vip=f"10.0.{at // 200}.{at % 200 + 1}", to=("10.0.0.30",))
        for at in range(services)
    ]
    return beside_table.Beside({"net.ipv4.vs.conntrack": "1"}, frozenset(), (), (), tuple(rules), ())


def _wrong(info: dict[str, Any]) -> dict[str, Any]:
    """The same with a service that no model can say."""
    first, *others = info["services"]
    odd = {**first["real_servers"][0], "forward": "dr", "port": 8080}
    return {**info, "services": [{**first, "real_servers": [odd]}, *others]}


def announced(services: int) -> Model:
    """A director that announces its VIPs, and writes metrics."""
    model = large("dr", services, 2, is_pair=False)
    neighbour = {"address": "10.0.0.99", "asn": 65000}
    bgp = {"asn": 65001, "router_id": "10.0.0.2", "neighbours": [neighbour]}
    model.hostvars["lb1"] |= {"lvs_metrics": True, "lvs_bgp": bgp}
    return model


def _questions(model: Model) -> dict[str, Callable[[], object]]:
    """Everything that is asked of the compiler in a run, and by operators."""
    infos = {name: _info(model) for name in model.groups["lvs_directors"]}
    answers = {name: {**QUIET, "table": infos[name]} for name in infos}
    arguments = (model.hostvars, model.groups)
    tables = {name: infos[name]["services"] for name in infos}
    real_servers = model.groups["lvs_real_servers"]
    listed = draining.listings_of(*arguments, real_servers)
    return {
        "mistakes": model.mistakes,
        "director": lambda: model.plan("lb1", "director"),
        "keepalived": lambda: model.plan("lb1", "keepalived"),
        "real server": lambda: model.plan("web0", "real_server"),
        "listings": lambda: draining.listings_of(*arguments, ["web0"]),
        "left empty": lambda: draining.emptied_of(listed, tables, [[name] for name in real_servers]),
        "questions": lambda: verifying.questions_of(*arguments, through_vip=True),
        "findings": lambda: verifying.findings_of(*arguments, answers, {}),
        "status": lambda: verifying.status_of(*arguments, infos),
        "adopted": lambda: adopting.model_of(*arguments, infos["lb1"]),
        "adopted but for one": lambda: adopting.model_of(*arguments, _wrong(infos["lb1"])),
        "diagram": lambda: pictures.diagram_of(*arguments),
        "page": lambda: pictures.site_file_of(*arguments, infos, "site.html"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("forward", METHODS)
def test_work_grows_with_the_services(forward: str, is_pair: bool) -> None:
    few = _questions(large(forward, 25, 2, is_pair=is_pair))
    many = _questions(large(forward, 100, 2, is_pair=is_pair))
    grown = {name: lines_run(many[name]) / lines_run(few[name]) for name in few}
    assert {name: round(times, 1) for name, times in grown.items() if times > 5} == {}


@pytest.mark.slow
@pytest.mark.parametrize("forward", METHODS)
def test_work_grows_with_the_real_servers(forward: str) -> None:
    few = _questions(large(forward, 2, 25, is_pair=True))
    many = _questions(large(forward, 2, 100, is_pair=True))
    grown = {name: lines_run(many[name]) / lines_run(few[name]) for name in few}
    assert {name: round(times, 1) for name, times in grown.items() if times > 5} == {}


def marked(services: int) -> Model:
    """A director whose services are all by firewall mark, each for a VIP of its own."""
    model = large("dr", services, 2, is_pair=False)
    for mark, each in enumerate(model.services, 1):
        each |= {"fwmark": mark, "family": "ipv4", "marked": [{"address": each.pop("address"), "ports": [80, "90-99"]}]}
        del each["port"]
    return model


@pytest.mark.slow
def test_work_grows_with_the_marks() -> None:
    few, many = marked(25), marked(100)
    assert few.mistakes() == []
    assert lines_run(many.mistakes) / lines_run(few.mistakes) < 5


def held(services: int, where: str, network: str) -> Model:
    """A director that has its VIPs already, as after a run."""
    model = large("dr", services, 2, is_pair=False)
    lb1 = model.hostvars["lb1"]
    addresses = {"lo": ["127.0.0.1/8"], "eth0": [network], "eth1": ["10.1.0.2/16"]}
    addresses[where] += [f"{each['address']}/32" for each in lb1["lvs_services"]]
    lb1 |= {"ansible_facts": facts(*(nic(name, *each) for name, each in addresses.items()))}
    if where == "lo":
        lb1["lvs_vip_interface"] = "lo"
    return model


# The VIPs are in the first network, and not in the other one.
@pytest.mark.parametrize("network", ["10.0.0.2/16", "10.0.0.2/23"])
@pytest.mark.parametrize("where", ["lo", "eth0"])
def test_work_grows_with_the_vips_that_are_there(where: str, network: str) -> None:
    few, many = (held(services, where, network) for services in (50, 200))
    assert few.plan("lb1", "director")["addresses"]
    assert lines_run(lambda: many.plan("lb1", "director")) < 5 * lines_run(lambda: few.plan("lb1", "director"))


@pytest.mark.parametrize("role", ["director", "announcer", "metrics"])
def test_work_grows_with_the_services_that_are_announced(role: str) -> None:
    few, many = (announced(services) for services in (25, 100))
    assert few.plan("lb1", role)
    assert lines_run(lambda: many.plan("lb1", role)) < 5 * lines_run(lambda: few.plan("lb1", role))


def test_work_grows_with_the_rules_beside_a_table() -> None:
    def said(number: int) -> None:
        beside = _rules(number)
        for rule in beside.translating:
            entry = {"address": rule.vip, "port": 80, "forward": "nat"}
            found = beside_table.said_of(entry, [beside_table.Endpoint(ip_address("10.0.0.51"), 80)], beside, ())
            assert found.keys["forward"] == "fullnat"

    said(400)  # addresses are known from here on
    assert lines_run(lambda: said(400)) < 5 * lines_run(lambda: said(100))
