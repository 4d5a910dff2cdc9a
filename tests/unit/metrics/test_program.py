# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as one file: it has what it imports and no more, and Python alone runs it."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._metrics import ensure, program
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import render
from ansible_collections.lvs.topology.tests.unit.metrics.given import described
from ansible_collections.lvs.topology.tests.unit.metrics.promtool import promtool

MODULE_UTILS = Path(program.__file__).parents[1]
PREFIX = "ansible_collections.lvs.topology.plugins.module_utils"
# The oldest Python of hosts and the newest, where this machine has them.
PYTHONS = [sys.executable, *map(str, sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python")))]


def imported(name: str) -> set[str]:
    """The modules of ours that a module imports when it runs."""
    tree = ast.parse((MODULE_UTILS / (name.replace(".", "/") + ".py")).read_text())
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PREFIX):
            module = (node.module or "")[len(PREFIX) + 1 :]
            for each in node.names:
                whole = f"{module}.{each.name}" if module else each.name
                found.add(whole if (MODULE_UTILS / (whole.replace(".", "/") + ".py")).exists() else module)
    return found


def test_it_has_what_it_imports_and_no_more() -> None:
    needed, left = set(), ["_metrics.exporter"]
    while left:
        name = left.pop()
        if name not in needed:
            needed.add(name)
            left += imported(name)
    assert set(program.MODULES) == needed
    assert len(program.MODULES) == len(needed)


def test_it_is_the_same_wherever_it_is_made() -> None:
    assert program.bundle() == program.bundle()
    with zipfile.ZipFile(io.BytesIO(program.bundle())) as archive:
        assert archive.testzip() is None
        assert not [name for name in archive.namelist() if name.startswith("/") or ".." in name]
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("python", PYTHONS)
def test_python_alone_runs_it(tmp_path: Path, python: str) -> None:
    """Here is no IPVS, so that is said, and all the rest is written."""
    (tmp_path / "metrics.pyz").write_bytes(program.bundle())
    (tmp_path / "metrics.json").write_text(render(described(directory=str(tmp_path))))
    command = [python, "-I", "-S", str(tmp_path / "metrics.pyz"), str(tmp_path / "metrics.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    written = tmp_path / "lvs-topology.prom"
    assert "Traceback" not in done.stderr
    assert 'lvs_topology_source_up{source="addresses"} 1\n' in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    promtool("check", "metrics", text=written.read_text())


def test_one_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "metrics.pyz").write_bytes(program.bundle())
    collector = tmp_path / "collector"
    collector.mkdir()
    (tmp_path / "metrics.json").write_text(render(described(directory=str(collector))))
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(tmp_path / "metrics.pyz")!r})
from {PREFIX}._metrics import exporter
def pieces(_blocks):
    yield "# begun\\n"
    os.kill(os.getpid(), signal.SIGTERM)
    yield "# never\\n"
exporter.render = pieces
sys.exit(exporter.main("0", {str(tmp_path / "metrics.json")!r}))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(collector.iterdir()) == []


def test_a_python_that_the_unit_does_not_see_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, named in (
        ("/opt/venv/bin/python", "/opt/venv/bin/python"),
        ("/root/nowhere/bin/python", "/usr/bin/python3"),
        ("/opt/a b/python", "/usr/bin/python3"),
        ("", "/usr/bin/python3"),
    ):
        monkeypatch.setattr(sys, "executable", given)
        assert ensure._python() == named
    monkeypatch.setattr(ensure.os.path, "realpath", lambda _path: "/usr/bin/python3.11")
    monkeypatch.setattr(sys, "executable", "/root/venv/bin/python")
    assert ensure._python() == "/usr/bin/python3.11"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("{}", "is missing, or not known"),
        (render(described(directory="/nowhere/at/all")), "/nowhere/at/all: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "metrics.pyz").write_bytes(program.bundle())
    (tmp_path / "metrics.json").write_text(text)
    command = [sys.executable, "-I", "-S", str(tmp_path / "metrics.pyz"), str(tmp_path / "metrics.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
