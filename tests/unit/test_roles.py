# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README of each role: its examples suit the role's specification and compile, its tags are those of the tasks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.plugin_utils._tags import TAGS, chosen_concerns
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.tests.unit.topology.inventories import facts, nic

ROLES = Path(__file__).parents[2] / "roles"
PREFIX = "lvs.topology."
# The roles to use, and what the plan of each must not lack.
SUBSTANCE = {"director": "kernel_modules", "keepalived": "keepalived", "real_server": "addresses", "router": "sysctls"}
USED_ALONE = tuple(SUBSTANCE)
# What may run with every tag.
CHANGE_NOTHING = {
    "ansible.builtin.include_tasks",
    "ansible.builtin.set_fact",
    "ansible.builtin.debug",
    "lvs.topology.turn",
}
# The hosts of the examples, by the groups that these name. Directors have a leg in the networks of all examples.
GROUPS = {"loadbalancers": ["lb1", "lb2"], "webservers": ["web1", "web2"], "gateways": ["gw1"]}
FACTS = {
    **{
        f"lb{number}": facts(
            nic("eth1", f"192.168.246.{165 + number}/24", mac=f"02:00:00:00:01:0{number}"),
            nic("eth2", f"192.168.0.2{number}/24", mac=f"02:00:00:00:02:0{number}"),
            nic("eth3", f"10.0.0.2{number}/24", mac=f"02:00:00:00:03:0{number}"),
        )
        for number in (1, 2)
    },
    "web1": facts(nic("eth1", "192.168.246.161/24")),
    "web2": facts(nic("eth1", "192.168.246.162/24")),
    "gw1": facts(nic("eth1", "192.168.246.1/24")),
}


