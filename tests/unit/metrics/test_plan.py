# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files and units change when a director is to write its metrics, other ones, or none."""

from __future__ import annotations

import posixpath
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, RemoveFile, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._metrics import ensure, plan
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import read, render
from ansible_collections.lvs.topology.tests.unit.metrics.given import described

PATH = "/etc/lvs-topology/metrics.json"
PATHS = (PATH, plan.PROGRAM_PATH, plan.UNIT_PATH, plan.TIMER_PATH)
NOTHING: dict[str, File | None] = dict.fromkeys(PATHS)


def wanted(program: bytes = b"PK\xff", **changes: Any) -> plan.Wanted:
    given = described(**changes)
    return plan.Wanted(read(given), render(given), program, "/usr/bin/python3", "root")


def current(files: dict[str, File | None] | None = None, **changes: Any) -> plan.Current:
    return plan.Current(
        **{
            "files": files or NOTHING,
            "is_enabled": False,
            "is_running": bool(files),
            "is_failed": False,
            "old": None,
            **changes,
        }
    )


def written(which: plan.Wanted) -> dict[str, File | None]:
    """The files as they are when all of that has been done."""
    changes = plan.plan_metrics("metrics", which, current()).changes
    return {each.action.path: each.action.file for each in changes if isinstance(each.action, WriteFile)}


def lines(which: plan.Wanted | None, state: plan.Current) -> list[str]:
    return [each.line for each in plan.plan_metrics("metrics", which, state).changes]


def test_a_director_begins_to_write_and_goes_on() -> None:
    assert lines(wanted(), current()) == [
        f"write {plan.PROGRAM_PATH}",
        f"write {PATH}",
        f"write {plan.UNIT_PATH}",
        f"write {plan.TIMER_PATH}",
        "systemctl daemon-reload",
        "systemctl enable lvs-topology-metrics.timer",
        "systemctl restart lvs-topology-metrics.timer",
    ]
    assert lines(wanted(), current(written(wanted()), is_enabled=True)) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        # The program reads it each time.
        ({"directors": ["lb1"]}, [f"write {PATH}"]),
        ({"program": b"PK\xfe"}, [f"write {plan.PROGRAM_PATH}"]),
        (
            {"interval": 60},
            [
                f"write {PATH}",
                f"write {plan.TIMER_PATH}",
                "systemctl daemon-reload",
                "systemctl restart lvs-topology-metrics.timer",
            ],
        ),
        ({"directory": "/srv/metrics"}, [f"write {PATH}", f"write {plan.UNIT_PATH}", "systemctl daemon-reload"]),
    ],
)
def test_what_changes(after: dict[str, Any], expected: list[str]) -> None:
    assert lines(wanted(**after), current(written(wanted()), is_enabled=True)) == expected


def test_a_director_ends_to_write() -> None:
    state = current(written(wanted()), is_enabled=True, is_failed=True, old="/srv/lvs-topology.prom")
    assert lines(None, state) == [
        "systemctl disable --now lvs-topology-metrics.timer",
        # What runs already would write the file once more.
        "systemctl stop lvs-topology-metrics.service",
        "systemctl reset-failed lvs-topology-metrics.service",
        f"remove {plan.UNIT_PATH}",
        f"remove {plan.TIMER_PATH}",
        "systemctl daemon-reload",
        f"remove {plan.PROGRAM_PATH}",
        f"remove {PATH}",
        "remove /srv/lvs-topology.prom",
    ]
    assert lines(None, current()) == []


def test_a_timer_that_somebody_has_stopped_is_started() -> None:
    state = current(written(wanted()), is_enabled=True, is_running=False)
    assert lines(wanted(), state) == ["systemctl restart lvs-topology-metrics.timer"]
    # One that is not enabled any more may run all the same.
    assert lines(None, current(written(wanted())))[0] == "systemctl stop lvs-topology-metrics.timer"


