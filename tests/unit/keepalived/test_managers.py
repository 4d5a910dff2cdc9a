# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else has a director's VIPs or fills its table: what is found in files, where its process runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_arguments, managers
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger

CIB = '<nvpair id="ip" name="ip" value="192.168.0.29"/><nvpair name="ip" value="192.168.0.290"/><x v="fd00::29"/>'
PLAN: dict[str, Any] = {"services": [{"address": "192.168.0.29"}, {"fwmark": 7}, {"address": "192.168.0.2"}]}
WATCHED: dict[str, Any] = {"services": [], "watched": {"services": [{"address": "fd00::29"}]}}


@pytest.mark.parametrize(("plan", "vip"), [(PLAN, "192.168.0.29"), (WATCHED, "fd00::29"), ({}, None)])
@pytest.mark.parametrize("runs", [True, False])
def test_a_cluster_that_holds_a_vip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plan: dict[str, Any], vip: str | None, *, runs: bool
) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(CIB)
    monkeypatch.setattr(managers, "_CLUSTERS", {"pacemakerd": str(cib), "heartbeat": str(tmp_path / "none")})
    monkeypatch.setattr(managers, "is_running", lambda name: runs and name == "pacemakerd")
    monkeypatch.setattr(managers, "_WANTS", ())
    found = managers.others("kernel", Ledger(), set(), plan, take_over=True)
    assert [each.partition(",")[0] for each in found] == (
        [f"pacemakerd runs here and has {vip} ({cib})"] if runs and vip else []
    )


@pytest.mark.parametrize("manager", ["kernel", "keepalived", "checker"])
def test_what_keepalived_does_not_take_over_in_one_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, manager: str
) -> None:
    (tmp_path / "ipvsadm.service").touch()
    (tmp_path / "default").write_text("AUTO=true\n")
    monkeypatch.setattr(managers, "_WANTS", (str(tmp_path), str(tmp_path)))
    monkeypatch.setattr(managers, "_DEFAULT", str(tmp_path / "default"))
    monkeypatch.setattr(managers, "_processes", lambda _name: iter(()))
    found = managers.others(manager, Ledger(), set(), {}, take_over=True)
    said = f"with lvs_take_over: true and lvs_manager: kernel first, and with lvs_manager: {manager} afterwards"
    assert [each for each in found if said in each] == found
    assert bool(found) == (manager != "kernel")


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("--dont-fork", (None, True, True)),
        ("-lnf /x", ("/x", True, True)),
        ("-n -f/x --log-facility 3", ("/x", True, True)),
        ("--use-file=/x", ("/x", True, True)),
        ("--use-file /x -p -P", ("/x", True, True)),
        ("-P", (None, True, False)),
        ("-nDC", (None, False, True)),
        ("--vrrp --check", (None, True, True)),
        ("-gf -i f", (None, True, True)),
        ("-f", ("", True, True)),
        ("", (None, True, True)),
    ],
)
def test_with_what_keepalived_was_started(words: str, arguments: tuple[str | None, bool, bool]) -> None:
    assert keepalived_arguments.read(words.split()) == arguments
    assert keepalived_arguments.of_settings(f'# DAEMON_ARGS="-f /y"\nDAEMON_ARGS="{words}"\n') == arguments


@pytest.mark.parametrize(
    ("manager", "text", "said"),
    [
        (
            "keepalived",
            'DAEMON_ARGS="-f /x.conf"',
            "has keepalived read '/x.conf' (-f) and not /etc/keepalived/keepalived",
        ),
        ("checker", "KEEPALIVED_OPTIONS=-f/x.conf", "has keepalived read '/x.conf' (-f)"),
        ("kernel", 'DAEMON_ARGS="-f /x.conf"', ""),
        ("keepalived", "DAEMON_ARGS=-C", "has keepalived run without VRRP; take the option --check away"),
        ("checker", "DAEMON_ARGS=-C", ""),
        ("checker", "DAEMON_ARGS=-P", "has keepalived run without health checks; take the option --vrrp away"),
        ("keepalived", "DAEMON_ARGS='-D -f /etc/keepalived/keepalived.conf'", ""),
        ("keepalived", "DAEMON_ARGS='", ""),
    ],
)
def test_a_keepalived_that_would_not_do_as_its_configuration_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, manager: str, text: str, said: str
) -> None:
    settings = tmp_path / "keepalived"
    settings.write_text(f"{text}\n")
    monkeypatch.setattr(keepalived_arguments, "SETTINGS", (str(settings), str(tmp_path / "none")))
    monkeypatch.setattr(managers, "_WANTS", ())
    monkeypatch.setattr(managers, "_processes", lambda _name: iter(()))
    found = managers.others(manager, Ledger(), set(), {}, take_over=True)
    assert [each for each in found if said in each] == found
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("line", "fills"),
    [
        ("ipvsadm -A -t 10.0.0.1:80 -s rr", True),
        ("/sbin/ipvsadm --clear", True),
        ("ipvsadm-restore < /etc/table", True),
        ("cat /etc/table | ipvsadm -R", True),
        ("ipvsadm -Ln; grep -A 2 x y", False),
        ("ipvsadm -Ln | grep -R VIP", False),
        ("ipvsadm -a -t 10.0.0.1:80 -r 10.0.1.1 -g", False),
        ("ipvsadm-save -n", False),
        ("xipvsadmin -A", False),
    ],
)
def test_what_fills_a_table(line: str, fills: bool) -> None:
    assert bool(managers._FILLS.search(line)) == fills


@pytest.mark.parametrize(
    ("command", "reasons"),
    [
        ("/sbin/ipvsadm --clear", ["loads a table of its own at boot"]),
        # What fills the table may be a script itself, as ipvsadm-restore is. That is one reason, not two.
        ("{script} ipvsadm-restore", ["loads a table of its own at boot"]),
        ("{script}", ["runs {script}, which fills the table at boot"]),
        ("-/bin/sh -c '{script}'", ["runs {script}, which fills the table at boot"]),
        ("{script}\nExecStartPost=ipvsadm -C", ["runs {script}, which fills", "loads a table of its own at boot"]),
        ("{script}\nExecStop={script}", ["runs {script}, which fills the table at boot"]),
        ("ipvsadm -Ln", []),
    ],
)
def test_a_unit_that_fills_the_table_is_named_once_for_each_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, reasons: list[str]
) -> None:
    script = tmp_path / "fill"
    script.write_text("#!/bin/sh\n# ipvsadm -C\nipvsadm -A -t 10.0.0.1:80\n")
    (tmp_path / "table.service").write_text(f"[Service]\nExecStart={command.format(script=script)}\n")
    monkeypatch.setattr(managers, "_WANTS", (str(tmp_path), str(tmp_path / "none"), str(tmp_path / "none")))
    monkeypatch.setattr(managers, "_RC_LOCAL", str(tmp_path / "rc.local"))
    monkeypatch.setattr(managers, "_processes", lambda _name: iter(()))
    found = managers.others("kernel", Ledger(), set(), {}, take_over=False)
    assert len(found) == len(reasons)
    for each, reason in zip(found, reasons, strict=True):
        assert each.startswith(f"the unit table.service {reason.format(script=script)}")
        assert "systemctl disable table.service" in each
