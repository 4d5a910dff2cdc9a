# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plan_directory: only what differs is written, nothing of others goes, and no link leads anywhere."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.lvs.topology.plugins.action.plan_directory import ActionModule
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.on_paper import INDEX

ASKED = {"parts": [{"owner": "director", "plan": {"addresses": [{"address": "192.0.2.1/32", "interface": "lo"}]}}]}
LINE = "address replace 192.0.2.1/32 dev lo\n"


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})


def write(path: Any, hosts: Any, *, check_mode: bool = False, diff: bool = False, known: Any = ()) -> dict[str, Any]:
    action = ActionModule.__new__(ActionModule)
    args = {"path": path if path is None else str(path), "hosts": hosts, "known": [*known]}
    action._task = SimpleNamespace(args=args, check_mode=check_mode, diff=diff)
    return action.run(task_vars={})


def below(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["plan", "a b/ü", "x\\1", "{{ 1 + 1 }}", "$HOME"])
def test_it_is_written_once(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    predicted = write(folder, {"lb1": ASKED}, check_mode=True, diff=True)
    assert not folder.exists()
    found = write(folder, {"lb1": ASKED}, diff=True)
    assert found == predicted
    assert found["written"] == ["lb1/director.ip", INDEX]
    assert found["diff"][0]["after"].endswith(LINE)
    assert below(folder)["lb1/director.ip"].endswith(LINE)
    assert write(folder, {"lb1": ASKED}) == {"changed": False, "written": [], "removed": []}


def test_what_ends_lines_otherwise_is_written_once_as_well(tmp_path: Path) -> None:
    asked = {"guard": "#!/bin/sh\r\necho\r"}
    assert write(tmp_path, {"lb1": asked})["written"] == ["lb1/lvs_guard", INDEX]
    assert (tmp_path / "lb1/lvs_guard").read_bytes() == asked["guard"].encode()
    assert not write(tmp_path, {"lb1": asked})["changed"]


def test_modes_do_not_depend_on_the_shell(tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        write(tmp_path / "plan", {"lb1": ASKED})
    finally:
        os.umask(former)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in (tmp_path / "plan").rglob("*")}
    assert modes == {"plan/lb1": 0o755, "plan/lb1/director.ip": 0o644, "plan/plan.txt": 0o644}


def test_what_goes(tmp_path: Path) -> None:
    write(tmp_path, {"lb1": ASKED, "lb2": ASKED, "lb3": ASKED}, known=["lb1", "lb2", "lb3"])
    (tmp_path / "lb2/notes").write_text("somebody's")
    # lb3 has no part in this run.
    assert write(tmp_path, {"lb1": {}, "lb2": {}}, known=["lb1", "lb2", "lb3"])["removed"] == [
        "lb1/director.ip",
        "lb2/director.ip",
    ]
    assert sorted(below(tmp_path)) == ["lb2/notes", "lb3/director.ip", INDEX]
    assert not (tmp_path / "lb1").exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda place: (place / "lb1").symlink_to("/tmp"), "lb1 is a link"),
        (lambda place: (place / "lb1").write_text(""), "lb1 is no folder"),
        (lambda place: (place / "lb1/director.ip").mkdir(parents=True), "lb1/director.ip is no file"),
        (lambda place: os.mkfifo(place / INDEX), "plan.txt is no file"),
        (lambda place: (place / INDEX).symlink_to("/etc/passwd"), "plan.txt is a link"),
        # What is to be removed is looked at in the same way.
        (lambda place: ((place / INDEX).write_text("lb9/x.ip\n"), (place / "lb9").symlink_to("/tmp")), "lb9 is a link"),
    ],
)
def test_what_is_in_the_way(tmp_path: Path, make: Any, said: str) -> None:
    make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AnsibleActionFail, match=f"Nothing was written. Remove what is in the way: .*{said}"):
        write(tmp_path, {"lb1": ASKED})
    assert sorted(tmp_path.rglob("*")) == before


def test_a_path_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleActionFail, match=r"Not a directory. Nothing was written\."):
        write(tmp_path / "file", {"lb1": ASKED})
    for path in (None, ""):
        with pytest.raises(AnsibleActionFail, match="Name a folder"):
            write(path, {"lb1": ASKED})


def test_what_was_written_before_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def replace(source: str, target: Path) -> None:
        if target.name == INDEX:
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(AnsibleActionFail, match=r"No space left on device\. Written before: lb1/director\.ip\."):
        write(tmp_path, {"lb1": ASKED})
    assert sorted(below(tmp_path)) == ["lb1/director.ip"]


def test_what_is_wrong_is_said_of_every_host(tmp_path: Path) -> None:
    wrong = {"parts": [{"owner": "director", "plan": {"addresses": [{"address": "x", "interface": "lo"}]}}]}
    with pytest.raises(AnsibleActionFail, match=r"Nothing was written. 'lb 1' is no name of a folder(.|\n)*lb2: "):
        write(tmp_path, {"lb 1": ASKED, "lb2": wrong})
    for hosts in (None, 3, ["lb1"]):
        with pytest.raises(AnsibleActionFail, match="hosts: must be a mapping"):
            write(tmp_path, hosts)


def test_a_file_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, {"lb1": ASKED})
    (tmp_path / "lb1/director.ip").write_bytes(b"\xff\x1b[2J\n")
    found = write(tmp_path, {"lb1": ASKED}, diff=True)
    assert found["diff"][0]["before"] == "\\xff\\x1b[2J\n"
