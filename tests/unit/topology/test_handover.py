# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of addresses and tables from the kernel's own to keepalived, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.handover import handover_of
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r5
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import active
from ansible_collections.lvs.topology.tests.unit.topology.test_conntrackd import pair

ROLE = Path(__file__).parents[3] / "roles/keepalived"
PAIR = ["lb1", "lb2"]
NEW: dict[str, Any] = {"managed_by": [], "keepalived_runs": False, "keepalived_holds": [], "keepalived_in_place": False}
# By an earlier run the director holds addresses and table itself.
KERNEL = {**NEW, "managed_by": ["kernel"]}
RUNS = {**NEW, "managed_by": ["keepalived"], "keepalived_runs": True, "keepalived_holds": ["192.0.2.1/32 dev eth1"]}
IN_PLACE = {**RUNS, "keepalived_in_place": True}
# A run that moves them did not come to its end.
CUT = {**RUNS, "managed_by": ["kernel", "keepalived"]}
# Somebody else's, which is taken over.
FOREIGN = {**NEW, "keepalived_runs": True}

MOVING = {"keepalived": {"instances": [{"name": "lvs", "advert_int": 1}], "services": []}, "partners": ["lb2"]}
CHECKER: dict[str, Any] = {"keepalived": {"instances": [], "services": []}, "partners": []}
NONE: dict[str, Any] = {"keepalived": {}, "partners": []}
EMPTY = {"parts": {"director": {"planned": {"services": 0}}}}
FILLED = {"parts": {"director": {"planned": {"services": 2}}}}


def checked(found: Any) -> dict[str, Any]:
    """The variables of a director on which preflight has found something."""
    return {"__keepalived_checked": {"parts": {"keepalived": found}}} if found else {}


def asked(lb1: Any, lb2: Any = NEW, plan: Any = MOVING, run: Any = PAIR, **more: Any) -> dict[str, Any]:
    """What lb1 does. A director whose answer is None was not asked."""
    return handover_of({"lb1": checked(lb1), "lb2": checked(lb2)}, "lb1", run, plan=plan, **more)


@pytest.mark.parametrize(
    ("found", "yes"),
    [
        # New, and nobody holds anything: keepalived elects its master by adverts.
        (asked(NEW), {"moves", "configures"}),
        (asked(NEW, KERNEL), {"moves", "configures"}),
        # lb1 has the VIPs: its keepalived is master before that of lb2 begins.
        (asked(KERNEL), {"moves", "is_first", "takes_over", "configures", "forgets"}),
        # lb2 has a keepalived, so there is a master already.
        (asked(KERNEL, RUNS), {"moves", "takes_over", "configures", "forgets"}),
        # Two runs: nothing differs, or the configuration does.
        (asked(IN_PLACE, IN_PLACE), {"moves"}),
        (asked(RUNS, RUNS), {"moves", "configures"}),
        (asked(CUT, RUNS), {"moves", "configures", "forgets"}),
        (asked({**CUT, "keepalived_in_place": True}, RUNS), {"moves", "configures", "forgets"}),
        # It is configured, and somebody has stopped it.
        (asked({**IN_PLACE, "keepalived_runs": False}, IN_PLACE), {"moves", "configures"}),
        # A checker has no addresses; where keepalived had them, they are the director's from now on.
        (asked(NEW, plan=CHECKER), {"configures"}),
        (asked(KERNEL, KERNEL, plan=CHECKER), {"takes_over", "configures", "forgets"}),
        (asked(RUNS, RUNS, plan=CHECKER), {"configures", "stays_still", "ends", "forgets"}),
        # Back to the kernel, with services and without.
        (asked(RUNS, RUNS, plan=NONE, director=FILLED), {"ends"}),
        (asked(RUNS, RUNS, plan=NONE, director=EMPTY), {"ends", "gives_up"}),
        (asked(RUNS, RUNS, plan=NONE), {"ends"}),
        (asked(RUNS, plan=MOVING, director=EMPTY, run=["lb1"]), {"moves", "configures"}),
        # It is absent: it was not asked, and has no plan.
        (asked(None, RUNS, plan=None, state="absent"), {"ends", "gives_up"}),
        (asked(None, KERNEL, plan=None, state="absent"), {"ends"}),
        (asked(None, None, plan=None, state="absent"), {"ends"}),
        # Before its plan is made, it does nothing.
        (asked(KERNEL, RUNS, plan=None), set()),
    ],
)
def test_what_a_director_does(found: dict[str, Any], yes: set[str]) -> None:
    assert {name for name, value in found.items() if value is True} == yes