def blocks(role: str) -> list[Any]:
    """The README's YAML: lists of plays, and variables of groups. A variable of a vault is text."""
    found = re.findall(r"^```yaml\n(.*?)^```", (ROLES / role / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(re.sub(r"\{\{.*?\}\}", "secret", block)) for block in found]


def examples(role: str) -> list[dict[str, Any]]:
    """The plays of the README."""
    return [play for block in blocks(role) if isinstance(block, list) for play in block]


def inputs_of(play: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each role of a play is given, with its prefix."""
    given: dict[str, dict[str, Any]] = {}
    for each in play["roles"]:
        role = {"role": each} if isinstance(each, str) else each
        name = role["role"].removeprefix(PREFIX)
        parameters = {key: value for key, value in role.items() if key.startswith(f"{name}_")}
        given[name] = {**role.get("vars", {}), **parameters}
    return given


def specification(role: str) -> dict[str, Any]:
    text = (ROLES / role / "meta/argument_specs.yml").read_text()
    options: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


@pytest.mark.parametrize("role", USED_ALONE)
def test_examples_give_each_role_what_it_takes(role: str) -> None:
    plays = examples(role)
    assert any(role in inputs_of(play) for play in plays)
    for play in plays:
        # Variables of a play are seen by its own host only.
        assert set(play) <= {"name", "hosts", "become", "gather_facts", "roles"}
        for name, given in inputs_of(play).items():
            assert ArgumentSpecValidator(specification(name)).validate(given).error_messages == []


@pytest.mark.parametrize("role", USED_ALONE)
def test_examples_compile(role: str) -> None:
    shared = next((block for block in blocks(role) if isinstance(block, dict)), {})
    hostvars = {name: {**shared, "ansible_facts": gathered} for name, gathered in FACTS.items()}
    for play in examples(role):
        for name, given in inputs_of(play).items():
            if given.get(f"{name}_state") == "absent":
                continue
            own = {key.removeprefix(f"{name}_"): value for key, value in given.items()}
            services, directors = own.pop("services", shared.get("lvs_services")), own.pop("directors", None)
            variables = {f"lvs_{key}": value for key, value in own.items()}
            for host in GROUPS[play["hosts"]]:
                named = [host] if name in ("director", "keepalived") else directors
                plan = compiler.host_plan(hostvars, GROUPS, host, name, services, named, variables)
                assert plan[SUBSTANCE[name]], (host, plan)


def tags_of(tasks: list[dict[str, Any]]) -> set[str]:
    """The tags of tasks, and of those in their blocks."""
    inner = [each for task in tasks for part in ("block", "rescue", "always") for each in task.get(part, [])]
    own = {tag for task in tasks for tag in task.get("tags", []) if tag != "always"}
    return own | (tags_of(inner) if inner else set())


def load(path: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    return tasks


def test_the_readme_of_keepalived_has_every_tag() -> None:
    """Those of the other roles are the tags of what is in their plans, see test_agreement.py."""
    wanted = {tag for path in (ROLES / "keepalived/tasks").glob("*.yml") for tag in tags_of(load(path))}
    text = " ".join((ROLES / "keepalived/README.md").read_text().split())
    sentence = re.search(r"Tags: (.*?)\.(?: |$)", text)
    assert sentence
    assert set(re.findall(r"`(\w+)`", sentence[1])) == wanted


@pytest.mark.parametrize("path", sorted((ROLES / "host_state/tasks").glob("*.yml")), ids=lambda path: path.stem)
def test_what_is_run_with_every_tag_changes_nothing_that_the_tags_of_the_run_do_not_choose(path: Path) -> None:
    for task in load(path):
        if task["tags"] == ["always"]:
            assert set(task) & CHANGE_NOTHING or task["lvs.topology.host_state"]["follow_tags"] is True, task["name"]
        else:
            assert task["tags"] == ["lvs_packages"], task["name"]


@pytest.mark.parametrize(
    ("own", "run", "skip", "chosen"),
    [
        (["always"], ["all"], [], set(TAGS)),
        (["always"], ["tagged"], [], set(TAGS)),
        # No service goes while routers still send to it.
        (["always"], ["lvs_table"], [], {"take_over", "withdrawals", "services", "watched"}),
        (["always"], ["lvs_arp", "lvs_boot"], [], {"arp", "arp_filters", "boot"}),
        (["always"], ["all"], ["lvs_routes"], set(TAGS) - {"gateways", "source_routes"}),
        (["always"], ["lvs_arp", "lvs_boot"], ["lvs_boot"], {"arp", "arp_filters"}),
        # The tag of another role, and one that somebody gave to this one.
        (["always"], ["web"], [], set()),
        (["always"], ["always"], [], set()),
        (["always", "web"], ["web"], [], set(TAGS)),
        (["always", "web"], ["web"], ["lvs_boot"], set(TAGS) - {"boot"}),
        # Tags add up.
        (["always", "web"], ["web", "lvs_table"], [], set(TAGS)),
        (["always"], ["all", "lvs_table"], [], set(TAGS)),
        (["always", "lvs_table"], ["lvs_table"], [], set(TAGS)),
        # What Ansible skips with these is all but what is always run.
        (["always"], ["all"], ["all"], set()),
        (["always"], ["all"], ["tagged"], set()),
        (["always", "web"], ["all"], [], set(TAGS)),
        (["always", "web"], ["lvs_packages"], [], set()),
    ],
)
def test_the_tags_of_a_run_choose_concerns(own: list[str], run: list[str], skip: list[str], chosen: set[str]) -> None:
    found = chosen_concerns(own, run, skip)
    assert set(found) == chosen
    assert found == [concern for concern in TAGS if concern in chosen]


def test_a_boolean_variable_of_a_playbook_may_be_text() -> None:
    """-e NAME=false gives the text 'false', which is true for whoever does not ask what it means."""
    playbooks = list((ROLES.parent / "playbooks").glob("*.yml"))
    uses = [use for path in playbooks for use in re.findall(r"default\((?:true|false)\).{0,7}", path.read_text())]
    assert len(uses) > 4
    assert [use for use in uses if not use.endswith(" | bool")] == []
