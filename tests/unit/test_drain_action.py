# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of ipvs_real_server: how long draining waits, what it says meanwhile, and what it returns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.action import ipvs_real_server as plugin

QUIESCED = "ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.51:80 -g -w 0"
REMOVED = "ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.51:80"


def said(active: int, **more: Any) -> dict[str, Any]:
    """What the module answers, with so many connections left."""
    connections = {"active": active, "inactive": 0, "persistent": 0}
    answer = {"changed": False, "changes": [], "former_weight": 0, "connections": connections, "drained": not active}
    return {**answer, "removed": False, **more}


FIRST = {"changed": True, "changes": [QUIESCED], "former_weight": 3}


class Host:
    """Answers in turn. Each call takes as long as it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.shown: list[str] = []
        now = [100.0]
        left = list(answers)

        def execute(_self: Any, module_args: dict[str, Any], **_keywords: Any) -> dict[str, Any]:
            self.asked.append(module_args)
            answer = left.pop(0)
            if answer.get("unreachable"):
                raise AnsibleConnectionFailure(answer["msg"])
            now[0] += 0 if answer.get("drained", True) else module_args["timeout"]
            return answer

        monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
        monkeypatch.setattr(plugin.ActionModule, "_execute_module", execute)
        monkeypatch.setattr(plugin.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(plugin._display, "display", self.shown.append)

    def drain(self, check_mode: bool = False, async_val: int = 0, **args: Any) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        asked = {"address": "10.0.0.51", "port": 80, "state": "drained", **args}
        action._task = SimpleNamespace(args=asked, check_mode=check_mode, async_val=async_val)
        return action.run(task_vars={"inventory_hostname": "lb1"})


def test_a_long_drain_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, said(7, **FIRST), said(2), said(0), said(0, changed=True, changes=[REMOVED], removed=True))
    answer = host.drain(timeout=60)
    assert [(each["timeout"], each["on_timeout"], each["remove"]) for each in host.asked[:3]] == [
        (10, "proceed", False)
    ] * 3
    assert [each.get("waited") for each in host.asked] == [None, 10.0, 20.0, 20.0]
    # The last one is as it was asked for.
    assert (host.asked[3].get("remove"), host.asked[3].get("on_timeout"), host.asked[3]["timeout"]) == (None, None, 40)
    assert host.shown == [
        "lb1: 10.0.0.51:80 has weight 0 and 7 active connections; the task fails in 50 s at the latest.",
        "lb1: 10.0.0.51:80 has weight 0 and 2 active connections; the task fails in 40 s at the latest.",
    ]
    assert (answer["changed"], answer["changes"], answer["former_weight"]) == (True, [QUIESCED, REMOVED], 3)
    assert answer["removed"]


def test_a_drain_that_stays_in_the_table_needs_no_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, said(1, **FIRST), said(0))
    answer = host.drain(timeout=60, remove=False)
    assert len(host.asked) == 2
    assert (answer["changes"], answer["former_weight"]) == ([QUIESCED], 3)


@pytest.mark.parametrize("remove", ["no", "False ", 0, False])
def test_every_spelling_of_what_stays_is_read_as_the_module_does(monkeypatch: pytest.MonkeyPatch, remove: Any) -> None:
    host = Host(monkeypatch, said(1, **FIRST), said(0))
    host.drain(timeout="60", remove=remove)
    assert len(host.asked) == 2


def test_a_time_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    over = {"failed": True, "msg": "It still has connections.", "applied": [], "remaining": [REMOVED]}
    host = Host(monkeypatch, said(1, **FIRST), said(1), over)
    answer = host.drain(timeout=25, on_timeout="fail")
    assert [(each["timeout"], each["on_timeout"]) for each in host.asked] == [
        (10, "proceed"),
        (10, "proceed"),
        (5, "fail"),
    ]
    assert (answer["failed"], answer["changed"], answer["applied"]) == (True, True, [QUIESCED])
    assert answer["msg"] == "It still has connections. Before this task it had weight 3."


def test_what_goes_on_without_them_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, said(1, **FIRST), said(1), said(1))
    host.drain(timeout=25, on_timeout="proceed")
    assert "goes on without them in 15 s" in host.shown[0]


def test_a_failure_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"failed": True, "msg": "no such service"}
    host = Host(monkeypatch, wrong)
    assert host.drain(timeout=60) == wrong


@pytest.mark.parametrize(
    ("before", "last", "expected"),
    [
        (3, {"failed": True, "msg": "No."}, "No. Before this task it had weight 3."),
        (0, {"failed": True, "msg": "No."}, "No."),
        (
            3,
            {"unreachable": True, "msg": "Connection refused."},
            "Connection refused. The real server has weight 0. Before this task it had weight 3.",
        ),
        (0, {"unreachable": True, "msg": "Connection refused."}, "Connection refused."),
    ],
)
def test_the_weight_to_put_back_is_said(
    monkeypatch: pytest.MonkeyPatch, before: int, last: dict[str, Any], expected: str
) -> None:
    changes = {"changed": True, "changes": [QUIESCED]} if before else {}
    for answers in ([], [said(1)]):
        host = Host(monkeypatch, said(1, former_weight=before, **changes), *answers, {**last})
        answer = host.drain(timeout=25)
        assert (answer["msg"], answer["changed"], answer["former_weight"]) == (expected, bool(before), before)
        assert answer.get("unreachable") == last.get("unreachable")


def test_a_host_that_was_never_reached_is_ansibles_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, {"unreachable": True, "msg": "Connection refused."})
    with pytest.raises(AnsibleConnectionFailure):
        host.drain(timeout=60)


@pytest.mark.parametrize(
    "args",
    [
        {"timeout": 10},
        {"timeout": "0"},
        {"timeout": "soon"},
        {"timeout": 60.5},
        {"timeout": "60.5"},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"timeout": "1e400"},
        {"timeout": "9" * 5000},
        {"timeout": True},
        {"timeout": [60]},
        {"timeout": None},
        {"timeout": 60, "on_timeout": None},
        {"timeout": 60, "remove": None},
        {"timeout": 60, "on_timeout": "procede"},
        {"timeout": 60, "on_timeout": ["fail"]},
        {"timeout": 60, "remove": "ture"},
        {"timeout": 60, "remove": "\udcff"},
        {"timeout": 60, "remove": 2},
        {"timeout": 60, "remove": ""},
        {"timeout": 60, "remove": []},
        {"timeout": 60, "remove": {"yes": True}},
        {"timeout": 2678401},
        {"timeout": 60, "check_mode": True},
        {"timeout": 60, "async_val": 100},
        {"state": "present"},
    ],
)
def test_everything_else_is_one_call_as_it_was_asked_for(monkeypatch: pytest.MonkeyPatch, args: dict[str, Any]) -> None:
    host = Host(monkeypatch, {"changed": False})
    assert host.drain(**args) == {"changed": False}
    assert host.asked == [
        {
            "address": "10.0.0.51",
            "port": 80,
            "state": "drained",
            **{key: value for key, value in args.items() if key in ("timeout", "state", "on_timeout", "remove")},
        }
    ]
    assert host.shown == []