@pytest.mark.parametrize(
    ("found", "holders"),
    [
        (asked(KERNEL, KERNEL), ["lb1", "lb2"]),
        (asked(KERNEL, NEW), []),
        # Where keepalived runs on one of them, it is master, and the other one only joins.
        (asked(KERNEL, CUT), []),
        (asked(KERNEL, KERNEL, plan=CHECKER), []),
        (asked(KERNEL, KERNEL, run=["lb1"]), []),
    ],
)
def test_keepalived_cannot_take_over_from_two_at_once(found: dict[str, Any], holders: list[str]) -> None:
    assert found["holders"] == holders


def test_what_another_pair_has_is_no_reason() -> None:
    """Else keepalived would begin as backup, and take the VIPs off the interfaces until it has heard nobody."""
    hostvars = {"lb1": checked(KERNEL), "lb2": checked(NEW), "lb3": checked(RUNS), "lb4": checked(KERNEL)}
    found = handover_of(hostvars, "lb1", [*hostvars], plan=MOVING)
    assert found["is_first"]
    assert found["takes_over"]
    assert found["holders"] == []
    # A director that shares VIPs with nobody, or of which that is not known, takes the others as they are.
    alone = {**MOVING, "partners": []}
    assert not handover_of(hostvars, "lb1", [*hostvars], plan=alone)["is_first"]
    assert handover_of(hostvars, "lb1", ["lb1", "lb4"], plan=alone)["holders"] == ["lb1", "lb4"]


def tasks_of(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROLE / f"tasks/{name}.yml").read_text())
    return found


def test_what_says_that_a_run_did_not_come_to_its_end_goes_last() -> None:
    """preflight goes by the services of the table that are the director's."""
    assert tasks_of("forget")[-1]["lvs.topology.ipvs_table"] == {"owner": "director", "state": "forgotten"}


def test_who_goes_back_to_the_kernel_keeps_nothing_on_lo() -> None:
    """Also where the run that was to take over was killed before keepalived had its configuration."""
    given_up = {"owner": "keepalived", "state": "absent"}
    (task,) = (each for each in tasks_of("apply") if each.get("lvs.topology.vip_address") == given_up)
    assert task["when"] == "__keepalived_handover.ends and not __keepalived_handover.forgets"
    held = {**NEW, "managed_by": ["kernel", "keepalived"]}
    back = asked(held, plan=NONE, director=FILLED)
    assert (back["ends"], back["forgets"], back["gives_up"]) == (True, False, False)
    # The run that is repeated goes on where the other one ended.
    again = asked(held)
    assert again["is_first"]
    assert again["takes_over"]
    assert again["forgets"]


def test_what_is_refused_is_refused_before_anything_is_touched() -> None:
    are_refusals = ["ansible.builtin.assert" in each for each in tasks_of("ready")]
    assert are_refusals == sorted(are_refusals, reverse=True)
    assert are_refusals.count(True) == 2


@pytest.mark.parametrize(
    ("found", "unseen"),
    [
        (asked(NEW, run=["lb1"]), ["lb2"]),
        (asked(KERNEL, run=["lb1"]), ["lb2"]),
        (asked({**RUNS, "keepalived_runs": False}, run=["lb1"]), ["lb2"]),
        # What stays as it was does not understand the adverts of what is taken over.
        (asked(FOREIGN, run=["lb1"]), ["lb2"]),
        (asked(RUNS, run=["lb1"]), []),
        (asked(NEW, run=PAIR), []),
        (asked(NEW, plan=CHECKER, run=["lb1"]), []),
        (asked(RUNS, plan=NONE, run=["lb1"]), []),
    ],
)
def test_nobody_begins_beside_a_director_that_was_not_asked(found: dict[str, Any], unseen: list[str]) -> None:
    assert found["unseen"] == unseen


