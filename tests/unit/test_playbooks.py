# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the plays of the playbooks are for, and what their variables are as text of a command line."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible import context
from ansible.errors import AnsibleFilterError, AnsibleLookupError
from ansible_collections.lvs.topology.plugins.filter.answers import answers
from ansible_collections.lvs.topology.plugins.lookup import hosts as lookup_hosts
from ansible_collections.lvs.topology.plugins.lookup import parts as lookup_parts
from ansible_collections.lvs.topology.plugins.lookup import roles as lookup_roles
from ansible_collections.lvs.topology.plugins.plugin_utils import _plays
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler

CHECKOUT = Path(__file__).parents[2]
PLAYBOOKS = sorted((CHECKOUT / "playbooks").glob("*.yml"))
FILTERS = [each for each in sorted((CHECKOUT / "plugins/filter").glob("*.py")) if "as_filter(" in each.read_text()]
GROUPS = {"lvs_directors": ["lb1", "lb2"], "lvs_real_servers": ["web1", "lb2"], "lvs_routers": ["gw1"]}
NOBODY = ["all:!all"]
# A template here is what stands between <<>>.
TEMPLAR = SimpleNamespace(template=lambda value: value.replace("<<absent>>", "absent").replace("<<tier>>", "lvs"))
# The plays of site: for whom, and for whom of these.
SITE = [
    (["director", "real_server", "router"], None),
    (["director", "real_server", "router"], "wait"),
    (["director", "real_server", "router"], None),
    (["director"], "move"),
    (["real_server", "router"], "prepare"),
    (["director"], "fill"),
    (["director"], "tell"),
    (["director", "real_server", "router"], "finish"),
]


def plays(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(path.read_text()))


