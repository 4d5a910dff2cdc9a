# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of playbooks: each is known, documented, of its type, and of a value that makes sense."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.filter.unknown_names import unknown_names
from ansible_collections.lvs.topology.plugins.filter.words import words
from ansible_collections.lvs.topology.plugins.filter.wrong_values import wrong_values
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.playbook_values import CHOICES, LISTS, NUMBERS
from ansible_collections.lvs.topology.tests.unit.test_playbooks import PLAYBOOKS, ROLLED, plays

VARIABLES = PLAYBOOKS[0].parent / "tasks/variables.yml"
DOCUMENT = (PLAYBOOKS[0].parents[1] / "docs/playbooks.md").read_text()
# Whom a play is for, and what the model says, is in docs/model.md.
OF_THE_MODEL = {
    "lvs_services", "lvs_bgp", "lvs_state", "lvs_directors", "lvs_directors_group", "lvs_real_servers",
    "lvs_real_servers_group", "lvs_metrics",
    # The variable of a loop, which the filter unannounced reads in its results.
    "lvs_announcer",
}  # fmt: skip


def arguments() -> dict[str, dict[str, Any]]:
    (task,) = yaml.safe_load(VARIABLES.read_text())
    return dict(task["vars"]["__lvs_arguments"])


def used(path: Path) -> set[str]:
    """The variables of users in a playbook, without its comments, and in what it reads."""
    texts = [path, *(path.parent / name for play in plays(path) for name in play.get("vars_files", []))]
    imported = {str(each.get("ansible.builtin.import_tasks", "")) for play in plays(path) for each in play["tasks"]}
    texts += [path.parent / name for name in imported - {"", "tasks/variables.yml"}]
    return {
        name for text in texts for name in re.findall(r"\blvs_\w+", re.sub(r"^ *#.*", "", text.read_text(), flags=re.M))
    }


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_variable_of_a_playbook_is_looked_at_before_anything_is_touched(path: Path) -> None:
    assert used(path) - OF_THE_MODEL <= set(arguments().get(path.stem, {}))
    asked = {play["name"]: play["tasks"][0].get("vars") for play in plays(path) if used(path) - OF_THE_MODEL}
    if asked:
        assert next(iter(asked.values())) == {"__lvs_playbook": path.stem}


def test_numbers_and_words_are_looked_at_in_one_place() -> None:
    """Of every number and of every word with a choice, and of nothing else."""
    types = {name: spec["type"] for specs in arguments().values() for name, spec in specs.items()}
    # What it is, the tables say.
    looked_at = {*NUMBERS, "lvs_adopt_weight"}
    assert looked_at == {name for name, kind in types.items() if kind == "int"}
    assert {*CHOICES} == {name for name, kind in types.items() if kind == "str"}
    assert {*LISTS} <= {name for name, kind in types.items() if kind == "list"}


GOOD = {"lvs_drain_ramp_steps": "99", "lvs_drain_ramp_from": 1, "lvs_drain_ramp_pause": 9999, "lvs_drain_timeout": 0}


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({}, []),
        ({"lvs_adopt_weight": -1, "lvs_drain": 7}, []),
        (GOOD, []),
        ({**GOOD, "lvs_drain_ramp_steps": 100}, ["lvs_drain_ramp_steps: 100 is no number of this kind; use 0 to 99"]),
        ({"lvs_drain_ramp_from": "0"}, ["lvs_drain_ramp_from: '0' is no number of this kind; use 1 to 99"]),
        ({"lvs_rolling_serial": 0}, ["lvs_rolling_serial: 0 is no number of this kind; use 1 to 999999"]),
        # The module would refuse it when the real server has weight 0 already.
        ({"lvs_drain_timeout": 2678401}, ["lvs_drain_timeout: 2678401 is no number of this kind; use 0 to 2678400"]),
        ({"lvs_rolling_delay": True}, ["lvs_rolling_delay: true is no number of this kind; use 0 to 2678400"]),
        ({"lvs_drain_state": "drained", "lvs_drain_on_timeout": "proceed"}, []),
        ({"lvs_drain_state": ""}, ["lvs_drain_state: '' is not known; use one of drained, present"]),
        ({"lvs_drain_on_timeout": "prceed"}, ["lvs_drain_on_timeout: 'prceed' is not known; did you mean proceed? "]),
        ({"lvs_drain_wait_for": "active, inactive"}, []),
        ({"lvs_drain_wait_for": ""}, []),
        ({"lvs_drain_wait_for": ["active", "all"]}, ["lvs_drain_wait_for: 'all' is not known; use one of active, "]),
        ({"lvs_drain_wait_for": [7]}, ["lvs_drain_wait_for: 7 is not known; use one of active, "]),
    ],
)
def test_values_that_make_no_sense(given: dict[str, Any], lines: list[str]) -> None:
    found = wrong_values(given)
    assert len(found) == len(lines), found
    assert all(line.startswith(begins) for line, begins in zip(found, lines, strict=True)), found


