# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the failure tests, from records made by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chaos import measure
from chaos.measure import Download, Record, Request


def answered(*ends: float, by: str = "web1") -> list[Request]:
    return [Request("dr", end - 0.1, end, by=by) for end in ends]


def lost(*starts: float) -> list[Request]:
    return [Request("dr", start, start + 3, error="no answer") for start in starts]


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        (answered(1, 2, 5, 6), 3),
        # The silence began before the event that was seen late.
        (answered(1, 4.5, 5, 6), 3.5),
        # One before it does not count.
        (answered(0, 1.9, 2.1, 3, 4, 5, 6), 1),
        # Failures are no answers.
        (answered(1, 6) + lost(2, 3, 4), 5),
        # It never came back: until the end of the record.
        (answered(1, 2), 4),
        # Nobody ever answered.
        ([], 4),
        # What came after the end is no part of it.
        (answered(1, 3, 5, 9), 2),
    ],
)
def test_silence(requests: list[Request], expected: float) -> None:
    assert measure.silence(Record(requests), since=2, until=6) == pytest.approx(expected)


def test_what_came_late_does_not_hide_a_silence() -> None:
    # Begun in the silence, answered when it was over: the packet was sent again.
    record = Record([*answered(1, 5, 5.5), Request("dr", 2, 5, by="web1")])
    assert measure.silence(record, since=1, until=5.5) == pytest.approx(4)


def test_whom_a_table_sends_to() -> None:
    saved = """-A -t 198.51.100.1:80 -s mh -b mh-port
-a -t 198.51.100.1:80 -r 10.0.0.51:80 -g -w 1
-a -t 198.51.100.1:80 -r 10.0.0.52:80 -g -w 0
-a -t 198.51.100.1:8080 -r 10.0.0.53:80 -g -w 1
-a -t [2001:db8:100::1]:80 -r [2001:db8:b::51]:80 -g -w 3
"""
    assert measure.listed(saved, "198.51.100.1:80") == {"10.0.0.51"}
    assert measure.listed(saved, "[2001:db8:100::1]:80") == {"2001:db8:b::51"}
    assert measure.listed("", "198.51.100.1:80") == set()


def test_failed_within_a_time() -> None:
    requests = answered(1, 2) + lost(1, 2, 3)
    assert [one.start for one in measure.failed(requests)] == [1, 2, 3]
    assert [one.start for one in measure.failed(requests, since=2, until=3)] == [2]


def test_chosen_until_the_last_that_failed() -> None:
    record = Record(answered(1, 2, 3, 4, 5, 6) + lost(0.5, 2.5, 4.25, 6.5))
    assert measure.chosen_until(record, event=2, until=6) == pytest.approx(2.25)
    assert measure.chosen_until(Record(answered(3)), event=2, until=6) == 0


def test_unheard_until_the_last_whose_first_packet_was_lost() -> None:
    # Lost before the event; answered at once; its packet was sent again; never answered; after it was over.
    requests = [
        Request("dr", 1.5, 3.5, by="web1"),
        Request("dr", 2.1, 2.2, by="web1"),
        Request("dr", 2.3, 3.3, by="web1"),
        Request("dr", 2.25, 5.25, error="no answer"),
        Request("dr", 6.5, 8, by="web1"),
    ]
    assert measure.unheard_until(Record(requests), event=2, until=6) == pytest.approx(0.3)
    assert measure.unheard_until(Record(requests[:2]), event=2, until=6) == 0


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        (answered(*(2 + number / 10 for number in range(60))), True),
        # Every other one has no answer yet, and nobody knows whether it will get one.
        (answered(*(2 + number / 10 for number in range(25))), False),
        (answered(*(2 + number / 10 for number in range(60))) + lost(3), False),
        # Its first packet was sent again.
        ([*answered(*(2 + number / 10 for number in range(60))), Request("dr", 4, 5.5, by="web1")], False),
        # It failed at first, and that is over.
        (answered(*(2 + number / 10 for number in range(60))) + lost(2), True),
        ([], False),
    ],
)
def test_calm_is_what_no_request_fails_in(requests: list[Request], expected: bool) -> None:
    assert measure.is_calm(Record(requests), event=1.5, patience=3, count=20) is expected


def test_back_after_takes_no_answer_from_before() -> None:
    record = Record([Request("dr", 1.9, 2.5, by="web1"), *answered(3, by="web2"), *answered(4, 5)])
    assert measure.back_after(record, "web1", event=2) == pytest.approx(2)
    assert measure.back_after(record, "web3", event=2) is None


def test_slowest_of_the_answers() -> None:
    assert measure.slowest([*answered(1), Request("dr", 1, 2.2, by="web1"), *lost(1)]) == pytest.approx(1.2)
    assert measure.slowest(lost(1)) == 0


def test_survivors_are_those_under_way() -> None:
    downloads = [
        Download("dr", 1, 9, digest="whole"),
        Download("dr", 1, 9, digest="other"),
        Download("dr", 1, 9, error="stalled"),
        Download("dr", 4.5, 9, digest="whole"),  # too young
        Download("dr", 1, 4, digest="whole"),  # over before
        Download("dr", 6, 9, digest="whole"),  # began later
    ]
    record = Record(downloads=downloads)
    assert measure.survivors(record, "whole", event=5, age=1) == (3, 1)
    assert measure.survivors(record, "whole", event=5) == (4, 2)
    assert measure.under_way(record, event=5, age=1) == downloads[:3]
    assert measure.broken(record, "whole") == downloads[1:3]


def test_lines_of_the_load_generator() -> None:
    record = Record()
    for line in (
        {"kind": "mark", "name": "cut", "at": 4.5},
        {"kind": "request", "target": "dr", "start": 1, "end": 2, "by": "web1"},
        {"kind": "request", "target": "nat", "start": 1, "end": 2, "error": "no answer"},
        {"kind": "download", "target": "nat", "start": 1, "end": 2, "digest": "whole"},
    ):
        record.add(json.dumps(line))
    assert record.marks == {"cut": 4.5}
    assert record.of("dr") == Record([Request("dr", 1, 2, by="web1")], [], {"cut": 4.5})
    assert record.of("nat").requests == [Request("nat", 1, 2, error="no answer")]
    assert record.of("nat").downloads == [Download("nat", 1, 2, digest="whole")]