def hosts(*roles: str, groups: Any = None, hostvars: Any = None, **given: Any) -> list[str]:
    """What the lookup hosts answers; variables of the play begin with lvs_."""
    options = {key: given.pop(key) for key in ("play", "need_directors", "wanted") if key in given}
    variables = {"groups": GROUPS if groups is None else groups, **given}
    if hostvars is not None:
        variables["hostvars"] = hostvars
    return lookup_hosts.LookupModule(templar=TEMPLAR).run([*roles], variables=variables, **options)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_play_asks_who_it_is_for(path: Path) -> None:
    for play in plays(path):
        (asked,) = re.findall(r"query\('lvs.topology.hosts', ((?:'\w+'(?:, )?)+)", play["hosts"])
        assert set(re.findall(r"'(\w+)'", asked)) <= {*_plays.GROUPS, "controller"}, play["name"]
        assert _plays.NOBODY not in play["hosts"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_no_host_is_ahead_of_the_others(path: Path) -> None:
    """With the strategy free of somebody's ansible.cfg, run_once and any_errors_fatal would count for nothing."""
    assert {play["name"]: play.get("strategy") for play in plays(path)} == {
        play["name"]: "ansible.builtin.linear" for play in plays(path)
    }


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_play_says_whether_one_host_ends_it_for_all(path: Path) -> None:
    """Somebody's ansible.cfg may say that it does, and what real servers are to release at last would stay."""
    assert [play["name"] for play in plays(path) if not isinstance(play.get("any_errors_fatal"), bool)] == []


def tasks_of(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_of(task.get(part, []))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_what_is_written_on_the_controller_belongs_to_whoever_runs_it(path: Path) -> None:
    """What the inventory says of hosts holds for localhost as well, and counts for more than the keyword become."""
    for play in plays(path):
        is_there = "'controller'" in play["hosts"]
        for task in tasks_of(play["tasks"]):
            writes = {"ansible.builtin.copy", "ansible.builtin.file", "ansible.builtin.command"} & set(task)
            if writes and (is_there or task.get("delegate_to") == "localhost"):
                variables = {**play.get("vars", {}), **task.get("vars", {})}
                assert variables.get("ansible_become") is False, task["name"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_mistakes_are_looked_for_once(path: Path) -> None:
    """Ansible evaluates a variable of a task for each place that names it, and the filter reads all of the services."""
    for play in plays(path):
        for task in tasks_of(play["tasks"]):
            arguments = {key: value for key, value in task.items() if key != "vars"}
            for name, value in task.get("vars", {}).items():
                if "lvs.topology.mistakes(" in str(value):
                    assert str(arguments).count(name) < 2, task["name"]


def test_the_plays_of_site() -> None:
    (path,) = (each for each in PLAYBOOKS if each.stem == "site")
    found = []
    for play in plays(path):
        (asked,) = re.findall(r"query\('lvs.topology.hosts', ([^)]*)\)", play["hosts"])
        roles, _equals, name = asked.partition(", play=")
        found.append((re.findall(r"'(\w+)'", roles), name.strip("'") or None))
    assert found == SITE
    # Where any error is fatal, a host that does not answer ends the run, unless errors are ignored as well.
    (first,) = plays(path)[0]["tasks"]
    assert first["ignore_unreachable"]
    assert first["ignore_errors"]


@pytest.mark.parametrize(
    ("roles", "options", "said"),
    [
        (["directors"], {}, "'directors' is no role; use director, real_server, router, client, controller"),
        (["directors"], {"wanted": False}, "'directors' is no role"),
        (["controller", "director"], {}, "controller has no group; ask for it alone"),
        ([["director"]], {}, "['director'] is no role"),
        ([], {}, "None is no role"),
        (["director"], {"play": "fil"}, "'fil' is no play; use wait, move, prepare, fill, tell, finish, maintain"),
    ],
)
def test_a_word_that_is_not_known_is_no_play_without_hosts(roles: list[Any], options: Any, said: str) -> None:
    with pytest.raises(AnsibleLookupError, match=re.escape(said)):
        hosts(*roles, **options)


def test_variables_may_be_templates() -> None:
    assert hosts("director", lvs_directors_group="<<tier>>_directors") == ["lvs_directors"]
    # What depends on the host is asked of the hosts.
    state: Any = object()
    assert hosts("director", lvs_state=state) == ["lvs_directors"]
    variables = {"inventory_hostname": "web1", "groups": GROUPS, "lvs_state": "<<absent>>"}
    assert lookup_roles.LookupModule(templar=TEMPLAR).run(["prepare"], variables=variables) == []


def test_groups_by_their_usual_and_by_other_names() -> None:
    assert hosts("director", "real_server", "router") == ["lvs_directors", "lvs_real_servers", "lvs_routers"]
    assert hosts("client") == NOBODY
    other = {"loadbalancers": ["lb1"], "lvs_real_servers": []}
    assert hosts("director", "real_server", groups=other, lvs_directors_group="loadbalancers") == [
        "loadbalancers",
        "lvs_real_servers",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"groups": {"lvs_real_servers": ["web1"]}}, "The group lvs_directors is missing or empty."),
        ({"groups": {"lvs_directors": []}}, "The group lvs_directors is missing or empty."),
        ({"lvs_directors_group": "loadbalancers"}, "The group loadbalancers is missing or empty."),
        ({"lvs_routers_group": "gateways"}, "No group is called gateways."),
        ({"lvs_routers_group": "gateways", "need_directors": False}, "No group is called gateways."),
    ],
)
def test_a_group_that_is_missing_is_no_play_without_hosts(given: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleLookupError, match=re.escape(f"Nothing was touched. {said}")):
        hosts("director", **given)


def test_a_play_that_is_not_wanted_needs_nothing() -> None:
    assert hosts("director", groups={}, wanted=False) == NOBODY
    assert hosts("controller", groups={}, wanted=False) == NOBODY


