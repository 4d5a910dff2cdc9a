# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture as the text of an SVG: no script, nothing from elsewhere, light and dark. Pure.

Colours stand in rules of their own, without variables of CSS, which programs other than browsers do not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape as _escape

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.shapes import (
    FONTS,
    MONOSPACED,
    Box,
    Line,
    Picture,
    Symbol,
    Text,
    one_line,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, BROKEN, WORTH_KNOWING

SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
# The methods of forwarding that have a colour of their own, by their names.
COLOURED_METHODS = ("dr", "tun", "nat", "fullnat")
# Of each colour the light one and the dark one.
COLOURS = {
    "paper": ("#ffffff", "#11161d"),
    "ink": ("#17202b", "#e8edf3"),
    "soft": ("#566273", "#a3afbe"),
    "line": ("#c3ccd8", "#3b4654"),
    "frame": ("#eef2f7", "#171e27"),
    "box": ("#ffffff", "#202935"),
    "dr": ("#0b5fc0", "#74b3ff"),
    "tun": ("#7238b8", "#c7a0ff"),
    "nat": ("#08745a", "#4fcf9f"),
    "fullnat": ("#a62a80", "#f395d3"),
    "chip": ("#e3e9f1", "#2c3846"),
    "good": ("#17713a", "#5cd68b"),
    "broken": ("#c1121f", "#ff8c87"),
    "risk": ("#8f5100", "#ffbe55"),
    "known": ("#47607e", "#9db8d8"),
}
_DEGREES = {BROKEN: "broken", AT_RISK: "risk", WORTH_KNOWING: "known"}
# What is drawn in which colour: the selector, the property, the colour.
_RULES = (
    (".paper", "fill", "paper"),
    (".frame,.clients,.routers", "fill", "frame"),
    (".frame,.clients,.routers", "stroke", "line"),
    (".director,.pool,.server", "fill", "box"),
    (".director,.pool,.server", "stroke", "line"),
    (".chip", "fill", "chip"),
    (".name,.code,.chip-text", "fill", "ink"),
    (".label,.title", "fill", "soft"),
    (".way", "stroke", "soft"),
    (".tip", "fill", "soft"),
    *((f".pool.{name}", "stroke", name) for name in COLOURED_METHODS),
    *((f".chip.{name}", "fill", name) for name in COLOURED_METHODS),
    *((f".way.{name}", "stroke", name) for name in COLOURED_METHODS),
    *((f".tip.{name}", "fill", name) for name in COLOURED_METHODS),
    (".master", "stroke", "good"),
    (".chip.master", "fill", "good"),
    (".chip-text.on", "fill", "paper"),
    *((f".{name}", "stroke", name) for name in ("broken", "risk")),
    *((f".sign.{name},.note.{name}", "fill", name) for name in _DEGREES.values()),
    (".stroke", "stroke", "paper"),
)


def escape(text: str) -> str:
    """Text for SVG or HTML. A brace could be taken for a template by whoever writes the file."""
    return _escape(one_line(text)).replace("{", "&#123;").replace("}", "&#125;")


def style(scope: str = ".lvs") -> str:
    """Everything that is not a place: fonts, widths and colours."""
    fonts = [
        f"{scope} .{'chip-text' if look == 'chip' else look}"
        f"{{font:{_weight(look)}{size}px {MONO if look in MONOSPACED else SANS};stroke:none}}"
        for look, (size, _wide) in FONTS.items()
    ]
    rules = [
        f"{scope} .way{{fill:none;stroke-width:1.6}}",
        f"{scope} .way.answer{{stroke-dasharray:5 4}}",
        f"{scope} .way.faint{{stroke-width:1;stroke-dasharray:1 4}}",
        f"{scope} .pool{{stroke-width:1.6}}",
        f"{scope} .master,{scope} .broken,{scope} .risk{{stroke-width:2.2}}",
        f"{scope} .chip,{scope} .sign,{scope} .note{{stroke:none}}",
        f"{scope} .stroke{{fill:none;stroke-width:1.8;stroke-linecap:round}}",
    ]
    light, dark = ([*_colours(scope, shade)] for shade in (0, 1))
    return "".join([*fonts, *light, "@media (prefers-color-scheme:dark){", *dark, "}", *rules])


def _weight(look: str) -> str:
    return "600 " if look in ("name", "title", "chip") else ""


def _colours(scope: str, shade: int) -> Iterator[str]:
    for selectors, key, colour in _RULES:
        where = ",".join(f"{scope} {each}" for each in selectors.split(","))
        yield f"{where}{{{key}:{COLOURS[colour][shade]}}}"


def svg(picture: Picture) -> str:
    """The whole file."""
    return f"{_element(picture, style())}\n"


def inline(picture: Picture, look: str) -> str:
    """The picture as a part of a page that has the style already."""
    return _element(picture, "", look)


def _element(picture: Picture, rules: str, look: str = "") -> str:
    width, height = _number(picture.width), _number(picture.height)
    said = escape(picture.said)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{f"lvs {look}".strip()}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{said}">',
        f"<desc>{said}</desc>",
        f"<style>{rules}</style>" if rules else "",
        f'<rect class="paper" width="{width}" height="{height}" rx="10"/>',
        *map(_box, picture.boxes),
        *map(_line, picture.lines),
        *map(_symbol, picture.symbols),
        *map(_text, picture.texts),
        "</svg>",
    ]
    return "\n".join(each for each in parts if each)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _box(box: Box) -> str:
    look = f"{box.look} {_DEGREES.get(box.degree, '')}".strip()
    rounded = 9 if "chip" in box.look.split() else 7
    x, y, width, height = map(_number, (box.x, box.y, box.width, box.height))
    return f'<rect class="{look}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{rounded}"/>'


