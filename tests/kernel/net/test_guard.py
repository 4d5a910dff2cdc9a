# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services with min_up: keepalived's checks fail one after the other, and ipvsadm says who still gets clients."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

CONFIG = Path("/etc/keepalived/keepalived.conf")
GUARD = Path("/etc/keepalived/lvs_guard")
# A real server is up while a file with its address is there.
UP = Path("/run/up")


def model(**changes: Any) -> Model:
    found = r5()
    found.groups["lvs_directors"] = ["lb1"]
    del found.hostvars["lb2"], found.hostvars["lb1"]["lvs_vrrp"]
    found.hostvars["lb1"].update(lvs_manager="checker", lvs_keepalived={"script_user": "root"})
    check = {"type": "misc", "script": f"/usr/bin/test -e {UP}/{{address}}", "interval": 1, "retries": 0}
    real_servers = [{"address": f"10.0.0.{number}", "weight": 10} for number in (61, 62, 63)]
    found.service.update({"min_up": "50%", "health_check": check, "real_servers": real_servers, **changes})
    return found


def write(given: Model) -> None:
    plan = given.plan("lb1", "keepalived")
    CONFIG.write_text(rendered(plan))
    GUARD.write_text(plan["guard"])


@pytest.fixture
def keepalived(no_configuration: None) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:  # noqa: ARG001, it makes the directory
    UP.mkdir(exist_ok=True)
    for number in (61, 62, 63):
        (UP / f"10.0.0.{number}").touch()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["keepalived", "--dont-fork", "--log-console", "--no-syslog"]))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=300)
    # Others look for what a run that was killed has left.
    for path in (guard_state.PATH, f"{guard_state.PATH}.lock"):
        Path(path).unlink(missing_ok=True)


def weights(sh: Callable[[str], str]) -> list[int]:
    return [int(line.split()[7]) for line in sh("ipvsadm -Sn").splitlines() if line.startswith("-a")]


def test_the_pool_fails_open_and_closes(
    sh: Callable[[str], str],
    until: Callable[[Callable[[], object]], None],
    keepalived: Callable[[], subprocess.Popen[bytes]],
) -> None:
    def opened() -> bool:
        state = guard_state.read()
        return state is not None and bool(state.open)

    write(model())
    process = keepalived()
    until(lambda: weights(sh) == [10, 10, 10] and guard_state.read())
    (UP / "10.0.0.61").unlink()
    until(lambda: weights(sh) == [0, 10, 10])
    assert not opened()
    (UP / "10.0.0.62").unlink()
    until(lambda: opened() and weights(sh) == [10, 10, 10])
    # While it is open, one more that fails goes on, and a reload changes nothing of that.
    (UP / "10.0.0.63").unlink()
    until(lambda: "down [192.168.0.29]:tcp:80|[10.0.0.63]:tcp:80" in Path(guard_state.PATH).read_text())
    until(lambda: weights(sh) == [10, 10, 10])
    first = guard_state.read()
    process.send_signal(signal.SIGHUP)
    until(lambda: guard_state.read() not in (None, first))
    assert opened()
    (UP / "10.0.0.61").touch()
    (UP / "10.0.0.62").touch()
    until(lambda: weights(sh) == [10, 10, 0])
    assert not opened()
    # Another min_up with the same real servers.
    write(model(min_up="100%"))
    process.send_signal(signal.SIGHUP)
    until(lambda: opened() and weights(sh) == [10, 10, 10])