@pytest.mark.parametrize(
    ("kind", "good", "bad", "said"),
    [
        ("list", [["a"], "a,b", 7, None], [{"a": 1}], "is a mapping; use a list, or a text with commas"),
        ("dict", [{"a": 1}, "a=1"], [["a"]], "is a list; use a mapping"),
        ("path", ["~/x", 7], [["x"]], "is a list; use text"),
        ("str", ["x", None], [{"a": 1}], "is a mapping; use text"),
        ("dict", ["a=1, b=2", '{"a": 1}'], ["abc"], "is 'abc'; use a mapping"),
        ("bool", [True, "no", 1, "1", "0", "T", "off", 0.0], ["perhaps"], "is 'perhaps'; use true or false"),
        ("bool", [], [[True]], "is a list; use true or false"),
        ("int", [5, "5"], ["5m"], "is '5m'; use a whole number"),
    ],
)
def test_values_of_another_type(kind: str, good: list[Any], bad: list[Any], said: str) -> None:
    types = {"lvs_it": {"type": kind}}
    assert [wrong_values({"lvs_it": each}, types) for each in good] == [[]] * len(good)
    assert [wrong_values({"lvs_it": each}, types) for each in bad] == [[f"lvs_it: {said}"]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("active, inactive", ["active", "inactive"]),
        (["active", " persistent "], ["active", "persistent"]),
        ("active,,", ["active"]),
        # The module waits for its own kinds.
        ("", []),
        (",", []),
        ([], []),
        (None, []),
    ],
)
def test_a_list_may_be_a_text_with_commas(given: Any, expected: list[str]) -> None:
    """The playbooks use these words, and so does the check of what they are."""
    assert words(given) == expected
    assert wrong_values({"lvs_drain_wait_for": given}) == []
    asked = yaml.safe_load((PLAYBOOKS[0].parent / "vars/drain.yml").read_text())["__lvs_kinds"]
    assert asked == "{{ lvs_drain_wait_for | default([]) | lvs.topology.words }}"


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_variable_of_a_playbook_is_documented(path: Path) -> None:
    section = DOCUMENT.partition(f"\n## {path.stem}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(lvs_\w+)` \|", section, re.MULTILINE)
    own = {name for name in arguments().get(path.stem, {}) if name.startswith(f"lvs_{path.stem}")}
    assert sorted(rows) == sorted(own)


def test_what_somebody_is_told_to_set_is_something_that_a_playbook_takes() -> None:
    """In documents, in messages and in what alerts say is to be done."""
    told = re.compile(rf"\b({'|'.join(CHOICES)})=(\w+)")
    root = PLAYBOOKS[0].parents[1]
    folders = ("docs", "playbooks", "plugins", "roles", "molecule", "tests")
    texts = [root / "README.md", *(path for folder in folders for path in (root / folder).rglob("*"))]
    read = (path.read_text() for path in texts if path.suffix in (".md", ".yml", ".py", ".j2"))
    found = {(name, value) for text in read for name, value in told.findall(text)}
    assert ("lvs_drain_state", "present") in found
    assert {(name, value) for name, value in found if value not in CHOICES[name]} == set()


