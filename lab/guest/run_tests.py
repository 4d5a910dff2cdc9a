# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pytest inside the guest. A skipped test proves nothing, nor does a run without tests: both fail."""

from __future__ import annotations

import sys

import pytest

# At the end of each run, the plugin of hypothesis loads all of hypothesis, only to report on tests that use it. Such
# tests work without the plugin.
_WITHOUT = ("-p", "no:hypothesispytest")


class Count:
    """Counts what really ran."""

    def __init__(self) -> None:
        self.passed = 0
        self.not_run: list[str] = []
        self.collect_only = False

    def pytest_configure(self, config: pytest.Config) -> None:
        self.collect_only = config.option.collectonly

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:  # an expected failure too
            self.not_run.append(report.nodeid)
        elif report.passed and report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.not_run.append(report.nodeid)


def main() -> int:
    """Return pytest's exit status, or 1 where it is 0 for no good reason."""
    count = Count()
    status = int(pytest.main(["-p", "no:cacheprovider", *_WITHOUT, *sys.argv[1:]], plugins=[count]))
    if count.not_run:
        print(f"kernel tests: {len(count.not_run)} skipped, which counts as failed:", *count.not_run, sep="\n  ")
    elif status == 0 and not count.collect_only:
        print(f"kernel tests: {count.passed} passed, none skipped")
    if status == 0 and (count.not_run or not (count.passed or count.collect_only)):
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
