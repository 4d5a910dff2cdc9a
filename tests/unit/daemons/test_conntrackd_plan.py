# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conntrackd's files and unit: which changes, in which order, what the ledger keeps, and what conntrackd says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan as plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons.conntrackd_text import UNREADABLE, Counts, counts_of
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import (
    COPY_MODE,
    Files,
    Outcome,
    Unit,
    somebodys,
)
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

GIVEN: dict[str, Any] = {
    "held": "192.0.2.100",
    "own": "10.9.0.21",
    "partner": "10.9.0.22",
    "interface": "eth3",
    "port": 3780,
    "real_servers": ["10.1.0.51", "fd01::51"],
    "connections": 8000,
}
REPLICA = plan.Replica("192.0.2.100", "10.9.0.21", "10.9.0.22", "eth3", 3780, ("10.1.0.51", "fd01::51"), 8000)
OURS, FOLLOWER = File(plan.render(REPLICA)), File(plan.FOLLOWER_TEXT)
THEIRS = File("# theirs\n", 0o640)
FRESH, RUNNING = Unit(), Unit(enabled=True, active=True, read=100.0)


def on_disk(
    config: File | None,
    written: float,
    follower: File | None = None,
    drop_in: File | None = None,
    copy: File | None = None,
    now: float = 1000.0,
) -> Files:
    return Files(config, written, copy, {plan.FOLLOWER: follower, plan.DROP_IN: drop_in}, now)


def present(files: Files, unit: Unit | None, ledger: Ledger | None = None) -> Outcome:
    return plan.plan_present(ledger or Ledger(), "director", REPLICA, files, unit)


def written(outcome: Outcome) -> dict[str, File]:
    return {each.action.path: each.action.file for each in outcome.plan.changes if isinstance(each.action, WriteFile)}


def lines(outcome: Outcome) -> list[str]:
    return [change.line for change in outcome.plan.changes]


def systemctl(*words: str) -> list[str]:
    return [f"systemctl {word} conntrackd.service" for word in words]


DROP_IN = written(present(on_disk(None, 0), FRESH))[plan.DROP_IN]
WRITE_ALL = [f"write {each}" for each in (plan.PATH, plan.FOLLOWER, plan.DROP_IN)]


@pytest.mark.parametrize(
    ("files", "unit", "expected"),
    [
        (
            on_disk(None, 0),
            FRESH,
            [*WRITE_ALL, "systemctl daemon-reload", *systemctl("enable", "start")],
        ),
        (on_disk(THEIRS, 50), RUNNING, [*WRITE_ALL, "systemctl daemon-reload", *systemctl("restart")]),
        (on_disk(OURS, 50, FOLLOWER, DROP_IN), RUNNING, []),
        # A run that was cut between writing and reading, and a clock that was set back since.
        (on_disk(OURS, 150, FOLLOWER, DROP_IN, now=200), RUNNING, systemctl("restart")),
        (on_disk(OURS, 150, FOLLOWER, DROP_IN, now=120), RUNNING, []),
        (on_disk(OURS, 50, FOLLOWER, DROP_IN), Unit(enabled=True, failed=True), systemctl("reset-failed", "start")),
        (on_disk(OURS, 50, None, DROP_IN), RUNNING, [f"write {plan.FOLLOWER}"]),
        # No systemd.
        (on_disk(None, 0), None, WRITE_ALL[:2]),
    ],
)
def test_present(files: Files, unit: Unit | None, expected: list[str]) -> None:
    assert lines(present(files, unit)) == expected


@pytest.mark.parametrize(
    ("config", "before", "expected"),
    [
        (None, FRESH, [*systemctl("stop"), "drop-in", *systemctl("disable"), f"remove {plan.PATH}"]),
        (THEIRS, FRESH, [*systemctl("stop"), "drop-in", *systemctl("disable"), f"write {plan.PATH}"]),
        # It served the operator before: it goes on with what it had.
        (THEIRS, RUNNING, ["drop-in", f"write {plan.PATH}", *systemctl("restart")]),
    ],
)
def test_absent_is_what_was_before(config: File | None, before: Unit, expected: list[str]) -> None:
    claimed = present(on_disk(config, 0), before)
    kept = claimed.copy
    assert kept == (File(config.text, COPY_MODE) if config else None)
    files = on_disk(OURS, 0, FOLLOWER, DROP_IN, kept)
    gone = plan.plan_absent(claimed.settled, "director", files, RUNNING)
    wanted: list[str] = []
    for each in expected:
        wanted += [f"remove {plan.DROP_IN}", "systemctl daemon-reload"] if each == "drop-in" else [each]
    # What follows VRRP goes with the rest, before what was there begins again.
    wanted.insert(len(wanted) - (wanted[-1].startswith("systemctl")), f"remove {plan.FOLLOWER}")
    assert lines(gone) == wanted
    assert gone.settled == Ledger()
    if config:
        assert written(gone)[plan.PATH] == config


def test_nothing_of_ours_is_left_alone() -> None:
    outcome = plan.plan_absent(Ledger(), "director", on_disk(THEIRS, 0), RUNNING)
    assert not outcome.plan.changes
    # What was there already is never claimed.
    assert present(on_disk(OURS, 50, FOLLOWER, DROP_IN), RUNNING).settled == Ledger()


def test_a_copy_that_is_gone_is_not_guessed() -> None:
    ledger = present(on_disk(THEIRS, 0), RUNNING).settled
    with pytest.raises(Refused, match="is gone, so it cannot be put back"):
        plan.plan_absent(ledger, "director", on_disk(OURS, 0, FOLLOWER, DROP_IN), RUNNING)


