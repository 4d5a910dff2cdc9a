# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus watches the pair while things happen to it: alerts fire for what happened, and for nothing else."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

from . import pair
from .hosts import CHECKOUT
from .pair import say
from .prometheus import Prometheus, watching
from .table import Result, Table

_DASHBOARD = CHECKOUT / "roles/metrics/files/dashboard.json"
# On a machine that does much else, a director writes its metrics this seldom.
_INTERVAL = 10
# How long nothing is to happen, and how long an alert may take: some wait for minutes before they fire.
_CALM, _LIMIT = 120, 1200
# Prometheus has to have seen a director for so long that it misses it.
_KNOWN = 660


class Event(NamedTuple):
    """What happens, what ends it, and which alerts are to fire in between."""

    title: str
    begin: Callable[[], object]
    end: Callable[[], object]
    alerts: set[str]


def alerts() -> Result:
    """What fires for each event, beside what is to."""
    inventory, result = pair.model(), Result()
    inventory["lvs_directors"]["vars"].update(lvs_metrics=True, lvs_metrics_interval=_INTERVAL)
    for director in pair.DIRECTORS:
        pair.run(director, "mkdir -p /var/lib/prometheus/node-exporter")
    pair.bring(inventory)
    columns = ["what happens", "alerts that are to fire", "alerts that fired", "s until the last one fired"]
    found = Table("A Prometheus watches the pair, and things happen", columns)
    with watching(pair.HOSTS, pair.DIRECTORS) as prometheus, pair.load(rate=2) as load:
        began = time.time()
        load.be_patient()
        time.sleep(_CALM)
        fired = prometheus.fired(began)
        found.rows.append([f"nothing, for {_CALM} s", "none", _named(fired), None])
        result.must(not fired, f"no alert fires while nothing happens: {_named(fired)}")
        for event in _events(inventory, prometheus, began):
            pair.wait_ready(inventory)
            say(f"alerts: {event.title}")
            found.rows.append(_see(event, prometheus, result))
        pair.wait_ready(inventory)
        result.tables += [found, _dashboard(prometheus, result)]
        load.finish()
    return result


def _see(event: Event, prometheus: Prometheus, result: Result) -> list[Any]:
    began = time.time()
    with contextlib.ExitStack() as stack:
        stack.callback(event.end)
        event.begin()
        # Whoever waits longer than the alerts take, sees whether others follow.
        pair.wait(f"alerts for {event.title}", lambda: prometheus.firing() >= event.alerts, _LIMIT)
        took = time.time() - began
        time.sleep(_CALM / 2)
    pair.wait(f"no alert after {event.title}", lambda: not prometheus.firing(), _LIMIT)
    fired = prometheus.fired(began)
    result.must(
        fired == event.alerts, f"{event.title}: {_named(event.alerts)} fires, and nothing else: {_named(fired)}"
    )
    return [event.title, _named(event.alerts), _named(fired), took]


def _named(alerts: set[str]) -> str:
    return ", ".join(sorted(alerts)) or "none"


def _events(inventory: dict[str, Any], prometheus: Prometheus, began: float) -> Iterator[Event]:
    """One after the other: each is made when the one before is over."""
    yield Event(
        "the web server of web1 is stopped",
        lambda: pair.run("web1", "systemctl stop nginx"),
        lambda: pair.run("web1", "systemctl start nginx"),
        {"LVSRealServerGone"},
    )
    yield Event(
        "the web servers of app1 and app2 are stopped",
        lambda: [pair.run(host, "systemctl stop nginx") for host in ("app1", "app2")],
        lambda: [pair.run(host, "systemctl start nginx") for host in ("app1", "app2")],
        {"LVSRealServerGone", "LVSNoRealServer"},
    )
    yield Event(
        "the directors do not hear each other",
        lambda: _isolate("on"),
        lambda: _isolate("off"),
        {"LVSVipOnSeveralDirectors"},
    )
    backup = pair.other(pair.master())
    yield Event(
        "keepalived of the backup is stopped",
        lambda: pair.run(backup, "systemctl stop keepalived"),
        lambda: pair.run(backup, "systemctl start keepalived"),
        {"LVSKeepalivedDown"},
    )
    yield Event(
        "the timer of the backup is stopped",
        lambda: pair.run(backup, "systemctl stop lvs-topology-metrics.timer"),
        lambda: pair.run(backup, "systemctl start lvs-topology-metrics.timer"),
        {"LVSMetricsStale"},
    )
    report = prometheus.directories["controller"] / "lvs-verify.prom"
    vip = f"{pair.VIPS['dr']}/32 dev lo"
    yield Event(
        "app1 loses the VIP, which no health check sees, and verify looks",
        lambda: _verify(inventory, report, f"ip address del {vip}"),
        lambda: _verify(inventory, report, f"ip address add {vip}"),
        {"LVSVerifyBroken"},
    )
    pair.wait("a past long enough", lambda: time.time() - began > _KNOWN, _KNOWN + 60)
    master = pair.master()
    yield Event(
        "the power of the master is cut",
        lambda: pair.lab("power-off", pair.NAME, master, "--power-cut"),
        lambda: pair.lab("power-on", pair.NAME, master),
        {"LVSDirectorSilent"},
    )


def _isolate(state: str) -> None:
    # Ports of a bridge that are isolated reach all others, but not each other.
    for host in pair.DIRECTORS:
        for card in (1, 2):
            pair.lab("exec", pair.NAME, "--", "bridge", "link", "set", "dev", f"{host}.{card}", "isolated", state)


def _verify(inventory: dict[str, Any], report: Path, command: str) -> None:
    """Change app1, and do what a timer on the controller would do."""
    pair.run("app1", command)
    made = report.parents[1] / report.name
    pair.HOSTS.playbook("verify", inventory, "--extra-vars", f"lvs_verify_report={made}", check=False)
    # A scrape may come at any moment.
    made.rename(report)


def _dashboard(prometheus: Prometheus, result: Result) -> Table:
    """Each query of the dashboard, as Grafana would ask it."""
    found = Table("What the queries of the dashboard return", ["panel", "queries", "series", "without data"])
    for panel in json.loads(_DASHBOARD.read_text())["panels"]:
        queries = [each["expr"] for each in panel.get("targets", ())]
        if queries:
            series = [len(prometheus.query(_asked(each))) for each in queries]
            empty = [query for query, count in zip(queries, series) if not count]
            found.rows.append([panel["title"], len(queries), sum(series), len(empty)])
            result.must(not empty, f"every query of the panel {panel['title']} returns data: {empty}")
    return found


def _asked(expression: str) -> str:
    filled = {"$instance": ".*", "$service": ".*", "$__rate_interval": "2m"}
    for name, value in filled.items():
        expression = expression.replace(name, value)
    return expression