@pytest.mark.parametrize(("limit", "is_there"), [(None, True), ("lb1", False), ("lb1,localhost", True), ("all", False)])
def test_a_limit_that_leaves_the_controller_out_is_said(
    monkeypatch: pytest.MonkeyPatch, limit: str | None, is_there: bool
) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"subset": limit})
    if is_there:
        assert hosts("controller", groups={}) == ["localhost"]
        return
    with pytest.raises(AnsibleLookupError, match=f"--limit {limit} leaves localhost out"):
        hosts("controller", groups={})


@pytest.mark.parametrize("first", ["lookup.hosts", "action.preflight"])
def test_every_filter_and_the_compiler_are_loaded_before_ansible_forks(first: str) -> None:
    """A process that is forked for a task would compile all of it from its source, for each host."""
    lines = f"""
import importlib, pkgutil, sys
from ansible import context
context.CLIARGS = {{"subset": None}}
plugins = "ansible_collections.lvs.topology.plugins"
first = importlib.import_module(plugins + ".{first}")
if hasattr(first, "LookupModule"):
    first.LookupModule(templar=type("Templar", (), {{"template": None}})).run(["controller"], {{}})
before = set(sys.modules)
for each in pkgutil.iter_modules(importlib.import_module(plugins + ".filter").__path__, plugins + ".filter."):
    importlib.import_module(each.name)
    print(each.name)
assert before == set(sys.modules), set(sys.modules) - before
topology = plugins + ".plugin_utils._topology."
assert topology + "compiler" in before
# No plan of a host needs these, so no run of site compiles them.
others = tuple(topology + name for name in ("adopt", "draining", "pictures", "running", "verifying"))
assert not [each for each in before if each.startswith(others)]
"""
    here = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    loaded = subprocess.run([sys.executable, "-c", lines], check=True, capture_output=True, text=True, env=here).stdout
    assert len(loaded.splitlines()) > 20


@pytest.mark.parametrize("path", FILTERS, ids=lambda path: path.stem)
def test_the_function_of_a_filter_is_there(path: Path) -> None:
    """The filter names it by text, so that its file is imported only when the filter is used."""
    ((file, name),) = re.findall(r' as_filter\("([\w.]+)\.(\w+)"', path.read_text())
    assert callable(getattr(importlib.import_module(f"{compiler.__package__}.{file}"), name))


def test_a_filter_that_cannot_be_imported_is_left_to_who_uses_it(tmp_path: Path) -> None:
    """The others are loaded, and nobody who does not use it hears of it. Its name is before theirs."""
    (tmp_path / "a_broken_one.py").write_text("def\n")
    (tmp_path / "a_good_one.py").write_text("")
    lines = f"""
import sys
from ansible_collections.lvs.topology.plugins.plugin_utils import _before_forks
_before_forks.filters.__path__ = [{str(tmp_path)!r}, *_before_forks.filters.__path__]
_before_forks.load()
print(*(name.rpartition(".")[2] for name in sys.modules if name.startswith(_before_forks.filters.__name__ + ".")))
"""
    here = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    loaded = subprocess.run([sys.executable, "-c", lines], check=True, capture_output=True, text=True, env=here).stdout
    assert {"a_good_one", "host_plan"} <= set(loaded.split())
    assert "a_broken_one" not in loaded


def test_a_teardown_needs_no_directors() -> None:
    assert hosts("director", groups={}, need_directors=False) == NOBODY


def asked_for_its_turn(**taken: Any) -> dict[str, Any]:
    answers = {True: {"taken": True}, False: {"taken": False}, None: {"unreachable": True}}
    return {"lb1": {}, "lb2": {}, **{host: {_plays.TURN: answers[answer]} for host, answer in taken.items()}}


