# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All plans at once are those that each role asks for by itself; test_differential.py compares generated ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.filter.site_plans import site_plans
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.role_inputs import INPUTS
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    REFERENCES,
    Model,
    dr_pair,
    r1,
    two_directors,
)

ROLES = Path(__file__).parents[3] / "roles"
# What is no part of a plan, or not one of a host's variables of all roles.
ELSEWHERE = {"services", "directors", "state", "manage_packages", "steps", "heir"}


def with_password() -> Model:
    model = dr_pair()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_vrrp"] = {"router_id": 51, "version": 2, "auth_pass": "s3cret99"}
    return model


@pytest.mark.parametrize("role", INPUTS)
def test_inputs_are_those_of_the_role(role: str) -> None:
    """Each stands above the variable that is its default in the role, and under which the role hands it on."""
    defaults = yaml.safe_load((ROLES / role / "defaults/main.yml").read_text())
    found = {
        name: re.search(r"\b(lvs_\w+) \|", str(value))
        for name, value in ((key.removeprefix(f"{role}_"), value) for key, value in defaults.items())
        if name not in ELSEWHERE
    }
    assert {name: match and match[1] for name, match in found.items()} == INPUTS[role]
    handed_on = "\n".join(path.read_text() for path in (ROLES / role).glob("*/*.yml"))
    for name, variable in INPUTS[role].items():
        assert re.search(rf"'?{variable}'?: (\"\{{\{{ )?{role}_{name}\b", handed_on), name


OWN: dict[str, tuple[str, dict[str, Any]]] = {
    "director": ("director", {"sysctls": {"net.ipv4.vs.conn_reuse_mode": 0}, "gateway": None}),
    "real server": ("real_server", {"arp_method": "arptables", "sysctls": {"net.core.somaxconn": 1024}}),
    "keepalived": ("keepalived", {"options": {"router_id": "its_own"}}),
}


@pytest.mark.parametrize(("role", "given"), OWN.values(), ids=OWN)
def test_an_input_of_a_role_counts_for_it_alone(role: str, given: dict[str, Any]) -> None:
    model = dr_pair()
    name = model.groups["lvs_real_servers" if role == "real_server" else "lvs_directors"][0]
    before = model.every_plan()
    model.hostvars[name] |= {f"{role}_{key}": value for key, value in given.items()}
    after = model.every_plan()
    variables = {INPUTS[role][key]: value for key, value in given.items()}
    directors = None if role == "real_server" else [name]
    assert after[name, role] == model.plan(name, role, directors=directors, variables=variables)
    assert {each for each in after if after[each] != before[each]} == {(name, role)}


def test_a_mistake_in_an_input_of_a_role_is_found_with_the_others() -> None:
    model = r1()
    model.service["scheduler"] = "nonsense"
    model.hostvars["web1"]["real_server_arp_method"] = "nonsense"
    mistakes, found = model.decided()
    assert [line.partition(": ")[0] for line in mistakes] == ["lvs_services[0].scheduler", "web1"]
    assert "web1: lvs_arp_method: " in mistakes[1]
    assert found == {}


@pytest.mark.parametrize("make", [*REFERENCES.values(), dr_pair, two_directors])
def test_each_host_that_is_present_has_plans(make: Any) -> None:
    model = make()
    assert {name for name, _role in model.every_plan()} == {name for names in model.groups.values() for name in names}
    one = model.groups["lvs_real_servers"][0]
    assert {name for name, _role in model.every_plan([one])} == {one}
    director = model.groups["lvs_directors"][-1]
    model.hostvars[director]["lvs_state"] = "absent"
    assert director not in model.decided()[1]


def test_what_preflight_is_asked_has_no_password() -> None:
    model = with_password()
    answer = site_plans(model.hostvars, model.groups)
    assert answer["mistakes"] == []
    for name in model.groups["lvs_directors"]:
        assert "s3cret99" in str(answer["hosts"][name]["keepalived"])
        assert "s3cret99" not in str(answer["hosts"][name]["parts"])
        assert list(answer["hosts"][name]["parts"]) == ["director", "keepalived"]


@pytest.mark.parametrize(
    ("value", "missing"), [(None, "report"), (True, "report"), ("no", "fail"), (False, "fail"), ("false", "fail")]
)
def test_who_installs_packages(value: Any, missing: str) -> None:
    model = dr_pair()
    model.hostvars["web1"]["real_server_manage_packages"] = value
    answer = site_plans(model.hostvars, model.groups)
    assert answer["hosts"]["web1"]["parts"]["real_server"]["missing"] == missing


TEMPLATES = ["{{ 1 }}", "{% raw %}", "{# x #}", "{{{{"]


@pytest.mark.parametrize("value", TEMPLATES)
def test_no_line_is_a_template(value: str) -> None:
    """The playbook keeps what is decided in a fact, and Ansible up to 2.18 evaluates the text of a fact."""
    model = r1()
    model.service["scheduler"] = value
    mistakes, _found = model.decided()
    assert len(mistakes) == 1
    assert not re.search(r"\{[{%#]", mistakes[0])


@pytest.mark.parametrize("value", TEMPLATES)
def test_no_text_of_a_host_is_a_template(value: str) -> None:
    model = with_password()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_keepalived"] = {"raw": f"# {value}\n"}
    mistakes, _found = model.decided()
    assert mistakes == []
    data = site_plans(model.hostvars, model.groups)["hosts"]
    text = site_plans(model.hostvars, model.groups, as_json=True)["hosts"]
    assert {name: json.loads(each) for name, each in text.items()} == data
    assert value in data["lb1"]["keepalived"]["keepalived"]["raw"]
    assert not any(re.search(r"\{[{%#]", each) for each in text.values())
