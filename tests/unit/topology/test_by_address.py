# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers that are listed by an address, and hosts that nobody lists."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, r1

RIP = "192.168.246.161"


def by_themselves(**web1: object) -> Model:
    """Roles in a larger repository: groups of other names, services given to the role, real servers by address."""
    model = r1()
    model.service["real_servers"] = [{"address": RIP}, {"address": "192.168.246.162"}]
    model.hostvars["web1"].pop("lvs_address")
    model.hostvars["web1"] |= web1
    model.groups = {"loadbalancers": ["lb1"], "webs": ["web1", "web2"]}
    return model


def services(model: Model) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = model.hostvars["lb1"]["lvs_services"]
    return every


@pytest.mark.parametrize("how", [{"lvs_address": RIP}, {"ansible_host": RIP, "ansible_facts": {}}, {}])
def test_an_address_of_a_host_is_that_host(how: dict[str, object]) -> None:
    model = by_themselves(**how)
    plan = model.plan("web1", "real_server", services=services(model), directors=["lb1"])
    assert [each["address"] for each in plan["addresses"]] == ["192.168.246.160/32"]
    assert "notes" not in plan


def test_a_host_that_the_group_lacks_is_found_by_its_own_role() -> None:
    model = by_themselves()
    model.groups["lvs_real_servers"] = ["web2"]
    assert model.plan("web1", "real_server", services=services(model), directors=["lb1"])["addresses"] != []
    # For the director it stays a machine that somebody else prepares.
    assert len(model.plan("lb1", "director", services=services(model))["services"][0]["real_servers"]) == 2


def test_what_somebody_else_prepares_is_written_as_an_address() -> None:
    """site in an inventory without the group of real servers, in which that machine is all the same."""
    model = by_themselves()
    model.groups = {"lvs_directors": ["lb1"], "webs": ["web1", "web2"]}
    assert model.mistakes() == []


class Undefined(dict[str, Any]):
    """The variables of a host, one of which is a template that cannot be evaluated yet."""

    def __getitem__(self, key: str) -> Any:
        if key in ("ansible_host", "ansible_facts"):
            raise ValueError(f"'{key}' is undefined")
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


def test_a_host_that_the_model_does_not_concern_may_be_anything() -> None:
    model = by_themselves()
    model.hostvars["db9"] = Undefined(ansible_host="x", ansible_facts={})
    assert model.plan("lb1", "director", services=services(model), directors=["lb1"])["services"]


def test_an_address_that_several_hosts_have_is_none_of_them() -> None:
    model = by_themselves()
    for name in ("web1", "web2"):
        model.hostvars[name]["ansible_facts"] = facts(nic("docker0", "172.17.0.1/16"))
    model.hostvars["lb1"].pop("ansible_facts")
    services(model)[0]["real_servers"] = [{"address": "172.17.0.1"}]
    plan = model.plan("web1", "real_server", services=services(model), directors=["lb1"])
    assert plan["addresses"] == []


def test_a_host_that_no_service_lists_is_told_so() -> None:
    model = r1()
    model.service["real_servers"] = [{"host": "web1"}, {"address": "192.168.246.99"}]
    (note,) = model.plan("web2", "real_server")["notes"]
    for part in ("NO SERVICE LISTS THIS HOST", "192.168.246.162", "192.168.246.99", "host: web2"):
        assert part in note
