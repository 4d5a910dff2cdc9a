# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module turn: what it asks a host, and when it stops asking."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.action import turn
from ansible_collections.lvs.topology.plugins.module_utils import _turn
from ansible_collections.lvs.topology.plugins.plugin_utils import _run
from ansible_collections.lvs.topology.plugins.plugin_utils._run import Run

OTHER = {"run": "elsewhere/boot/7/1", "who": "ada on elsewhere, process 7", "since": "2026-01-31 12:00:00 +0000"}
DEAD = {**OTHER, "run": str(Run.this()._replace(started="1"))}
TAKEN = {"changed": False, "taken": True, "run": "this"}


def held_by(holder: dict[str, str]) -> dict[str, Any]:
    return {"changed": False, "taken": False, "run": "this", "holder": holder}


class Host:
    """Answers in turn, and notes what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.slept: list[float] = []
        left = list(answers)

        def execute(_self: Any, module_args: dict[str, Any], **_keywords: Any) -> dict[str, Any]:
            self.asked.append({**module_args, "ended": list(module_args["ended"])})
            return left.pop(0) if len(left) > 1 else left[0]

        monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
        monkeypatch.setattr(turn.ActionModule, "_execute_module", execute)
        now = [0.0]

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            now[0] += seconds

        monkeypatch.setattr(turn.time, "sleep", sleep)
        monkeypatch.setattr(turn.time, "monotonic", lambda: now[0])

    def ask(self, check_mode: bool = False, **args: Any) -> dict[str, Any]:
        action = turn.ActionModule.__new__(turn.ActionModule)
        action._task = SimpleNamespace(args=args, check_mode=check_mode)
        return action.run(task_vars={"inventory_hostname": "web1"})


def test_the_turn_of_a_run_that_has_ended_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, held_by(DEAD), TAKEN)
    assert host.ask(patience=0)["taken"]
    assert [asked["ended"] for asked in host.asked] == [[], [DEAD["run"]]]
    assert host.slept == []
    assert {asked["run"] for asked in host.asked} == {str(Run.this())}


def test_a_host_that_does_not_believe_it_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, held_by(DEAD))
    assert not host.ask(patience=0)["taken"]
    assert len(host.asked) == 2


def test_it_waits_for_another_run_and_says_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, held_by(OTHER), held_by(OTHER), held_by(OTHER), TAKEN)
    said: list[str] = []
    monkeypatch.setattr(turn._display, "display", said.append)
    assert host.ask()["taken"]
    assert len(host.slept) == 3
    assert said == ["Waiting for another run on web1: ada on elsewhere, process 7, since 2026-01-31 12:00:00 +0000."]


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, held_by(OTHER))
    with pytest.raises(AnsibleActionFail, match="at work on web1 for too long: ada on elsewhere, process 7"):
        host.ask(patience=20)
    assert 20 <= sum(host.slept) < 40
    for wrong in ("soon", None, -1, []):
        with pytest.raises(AnsibleActionFail, match=r"patience: .* is not a number of seconds"):
            host.ask(patience=wrong)


def test_check_mode_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, held_by(OTHER))
    assert host.ask(check_mode=True) == {"changed": False, "taken": True, "run": ""}
    assert host.asked == []


@pytest.mark.parametrize("answer", [{"failed": True, "msg": "no"}, {"unreachable": True}, {"taken": False, "run": "x"}])
def test_what_goes_wrong_on_the_host_is_passed_on(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    host = Host(monkeypatch, answer)
    assert host.ask() == answer
    assert len(host.asked) == 1


def test_the_turn_is_given_back_without_a_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file goes where it says that it is this run's turn, and stays where it is another's, or nobody's."""
    path = tmp_path / "turn"
    monkeypatch.setattr(_run, "PATH", str(path))
    host = Host(monkeypatch, TAKEN)

    def low_level(_self: Any, command: str) -> dict[str, Any]:
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    monkeypatch.setattr(turn.ActionModule, "_low_level_execute_command", low_level)
    monkeypatch.delenv(_turn.ENVIRONMENT, raising=False)
    for run, is_left in ((str(Run.this()), False), (OTHER["run"], True)):
        _turn.take(run, "ada", path=str(path))
        assert not host.ask(state="given_back")["taken"]
        assert path.exists() is is_left
    path.unlink()
    assert host.ask(state="given_back")["changed"] is False
    assert host.asked == []
