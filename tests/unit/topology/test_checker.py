# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors whose table keepalived fills without VRRP: the VIPs are held as without keepalived."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._host.concerns import CONCERNS
from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import PLAN, _asked, adding
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import managers
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.plugin_utils import _plays
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import draining
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r1


def checked(**more: object) -> Model:
    model = r1()
    model.service["health_check"] = {"type": "http"}
    model.hostvars["lb1"] |= {"lvs_manager": "checker", "lvs_timeouts": {"tcp": 1800}, **more}
    return model


def test_the_director_holds_the_vip_and_keepalived_fills_the_table() -> None:
    plan = checked().plan("lb1", "director")
    assert plan["addresses"] == [{"address": "192.168.246.160/32", "interface": "eth1", "announce": "eth1"}]
    assert plan["services"] == []
    assert plan["manager"] == "checker"
    assert [each["address"] for each in plan["watched"]["services"]] == ["192.168.246.160"]
    assert plan["watched"]["timeouts"] == {"tcp": 1800}
    assert plan["timeouts"] == {}


def test_keepalived_has_services_and_no_instance() -> None:
    plan = checked().plan("lb1", "keepalived")
    assert plan["keepalived"]["instances"] == []
    assert [each["address"] for each in plan["keepalived"]["services"]] == ["192.168.246.160"]
    assert plan["partners"] == []
    text = real_tools.rendered(plan)
    assert "vrrp" not in text
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None


def test_vrrp_is_refused_with_its_path() -> None:
    model = checked(lvs_vrrp={"router_id": 7})
    assert model.refusal("lb1", "director") == [
        "lb1: lvs_vrrp: has no meaning with lvs_manager: checker, which runs keepalived without VRRP; leave it out, or "
        "use lvs_manager: keepalived, which moves the VIPs"
    ]


def test_two_that_would_both_answer_are_refused() -> None:
    model = dr_pair()
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_manager"] = "checker"
        model.hostvars[name].pop("lvs_vrrp", None)
        model.hostvars[name].pop("lvs_sync", None)
    assert any("and both would answer for it" in line for line in model.mistakes())


def test_synchronisation_is_asked_for_by_role() -> None:
    model = checked(lvs_sync={"syncid": 1, "interface": "eth1"})
    assert model.refusal("lb1", "director")[0].startswith("lb1: lvs_sync.role")
    model = checked(lvs_sync={"syncid": 1, "interface": "eth1", "role": "master"})
    assert [each["state"] for each in model.plan("lb1", "director")["sync_daemons"]] == ["master"]


def test_a_drain_knows_that_keepalived_has_the_weights() -> None:
    (listing, *_others) = _listings(checked())
    assert listing["manager"] == "keepalived"


def _listings(model: Model) -> list[dict[str, object]]:
    return draining.listings_of(model.hostvars, model.groups, "web1")


def test_the_host_keeps_its_addresses_and_not_its_table() -> None:
    assert "checker" in PLAN["options"]["manager"]["choices"]
    plan = checked().plan("lb1", "director")
    concerns = [each.concern for each in adding(_asked([*CONCERNS], plan, []), plan, "director", purge=True)]
    assert "addresses" in concerns
    assert "watched" in concerns
    assert "services" not in concerns


def test_addresses_beside_a_checker_are_no_reason_to_take_over() -> None:
    ledger = Ledger().claim("address", "192.0.2.1/32 dev eth1", "director")
    assert managers.managed_by(ledger, "director") == ["kernel"]
    assert managers.managed_by(ledger, "director", "checker") == []
    # A run that was killed before keepalived had its configuration holds them on lo, too.
    held = ledger.claim("address", "192.0.2.1/32 dev lo", "keepalived")
    assert managers.managed_by(held, "director") == ["kernel", "keepalived"]
    assert managers.managed_by(ledger.claim("service", "tcp 192.0.2.1:80", "director"), "director", "checker")


@pytest.mark.parametrize(
    ("manager", "left_over", "moves"),
    [
        ("kernel", [], []),
        ("kernel", ["/etc/keepalived/lvs_checks"], ["director"]),
        ("checker", [], ["director"]),
        ("keepalived", [], ["director"]),
    ],
)
def test_keepalived_is_looked_at_in_the_play_that_has_it(manager: str, left_over: list[str], moves: list[str]) -> None:
    part = {
        "planned": {"manager": manager}, "managed_by": [], "in_place": True, "keepalived_left_over": left_over,
    }  # fmt: skip
    variables = {"__lvs_checked": {"parts": {"director": part}}}
    assert list(_plays.to_do("move", ["director"], variables)) == moves
