# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module preflight: plans go on, notes are shown, and a turn ends where all is done."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.action import preflight

PLAN = {"manager": "kernel", "notes": ["There is something."]}


def found(in_place: bool = True, managed_by: tuple[str, ...] = ()) -> dict[str, Any]:
    looked = {"dropped": [], "firewall": "", "unseen": [], "kernel_modules": [], "keepalived_left_over": []}
    return {"in_place": in_place, "managed_by": [*managed_by], **looked}


class Host:
    """Answers the module, and notes what else is executed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
        self.asked: dict[str, Any] = {}
        self.executed: list[str] = []
        self.said: list[str] = []

        def execute(_self: Any, module_args: dict[str, Any], **_keywords: Any) -> dict[str, Any]:
            self.asked = module_args
            return answer

        def low_level(_self: Any, command: str) -> dict[str, Any]:
            self.executed.append(command)
            return {"rc": 0, "stdout": "", "stderr": ""}

        monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
        monkeypatch.setattr(preflight.ActionModule, "_execute_module", execute)
        monkeypatch.setattr(preflight.ActionModule, "_low_level_execute_command", low_level)
        monkeypatch.setattr(preflight._display, "display", self.said.append)

    def ask(self, check_mode: bool = False, **args: Any) -> dict[str, Any]:
        action = preflight.ActionModule.__new__(preflight.ActionModule)
        action._task = SimpleNamespace(args=args, check_mode=check_mode)
        return action.run(task_vars={"inventory_hostname": "web1"})


def test_each_part_is_returned_with_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, {"parts": {"director": found(), "keepalived": found()}})
    answer = host.ask(parts=[{"name": "director", "plan": PLAN}, {"name": "keepalived"}])
    assert {name: part["plan"] for name, part in answer["parts"].items()} == {"director": PLAN, "keepalived": {}}
    assert host.said == ["Works, but should be known of web1: There is something."]


def test_a_plan_that_is_text_is_a_mapping_to_the_module_and_text_to_what_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host(monkeypatch, {"parts": {"director": {**found(), "kernel_modules": ["xt_ipvs", "ip_vs"]}}})
    bird = {"bird": {"content": "password 's3cret'"}}
    plan = {**PLAN, "kernel_modules": ["ip_vs"], "services": [{"port": 80}], **bird, "passing": [{"name": "web"}]}
    (part,) = host.ask(parts=[{"name": "director", "plan": json.dumps(plan)}])["parts"].values()
    assert host.asked["parts"] == [{"name": "director", "plan": plan}]
    assert json.loads(part["plan"]) == {
        **PLAN,
        "kernel_modules": ["ip_vs", "xt_ipvs"],
        "services": [{"port": 80}],
    }
    assert part["planned"] == {"manager": "kernel", "kernel_modules": ["ip_vs", "xt_ipvs"], "services": 1}
    assert host.said == ["Works, but should be known of web1: There is something."]


@pytest.mark.parametrize(
    ("parts", "options", "ends"),
    [
        ({"director": found(), "router": found()}, {}, True),
        ({}, {}, True),
        ({"director": found(), "router": found(in_place=False)}, {}, False),
        ({"director": found()}, {"give_turn_back": False}, False),
        # It has not taken any.
        ({"director": found()}, {"check_mode": True}, False),
        ({"director": found(managed_by=("keepalived",))}, {}, False),
    ],
)
def test_the_turn_ends_where_nothing_is_to_be_done(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any], options: dict[str, Any], ends: bool
) -> None:
    host = Host(monkeypatch, {"parts": parts})
    host.ask(parts=[{"name": name, "plan": PLAN} for name in parts], **{"give_turn_back": True, **options})
    assert bool(host.executed) is ends


@pytest.mark.parametrize("answer", [{"failed": True, "msg": "no"}, {"unreachable": True}])
def test_what_goes_wrong_on_the_host_is_passed_on(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    host = Host(monkeypatch, answer)
    assert host.ask(parts=[{"name": "director"}], give_turn_back=True) == answer
    assert host.executed == []


def test_of_more_packets_than_are_looked_at_it_says_how_many_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(preflight._display, "warning", warned.append)
    host = Host(monkeypatch, {"parts": {"director": found()}})
    packets = [{"name": str(number), "hook": "input", "protocol": "tcp"} for number in range(250)]
    given = {"name": "director", "plan": {**PLAN, "passing": packets}}
    assert host.ask(parts=[given])["parts"]["director"]["plan"] == PLAN
    assert len(host.asked["parts"][0]["plan"]["passing"]) == 200
    assert len(given["plan"]["passing"]) == 250
    assert warned == [
        "not looked at: web1: whether its packet filter drops 50 of 250 kinds of packets: 200 are looked at"
    ]


@pytest.mark.parametrize(
    "parts", ["name=director", ["name=director"], [{"name": "director", "plan": "take_over=true"}]]
)
def test_parts_of_which_the_module_makes_mappings(monkeypatch: pytest.MonkeyPatch, parts: Any) -> None:
    host = Host(monkeypatch, {"parts": {"director": found()}})
    assert host.ask(parts=parts)["parts"]["director"]["plan"] == {}
