# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus on this machine, and a node_exporter for each host, which reads what that host has written.

The programs of Debian's packages listen on 127.0.0.1 alone, run as nobody where that is possible, and keep what they
have in a directory of the cache. The hosts' files are fetched by ssh: the directory that a node_exporter reads is here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Iterable, Iterator

import yaml

from .hosts import CACHE, CHECKOUT, Hosts, wait

_PROGRAMS = CHECKOUT / ".cache/prometheus/usr/bin"
_RULES = CHECKOUT / "roles/metrics/files/alerts.yml"
_WRITTEN = "/var/lib/prometheus/node-exporter/lvs-topology.prom"
# Prometheus looks every so many seconds; a host that does not answer for longer is one that tells nothing.
_EVERY, _PATIENCE = 5, 20


class Prometheus:
    """What was scraped, and which alerts fired."""

    def __init__(self, address: str, directories: dict[str, Path]) -> None:
        self._address = address
        self.directories = directories

    def query(self, expression: str, **when: float) -> list[dict[str, Any]]:
        """The result of an expression, now or over a time."""
        kind = "query_range" if when else "query"
        words = urllib.parse.urlencode({"query": expression, **when})
        with urllib.request.urlopen(f"http://{self._address}/api/v1/{kind}?{words}", timeout=60) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        found = self.query('count by (alertname) (ALERTS{alertstate="firing"})')
        return {each["metric"]["alertname"] for each in found}

    def fired(self, since: float) -> set[str]:
        """The names of the alerts that fired at any time since then."""
        expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
        found = self.query(expression, start=since, end=time.time(), step=_EVERY)
        return {each["metric"]["alertname"] for each in found}


@contextlib.contextmanager
def watching(hosts: Hosts, names: Iterable[str]) -> Iterator[Prometheus]:
    """Prometheus scrapes what these hosts write, for as long as the body runs. "controller" is this machine."""
    place = CACHE / "prometheus"
    shutil.rmtree(place, ignore_errors=True)  # there is none before the first time
    directories = {name: place / name for name in (*names, "controller")}
    for directory in directories.values():
        directory.mkdir(parents=True)
    ports = {name: _free_port() for name in (*directories, "prometheus")}
    (place / "data").mkdir()
    (place / "prometheus.yml").write_text(yaml.safe_dump(_configuration(ports, directories)))
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if nobody:
        shutil.chown(place / "data", "nobody")
    programs: list[list[str]] = [
        [
            *(f"{_PROGRAMS}/prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile"),
            f"--collector.textfile.directory={directory}",
            f"--web.listen-address=127.0.0.1:{ports[name]}",
        ]
        for name, directory in directories.items()
    ]
    address = f"127.0.0.1:{ports['prometheus']}"
    programs.append(
        [
            *(f"{_PROGRAMS}/prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data"),
            f"--web.listen-address={address}",
        ]
    )
    ended = threading.Event()
    with contextlib.ExitStack() as stack:
        stack.callback(ended.set)
        for words in programs:
            log = stack.enter_context((place / f"{Path(words[0]).name}.log").open("a"))
            process = subprocess.Popen([*nobody, *words], stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for name in names:
            fetcher = threading.Thread(target=_fetch, args=(hosts, name, directories[name], ended))
            fetcher.start()
            stack.callback(fetcher.join)
            stack.callback(ended.set)
        found = Prometheus(address, directories)
        wait("metrics of every host", lambda: _told(found) >= set(names))
        yield found


def _configuration(ports: dict[str, int], directories: dict[str, Path]) -> dict[str, Any]:
    targets = [{"targets": [f"127.0.0.1:{ports[name]}"], "labels": {"instance": name}} for name in directories]
    return {
        "global": {"scrape_interval": f"{_EVERY}s", "evaluation_interval": f"{_EVERY}s"},
        "rule_files": [str(_RULES)],
        "scrape_configs": [{"job_name": "node", "static_configs": targets}],
    }


def _told(prometheus: Prometheus) -> set[str]:
    try:
        return {each["metric"]["instance"] for each in prometheus.query("lvs_topology_build_info")}
    except OSError:
        return set()


def _fetch(hosts: Hosts, name: str, directory: Path, ended: threading.Event) -> None:
    """Bring a host's file here, again and again. While the host does not answer there is none, as nobody scrapes it."""
    file, new = directory / "lvs-topology.prom", directory / "fetched"
    answered = time.monotonic()
    while not ended.wait(2):
        with contextlib.suppress(subprocess.TimeoutExpired):
            words = hosts.ssh(name, f"cat {_WRITTEN}")
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_PATIENCE)
            if done.returncode == 0 and done.stdout:
                new.write_text(done.stdout)
                new.rename(file)
                answered = time.monotonic()
        if time.monotonic() - answered > _PATIENCE:
            file.unlink(missing_ok=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
