# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus watches the pair, which tells of FULLNAT's connections as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import alerts, pair
from .alerts import Event, Watch
from .prometheus import Prometheus, watching
from .table import Result

# What the pair does not have.
_WITHOUT = ("lvs_vip_announce", "lvs_aggregate", "lvs_bird", "lvs_bgp")


def run() -> Result:
    """What fires for each event, beside what is to."""
    inventory = pair.model()
    pair.by_fullnat(inventory)
    # With less than that, which no event brings about, all real servers serve.
    pair.service(inventory, "nat")["min_up"] = 1
    inventory["lvs_directors"]["vars"]["lvs_conntrackd"] = True
    alerts.have(pair.HOSTS, inventory)
    pair.bring(inventory)
    with watching(pair.HOSTS, pair.DIRECTORS) as prometheus, pair.load(rate=2) as load:
        load.be_patient()
        watch = Watch("A Prometheus watches the pair", prometheus, lambda: pair.wait_ready(inventory))
        watch.calm()
        for event in _events(inventory, prometheus, watch):
            watch.see(event)
        pair.wait_ready(inventory)
        watch.dashboard(_WITHOUT)
        load.finish()
    return watch.result


def _events(inventory: dict[str, Any], prometheus: Prometheus, watch: Watch) -> Iterator[Event]:
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
        # Isolated long enough, conntrackd of both would be missed as well, after five minutes.
        {"LVSVipOnSeveralDirectors"},
    )
    backup = pair.other(pair.master())
    for daemon, alert in (("keepalived", "LVSKeepalivedDown"), ("conntrackd", "LVSConntrackdDown")):
        yield Event(
            f"{daemon} of the backup is stopped",
            lambda daemon=daemon: pair.run(backup, f"systemctl stop {daemon}"),  # type: ignore[misc] # bound at once
            lambda daemon=daemon: pair.run(backup, f"systemctl start {daemon}"),  # type: ignore[misc] # bound at once
            {alert},
        )
    yield Event(
        "the timer of the backup is stopped",
        lambda: pair.run(backup, "systemctl stop lvs-topology-metrics.timer"),
        lambda: pair.run(backup, "systemctl start lvs-topology-metrics.timer"),
        {"LVSMetricsStale"},
    )
    vip = f"{pair.VIPS['dr']}/32 dev lo"

    def change(what: str) -> None:
        pair.run("app1", f"ip address {what} {vip}")
        alerts.verify(pair.HOSTS, inventory, prometheus)

    yield Event(
        "app1 loses the VIP, which no health check sees, and verify looks",
        lambda: change("del"),
        lambda: change("add"),
        {"LVSVerifyBroken"},
    )
    watch.known()
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
