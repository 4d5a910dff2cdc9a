# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site as one page of HTML: its picture, findings and tables. It has no script, and nothing from elsewhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ansible_collections.lvs.topology.plugins.plugin_utils._picture.chart import ALWAYS, METHODS, chart, worst_of
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.drawing import escape, inline, sign, style
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.narrow import narrow
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.page_style import STYLE
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.view import Link, Served, View
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.wide import wide
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import DEGREES, Finding

# Rows of a table, and lines of a list; addresses of a director.
_MOST, _MOST_HELD = 400, 40
_NAMED = 3
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_OF_DIRECTOR = ("Director", "State", "Address", "Holds", "Sync daemon")
_OF_SERVICE = ("Real server", "Address", "Weight", "Connections", "Remark")
_ALL = "<code>ansible-playbook lvs.topology.verify</code> prints all that it finds."
_COMMAND = re.compile("`([^`]+)`")


def page(view: View, origin: str, made: str) -> str:
    """The whole document. ``origin`` is the playbook that looked, ``made`` when that was."""
    drawn = chart(view)
    title = f"LVS: {_names([node.name for group in view.groups for node in group.directors])}"
    findings, unseen = view.findings, view.unseen
    when = f" on {made}" if made else ""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">',
        f"<title>{escape(title)}</title>",
        f"<style>{style()}{STYLE}</style></head><body>",
        f"<header><h1>{escape(title)}</h1>",
        f"<p>Seen by {escape(origin + when)}</p>{_summary(findings)}</header><main>",
        f"<figure>{inline(wide(drawn), 'wide')}{inline(narrow(drawn), 'narrow')}</figure>",
        *_list("Findings", [_finding(each) for each in findings[:_MOST]], len(findings)),
        *_section("Directors", _directors(view)),
        *_section("Services", [*_services(view)]),
        *_list("Not looked at", [f"<li>{_prose(each)}" for each in unseen[:_MOST]], len(unseen)),
        "</main></body></html>",
    ]
    return "\n".join(each for each in parts if each) + "\n"


def _prose(text: str) -> str:
    """A sentence, in which commands stand between backquotes."""
    return _COMMAND.sub(r"<code>\1</code>", escape(text))


def _list(title: str, items: Sequence[str], count: int) -> Iterator[str]:
    """A section with a list, of which the page holds the beginning."""
    if items:
        more = f"And {count - len(items):,} more, which are not on this page. {_ALL}"
        listed = f"<ul class={title.lower().replace(' ', '-')}>{''.join(items)}</ul>"
        yield from _section(title, [listed, f"<p class=more>{more}</p>" if count > len(items) else ""])


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "no director") + more


def _icon(degree: str) -> str:
    return f'<svg class="lvs icon" viewBox="-.5 0 13 12" width="15" height="14" aria-hidden="true">{sign(degree)}</svg>'


def _summary(findings: Sequence[Finding]) -> str:
    """How much was found of each degree."""
    counts = {degree: sum(each.degree == degree for each in findings) for degree in DEGREES}
    said = "".join(f"<li>{_icon(degree)} {count:,} {degree}" for degree, count in counts.items() if count)
    well = "" if counts[DEGREES[0]] or counts[DEGREES[1]] else "<li>Nothing that was looked at is broken or at risk."
    return f"<ul class=summary>{well}{said}</ul>"


def _section(title: str, content: Sequence[str]) -> Iterator[str]:
    if content:
        yield f"<section><h2>{title}</h2>"
        yield from content
        yield "</section>"


def _finding(each: Finding) -> str:
    degree = each.degree.replace(" ", "-")
    remedy = f"<p>Remedy: {_prose(each.remedy)}" if each.remedy else ""
    return (
        f"<li class={degree}>{_icon(each.degree)}<div><p><strong>{each.degree}</strong> · <b>{escape(each.host)}</b>: "
        f"{_prose(each.what)}. {_prose(each.effect)}{remedy}</div>"
    )


