# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keepalived.conf says of health checks, and of what runs when a real server comes or goes, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import quoted
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Run, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import logins, through_vip
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS

# What the service itself says for its checks, and a check where it has another one.
_TIMES = ("interval", "timeout", "retry_delay", "warmup")
# What is said in words of its own.
_NOT_SAID = ("through", "address", "port", "source", "source_port", "fwmark")
# keepalived has no connect_timeout in these.
_UNCONNECTED = ("misc",)
_COMMAND = "script"
# What a check that a program makes has besides its command.
_OF_COMMAND = (*_TIMES, "retries")


def run(command: Run | None) -> Any:
    """A command, with its user where it has one of its own."""
    return {"script": command[0], "user": command[1]} if isinstance(command, tuple) else command


def runs_commands(service: Service, entry: RealServer) -> bool:
    watch = entry.watch
    checks = any(_COMMAND in each or each["type"] in LOGINS for each in service.checks_of(entry))
    return bool(watch.notify_up or watch.notify_down or checks)


def watched(service: Service, entry: RealServer) -> dict[str, Any]:
    """What a real server has besides its checks, where that is not what its service says."""
    watch, extra = entry.watch, service.supervision
    found = {
        "notify_up": run(watch.notify_up),
        "notify_down": run(watch.notify_down),
        "inhibit_on_failure": _other(watch.inhibit_on_failure, extra.inhibit_on_failure),
        "alpha": _other(watch.alpha, extra.alpha),
        "smtp_alert": watch.smtp_alert,
    }
    return {key: value for key, value in found.items() if value is not None}


def _other(own: bool | None, common: bool) -> bool | None:
    return None if own == common else own


def times(service: Service) -> dict[str, Any]:
    """The times of the first check that has some, which the service says for all."""
    own = (each for entry in service.real_servers for each in entry.watch.checks or ())
    every = chain(service.supervision.health_checks, own)
    first = next((each for each in every if "interval" in each), {})
    return {key: first[key] for key in _TIMES if key in first}


def checks(
    site: Site, name: str, service: Service, entry: RealServer, common: Mapping[str, Any], files: dict[str, str]
) -> list[dict[str, Any]]:
    """The checks of one real server, each as often as it is made: through VIPs once for each of them.

    ``common`` are the times that the service says for all.
    """
    found = []
    plugins = site.host(name).keepalived.plugins
    for position, given in enumerate(service.checks_of(entry)):
        check = given
        if given["type"] in LOGINS:
            command = logins.command(service, entry, given, position, plugins)
            check = {key: given[key] for key in given if key in _OF_COMMAND} | {"type": "misc", "script": command}
        planned = _of_real_server(check, entry, files) | _own_times(check, common)
        if check.get("through") == "vip":
            every = through_vip.ways(site, name, service, entry, check)
            found += [{**planned, "way": each} for each in every or [{}]]
        else:
            way = {key: check[key] for key in ("address", "port", "source", "source_port", "fwmark") if key in check}
            found.append({**planned, "way": way} if way else planned)
    return found


def _of_real_server(check: Mapping[str, Any], entry: RealServer, files: dict[str, str]) -> dict[str, Any]:
    said = {key: value for key, value in check.items() if key not in (*_TIMES, *_NOT_SAID)}
    if "timeout" in check and check["type"] in _UNCONNECTED:
        said["timeout"] = check["timeout"]
    if _COMMAND in check:
        said[_COMMAND] = _filled(check[_COMMAND], entry)
    elif check["type"] == "file":
        path = _filled(said.pop("path"), entry)
        said["track_file"] = files.setdefault(path, f"file_{len(files) + 1}")
    if "urls" in check:
        said["urls"] = [{**each, "regex": quoted(each["regex"])} if "regex" in each else each for each in check["urls"]]
    return said


def _own_times(check: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """The times of a check that are not those of its service."""
    if "interval" not in check:
        return {}
    wanted = {key: check.get(key) for key in _TIMES}
    if wanted["warmup"] is None and "warmup" in common:
        # As keepalived takes it where nobody says another one.
        wanted["warmup"] = check["interval"]
    if check["type"] in _UNCONNECTED:
        del wanted["timeout"]
    found = {key: value for key, value in wanted.items() if value is not None and value != common.get(key)}
    return {"times": found} if found else {}


def _filled(text: str, entry: RealServer) -> str:
    """A command or path of one real server."""
    return text.replace("{address}", str(entry.address)).replace("{port}", str(entry.port))
