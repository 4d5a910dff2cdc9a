# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the failure tests: kept, brought together, printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chaos.table import Result, Table, as_markdown, as_text, merged

COLUMNS = ["what", "seconds", "lost"]


def test_rows_of_one_table_come_together() -> None:
    first = Result([Table("Cuts", COLUMNS, [["slow", 2.84, 42]])])
    second = Result([Table("Cuts", COLUMNS, [["fast", 10.0, None]]), Table("Splits", ["what"], [["healed"]])])
    tables = merged([first, second])
    assert [(table.title, len(table.rows)) for table in tables] == [("Cuts", 2), ("Splits", 1)]
    assert len(first.tables[0].rows) == 1, "the result itself was changed"
    assert as_text(tables) == (
        "Cuts\n  what  seconds  lost\n  slow      2.8    42\n  fast     10.0     -\n\nSplits\n  what\n  healed\n"
    )
    assert as_markdown(tables) == (
        "**Cuts**\n"
        "\n"
        "| what | seconds | lost |\n"
        "| --- | --: | --: |\n"
        "| slow | 2.8 | 42 |\n"
        "| fast | 10.0 | - |\n"
        "\n"
        "**Splits**\n"
        "\n"
        "| what |\n"
        "| --- |\n"
        "| healed |\n"
    )


def test_a_result_is_kept_whole() -> None:
    result = Result([Table("Cuts", COLUMNS, [["slow", 2.84, None]])])
    result.must(True, "that was kept")
    result.must(False, "all downloads survive")
    assert result.broken == ["all downloads survive"]
    assert Result.from_data(json.loads(json.dumps(result.to_data()))) == result