@pytest.mark.parametrize(
    ("name", "playbook", "meant"),
    [
        ("lvs_drain_timout", "drain", "did you mean lvs_drain_timeout? Otherwise "),
        ("lvs_drain_timout", "verify", "did you mean lvs_drain_timeout? Otherwise "),
        ("lvs_plan_directories", "drain", "did you mean lvs_plan_directory? Otherwise "),
        ("lvs_drian_timeout", "drain", "did you mean lvs_drain_timeout? Otherwise "),
        ("lvs_drian_timeout", "verify", None),
        ("lvs_drain_timeout", "verify", None),
        ("lvs_manager", "verify", None),
        ("lvs_services_web", "drain", None),
        ("drain_timeout", "drain", None),
    ],
)
def test_names_that_no_playbook_has(name: str, playbook: str, meant: str | None) -> None:
    found = unknown_names(["lvs_vrrp", name], arguments(), playbook)
    begins = f"{name}: no playbook has a variable of this name; {meant}use one of "
    assert [each.startswith(begins) for each in found] == [True] * (meant is not None)


def test_names_are_asked_about_for_a_playbook_that_there_is() -> None:
    for given, playbook in ((["lvs_drain"], "drian"), ({"a": 1}, "drain")):
        with pytest.raises(AnsibleFilterError, match=r"Nothing was touched\.\n(playbook|names): "):
            unknown_names(given, arguments(), playbook)


def adopt(tmp_path: Path, **given: Any) -> subprocess.CompletedProcess[str]:
    (tmp_path / "ipvsadm.rules").write_text("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 192.0.2.2:80 -g -w 1\n")
    words = json.dumps({"lvs_adopt_from": str(tmp_path), **given})
    command = ["ansible-playbook", "-i", "localhost,", str(PLAYBOOKS[0].parent / "adopt.yml"), "-e", words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"lvs_adopt_resolv": True},
            "Nothing was touched. lvs_adopt_resolv: no playbook has a variable of this name; did you mean "
            "lvs_adopt_resolve? Otherwise use one of lvs_adopt_directory, ",
        ),
        (
            {"lvs_adopt_resolve": "perhaps"},
            "Nothing was touched. lvs_adopt_resolve: is 'perhaps'; use true or false",
        ),
        ({"lvs_adopt_weight": "abc"}, "Nothing was touched. lvs_adopt_weight: is 'abc'; use a whole number"),
        # Of another playbook, and of none of them.
        ({"lvs_drain_timeout": 5, "lvs_addresses": 1, "lvs_adopt_names": {"a": "192.0.2.9"}}, None),
    ],
)
def test_what_is_misspelled_is_refused_by_name(tmp_path: Path, given: dict[str, Any], said: str | None) -> None:
    done = adopt(tmp_path, **given)
    output = " ".join(done.stdout.split())
    assert (done.returncode == 0) is (said is None), output
    assert said is None or said in output + " ".join(done.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("playbook", "given", "said"),
    [
        ("drain", {"lvs_drain": "web1", "lvs_drain_ramp_steps": "100"}, "lvs_drain_ramp_steps: '100' is no number"),
        (
            "rolling",
            {"lvs_drain_wait_for": "al", "lvs_rolling_serial": "0"},
            "lvs_rolling_serial: '0' is no number",
        ),
        ("drain_directors", {"lvs_drain_directors_state": "gone"}, "lvs_drain_directors_state: 'gone' is not known"),
        ("drain_directors", {}, "Give lvs_drain_directors"),
        ("drain_directors", {"lvs_drain_directors": "web1"}, "web1: is no director that is present"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_host_is_asked(
    tmp_path: Path, playbook: str, given: dict[str, str], said: str
) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(json.dumps({name: {"hosts": dict.fromkeys(hosts)} for name, hosts in ROLLED.items()}))
    path = str(PLAYBOOKS[0].parent / f"{playbook}.yml")
    command = ["ansible-playbook", "-i", str(inventory), "-e", json.dumps(given), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0, output
    assert f"Nothing was touched. {said}" in output


def test_a_list_of_what_is_no_text() -> None:
    types = {"lvs_it": {"type": "list", "elements": "path"}}
    assert wrong_values({"lvs_it": ["a", {"b": 1}, ["c"]]}, types) == [
        "lvs_it[1]: is a mapping; use text",
        "lvs_it[2]: is a list; use text",
    ]
