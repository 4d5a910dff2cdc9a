# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue and the alerts as tables of a document, with what is made of each metric. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.lvs.topology.plugins.module_utils._metrics.catalogue import CATALOGUE, METRICS
from ansible_collections.lvs.topology.plugins.plugin_utils._metrics.alerts import ALERTS
from ansible_collections.lvs.topology.plugins.plugin_utils._metrics.panels import PANELS

_NAME = re.compile(r"\blvs_\w+")


def named(expression: str) -> set[str]:
    """The metrics of an expression. A name that the catalogue does not have is among them."""
    return set(_NAME.findall(expression))


def alerts_of(metric: str) -> list[str]:
    return [alert.name for alert in ALERTS if metric in named(alert.expression)]


def panels_of(metric: str) -> list[str]:
    return [panel.title for panel in PANELS if any(metric in named(query.expression) for query in panel.queries)]


def unknown() -> set[str]:
    """What alerts and panels name, and nobody writes."""
    expressions = [alert.expression for alert in ALERTS]
    expressions += [query.expression for panel in PANELS for query in panel.queries]
    return {name for each in expressions for name in named(each)} - set(METRICS)


def metrics_table() -> str:
    rows = (
        (
            f"`{each.name}`",
            each.kind,
            each.unit,
            _words(each.labels),
            each.help,
            _words(alerts_of(each.name)),
            ", ".join(panels_of(each.name)) or "none",
        )
        for each in CATALOGUE
    )
    return _table(("metric", "type", "unit", "labels", "what it says", "alerts", "panels"), rows)


def alerts_table() -> str:
    rows = ((f"`{each.name}`", each.severity, each.lasts, f"`{each.expression}`", each.todo) for each in ALERTS)
    return _table(("alert", "severity", "for", "when", "what to do"), rows)


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _name in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n"
