# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check of the inventory accepts, nobody refuses later: no module, no keepalived, no reader of a file.

LVS_DIFFERENTIAL_EXAMPLES says how many inventories are generated, LVS_DIFFERENTIAL_SEED which ones. A run with the same
two, and the same release of hypothesis, is the same run.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import kmod_plan, sysctl_plan
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.generated import models
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair, two_directors
from ansible_collections.lvs.topology.tests.unit.topology.module_calls import (
    boot_files,
    calls,
    plan_refusals,
    refusals,
    validated,
)
from hypothesis import HealthCheck, Phase, given, seed, settings

EXAMPLES = int(os.environ.get("LVS_DIFFERENTIAL_EXAMPLES", "60"))
SEED = int(os.environ.get("LVS_DIFFERENTIAL_SEED", "1"))
_OWNERS = {"director": "director", "real_server": "real_server", "router": "router", "metrics": "metrics"}


def roles_of(model: Model) -> list[tuple[str, str]]:
    """Each host of the inventory with each of its roles."""
    groups = {"lvs_directors": ("director", "keepalived", "metrics"), "lvs_real_servers": ("real_server",)}
    groups["lvs_routers"] = ("router",)
    return [
        (name, role)
        for group, roles in groups.items()
        for name in model.groups.get(group, [])
        for role in roles
        if model.hostvars[name].get("lvs_state") != "absent"
    ]


def differences(model: Model, counts: Counter[str]) -> list[str]:
    """What is refused of an inventory that has no mistakes."""
    counts["inventories"] += 1
    lines = model.mistakes()
    assert all(line.isprintable() for line in lines), lines
    if lines:
        return []
    counts["accepted"] += 1
    found: list[str] = []
    for name, role in roles_of(model):
        where = f"{name} as {role}"
        try:
            plan = model.plan(name, role)
        except WrongModel as wrong:
            found.append(f"{where}: the plan is refused: {wrong}")
            continue
        if role == "keepalived":
            found += [f"{where}: {each}" for each in _of_keepalived(plan, counts)]
        else:
            found += [f"{where}: {each}" for each in _of_host_state(plan, _OWNERS[role], counts)]
    return found


def _of_keepalived(plan: dict[str, Any], counts: Counter[str]) -> list[str]:
    if not plan["keepalived"] or real_tools.why_not("keepalived"):
        return []
    counts["keepalived files"] += 1
    refused = real_tools.keepalived_refuses(plan)
    return [f"keepalived: {refused}"] if refused else []


def _of_host_state(plan: dict[str, Any], owner: str, counts: Counter[str]) -> list[str]:
    found = [f"host_state: {each}" for each in plan_refusals(plan, owner)]
    arguments: dict[str, Any] = {}
    for call in calls(plan, owner):
        counts["calls of concerns"] += 1
        refused = refusals(call)
        found += [f"{call.concern}: {each}" for each in refused]
        if not refused:
            arguments.setdefault(call.concern, validated(call))
    return found or _of_files(plan, owner, arguments, counts)


def _of_files(plan: dict[str, Any], owner: str, arguments: dict[str, Any], counts: Counter[str]) -> list[str]:
    """Whether the files for the next boot are read as they are meant."""
    found: list[str] = []
    files = boot_files(arguments["boot"], Mistakes())
    if files["ip"] and not real_tools.why_not("ip"):
        counts["ip files"] += 1
        found += real_tools.ip_differs(plan, files["ip"].text)
    if files["nft"] and not real_tools.why_not("nft"):
        counts["nft files"] += 1
        refused = real_tools.nft_refuses(files["nft"])
        found += [f"nft: {refused}"] if refused else []
    values = sysctl_plan.check_values(plan.get("sysctls") or {}, Mistakes())
    text = sysctl_plan.render(owner, values)
    counts["sysctl.d files"] += 1
    if real_tools.sysctl_d(text.text if text else "") != values:
        found.append(f"sysctl.d: {text} is not read as {values}")
    if "kernel_modules" in plan:
        counts["modules-load.d files"] += 1
        modules = kmod_plan.check(plan["kernel_modules"], Mistakes())
        text = kmod_plan.render(owner, None, modules, modules, keep=False)
        if real_tools.modules_load_d(text.text if text else "") != sorted(modules):
            found.append(f"modules-load.d: {text} is not read as {modules}")
    if files.get("ipvsadm"):
        counts["ipvsadm files"] += 1
        wanted = options.wanted_services(arguments["services"]["services"], "services", Mistakes())
        table = save_parser.parse(files["ipvsadm"].text)
        if set(table) != {each.key for each in wanted}:
            found.append(f"ipvsadm: {files['ipvsadm'].text} is not read as {wanted}")
    return found


@pytest.fixture
def counts(request: pytest.FixtureRequest) -> Counter[str]:
    """What was looked at, for the line at the end of the run."""
    counter: Counter[str] = request.config.stash.setdefault(COUNTS, Counter())
    return counter


COUNTS = pytest.StashKey[Counter[str]]()


@pytest.mark.parametrize("make", [*REFERENCES.values(), dr_pair, two_directors])
def test_nobody_refuses_the_reference_topologies(make: Any, counts: Counter[str]) -> None:
    model = make()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name].setdefault("lvs_keepalived", {"script_user": "nobody"})
    before = counts["accepted"]
    assert differences(model, counts) == []
    assert counts["accepted"] == before + 1


@pytest.mark.slow
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    database=None,
    # A difference is reported as it was found: making it smaller takes far longer than reading it.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(model=models())
def test_what_the_inventory_s_check_accepts_nobody_refuses(model: Model, counts: Counter[str]) -> None:
    assert differences(model, counts) == [], model.hostvars


def test_what_was_looked_at(counts: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Says the numbers, and that enough inventories were accepted to prove anything."""
    words = ", ".join(f"{number} {what}" for what, number in counts.items())
    missing = [why for why in map(real_tools.why_not, ("keepalived", "ip", "nft")) if why]
    with capsys.disabled():
        print(f"\nDifferential test, seed {SEED}: {words}{'; not asked: ' + ', '.join(missing) if missing else ''}")
    assert counts["accepted"] >= counts["inventories"] // 10
