# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pieces that every layout of a picture has: a host with what it holds, and services with the same real servers."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.chart import METHODS, Chart, Entry, Frame, Pool
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.shapes import Box, Picture, width_of, wrap
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.view import Node

PAD, ROW, NAME_ROW, GAP = 10, 15, 18, 12
MOST_HELD, MOST_ADDRESSES = 6, 4


def directors_of(picture: Picture, frame: Frame, x: float, y: float, room: float) -> tuple[list[Box], float]:
    """The directors of a frame below each other, and where the next thing may stand."""
    if frame.shared:
        picture.text(x, y + 10, frame.why, "label", room)
        y = held(picture, x, y + 12, room, frame.shared) + GAP - 4
    boxes = []
    for node in frame.directors:
        boxes.append(node_box(picture, node, x, y, room, "director"))
        y = boxes[-1].bottom + GAP - 4
    return boxes, y


def entrance_of(frame: Frame, boxes: Sequence[Box], outer: Box) -> Box:
    """Where requests arrive: at the one director that holds something, or at all of them together."""
    serving = [box for node, box in zip(frame.directors, boxes) if node.held]
    if len(serving) == 1:
        return serving[0]
    return boxes[0] if len(boxes) == 1 else outer


def held(picture: Picture, x: float, y: float, room: float, addresses: Sequence[str]) -> float:
    """A list of addresses, with how many more there are."""
    for address in addresses[:MOST_HELD]:
        y += ROW
        picture.text(x, y - 3, address, "code", room)
    if len(addresses) > MOST_HELD:
        y += ROW
        picture.text(x, y - 3, f"and {len(addresses) - MOST_HELD:,} more", "label", room)
    return y


def chip(picture: Picture, right: float, y: float, text: str, look: str, degree: str = "") -> float:
    """A word in a rounded box that ends at ``right``; how wide it is."""
    width = width_of(text, "chip") + 14
    picture.box(right - width, y, width, 18, f"chip {look}".strip(), degree)
    picture.text(right - width / 2, y + 13, text, "chip on" if look else "chip", width, anchor="middle")
    return width


def node_box(picture: Picture, node: Node, x: float, y: float, width: float, look: str) -> Box:
    """A host with its addresses; of a director what it does, and what it holds."""
    rows = len(lines_of(node)) + min(len(node.held), MOST_HELD + 1)
    look = f"{look} master" if node.role == "master" else look
    box = picture.box(x, y, width, PAD + NAME_ROW + ROW * rows + 4, look, node.degree)
    room = width - 2 * PAD
    taken: float = 0
    if node.role:
        is_master = node.role == "master"
        degree = "" if is_master or node.role == "standby" else node.degree
        taken = chip(picture, box.right - PAD, y + 8, node.role, "master" if is_master else "", degree) + 4
    at = described(picture, node, x + PAD, y + NAME_ROW + 3, room, taken) + 3
    if node.held:
        word = "holds "
        indent = width_of(word, "label")
        picture.text(x + PAD, at + ROW - 3, word, "label", room)
        held(picture, x + PAD + indent, at, room - indent, node.held)
    return box


def lines_of(node: Node) -> list[tuple[str, str]]:
    """What stands below a host's name, with its look."""
    more = len(node.details) - MOST_ADDRESSES
    return [
        *((each, "code") for each in node.details[:MOST_ADDRESSES]),
        *([(f"and {more:,} more", "label")] if more > 0 else []),
        *((each, "label") for each in node.words),
    ]


def described(picture: Picture, node: Node, x: float, y: float, room: float, taken: float = 0) -> float:
    """A host's name, its addresses, and what else there is to say; where the last line stands."""
    picture.remark_name(x, y, node.name, node.degree, room - taken)
    y += 2
    for text, look in lines_of(node):
        y += ROW
        picture.text(x, y, text, look, room)
    return y


def legend(picture: Picture, chart: Chart, y: float, margin: float) -> float:
    """What the methods do, and what is not in the picture; where it ends."""
    x = margin + 24 + max((width_of(METHODS[method][0], "chip") for method in chart.methods), default=0)
    for method in chart.methods:
        name, words = METHODS[method]
        chip(picture, margin + width_of(name, "chip") + 14, y, name, method)
        for row in wrap(words, "label", picture.width - x - margin):
            picture.text(x, y + 13, row, "label", picture.width - x - margin)
            y += ROW
        y += 7
    for text in (*chart.more, *([] if chart.frames else ["No director takes part."])):
        picture.text(margin, y + 12, text, "label", picture.width - 2 * margin)
        y += ROW
    return y


def pool_box(picture: Picture, pool: Pool, x: float, y: float, width: float) -> Box:
    """Services with the same real servers."""
    room = width - 2 * PAD
    place = len(picture.boxes)
    name = METHODS[pool.forward][0] if pool.forward in METHODS else pool.forward.upper() or "?"
    at = y + PAD
    taken = chip(picture, x + width - PAD, at - 2, name, pool.forward) + 8
    for position, entry in enumerate(pool.entries):
        at = _entry(picture, entry, x + PAD, at, room, room - (taken if position == 0 else 0)) + 5
    for text in pool.more:
        picture.text(x + PAD, at + 9, text, "label", room)
        at += ROW
    box = Box(x, y, width, at - y + 5, f"pool {pool.forward}")
    picture.boxes.insert(place, box)
    return box


def _entry(picture: Picture, entry: Entry, x: float, y: float, room: float, beside: float) -> float:
    scheduler = width_of(entry.scheduler, "label") + 8
    taken = picture.text(x, y + 11, entry.name, "name", beside - scheduler)
    picture.text(x + taken + 8, y + 11, entry.scheduler, "label", scheduler)
    picture.text(x, y + 26, entry.where, "code", room)
    if entry.remark:
        picture.remark(x, y + 41, entry.remark.text, entry.remark.degree, room)
        return y + 45
    return y + 30