def test_a_director_writes_elsewhere() -> None:
    state = current(written(wanted()), is_enabled=True, old="/srv/lvs-topology.prom")
    *_others, end, remove = lines(wanted(directory="/run/x"), state)
    assert (end, remove) == ("systemctl stop lvs-topology-metrics.service", "remove /srv/lvs-topology.prom")


def test_what_others_have_made_of_the_file_is_not_followed() -> None:
    state = current(written(wanted()), is_enabled=True, old="/srv/lvs-topology.prom")
    (removed,) = (each.action for each in plan.plan_metrics("metrics", None, state).changes if "/srv/" in each.line)
    assert removed == RemoveFile("/srv/lvs-topology.prom", follows=False)


@pytest.mark.parametrize("said", ["failed", "inactive", "activating"])
def test_a_program_that_failed_is_said(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    files, warnings = written(wanted()), list[str]()
    systemd = SimpleNamespace(runs=lambda: True, ask=lambda *_words: f"{said}\nactive\n")
    monkeypatch.setattr(ensure, "units", systemd)
    monkeypatch.setattr(ensure, "read_file", files.get)
    monkeypatch.setattr(ensure, "_wanted", lambda _given: wanted())
    monkeypatch.setattr(ensure, "os", SimpleNamespace(path=SimpleNamespace(**_THERE)))
    params = {"owner": "metrics", "state": "present", "metrics": described()}
    module: Any = SimpleNamespace(params=params, check_mode=True, warn=warnings.append, _diff=False)
    book: Any = None
    assert not ensure.ensure_metrics(module, book)["changed"]
    assert [each.partition(",")[0] for each in warnings] == (
        ["lvs-topology-metrics.service failed when it ran last"] if said == "failed" else []
    )


_THERE: dict[str, Any] = {
    **dict.fromkeys(("isdir", "exists", "isfile", "islink"), lambda _path: True),
    "join": posixpath.join,
}


def test_without_systemd_only_files_change() -> None:
    assert not [line for line in lines(wanted(), current(is_enabled=None)) if line.startswith("systemctl")]
    state = current(written(wanted()), is_enabled=None)
    assert not [line for line in lines(None, state) if line.startswith("systemctl")]


def test_a_diff_shows_no_bytes_of_the_program() -> None:
    found = plan.plan_metrics("metrics", wanted(b"PK\xfe"), current(written(wanted()), is_enabled=True))
    assert found.before[0] == found.after[0] == f"# {plan.PROGRAM_PATH}"
    assert all(line.startswith("# ") for line in (*found.before, *found.after))
    assert found.before != found.after


def settings_of(**changes: Any) -> list[str]:
    (unit,) = (file for path, file in written(wanted(**changes)).items() if path == plan.UNIT_PATH)
    assert unit is not None
    return unit.text.splitlines()


def test_the_unit_reaches_daemons_where_the_model_has_them_alone() -> None:
    bgp = {"SupplementaryGroups=bird", "InaccessiblePaths=-/etc/bird"}
    sockets = "RestrictAddressFamilies=AF_NETLINK AF_UNIX"
    assert {*bgp, sockets} <= {*settings_of()}
    without_bgp = settings_of(sessions=[])
    assert sockets in without_bgp
    assert not bgp.intersection(without_bgp)


def test_the_unit_may_read_the_table_and_write_into_one_directory() -> None:
    settings = settings_of(sessions=[], conntrackd=False)
    for line in (
        "CapabilityBoundingSet=CAP_NET_ADMIN",
        "AmbientCapabilities=CAP_NET_ADMIN",
        "ReadWritePaths=/var/lib/prometheus/node-exporter",
        "RestrictAddressFamilies=AF_NETLINK",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "SuccessExitStatus=SIGTERM",
        "MemoryDenyWriteExecute=yes",
    ):
        assert settings.count(line) == 1
    # keepalived is another user's process, and has to be seen.
    assert not [line for line in settings if line.startswith("ProtectProc")]
