# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus watches directors to which things happen: alerts fire for these, and for nothing else."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any, Callable, Collection, NamedTuple

from .hosts import CHECKOUT, Hosts, say, wait
from .prometheus import Prometheus
from .table import Result, Table

_DASHBOARD = CHECKOUT / "roles/metrics/files/dashboard.json"
# On a machine that does much else, a director writes its metrics this seldom.
INTERVAL = 10
# How long nothing is to happen, after how long an alert would have fired where none is to, and how long one may take.
_CALM, _QUIET, _LIMIT = 120, 180, 1200
# Prometheus has to have seen a director for so long that it misses it.
_KNOWN = 660
COLUMNS = ["what happens", "alerts that are to fire", "alerts that fired", "unexpected", "s until the last one fired"]


class Event(NamedTuple):
    """What happens, what ends it, and which alerts are to fire in between."""

    title: str
    begin: Callable[[], object]
    end: Callable[[], object]
    alerts: set[str]


class Watch:
    """What is seen of events, one after the other. ``wait_whole`` waits until all hosts do what they are there for."""

    def __init__(self, title: str, prometheus: Prometheus, wait_whole: Callable[[], object]) -> None:
        self.result = Result([Table(title, COLUMNS)])
        self._prometheus = prometheus
        self._wait_whole = wait_whole
        self._began = time.time()

    def calm(self) -> None:
        """Nothing happens."""
        self.see(Event(f"nothing, for {_CALM} s", lambda: None, lambda: None, set()), _CALM)

    def known(self) -> None:
        """Wait until Prometheus misses whoever tells nothing any more."""
        wait("a past long enough", lambda: time.time() - self._began > _KNOWN, _KNOWN + 60)

    def see(self, event: Event, quiet: float = _QUIET) -> None:
        """A row. Where nothing is to fire, ``quiet`` is for how long it is looked."""
        self._wait_whole()
        say(f"alerts: {event.title}")
        began, took = time.time(), None
        with contextlib.ExitStack() as stack:
            stack.callback(event.end)
            event.begin()
            if event.alerts:
                wait(f"alerts for {event.title}", lambda: self._prometheus.firing() >= event.alerts, _LIMIT)
                took = time.time() - began
                # Whoever waits longer than the alerts take, sees whether others follow.
                quiet = _CALM / 2
            time.sleep(quiet)
        wait(f"no alert after {event.title}", lambda: not self._prometheus.firing(), _LIMIT)
        fired = self._prometheus.fired(began)
        unexpected = fired - event.alerts
        self.result.must(
            fired == event.alerts, f"{event.title}: {_named(event.alerts)} fires, and nothing else: {_named(fired)}"
        )
        row = [event.title, _named(event.alerts), _named(fired), _named(unexpected), took]
        say(f"alerts: {row}")
        self.result.tables[0].rows.append(row)

    def dashboard(self, without: Collection[str]) -> None:
        """Each query of the dashboard, as Grafana would ask it. ``without``: metrics that the model does not have."""
        columns = ["panel", "queries", "series", "without data"]
        found = Table(f"{self.result.tables[0].title}: what the queries of the dashboard return", columns)
        for panel in json.loads(_DASHBOARD.read_text())["panels"]:
            every = [each["expr"] for each in panel.get("targets", ())]
            queries = [query for query in every if not any(name in query for name in without)]
            series = [len(self._prometheus.query(_asked(each))) for each in queries]
            empty = [query for query, count in zip(queries, series) if not count]
            if queries:
                found.rows.append([panel["title"], len(queries), sum(series), len(empty)])
            self.result.must(not empty, f"every query of the panel {panel['title']} returns data: {empty}")
        self.result.tables.append(found)


def have(hosts: Hosts, inventory: dict[str, Any]) -> None:
    """Have the directors write metrics, by the model and where node_exporter would read them."""
    inventory["lvs_directors"]["vars"].update(lvs_metrics=True, lvs_metrics_interval=INTERVAL)
    for director in inventory["lvs_directors"]["hosts"]:
        hosts.run(director, "mkdir -p /var/lib/prometheus/node-exporter")


def verify(hosts: Hosts, inventory: dict[str, Any], prometheus: Prometheus) -> None:
    """Do what a timer on the controller would do."""
    report = prometheus.directories["controller"] / "lvs-verify.prom"
    made = Path(report.parents[1] / report.name)
    hosts.playbook("verify", inventory, "--extra-vars", f"lvs_verify_report={made}", check=False)
    # A scrape may come at any moment.
    made.rename(report)


def _named(alerts: set[str]) -> str:
    return ", ".join(sorted(alerts)) or "none"


def _asked(expression: str) -> str:
    filled = {"$instance": ".*", "$service": ".*", "$__rate_interval": "2m"}
    for name, value in filled.items():
        expression = expression.replace(name, value)
    return expression
