# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus watches three active directors behind a router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import active, alerts
from .active import HOSTS, VIP, VIP6
from .alerts import Event, Watch
from .hosts import PATIENT, lab
from .prometheus import watching
from .table import Result

# What three active directors do not have.
_WITHOUT = ("lvs_aggregate", "lvs_conntrackd", "lvs_service_fails_open", "lvs_real_server_check_failed")
# A host that gets no processor for some seconds is not dead.
_BFD = {"interval": 1000, "multiplier": 10}
# Takes the part about BFD out of the session with lb2, of one family.
_FORGET = r"sed -i '/^protocol bgp lvs4_10_0_0_22 /,/^}/{/^    bfd {/,/^    };/d}' /etc/bird/bird.conf"
_RELOAD = "birdc configure"


def run() -> Result:
    """What fires for each event, beside what is to."""
    inventory = active.model(_BFD)
    for group in (inventory["lvs_directors"]["vars"], inventory["lvs_routers"]["hosts"]["router"]):
        group["lvs_bgp"]["hold_time"] = 60
    active.boot(inventory)
    alerts.have(HOSTS, inventory)
    active.bring(inventory)
    targets = {"web": (VIP, 80), "web6": (VIP6, 80)}
    with watching(HOSTS, active.DIRECTORS) as prometheus, HOSTS.load(targets, 2, PATIENT) as load:
        watch = Watch("A Prometheus watches three active directors", prometheus, active.wait_whole)
        alerts.verify(HOSTS, inventory, prometheus)
        watch.calm()
        for event in _events(inventory, watch):
            watch.see(event)
        active.wait_whole()
        watch.dashboard(_WITHOUT)
        load.finish()
    return watch.result


def _events(inventory: dict[str, Any], watch: Watch) -> Iterator[Event]:
    """One after the other: each is made when the one before is over."""
    yield Event(
        "the power of web3 is cut",
        lambda: lab("power-off", HOSTS.name, "web3", "--power-cut"),
        lambda: active.power_on("web3"),
        {"LVSRealServerGone"},
    )
    yield Event(
        "BIRD of lb2 is stopped",
        lambda: HOSTS.run("lb2", "systemctl stop bird"),
        lambda: HOSTS.run("lb2", "systemctl start bird"),
        {"LVSBirdDown", "LVSVipAnnouncedByFewer"},
    )
    yield Event(
        "keepalived of lb3 is killed, and systemd starts it again",
        # Its first process alone: one that is killed while it forks takes a kernel of the lab along.
        lambda: HOSTS.run("lb3", "kill -KILL $(systemctl show --property MainPID --value keepalived)"),
        lambda: None,
        set(),
    )
    yield Event(
        "lb1 is drained",
        lambda: HOSTS.playbook("drain_directors", inventory, "-e", "lvs_drain_directors=lb1"),
        lambda: HOSTS.playbook(
            "drain_directors", inventory, "-e", "lvs_drain_directors=lb1", "-e", "lvs_drain_directors_state=present"
        ),
        # That it is drained is said after 15 minutes.
        set(),
    )
    yield Event(
        "the router disables its IPv4 session with lb2",
        lambda: HOSTS.run("router", "birdc disable lvs4_10_0_0_22"),
        lambda: HOSTS.run("router", "birdc enable lvs4_10_0_0_22"),
        {"LVSBgpSessionDown", "LVSVipAnnouncedByFewer"},
    )
    yield Event(
        "the router has no BFD for lb2 any more, in IPv4",
        lambda: HOSTS.run("router", f"cp -p /etc/bird/bird.conf /root/bird.conf; {_FORGET}; {_RELOAD}"),
        lambda: HOSTS.run("router", f"cp -p /root/bird.conf /etc/bird/bird.conf; {_RELOAD}"),
        {"LVSBfdDown"},
    )
    watch.known()
    yield Event(
        "the power of lb1 is cut",
        lambda: lab("power-off", HOSTS.name, "lb1", "--power-cut"),
        lambda: active.power_on("lb1"),
        {"LVSDirectorSilent", "LVSVipAnnouncedByFewer"},
    )