@pytest.mark.parametrize(
    ("taken", "waiting"),
    [
        ({"lb1": True, "lb2": True}, NOBODY),
        # Whoever has its turn gives it back: two runs that have each other's would wait for ever.
        ({"lb1": True, "lb2": False}, ["lb1", "lb2"]),
        ({"lb1": None, "lb2": False}, ["lb1", "lb2"]),
        ({"lb1": None, "lb2": True}, ["lb1", "lb2"]),
        # The other one is not part of the run.
        ({"lb1": True}, NOBODY),
        ({"lb2": False}, ["lb2"]),
    ],
)
def test_who_is_asked_for_its_turn_once_more(taken: dict[str, Any], waiting: list[str]) -> None:
    assert hosts("director", play="wait", hostvars=asked_for_its_turn(**taken)) == waiting


def part(
    in_place: bool, manager: str = "kernel", managed_by: tuple[str, ...] = (), left_over: tuple[str, ...] = ()
) -> dict[str, Any]:
    found = {"in_place": in_place, "managed_by": list(managed_by), "keepalived_left_over": list(left_over)}
    return {**found, "planned": {"manager": manager}}


IN_PLACE, TO_DO = part(True), part(False)
# A run was killed between the end of keepalived and that of what its checks logged in with.
LEFT_OVER = part(True, left_over=("/etc/keepalived/lvs_checks",))
KEEPALIVED, LEAVING = part(True, "keepalived"), part(True, managed_by=("keepalived",))


@pytest.mark.parametrize(
    ("roles", "found", "expected"),
    [
        (["director"], {"director": IN_PLACE}, []),
        (["real_server"], {"real_server": IN_PLACE}, []),
        (["router"], {"router": IN_PLACE}, []),
        (["director"], {"director": TO_DO}, ["fill", "finish"]),
        (["real_server"], {"real_server": TO_DO}, ["prepare", "finish"]),
        (["router"], {"router": TO_DO}, ["prepare", "finish"]),
        # A director with keepalived is looked at in the play that asks keepalived.
        (["director"], {}, ["move", "fill", "tell", "finish"]),
        (["director", "real_server"], {}, ["move", "prepare", "fill", "tell", "finish"]),
        # Whether keepalived has something to do is found out in the play that asks it.
        (["director"], {"director": KEEPALIVED}, ["move", "fill", "finish"]),
        (["director"], {"director": LEAVING}, ["move", "fill", "finish"]),
        (["director"], {"director": LEFT_OVER}, ["move", "fill", "finish"]),
        # One that is to be put back was not looked at.
        (["director"], "absent", ["move", "fill", "tell", "finish"]),
        (["real_server"], "absent", ["finish"]),
        (["router"], "absent", ["finish"]),
        (["director", "real_server"], {"director": IN_PLACE, "real_server": TO_DO}, ["prepare", "finish"]),
        (["client"], {}, []),
        # What a director tells of itself is a part of its own.
        (["director"], {"director": IN_PLACE, "metrics": TO_DO}, ["tell", "finish"]),
    ],
)
def test_in_which_plays_a_host_has_something_to_do(roles: list[str], found: Any, expected: list[str]) -> None:
    # Metrics are looked at with the director.
    parts = {"metrics": IN_PLACE, **found} if "director" in found else found
    known = {"lvs_state": "absent"} if found == "absent" else {_plays.CHECKED: {"parts": parts}}
    every = ("move", "prepare", "fill", "tell", "finish")
    assert [play for play in every if list(_plays.to_do(play, roles, known))] == expected


def test_only_hosts_that_have_something_to_do_are_in_a_play() -> None:
    known: dict[str, Any] = {
        "lb1": {_plays.CHECKED: {"parts": {"director": IN_PLACE, "metrics": IN_PLACE}}},
        "lb2": {_plays.CHECKED: {"parts": {"director": IN_PLACE, "metrics": IN_PLACE, "real_server": TO_DO}}},
        "web1": {_plays.CHECKED: {"parts": {"real_server": IN_PLACE}}},
        "gw1": {"lvs_state": "absent"},
    }
    every = ("director", "real_server", "router")
    assert hosts(*every, play="prepare", hostvars=known) == ["lb2"]
    assert hosts("director", play="fill", hostvars=known) == NOBODY
    assert hosts(*every, play="finish", hostvars=known) == ["lb2", "gw1"]
    variables = {"inventory_hostname": "lb2", "groups": GROUPS, **known["lb2"]}
    roles = lookup_roles.LookupModule(templar=TEMPLAR)
    assert roles.run([], variables=variables) == ["director", "real_server"]
    assert roles.run(["prepare"], variables=variables) == ["real_server"]


