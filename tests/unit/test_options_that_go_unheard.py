# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options with which nothing would be done beside others are refused before the host is looked at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import drain, specs
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived
from ansible_collections.lvs.topology.plugins.module_utils._look import ipvs_info
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest


@pytest.mark.parametrize(
    ("state", "given", "said"),
    [
        ("present", {}, ""),
        ("present", {"share": 50, "weight": 10}, ""),
        ("restored", {"share": 50, "weight": 10, "raises": "lowered"}, ""),
        # The defaults, which somebody may write.
        ("drained", {"share": 100, "raises": "drained", "weight": 10}, ""),
        ("absent", {"share": 100}, ""),
        ("present", {"share": 50}, "share: is a part of weight, which is missing"),
        ("present", {"share": 0, "weight": 10}, "share: 0 is not a share"),
        ("drained", {"share": 50, "weight": 10}, "share: has no meaning with state: drained"),
        ("absent", {"share": 50}, "share: has no meaning with state: absent"),
        ("present", {"raises": "lowered", "weight": 10}, "raises: has no meaning with state: present"),
        ("drained", {"raises": "lowered"}, "raises: has no meaning with state: drained"),
    ],
)
def test_a_share_where_there_is_nothing_to_share(state: str, given: dict[str, Any], said: str) -> None:
    mistakes = Mistakes()
    drain.check_share({"state": state, "share": 100, "weight": None, "raises": "drained", **given}, mistakes)
    assert refused(mistakes).startswith(said)
    assert bool(refused(mistakes)) == bool(said)


def refused(mistakes: Mistakes) -> str:
    try:
        mistakes.raise_if_any()
    except BadRequest as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize(
    ("given", "said"),
    [({"fwmark": 7, "family": "ipv4"}, ""), ({"address": "192.0.2.1", "port": 80, "protocol": "udp"}, "")]
    + [
        ({"fwmark": 7, "family": "ipv4", name: value}, f"source_nat[0].{name}: a firewall mark service has none")
        for name, value in {"port": 80, "protocol": "udp"}.items()
    ],
)
def test_a_mark_has_neither_port_nor_protocol(given: dict[str, Any], said: str) -> None:
    mistakes = Mistakes()
    bare = {"address": None, "port": 0, "protocol": "tcp", "fwmark": None, "family": None, "destinations": None}
    [*packet_rules_plan._check_nat([{**bare, "to": ["10.0.0.1"], **given}], "source_nat", mistakes)]
    assert refused(mistakes).startswith(said)
    assert bool(refused(mistakes)) == bool(said)


def test_a_filter_of_connections_that_nobody_asks_for() -> None:
    params = {**dict.fromkeys(specs.INFO_SPEC), "gather_subset": ["services"], "connection_filter": {"state": ["NONE"]}}
    with pytest.raises(BadRequest, match="connection_filter: gather_subset has no connections"):
        ipvs_info.gather(SimpleNamespace(params=params))  # type: ignore[arg-type] # all that is asked of it before that


def test_an_heir_of_a_keepalived_that_stays() -> None:
    params = {"owner": "lvs", "path": "/nonexistent", "content": "", "heir": "director", "state": "present"}
    with pytest.raises(BadRequest, match="heir: is for what keepalived leaves behind"):
        keepalived.ensure_config(SimpleNamespace(params=params), None)  # type: ignore[arg-type] # as above
