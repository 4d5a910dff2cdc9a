# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it should be: one line, with how bad it is, what clients notice, and what puts it right.

There are three degrees: ``broken``, where clients notice it; ``at risk``, where they will when something else happens;
and ``worth knowing``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BROKEN, AT_RISK, WORTH_KNOWING = DEGREES = ("broken", "at risk", "worth knowing")
_MOST_OF_A_HOST = 50


@dataclass(frozen=True)
class Finding:
    """``what`` is what is, and what is meant; ``effect`` what clients notice; ``remedy`` what puts it right."""

    degree: str
    host: str
    what: str
    effect: str = ""
    remedy: str = ""

    @property
    def line(self) -> str:
        sentences = (f"{self.what.rstrip('.')}.", self.effect, f"Remedy: {self.remedy}" if self.remedy else "")
        return f"{self.degree}: {self.host}: {' '.join(each for each in sentences if each)}"


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """The worst first, each once."""
    return sorted(dict.fromkeys(found), key=lambda each: DEGREES.index(each.degree))


def lines_of(found: Iterable[Finding]) -> list[str]:
    """What is printed of findings in their order: of each host only so many that somebody reads them."""
    lines: list[str] = []
    by_host: dict[str, int] = {}
    for each in found:
        by_host[each.host] = by_host.get(each.host, 0) + 1
        if by_host[each.host] <= _MOST_OF_A_HOST:
            lines.append(each.line)
    return lines + [
        f"{host}: {count - _MOST_OF_A_HOST} more findings, which are in the file that lvs_verify_report names"
        for host, count in by_host.items()
        if count > _MOST_OF_A_HOST
    ]


def makes_verify_fail(degree: str) -> bool:
    return degree != WORTH_KNOWING
