# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for, in which order, and what is said about a log."""

from __future__ import annotations

import re
from typing import Any

import pytest
from suite.parts import Unknown, choose, in_order, parse
from suite.report import last_line, not_tested, what_failed

PARTS = parse(["image", "unit", "kernel-net:image", "molecule-dr:image", "molecule-ha:image"])
LAST = {
    "image": {"result": "passed", "seconds": 1},
    "unit": {"result": "passed", "seconds": 10},
    "dr": {"result": "passed", "seconds": 80},
    "ha": {"result": "FAILED", "seconds": 90},
}


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ("", ["image", "unit", "kernel-net", "dr", "ha"]),
        ("dr unit", ["image", "unit", "dr"]),
        ("molecule-dr,unit", ["image", "unit", "dr"]),
        # kernel-net has not run at all.
        ("failed", ["image", "kernel-net", "ha"]),
        ("failed unit", ["image", "unit", "kernel-net", "ha"]),
    ],
)
def test_parts_are_chosen_with_what_they_need(only: str, chosen: list[str]) -> None:
    assert [part.name for part in choose(PARTS, only, LAST)] == chosen


@pytest.mark.parametrize(
    ("only", "last", "chosen"),
    [
        ("", LAST, ["image", "unit", "kernel-net", "dr"]),
        ("ha", LAST, ["image", "ha"]),
        # ha was named before, and failed.
        ("failed", LAST, ["image", "kernel-net", "ha"]),
        ("failed", {**LAST, "ha": {"result": "passed"}}, ["image", "kernel-net"]),
        ("failed dr", {"unit": {"result": "passed"}}, ["image", "kernel-net", "dr"]),
        # ha was named, and interrupted.
        ("failed", {**LAST, "ha": {}}, ["image", "kernel-net", "ha"]),
    ],
)
def test_what_waits_runs_where_it_is_named(only: str, last: dict[str, Any], chosen: list[str]) -> None:
    assert [part.name for part in choose(PARTS, only, last, "molecule-ha")] == chosen


def test_what_others_need_does_not_wait() -> None:
    assert next(part.name for part in choose(PARTS, "", LAST, "image")) == "image"


def test_nothing_is_chosen_where_everything_passed() -> None:
    passed = {part.name: {"result": "passed"} for part in PARTS}
    assert choose(PARTS, "failed", passed) == []


def test_an_unknown_part_is_refused_with_the_list() -> None:
    with pytest.raises(Unknown, match=r"no part db, lint\. The parts are: image unit kernel-net dr ha, and failed"):
        choose(PARTS, "db dr lint", LAST)


def test_what_others_need_begins_first_and_then_the_longest() -> None:
    assert [part.name for part in in_order(PARTS, LAST)] == ["image", "kernel-net", "ha", "dr", "unit"]
    assert [part.name for part in in_order(PARTS, {})] == ["image", "unit", "kernel-net", "dr", "ha"]


PYTEST_LOG = """\
make[1]: Entering directory
kernel Linux 6.12, Python 3.11
........F...
=================================== FAILURES ===================================
______________________ test_a_cable_can_be_cut ______________________
    def test_a_cable_can_be_cut() -> None:
>       assert 1 == 2
E       assert 1 == 2
lab/tests/test_lab.py:88: AssertionError
------- Captured stdout call -------
a long captured output
=========================== short test summary info ============================
FAILED lab/tests/test_lab.py::test_a_cable_can_be_cut - assert 1 == 2
1 failed, 11 passed in 30.12s
make: *** [Makefile:78: lab] Error 1
"""
# As molecule shows what it runs: colours included, and headings that are too wide for the line.
MOLECULE_LOG = "INFO     dr: Executing\n" + "".join(
    f"  \x1b[2m│\x1b[0m {part}\n"
    for line in PYTEST_LOG.splitlines()[1:]
    for part in re.sub(r"( [=_]{5,})$", r"\n\1", line).split("\n")
)
ANSIBLE_LOG = """\
\x1b[32mTASK [Look] ***************\x1b[0m
ok: [director]
TASK [Change] *************
\x1b[31mfatal: [director]: FAILED! => {"msg": "no such device"}\x1b[0m
PLAY RECAP ****
director: ok=1 failed=1
make: *** [Makefile:90: molecule-dr] Error 2
"""


def test_of_a_failed_test_its_own_lines_are_said() -> None:
    assert what_failed(PYTEST_LOG) == [
        "___ test_a_cable_can_be_cut ___",
        ">       assert 1 == 2",
        "E       assert 1 == 2",
        "lab/tests/test_lab.py:88: AssertionError",
        "FAILED lab/tests/test_lab.py::test_a_cable_can_be_cut - assert 1 == 2",
    ]


def test_of_a_failed_task_its_name_and_error_are_said() -> None:
    assert what_failed(MOLECULE_LOG) == what_failed(PYTEST_LOG)
    assert what_failed(ANSIBLE_LOG) == [
        "TASK [Change]",
        'fatal: [director]: FAILED! => {"msg": "no such device"}',
    ]


def test_of_anything_else_the_end_is_said() -> None:
    log = "\n".join(f"line {number}" for number in range(100)) + "\nmake: *** [Makefile:1: x] Error 1\n"
    assert what_failed(log) == [f"line {number}" for number in range(75, 100)]
    assert what_failed("") == []


def test_much_that_failed_is_said_with_its_beginning_and_its_end() -> None:
    log = "\n".join(f"FAILED test_{number}" for number in range(1000))
    said = what_failed(log)
    assert said[0] == "FAILED test_0"
    assert said[45] == "... 910 lines are left out here ..."
    assert said[-1] == "FAILED test_999"


def test_what_did_not_end_did_not_pass() -> None:
    assert last_line({"a": "passed", "b": "FAILED", "c": "interrupted", "d": "did not begin"}) == "1 passed, 3 failed"


def test_what_the_machine_could_not_test() -> None:
    log = "kernel 6.12\n[  0.1 s] NOT TESTED: modules on Python 3.8, because it is not here\n1 passed\n"
    assert not_tested(log) == ["NOT TESTED: modules on Python 3.8, because it is not here"]
