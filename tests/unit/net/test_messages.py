# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of netlink messages, one by one and cut like the last one of that length: it is the same."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer, attributes_of
from hypothesis import given
from hypothesis import strategies as some

VALUES = some.lists(some.tuples(some.integers(0, 5), some.binary(max_size=9)), max_size=4)


def encoded(attributes: list[tuple[int, bytes]]) -> bytes:
    return b"".join(
        struct.pack("=HH", 4 + len(value), kind | 0x8000) + value + bytes(-len(value) % 4) for kind, value in attributes
    )


@given(several=some.lists(VALUES, min_size=2, max_size=6))
def test_the_attributes_that_were_encoded(several: list[list[tuple[int, bytes]]]) -> None:
    """Of the same length are many of these, of the same layout only some."""
    messages._layouts.clear()
    for attributes in several * 2:
        assert attributes_of(encoded(attributes)) == dict(attributes)


@given(known=VALUES, data=some.binary(max_size=40))
def test_what_is_laid_out_otherwise_is_no_less_odd(known: list[tuple[int, bytes]], data: bytes) -> None:
    messages._layouts.clear()
    try:
        expected = attributes_of(data)
    except OddAnswer as problem:
        expected = str(problem)
    messages._layouts.clear()
    attributes_of(encoded(known))
    if isinstance(expected, str):
        with pytest.raises(OddAnswer) as caught:
            attributes_of(data)
        assert str(caught.value) == expected
    else:
        assert attributes_of(data) == expected


def test_no_more_layouts_are_kept_than_there_are_lists() -> None:
    messages._layouts.clear()
    for size in range(500):
        attributes_of(encoded([(1, bytes(size * 4))]))
    assert len(messages._layouts) == messages._MOST_LAYOUTS
