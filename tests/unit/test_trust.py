# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/trust.md says what the code does: the files with their modes, the facts, the commands, the capabilities."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.lvs.topology.plugins.module_utils import _ledger, _ledger_file
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan, bird_plan
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot_plan, boot_script, hooks_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Files, Unit, copy_of
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state, keepalived_plan
from ansible_collections.lvs.topology.plugins.module_utils._metrics import description
from ansible_collections.lvs.topology.plugins.module_utils._metrics import plan as metrics_plan
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read import facts

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs/trust.md").read_text()


def written(plan: Any) -> dict[str, int]:
    """The files that a plan writes, with their modes."""
    actions = [change.action for change in plan.changes]
    return {each.path: each.file.mode for each in actions if isinstance(each, WriteFile)}


def of_metrics() -> tuple[metrics_plan.Wanted, metrics_plan.Current]:
    described = description.Description("/srv", 30, (), False, 0, (), (), (), False, (), ())
    paths = (
        metrics_plan.description_path("ROLE"),
        metrics_plan.PROGRAM_PATH,
        metrics_plan.UNIT_PATH,
        metrics_plan.TIMER_PATH,
    )
    wanted = metrics_plan.Wanted(described, "{}", b"program", "/usr/bin/python3", "root")
    return wanted, metrics_plan.Current(
        dict.fromkeys(paths), is_enabled=True, is_running=True, is_failed=False, old=None
    )


def of_role_keepalived() -> dict[str, int]:
    """The files and folders that tasks of the role write by themselves, and what the guard of min_up writes."""
    role = CHECKOUT / "roles/keepalived"
    variables = yaml.safe_load((role / "vars/main.yml").read_text())
    found = {guard_state.PATH: 0o644}
    for path in (role / "tasks").glob("*.yml"):
        for task in yaml.safe_load(path.read_text()):
            for module in ("ansible.builtin.copy", "ansible.builtin.file"):
                asked = task.get(module, {})
                if "mode" in asked:
                    name = asked.get("dest") or asked["path"]
                    for variable in ("__keepalived_credentials_folder", "__keepalived_guard"):
                        name = name.replace(f"{{{{ {variable} }}}}", variables[variable])
                    found[name.replace("{{ item.name }}", "NAME")] = int(asked["mode"], 8)
    return found


def test_every_file_and_its_mode(tmp_path: Path) -> None:
    wanted = {suffix: File("anything\n") for suffix in boot_plan.SUFFIXES}
    paths = [boot_plan.owner_path("ROLE", suffix) for suffix in boot_plan.SUFFIXES]
    current = dict.fromkeys([*paths, boot_script.SCRIPT_PATH, boot_script.UNIT_PATH])
    managers = hooks_plan.Managers(True, True, True, True, network_files=("NAME.network",))
    called = hooks_plan.wanted_files(managers, set(boot_plan.SUFFIXES), [])
    hooks = hooks_plan.plan_hooks(called, dict.fromkeys(called), watching=set(), failed=set())
    files = written(boot_plan.plan_boot("ROLE", wanted, current, set(), boot_plan.UnitState(), hooks))
    files.update({trace.path("ROLE"): File("").mode for trace in TRACES.values() if trace.file})
    files.update(written(metrics_plan.plan_metrics("ROLE", *of_metrics())))
    before = Files(File("before\n"), 0.0, None, {keepalived_plan.DROP_IN: None}, 1.0)
    outcome = keepalived_plan.plan_present(
        _ledger.Ledger(), "keepalived", keepalived_plan.PATH, "after\n", before, Unit()
    )
    assert outcome.copy
    files.update(written(outcome.plan))
    files[copy_of(keepalived_plan.PATH)] = outcome.copy.mode
    replica = conntrackd_plan.Replica("192.0.2.100", "10.9.0.21", "10.9.0.22", "eth3", 3780, ("10.1.0.51",), 8000)
    conntrackd = before._replace(beside={conntrackd_plan.FOLLOWER: None, conntrackd_plan.DROP_IN: None})
    outcome = conntrackd_plan.plan_present(_ledger.Ledger(), "director", replica, conntrackd, Unit())
    assert outcome.copy
    files.update(written(outcome.plan))
    files[copy_of(conntrackd_plan.PATH)] = outcome.copy.mode
    before_bird = before._replace(beside={})
    of_bird = bird_plan.plan_present(_ledger.Ledger(), "announcer", "after\n", before_bird, Unit(), [])
    assert of_bird.copy
    files.update(written(of_bird.plan))
    files[copy_of(bird_plan.PATH)] = of_bird.copy.mode
    files[announcement_plan.DROP_IN] = announcement_plan.drop_in([1819]).mode
    files.update(of_role_keepalived())
    # The ledger, its lock and its directory are made by the code that is asked for them.
    ledger = tmp_path / "lvs-topology/ledger.json"
    _ledger_file.LedgerFile(str(ledger)).save(_ledger.Ledger().claim("address", "10.0.0.1/32 dev lo", "ROLE"))
    files[_ledger.PATH] = ledger.stat().st_mode & 0o777
    documented = {path: int(mode, 8) for path, mode in re.findall(r"^\| `(/[^`]+)` \| (0\d{3}) \|", TEXT, re.MULTILINE)}
    directories = {"/etc/lvs-topology": 0o755, "/var/lib/lvs-topology": ledger.parent.stat().st_mode & 0o777}
    locks = {path: mode for path, mode in documented.items() if path.endswith((".lock", ".turn"))}
    assert set(locks.values()) == {0o600}
    assert documented == {**files, **directories, **locks}


def test_every_command() -> None:
    sources = [path.read_text() for path in (CHECKOUT / "plugins/module_utils").rglob("*.py")]
    named = {name for text in sources for name in re.findall(r"_commands.find\(\"(\w+)\"", text)}
    assert named
    (sentence,) = re.findall(r"call only these commands.*?`keepalived -t`", TEXT, re.DOTALL)
    assert {f"`{name}" for name in named} <= {word.split(" ")[0] for word in re.findall(r"`[\w -]+", sentence)}


def test_the_capabilities_of_the_unit() -> None:
    (bounds,) = re.findall(r"^CapabilityBoundingSet=(.*)$", boot_script.SANDBOX, re.MULTILINE)
    assert boot_script.SANDBOX in boot_script.UNIT_TEXT
    (sentence,) = re.findall(r"two capabilities, (\w+) and (\w+)", TEXT)
    assert list(sentence) == bounds.split()


def test_every_fact_that_is_read() -> None:
    (sentence,) = re.findall(r"Of the facts, only .*? are read", TEXT, re.DOTALL)
    for name, words in {
        "macaddress": "MAC address",
        "mtu": "MTU",
        "active": "whether it is up",
        "ipv4": "addresses with their networks",
        "gateway": "default gateways",
    }.items():
        assert f'"{name}"' in (CHECKOUT / "plugins/plugin_utils/_topology/read/facts.py").read_text()
        assert words in " ".join(sentence.split())
    assert facts._NAMES == ("interfaces", "default_ipv4", "default_ipv6")


def test_every_action_plugin_is_named() -> None:
    (sentences,) = re.findall(r"On the controller nothing needs root.*?\n\n", TEXT, re.DOTALL)
    for path in (CHECKOUT / "plugins/action").glob("*.py"):
        assert f"`{path.stem}`" in sentences
