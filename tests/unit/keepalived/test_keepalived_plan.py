# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived's file and unit: which changes, in which order, and what the ledger keeps."""

from __future__ import annotations

import re

import jinja2
import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Files, Outcome, Unit
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import secrets_of
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan as plan
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read import health
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS
from ansible_collections.lvs.topology.tests.unit.topology.inventories import dr_pair, r5
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

OURS = File("vrrp_instance a {\n    auth_pass s3cret\n}\n", plan.MODE)
THEIRS = File("# theirs\n    auth_pass theirs\n", 0o644)
DROP_IN = File(plan.DROP_IN_TEXT)
FRESH = Unit()
RUNNING = Unit(enabled=True, active=True, read=100.0)
WRITE = f"write {plan.PATH}"
REMOVE = f"remove {plan.PATH}"
WRITE_DROP_IN = [f"write {plan.DROP_IN}", "systemctl daemon-reload"]
REMOVE_DROP_IN = [f"remove {plan.DROP_IN}", "systemctl daemon-reload"]


def systemctl(*words: str) -> list[str]:
    return [f"systemctl {word} keepalived.service" for word in words]


def on_disk(
    config: File | None, written: float, drop_in: File | None, copy: File | None = None, now: float = 1000.0
) -> Files:
    return Files(config, written, copy, {plan.DROP_IN: drop_in}, now)


def present(files: Files, unit: Unit | None, ledger: Ledger | None = None) -> Outcome:
    return plan.plan_present(ledger or Ledger(), "keepalived", plan.PATH, OURS.text, files, unit)


def lines(outcome: Outcome) -> list[str]:
    return [change.line for change in outcome.plan.changes]


@pytest.mark.parametrize(
    ("files", "unit", "expected"),
    [
        (on_disk(None, 0, None), FRESH, [WRITE, *WRITE_DROP_IN, *systemctl("enable", "start")]),
        (on_disk(THEIRS, 50, None), RUNNING, [WRITE, *WRITE_DROP_IN, *systemctl("reload")]),
        (on_disk(OURS, 50, DROP_IN), RUNNING, []),
        # A run that was cut between writing and reading.
        (on_disk(OURS, 150, DROP_IN), RUNNING, systemctl("reload")),
        (on_disk(OURS, 50, DROP_IN), Unit(enabled=True, failed=True), systemctl("reset-failed", "start")),
        (on_disk(OURS, 50, DROP_IN), Unit(active=True, read=100), systemctl("enable")),
        (on_disk(File(OURS.text, 0o644), 50, DROP_IN), RUNNING, [f"chmod 0640 {plan.PATH}", *systemctl("reload")]),
        (on_disk(OURS, 50, File("by hand\n")), RUNNING, WRITE_DROP_IN),
        # No systemd.
        (on_disk(None, 0, None), None, [WRITE]),
    ],
)
def test_present(files: Files, unit: Unit | None, expected: list[str]) -> None:
    assert lines(present(files, unit)) == expected


@pytest.mark.parametrize(
    ("config", "before", "expected"),
    [
        # As long as the drop-in is there, the addresses go before the table.
        (None, FRESH, [*systemctl("stop"), *REMOVE_DROP_IN, *systemctl("disable"), REMOVE]),
        (THEIRS, FRESH, [*systemctl("stop"), *REMOVE_DROP_IN, *systemctl("disable"), WRITE]),
        (THEIRS, Unit(enabled=True), [*systemctl("stop"), *REMOVE_DROP_IN, WRITE]),
        # It served the operator before: it goes on with what it had.
        (THEIRS, RUNNING, [*REMOVE_DROP_IN, WRITE, *systemctl("reload")]),
    ],
)
def test_absent_is_what_was_before(config: File | None, before: Unit, expected: list[str]) -> None:
    claimed = present(on_disk(config, 0, None), before)
    ledger = claimed.settled
    # What was there is in a file of its own, for root alone: the ledger may be shown.
    assert claimed.copy == (File(config.text, 0o600) if config else None)
    assert "theirs" not in ledger.to_json()
    now = on_disk(OURS, 50, DROP_IN, claimed.copy)
    outcome = plan.plan_absent(ledger, "keepalived", plan.PATH, now, RUNNING, leave=False)
    assert lines(outcome) == expected
    assert (outcome.claimed, outcome.settled) == (ledger, Ledger())
    # What nobody claims, nobody takes away.
    assert not plan.plan_absent(Ledger(), "keepalived", plan.PATH, now, RUNNING, leave=False).plan.changes


def test_what_is_left_for_an_heir_is_not_stopped() -> None:
    ledger = present(on_disk(None, 0, None), FRESH).settled
    now = on_disk(OURS, 50, DROP_IN)
    outcome = plan.plan_absent(ledger, "keepalived", plan.PATH, now, RUNNING, leave=True)
    # systemd starts it again as long as the drop-in is there.
    killed = [*REMOVE_DROP_IN, "kill -KILL keepalived", *systemctl("reset-failed", "disable"), REMOVE]
    assert lines(outcome) == killed
    # Where it does not run, nothing is killed.
    gone = plan.plan_absent(ledger, "keepalived", plan.PATH, now, Unit(enabled=True), leave=True)
    assert lines(gone) == [*REMOVE_DROP_IN, *systemctl("disable"), REMOVE]


