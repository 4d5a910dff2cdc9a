# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that is handed on as text is the plan, wherever it is read: by plugins of the controller, and by modules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.action import host_info, host_state
from ansible_collections.lvs.topology.plugins.filter.host_plan import host_plan
from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import SPEC
from ansible_collections.lvs.topology.plugins.module_utils._look.preflight import PART
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.on_paper import changes_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import plan_text
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair
from ansible_collections.lvs.topology.tests.unit.topology.test_differential import roles_of

MODELS = {**REFERENCES, "DR pair": dr_pair}
UNUSUAL = {"notes": ['Ünd "so" \\ \u2028 \U0001f6a6 {{ 1 + 1 }}', ""], "take_over": True, "timeouts": {"tcp": 900}}


def both(model: Model, host: str, role: str) -> tuple[Any, Any]:
    """The plan as a structure, and as text."""
    plan, text = (host_plan(model.hostvars, model.groups, host, role, as_text=each) for each in (False, True))
    assert isinstance(plan, dict)
    assert isinstance(text, str)
    return plan, text


@pytest.mark.parametrize("name", MODELS)
def test_the_text_is_the_plan(name: str) -> None:
    model = MODELS[name]()
    asked: dict[bool, dict[str, Any]] = {False: {}, True: {}}
    for host, role in roles_of(model):
        plan, text = both(model, host, role)
        assert plan_text.read(text) == plan
        if role == "keepalived":
            continue
        # A module that is called without its part on the controller takes it as well.
        as_mapping, as_text = (validated(PART, {"name": role, "plan": each}) for each in (plan, text))
        assert as_text == as_mapping
        for is_text, each in enumerate((plan, text)):
            part = {"owner": role, "plan": each}
            asked[bool(is_text)].setdefault(host, {"parts": []})["parts"].append(part)
    assert changes_of(asked[True], "", asked[True]) == changes_of(asked[False], "", asked[False])


def test_any_value_stays_what_it_is() -> None:
    assert plan_text.read(plan_text.written(UNUSUAL)) == UNUSUAL
    assert validated({"plan": SPEC["plan"]}, {"plan": plan_text.written(UNUSUAL)})["plan"]["notes"] == UNUSUAL["notes"]


@pytest.mark.parametrize(
    "given",
    ["no plan", "", "take_over=true", None, [], {"notes": []}, 7, "{", "[1", pytest.param("[" * 100_000, id="deep")],
)
def test_what_is_no_text_of_a_plan_is_for_the_module_to_judge(given: Any) -> None:
    assert plan_text.read(given) == given


def asked_of(module: Any, args: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the module gets, of which an action plugin is the part on the controller."""
    asked: dict[str, Any] = {}

    def execute(_self: Any, module_args: dict[str, Any], **_keywords: Any) -> dict[str, Any]:
        asked.update(module_args)
        return {}

    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(module.ActionModule, "_execute_module", execute)
    action = module.ActionModule.__new__(module.ActionModule)
    action._task = SimpleNamespace(args=args, async_val=0)
    action.run(task_vars={})
    return asked


@pytest.mark.parametrize("given", [UNUSUAL, plan_text.written(UNUSUAL), None])
def test_host_state_gets_a_mapping(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    args = {"owner": "director", **({"plan": given} if given else {})}
    asked = asked_of(host_state, args, monkeypatch)
    assert asked == {"owner": "director", **({"plan": UNUSUAL} if given else {})}


def test_host_info_gets_mappings_without_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {**UNUSUAL, "passing": [{"name": "web"}]}
    parts = [{"name": "a", "plan": plan_text.written(whole)}, {"name": "b", "plan": whole}, {"name": "c"}, "name=d"]
    asked = asked_of(host_info, {"parts": parts, "ports": [80]}, monkeypatch)
    assert asked == {
        "parts": [{"name": "a", "plan": UNUSUAL}, {"name": "b", "plan": UNUSUAL}, {"name": "c"}, "name=d"],
        "ports": [80],
    }
    assert asked_of(host_info, {"parts": "name=a"}, monkeypatch) == {"parts": "name=a"}
