# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for a model, read again, is a model for which the role writes the same.

LVS_ROUND_TRIP_EXAMPLES says how many models are generated, LVS_ROUND_TRIP_SEED which ones.
"""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    packet_rules_plan,
    packet_rules_text,
    rewriting_rules,
)
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Imported, imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import adopting
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.test_agreement import inventory_of
from ansible_collections.lvs.topology.tests.unit.topology.generated import for_each, models
from ansible_collections.lvs.topology.tests.unit.topology.generated_right import right_models
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair, two_directors
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

EXAMPLES = int(os.environ.get("LVS_ROUND_TRIP_EXAMPLES", "100"))
SEED = int(os.environ.get("LVS_ROUND_TRIP_SEED", "1"))
MOLECULE = Path(__file__).parents[3] / "molecule"
ALL: dict[str, Callable[[], Model]] = {**REFERENCES, "DR pair": dr_pair, "two directors": two_directors}


def under_keepalived(model: Model) -> Model:
    for name in model.groups["lvs_directors"]:
        if model.hostvars[name].get("lvs_vip_interface") == "lo":
            del model.hostvars[name]["lvs_vip_interface"]
        model.hostvars[name]["lvs_manager"] = "keepalived"
        for service in model.hostvars[name]["lvs_services"]:
            # keepalived.conf cannot say it, see below.
            service.pop("min_up", None)
    return model


def again(model: Model) -> tuple[Imported, Model]:
    """What is imported of the files that the role would write, and the same hosts with what that says."""
    directors = model.groups["lvs_directors"]
    texts = {f"{name}/keepalived.conf": rendered(model.plan(name, "keepalived")) for name in directors}
    found = imported(Given(texts), list(texts), directors)
    hostvars = {name: dict(values) for name, values in model.hostvars.items()}
    for name in directors:
        # What Ansible knows of the host anyway, and what is in another daemon's file.
        known = ("ansible_facts", "lvs_address", "lvs_bgp")
        kept = {key: hostvars[name][key] for key in known if key in hostvars[name]}
        hostvars[name] = {**found.hostvars[name], **kept}
    return found, Model(hostvars, model.groups)


def said(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan without what only names things, and in which order says nothing."""
    found = dict(plan["keepalived"])
    files = {each["name"]: each["path"] for each in found.pop("files")}
    found["services"] = [_service(each, files) for each in found["services"]]
    found["instances"] = [_instance(each) for each in found["instances"]]
    for key in ("scripts", "processes", "services"):
        found[key] = sorted(found[key], key=repr)
    return found


