# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directors as they are now, read back by adopt, are an inventory for which site has nothing to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def without_directors(scenario: Any) -> dict[str, Any]:
    """The scenario's inventory without what directors do: who the hosts are, and what the scenario's file says.

    What adopt cannot read stands in expected.yml, below adopted, with its reason.
    """
    inventory = yaml.safe_load((scenario.directory / "inventory/hosts.yml").read_text())
    kept = {"lvs_address", *scenario.expected["adopted"].get("by_hand", ())}
    directors = inventory["lvs_directors"]
    scopes = [inventory["all"], directors, *({"vars": values} for values in directors["hosts"].values())]
    for scope in scopes:
        values = scope.get("vars") or {}
        for name in set(values) - kept:
            del values[name]
    return dict(inventory)


def test_what_adopt_reads_is_what_the_hosts_do(scenario: Any, tmp_path: Path) -> None:
    rest, read = tmp_path / "rest", tmp_path / "read"
    rest.mkdir()
    (rest / "hosts.yml").write_text(yaml.safe_dump(without_directors(scenario)))
    of_files = scenario.expected["adopted"]["from"] == "files"
    settings = f"lvs_adopt_directory={read if of_files else rest / 'host_vars'}"
    source = ["--extra-vars", "lvs_adopt_from=hosts"] if of_files else []
    result = scenario.try_playbook("lvs.topology.adopt", "--extra-vars", settings, *source, inventory=rest)
    assert result.returncode == 0, result.stdout + result.stderr
    said = (
        (read / "remarks.txt").read_text()
        if of_files
        else "".join(each.read_text() for each in (rest / "host_vars").iterdir())
    )
    titles = ("Not carried over: ", "To be known, or decided: ")
    lines = said.splitlines()
    remarks = [
        line for line in lines if (line and not line.startswith(titles) if of_files else line.startswith("# - "))
    ]
    expected = scenario.expected["adopted"].get("said", [])
    assert len(remarks) == len(expected), said
    assert [each for each in expected if each not in " ".join(said.replace("#  ", "").split())] == [], said
    both = ("--inventory", str(read)) if of_files else ()
    result = scenario.try_playbook("lvs.topology.site", "--check", "--diff", *both, inventory=rest)
    assert result.returncode == 0, result.stdout + result.stderr
    assert {host: parts for host, parts in scenario.changed(result.stdout).items() if parts} == {}, result.stdout
