# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another Python for the modules of the kernel tests: which one is taken, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "lab"))

from lvslab import kernel_test
from lvslab.common import LabError


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    for version, program in (("3.8.18", "python3.8"), ("3.13.0", "python3.13"), ("3.1.4", "python3.1")):
        directory = tmp_path / "versions" / version / "bin"
        directory.mkdir(parents=True)
        (directory / program).touch()
    return tmp_path


def test_the_version_that_is_asked_for(pyenv: Path) -> None:
    assert kernel_test.interpreter("3.8") == pyenv / "versions/3.8.18"
    assert kernel_test.interpreter("3.1") == pyenv / "versions/3.1.4"
    assert kernel_test.interpreter("3.9") is None


def test_the_guest_sees_it_where_it_is_outside() -> None:
    script = kernel_test.guest_script(["tests"], ["/run/x"], "token", "3.8", Path("/home/a b/3.8.18"))
    assert "mount -t hostfs -o ro,'/home/a b/3.8.18' hostfs '/home/a b/3.8.18'\n" in script
    assert "export LVS_MODULE_PYTHON='/home/a b/3.8.18/bin/python3.8'\n" in script
    assert "LVS_MODULE_PYTHON=" not in kernel_test.guest_script(["tests"], ["/run/x"], "token")


@pytest.mark.usefixtures("pyenv")
def test_one_that_is_missing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LabError, match=r"Python 3\.9 is not on this machine: pyenv install 3\.9"):
        kernel_test.main(["--python", "3.9", "tests/kernel/test_examples.py"])
    assert kernel_test.main(["--python", "3.9", "--if-present", "tests/kernel/test_examples.py"]) == 0
    assert "NOT TESTED: modules on Python 3.9" in capsys.readouterr().err
