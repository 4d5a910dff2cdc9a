# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples in the text format of Prometheus, version 0.0.4. Pure, and line by line: there may be a million."""

from __future__ import annotations

from typing import Iterable, Iterator, NamedTuple, Sequence, Union

from ansible_collections.lvs.topology.plugins.module_utils._metrics.catalogue import METRICS

Number = Union[int, float]
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Block(NamedTuple):
    """The samples of one metric: each with its labels as labels_text() has them, and its value."""

    name: str
    samples: Iterable[tuple[str, Number]]


def labels_text(names: Sequence[str], values: Sequence[str]) -> str:
    """Labels as they stand behind the name of a metric."""
    if not names:
        return ""
    pairs = (f'{name}="{_written(value)}"' for name, value in zip(names, values))
    return f"{{{','.join(pairs)}}}"


def _written(value: str) -> str:
    """A value between quotes. Half of a surrogate pair is no text that a file can hold, and becomes its number."""
    text = value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    return text.translate(_ESCAPES)


def one(name: str, value: Number, *labels: str) -> Block:
    """A metric with one sample."""
    return Block(name, [(labels_text(METRICS[name].labels, labels), value)])


def several(name: str, samples: Iterable[tuple[Sequence[str], Number]]) -> Block:
    """A metric with the values of labels for each of its samples."""
    names = METRICS[name].labels
    return Block(name, [(labels_text(names, labels), value) for labels, value in samples])


def render(blocks: Iterable[Block]) -> Iterator[str]:
    """The text, in pieces. A metric without samples is left out. Each metric may come once."""
    for block in blocks:
        samples = iter(block.samples)
        first = next(samples, None)
        if first is None:
            continue
        name = block.name
        metric = METRICS[name]
        yield f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n{name}{first[0]} {first[1]}\n"
        for labels, value in samples:
            yield f"{name}{labels} {value}\n"
