# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to work on the hosts: the examples with their own ansible.cfg, and playbooks with other groups."""

from __future__ import annotations

from typing import Any

import pytest
from runs import EXAMPLES, HERE, Run


@pytest.fixture
def roles(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the roles by themselves, and what came of it."""
    monkeypatch.setenv("ANSIBLE_CONFIG", str(EXAMPLES / "by-roles/ansible.cfg"))
    return lambda *arguments: scenario.try_playbook(str(EXAMPLES / "by-roles/site.yml"), *arguments)


@pytest.fixture
def playbook(scenario: Any) -> Run:
    """Run a playbook of the collection on this inventory's groups, and what came of it."""
    return lambda name, *arguments: scenario.try_playbook(
        f"lvs.topology.{name}", "--extra-vars", f"@{HERE}/ours.yml", *arguments
    )


@pytest.fixture
def by_site(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a playbook with the inventory of the example that has everything done by site."""
    monkeypatch.setenv("ANSIBLE_CONFIG", str(EXAMPLES / "by-site/ansible.cfg"))
    inventory = EXAMPLES / "by-site/inventory"
    return lambda name, *arguments: scenario.try_playbook(name, *arguments, inventory=inventory)


@pytest.fixture
def by_modules(scenario: Any) -> Run:
    """Run a playbook of the example that uses single modules."""
    folder = EXAMPLES / "by-modules"
    return lambda name, *arguments: scenario.try_playbook(
        str(folder / name), *arguments, inventory=folder / "inventory.yml"
    )