def test_the_configuration() -> None:
    text = plan.render(REPLICA)
    for line in (
        "DisableExternalCache on",
        "IPv4_address 10.9.0.21",
        "IPv4_Destination_Address 10.9.0.22",
        "Interface eth3",
        "Port 3780",
        "HashSize 1000",
        "HashLimit 8000",
        "Path /run/conntrackd.ctl",
        "IPv4_address 10.1.0.51",
        "IPv6_address fd01::51",
    ):
        assert f"{line}\n" in text, line
    text = plan.render(REPLICA._replace(own="fd09::21", partner="fd09::22"))
    assert "IPv6_address fd09::21\n" in text
    assert "IPv6_Destination_Address fd09::22\n" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("General {\n}\nStats {\n    LogFile on\n}\n", False),
        ("# Sync {\nGeneral {\n}\n", False),
        ("sync{\n    Mode FTFW {\n", True),
        (OURS.text, True),
    ],
)
def test_whose_conntrackd_serves_others(text: str, expected: bool) -> None:
    assert plan.serves_others(text) is expected


def test_whose_conntrackd_runs() -> None:
    given = (plan.NAMES, Ledger(), plan.PATH)
    assert somebodys(*given, THEIRS, RUNNING) == THEIRS.text
    for config, unit in ((None, RUNNING), (THEIRS, FRESH), (THEIRS, None), (OURS, RUNNING)):
        assert somebodys(*given, config, unit) is None
    ours = present(on_disk(THEIRS, 0), RUNNING).settled
    assert somebodys(plan.NAMES, ours, plan.PATH, THEIRS, RUNNING) is None


def test_options() -> None:
    mistakes = Mistakes()
    assert plan.read(GIVEN, mistakes) == REPLICA
    assert plan.read(dict.fromkeys(GIVEN), mistakes) is None
    mistakes.raise_if_any()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"partner": "fd09::22"}, "partner: fd09::22 is IPv6, and own IPv4"),
        ({"own": "here"}, "own: 'here' is not an IPv4 or IPv6 address"),
        ({"interface": "eth3\n}"}, "interface: "),
        ({"port": 0}, "port: 0 is not a port from 1 to 65535"),
        ({"connections": 1}, "connections: 1 is not a number of connections"),
        ({"real_servers": []}, "real_servers: is missing"),
        ({"real_servers": ["10.1.0.51 }"]}, "real_servers[0]: "),
        ({"held": None}, "held: is missing"),
    ],
)
def test_wrong_options(wrong: dict[str, Any], said: str) -> None:
    mistakes = Mistakes()
    with pytest.raises(BadRequest) as refused:
        plan.read({**GIVEN, **wrong}, mistakes)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('INSTANCE "lvs" MASTER 150\n', ["-R", "-B"]),
        ('INSTANCE "lvs" BACKUP 150\n', ["-f internal", "-n"]),
        ('INSTANCE "lvs" FAULT 150\n', ["-f internal", "-n"]),
        ('INSTANCE "lvs" STOP 150\n', []),
        ('INSTANCE "other" MASTER 150\nGROUP "lvs" MASTER 0\n', []),
        ('INSTANCE "lvs" $(touch gone) 150\nINSTANCE "lvs" MASTER 150 more\n', ["-R", "-B"]),
    ],
)
def test_who_follows_vrrp(tmp_path: Path, given: str, expected: list[str]) -> None:
    """The script itself, with a conntrackd that writes down what it is told."""
    told = tmp_path / "told"
    conntrackd = tmp_path / "conntrackd"
    conntrackd.write_text(f'#!/bin/sh\nshift 2\nprintf "%s\\n" "$*" >>{told}\n')
    conntrackd.chmod(0o755)
    (tmp_path / "follower").write_text(plan.FOLLOWER_TEXT)
    (tmp_path / "fifo").write_text(given)
    command = ["/bin/sh", "follower", "lvs", "fifo"]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (told.read_text().splitlines() if told.exists() else []) == expected
    assert not (tmp_path / "gone").exists()


STATISTICS = """\
cache internal:
current active connections:\t         297
connections created:\t\t         297\tfailed:\t           0
connections updated:\t\t         222\tfailed:\t           0
connections destroyed:\t\t           0\tfailed:\t           0

external inject:
connections created:\t\t         706\tfailed:\t           1
connections updated:\t\t         544\tfailed:\t           2
connections destroyed:\t\t         277\tfailed:\t           0

traffic processed:
                   0 Bytes                         0 Pckts

UDP traffic (active device=eth3):
               10000 Bytes sent                 2432 Bytes recv
                  55 Pckts sent                   40 Pckts recv
                   0 Error send                    0 Error recv

message tracking:
                   0 Malformed msgs                    3 Lost msgs

"""


def test_what_it_has_counted() -> None:
    assert counts_of(STATISTICS) == Counts(own=297, taken=1250, failed=3, sent=55, received=40, lost=3)


@pytest.mark.parametrize(
    "part", ["cache internal:", "external inject:", "UDP traffic", "Pckts recv", "message tracking:"]
)
def test_another_form_is_not_read(part: str) -> None:
    assert counts_of(STATISTICS.replace(part, "something else")) is None


@pytest.mark.parametrize(
    ("status", "said", "unseen"), [(1, "", []), (0, "something else\n", [f"conntrackd: {UNREADABLE}"])]
)
def test_what_answers_in_another_form_is_not_silent(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str, unseen: list[str]
) -> None:
    monkeypatch.setattr(_commands, "find", lambda name: f"/sbin/{name}")
    monkeypatch.setattr(_commands, "run", lambda _words: _commands.Said(status, said, ""))
    found: list[str] = []
    assert conntrackd.look(found) is None
    assert found == unseen
