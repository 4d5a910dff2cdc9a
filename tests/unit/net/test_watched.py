# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern watched where keepalived, its configuration or the kernel is not as usual."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _watched
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Request
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.types import Daemon
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.files import File
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

VIP = "192.168.0.29"
CONFIGURATION = """\
vrrp_instance lvs {
    virtual_ipaddress {
        192.168.0.29/32 dev eth1
    }
    virtual_ipaddress_excluded {
        fd00::29/128 dev eth2 preferred_lft forever
    }
}
"""
MASTER, BACKUP = (Daemon(state, "eth1", 5) for state in ("master", "backup"))
DAEMONS = _watched.Wanted(Request(), {}, frozenset({VIP}), (MASTER, BACKUP))


class Kernel:
    """An IPVS on which these daemons run."""

    def __init__(self, *daemons: Daemon) -> None:
        self._daemons = [*daemons]

    def daemons(self) -> list[Daemon]:
        return self._daemons


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The addresses of the host, on which keepalived has the configuration above."""
    addresses = {(VIP, "eth1")}
    monkeypatch.setattr(_watched, "_held", lambda: addresses)
    monkeypatch.setattr(_watched, "read_file", lambda _path: File(CONFIGURATION))
    monkeypatch.setattr(_watched.time, "sleep", lambda _seconds: None)
    return addresses


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ({VIP}, {(VIP, "eth1")}),
        ({VIP, "fd00::29"}, {(VIP, "eth1"), ("fd00::29", "eth2")}),
        ({"192.168.0.28"}, set()),
        (set(), set()),
    ],
)
def test_which_addresses_the_configuration_has(addresses: set[str], expected: set[tuple[str, str]]) -> None:
    assert _watched._known(CONFIGURATION, frozenset(addresses)) == expected


@pytest.mark.parametrize("line", ["#192.168.0.29/32 dev eth1", "!192.168.0.29/32 dev eth1", "$VIP/32 dev eth1"])
def test_what_somebody_has_commented_out_is_not_known(line: str) -> None:
    text = CONFIGURATION.replace("192.168.0.29/32 dev eth1", line)
    assert _watched._known(text, frozenset({VIP, "fd00::29"})) == {("fd00::29", "eth2")}


def test_the_addresses_asked_for_are_spelled_as_those_of_the_configuration() -> None:
    mistakes = Mistakes()
    daemon = {"interface": "eth1", "syncid": 5, "addresses": ["::10.0.0.1", "FD00::29"]}
    wanted = _watched.asked(validated(_watched.WATCHED_SPEC, {"sync_daemon": daemon}), None, mistakes)
    mistakes.raise_if_any()
    assert wanted.addresses == {"::10.0.0.1", "fd00::29"}


@pytest.mark.parametrize(
    ("is_held", "running", "expected"),
    [
        (True, [MASTER], []),
        (True, [BACKUP], ["--stop-daemon backup", "--start-daemon master"]),
        (False, [BACKUP], []),
        (False, [MASTER], ["--stop-daemon master", "--start-daemon backup"]),
        (False, [], ["--start-daemon backup"]),
    ],
)
def test_whose_daemon_is_to_run(
    held: set[tuple[str, str]], is_held: bool, running: list[Daemon], expected: list[str]
) -> None:
    if not is_held:
        held.clear()
        held.add((VIP, "lo"))
    kernel: Any = Kernel(*running)
    plan = _watched._daemon(kernel, DAEMONS)
    assert [" ".join(change.line.split()[1:3]) for change in plan.changes] == expected


def test_the_configuration_is_not_looked_at_where_no_daemon_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_file(_path: str) -> File:
        raise AssertionError

    monkeypatch.setattr(_watched, "read_file", read_file)
    kernel: Any = Kernel()
    assert not _watched._daemon(kernel, DAEMONS._replace(daemons=())).changes
