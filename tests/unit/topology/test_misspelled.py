# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables with nearly the name of one of the model: somebody expects something of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import NAMES
from ansible_collections.lvs.topology.tests.unit.topology.inventories import r1

MODEL = Path(__file__).parents[3] / "docs/model.md"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("lvs_manger", "lvs_manager"),
        ("lvs_vrpp", "lvs_vrrp"),
        ("lvs_gatway", "lvs_gateway"),
        ("lvs_sysctl", "lvs_sysctls"),
        ("lvs_adress", "lvs_address"),
        ("lvs_service", "lvs_services"),
        ("lvs-manager", None),
        ("lvs_colour", None),
        ("lvs_drain_timeout", None),
        ("lvs_manager", None),
    ],
)
@pytest.mark.parametrize(("host", "role"), [("lb1", "director"), ("web1", "real_server")])
def test_a_note_says_what_was_probably_meant(given: str, meant: str | None, host: str, role: str) -> None:
    model = r1()
    model.hostvars[host][given] = "kernel"
    notes = [each for each in model.plan(host, role).get("notes", []) if "counts for nothing" in each]
    assert notes == (
        []
        if meant is None
        else [
            f"{host}: {given}: counts for nothing, because no variable of this collection has that name; "
            f"if {meant} was meant, correct it"
        ]
    )


def test_every_variable_of_the_documents_is_known() -> None:
    rows = re.findall(r"^\| (`lvs_[^|]*) \|", MODEL.read_text(), re.MULTILINE)
    written = {name for row in rows for name in re.findall(r"`(lvs_\w+)`", row)}
    assert len(written) > 20
    assert written <= NAMES
