# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client saw, as figures. Pure: all times are of the client's clock, in seconds."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Container, Iterable

# A client's kernel sends the first packet of a connection again after so many seconds.
RESENT = 1.0


@dataclass(frozen=True)
class Request:
    """One new connection: who answered it, or what became of it."""

    target: str
    start: float
    end: float
    by: str | None = None
    error: str | None = None
    port: int = 0


@dataclass(frozen=True)
class Download:
    """One long connection: the digest of what came, or what became of it."""

    target: str
    start: float
    end: float
    digest: str | None = None
    error: str | None = None
    port: int = 0


@dataclass
class Record:
    """What the load generator wrote."""

    requests: list[Request] = field(default_factory=list)
    downloads: list[Download] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)

    def add(self, line: str) -> None:
        """Take in one line of the load generator."""
        fields = json.loads(line)
        kind = fields.pop("kind")
        if kind == "mark":
            self.marks[fields["name"]] = fields["at"]
        elif kind == "request":
            self.requests.append(Request(**fields))
        else:
            self.downloads.append(Download(**fields))

    def of(self, target: str) -> Record:
        """The part of one target."""
        return Record(
            [one for one in self.requests if one.target == target],
            [one for one in self.downloads if one.target == target],
            self.marks,
        )


def failed(requests: Iterable[Request], since: float = -math.inf, until: float = math.inf) -> list[Request]:
    """The requests without an answer that began within a time."""
    return [one for one in requests if one.error and since <= one.start < until]


def silence(record: Record, since: float, until: float) -> float:
    """The longest time without an answer that ended after since, whenever it began; the last one ends at until."""
    answers = sorted(one.end for one in record.requests if not one.error and one.end <= until)
    edges = [*(answers or [min(since, until)]), until]
    return max((after - before for before, after in zip(edges, edges[1:]) if after > since), default=0.0)


def chosen_until(record: Record, event: float, until: float) -> float:
    """For how long after an event a connection still went where nobody answers."""
    return max((one.start - event for one in failed(record.requests, event, until)), default=0.0)


def unheard_until(record: Record, event: float, until: float) -> float:
    """For how long after an event the first packet of a connection still went where nobody answers.

    A request that a client repeats is answered a second later, and did not fail. On a machine that is slow, an answer
    that merely took so long counts as well: the figure is rather too large.
    """
    unheard = (one for one in record.requests if one.error or one.end - one.start >= RESENT)
    return max((one.start - event for one in unheard if event <= one.start < until), default=0.0)


def is_calm(record: Record, event: float, patience: float, count: int) -> bool:
    """Whether so many requests after an event, one after the other, were answered without a second packet.

    Those that have no answer yet may be waiting for one in vain, so none counts before the patience of all is over.
    """
    seen = max((one.end for one in record.requests), default=event) - patience
    over = sorted((one for one in record.requests if event <= one.start < seen), key=lambda one: one.start)[-count:]
    return len(over) == count and not any(one.error or one.end - one.start >= RESENT for one in over)


def back_after(record: Record, who: str, event: float) -> float | None:
    """How long after an event somebody answers again a request that began after it; None: never."""
    return min((one.end - event for one in record.requests if one.by == who and one.start >= event), default=None)


def slowest(requests: Iterable[Request]) -> float:
    """The longest that an answer took: a second and more says that a packet was lost and sent again."""
    return max((one.end - one.start for one in requests if not one.error), default=0.0)


def survivors(record: Record, digest: str, event: float, age: float = 0.0) -> tuple[int, int]:
    """How many downloads were under way at an event for some time already, and how many of them arrived whole."""
    found = under_way(record, event, age)
    return len(found), sum(one.digest == digest for one in found)


def under_way(record: Record, event: float, age: float = 0.0) -> list[Download]:
    """The downloads that were under way at an event for some time already."""
    return [one for one in record.downloads if one.start + age <= event < one.end]


def broken(record: Record, digest: str) -> list[Download]:
    """The downloads that did not arrive whole."""
    return [one for one in record.downloads if one.digest != digest]


def listed(saved: str, service: str) -> set[str]:
    """The addresses to which a director sends new connections to ADDRESS:PORT, from what ipvsadm -Sn prints."""
    found = re.findall(rf"^-a -\S+ {re.escape(service)} -r (\S+):\d+ .*-w (\d+)", saved, re.MULTILINE)
    return {address.strip("[]") for address, weight in found if weight != "0"}


@dataclass
class Owners:
    """Which real server has a connection, from what directors list of theirs."""

    found: dict[tuple[int, str], str] = field(default_factory=dict)

    def add(self, listed: str) -> None:
        """Take in what ipvsadm -Lnc prints."""
        for line in listed.splitlines():
            words = line.split()
            if len(words) == 6 and re.fullmatch(r".*:\d+", words[3]):
                self.found[int(words[3].rpartition(":")[2]), words[4]] = words[5].rpartition(":")[0].strip("[]")

    def of(self, one: Request | Download, service: str) -> str:
        """The address of the real server to which a connection to ADDRESS:PORT went; empty where nobody knows."""
        return self.found.get((one.port, service), "")


def counted(
    record: Record, owners: Owners, services: dict[str, str], touched: Container[str], down: Container[str], done: float
) -> list[Request]:
    """The requests that have to be answered: all that began when everything was repaired.

    Of the earlier ones those count that were for no service that was down, and went to nobody who was touched, be it by
    name or by address. One that failed counts where nobody knows where it went.
    """
    return [
        one
        for one in record.requests
        if one.start >= done
        or (
            one.target not in down
            and one.by not in touched
            and (not one.error or owners.of(one, services[one.target]) not in touched)
        )
    ]