def test_a_keepalived_of_somebody_does_not_start_beside_the_heir() -> None:
    claimed = present(on_disk(THEIRS, 0, None), RUNNING)
    now = on_disk(OURS, 50, DROP_IN, claimed.copy)
    outcome = plan.plan_absent(claimed.settled, "keepalived", plan.PATH, now, RUNNING, leave=True)
    killed = [*REMOVE_DROP_IN, "kill -KILL keepalived", *systemctl("reset-failed", "disable"), WRITE]
    assert lines(outcome) == killed
    before = plan.somebodys_unit(claimed.settled, plan.PATH)
    ledger = plan.bequeathed(outcome.settled, "director", OURS.text, set(), before)
    assert ledger.owned("taken", "director") == {"unit keepalived.service": {"enabled": True, "active": True}}
    # Nobody had one.
    fresh = present(on_disk(None, 0, None), Unit(enabled=True)).settled
    assert plan.somebodys_unit(fresh, plan.PATH) is None


def test_a_ledger_of_an_earlier_release_gives_up_the_text_that_it_holds() -> None:
    was = {"text": THEIRS.text, "mode": THEIRS.mode}
    old = Ledger().claim(plan.KIND, plan.PATH, "keepalived", was).claim(plan.KIND, plan.PATH, "other")
    files = on_disk(OURS, 50, DROP_IN)
    outcome = present(files, RUNNING, old)
    assert not outcome.plan.changes
    assert outcome.copy == File(THEIRS.text, 0o600)
    assert "theirs" not in outcome.claimed.to_json()
    assert outcome.claimed.owners(plan.KIND, plan.PATH) == ("keepalived", "other")
    # Once it has moved, it stays where it is.
    again = present(files._replace(copy=outcome.copy), RUNNING, outcome.settled)
    assert (again.copy, again.claimed) == (None, outcome.settled)
    # Without a run in between it is put back from the ledger.
    alone = Ledger().claim(plan.KIND, plan.PATH, "keepalived", was)
    back = plan.plan_absent(alone, "keepalived", plan.PATH, files, None, leave=False)
    assert [change.action for change in back.plan.changes] == [WriteFile(plan.PATH, THEIRS)]


def test_a_copy_that_is_gone_is_named() -> None:
    ledger = present(on_disk(THEIRS, 0, None), None).settled
    with pytest.raises(Refused, match=r"before\.etc_keepalived_keepalived\.conf.* put an empty file in its place"):
        plan.plan_absent(ledger, "keepalived", plan.PATH, on_disk(OURS, 50, None), None, leave=False)


def test_a_file_from_the_future_is_read_once_more() -> None:
    """A clock that was set back says nothing about who is newer; after one reload it does again."""
    files = on_disk(OURS, 1000, DROP_IN, None, now=500)
    assert lines(present(files, RUNNING)) == [f"touch {plan.PATH}", *systemctl("reload")]
    assert lines(present(files._replace(written=500), Unit(True, True, read=501))) == []


def test_a_start_is_told_apart_from_a_reload() -> None:
    assert plan.starts(present(on_disk(None, 0, None), FRESH).plan)
    assert not plan.starts(present(on_disk(THEIRS, 50, None), RUNNING).plan)


def test_no_password_is_in_the_diff() -> None:
    outcome = present(on_disk(THEIRS, 0, None), RUNNING)
    shown = "\n".join((*outcome.plan.before, *outcome.plan.after))
    assert shown.count("auth_pass ********") == 2
    for secret in ("s3cret", "theirs\n"):
        assert secret not in shown.replace("# theirs", "")


def test_passwords_are_known_wherever_they_are_written() -> None:
    text = "authentication {\n  auth_pass s3cret\n}\nSSL {\n\tpassword 'of the key'\n  password\n}\n# auth_pass no\n"
    assert secrets_of(text) == {"s3cret", "of the key"}


def test_the_heir_gets_what_the_rendered_configuration_holds() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        services = model.hostvars[director]["lvs_services"]
        services.append(
            {**services[0], "name": "mark", "fwmark": 10, "family": "ipv4", "health_check": {"type": "ping"}}
        )
        for key in ("address", "port"):
            del services[1][key]
        services.append({**services[0], "name": "dns", "protocol": "udp", "port": 53})
        model.hostvars[director] |= {"lvs_sync": {"syncid": 7}, "lvs_timeouts": {"tcp": 800, "udp": 60}}
    text = rendered(model.plan("lb1", "keepalived"))
    addresses = ["10.0.0.29/24 dev eth2", "192.168.0.29/32 dev eth1"]
    services = ["tcp 192.168.0.29:80", "fwmark 10 ipv4", "udp 192.168.0.29:53"]
    assert plan.addresses_of(text) == addresses
    assert plan.services_of(text) == services
    # A backup holds no addresses.
    ledger = plan.bequeathed(Ledger(), "director", text, {addresses[0]})
    assert list(ledger.owned("address", "director")) == addresses[:1]
    assert sorted(ledger.owned("service", "director")) == sorted(services)
    assert ledger.owned("timeout", "director") == {"tcp": 900, "udp": 300}
    assert list(ledger.owned("sync_daemon", "director")) == ["backup", "master"]


