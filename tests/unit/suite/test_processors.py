# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the lab's kernels move to another processor."""

from __future__ import annotations

import pytest
from suite.processors import Process, better_seats, families


@pytest.mark.parametrize(
    ("load", "seats", "moved"),
    [
        # Three share one processor, and the other is idle.
        ({1: 0.33, 2: 0.33, 3: 0.33}, {1: 0, 2: 0, 3: 0}, {1: 1}),
        ({1: 0.9, 2: 0.1}, {1: 0, 2: 0}, {2: 1}),
        # One that is alone would only be busy elsewhere.
        ({1: 1.0}, {1: 0}, {}),
        ({1: 0.5, 2: 0.4}, {1: 0, 2: 1}, {}),
        # Nearly even is good enough, and idle ones are of no use elsewhere.
        ({1: 0.1, 2: 0.1}, {1: 0, 2: 0}, {}),
        ({1: 1.0, 2: 0.0, 3: 0.0}, {1: 0, 2: 0, 3: 0}, {}),
        ({}, {}, {}),
        # One on a processor that is not ours stays there.
        ({1: 0.5, 2: 0.5}, {1: 7, 2: 0}, {}),
    ],
)
def test_who_moves(load: dict[int, float], seats: dict[int, int], moved: dict[int, int]) -> None:
    assert better_seats(load, seats, [0, 1]) == moved


def test_four_that_share_one_of_four_are_spread() -> None:
    load = dict.fromkeys(range(4), 0.25)
    moved = better_seats(load, dict.fromkeys(load, 0), range(4))
    after = [{**dict.fromkeys(load, 0), **moved}[kernel] for kernel in load]
    assert sorted(after) == [0, 1, 2, 3]


def test_what_a_kernel_runs_belongs_to_it() -> None:
    found = families({10: Process(1, 0), 11: Process(10, 0), 12: Process(11, 0), 20: Process(1, 0)})
    assert found == {10: [10, 11, 12], 20: [20]}
