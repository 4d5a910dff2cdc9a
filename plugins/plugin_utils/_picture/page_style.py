# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page of a site looks, besides its picture: light and dark, on a desk and on a phone. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.drawing import COLOURED_METHODS, COLOURS, MONO, SANS

# The selector, the property, the colour.
_RULES = (
    ("body", "background", "frame"),
    ("body", "color", "ink"),
    ("header p,thead th,tbody th span,.more,td::before", "color", "soft"),
    ("figure,table,.findings li,.summary li", "background", "paper"),
    ("figure,table,.findings li,.summary li,td,tbody th", "border-color", "line"),
    ("tbody th", "background", "chip"),
    (".findings li.broken", "border-left-color", "broken"),
    (".findings li.at-risk", "border-left-color", "risk"),
    (".findings li.worth-knowing", "border-left-color", "known"),
    (".broken strong", "color", "broken"),
    (".at-risk strong", "color", "risk"),
    ("tbody th .method", "color", "paper"),
    *((f".method.{name}", "background", name) for name in COLOURED_METHODS),
    (".method", "background", "soft"),
)


def _colours(shade: int) -> Iterator[str]:
    for selectors, key, colour in sorted(_RULES, key=lambda rule: rule[0].count(".")):
        yield f"{selectors}{{{key}:{COLOURS[colour][shade]}}}"


STYLE = "".join(
    [
        "*{box-sizing:border-box}",
        f"body{{margin:0 auto;max-width:1180px;padding:20px 16px 48px;font:15px/1.5 {SANS};overflow-wrap:anywhere}}",
        "h1{font-size:22px;line-height:1.25;margin:0}h2{font-size:17px;margin:32px 0 10px}p{margin:0}",
        "header p{margin:2px 0 12px}ul{margin:0;padding:0;list-style:none}.not-looked-at li{margin:4px 0}",
        f"code{{font:13px {MONO}}}",
        ".summary{display:flex;flex-wrap:wrap;gap:8px;margin-bottom:16px}",
        ".summary li{border:1px solid;border-radius:8px;padding:5px 12px}",
        ".icon{vertical-align:-2px}",
        "figure{margin:0;border:1px solid;border-radius:12px;overflow:auto;text-align:center}",
        ".wide,.narrow{max-width:100%;height:auto;vertical-align:top}.narrow{display:none}",
        ".findings{display:grid;gap:8px}",
        ".findings li{display:flex;gap:10px;border:1px solid;border-left-width:5px;border-radius:8px;padding:8px}",
        ".findings .icon{flex:none;margin-top:4px}",
        "table{width:100%;border-spacing:0;border:1px solid;border-radius:10px;overflow:hidden}",
        "td,th{padding:7px 12px;text-align:left;vertical-align:top;font-weight:400}",
        "thead th{font-size:13px;font-weight:600;white-space:nowrap}td,tbody th{border-top:1px solid}",
        ".method{border-radius:9px;padding:1px 8px;font-size:12px;font-weight:600}.more{margin-top:8px}",
        *_colours(0),
        "@media (prefers-color-scheme:dark){",
        *_colours(1),
        "}",
        # Rows become cards, which say themselves what stands in them.
        "@media (max-width:720px){.wide{display:none}.narrow{display:inline}body{padding:14px 10px 40px}",
        "thead{display:none}table,tbody,tr,td,tbody th{display:block;border-width:0}",
        "table{border-width:1px}tr{border-top:1px solid;border-color:inherit;padding:6px 0}",
        "tbody th{margin:-6px 0}td:empty{display:none}",
        "td{display:grid;grid-template-columns:8em 1fr;padding:2px 12px}td::before{content:attr(data-head)}}",
        "@media print{body{max-width:none;padding:0}section{break-inside:avoid-page}}",
    ]
)
