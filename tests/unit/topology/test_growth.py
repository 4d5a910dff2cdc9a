# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four times the services, or four times the real servers, are about four times the work.

The work is counted in lines that Python runs, which are the same on every machine, and not in time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, facts, nic, rs

METHODS = ("nat", "dr", "tun", "fullnat")


def _site(forward: str, services: int, real_servers: int, *, is_pair: bool) -> Model:
    directors = ["lb1", "lb2"] if is_pair else ["lb1"]
    hosts = [f"web{number}" for number in range(real_servers)]
    network = {"dr": "10.0", "tun": "10.2"}.get(forward, "10.1")
    listed = [
        {
            "name": f"service {number}",
            "address": f"10.0.{100 + number // 200}.{number % 200 + 1}",
            "port": 80,
            "forward": forward,
            "real_servers": rs(*hosts),
        }
        for number in range(services)
    ]
    hostvars: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(directors, 2):
        nics = [nic(f"eth{each}", f"10.{each}.0.{number}/16") for each in range(2)]
        hostvars[name] = {"lvs_address": f"10.0.0.{number}", "lvs_services": listed, "ansible_facts": facts(*nics)}
        if is_pair:
            vrrp = {"router_id": 51, "interface": "eth0", "priority": 100 + number, "addresses": ["10.1.0.1/16"]}
            hostvars[name] |= {"lvs_manager": "keepalived", "lvs_vrrp": vrrp}
    for number, name in enumerate(hosts):
        address = f"{network}.{1 + number // 200}.{number % 200 + 1}"
        hostvars[name] = {"lvs_address": address, "ansible_facts": facts(nic("eth0", f"{address}/16"))}
    return Model(hostvars, {"lvs_directors": directors, "lvs_real_servers": hosts})


def _lines_run(work: Callable[[], object]) -> int:
    """How many lines Python runs for it: each turn of a loop counts, one in a comprehension too."""
    count = 0

    def tracer(_frame: Any, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _info(model: Model) -> dict[str, Any]:
    """A director's table as ipvs_info returns it."""
    services = []
    for service in model.plan("lb1", "director", directors=["lb1"], variables={"lvs_manager": "kernel"})["services"]:
        counted = {"counters": {"conns": 0}, "connections": {"active": 0, "inactive": 0}}
        services.append({**service, "real_servers": [{**each, **counted} for each in service["real_servers"]]})
    return {"services": services, "timeouts": {}, "daemons": []}


def _questions(model: Model) -> dict[str, Callable[[], object]]:
    """Everything that is asked of the compiler in a run, and by operators."""
    infos = {name: _info(model) for name in model.groups["lvs_directors"]}
    arguments = (model.hostvars, model.groups)
    return {
        "mistakes": model.mistakes,
        "director": lambda: model.plan("lb1", "director"),
        "keepalived": lambda: model.plan("lb1", "keepalived"),
        "real server": lambda: model.plan("web0", "real_server"),
        "listings": lambda: compiler.listings_of(*arguments, ["web0"]),
        "trouble": lambda: compiler.trouble_of(*arguments, infos),
        "status": lambda: compiler.status_of(*arguments, infos),
        "adopted": lambda: compiler.model_of(*arguments, infos["lb1"]),
    }


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("forward", METHODS)
def test_work_grows_with_the_services(forward: str, is_pair: bool) -> None:
    few = _questions(_site(forward, 25, 2, is_pair=is_pair))
    many = _questions(_site(forward, 100, 2, is_pair=is_pair))
    grown = {name: _lines_run(many[name]) / _lines_run(few[name]) for name in few}
    assert {name: round(times, 1) for name, times in grown.items() if times > 5} == {}


@pytest.mark.parametrize("forward", METHODS)
def test_work_grows_with_the_real_servers(forward: str) -> None:
    few = _questions(_site(forward, 2, 25, is_pair=True))
    many = _questions(_site(forward, 2, 100, is_pair=True))
    grown = {name: _lines_run(many[name]) / _lines_run(few[name]) for name in few}
    assert {name: round(times, 1) for name, times in grown.items() if times > 5} == {}
