# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of metrics, and what is made of it: rules, dashboard and tables. LVS_METRICS_WRITE=1 writes them anew."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Counters
from ansible_collections.lvs.topology.plugins.module_utils._metrics import catalogue
from ansible_collections.lvs.topology.plugins.module_utils._metrics.catalogue import CATALOGUE, METRICS
from ansible_collections.lvs.topology.plugins.plugin_utils._metrics import alerts, panels, tables
from ansible_collections.lvs.topology.tests.unit.metrics.promtool import CHECKOUT, promtool

RULES = CHECKOUT / "roles/metrics/files/alerts.yml"
DASHBOARD = CHECKOUT / "roles/metrics/files/dashboard.json"
DOCUMENT = CHECKOUT / "docs/metrics.md"
MADE = {RULES: alerts.rules_text, DASHBOARD: panels.dashboard_text}
TABLES = {"metrics": tables.metrics_table, "alerts": tables.alerts_table}


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_files_are_what_the_list_says(path: Path) -> None:
    text = MADE[path]()
    if os.environ.get("LVS_METRICS_WRITE"):
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_the_document_are_what_the_list_says(name: str) -> None:
    begin, end = f"<!-- {name} -->\n\n", f"\n<!-- end of {name} -->"
    before, _begin, rest = DOCUMENT.read_text().partition(begin)
    table, _end, after = rest.partition(end)
    if os.environ.get("LVS_METRICS_WRITE"):
        table = TABLES[name]()
        DOCUMENT.write_text(f"{before}{begin}{table}{end}{after}")
    assert table == TABLES[name]()


def test_alerts_and_panels_name_metrics_of_the_list_alone() -> None:
    assert tables.unknown() == set()


def test_every_metric_is_of_use() -> None:
    """A metric that neither an alert nor a panel has would be written for nobody."""
    assert [name for name in METRICS if not tables.alerts_of(name) and not tables.panels_of(name)] == []


def test_names_follow_the_conventions() -> None:
    assert len(METRICS) == len(CATALOGUE)
    for each in CATALOGUE:
        assert re.fullmatch(r"lvs_[a-z_]+", each.name)
        assert (each.kind == catalogue.COUNTER) == each.name.endswith("_total")
        assert each.help.endswith(".")
        assert not set('\\\n"').intersection(each.help)
        assert each.unit != "seconds" or each.name.endswith("_seconds")
    # The counters are those of the kernel, in its order.
    counted = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
    assert len(catalogue.TOTALS) == len(counted)
    assert tuple(Counters.__dataclass_fields__)[: len(counted)] == counted


def test_rules_are_rules() -> None:
    promtool("check", "rules", str(RULES))
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert [rule["alert"] for rule in rules] == [alert.name for alert in alerts.ALERTS]
    assert [rule["expr"] for rule in rules] == [alert.expression for alert in alerts.ALERTS]
    assert {rule["labels"]["severity"] for rule in rules} == set(alerts.SEVERITIES)


def test_the_dashboard_shows_every_panel_once_and_none_over_another() -> None:
    shown = json.loads(DASHBOARD.read_text())["panels"]
    assert [each["title"] for each in shown if each["type"] != "row"] == [panel.title for panel in panels.PANELS]
    assert len({each["id"] for each in shown}) == len(shown)
    places = set()
    for each in shown:
        at = each["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places
        assert at["x"] + at["w"] <= 24
        places |= cells


def test_a_name_that_is_not_in_the_list_is_found() -> None:
    assert tables.named("sum(lvs_vip_held) > lvs_nothing") == {"lvs_vip_held", "lvs_nothing"}
