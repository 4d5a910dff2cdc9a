# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role keepalived has written beside keepalived.conf, and what a run that was killed leaves of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_files
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.findings import (
    AT_RISK,
    WORTH_KNOWING,
    _of_configuration,
)

ROLE = Path(__file__).parents[3] / "roles/keepalived"
OF_GUARD = ["lvs_guard", "guard", "guard.lock"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(keepalived_files, "CREDENTIALS", str(tmp_path / "lvs_checks"))
    monkeypatch.setattr(keepalived_files, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(keepalived_files, "_OF_GUARD", tuple(str(tmp_path / name) for name in OF_GUARD))
    return tmp_path


@pytest.mark.parametrize(
    ("there", "asked", "left_over"),
    [
        ([], None, []),
        ([], {"credentials": ["mysql-1"], "guard": "#!"}, []),
        (["lvs_checks/mysql-1", "lock"], {"credentials": ["mysql-1"]}, []),
        # The last run was killed when keepalived had read that there is another check.
        (["lvs_checks/mysql-1", "lvs_checks/redis-2"], {"credentials": ["mysql-1"]}, ["lvs_checks/redis-2"]),
        # It was killed while it wrote one.
        (["lvs_checks/.ansible_tmpx", "lvs_checks/a"], {"credentials": ["a"]}, ["lvs_checks/.ansible_tmpx"]),
        # No check logs in any more.
        (["lvs_checks/mysql-1", "lvs_guard"], {"credentials": [], "guard": "#!"}, ["lvs_checks"]),
        (["lvs_guard", "guard", "guard.lock"], {"guard": ""}, OF_GUARD),
        (["lvs_guard", "guard.lock", "lock"], {}, ["lvs_guard", "guard.lock"]),
        # There is no configuration any more.
        (["lvs_checks/mysql-1", "guard", "lock"], None, ["lvs_checks", "guard", "lock"]),
    ],
)
def test_what_is_left_over(place: Path, there: list[str], asked: Any, left_over: list[str]) -> None:
    for name in there:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("")
    assert keepalived_files.left_over(asked) == [str(place / name) for name in left_over]


def test_credentials_that_are_missing(place: Path) -> None:
    asked = {"credentials": ["mysql-1", "redis-2"]}
    assert keepalived_files.missing(asked) == [str(place / "lvs_checks/mysql-1"), str(place / "lvs_checks/redis-2")]
    (place / "lvs_checks").mkdir()
    (place / "lvs_checks/redis-2").write_text("")
    assert keepalived_files.missing(asked) == [str(place / "lvs_checks/mysql-1")]


def test_a_link_to_nowhere_is_left_over_as_well(place: Path) -> None:
    (place / "lvs_checks").symlink_to(place / "nowhere")
    assert keepalived_files.left_over({}) == [str(place / "lvs_checks")]


def test_verify_names_each_of_them() -> None:
    lines = ["write /etc/keepalived/lvs_checks/mysql-1", "remove /etc/keepalived/lvs_checks/redis-2"]
    said = [str(each.what) for each in _of_configuration("lb1", lines)]
    assert said == [
        "/etc/keepalived/lvs_checks/redis-2 is left over from an earlier run",
        "/etc/keepalived/lvs_checks/mysql-1 is not as the model has it",
    ]


def test_verify_speaks_of_logins_where_there_may_be_any() -> None:
    paths = (keepalived_files.CREDENTIALS, *keepalived_files._OF_GUARD, keepalived_files.LOCK)
    found = list(_of_configuration("lb1", [f"remove {path}" for path in paths]))
    assert [each.degree for each in found] == [AT_RISK, *[WORTH_KNOWING] * 4]
    assert ["logged in" in each.effect for each in found] == [True, *[False] * 4]


def test_an_absent_director_keeps_none_of_them() -> None:
    """It has no plan, and is not asked, so the role names them itself."""
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    named = [variables[each.strip("{} ")] if "{{" in each else each for each in variables["__keepalived_files"]]
    assert sorted(named) == sorted([keepalived_files.CREDENTIALS, *keepalived_files._OF_GUARD, keepalived_files.LOCK])
