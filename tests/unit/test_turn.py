# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is on a host, and which run of ansible-playbook is at work."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _turn
from ansible_collections.lvs.topology.plugins.plugin_utils import _run
from ansible_collections.lvs.topology.plugins.plugin_utils._run import Run


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv(_turn.ENVIRONMENT, raising=False)
    return str(tmp_path / "turn")


def test_one_run_at_a_time_has_its_turn(path: str) -> None:
    first = _turn.take("one", "ada", path=path)
    assert (first.run, first.who) == ("one", "ada")
    assert _turn.take("two", "bob", path=path) == first
    # The other one's end does not end it, its own does.
    _turn.give_back("two", path)
    assert _turn.take("two", "bob", path=path).run == "one"
    _turn.give_back("one", path)
    assert not os.path.exists(path)
    assert _turn.take("two", "bob", path=path).run == "two"


def test_a_run_that_has_ended_or_is_silent_has_lost_its_turn(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(_turn, "_clock", lambda: now[0])
    _turn.take("one", "ada", path=path)
    assert _turn.take("two", "bob", ended=["somebody", "one"], path=path).run == "two"
    now[0] += _turn.EXPIRES
    assert _turn.take("one", "ada", path=path).run == "two"
    now[0] += 1
    assert _turn.take("one", "ada", path=path).run == "one"
    # Of an earlier boot, where /run has outlived it.
    now[0] = 5.0
    assert _turn.take("two", "bob", path=path).run == "two"


def test_each_module_keeps_the_turn_of_its_run_and_refuses_in_that_of_another(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(_turn, "_clock", lambda: now[0])
    since = _turn.take("one", "ada", path=path).since
    monkeypatch.setenv(_turn.ENVIRONMENT, "one")
    for _number in range(5):
        now[0] += _turn.EXPIRES - 1
        _turn.keep(path)
        assert _turn.take("two", "bob", path=path).who == "ada"
    monkeypatch.setenv(_turn.ENVIRONMENT, "two")
    with pytest.raises(_turn.NotOurTurn, match=f"the turn of another run on this host, ada, since {since[:10]}"):
        _turn.keep(path)
    monkeypatch.delenv(_turn.ENVIRONMENT)
    _turn.keep(path)  # a module by itself


def test_a_run_goes_on_after_a_reboot(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_turn.ENVIRONMENT, "one")
    _turn.keep(path)
    assert _turn.take("two", "bob", path=path).run == "one"


HUGE = b'{"run": "x", "who": "x", "since": "x", "heard": ' + b"9" * 400 + b"}"


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[]", b"{}", b'{"run": 1}', b"[" * 4096, b"1" * 5000, HUGE])
def test_what_nobody_has_written_so_is_nobodys_turn(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    assert _turn.take("one", "ada", path=path).run == "one"


def test_where_no_turn_can_be_noted_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(_turn.NotOurTurn, match="cannot be used: No such file or directory"):
        _turn.take("one", "ada", path=str(tmp_path / "missing/turn"))


def _compete(path: str, name: str, log: str) -> None:
    for _number in range(30):
        while _turn.take(name, name, path=path).run != name:
            pass
        with open(log, "a", encoding="ascii") as file:
            file.write(f"{name} begins\n")
            file.flush()
            file.write(f"{name} ends\n")
        _turn.give_back(name, path)


def test_several_at_once_are_never_both_at_work(path: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    competitors = [multiprocessing.Process(target=_compete, args=(path, name, str(log))) for name in ("a", "b", "c")]
    for process in competitors:
        process.start()
    for process in competitors:
        process.join(300)
        assert process.exitcode == 0
    lines = log.read_text().splitlines()
    assert len(lines) == 180
    assert all(one.split()[0] == other.split()[0] for one, other in zip(lines[::2], lines[1::2], strict=True))


def test_a_run_is_known_to_have_ended_only_where_that_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    this = Run.this()
    assert this.process in (os.getpid(), os.getppid())
    assert Run.from_text(str(this)) == this
    assert not this.has_ended()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        run = this._replace(process=other.pid, started=_run._start_of(other.pid))
        assert not run.has_ended()
        assert other.stdin is not None
        other.stdin.close()
        other.wait()
    assert run.has_ended()
    # Where /proc hides the processes of others, only that a number is nobody's is certain.
    monkeypatch.setattr(_run, "_start_of", lambda _process: None)
    assert run.has_ended()
    assert not this.has_ended()
    monkeypatch.undo()
    # Its number belongs to another process now.
    assert this._replace(started="1").has_ended()
    # Elsewhere, or before this machine was started, the number says nothing.
    assert not run._replace(controller="elsewhere").has_ended()
    assert not run._replace(boot="earlier").has_ended()
    assert not run._replace(started="").has_ended()
    for text in ("", "a/b/c", "a/b/c/d", "a/b/-1/d", f"a/b/{'9' * 5000}/d", "a/b/\u0663/d"):
        assert Run.from_text(text) is None


def _of_child(queue: multiprocessing.Queue[str]) -> None:
    queue.put(str(Run.this()))


def test_a_task_belongs_to_the_run_of_its_parent() -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_of_child, args=(queue,))
    child.start()
    assert Run.from_text(queue.get(timeout=60)).process == os.getpid()
    child.join(60)
