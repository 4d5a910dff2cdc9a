# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining and rolling beside keepalived's health checks, and with one director of the pair dead."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

# web1 stays down until keepalived has noticed, and what it waits for afterwards is what the test looks for as well.
DOWN = """
- name: Be down until somebody says that it is enough
  ansible.builtin.shell: systemctl stop nginx; until [ -e /run/noticed ]; do sleep 0.2; done; systemctl start nginx
  changed_when: true
"""
NOTHING = "- name: Do nothing\n  ansible.builtin.meta: noop\n"
# Up again for keepalived, which adds it, and then something fails.
FAIL = """
- name: Be up again, and fail once that is noticed too
  ansible.builtin.shell: >-
    systemctl stop nginx; until [ -e /run/noticed ]; do sleep 0.2; done; systemctl start nginx;
    until [ -e /run/added ]; do sleep 0.2; done; exit 1
  changed_when: true
"""


def weight(scenario: Any, director: str, address: str = "10.0.0.51") -> int | None:
    found = re.search(rf"-r {re.escape(address)}:80 -m -w (\d+)", scenario.run(director, "ipvsadm -Sn"))
    return int(found[1]) if found else None


def weights(scenario: Any) -> list[int | None]:
    """Of web1 on both directors; None where it is not in the table."""
    return [weight(scenario, director) for director in scenario.directors]


def wait_for(scenario: Any, expected: list[int | None]) -> None:
    scenario.wait(f"weights {expected}", lambda: weights(scenario) == expected)


def tell(scenario: Any, *steps: tuple[list[int | None], str]) -> None:
    """Tell web1, by a file for each, that its weights on both directors have become what they have to be."""
    for expected, name in steps:
        wait_for(scenario, expected)
        scenario.run("web1", f"touch /run/{name}")


def said(result: Any) -> str:
    return " ".join((result.stdout + result.stderr).split())


def roll(scenario: Any, tasks: Path, text: str, more: str = "") -> Any:
    tasks.write_text(text)
    settings = f"lvs_rolling_hosts=web1 lvs_rolling_tasks={tasks} {more}"
    return scenario.try_playbook("lvs.topology.rolling", "--extra-vars", settings)


def present(scenario: Any) -> str:
    result = scenario.try_playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=web1 lvs_drain_state=present")
    assert result.returncode == 0, result.stdout + result.stderr
    return said(result)


def test_maintenance_that_keepalived_notices(scenario: Any, tmp_path: Path) -> None:
    with scenario.load() as answers, ThreadPoolExecutor() as pool:
        told = pool.submit(tell, scenario, ([None, None], "noticed"))
        result = roll(scenario, tmp_path / "tasks.yml", DOWN)
    told.result()
    assert result.returncode == 0, result.stdout + result.stderr
    assert weights(scenario) == [1, 1]
    assert not answers.lost, answers
    scenario.run("web1", "rm /run/noticed")


@pytest.mark.exhaustive
def test_a_roll_that_fails_says_what_is(scenario: Any, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        told = pool.submit(tell, scenario, ([None, None], "noticed"), ([1, 1], "added"))
        result = roll(scenario, tmp_path / "tasks.yml", FAIL)
    told.result()
    scenario.run("web1", "rm /run/noticed /run/added")
    assert result.returncode != 0
    assert "It has weight 0 in web on lb1, weight 0 in web on lb2. keepalived gives it the weight" in said(result)
    assert weights(scenario) == [0, 0]
    present(scenario)
    assert weights(scenario) == [1, 1]


@pytest.mark.exhaustive
def test_a_dead_one_is_left_to_keepalived(scenario: Any) -> None:
    scenario.run("web1", "systemctl stop nginx")
    wait_for(scenario, [None, None])
    found = present(scenario)
    assert weights(scenario) == [None, None]
    assert "web1 is not in the table of lb1 for web. keepalived adds it" in found
    scenario.run("web1", "systemctl start nginx")
    wait_for(scenario, [1, 1])


@pytest.mark.exhaustive
def test_a_roll_ends_at_one_that_does_not_answer(scenario: Any, tmp_path: Path) -> None:
    stop = "- name: Stop it\n  ansible.builtin.command: systemctl stop nginx\n  changed_when: true\n"
    result = roll(scenario, tmp_path / "tasks.yml", stop, "lvs_rolling_retries=0")
    assert result.returncode != 0
    assert 'web1 failed at "Ask it for a page, from each director"' in said(result)
    wait_for(scenario, [None, None])
    scenario.run("web1", "systemctl start nginx")
    wait_for(scenario, [1, 1])


def test_what_keepalived_would_not_add_again_is_not_removed(scenario: Any) -> None:
    result = scenario.try_playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=web1 lvs_drain_remove=true")
    assert "Nothing was touched. keepalived on lb1, lb2 does not see that an entry is gone" in said(result)
    assert weights(scenario) == [1, 1]


@pytest.mark.exhaustive
def test_with_one_director_dead(scenario: Any, tmp_path: Path) -> None:
    dead, other = scenario.called("backup"), scenario.called("master")
    scenario.lab("power-off", scenario.name, dead, "--power-cut")
    try:
        result = scenario.try_playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=web1")
        assert result.returncode == 0, result.stdout + result.stderr
        assert f"{dead} cannot be reached, and no weight is changed there" in said(result)
        assert weight(scenario, other) == 0
        result = scenario.try_playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=web2")
        assert "no usable real server besides web2" in said(result)
        present(scenario)
        assert weight(scenario, other) == 1
        # As after inhibit_on_failure: web1 is at weight 0 when its turn comes, which does not last.
        scenario.run(other, "ipvsadm -e -t 192.168.0.29:80 -r 10.0.0.51:80 -m -w 0")
        result = roll(scenario, tmp_path / "tasks.yml", NOTHING)
        assert result.returncode == 0, result.stdout + result.stderr
        assert weight(scenario, other) == 1
    finally:
        scenario.lab("power-on", scenario.name, dead)
    wait_for(scenario, [1, 1])
