# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern watched where keepalived, its configuration or the kernel is not as usual."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Sequence

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Unit
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Action,
    Daemon,
    DestinationKey,
    Service,
    ServiceKey,
    Timeouts,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Outcome, Request
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state, keepalived_plan, watched
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_data import Pool, Watch
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Change, Plan, Refused
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

VIP = "192.168.0.29"
# When the configuration was written.
WRITTEN = 1000.0
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
SERVICES = CONFIGURATION + "virtual_server 192.168.0.29 80 {\n    protocol TCP\n}\n"
MASTER, BACKUP = (Daemon(state, "eth1", 5) for state in ("master", "backup"))
DAEMONS = watched.Wanted(Request(), {}, frozenset({VIP}), (MASTER, BACKUP))


class Kernel:
    """An IPVS on which these daemons run."""

    def __init__(self, *daemons: Daemon) -> None:
        self._daemons = [*daemons]

    def daemons(self) -> list[Daemon]:
        return self._daemons


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[tuple[str, str]]:
    """The addresses of the host, on which keepalived has the configuration above."""
    addresses = {(VIP, "eth1")}
    monkeypatch.setattr(watched, "_held", lambda: addresses)
    monkeypatch.setattr(watched, "read_file", lambda _path: File(CONFIGURATION))
    monkeypatch.setattr(watched.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(watched, "unit_of_keepalived", lambda: None)
    monkeypatch.setattr(keepalived_plan, "PATH", str(tmp_path / "keepalived.conf"))
    Path(keepalived_plan.PATH).touch()
    os.utime(keepalived_plan.PATH, (WRITTEN, WRITTEN))
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
    assert watched._known(CONFIGURATION, frozenset(addresses)) == expected


@pytest.mark.parametrize("line", ["#192.168.0.29/32 dev eth1", "!192.168.0.29/32 dev eth1", "$VIP/32 dev eth1"])
def test_what_somebody_has_commented_out_is_not_known(line: str) -> None:
    text = CONFIGURATION.replace("192.168.0.29/32 dev eth1", line)
    assert watched._known(text, frozenset({VIP, "fd00::29"})) == {("fd00::29", "eth2")}


def test_the_addresses_asked_for_are_spelled_as_those_of_the_configuration() -> None:
    mistakes = Mistakes()
    daemon = {"interface": "eth1", "syncid": 5, "addresses": ["::10.0.0.1", "FD00::29"]}
    wanted = watched.asked(validated(watched.WATCHED_SPEC, {"sync_daemon": daemon}), None, mistakes)
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
    module: Any = Told()
    plan = watched._daemon(module, kernel, DAEMONS)
    assert [" ".join(change.line.split()[1:3]) for change in plan.changes] == expected


@pytest.mark.parametrize(
    ("unit", "is_known"),
    [
        (None, True),
        (Unit(active=True, read=WRITTEN + 1), True),
        (Unit(active=True, read=WRITTEN), True),
        (Unit(active=True, read=WRITTEN - 1), False),
        # Somebody has started keepalived without systemd.
        (Unit(active=False, read=0.0), True),
    ],
)
def test_a_configuration_that_is_newer_than_what_keepalived_has_read_says_nothing(
    held: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, unit: Unit | None, is_known: bool
) -> None:
    held.clear()
    monkeypatch.setattr(watched, "unit_of_keepalived", lambda: unit)
    kernel: Any = Kernel(MASTER)
    module: Any = Told()
    plan = watched._daemon(module, kernel, DAEMONS)
    assert (bool(plan.changes), module.warnings) == (is_known, [] if is_known else [watched._UNREAD])


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    ("unit", "text", "pids", "expected", "is_said"),
    [
        (Unit(active=True, read=WRITTEN + 1), SERVICES, [7], 7, False),
        (Unit(active=True, read=WRITTEN + 1), SERVICES, [None, 7], 7, False),
        (Unit(active=True, read=WRITTEN + 1), SERVICES, [None, None], None, True),
        (Unit(active=True, read=WRITTEN - 1), SERVICES, [None], None, False),
        (Unit(active=False, read=WRITTEN + 1), SERVICES, [None], None, False),
        (Unit(active=True, read=WRITTEN + 1), CONFIGURATION, [None], None, False),
        (None, SERVICES, [None], None, False),
    ],
)
def test_which_process_fills_the_table(
    monkeypatch: pytest.MonkeyPatch,
    unit: Unit | None,
    text: str,
    pids: list[int | None],
    expected: int | None,
    is_said: bool,
) -> None:
    monkeypatch.setattr(watched, "read_file", lambda _path: File(text))
    monkeypatch.setattr(watched, "unit_of_keepalived", lambda: unit)
    monkeypatch.setattr(watched.keepalived_ask, "checker", iter(pids).__next__)
    module: Any = Told()
    assert watched._checker(module) == expected
    assert module.warnings == ([watched._UNSEEN] if is_said else [])


