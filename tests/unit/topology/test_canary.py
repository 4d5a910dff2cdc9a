# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares of real servers as weights, as tables, and what is wrong with those that are written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.canary import factor, is_near, weights
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r1
from hypothesis import given
from hypothesis import strategies as st

S = "lvs_services[0]"


@pytest.mark.parametrize(
    ("others", "shares", "expected"),
    [
        (20, [5], [1]),
        (19, [5], [1]),
        (95, [5], [5]),
        (100, [5], [5]),
        (100, [50], [100]),
        (100, [1], [1]),
        (100, [99], [9900]),
        # Two that share what is left with the others.
        (90, [5, 5], [5, 5]),
        (60, [10, 30], [10, 30]),
        # Nobody gets nothing.
        (4, [5], [1]),
    ],
)
def test_weights(others: int, shares: list[int], expected: list[int]) -> None:
    assert weights(others, shares) == expected


@pytest.mark.parametrize(
    ("others", "shares", "expected"), [(20, [5], 1), (2, [5], 9), (4, [5], 5), (1, [1], 90), (3, [50], 1), (1, [99], 1)]
)
def test_by_what_others_are_multiplied(others: int, shares: list[int], expected: int) -> None:
    assert factor(others, shares) == expected
    assert is_near(others * expected, shares)
    assert expected == 1 or not is_near(others * (expected - 1), shares)


@given(others=st.integers(1, 10**6), shares=st.lists(st.integers(1, 40), min_size=1, max_size=2))
def test_there_is_always_a_factor(others: int, shares: list[int]) -> None:
    whole = others * factor(others, shares)
    found = weights(whole, shares)
    for weight, share in zip(found, shares, strict=True):
        assert abs(100 * weight / (whole + sum(found)) - share) <= share / 10 + 1e-9


def pool(*entries: dict[str, Any], **changes: Any) -> Model:
    model = r1()
    hosts = [dict(each) for each in model.service["real_servers"]]
    model.service["real_servers"] = [{**host, **entry} for host, entry in zip(hosts, entries, strict=True)]
    model.service.update({"scheduler": "wrr", **changes})
    return model


def test_the_plan_has_the_weight_and_a_note_says_it() -> None:
    plan = pool({"weight": 20}, {"canary": "5%"}).plan("lb1", "director")
    assert [each["weight"] for each in plan["services"][0]["real_servers"]] == [20, 1]
    (note,) = (each for each in plan["notes"] if ".canary" in each)
    assert note.startswith(f"{S}.real_servers[1].canary: web2 (192.168.246.162) has weight 1 of 21, which is 4.8%")


@pytest.mark.parametrize("scheduler", forms.SCHEDULERS)
def test_a_weight_has_to_be_a_share(scheduler: str) -> None:
    mistakes = pool({"weight": 20}, {"canary": "5%"}, scheduler=scheduler).mistakes()
    refused = {"rr", "lc", "dh", "nq", "fo", "ovf", "lblc", "lblcr"}
    assert bool(mistakes) == (scheduler in refused)
    assert all(f"cannot be kept: with scheduler: {scheduler}" in line for line in mistakes)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            ({"weight": 20}, {"canary": "half"}),
            "real_servers[1].canary: 'half' is no share; write a share from 1% to 99%",
        ),
        (({"weight": 20}, {"canary": 5}), "real_servers[1].canary: 5 is no share"),
        (({"weight": 20}, {"canary": "0%"}), "real_servers[1].canary: '0%' is out of range"),
        (({"weight": 20}, {"canary": "100%"}), "real_servers[1].canary: '100%' is out of range"),
        (({"weight": 20}, {"canary": "5%", "weight": 1}), "real_servers[1].weight: stands beside canary"),
        (({"canary": "60%"}, {"canary": "40%"}), "real_servers[0].canary: and those of the others are 100% together"),
        (({"canary": "5%"}, {"canary": "5%"}), "real_servers[0].canary: is a share of nothing"),
        (({"weight": 0}, {"canary": "5%"}), "real_servers[1].canary: is a share of nothing"),
        (
            ({"weight": 2}, {"canary": "5%"}),
            "real_servers[1].canary: cannot be kept with whole weights, as all others have 2 together; multiply the "
            "weights of the others by 9: in place of 2, 18",
        ),
    ],
)
def test_what_is_refused(entries: tuple[dict[str, Any], ...], said: str) -> None:
    (line,) = pool(*entries).mistakes()
    assert line.startswith(f"{S}.{said}")


def test_of_a_pool_that_is_wrong_nothing_else_is_said() -> None:
    (line,) = pool({"weight": 20, "host": "nobody"}, {"canary": "5%"}).mistakes()
    assert line.startswith(f"{S}.real_servers[0].host: 'nobody' is not in the inventory")


SETS = [f"{S}.real_servers[1].canary: cannot be kept: a health check of the pool sets weights; leave one of them out"]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"type": "misc", "script": "/bin/x", "dynamic_weight": True}, SETS),
        ({"type": "misc", "script": "/bin/x"}, []),
        ({"type": "file", "path": "/run/x", "weight": 3}, SETS),
        ({"type": "file", "path": "/run/x"}, []),
    ],
)
@pytest.mark.parametrize("of", ["service", "real server"])
def test_a_check_that_sets_weights_leaves_no_share(check: dict[str, Any], said: list[str], of: str) -> None:
    checked = {"health_check": check}
    model = pool(
        {"weight": 20, **(checked if of == "real server" else {})},
        {"canary": "5%"},
        **(checked if of == "service" else {}),
    )
    # Nobody checks.
    assert model.mistakes() == []
    model.hostvars["lb1"]["lvs_manager"] = "checker"
    assert model.mistakes() == said
