# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which directors a playbook drains or maintains, by the names that it was given."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.draining import unaddressed_of
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import active

NAME = "name a director or a group of the inventory"
LEFT_OUT = "is left out by --limit; add it there, or leave --limit out"
NOBODY = "names no host; give the name of a director or of a group, or a list of names"
NO_DIRECTOR = "is no director that is present; name directors, or groups of them"


def fleet() -> Model:
    """lb1 and lb2 announce, lb3 is absent, and lb4 does not speak BGP."""
    model = active()
    model.hostvars["lb3"]["lvs_state"] = "absent"
    model.hostvars["lb4"] = {key: model.hostvars["lb1"][key] for key in ("lvs_address", "lvs_services")}
    model.groups |= {"lvs_directors": ["lb1", "lb2", "lb3", "lb4"], "site_a": ["lb1", "lb3"], "site_b": ["lb3"]}
    model.groups["nobody"] = []
    return model


@pytest.mark.parametrize(
    ("named", "run", "lines"),
    [
        ("lb1", ["lb1"], []),
        ("lb1, lb2,", None, []),
        (["lb2,lb1"], None, []),
        # Of a group, an absent director is passed over.
        ("site_a", None, []),
        (["site_a", "lb2"], ["lb1", "lb2"], []),
        ("site_b", None, ["directors: all of them are absent; name directors that are present"]),
        (["site_a", "lb3"], None, [f"lb3: {NO_DIRECTOR}"]),
        ("web1", None, [f"web1: {NO_DIRECTOR}"]),
        ("lvs_real_servers", None, [f"web1: {NO_DIRECTOR}", f"web2: {NO_DIRECTOR}"]),
        ("nobody", None, ["directors: the group 'nobody' has no hosts; add a director to it, or name another"]),
        ("lb9", None, [f"directors: 'lb9' is neither a host nor a group; did you mean lb4? Otherwise {NAME}"]),
        ("lvs_directors", None, ["lb4: announces nothing by BGP; leave it out, or set lvs_bgp"]),
        ("lb1", ["lb2"], [f"lb1: {LEFT_OUT}"]),
        (["site_a", "lb2"], ["lb1"], [f"lb2: {LEFT_OUT}"]),
        # Nobody is named, so all are meant that are present and part of the run.
        (None, ["lb1", "lb2"], []),
        (None, ["lb1", "lb3"], []),
        (None, ["lb3"], []),
        (None, None, ["lb4: announces nothing by BGP; leave it out, or set lvs_bgp"]),
        ("", None, [f"directors: '' {NOBODY}"]),
        (" ,", None, [f"directors: ' ,' {NOBODY}"]),
        ([], None, [f"directors: a list {NOBODY}"]),
        (["lb1", ""], None, [f"directors: a list {NOBODY}"]),
        (["lb1", 7], None, [f"directors: a list {NOBODY}"]),
        (7, None, [f"directors: 7 {NOBODY}"]),
    ],
)
def test_by_which_names_no_director_is_drained(named: Any, run: Any, lines: list[str]) -> None:
    model = fleet()
    assert unaddressed_of(model.hostvars, model.groups, named, run) == lines
