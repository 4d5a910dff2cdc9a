# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failure tests that measured nothing say so, and do not pass."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chaos.hosts import Failed, Load, changed
from chaos.interruptions import ENDED, came_to
from chaos.table import Result

REQUEST = '{"kind": "request", "target": "dr", "start": 1.0, "end": 1.1, "by": "web1", "port": 20000}'
RECAP = """
PLAY RECAP *********************************************************************
lb1                        : ok=9    changed=2    unreachable=0    failed=0    skipped=3
web1                       : ok=4    changed=0    unreachable=0    failed=0    skipped=3
"""


def load(script: str) -> Load:
    return Load([sys.executable, "-c", script], ["dr"])


def test_a_load_that_ends_when_it_is_told_is_whole() -> None:
    running = load(f"print({REQUEST!r}); assert input() == 'finish'")
    assert [one.by for one in running.finish().requests] == ["web1"]
    running.end()


@pytest.mark.parametrize(
    "script",
    [
        # As when a program of the client fails while requests are under way.
        f"print({REQUEST!r}); input(); raise SystemExit(1)",
        # As when the connection to the client is lost.
        f"print({REQUEST!r}); input(); import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
def test_a_load_that_breaks_off_is_no_record(script: str) -> None:
    running = load(script)
    with pytest.raises(Failed, match="its record is not whole"):
        running.finish()
    running.end()


def test_a_load_that_has_ended_before_is_no_record() -> None:
    running = load(f"print({REQUEST!r})")
    running._process.wait(60)
    with pytest.raises(Failed, match="the load has ended"):
        running.finish()
    running.end()


def test_what_a_recap_says_was_changed() -> None:
    assert changed(RECAP) == {"lb1": 2}
    for nothing in ("", "\nPLAY RECAP ****\n", "skipping: no hosts matched\n"):
        with pytest.raises(Failed, match="did nothing on any host"):
            changed(nothing)


def test_nothing_under_way_is_no_success() -> None:
    result = Result()
    result.must_all(3, 3, "downloads arrive whole")
    assert not result.broken
    result.must_all(2, 3, "downloads arrive whole")
    result.must_all(0, 0, "requests are answered")
    assert result.broken == [
        "downloads arrive whole: 1 of 3 were not",
        "requests are answered: there was none, so nothing was measured",
    ]


def test_a_run_that_ended_by_itself_was_not_killed() -> None:
    output = "TASK [Look] ***\nTASK [Apply] *****\n"
    assert came_to(output, -signal.SIGKILL) == "TASK [Apply]"
    assert came_to("", -signal.SIGKILL) == "nothing"
    assert came_to(output, 0) == ENDED
    assert came_to(output, 2) == f"{ENDED}, with 2"