def _text(text: Text) -> str:
    look = "chip-text" + text.look[4:] if text.look.startswith("chip") else text.look
    if text.degree:
        look += f" {_DEGREES[text.degree]}"
    anchor = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    title = f"<title>{escape(text.whole)}</title>" if text.whole else ""
    return f'<text class="{look}" x="{_number(text.x)}" y="{_number(text.y)}"{anchor}>{title}{escape(text.text)}</text>'


def _line(line: Line) -> str:
    look = "".join([line.look, " answer" if line.is_answer else "", " faint" if line.is_faint else ""])
    path = _bent(line.points) if line.is_bent else _straight(line.points)
    drawn = f'<path class="way {look}" d="{path}"/>'
    return drawn + _tip(line) if line.has_tip else drawn


def _straight(points: tuple[tuple[float, float], ...]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _bent(points: tuple[tuple[float, float], ...]) -> str:
    """From left to right there is a bend first and then a straight part; from right to left the other way round."""
    drawn = f"M{_number(points[0][0])} {_number(points[0][1])}"
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        if y == to_y:
            drawn += f"H{_number(to_x)}"
        else:
            middle = _number((x + to_x) / 2)
            drawn += f"C{middle} {_number(y)} {middle} {_number(to_y)} {_number(to_x)} {_number(to_y)}"
    return drawn


def _tip(line: Line) -> str:
    (x, y), (to_x, to_y) = line.points[-2:]
    if line.is_bent:
        y = to_y  # a bend ends level
    if y == to_y:
        side = -8 if to_x > x else 8
        path = f"M{_number(to_x)} {_number(to_y)}l{side} -4v8z"
    else:
        side = -8 if to_y > y else 8
        path = f"M{_number(to_x)} {_number(to_y)}l-4 {side}h8z"
    return f'<path class="tip {line.look}" d="{path}"/>'


def _symbol(symbol: Symbol) -> str:
    return f'<g transform="translate({_number(symbol.x)} {_number(symbol.y)})">{sign(symbol.degree)}</g>'


def sign(degree: str) -> str:
    """A cross, an exclamation mark or an i: 12 by 12."""
    look = _DEGREES[degree]
    title = f"<title>{escape(degree)}</title>"
    if degree == BROKEN:
        shape, mark = '<circle class="sign {}" cx="6" cy="6" r="6"/>', "M3.8 3.8L8.2 8.2M8.2 3.8L3.8 8.2"
    elif degree == AT_RISK:
        shape, mark = '<path class="sign {}" d="M6 0L12.4 11.6H-.4Z"/>', "M6 4.2V7.4M6 9.6V9.7"
    else:
        shape, mark = '<rect class="sign {}" width="12" height="12" rx="3"/>', "M6 3V3.1M6 5.6V9.2"
    return f'{title}{shape.format(look)}<path class="stroke" d="{mark}"/>'
