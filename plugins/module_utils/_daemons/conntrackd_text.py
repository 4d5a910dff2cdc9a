# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``conntrackd -s`` prints -> the numbers in it. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

# Whatever it prints, no number of it is longer.
# What is said of an answer that is not understood here.
UNREADABLE = "what `conntrackd -s` prints has another form than that of conntrackd 1.4.7"
_NUMBER = r"(\d{1,20})"
_OWN = re.compile(rf"^cache internal:\n(?:.*\n){{0,3}}?current active connections:\s+{_NUMBER}$", re.MULTILINE)
_INJECTED = re.compile(
    rf"^external inject:\n"
    rf"connections created:\s+{_NUMBER}\s+failed:\s+{_NUMBER}\n"
    rf"connections updated:\s+{_NUMBER}\s+failed:\s+{_NUMBER}\n",
    re.MULTILINE,
)
_PACKETS = re.compile(rf"^UDP traffic .*:\n.*\n\s+{_NUMBER} Pckts sent\s+{_NUMBER} Pckts recv$", re.MULTILINE)
_LOST = re.compile(rf"^message tracking:\n.*\s{_NUMBER} Lost msgs$", re.MULTILINE)


class Counts(NamedTuple):
    """Connections of this director, those of its partner that came and could not come, and messages."""

    own: int
    taken: int
    failed: int
    sent: int
    received: int
    lost: int


def counts_of(output: str) -> Counts | None:
    """The counters; None where one of them is not where conntrackd 1.4.7 prints it."""
    own, injected, packets, lost = (each.search(output) for each in (_OWN, _INJECTED, _PACKETS, _LOST))
    if not (own and injected and packets and lost):
        return None
    created, not_created, updated, not_updated = map(int, injected.groups())
    return Counts(
        own=int(own[1]),
        taken=created + updated,
        failed=not_created + not_updated,
        sent=int(packets[1]),
        received=int(packets[2]),
        lost=int(lost[1]),
    )