@pytest.mark.parametrize(
    ("found", "at_once"),
    [(asked(NEW), 1), (asked(KERNEL, RUNS), 1), (asked(RUNS, RUNS), 0), (asked(RUNS, None), 0), (asked(RUNS, NEW), 1)],
)
def test_those_that_are_new_begin_one_after_the_other(found: dict[str, Any], at_once: int) -> None:
    assert found["throttle"] == at_once


@pytest.mark.parametrize(
    ("adverts", "seconds"), [([], 0), ([1], 4), ([0.5], 2), ([0.01], 1), ([0.3, 0.1], 2), ([1, 255], 1020)]
)
def test_how_long_directors_take_to_agree(adverts: list[float], seconds: int) -> None:
    """By the slowest instance: three of its adverts do not come, and a backup waits up to one more."""
    plan = {"keepalived": {"instances": [{"advert_int": each} for each in adverts]}, "partners": ["lb2"]}
    assert asked(NEW, plan=plan)["agrees_in"] == seconds


@pytest.mark.parametrize("answer", ["text", {"parts": "text"}, {"parts": {"keepalived": 7}}, {"failed": True}, None])
def test_a_director_whose_check_failed_said_nothing(answer: Any) -> None:
    hostvars = {"lb1": checked(KERNEL), "lb2": {"__keepalived_checked": answer}}
    assert handover_of(hostvars, "lb1", PAIR, plan=MOVING)["is_first"]
    assert not handover_of(hostvars, "lb2", PAIR, plan=MOVING)["is_first"]


def test_what_an_earlier_run_has_left_is_taken_away() -> None:
    left = ["/etc/keepalived/lvs_checks/mysql-1"]
    assert asked({**IN_PLACE, "keepalived_left_over": left}, IN_PLACE)["left_over"] == left
    assert asked({**NEW, "keepalived_left_over": left}, plan=NONE, director=FILLED)["left_over"] == left
    assert asked(IN_PLACE)["left_over"] == []


def test_what_is_no_inventory_is_refused() -> None:
    for wrong in ("text", None, [1]):
        with pytest.raises(WrongModel, match="hostvars: must be a mapping"):
            handover_of(wrong, "lb1", PAIR)
    with pytest.raises(WrongModel, match="hosts: must be a list"):
        handover_of({}, "lb1", "lb1")


def fullnat_pair() -> Model:
    """Without keepalived nothing moves, so lvs_conntrackd and addresses that move would be mistakes."""
    model = pair()
    for name in PAIR:
        model.hostvars[name]["lvs_services"][0]["snat_addresses"] = ["10.0.0.29"]
    return model


@pytest.mark.parametrize("make", [r5, dr_pair, fullnat_pair, active])
def test_keepalived_finds_the_table_of_the_kernel(make: Callable[[], Model]) -> None:
    """It leaves what is there as it is. So that is what the model says, as without keepalived."""
    model = make()
    taken_over = json.loads(model.plan("lb1", "keepalived")["table"])
    for variables in model.hostvars.values():
        for key in ("lvs_manager", "lvs_conntrackd", "lvs_bgp", "lvs_sync"):
            variables.pop(key, None)
        if "lvs_services" in variables:
            variables["lvs_vip_interface"] = "eth1"
        for service in variables.get("lvs_services", []):
            service.pop("snat_addresses", None)
    model.groups["lvs_directors"] = ["lb1"]
    assert taken_over
    assert taken_over == model.plan("lb1", "director", directors=["lb1"])["services"]


def test_keepalived_has_no_service_without_real_servers() -> None:
    model = r5()
    for name in PAIR:
        services = model.hostvars[name]["lvs_services"]
        services.append({**services[0], "name": "empty", "port": 81, "real_servers": []})
    assert [each["port"] for each in json.loads(model.plan("lb1", "keepalived")["table"])] == [80]
