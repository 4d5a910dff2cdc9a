# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every EXAMPLES block of every module, run as it stands: check mode predicts it, and a second run changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

# What has documentation alone is done on the controller.
MODULES = [
    path
    for path in sorted(Path(__file__).parents[2].glob("plugins/modules/*.py"))
    if "def main" in path.read_text(encoding="utf-8")
]
PREFIX = "lvs.topology."
TASK_KEYWORDS = {"name", "register", "become", "throttle", "no_log"}
# What an action plugin of the same name adds on the controller.
FROM_THE_CONTROLLER = {"turn": {"run": "control/of/a/test", "who": "a test"}}


def examples(module: Path) -> list[dict[str, Any]]:
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "EXAMPLES":
            return [task for each in yaml.safe_load(ast.literal_eval(statement.value)) for task in tasks_of(each)]
    raise AssertionError(f"{module} has no EXAMPLES")


def tasks_of(example: dict[str, Any]) -> list[dict[str, Any]]:
    """The example itself, or where it is a whole play, those tasks of it that call a module of ours."""
    if "hosts" not in example:
        return [example]
    return [task for task in example["tasks"] if any(word.startswith(PREFIX) for word in task)]


@pytest.fixture
def interfaces(sh) -> None:
    """A host with a leg in each network that the examples speak of."""
    sh("modprobe ipv6")
    for name, addresses in {
        "eth0": ("192.168.0.10/24",),
        "eth1": ("192.168.246.166/24", "10.0.0.31/24", "192.168.50.1/24", "2001:db8::166/64"),
    }.items():
        sh(f"ip link add {name} type veth peer name {name}.peer && ip link set {name}.peer up && ip link set {name} up")
        for address in addresses:
            sh(f"ip address add {address} dev {name}" + (" nodad" if ":" in address else ""))


@pytest.fixture
def bird(sh, tmp_path) -> Iterator[None]:
    """BIRD with a session, to another one at the end of the cable, and a VIP that is announced."""
    sh("ip netns add peer && ip link set eth1.peer netns peer")
    sh("ip -n peer address add 10.0.0.1/24 dev eth1.peer && ip -n peer link set eth1.peer up")
    sh("ip route add blackhole 198.51.100.1 table 1819")
    session = "connect delay time 1; connect retry time 1; error wait time 1, 1; ipv4 { import none; export none; };"
    for name, start, own, other in (
        ("director", "mkdir -p /run/bird; bird", ("10.0.0.31", 65001), ("10.0.0.1", 65000)),
        ("router", f"ip netns exec peer bird -s {tmp_path}/router.ctl", ("10.0.0.1", 65000), ("10.0.0.31", 65001)),
    ):
        (tmp_path / f"{name}.conf").write_text(
            f"router id {own[0]};\nprotocol device {{ }}\nprotocol bgp lvs4_10_0_0_1 {{\n"
            f"local {own[0]} as {own[1]}; neighbor {other[0]} as {other[1]}; {session}\n}}\n"
        )
        sh(f"{start} -c {tmp_path}/{name}.conf -P {tmp_path}/{name}.pid")
    yield
    sh(f"kill $(cat {tmp_path}/*.pid)")


def test_every_module_is_here() -> None:
    assert len(MODULES) >= 4


@pytest.mark.usefixtures("interfaces")
@pytest.mark.parametrize("module", MODULES, ids=[module.stem for module in MODULES])
def test_examples(module: Path, run_module, request) -> None:
    if module.stem == "bgp_sessions":
        request.getfixturevalue("bird")
    tasks = examples(module)
    assert any(PREFIX + module.stem in task for task in tasks)
    for task in tasks:
        (action,) = set(task) - TASK_KEYWORDS
        assert action.startswith(PREFIX), task
        name = action[len(PREFIX) :]
        args = {**(task[action] or {}), **FROM_THE_CONTROLLER.get(name, {})}
        predicted = run_module(name, args, check=True)
        result = run_module(name, args)
        for each in (predicted, result):
            assert not each.get("failed"), (task["name"], each["msg"])
        assert result.get("changed") == predicted.get("changed"), task["name"]
        assert result.get("changes") == predicted.get("changes"), task["name"]
        assert not run_module(name, args).get("changed"), task["name"]
