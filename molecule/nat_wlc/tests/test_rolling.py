# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers are maintained while clients are served: nobody is cut off, and a roll that fails stops there."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

RESTART = """
- name: Maintain it
  ansible.builtin.command: sh -c 'systemctl kill --signal=KILL nginx; systemctl restart nginx && touch /run/maintained'
  changed_when: true
"""
STOP = """
- name: Maintain it badly
  ansible.builtin.command: sh -c 'systemctl stop nginx && touch /run/broken'
  changed_when: true
"""


def weights(scenario: Any) -> dict[str, int]:
    found = re.findall(r"-r 10\.0\.0\.5(\d):80 -m -w (\d+)", scenario.run("director", "ipvsadm -Sn"))
    return {f"web{number}": int(weight) for number, weight in found}


def said(result: Any) -> str:
    """What Ansible printed, wherever, on lines of whatever length."""
    return " ".join((result.stdout + result.stderr).split())


def finish_once_drained(scenario: Any, download: Any) -> tuple[str, list[str]]:
    """Let the download end a while after web1 got weight 0; what had been done by then, and what came of it."""
    scenario.wait("web1 is drained", lambda: not weights(scenario)["web1"])
    # Longer than it takes from there to the restart. A shorter time would show less, and fail nobody.
    time.sleep(10)
    done = scenario.run("web1", "test -e /run/maintained && echo restarted || echo waiting")
    return str(done), download.finish()


def test_a_roll_under_load(scenario: Any, tmp_path: Path) -> None:
    tasks = tmp_path / "restart.yml"
    tasks.write_text(RESTART)
    for host in ("web1", "web2"):
        scenario.run(host, "mkdir -p /srv/files; hostname >/srv/files/download; truncate -s 32M /srv/files/download")
    whole = scenario.run("web1", "sha256sum /srv/files/download").split()[0]
    change = "ipvsadm -e -t 192.168.0.30:80 -r 10.0.0.52:80 -m -w"
    scenario.run("director", f"{change} 0")
    # What a restart of web1 would cut off.
    with scenario.download("192.168.0.30") as download:
        # Neither the model's, nor to be forgotten.
        scenario.run("director", f"{change} 3")
        with scenario.load() as answers, ThreadPoolExecutor() as pool:
            waiting = pool.submit(finish_once_drained, scenario, download)
            steps = "lvs_drain_ramp_steps=2 lvs_drain_ramp_pause=0"
            scenario.playbook("lvs.topology.rolling", "--extra-vars", f"lvs_rolling_tasks={tasks} {steps}")
        assert waiting.result() == ("waiting", ["web1", whole])
    assert not answers.lost, answers
    assert answers["web1"], answers
    assert answers["web2"], answers
    for host in ("web1", "web2"):
        scenario.run(host, "rm /run/maintained; rm -r /srv/files")
    assert weights(scenario) == {"web1": 1, "web2": 3}


def test_a_roll_that_fails_leaves_the_rest_alone(scenario: Any, tmp_path: Path) -> None:
    tasks = tmp_path / "stop.yml"
    tasks.write_text(STOP)
    settings = f"lvs_rolling_tasks={tasks} lvs_rolling_retries=0"
    result = scenario.try_playbook("lvs.topology.rolling", "--extra-vars", settings)
    assert result.returncode != 0
    assert 'web1 failed at "Connect to it, from each director"' in said(result)
    way_back = "-e lvs_drain=web1 -e lvs_drain_state=present gives it the weights of the model. It had 1 in web on"
    assert way_back in said(result)
    assert weights(scenario) == {"web1": 0, "web2": 3}
    assert scenario.run("web2", "test -e /run/broken || echo untouched") == "untouched"
    # web2 is all that there is now.
    result = scenario.try_playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=web2")
    assert "no usable real server besides web2" in said(result)
    assert weights(scenario) == {"web1": 0, "web2": 3}
    scenario.run("web1", "rm /run/broken; systemctl start nginx")
    scenario.playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=lvs_real_servers lvs_drain_state=present")
    assert weights(scenario) == {"web1": 1, "web2": 1}


def test_what_cannot_be_is_refused(scenario: Any) -> None:
    for playbook, settings, limit, message in (
        ("drain", "lvs_drain=webb1", "all", "did you mean web1?"),
        ("drain", "lvs_drain=web1", "web2:director", "Nothing was touched. web1: is left out by --limit;"),
        ("rolling", "lvs_rolling_tasks=/nonexistent", "all", "Nothing was touched. Give lvs_rolling_tasks"),
    ):
        result = scenario.try_playbook(f"lvs.topology.{playbook}", "--extra-vars", settings, "--limit", limit)
        assert result.returncode != 0
        assert message in said(result)
    assert weights(scenario) == {"web1": 1, "web2": 1}