def test_ipv6_services_are_found() -> None:
    text = "virtual_server fd00::29 80 {\n    protocol SCTP\n}\nvirtual_server fwmark 11 {\n    ip_family inet6\n}\n"
    assert plan.services_of(text) == ["sctp [fd00::29]:80", "fwmark 11 ipv6"]


EDITED = [
    "#192.168.0.28/32 dev eth1",
    "!10.0.0.29/24 dev eth2",
    "$VIP/32 dev eth1",
    "192.168.0.029/32 dev eth1",
    "192.168.0.28/33 dev eth1",
    "192.168.0.28/255.255.255.999/32 dev eth1",
    f"192.168.0.28/{'9' * 5000} dev eth1",
    "\udcff/32 dev eth1",
]


@pytest.mark.parametrize("line", EDITED)
def test_a_line_that_somebody_has_edited_is_no_address(line: str) -> None:
    held = "192.168.0.29/32 dev eth1"
    text = f"vrrp_instance lvs {{\n    virtual_ipaddress {{\n        {line}\n        {held}\n    }}\n}}\n"
    assert plan.addresses_of(text) == [held]


def test_an_address_that_somebody_has_spelled_otherwise_is_the_same() -> None:
    text = "virtual_ipaddress {\n  FD00:0::29/128 dev eth1#as before\n  10.0.0.29/024 dev eth2!\n}\n"
    assert plan.addresses_of(text) == ["fd00::29/128 dev eth1", "10.0.0.29/24 dev eth2"]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("$VIP 80", "protocol TCP"),
        ("192.168.0.029 80", "protocol TCP"),
        ("192.168.0.28 65536", "protocol TCP"),
        (f"192.168.0.28 {'9' * 5000}", "protocol TCP"),
        ("192.168.0.28 80", "protocol ICMP"),
        ("fwmark 0", "ip_family inet"),
        ("fwmark 4294967296", "ip_family inet"),
        (f"fwmark {'9' * 5000}", "ip_family inet"),
    ],
)
def test_a_service_that_somebody_has_edited_is_not_noted_in_the_ledger(head: str, line: str) -> None:
    """Such a claim would be damage, which keeps everything else from being claimed."""
    kept = "virtual_server FD00::29 80 {\n    protocol TCP\n}\n"
    text = f"virtual_server {head} {{\n    {line}\n}}\n{kept}"
    assert plan.services_of(text) == ["tcp [fd00::29]:80"]
    assert Ledger.from_json(plan.bequeathed(Ledger(), "director", text, set()).to_json()).damage() == []


@pytest.mark.parametrize("kind", health.KINDS)
def test_every_type_of_check_is_rendered(kind: str) -> None:
    """One without a branch in the template would be a service without a check."""
    model = r5()
    options = {"misc": {"script": "/bin/check"}, "file": {"path": "/run/health"}}
    needed = options.get(kind) or dict.fromkeys(LOGINS[kind].needed if kind in LOGINS else (), "x")
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["health_check"] = {"type": kind, **needed}
    text = rendered(model.plan("lb1", "keepalived"))
    made = {"http": "HTTP_GET", "https": "SSL_GET", **dict.fromkeys(LOGINS, "MISC_CHECK")}
    name = made.get(kind, f"{kind.upper()}_CHECK")
    assert len(re.findall(rf"^ {{8}}{name} {{$", text, re.MULTILINE)) == 2, text


@pytest.mark.parametrize("kind", [kind for kind, each in health.KINDS.items() if "through" in each.options])
def test_a_check_of_every_type_goes_through_the_vip(kind: str) -> None:
    model = dr_pair()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["health_check"] = {"type": kind, "through": "vip"}
    text = rendered(model.plan("lb1", "keepalived"))
    way = ("connect_ip 192.168.246.160", "connect_port 80", "bindto 192.168.246.166", "fwmark 1819735713")
    assert "\n".join(f"            {line}" for line in way) in text
    assert len(re.findall(r"^            connect_ip ", text, re.MULTILINE)) == 2
    assert "virtual_server fwmark 1819735713 {" in text


def test_a_type_that_the_template_does_not_know_is_no_check_that_is_left_out() -> None:
    made = r5().plan("lb1", "keepalived")
    made["keepalived"]["services"][0]["real_servers"][0]["checks"][0]["type"] = "gopher"
    with pytest.raises(jinja2.UndefinedError):
        rendered(made)
