# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD's file and unit: what is written, started, read again and put back, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_plan import (
    last_read,
    lost,
    plan_absent,
    plan_present,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Files, Unit
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

CONTENT = 'router id 10.0.0.21;\n    password "s3cret";\n'
STOCK = File("# as Debian has it\n", 0o640)
OFF, ON = Unit(), Unit(enabled=True, active=True, read=100.0)
OURS = File(CONTENT, 0o640)


def lines(outcome: Any) -> list[str]:
    return [each.line for each in outcome.plan.changes]


def on_disk(config: File | None, written: float, copy: File | None, now: float = 1000.0) -> Files:
    return Files(config, written, copy, {}, now)


def first(files: Files = on_disk(STOCK, 50.0, None), unit: Unit | None = OFF) -> Any:  # noqa: B008, it cannot change
    return plan_present(Ledger(), "announcer", CONTENT, files, unit, ["s3cret"])


def test_it_is_written_enabled_and_started() -> None:
    outcome = first()
    assert lines(outcome) == [
        "write /etc/bird/bird.conf",
        "systemctl enable bird.service",
        "systemctl start bird.service",
    ]
    assert outcome.copy == File(STOCK.text, 0o600)


def test_nothing_is_done_where_all_is_there() -> None:
    ledger = first().settled
    outcome = plan_present(ledger, "announcer", CONTENT, on_disk(OURS, 50.0, STOCK), ON, ["s3cret"])
    assert lines(outcome) == []
    assert outcome.settled == ledger


def test_what_changes_is_read_again() -> None:
    ledger = first().settled
    outcome = plan_present(ledger, "announcer", CONTENT + "#\n", on_disk(OURS, 50.0, STOCK), ON, [])
    assert lines(outcome) == ["write /etc/bird/bird.conf", "systemctl reload bird.service"]
    # A run that was killed in between has written it, and nobody has read it.
    outcome = plan_present(ledger, "announcer", CONTENT, on_disk(OURS, 101.0, STOCK), ON, [])
    assert lines(outcome) == ["systemctl reload bird.service"]


def test_what_was_right_before_us_is_not_ours() -> None:
    outcome = plan_present(Ledger(), "announcer", CONTENT, on_disk(OURS, 50.0, None), ON, [])
    assert (lines(outcome), outcome.claimed) == ([], Ledger())


def test_a_file_from_the_future_is_read_once() -> None:
    """The clock was set back. Without a new time, it would be read again in every run."""
    ledger = first().settled
    outcome = plan_present(ledger, "announcer", CONTENT, on_disk(OURS, 150.0, STOCK, now=120.0), ON, [])
    assert lines(outcome) == ["touch /etc/bird/bird.conf", "systemctl reload bird.service"]


STATUS = """\
BIRD 2.0.12
Router ID is 10.0.0.21
Hostname is lb1
Current server time is 2026-11-27 19:04:38.545
Last reboot on 2026-11-27 19:03:37.550
Last reconfiguration on 2026-11-27 19:04:08.545
Daemon is up and running
"""


@pytest.mark.parametrize(
    ("status", "read"),
    [
        (STATUS, 970.0),
        (STATUS.replace(".545", ""), 970.0),
        # raw may set another format of times.
        (STATUS.replace("2026-11-27 ", ""), None),
        (STATUS.replace("2026-11-27", "2026-99-27"), None),
        ("", None),
    ],
)
def test_when_bird_has_read_its_file(status: str, read: float | None) -> None:
    assert last_read(status, 1000.0) == read


SOMEBODYS = """# protocol bgp commented {
/* protocol rip
   too { } */
protocol device { }
protocol kernel { ipv4 { export all; }; }
protocol static { ipv4; route 10.0.0.0/8 blackhole; }
protocol ospf v3 inside { }
protocol bgp uplink { }
protocol bgp { }
include "/etc/bird/more/*.conf";
"""


def test_what_somebodys_bird_would_lose() -> None:
    assert lost(SOMEBODYS, CONTENT) == ["ospf v3 inside", "bgp uplink", "bgp", '"/etc/bird/more/*.conf"']
    assert lost(SOMEBODYS, CONTENT + SOMEBODYS) == []
    assert lost(STOCK.text, CONTENT) == []


def test_one_that_failed_is_started_again() -> None:
    failed = Unit(enabled=True, failed=True)
    ledger = first().settled
    outcome = plan_present(ledger, "announcer", CONTENT, on_disk(OURS, 50.0, STOCK), failed, [])
    assert lines(outcome) == ["systemctl reset-failed bird.service", "systemctl start bird.service"]


def test_what_was_there_comes_back() -> None:
    ledger = first().settled
    outcome = plan_absent(ledger, "announcer", on_disk(OURS, 50.0, STOCK), ON, [])
    assert lines(outcome) == [
        "systemctl stop bird.service",
        "systemctl disable bird.service",
        "write /etc/bird/bird.conf",
    ]
    assert outcome.settled == Ledger()


def test_a_bird_that_ran_goes_on_with_its_own_file() -> None:
    ledger = first(unit=ON).settled
    outcome = plan_absent(ledger, "announcer", on_disk(OURS, 50.0, STOCK), ON, [])
    assert lines(outcome) == ["write /etc/bird/bird.conf", "systemctl reload bird.service"]


def test_without_its_copy_nothing_is_guessed() -> None:
    with pytest.raises(Refused, match="is gone, so it cannot be put back"):
        plan_absent(first().settled, "announcer", on_disk(OURS, 50.0, None), ON, [])


def test_what_is_not_ours_stays() -> None:
    assert lines(plan_absent(Ledger(), "announcer", on_disk(OURS, 50.0, None), ON, [])) == []


def test_no_password_is_shown() -> None:
    made = first().plan
    assert "s3cret" not in "\n".join((*made.before, *made.after))
    assert "router id 10.0.0.21;" in made.after
    # A change of the password alone is a change that shows.
    ledger = first().settled
    other = CONTENT.replace("s3cret", "an0ther")
    changed = plan_present(ledger, "announcer", other, on_disk(OURS, 50.0, STOCK), ON, ["an0ther"]).plan
    assert changed.before != changed.after
    assert "an0ther" not in "\n".join(changed.after)
    assert "s3cret" not in "\n".join(changed.before)


def test_a_password_on_a_line_of_its_own_is_not_shown() -> None:
    raw = CONTENT + 'protocol bgp mine {\n    password\n        "raws3cret";\n    passive;\n}\n'
    made = plan_present(Ledger(), "announcer", raw, on_disk(STOCK, 50.0, None), OFF, ["s3cret"]).plan
    assert "raws3cret" not in "\n".join(made.after)
    assert "    passive;" in made.after
