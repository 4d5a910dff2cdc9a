# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How systemctl is called: by one file alone, and a failure names the journal of the unit that it is about."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._daemons import units
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

MODULE_UTILS = Path(__file__).parents[3] / "plugins/module_utils"


@pytest.mark.parametrize(
    ("words", "journal"),
    [
        ("start keepalived.service", "-u keepalived.service"),
        ("enable --now lvs-topology-network.path", "-u lvs-topology-network.path"),
        ("--no-block start lvs-topology-firewall.service", "-u lvs-topology-firewall.service"),
        ("kill --signal=KILL ldirectord.service", "-u ldirectord.service"),
        ("stop one.timer one.service", "-u one.timer -u one.service"),
        # About no unit: what systemd says of itself.
        ("daemon-reload", "_PID=1"),
    ],
)
def test_a_failure_names_the_journal_of_the_unit_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch, words: str, journal: str
) -> None:
    monkeypatch.setattr(_commands, "run", lambda _words: _commands.Said(1, "", "It does not do that.\n"))
    with pytest.raises(Refused) as refused:
        units.call(Systemctl(tuple(words.split())))
    assert str(refused.value) == f"systemctl {words} failed: It does not do that. `journalctl {journal}` says more."


def test_nobody_else_calls_systemctl() -> None:
    """What else does so would say nothing of the journal, and not keep the links of units from a power cut."""
    callers = {
        str(file.relative_to(MODULE_UTILS))
        for file in MODULE_UTILS.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and node.value == "systemctl"
    }
    # The first makes the line of a change, and the second calls.
    assert callers == {"_daemons/systemctl.py", "_daemons/units.py"}