def test_rolling_passes_over_what_is_absent() -> None:
    known: dict[str, Any] = {"web1": {"lvs_state": "absent"}, "lb2": {}}
    assert hosts("real_server", play="maintain", hostvars=known) == ["lb2"]
    assert hosts("real_server", play="maintain", hostvars={**known, "lb2": known["web1"]}) == NOBODY
    # Both plays mean the same hosts: what the first has looked at, the second goes through.
    path = next(each for each in PLAYBOOKS if each.stem == "rolling")
    assert path.read_text().count("'real_server', play='maintain')") == 2


@pytest.mark.parametrize("play", [*_plays.PLAYS, _plays.MAINTAIN])
def test_nothing_is_known_before_a_play_had_hosts(monkeypatch: pytest.MonkeyPatch, play: str) -> None:
    """Ansible has no hostvars then. All plays before this one have none where --limit leaves every host of them out."""
    monkeypatch.setattr(context, "CLIARGS", {"subset": "other"})
    assert hosts("director", "real_server", play=play) == NOBODY
    monkeypatch.setattr(context, "CLIARGS", {"subset": None})
    with pytest.raises(AnsibleLookupError, match=f"play={play} is for a play after one that has hosts"):
        hosts("director", "real_server", play=play)


def test_a_host_that_is_to_be_put_back_is_asked_for_nothing() -> None:
    variables = {"inventory_hostname": "lb2", "groups": GROUPS}
    variables |= {"__director_part": "d", "__real_server_part": "r", "__metrics_part": "m"}
    parts = lookup_parts.LookupModule(templar=TEMPLAR)
    assert parts.run([], variables=variables) == ["d", "r", "m"]
    assert parts.run([], variables={**variables, "lvs_state": "<<absent>>"}) == []


def test_what_hosts_answered() -> None:
    known = {
        "lb1": {"found": {"services": []}},
        "lb2": {"found": {"failed": True, "msg": "no"}},
        "lb3": {"found": {"skipped": True}},
        "lb4": {},
        "lb5": {"found": "text"},
    }
    assert answers(known, "found", "services") == {"lb1": {"services": []}}
    assert list(answers(known, "found")) == ["lb1", "lb2", "lb3", "lb5"]
    for wrong in (None, [], {"lb1": 3}):
        with pytest.raises(AnsibleFilterError, match="must be a mapping"):
            answers(wrong, "found")


