# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of a picture stands: clients, routers, directors with their services, real servers. Pure.

Requests go from the left to the right. Answers of NAT and FULLNAT go the same way back, those of DR and TUN below
everything, past the director.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.chart import (
    DIRECT,
    METHODS,
    Chart,
    Frame,
    Pool,
    Strand,
    worst_of,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.pieces import (
    GAP,
    NAME_ROW,
    PAD,
    ROW,
    described,
    directors_of,
    entrance_of,
    legend,
    lines_of,
    pool_box,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.shapes import Box, Line, Picture
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.view import Node

MARGIN, TOP = 16, 40
# Widths of the columns, and of what is between them.
OUTSIDE, FRAME, SERVER = 132, 304, 200
REQUESTS, BEND, TAIL = 84, 70, 190
ANSWER_APART = 6
LANE = 18


@dataclass(frozen=True)
class Framed:
    """A frame's box, the box where its requests arrive, and its pools with theirs."""

    box: Box
    entrance: Box
    pools: tuple[tuple[Pool, Box], ...]


def wide(chart: Chart) -> Picture:
    """The picture for a page or a document."""
    picture = Picture(0, chart.said)
    x: float = MARGIN
    outside: list[tuple[str, Sequence[Node], float]] = []
    for title, nodes in (("clients", chart.clients or (Node("clients"),)), ("routers", chart.routers)):
        if nodes:
            outside.append((title, nodes, x))
            x += OUTSIDE + REQUESTS
    left = x
    servers_x = left + FRAME + BEND + TAIL
    lanes = [method for method in DIRECT if method in chart.methods]
    picture.width = servers_x + SERVER + MARGIN + LANE * len(lanes)
    columns = [(title, at) for title, _nodes, at in outside]
    for title, at in (*columns, ("directors", left), ("real servers", servers_x)):
        picture.text(at, TOP - 14, title, "title", OUTSIDE)

    # What is less high stands beside the middle of the other.
    frames_height = _frames(Picture(0, ""), chart, left, 0)[1]
    servers = _by_server(chart)
    servers_height = sum(_server_height(node, strands) + GAP for node, strands in servers) - GAP
    framed, bottom = _frames(picture, chart, left, TOP + max(0, (servers_height - frames_height) / 2))
    pools = [each for frame in framed for each in frame.pools]
    servers_top: float = TOP
    if pools and servers_height < frames_height:
        middle = (pools[0][1].y + pools[-1][1].bottom) / 2
        servers_top = max(TOP, min(middle, TOP + frames_height - servers_height / 2) - servers_height / 2)
    boxes = _servers(picture, servers, pools, servers_x, servers_top)
    middle = _middle_of([each.entrance for each in framed]) if framed else TOP + NAME_ROW
    before = [_outside(picture, nodes, at, middle, title) for title, nodes, at in outside]
    _requests(picture, before, framed)
    bottom = max([bottom, *(each.bottom for each in (*boxes.values(), *before))])
    bottom = _lanes(picture, chart, before, boxes, bottom)
    picture.height = legend(picture, chart, bottom + 28, MARGIN) + MARGIN
    return picture


def _middle_of(boxes: Sequence[Box]) -> float:
    return boxes[0].middle if len(set(boxes)) == 1 else (boxes[0].y + boxes[-1].bottom) / 2


def _outside(picture: Picture, nodes: Sequence[Node], x: float, middle: float, look: str) -> Box:
    """Clients, or routers: one box with their names."""
    height = NAME_ROW * len(nodes) + PAD
    box = picture.box(x, max(TOP, middle - height / 2), OUTSIDE, height, look)
    for row, node in enumerate(nodes, 1):
        y = box.y + NAME_ROW * row
        picture.remark_name(x + PAD, y, node.name, node.degree, OUTSIDE - 2 * PAD)
    return box


def _frames(picture: Picture, chart: Chart, x: float, y: float) -> tuple[list[Framed], float]:
    """All frames below each other, and where the last one ends."""
    framed = []
    for frame in chart.frames:
        framed.append(_frame(picture, frame, x, y))
        y = framed[-1].box.bottom + GAP
    return framed, y - GAP if framed else y


def _frame(picture: Picture, frame: Frame, x: float, y: float) -> Framed:
    """The directors, and below them what they serve."""
    place, room = len(picture.boxes), FRAME - 2 * PAD
    directors, at = directors_of(picture, frame, x + PAD, y + PAD, room)
    pools = []
    for pool in frame.pools:
        pools.append(pool_box(picture, pool, x + PAD, at, room))
        at = pools[-1].bottom + GAP - 4
    for text in frame.more:
        picture.text(x + PAD, at + 10, text, "label", room)
        at += ROW
    outer = Box(x, y, FRAME, at - y + 2, "frame")
    picture.boxes.insert(place, outer)
    return Framed(outer, entrance_of(frame, directors, outer), tuple(zip(frame.pools, pools)))


def _by_server(chart: Chart) -> list[tuple[Node, list[tuple[int, Strand]]]]:
    """The real servers in the order in which pools name them, with their strands and the places of the pools."""
    found: dict[str, list[tuple[int, Strand]]] = {}
    pools = [pool for frame in chart.frames for pool in frame.pools]
    for position, pool in enumerate(pools):
        for strand in pool.strands:
            found.setdefault(strand.target, []).append((position, strand))
    return [(chart.targets[name], strands) for name, strands in found.items()]


def _strand_height(strand: Strand) -> float:
    return 28 + 14 * len(strand.remarks) + (0 if strand.forward in DIRECT else ANSWER_APART)


def _server_height(node: Node, strands: Sequence[tuple[int, Strand]]) -> float:
    return max(_text_height(node) + 6, 8 + sum(_strand_height(strand) for _position, strand in strands))


def _text_height(node: Node) -> float:
    return PAD + NAME_ROW + ROW * len(lines_of(node))


def _servers(
    picture: Picture,
    servers: Sequence[tuple[Node, list[tuple[int, Strand]]]],
    pools: Sequence[tuple[Pool, Box]],
    x: float,
    y: float,
) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    drawn = [0] * len(pools)
    for node, strands in servers:
        worst = worst_of([node.degree, *(strand.degree for _position, strand in strands)])
        box = picture.box(x, y, SERVER, _server_height(node, strands), "server", worst)
        boxes[node.name] = box
        described(picture, node, x + PAD, box.middle - _text_height(node) / 2 + NAME_ROW, SERVER - 2 * PAD)
        at = box.middle - sum(_strand_height(strand) for _position, strand in strands) / 2
        for position, strand in strands:
            pool, beside = pools[position]
            drawn[position] += 1
            start = beside.y + beside.height * drawn[position] / (len(pool.strands) + 1)
            _strand(picture, strand, beside.right, start, x, at + 19)
            at += _strand_height(strand)
        y = box.bottom + GAP
    return boxes


def _strand(picture: Picture, strand: Strand, x: float, y: float, end: float, at: float) -> None:
    """A line from a pool to a real server, with what there is to say of it."""
    faint, bend = not strand.is_used, end - TAIL
    picture.lines.append(Line(((x, y), (bend, at), (end, at)), strand.forward, False, True, faint))
    below = at + 13
    if strand.forward not in DIRECT:
        back = ((end, at + ANSWER_APART), (bend, at + ANSWER_APART), (x, y + ANSWER_APART))
        picture.lines.append(Line(back, strand.forward, True, True, faint))
        below += ANSWER_APART
    picture.text(bend + 4, at - 5, strand.label, "label", TAIL - 16)
    for row, remark in enumerate(strand.remarks):
        picture.remark(bend + 4, below + 14 * row, remark.text, remark.degree, TAIL - 8)


def _requests(picture: Picture, before: Sequence[Box], framed: Sequence[Framed]) -> None:
    """From clients to directors, and back where answers go that way."""
    back = {each.entrance for each in framed if any(pool.forward not in DIRECT for pool, _box in each.pools)}
    hops = [(source, target, bool(back), source.middle) for source, target in zip(before, before[1:])]
    hops += [(before[-1], each.entrance, each.entrance in back, each.entrance.middle) for each in framed]
    for source, target, is_back, y in hops:
        picture.lines.append(Line(((source.right, source.middle), (target.x, y)), "request", is_bent=True))
        middle, room = (source.right + target.x) / 2, target.x - source.right - 8
        if len(framed) == 1:
            picture.text(middle, source.middle - 6, "requests", "label", room, anchor="middle")
        if is_back:
            points = ((target.x, y + ANSWER_APART), (source.right, source.middle + ANSWER_APART))
            picture.lines.append(Line(points, "request", is_answer=True, is_bent=True))
            if len(framed) == 1:
                picture.text(middle, source.middle + 20, "answers", "label", room, anchor="middle")


def _lanes(picture: Picture, chart: Chart, before: Sequence[Box], boxes: dict[str, Box], bottom: float) -> float:
    """The answers that go past the director."""
    answering: dict[str, dict[str, None]] = {}
    for frame in chart.frames:
        for pool in frame.pools:
            for strand in pool.strands:
                answering.setdefault(strand.forward, {})[strand.target] = None
    lanes = [method for method in DIRECT if method in answering]
    right = max((each.right for each in boxes.values()), default=0)
    for position, method in enumerate(lanes):
        lane, bus = bottom + 26 + position * 22, right + 12 + LANE * position
        # In direct routing the real servers' gateway is that router; a tunnel's end has one of its own.
        end = before[-1] if method == "dr" else before[0]
        end_x = end.x + end.width / 2 + (LANE * position if end is before[0] and len(lanes) > 1 else 0)
        middles = [boxes[name].middle + 5 * position for name in answering[method]]
        for y in middles[1:]:
            picture.lines.append(Line(((right, y), (bus, y)), method, True, has_tip=False))
        points = ((right, middles[0]), (bus, middles[0]), (bus, lane), (end_x, lane), (end_x, end.bottom))
        picture.lines.append(Line(points, method, True))
        text = f"answers of {METHODS[method][0]} go past the director"
        picture.text((end_x + right) / 2, lane - 6, text, "label", right - end_x, anchor="middle")
    return bottom + 26 + (len(lanes) - 1) * 22 if lanes else bottom
