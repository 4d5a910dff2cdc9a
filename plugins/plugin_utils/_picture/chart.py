# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site in the words of a picture: services with the same real servers together, and no more than a picture can hold.

What is left out is counted and said. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.view import (
    Group,
    Link,
    Node,
    Served,
    View,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import DEGREES

_T = TypeVar("_T")

# What a picture holds of each.
_MOST = {"client": 6, "router": 6, "group of directors": 8, "director": 6, "service": 8}
_MOST_POOLS, _MOST_LINES, _FEWEST_LINES, _MOST_NOTES = 16, 24, 3, 3
# As many characters have room beside a line.
_LONGEST = 26
# What each method is called, what the director does, and how answers go.
METHODS: Mapping[str, tuple[str, str]] = {
    "dr": (
        "DR",
        "the director changes only the MAC address; real servers hold the VIP too, and answer themselves",
    ),
    "tun": (
        "TUN",
        "the director wraps packets; real servers unwrap them, hold the VIP too, and answer themselves",
    ),
    "nat": ("NAT", "the director rewrites the destination; answers go back through it, because it is the gateway"),
    "fullnat": ("FULLNAT", "the director rewrites destination and source; answers go back through it from any network"),
}
# Connections of which also is said that there are none.
ALWAYS = ("active", "inactive")
# Whose answers go past the director.
DIRECT = ("dr", "tun")


@dataclass(frozen=True)
class Remark:
    """A line of text. ``degree`` is empty where nothing is wrong."""

    text: str
    degree: str = ""


@dataclass(frozen=True)
class Strand:
    """All lines from a pool to one real server, drawn as one."""

    target: str
    forward: str
    label: str
    remarks: tuple[Remark, ...]
    degree: str
    is_used: bool


@dataclass(frozen=True)
class Entry:
    """A service in its pool."""

    name: str
    where: str
    scheduler: str
    remark: Remark | None


@dataclass(frozen=True)
class Pool:
    """Services of one method with the same real servers."""

    forward: str
    entries: tuple[Entry, ...]
    strands: tuple[Strand, ...]
    more: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """Directors that share VIPs, with their pools. ``shared`` is what no one of them is known to hold, and why not."""

    directors: tuple[Node, ...]
    shared: tuple[str, ...]
    why: str
    pools: tuple[Pool, ...]
    more: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """``said`` is all of it in a sentence, for whoever does not see the picture."""

    clients: tuple[Node, ...]
    routers: tuple[Node, ...]
    frames: tuple[Frame, ...]
    targets: Mapping[str, Node]
    methods: tuple[str, ...]
    more: tuple[str, ...]
    said: str


def chart(view: View) -> Chart:
    more: list[str] = []
    clients = _some(view.clients, "client", more)
    routers = _some(view.routers, "router", more)
    groups = _some(view.groups, "group of directors", more)
    pools = [_pools(group) for group in groups]
    drawn = max(1, sum(len(each) for each in pools))
    lines = max(_FEWEST_LINES, _MOST_LINES // min(drawn, _MOST_POOLS))
    most_pools = max(1, _MOST_POOLS // max(1, len(groups)))
    is_seen = view.seen is not None
    frames = tuple(_frame(group, of, most_pools, lines, is_seen) for group, of in zip(groups, pools))
    used = {strand.target for frame in frames for pool in frame.pools for strand in pool.strands}
    targets = {name: node for name, node in view.targets.items() if name in used}
    methods = {pool.forward for frame in frames for pool in frame.pools}
    return Chart(
        clients, routers, frames, targets, tuple(each for each in METHODS if each in methods), tuple(more), _said(view)
    )


def _some(things: Sequence[_T], kind: str, more: list[str]) -> tuple[_T, ...]:
    """As many of these as the picture holds, the worst for sure; ``more`` is told of the others."""
    most = _MOST[kind]
    if len(things) <= most:
        return tuple(things)
    more.append(f"and {_number(len(things) - most, kind)}")
    return tuple(_worst_first(things)[:most])


def _number(count: int, kind: str, more: str = "more ") -> str:
    first, _space, rest = kind.partition(" of ")
    return f"{count:,} {more}{first}{'' if count == 1 else 's'}{f' of {rest}' if rest else ''}"


def _worst_first(things: Iterable[_T]) -> list[_T]:
    return sorted(things, key=lambda each: _rank(getattr(each, "degree", "")))


def _rank(degree: str) -> int:
    return DEGREES.index(degree) if degree else len(DEGREES)


def worst_of(degrees: Iterable[str]) -> str:
    return min(degrees, key=_rank, default="")


def _pools(group: Group) -> list[list[Served]]:
    """The services, those together that packets leave in the same way for the same real servers."""
    pools: dict[Any, list[Served]] = {}
    for each in group.services:
        key = (each.forward, tuple((link.target, link.is_sorry) for link in each.links))
        pools.setdefault(key, []).append(each)
    return list(pools.values())


def _frame(group: Group, pools: list[list[Served]], most: int, lines: int, is_seen: bool) -> Frame:
    more: list[str] = []
    directors = _some(group.directors, "director", more)
    if len(pools) > most:
        pools = sorted(pools, key=lambda services: _rank(_worst_in(services)))
        services = sum(map(len, pools[most:]))
        more.append(f"and {_number(services, 'service')} with other real servers")
    why = "on no director that was seen" if is_seen else "on whichever is master"
    return Frame(directors, group.shared, why, tuple(_pool(each, lines, is_seen) for each in pools[:most]), tuple(more))


def _worst_in(services: list[Served]) -> str:
    return worst_of([*(each.degree for each in services), *(link.degree for each in services for link in each.links)])


def _pool(services: list[Served], lines: int, is_seen: bool) -> Pool:
    more: list[str] = []
    shown = _some(services, "service", more)
    entries = [Entry(each.name, each.where, each.scheduler, _remark(each)) for each in shown]
    columns: dict[str, list[Link]] = {}
    for each in services:
        for link in each.links:
            columns.setdefault(link.target, []).append(link)
    strands = [_strand(services[0].forward, links, is_seen) for links in columns.values()]
    if len(strands) > lines:
        more.append(f"and {_number(len(strands) - lines, 'real server')}")
        strands = _worst_first(strands)[:lines]
    return Pool(services[0].forward, tuple(entries), tuple(strands), tuple(more))


def _remark(service: Served) -> Remark | None:
    return Remark(service.note, service.degree) if service.note else None


def _strand(forward: str, links: list[Link], is_seen: bool) -> Strand:
    name = METHODS[forward][0] if forward in METHODS else forward
    label = f"{name} · {'sorry server' if all(each.is_sorry for each in links) else _weights(links, is_seen)}"
    remarks = (*map(Remark, _ways(forward, links)), *map(Remark, _counts(links)), *_notes(links))
    is_used = not is_seen or any(each.counts and each.weight_there for each in links)
    return Strand(links[0].target, forward, label, remarks, worst_of(each.degree for each in links), is_used)


def _ways(forward: str, links: Iterable[Link]) -> Iterator[str]:
    """Other ports, and kinds of tunnels."""
    ways = dict.fromkeys(each.way for each in links if each.way)
    if ways:
        word = "by" if forward == "tun" else "to"
        yield f"{word} {', '.join(ways)}" if len(ways) <= _MOST_NOTES else f"{word} several ports"


def _notes(links: Sequence[Link]) -> Iterator[Remark]:
    """What is to be said of the links, the worst first."""
    notes: dict[Remark, int] = {}
    for each in links:
        if each.note:
            remark = Remark(each.note, each.degree)
            notes[remark] = notes.get(remark, 0) + 1
    for remark in _worst_first(notes)[:_MOST_NOTES]:
        of = f" ({notes[remark]:,} of {len(links):,})" if notes[remark] < len(links) else ""
        yield Remark(remark.text + of, remark.degree)
    if len(notes) > _MOST_NOTES:
        yield Remark(f"and {_number(len(notes) - _MOST_NOTES, 'remark')}")


def _weights(links: Sequence[Link], is_seen: bool) -> str:
    """The weights of the table, where there is one, and what only the model has."""
    there = [each.weight_there for each in links if each.weight_there is not None]
    weights = there or [each.weight or 0 for each in links]
    low, high = min(weights), max(weights)
    said = f"weight {low}" if low == high else f"weights {low} to {high}"
    return f"{said} in the model" if is_seen and not there else said


def _counts(links: Iterable[Link]) -> Iterator[str]:
    """The connections of all links together, and below them what only some have."""
    totals: dict[str, int] = {}
    for each in links:
        for kind, count in (each.counts or {}).items():
            totals[kind] = totals.get(kind, 0) + count
    usual = [f"{totals[kind]:,} {kind}" for kind in ALWAYS if kind in totals]
    rest = [f"{count:,} {kind}" for kind, count in totals.items() if count and kind not in ALWAYS]
    # A number is nothing to shorten.
    yield from [", ".join(usual)] if usual and len(", ".join(usual)) <= _LONGEST else usual
    yield from rest


def _said(view: View) -> str:
    services = [service for group in view.groups for service in group.services]
    numbers = (
        (sum(len(group.directors) for group in view.groups), "director"),
        (len(services), "service"),
        (len(view.targets), "real server"),
    )
    words = ", ".join(_number(count, kind, "") for count, kind in numbers)
    methods = {each.forward for each in services}
    ways = "; ".join(f"{name}: {what}" for method, (name, what) in METHODS.items() if method in methods)
    masters = [each.name for group in view.groups for each in group.directors if each.role == "master"]
    return ". ".join(each for each in (words, f"Master: {', '.join(masters)}" if masters else "", ways) if each) + "."