def test_the_configuration_is_not_looked_at_where_no_daemon_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_file(_path: str) -> File:
        raise AssertionError

    monkeypatch.setattr(watched, "read_file", read_file)
    kernel: Any = Kernel()
    module: Any = Told()
    assert not watched._daemon(module, kernel, DAEMONS._replace(daemons=())).changes


ADD, EDIT, DELETE = (
    Change(f"ipvsadm {verb}", Action(verb, Service(ServiceKey("ipv4", "tcp", VIP, 80)))) for verb in ("-A", "-E", "-D")
)


class Told:
    """A module that keeps what it was told."""

    check_mode = False

    def __init__(self, **params: Any) -> None:
        self.params = validated(watched.WATCHED_SPEC, params)
        self.warnings: list[str] = []
        self.warn = self.warnings.append


class Table:
    """A kernel's table, of which each look finds other changes to be made. Each refusal is of one attempt."""

    loaded = True

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *looks: list[Change] | Refused, refusals: Sequence[Any] = ()
    ) -> None:
        self.applied: list[list[Change]] = []
        self._looks, self._refusals = [*looks], [*refusals]
        monkeypatch.setattr(watched, "_table", lambda *_given: (self._look(), Watch({})))

    def _look(self) -> Outcome:
        found = self._looks.pop(0)
        if isinstance(found, Refused):
            raise found
        return Outcome(Plan(tuple(found)), {})

    def apply(self, changes: Sequence[Change]) -> None:
        self.applied.append([*changes])
        refusal = self._refusals.pop(0) if self._refusals else None
        if refusal:
            raise refusal

    def timeouts(self) -> Timeouts:
        return Timeouts(900, 120, 300)

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_given: object) -> None:
        pass


def again(kernel: Table) -> tuple[list[str], list[str]]:
    """The lines of what was changed, and the warnings."""
    module: Any = Told()
    held_by: Any = kernel
    lines: list[str] = []
    watched._again(module, held_by, 1, watched.Wanted(Request(), {}), lines)
    return lines, module.warnings


def test_a_table_that_comes_to_rest_needs_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Table(monkeypatch, [ADD], [EDIT], [])
    assert again(kernel) == ([ADD.line, EDIT.line], [])


def test_the_last_attempt_is_followed_by_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Table(monkeypatch, *[[EDIT]] * watched._ATTEMPTS, [])
    assert again(kernel) == ([EDIT.line] * watched._ATTEMPTS, [])


def test_what_took_effect_beside_a_refusal_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Refused("The kernel refused it.", applied=1, later=[3])
    kernel = Table(monkeypatch, [ADD, EDIT, EDIT, DELETE], [], refusals=[refusal])
    assert again(kernel) == ([ADD.line, DELETE.line], [])


def test_a_refusal_that_stays_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = [Refused(f"Cannot allocate memory ({attempt}).") for attempt in range(watched._ATTEMPTS)]
    kernel = Table(monkeypatch, *[[ADD]] * (watched._ATTEMPTS + 1), refusals=refusals)
    lines, (warning,) = again(kernel)
    assert (lines, len(kernel.applied)) == ([], watched._ATTEMPTS)
    assert "refused last: Cannot allocate memory (4). Something else" in warning


def test_what_goes_on_changing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Table(monkeypatch, *[[EDIT]] * (watched._ATTEMPTS + 1))
    lines, (warning,) = again(kernel)
    assert lines == [EDIT.line] * watched._ATTEMPTS
    assert "Something else may write the table" in warning
    assert "refused" not in warning


