# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pair of directors that most cases act on: its model, its state, and the load on its services."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import re
from typing import Any

import yaml

from . import measure
from .hosts import CACHE, HERE, PATIENT, ROOM, Failed, Hosts, Load, changed, lab, say, wait

__all__ = ["CACHE", "HERE", "PATIENT", "Failed", "Load", "changed", "lab", "say", "wait"]

HOSTS = Hosts(HERE / "network.yml")
NAME = HOSTS.name
run, begin = HOSTS.run, HOSTS.begin
DIRECTORS = ["lb1", "lb2"]
VIPS = {"dr": "192.168.0.28", "nat": "192.168.0.29"}
# How many seconds a request may take where that is measured.
PATIENCE = 3
# Made on each real server alike, so that whoever serves a download, its digest is known.
LINES = 600000
DIGEST = hashlib.sha256("".join(f"{number}\n" for number in range(1, LINES + 1)).encode()).hexdigest()


def up() -> None:
    """Boot the lab; what runs already is left alone."""
    HOSTS.up()
    for server in real_servers(model()):
        run(server, f"mkdir -p /srv/files; seq {LINES} >/srv/files/download")


def down() -> None:
    """Leave nothing of the lab."""
    HOSTS.down()
    _now.clear()


# The model and the playbooks


def model() -> dict[str, Any]:
    """The inventory that every case starts from; a copy to change."""
    content: dict[str, Any] = yaml.safe_load((HERE / "inventory.yml").read_text())
    return content


def service(inventory: dict[str, Any], name: str) -> dict[str, Any]:
    """One service of an inventory."""
    return next(one for one in inventory["all"]["vars"]["lvs_services"] if one["name"] == name)


def by_fullnat(inventory: dict[str, Any]) -> None:
    """Have the service nat be of FULLNAT, on directors with room for the connections of the load."""
    service(inventory, "nat")["forward"] = "fullnat"
    inventory["lvs_directors"]["vars"]["lvs_sysctls"] = dict(ROOM)


def real_servers(inventory: dict[str, Any]) -> list[str]:
    """All real servers of an inventory."""
    return list(inventory["lvs_real_servers"]["hosts"])


def playbook(name: str, inventory: dict[str, Any], *words: str, check: bool = True) -> str:
    """What a playbook of the collection printed."""
    _now.clear()
    return HOSTS.playbook(name, inventory, *words, check=check)


def site(inventory: dict[str, Any]) -> str:
    """Bring the hosts to a model, and wait until health checkers and directors are where they belong."""
    output = playbook("site", inventory)
    _now[:] = [copy.deepcopy(inventory)]
    wait_ready(inventory)
    return output


# The model that the hosts are at, where that is known: a run of site takes a while.
_now: list[dict[str, Any]] = []


def bring(inventory: dict[str, Any]) -> None:
    """Have the hosts at a model."""
    if _now != [inventory]:
        site(inventory)
    wait_ready(inventory)


def refused(output: str) -> bool:
    """Whether a playbook stopped at a host that refused."""
    return bool(re.search(r"failed=[1-9]", output.rpartition("PLAY RECAP")[2]))


# The directors


def masters() -> list[str]:
    """The directors that hold the VIPs."""
    return [host for host in DIRECTORS if f" {VIPS['nat']}/" in run(host, "ip -o -4 address show dev eth1")]


def master() -> str:
    """The one director that holds the VIPs."""
    found = masters()
    if len(found) != 1:
        raise Failed(f"masters: {found or 'none'}")
    return found[0]


def other(director: str) -> str:
    """The other director of the pair."""
    return next(host for host in DIRECTORS if host != director)


def table(director: str) -> list[str]:
    """The table of a director, as ipvsadm saves it."""
    return sorted(run(director, "ipvsadm -Sn").splitlines())


def listed(director: str) -> set[str]:
    """The addresses to which a director sends new connections."""
    found = (measure.listed("\n".join(table(director)), f"{vip}:80") for vip in VIPS.values())
    return set().union(*found)


def wait_ready(inventory: dict[str, Any]) -> None:
    """Wait until both directors do what they are there for: every real server in both tables, one master."""
    hosts, services = inventory["lvs_real_servers"]["hosts"], inventory["all"]["vars"]["lvs_services"]
    wanted = {hosts[entry["host"]]["lvs_address"] for service in services for entry in service["real_servers"]}
    wait("every real server in both tables", lambda: all(listed(host) == wanted for host in DIRECTORS))
    wait("one master", lambda: len(masters()) == 1)
    if "lvs_sync" in inventory["lvs_directors"]["vars"]:
        wait("a daemon of sync on both", lambda: all(_syncs(host) for host in DIRECTORS))


def _syncs(director: str) -> bool:
    state = "master" if director in masters() else "backup"
    return run(director, "ipvsadm -Ln --daemon").startswith(f"{state} sync daemon")


def checked(director: str) -> str:
    """What keepalived of a director wrote in the last two minutes: its states, and the ends of its health checks."""
    return run(director, "journalctl --unit=keepalived --since=-2min --output=short-precise --no-hostname")


def wait_unlisted(addresses: set[str]) -> None:
    """Wait until no director sends new connections to some real servers."""
    wait("out of both tables", lambda: not any(listed(host) & addresses for host in DIRECTORS))


def responders(vip: str) -> set[str]:
    """The MAC addresses that answer ARP requests of the client for a VIP."""
    answers = run("client", f"arping -b -c 5 -w 60 -I eth1 {vip}", check=False)
    return set(re.findall(r"reply from \S+ \[(\S+)\]", answers))


# The load


def load(rate: int = 25, patience: float = PATIENCE, downloads: int = 0) -> contextlib.AbstractContextManager[Load]:
    """Load on all services while the body runs."""
    return HOSTS.load({name: (vip, 80) for name, vip in VIPS.items()}, rate, patience, downloads)
