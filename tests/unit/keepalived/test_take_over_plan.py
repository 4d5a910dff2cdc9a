# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else fills the table is ended so that the table stays, and everything of it can be given back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import table_before
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_parser import parse
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived, keepalived_plan
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.take_over_plan import (
    Unit,
    deaf_text,
    includes_of,
    lost_instances,
    plan_ended,
    plan_given_back,
    units_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, Refused

IPVSADM = Unit("ipvsadm.service", enabled=True, active=True)
LDIRECTORD = Unit("ldirectord.service", enabled=True, active=True, empties=True)
KILL = ["systemctl kill --signal=KILL ldirectord.service", "systemctl reset-failed ldirectord.service"]
RULES = "-A -t 10.0.0.1:80 -s wrr\n-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 3\n-a -t 10.0.0.1:80 -r 10.0.1.2:80 -m -w 0"
WEB = ServiceKey.from_text("tcp 10.0.0.1:80")


def lines(plan: Plan) -> list[str]:
    return [change.line for change in plan.changes]


@pytest.mark.parametrize(
    ("unit", "changes", "was"),
    [
        # Its end flushes the table, so it is not stopped.
        (IPVSADM, ["systemctl disable ipvsadm.service"], (True, True)),
        (LDIRECTORD, ["systemctl disable ldirectord.service", *KILL], (True, True)),
        (LDIRECTORD._replace(active=False), ["systemctl disable ldirectord.service"], (True, False)),
        (LDIRECTORD._replace(enabled=False), KILL, (False, True)),
        (IPVSADM._replace(enabled=False), [], None),
    ],
)
def test_who_is_ended_and_given_back(unit: Unit, changes: list[str], was: tuple[bool, bool] | None) -> None:
    outcome = plan_ended(Ledger(), "director", [unit])
    assert lines(outcome.plan) == changes
    assert units_of(outcome.settled, "director") == ([unit.name] if changes else [])
    if was is None:
        return
    ended = unit._replace(enabled=False, active=unit.active and not unit.empties)
    plan, ledger = plan_given_back(outcome.settled, "director", [ended])
    again = [f"systemctl enable {unit.name}"] * was[0] + [f"systemctl start {unit.name}"] * (was[1] and unit.empties)
    assert (lines(plan), ledger) == (again, Ledger())
    # What somebody has put back by hand meanwhile is left as it is.
    assert lines(plan_given_back(outcome.settled, "director", [unit])[0]) == []


def test_a_second_run_finds_nobody_and_remembers_what_was() -> None:
    outcome = plan_ended(Ledger(), "director", [LDIRECTORD])
    again = plan_ended(outcome.settled, "director", [LDIRECTORD._replace(enabled=False, active=False)])
    assert (lines(again.plan), again.settled) == ([], outcome.settled)
    # One that came back, and is ended once more, is given back as it was at first.
    third = plan_ended(outcome.settled, "director", [LDIRECTORD._replace(active=False)])
    assert third.settled == outcome.settled


def test_services_that_were_there_are_noted_and_put_back_in_place() -> None:
    table = parse(RULES)
    other = ServiceKey.from_text("tcp 10.0.0.2:80")
    ledger = table_before.noted(Ledger(), "director", table, [WEB, other])
    assert [key for _kind, key in ledger.claims] == ["service tcp 10.0.0.1:80"]
    # What is ours already was noted before, or not there.
    ours = Ledger().claim("service", str(WEB), "director")
    assert table_before.noted(ours, "director", table, [WEB]) == ours
    # As it was: nothing is touched.
    assert table_before.plan_restored(ledger, "director", table) == (Plan(), Ledger())
    changed = parse(
        "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 1\n-a -t 10.0.0.1:80 -r 10.0.1.3:80 -m -w 1"
    )
    plan, _ledger = table_before.plan_restored(ledger, "director", changed)
    assert lines(plan) == [
        "ipvsadm -E -t 10.0.0.1:80 -s wrr",
        "ipvsadm -e -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 3",
        "ipvsadm -a -t 10.0.0.1:80 -r 10.0.1.2:80 -m -w 0",
        "ipvsadm -d -t 10.0.0.1:80 -r 10.0.1.3:80",
    ]
    plan, _ledger = table_before.plan_restored(ledger, "director", {})
    assert lines(plan) == [f"ipvsadm {rule}" for rule in RULES.splitlines()]


def test_a_note_that_nobody_can_read() -> None:
    ledger = Ledger().claim("taken", "service tcp 10.0.0.1:80", "director", {"rules": ["-A -t x"]})
    with pytest.raises(Refused, match=r"service tcp 10\.0\.0\.1:80 is no rules of ipvsadm"):
        table_before.plan_restored(ledger, "director", {})


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("vrrp_instance VI_1 {\n}\n", "vrrp_instance VI_1 {\n", []),
        ("vrrp_instance VI_1 {\n}\n", "vrrp_instance lvs {\n", ["VI_1"]),
        ("vrrp_instance VI_1{\n}\n vrrp_instance\tIN {\n", "vrrp_instance VI_1 {\n", ["IN"]),
        ('vrrp_instance "VI_1" {', "vrrp_instance VI_1 {", []),
        ("# vrrp_instance VI_1 {\n", "", []),
    ],
)
def test_instances_that_a_reload_would_take_the_addresses_of(before: str, after: str, lost: list[str]) -> None:
    assert lost_instances(before, after) == lost