def test_what_was_changed_is_told_also_where_a_later_look_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Table(monkeypatch, [ADD], [EDIT], Refused("The IPVS table cannot be read."))
    monkeypatch.setattr(watched.keepalived_ask, "checker", lambda: 1)
    monkeypatch.setattr(watched, "open_table", lambda *_given, **_named: kernel)
    book: Any = SimpleNamespace(load=lambda: Ledger().claim(keepalived_plan.KIND, keepalived_plan.PATH, "keepalived"))
    module: Any = Told()
    with pytest.raises(Refused, match=r"cannot be read") as refused:
        watched.ensure_watched(module, book)
    assert refused.value.facts == {"changed": True, "applied": [ADD.line, EDIT.line]}


GUARDED = {
    "services": [
        {
            "address": VIP,
            "port": 80,
            "protocol": "tcp",
            "real_servers": [{"address": f"10.0.0.{n}", "weight": 1} for n in (51, 52)],
        }
    ],
    "guarded": {f"tcp {VIP}:80": f"[{VIP}]:tcp:80"},
}


@pytest.mark.parametrize(
    ("is_up", "state", "expected"),
    [
        (True, frozenset(), []),
        (False, frozenset({f"[{VIP}]:tcp:80"}), ["less of it is up"]),
        # It was killed, and has missed what happened.
        (False, frozenset(), ["less of it is up", "that other services are open"]),
        (True, frozenset({f"[{VIP}]:tcp:80"}), ["that other services are open"]),
        (True, None, ["Nothing guards the services"]),
    ],
)
def test_what_is_said_of_services_that_are_guarded(
    monkeypatch: pytest.MonkeyPatch, is_up: bool, state: frozenset[str] | None, expected: list[str]
) -> None:
    module = told_of_guarded(monkeypatch, state, {f"[{VIP}]:tcp:80|[10.0.0.51]"}, is_up=is_up)
    assert len(module.warnings) == len(expected)
    assert all(said in warning for said, warning in zip(expected, module.warnings, strict=True))
    if not is_up:
        assert "(10.0.0.51:80)" in module.warnings[0]


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        # One of a service with another min_up, and one that the model gives no weight.
        ({f"[{VIP}]:tcp:80|[10.0.0.51]", "FWM 7|[10.0.0.51]", f"[{VIP}]:tcp:80|[10.0.0.99]"}, []),
        # It was down before min_up was there, and keepalived says that once.
        (set(), ["other real servers down"]),
        ({f"[{VIP}]:tcp:80|[10.0.0.51]", f"[{VIP}]:tcp:80|[10.0.0.52]"}, ["other real servers down"]),
    ],
)
def test_what_the_guard_has_to_know_of_real_servers(
    monkeypatch: pytest.MonkeyPatch, down: set[str], expected: list[str]
) -> None:
    module = told_of_guarded(monkeypatch, frozenset(), down, is_up=True)
    assert len(module.warnings) == len(expected)
    assert all(said in warning for said, warning in zip(expected, module.warnings, strict=True))


def told_of_guarded(
    monkeypatch: pytest.MonkeyPatch, state: frozenset[str] | None, down: set[str], *, is_up: bool
) -> Any:
    module: Any = Told(**GUARDED)
    wanted = watched.asked(module.params, None, Mistakes())
    servers: dict[DestinationKey, int | None] = {DestinationKey("10.0.0.51", 80): 0, DestinationKey("10.0.0.52", 80): 1}
    written = None if state is None else guard_state.State(1, "1", state, frozenset(down))
    monkeypatch.setattr(watched.guard_state, "read", lambda: written)
    watched._tell(module, wanted, Watch({ServiceKey("ipv4", "tcp", VIP, 80): Pool(servers, is_up=is_up)}))
    return module


def test_a_name_that_is_no_service_is_refused() -> None:
    mistakes = Mistakes()
    module: Any = Told(**{**GUARDED, "guarded": {"web": "x"}})
    watched.asked(module.params, None, mistakes)
    with pytest.raises(BadRequest, match=r"guarded: 'web' is no service"):
        mistakes.raise_if_any()
