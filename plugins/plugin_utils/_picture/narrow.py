# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same picture for a phone: from clients down to real servers, and answers up again at the right edge. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.chart import (
    DIRECT,
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

WIDTH, MARGIN = 366, 8
# From the edge to services, and from there to their real servers.
SPINE, INDENT = 14, 22
LANE = 13
HOP = 30


def narrow(chart: Chart) -> Picture:
    """The picture of a page on a narrow screen."""
    picture = Picture(WIDTH, chart.said)
    width = WIDTH - 2 * MARGIN - LANE * len(chart.methods) - 4
    y: float = 30
    before: list[Box] = []
    is_back = any(method not in DIRECT for method in chart.methods)
    for title, nodes in (("clients", chart.clients or (Node("clients"),)), ("routers", chart.routers)):
        if nodes:
            picture.text(MARGIN, y - 8, title, "title", width)
            before.append(_outside(picture, nodes, y, width, title))
            y = before[-1].bottom + HOP
            _down(picture, before[-1], y, is_back)
    # Where answers arrive, by method: those of direct routing at the router, where there is one.
    ends = {"dr": before[-1], "tun": before[0]}
    buses = {method: MARGIN + width + 6 + LANE * place for place, method in enumerate(chart.methods)}
    lowest: dict[str, float] = {}
    for position, frame in enumerate(chart.frames):
        if position:
            y += HOP - GAP
        outer, entrance, y = _frame(picture, frame, y, width)
        for pool in frame.pools:
            box = pool_box(picture, pool, MARGIN + SPINE, y, width - SPINE)
            spine, beside = MARGIN + SPINE / 2, box.y + 16
            picture.lines.append(Line(((spine, outer.bottom), (spine, beside), (box.x, beside)), "request"))
            y, end = _servers(picture, chart, pool, box, buses.get(pool.forward))
            if pool.strands and pool.forward in ends:
                lowest[pool.forward] = end
            elif pool.strands and pool.forward in buses:
                bus, at = buses[pool.forward], entrance.middle
                points = ((bus, end), (bus, at), (entrance.right, at))
                picture.lines.append(Line(points, pool.forward, is_answer=True))
            y += GAP
        for text in frame.more:
            picture.text(MARGIN, y + 8, text, "label", width)
            y += ROW + 4
    for method, last in lowest.items():
        bus, goal = buses[method], ends[method]
        points = ((bus, last), (bus, goal.middle), (goal.right, goal.middle))
        picture.lines.append(Line(points, method, is_answer=True))
    picture.height = legend(picture, chart, y + GAP, MARGIN) + MARGIN
    return picture


def _outside(picture: Picture, nodes: Sequence[Node], y: float, width: float, look: str) -> Box:
    box = picture.box(MARGIN, y, width, NAME_ROW * len(nodes) + PAD, look)
    for row, node in enumerate(nodes, 1):
        picture.remark_name(MARGIN + PAD, y + NAME_ROW * row, node.name, node.degree, width - 2 * PAD)
    return box


def _down(picture: Picture, box: Box, y: float, is_back: bool) -> None:
    """Requests from a box to what stands below it, and answers up again."""
    x = box.x + 130
    picture.lines.append(Line(((x, box.bottom), (x, y)), "request"))
    picture.text(x - 6, box.bottom + 19, "requests", "label", 70, anchor="end")
    if is_back:
        picture.lines.append(Line(((x + 12, y), (x + 12, box.bottom)), "request", is_answer=True))
        picture.text(x + 20, box.bottom + 19, "answers", "label", 80)


def _frame(picture: Picture, frame: Frame, y: float, width: float) -> tuple[Box, Box, float]:
    """The directors, whose services stand below them: their box, and the box where answers arrive."""
    place = len(picture.boxes)
    picture.text(MARGIN + PAD, y + 17, "directors", "title", width)
    directors, bottom = directors_of(picture, frame, MARGIN + PAD, y + 24, width - 2 * PAD)
    outer = Box(MARGIN, y, width, bottom - y + 2, "frame")
    picture.boxes.insert(place, outer)
    return outer, entrance_of(frame, directors, outer), outer.bottom + GAP


def _servers(picture: Picture, chart: Chart, pool: Pool, box: Box, bus: float | None) -> tuple[float, float]:
    """The real servers below their services; where they end, and where the last one's answers begin."""
    y, end, stem = box.bottom + 8, box.middle, box.x + INDENT / 2
    for strand in pool.strands:
        server = _server(picture, chart.targets[strand.target], strand, box.x + INDENT, y, box.width - INDENT)
        points = ((stem, box.bottom), (stem, server.middle), (server.x, server.middle))
        picture.lines.append(Line(points, pool.forward, is_faint=not strand.is_used))
        if bus is not None:
            stub = ((server.right, server.middle), (bus, server.middle))
            picture.lines.append(Line(stub, pool.forward, is_answer=True, has_tip=False))
        end, y = server.middle, server.bottom + 8
    return y, end


def _server(picture: Picture, node: Node, strand: Strand, x: float, y: float, width: float) -> Box:
    """A real server, with what there is to say of the service's way to it."""
    rows = len(lines_of(node)) + 1 + len(strand.remarks)
    box = picture.box(x, y, width, PAD + NAME_ROW + ROW * rows + 2, "server", worst_of((node.degree, strand.degree)))
    room = width - 2 * PAD
    at = described(picture, node, x + PAD, y + NAME_ROW, room)
    picture.text(x + PAD, at + ROW, strand.label, "label", room)
    for row, remark in enumerate(strand.remarks, 2):
        picture.remark(x + PAD, at + ROW * row, remark.text, remark.degree, room)
    return box
