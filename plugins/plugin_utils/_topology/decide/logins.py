# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health checks of a director that log in: their commands, what these read from files, and the programs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_files import CREDENTIALS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Command
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import service_key
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS, SECTION, Login

_DIGITS = 16


def command(service: Service, entry: RealServer, check: Mapping[str, Any], position: int, plugins: str) -> str:
    """The command line of a check of one real server."""
    login = LOGINS[check["type"]]
    address = check.get("address", str(entry.address))
    values = {
        "address": address,
        "host": f"[{address}]" if ":" in address else address,
        "port": check.get("port") or entry.port or login.port,
        "timeout": check["timeout"],
        "file": f"{CREDENTIALS}/{_name(service, entry, check, position)}",
    }
    return f"{_path(login, plugins)} {login.words.format(**values)}"


def _path(login: Login, plugins: str) -> str:
    return f"{plugins}/{login.program}" if login.is_plugin else f"/usr/bin/{login.program}"


def _name(service: Service, entry: RealServer, check: Mapping[str, Any], position: int) -> str:
    """A name that stays while the model around it changes, and says nothing of a password."""
    own = None if entry.watch.checks is None else (str(entry.address), entry.port)
    key = repr((sorted(service_key(service).items()), own, position)).encode()
    return f"{check['type']}-{hashlib.sha256(key).hexdigest()[:_DIGITS]}"


def _of(site: Site, director: str) -> Iterator[tuple[Service, RealServer, Mapping[str, Any], int]]:
    for service in site.services.get(director, ()):
        for entry in service.real_servers:
            for position, check in enumerate(service.checks_of(entry)):
                if check["type"] in LOGINS:
                    yield service, entry, check, position


def credentials(site: Site, director: str) -> list[dict[str, str]]:
    """The files that such checks of a director read."""
    found = {_name(*each): "".join(f"{line}\n" for line in _lines(each[2])) for each in _of(site, director)}
    return [{"name": name, "content": content} for name, content in found.items()]


def needs(site: Site, director: str) -> Iterator[Command]:
    """The programs that make them."""
    plugins = site.host(director).keepalived.plugins
    for _service, _entry, check, _position in _of(site, director):
        yield Command(_path(LOGINS[check["type"]], plugins))


def _lines(check: Mapping[str, Any]) -> Iterator[str]:
    login = LOGINS[check["type"]]
    if not login.is_plugin:
        if "login" in check:
            said = f"{check['login']}:{check.get('password', '')}".replace("\\", "\\\\").replace('"', '\\"')
            yield f'user = "{said}"'
        return
    yield f"[{SECTION}]"
    yield from login.first
    if check["type"] == "redis":
        # The answer to the first of the two says that the password is right, or that there is none.
        said = f"AUTH {check['password']}\\r\\nPING\\r\\n" if "password" in check else "PING\\r\\n"
        yield f"send={said}"
        yield f"expect={'+OK' if 'password' in check else '+PONG'}"
        return
    for key, name in login.keys.items():
        if key in check:
            yield f"{name}={check[key]}"