def _directors(view: View) -> list[str]:
    """Who does what at the moment, and which addresses it holds."""
    nodes = [node for group in view.groups for node in group.directors]
    rows = []
    for node in nodes[:_MOST]:
        info = view.seen.tables.get(node.name) if view.seen else None
        daemons = [f"{each['state']}, syncid {each['syncid']}" for each in info["daemons"]] if info else []
        cells = (
            f"{_icon(node.degree) if node.degree else ''} <b>{escape(node.name)}</b>",
            escape(node.role),
            _codes(node.details),
            _codes(node.held),
            escape("; ".join(daemons)),
        )
        rows.append(_row(_OF_DIRECTOR, cells))
    more = f"<p class=more>And {len(nodes) - len(rows):,} more directors, which are not on this page.</p>"
    table = _table(_OF_DIRECTOR, ["<tbody>", *rows, "</tbody>"])
    return [*table, more if len(nodes) > len(rows) else ""] if rows else []


def _codes(words: Sequence[str]) -> str:
    shown = [f"<code>{escape(each)}</code>" for each in words[:_MOST_HELD]]
    more = [f"and {len(words) - _MOST_HELD:,} more"] if len(words) > _MOST_HELD else []
    return "<br>".join([*shown, *more])


def _services(view: View) -> Iterator[str]:
    """Every service with its real servers; where there are too many, those with findings come first."""
    services = [*view.services()]
    total, room, shown = sum(_rows_of(service) for _group, service in services), _MOST, 0
    if total > room:
        services.sort(key=lambda each: _rank(each[1]))
    rows: list[str] = []
    for group, service in services:
        if room > 0:
            rows += _service(service, room, is_shared=len(group.directors) > 1)
            room -= _rows_of(service)
            shown += 1
    if rows:
        yield from _table(_OF_SERVICE, rows)
    if total > _MOST:
        left = f"{total - _MOST:,} entries of real servers, and all entries of {len(services) - shown:,} services"
        yield f"<p class=more>Not here: {left}; <code>ansible-playbook lvs.topology.status</code> prints all.</p>"


def _rows_of(service: Served) -> int:
    return max(1, len(service.links))


def _rank(service: Served) -> int:
    degree = worst_of([service.degree, *(link.degree for link in service.links)])
    return DEGREES.index(degree) if degree else len(DEGREES)


def _service(service: Served, room: int, *, is_shared: bool) -> Iterator[str]:
    """Its rows. Of directors that share services it is said whose table this is."""
    method = METHODS[service.forward][0] if service.forward in METHODS else service.forward.upper()
    director = service.director if is_shared and service.is_declared else ""
    table = f" <span>table of {escape(director)}</span>" if director else ""
    note = f" {_icon(service.degree)} {escape(service.note)}" if service.degree else ""
    name = escape(service.name)
    yield (
        f"<tbody><tr><th colspan={len(_OF_SERVICE)} scope=rowgroup><b>{name}</b> "
        f"<code>{escape(service.where)}</code> <span>{escape(service.scheduler)}</span> "
        f'<span class="method {service.forward}">{escape(method)}</span>{table}{note}</th></tr>'
    )
    yield from map(_link, service.links[:room])
    yield "</tbody>"


def _link(link: Link) -> str:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in (link.counts or {}).items() if count or kind in ALWAYS)
    note = f"{_icon(link.degree)} {escape(link.note)}" if link.degree else ""
    cells = (
        f"<b>{escape(link.target)}</b>",
        f"<code>{escape(link.where)}</code>",
        escape(_weight(link)),
        escape(counts),
        note or ("sorry server" if link.is_sorry else ""),
    )
    return _row(_OF_SERVICE, cells)


def _weight(link: Link) -> str:
    """The one of the table, and where that is another one, that of the model."""
    if link.weight_there is None:
        return f"{link.weight} in the model" if link.weight is not None else ""
    if link.weight in (None, link.weight_there):
        return str(link.weight_there)
    return f"{link.weight_there}, {link.weight} in the model"


def _row(heads: Sequence[str], cells: Sequence[str]) -> str:
    """One row. On a phone each cell has its heading beside it, and one without content is left out."""
    return f"<tr>{''.join(map(_cell, heads, cells))}</tr>"


def _cell(head: str, cell: str) -> str:
    return f'<td data-head="{head}"><span>{cell}</span></td>' if cell else "<td></td>"


def _table(heads: Sequence[str], body: Sequence[str]) -> Iterator[str]:
    yield f"<table><thead><tr>{''.join(f'<th scope=col>{head}' for head in heads)}</tr></thead>"
    yield from body
    yield "</table>"
