# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of results: kept as JSON, printed as text or markdown. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Iterable


@dataclass
class Table:
    """Rows under one title; cases that measure the same thing differently add to the same table."""

    title: str
    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)


@dataclass
class Result:
    """What a case measured, and which promises it saw broken."""

    tables: list[Table] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def must(self, kept: bool, promise: str) -> None:
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(promise)

    def must_all(self, kept: int, of: int, promise: str) -> None:
        """Note a promise that was not kept for all of what was counted, or that nobody put to the test."""
        self.must(of > 0, f"{promise}: there was none, so nothing was measured")
        self.must(kept == of, f"{promise}: {of - kept} of {of} were not")

    def to_data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Result:
        """As JSON kept it."""
        return cls([Table(**table) for table in data["tables"]], data["broken"])


def merged(results: Iterable[Result]) -> list[Table]:
    """The tables of all results; rows of the same table come together."""
    tables: dict[str, Table] = {}
    for result in results:
        for table in result.tables:
            tables.setdefault(table.title, Table(table.title, table.columns)).rows.extend(table.rows)
    return list(tables.values())


def cell(value: Any) -> str:
    """A figure as it is read: seconds and ratios with one decimal."""
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def as_text(tables: Iterable[Table]) -> str:
    """For a terminal: words to the left, figures to the right."""
    parts = []
    for table in tables:
        lines = [table.columns, *([cell(value) for value in row] for row in table.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(table.columns))]
        figures = [_figures(table, column) for column in range(len(table.columns))]
        text = [
            "  ".join(
                f"{word:>{width}}" if right else f"{word:{width}}" for word, width, right in zip(line, widths, figures)
            )
            for line in lines
        ]
        parts.append("\n".join([table.title, *(f"  {line}".rstrip() for line in text)]))
    return "\n\n".join(parts) + "\n"


def as_markdown(tables: Iterable[Table]) -> str:
    """For the documentation."""
    parts = []
    for table in tables:
        rule = ["--:" if _figures(table, column) else "---" for column in range(len(table.columns))]
        lines = [table.columns, rule, *([cell(value) for value in row] for row in table.rows)]
        parts.append("\n".join([f"**{table.title}**", "", *(f"| {' | '.join(line)} |" for line in lines)]))
    return "\n\n".join(parts) + "\n"


def _figures(table: Table, column: int) -> bool:
    return all(row[column] is None or isinstance(row[column], (int, float)) for row in table.rows)