def test_lines_of_one_host_and_definitions() -> None:
    text = "$NAME=VI\n@lb1 vrrp_instance ${NAME}_1 {\n}\n @^lb1 vrrp_instance $NAME {\n}\n@ vrrp_instance x {\n}\n"
    assert lost_instances(text, "", "lb1.example.com") == ["VI_1"]
    assert lost_instances(text, "", "lb2") == ["VI"]
    assert lost_instances(text, "vrrp_instance VI_1 {", "lb1") == []


THEIRS = """
vrrp_instance VI_1 {
    virtual_ipaddress {
        192.0.2.10/24 dev eth0
        2001:DB8::0010 # the other
        ! 192.0.2.99
    }
}
vrrp_instance VI_2 {
    virtual_ipaddress_excluded {
        192.0.2.11
    }
}
"""


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("2001:db8::10/128 dev x\n192.0.2.10/32 dev y", ""),
        ("192.0.2.10/32 dev y", "VI_1 name 192.0.2.10, 2001:db8::10 so far, and would name 192.0.2.10: until"),
        ("", "VI_1 name 192.0.2.10, 2001:db8::10 so far, and would name nothing: until"),
    ],
)
def test_adverts_that_name_other_addresses(named: str, said: str) -> None:
    ours = f"vrrp_instance VI_1 {{\nvirtual_ipaddress {{\n{named}\n}}\nvirtual_ipaddress_excluded {{\n1.2.3.4\n}}\n}}"
    found = deaf_text(THEIRS, ours)
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("named", "refused", "warned"),
    [
        ("vrrp_instance VI_1 {\nvirtual_ipaddress {\n192.0.2.1/32 dev x\n}\n}", False, True),
        ("vrrp_instance VI_1 {\nvirtual_ipaddress {\n192.0.2.1/32 dev x\n192.0.2.2/32 dev x\n}\n}", False, False),
        ("vrrp_instance lvs {\n}", True, False),
    ],
)
@pytest.mark.parametrize("is_ours", [False, True])
def test_whoever_asks_keepalived_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, *, refused: bool, warned: bool, is_ours: bool
) -> None:
    config = tmp_path / "keepalived.conf"
    config.write_text("vrrp_instance VI_1 {\nvirtual_ipaddress {\n192.0.2.1\n192.0.2.2\n}\n}\n")
    ledger = Ledger().claim(keepalived_plan.KIND, str(config), "keepalived") if is_ours else Ledger()
    monkeypatch.setattr(keepalived_plan, "PATH", str(config))
    monkeypatch.setattr(keepalived, "unit_of_keepalived", lambda: SimpleNamespace(active=True))
    monkeypatch.setattr(keepalived, "for_check_mode", lambda: SimpleNamespace(load=lambda: ledger))
    monkeypatch.setattr(keepalived, "ensure_config", lambda *_arguments: {"changes": []})
    warnings: list[str] = []
    module: Any = SimpleNamespace(warn=warnings.append)
    is_refused = False
    try:
        keepalived.ask(module, {"content": named})
    except Refused:
        is_refused = True
    assert is_refused == (refused and not is_ours)
    assert bool(warnings) == (warned and not is_ours)


def test_adverts_that_cannot_be_told() -> None:
    ours = "vrrp_instance VI_1 {\nvirtual_ipaddress {\n192.0.2.10/24 dev x\n}\n}"
    before = "$N=192.0.2\n" + ours.replace("192.0.2", "${N}")
    assert deaf_text(before, ours) == ""
    assert "VI_1 name what cannot be told here so far" in deaf_text(
        before.replace("${N}", "~SEQ(X, 1, 2) 192.0.2"), ours
    )


def test_what_is_included() -> None:
    text = 'include conf.d/*.conf\n  include "/etc/x.conf" # more\nincludes\n! include y\nincluder z.conf\n'
    assert includes_of(text) == ["conf.d/*.conf", "/etc/x.conf", "z.conf"]
