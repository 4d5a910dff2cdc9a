# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the plays of the playbooks name as their hosts, and what their variables are as text of a command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

PLAYBOOKS = sorted((Path(__file__).parents[2] / "playbooks").glob("*.yml"))
JINJA = Environment(undefined=StrictUndefined, autoescape=True)


def plays(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_no_play_names_a_group_that_is_missing(path: Path) -> None:
    groups = {"lvs_directors": ["lb1"]}
    for play in plays(path):
        named = JINJA.from_string(play["hosts"]).render(groups=groups)
        assert named in ("localhost", "all:!all", "lvs_directors"), play["name"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_other_names_of_the_groups_are_taken(path: Path) -> None:
    names = {"lvs_directors": "a", "lvs_real_servers": "b", "lvs_routers": "c", "lvs_clients": "d"}
    given = {f"{group}_group": name for group, name in names.items()}
    groups = {name: ["x"] for name in (*names, *names.values())}
    for play in plays(path):
        usual = JINJA.from_string(play["hosts"]).render(groups=groups)
        named = JINJA.from_string(play["hosts"]).render(groups=groups, **given)
        assert named == ":".join(names.get(each, each) for each in usual.split(":")), play["name"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_booleans_of_the_command_line_are_no_text(path: Path) -> None:
    """A variable whose default is a boolean is only used through the filter bool."""
    for found in re.finditer(r"lvs_\w+ \| default\((?:true|false)\)(.{0,9})", path.read_text()):
        assert found[1].startswith(" | bool"), found[0]