def _service(service: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    servers = []
    common = service.get("times", {})
    for each in service["real_servers"]:
        server = {key: value for key, value in each.items() if key != "name"}
        server["checks"] = [_check(check, common, server["port"], files) for check in server.get("checks", [])]
        # Where all real servers have it, the service says so.
        server.setdefault("inhibit_on_failure", service["inhibit_on_failure"])
        servers.append(server)
    found = {key: value for key, value in service.items() if key not in ("times", "inhibit_on_failure")}
    return {**found, "name": "", "real_servers": servers}


def _check(check: dict[str, Any], common: dict[str, Any], port: int, files: dict[str, str]) -> dict[str, Any]:
    """A check with all its times and its port, wherever they are written."""
    found = {**check, "times": {**common, **check.get("times", {})}} if check["type"] != "file" else dict(check)
    times = found.get("times", {})
    if times.get("warmup") == times.get("interval"):
        times.pop("warmup", None)
    if check["type"] == "misc":
        times.pop("timeout", None)
    if "track_file" in found:
        found["track_file"] = files[found["track_file"]]
    return {**found, "way": {"port": port, **check.get("way", {})}}


def _instance(instance: dict[str, Any]) -> dict[str, Any]:
    held = {each["interface"] for each in [*instance["addresses"], *instance["excluded"]]}
    # keepalived tracks the interfaces of what it holds, whether they are listed or not.
    tracked = sorted(held.union(instance["track_interfaces"]) - {instance["interface"]})
    addresses = sorted([*instance["addresses"], *instance["excluded"]], key=repr)
    return {**instance, "track_interfaces": tracked, "addresses": addresses, "excluded": []}


def differences(model: Model, counts: Counter[str]) -> list[str]:
    before = {name: said(model.plan(name, "keepalived")) for name in model.groups["lvs_directors"]}
    found, other = again(model)
    problems = [str(each) for each in found.remarks if each.kind == LOST]
    problems += other.mistakes(hosts=model.groups["lvs_directors"])
    for name, plan in before.items():
        counts["files"] += 1
        try:
            after = said(other.plan(name, "keepalived"))
        except WrongModel as wrong:
            problems.append(str(wrong))
            continue
        for key in plan:
            if plan[key] != after.get(key):
                problems.append(f"{name}: {key}: {plan[key]} became {after.get(key)}")
    return problems


@pytest.mark.parametrize("name", ALL)
def test_every_reference(name: str) -> None:
    model = under_keepalived(ALL[name]())
    if name == "R4":
        # The VIP is the only address of its network, and comes and goes here.
        model.hostvars["lb1"]["lvs_vip_interface"] = "eth1"
    if name == "two directors":
        model.hostvars["lb2"]["lvs_vrrp"] = {"router_id": 52}
    assert differences(model, Counter()) == []


@pytest.mark.slow
def test_generated_models() -> None:
    counts: Counter[str] = Counter()

    def one(model: Model) -> None:
        counts["models"] += 1
        under_keepalived(model)
        # Who sets marks is in no keepalived.conf, and so neither are the VIPs that they are for.
        absent = any("lvs_state" in each for each in model.hostvars.values())
        if absent or model.mistakes() or any("marked" in each for each in model.services):
            return
        counts["accepted"] += 1
        assert differences(model, counts) == []

    for_each(models(), one, EXAMPLES, SEED)
    print(dict(counts))
    assert counts["accepted"] > EXAMPLES / 20


@pytest.mark.slow
def test_generated_models_that_are_right() -> None:
    """With every key that keepalived has a word for."""
    counts: Counter[str] = Counter()

    def one(model: Model) -> None:
        counts["models"] += 1
        if model.mistakes():
            return
        counts["accepted"] += 1
        assert differences(model, counts) == []

    for_each(right_models(), one, EXAMPLES, SEED)
    print(dict(counts))
    assert counts["accepted"] > EXAMPLES / 2


def scenarios(*, keepalived: bool) -> dict[str, Model]:
    found = {}
    for path in sorted(MOLECULE.glob("*/inventory/hosts.yml")):
        # That of reuse is an example with files beside it. In the others keepalived runs what other daemons need.
        if path.parents[1].name not in ("reuse", "fullnat_pair", "active"):
            model = Model(*inventory_of(yaml.safe_load(path.read_text()), path.parents[1].name))
            director = model.groups["lvs_directors"][0]
            if keepalived == (model.hostvars[director].get("lvs_manager") in ("keepalived", "checker")):
                found[path.parents[1].name] = model
    return found


@pytest.mark.parametrize("name", scenarios(keepalived=True))
def test_keepalived_of_every_scenario(name: str) -> None:
    assert differences(scenarios(keepalived=True)[name], Counter()) == []


def as_read(service: dict[str, Any]) -> dict[str, Any]:
    """A service of a plan as ipvs_info returns it."""
    is_six = service.get("family") == "ipv6" or ":" in service.get("address", "")
    off = {"timeout": 0, "netmask": 128 if is_six else "255.255.255.255", "engine": "none"}
    servers = []
    for each in service["real_servers"]:
        tunnel = {"type": "ipip", "port": 0, "checksum": "none", **each.get("tunnel", {})}
        servers.append({**each, "tunnel": tunnel if each["forward"] == "tun" else None})
    return {
        **{key: value for key, value in service.items() if key != "name"},
        "family": "ipv6" if is_six else "ipv4",
        "persistence": {**off, **service.get("persistence", {})},
        "real_servers": servers,
    }


def everything(model: Model) -> dict[tuple[str, str], Any]:
    """The plans of all hosts, in which no name of a service says anything, nor does their order."""
    roles = {"lvs_directors": "director", "lvs_real_servers": "real_server", "lvs_routers": "router"}
    plans = {
        (role, host): model.plan(host, role) for group, role in roles.items() for host in model.groups.get(group, [])
    }
    for plan in plans.values():
        plan.pop("notes", None)
        for key, value in plan.items():
            if isinstance(value, list):
                plan[key] = sorted((_without_name(each) for each in value), key=repr)
    return plans


def _identity(service: dict[str, Any]) -> tuple[Any, ...]:
    """With the address as an address, whose prefix is in no table."""
    if "fwmark" in service:
        return service["fwmark"], service["family"]
    return str(ip_interface(service["address"]).ip), service["port"], service.get("protocol", "tcp")


def _without_name(each: Any) -> Any:
    return {key: value for key, value in each.items() if key != "name"} if isinstance(each, dict) else each


@pytest.mark.parametrize("name", scenarios(keepalived=False))
def test_the_table_of_every_scenario(name: str) -> None:
    model = scenarios(keepalived=False)[name]
    before = everything(model)
    read_back = copy.deepcopy(model.hostvars)
    for director in model.groups["lvs_directors"]:
        plan = model.plan(director, "director")
        table = [as_read(each) for each in plan["services"]]
        info = {"services": table, "host": beside(plan), "timeouts": plan["timeouts"], "daemons": plan["sync_daemons"]}
        found = adopting.model_of(holding(model, director, plan), model.groups, info, director)
        assert found["problems"] == []
        services = found["services"]
        written = model.hostvars[director]["lvs_services"]
        assert sorted(map(_identity, services), key=repr) == sorted(map(_identity, written), key=repr)
        for host, values in read_back.items():
            if values.get("lvs_services") == written:
                values["lvs_services"] = services
            if host == director:
                for key in ("lvs_sync", "lvs_timeouts", "lvs_vip_interface"):
                    values.pop(key, None)
                values.update(found["variables"])
    assert everything(Model(read_back, model.groups)) == before


def beside(plan: dict[str, Any]) -> dict[str, Any]:
    """What ipvs_info returns of a host that is as the plan has it."""
    given = plan["packet_rules"] or {"marks": [], "source_nat": []}
    lacking = {"destinations": None, "fwmark": None, "family": None, "ports": None}
    asked = [[{**lacking, **each} for each in given[key]] for key in ("marks", "source_nat")]
    rules = packet_rules_plan.in_order(packet_rules_plan.check(*asked, Mistakes()))
    found = list(rewriting_rules.of_nft("\n".join(packet_rules_text.render_nft("director", rules))))
    assert len(found) == len(rules)
    said = [{**each._asdict(), "ports": list(each.ports), "to": list(each.to)} for each in found]
    return {
        "sysctls": {"net.ipv4.vs.sync_qlen_max": "4096", **plan["sysctls"]},
        "helpers": [each for each in plan["kernel_modules"] if each == "ip_vs_ftp"],
        "programs": [],
        "marking_rules": [each for each in said if each["does"] == "marks"],
        "translating_rules": [each for each in said if each["does"] == "translates"],
        "unseen": [],
    }


def holding(model: Model, director: str, plan: dict[str, Any]) -> dict[str, Any]:
    """The variables of hosts while the director has its VIPs, as its facts show them."""
    hostvars = copy.deepcopy(model.hostvars)
    hostvars[director].pop("lvs_vip_interface", None)
    interfaces = hostvars[director]["ansible_facts"]
    for each in plan["addresses"]:
        vip = ip_interface(each["address"])
        known = interfaces.setdefault(each["interface"], {"device": each["interface"], "active": True})
        if vip.version == 4:
            known.setdefault("ipv4_secondaries", []).append(
                {"address": str(vip.ip), "netmask": str(vip.netmask), "prefix": str(vip.network.prefixlen)}
            )
        else:
            known.setdefault("ipv6", []).append(
                {"address": str(vip.ip), "prefix": str(vip.network.prefixlen), "scope": "global"}
            )
    return hostvars


def test_what_guards_a_service_is_named_and_its_quorum_comes_back() -> None:
    model = under_keepalived(dr_pair())
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_vrrp"] = {"auth_hmac": {"key": "0123456789abcdef" * 2}}
        for service in model.hostvars[name]["lvs_services"]:
            service["min_up"] = "51%"
    found, back = again(model)
    assert [(each["quorum"], each["inhibit_on_failure"]) for each in back.services] == [(2, True), (2, True)]
    said = [str(each) for each in found.remarks]
    assert any("which comes back as quorum and inhibit_on_failure" in each for each in said)
    assert any("keys are not carried over: write it as auth_hmac of lvs_vrrp" in each for each in said)
    assert "0123456789abcdef" not in repr(said) + repr(back.hostvars)
