# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directors as they are now, read back by adopt, are an inventory for which site has nothing to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def without_directors(scenario: Any) -> dict[str, Any]:
    """The scenario's inventory without what its directors do, but for what expected.yml says, with its reason."""
    inventory = yaml.safe_load((scenario.directory / "inventory/hosts.yml").read_text())
    kept = {"lvs_address", *scenario.expected["adopted"].get("by_hand", ())}
    directors = inventory["lvs_directors"]
    scopes = [values for each in (inventory["all"], directors) if (values := each.get("vars"))]
    for values in (*scopes, *directors["hosts"].values()):
        for name in set(values) - kept:
            del values[name]
    return dict(inventory)


def remarks_of(read: Path) -> list[str]:
    """What adopt says beside what it writes: above each list of a table, or in the remarks of files."""
    remarks = read / "remarks.txt"
    if remarks.exists():
        titles = ("Not carried over: ", "To be known, or decided: ")
        return [line for line in remarks.read_text().splitlines() if line and not line.startswith(titles)]
    text = "".join(each.read_text() for each in read.iterdir())
    return [line for line in text.splitlines() if line.startswith("# - ")]


def test_what_adopt_reads_is_what_the_hosts_do(scenario: Any, tmp_path: Path) -> None:
    expected = scenario.expected["adopted"]
    of_files = expected["from"] == "files"
    rest = tmp_path / "rest"
    rest.mkdir()
    (rest / "hosts.yml").write_text(yaml.safe_dump(without_directors(scenario)))
    # Of a table there is a list of variables for each director, of files an inventory.
    read = tmp_path / "read" if of_files else rest / "host_vars"
    source = ("--extra-vars", "lvs_adopt_from=hosts") if of_files else ()
    adopted = scenario.try_playbook(
        "lvs.topology.adopt", "--extra-vars", f"lvs_adopt_directory={read}", *source, inventory=rest
    )
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr

    # Everything that is said is one of these, and all of them are said.
    said, remarks = expected.get("said", []), remarks_of(read)
    assert [line for line in remarks if not any(each in line for each in said)] == []
    assert [each for each in said if not any(each in line for line in remarks)] == []

    inventories = ("--inventory", str(read)) if of_files else ()
    checked = scenario.try_playbook("lvs.topology.site", "--check", "--diff", *inventories, inventory=rest)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert {host: parts for host, parts in scenario.changed(checked.stdout).items() if parts} == {}, checked.stdout
