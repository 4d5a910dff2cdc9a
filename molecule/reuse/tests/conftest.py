# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways to work on the hosts: the roles by themselves, and the playbooks with other names for the groups."""

from __future__ import annotations

from typing import Any

import pytest
from runs import HERE, Run


@pytest.fixture
def roles(scenario: Any) -> Run:
    """Run the roles by themselves, and what came of it."""
    return lambda *arguments: scenario.try_playbook(str(HERE / "roles.yml"), *arguments)


@pytest.fixture
def playbook(scenario: Any) -> Run:
    """Run a playbook of the collection on this inventory's groups, and what came of it."""
    return lambda name, *arguments: scenario.try_playbook(
        f"lvs.topology.{name}", "--extra-vars", f"@{HERE}/ours.yml", *arguments
    )
