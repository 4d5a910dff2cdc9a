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
        ("lvs_bpg", "lvs_bgp"),
        ("lvs_address_of_nic", None),  # lvs_address is there, too
        ("lvs_managers", "lvs_manager"),
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
            f"{host}: {given}: counts for nothing by itself, because no variable of this collection has that "
            f"name; if {meant} was meant, correct it"
        ]
    )


def test_a_host_of_several_roles_is_told_once() -> None:
    model = r1()
    model.groups["lvs_real_servers"].append("lb1")
    model.hostvars["lb1"]["lvs_manger"] = "kernel"
    said = [
        role
        for role in ("director", "real_server", "metrics")
        if any("lvs_manger" in each for each in model.plan("lb1", role).get("notes", []))
    ]
    assert said == ["director"]


def test_the_names_are_those_of_the_documents() -> None:
    rows = re.findall(r"^\| (`lvs_[^|]*) \|", MODEL.read_text(), re.MULTILINE)
    written = {name for row in rows for name in re.findall(r"`(lvs_\w+)`", row)}
    # The list itself has a page of its own, and patience is that of single playbooks.
    assert written | {"lvs_services", "lvs_turn_patience"} == NAMES