@pytest.mark.parametrize("option", ["syntax", "listhosts", "listtasks", "listtags"])
def test_who_only_looks_at_a_playbook_needs_no_inventory(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setattr(context, "CLIARGS", {option: True})
    monkeypatch.setattr(lookup_hosts._before_forks, "load", lambda: pytest.fail("it takes time, and nothing is forked"))
    assert hosts("director", groups={}) == NOBODY
    assert hosts("director", "router", play="finish") == ["lvs_directors", "lvs_routers"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_booleans_of_the_command_line_are_no_text(path: Path) -> None:
    """A variable whose default is a boolean is only used through the filter bool."""
    for found in re.finditer(r"lvs_\w+ \| default\((?:true|false)\)(.{0,9})", path.read_text()):
        assert found[1].startswith(" | bool"), found[0]


ROLLED = {"lvs_directors": ["lb1", "lb2"], "lvs_real_servers": ["web1"]}


@pytest.mark.parametrize("name", ["rolling", "rolling_directors"])
@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        pytest.param(
            "- hosts: all\n  tasks: []\n", "conflicting action statements: hosts, tasks", marks=pytest.mark.slow
        ),
        pytest.param(
            "- name: x\n  nosuch.collection.module: {}\n", "couldn't resolve module/action", marks=pytest.mark.slow
        ),
        pytest.param("- {\n", "YAML parsing failed", marks=pytest.mark.slow),
        (None, "a file with tasks on this machine"),
    ],
)
def test_tasks_that_cannot_be_read_end_a_roll_before_it_begins(
    tmp_path: Path, name: str, tasks: str | None, said: str
) -> None:
    """Ansible would read them past any rescue, with a host that serves nobody."""
    inventory, file = tmp_path / "inventory.yml", tmp_path / "tasks.yml"
    inventory.write_text(
        json.dumps({group: {"hosts": {names[0]: {"lvs_services": []}}} for group, names in GROUPS.items()})
    )
    if tasks is not None:
        file.write_text(tasks)
    given = {f"lvs_{name}_tasks": None if tasks is None else str(file)}
    command = ["ansible-playbook", "-i", str(inventory), "-e", json.dumps(given)]
    done = subprocess.run(
        [*command, str(CHECKOUT / f"playbooks/{name}.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert said in " ".join((done.stdout + done.stderr).split())
    assert "Maintain one after the other" not in done.stdout


@pytest.mark.parametrize("name", [["web"], {"a": 1}, True])
def test_a_group_is_named_by_text(name: Any) -> None:
    with pytest.raises(
        _plays.Wrong, match=r"Nothing was touched\. lvs_routers_group is (a list|a mapping|true)\. Give it"
    ):
        _plays.check_groups({"lvs_routers_group": name}, GROUPS, need_directors=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("named", "limit", "said"),
    [
        (["lb9"], "all", "directors: 'lb9' is neither a host nor a group"),
        ("web1", "all", "web1: is no director that is present"),
        ("lb1, lb2,", "all", "lb1: announces nothing by BGP"),
        (["lvs_directors"], "lb1", "lb1: announces nothing by BGP; leave it out, or set lvs_bgp. lb2: ann"),
        # All directors of the run.
        ([], "lb2", "lb2: announces nothing by BGP"),
    ],
)
def test_a_roll_of_nobody_does_not_end_without_a_word(tmp_path: Path, named: Any, limit: str, said: str) -> None:
    inventory, tasks = tmp_path / "inventory.yml", tmp_path / "tasks.yml"
    inventory.write_text(
        json.dumps(
            {group: {"hosts": dict.fromkeys(names), "vars": {"lvs_services": []}} for group, names in ROLLED.items()}
        )
    )
    tasks.write_text("[]")
    given = {"lvs_rolling_directors_tasks": str(tasks), **({"lvs_rolling_directors": named} if named else {})}
    playbook = str(PLAYBOOKS[0].parent / "rolling_directors.yml")
    command = ["ansible-playbook", "-i", str(inventory), "--limit", limit, "-e", json.dumps(given), playbook]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0, output
    assert f"Nothing was touched. {said}" in output


# The port of a service that nobody has run for decades.
NOBODY_ANSWERS = {"ansible_host": "127.0.0.1", "ansible_port": 1}
LISTING = {
    "host": "web1", "director": "lb1", "manager": "kernel", "inhibit_on_failure": False, "name": "web",
    "service": {"address": "192.0.2.1", "port": 80, "protocol": "tcp"},
    "real_server": {
        "address": "10.0.0.5", "port": 80, "forward": "dr", "weight": 1, "upper_threshold": 0, "lower_threshold": 0,
    },
    "check": {"type": "tcp", "address": "10.0.0.5", "port": 80},
}  # fmt: skip


OF_DIRECTORS = sorted((PLAYBOOKS[0].parents[1] / "roles/director/tasks").glob("*.yml"))


@pytest.mark.parametrize("path", OF_DIRECTORS, ids=lambda path: path.stem)
def test_what_directors_are_asked_for_a_real_server_does_not_end_its_play(path: Path) -> None:
    delegated = [each for each in tasks_of(yaml.safe_load(path.read_text())) if "delegate_to" in each]
    assert [each["name"] for each in delegated if not each.get("ignore_unreachable")] == []


@pytest.mark.slow
@pytest.mark.parametrize(("tasks_from", "weight"), [("weight", "drained"), ("weight", "model"), ("ask", "")])
def test_a_director_that_is_gone_is_not_taken_for_the_real_server(tmp_path: Path, tasks_from: str, weight: str) -> None:
    """Ansible takes a host for unreachable whose task was delegated to one that is, and no rescue would be run."""
    inventory, playbook = tmp_path / "inventory.yml", tmp_path / "playbook.yml"
    hosts = {"web1": {}, "lb1": NOBODY_ANSWERS}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    role = {"name": "lvs.topology.director", "tasks_from": tasks_from}
    given = {
        "director_listings": [LISTING], "director_weight": weight, "director_drain_timeout": 0,
        "director_drain_remove": False, "director_drain_wait_for": [], "director_drain_on_timeout": "proceed",
        "director_ask_retries": 0, "director_ask_delay": 0,
        "director_ramp": {"steps": 1 if weight == "model" else 0, "first": 50, "pause": 0},
        "__director_former": [{"director_listing": LISTING, "former_weight": 1}],
    }  # fmt: skip
    included = {"ansible.builtin.include_role": role, "vars": given}
    rescue = {"ansible.builtin.debug": {"msg": "rescued: {{ ansible_failed_result.msg }}"}}
    play = {"hosts": "web1", "gather_facts": False, "tasks": [{"block": [included], "rescue": [rescue]}]}
    playbook.write_text(json.dumps([play]))
    command = ["ansible-playbook", "-i", str(inventory), str(playbook)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = " ".join((done.stdout + done.stderr).split())
    assert "rescued: lb1 cannot be reached any more, and which weight web1 has there is not known." in output, output
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("playbook", ["rolling_directors", "drain_directors"])
def test_only_what_puts_a_director_back_leaves_out_who_else_announces(tmp_path: Path, playbook: str) -> None:
    """Nobody answers here, and what puts a director back goes on to ask it."""
    inventory, tasks = tmp_path / "inventory.yml", tmp_path / "tasks.yml"
    bgp = {"asn": 65001, "router_id": "10.0.0.1", "neighbours": [{"address": "10.0.0.9", "asn": 65000}]}
    service = {"name": "web", "address": "192.0.2.1", "port": 80, "forward": "dr", "real_servers": [{"host": "web1"}]}
    lb1 = {"lvs_address": "10.0.0.1", "lvs_services": [service], "lvs_bgp": bgp}
    groups = {
        "lvs_directors": {"hosts": {"lb1": lb1}},
        "lvs_real_servers": {"hosts": {"web1": {"lvs_address": "10.0.0.5"}}},
    }
    inventory.write_text(json.dumps(groups))
    tasks.write_text("[]")
    given = {"lvs_drain_directors_state": "present", **NOBODY_ANSWERS}
    given |= {f"lvs_{playbook}": "lb1", "lvs_rolling_directors_tasks": str(tasks)}
    command = ["ansible-playbook", "-i", str(inventory), "-e", json.dumps(given)]
    done = subprocess.run(
        [*command, str(PLAYBOOKS[0].parent / f"{playbook}.yml")], capture_output=True, text=True, check=False
    )
    output = " ".join((done.stdout + done.stderr).split())
    assert ("nobody besides lb1 announces 192.0.2.1" in output) is (playbook == "rolling_directors"), output
