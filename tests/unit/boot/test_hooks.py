# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who manages a host's network, and what is added to the manager's files for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._boot import (
    boot_plan,
    boot_script,
    hooks_plan,
    network_managers,
)
from ansible_collections.lvs.topology.plugins.module_utils._boot.hooks_plan import Managers
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._net import tunnel_plan

NONE = Managers()
NETWORKD = Managers(networkd=True, network_files=("10-eth1.network",))
DROP_IN = "/etc/systemd/network/10-eth1.network.d/00-lvs-topology.conf"
OF_NETWORKD = {
    hooks_plan.RESTORE_PATH,
    hooks_plan.WATCH_PATH,
    hooks_plan.TOLD_PATH,
    hooks_plan.NETWORKD_CONF,
    DROP_IN,
}


ALL = {"ip", "tunnels", "sources"}
OF_LINKS = {hooks_plan.RESTORE_PATH, hooks_plan.CHANGED_PATH, hooks_plan.LINKS_PATH}


@pytest.mark.parametrize(
    ("managers", "restored", "wanted"),
    [
        (NONE, ALL, set()),
        (NONE, {"ip", "nft-firewall"}, {hooks_plan.FIREWALL_PATH}),
        (NONE, {"ip6tables"}, {hooks_plan.FIREWALL_PATH}),
        (NETWORKD, ALL, OF_NETWORKD),
        # The rules and tunnels of others are not spoken of where we have none.
        (NETWORKD, {"ip"}, OF_NETWORKD - {hooks_plan.NETWORKD_CONF}),
        (Managers(networkd=True), ALL, OF_NETWORKD - {DROP_IN}),
        (
            Managers(networkmanager=True),
            ALL,
            {*OF_LINKS, hooks_plan.DISPATCHER, hooks_plan.NETWORKMANAGER_CONF},
        ),
        (Managers(networkmanager=True), {"ip"}, {*OF_LINKS, hooks_plan.DISPATCHER}),
        (Managers(ifupdown=True), ALL, {*OF_LINKS, hooks_plan.IF_UP}),
        (Managers(ifupdown=True, dhclient=True), ALL, {*OF_LINKS, hooks_plan.IF_UP, hooks_plan.DHCLIENT}),
    ],
)
def test_each_manager_has_files_of_its_own(managers: Managers, restored: set[str], wanted: set[str]) -> None:
    gone = hooks_plan.drop_in("20-gone.network")
    files = hooks_plan.wanted_files(managers, restored, [DROP_IN, gone])
    assert {path for path, file in files.items() if file} == wanted
    # What is there for another manager, or for a file that is not in use any more, goes.
    assert {*hooks_plan.FIXED, DROP_IN, gone} == set(files)


@pytest.mark.parametrize(
    ("managers", "watching", "failed", "before", "after"),
    [
        (NETWORKD, set(), set(), [], ["enable --now lvs-topology-networkd.path"]),
        (NETWORKD, {hooks_plan.WATCH_UNIT}, set(), [], []),
        (
            NONE,
            {hooks_plan.WATCH_UNIT},
            set(),
            ["disable --now lvs-topology-networkd.path", "stop lvs-topology-networkd.service"],
            [],
        ),
        (
            NONE,
            {hooks_plan.LINKS_UNIT},
            set(),
            ["disable --now lvs-topology-links.socket", "stop lvs-topology-links.service"],
            [],
        ),
        (NONE, set(), {hooks_plan.RESTORE_UNIT}, ["reset-failed lvs-topology-network.service"], []),
        (
            NONE,
            {hooks_plan.FIREWALL_UNIT},
            {hooks_plan.FIREWALL_UNIT},
            ["disable --now lvs-topology-firewall.service", "reset-failed lvs-topology-firewall.service"],
            [],
        ),
        (Managers(ifupdown=True), set(), set(), [], ["enable --now lvs-topology-links.socket"]),
        (Managers(networkmanager=True), {hooks_plan.LINKS_UNIT}, set(), [], []),
        (
            Managers(networkmanager=True),
            {hooks_plan.WATCH_UNIT},
            set(),
            ["disable --now lvs-topology-networkd.path", "stop lvs-topology-networkd.service"],
            ["enable --now lvs-topology-links.socket"],
        ),
    ],
)
def test_what_systemd_is_told(
    managers: Managers, watching: set[str], failed: set[str], before: list[str], after: list[str]
) -> None:
    wanted = hooks_plan.wanted_files(managers, ALL, [])
    hooks = hooks_plan.plan_hooks(wanted, wanted, watching=watching, failed=failed)
    assert [change.line for change in hooks.before.changes] == [f"systemctl {words}" for words in before]
    assert [change.line for change in hooks.after.changes] == [f"systemctl {words}" for words in after]
    assert not hooks.units.changes
    assert not hooks.files.changes


def test_what_loads_the_rules_of_a_firewall_has_ours_brought_back() -> None:
    wanted = hooks_plan.wanted_files(NONE, {"iptables"}, [])
    hooks = hooks_plan.plan_hooks(wanted, wanted, watching=set(), failed=set())
    # It waits for the lock of the module that starts it, so the module must not wait for it.
    assert [change.line for change in hooks.after.changes] == [
        "systemctl enable lvs-topology-firewall.service",
        "systemctl --no-block start lvs-topology-firewall.service",
    ]
    hooks = hooks_plan.plan_hooks(wanted, wanted, watching={hooks_plan.FIREWALL_UNIT}, failed=set())
    assert not hooks.after.changes


def planned(managers: Managers, current: dict[str, File | None], *, watching: set[str], needed: bool) -> list[str]:
    """The changes of a host whose other files are in place."""
    wanted = hooks_plan.wanted_files(managers, ALL, [DROP_IN])
    current = {**dict.fromkeys(wanted), **current}
    hooks = hooks_plan.plan_hooks(wanted, current, watching=watching, failed=set())
    own: dict[str, File | None] = {boot_plan.owner_path("me", suffix): None for suffix in boot_plan.SUFFIXES}
    own[boot_plan.owner_path("me", "ip")] = File("x\n")
    own[boot_script.SCRIPT_PATH] = File(boot_script.SCRIPT, 0o755)
    own[boot_script.UNIT_PATH] = File(boot_script.UNIT_TEXT)
    files = {**dict.fromkeys(boot_plan.SUFFIXES), "ip": File("x\n") if needed else None}
    plan = boot_plan.plan_boot("me", files, own, set(), boot_plan.UnitState(enabled=True), hooks)
    return [change.line for change in plan.changes]


def test_they_come_with_the_files_that_are_restored_and_go_with_them() -> None:
    lines = planned(NETWORKD, {}, watching=set(), needed=True)
    assert {line for line in lines if line.startswith("write ")} == {f"write {path}" for path in OF_NETWORKD}
    assert lines[-2:] == ["systemctl daemon-reload", "systemctl enable --now lvs-topology-networkd.path"]
    there = {path: file for path, file in hooks_plan.wanted_files(NETWORKD, ALL, []).items() if file}
    assert planned(NETWORKD, there, watching={hooks_plan.WATCH_UNIT}, needed=True) == []
    # What is no unit needs no word to systemd.
    changed: dict[str, File | None] = {**there, DROP_IN: File("[Network]\n")}
    assert planned(NETWORKD, changed, watching={hooks_plan.WATCH_UNIT}, needed=True) == [f"write {DROP_IN}"]
    lines = planned(NONE, {**there}, watching={hooks_plan.WATCH_UNIT}, needed=False)
    assert lines[0] == "systemctl disable --now lvs-topology-networkd.path"
    assert {line for line in lines if "network" in line and "remove" in line} == {f"remove {each}" for each in there}
    assert lines[-1] == "systemctl daemon-reload"


def test_only_directories_of_drop_ins_go() -> None:
    there = hooks_plan.wanted_files(Managers(True, True, True, True, ("10-eth1.network",)), ALL, [])
    wanted = hooks_plan.wanted_files(NONE, set(), [DROP_IN])
    hooks = hooks_plan.plan_hooks(wanted, there, watching=set(), failed=set())
    actions = [change.action for plan in (hooks.units, hooks.files) for change in plan.changes]
    assert {action.path for action in actions} == {path for path, file in there.items() if file}
    assert {action.path for action in actions if action.own_directory} == {hooks_plan.NETWORKD_CONF, DROP_IN}


def test_networkmanager_leaves_whatever_may_be_a_tunnel_of_ours() -> None:
    file = hooks_plan.wanted_files(Managers(networkmanager=True), ALL, [])[hooks_plan.NETWORKMANAGER_CONF]
    assert file is not None
    for name in ("tunl0", "ip6tnl0", "gre0", "ip6gre0", "sit0", "lvs-*"):
        assert tunnel_plan.is_tunnel_end(name)
        assert f"interface-name:{name}" in file.text


@pytest.mark.parametrize("path", [hooks_plan.DISPATCHER, hooks_plan.IF_UP, hooks_plan.DHCLIENT])
@pytest.mark.parametrize("status", [0, 1])
def test_a_manager_goes_on_where_nothing_can_be_brought_back(path: str, status: int, tmp_path: Path) -> None:
    file = hooks_plan.wanted_files(Managers(networkmanager=True, ifupdown=True, dhclient=True), ALL, [])[path]
    assert file is not None
    called = tmp_path / "called"
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{called}\nexit {status}\n')
    (tmp_path / "systemctl").chmod(0o755)
    for action in ("up", "down"):
        subprocess.run(["/bin/sh", "-c", file.text, path, "eth1", action], env={"PATH": str(tmp_path)}, check=True)
    # ifup and dhclient have no words for what they call.
    times = 1 if path == hooks_plan.DISPATCHER else 2
    assert called.read_text() == times * "--no-block restart lvs-topology-network.service\n"


def test_a_lease_that_goes_on_is_no_reason(tmp_path: Path) -> None:
    file = hooks_plan.wanted_files(Managers(ifupdown=True, dhclient=True), ALL, [])[hooks_plan.DHCLIENT]
    assert file is not None
    called = tmp_path / "called"
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\necho x >>{called}\n")
    (tmp_path / "systemctl").chmod(0o755)
    leases = [{"old_ip_address": "10.0.0.5"}, {"old_ip_address": "10.0.0.5", "new_ip_address": "10.0.0.6"}]
    for lease in ({"old_ip_address": "10.0.0.5", "new_ip_address": "10.0.0.5"}, *leases):
        subprocess.run(["/bin/sh", "-eu", "-c", file.text], env={"PATH": str(tmp_path), **lease}, check=True)
    assert called.read_text().count("x") == len(leases)


@pytest.mark.parametrize("path", [hooks_plan.DISPATCHER, hooks_plan.IF_UP, hooks_plan.DHCLIENT])
def test_what_managers_call_is_sound(path: str) -> None:
    file = hooks_plan.wanted_files(Managers(networkmanager=True, ifupdown=True, dhclient=True), ALL, [])[path]
    assert file is not None
    # NetworkManager calls nothing that others may write, run-parts nothing with a dot in its name.
    # dhclient-script reads what it has, as a part of itself.
    assert file.mode == (0o644 if path == hooks_plan.DHCLIENT else 0o755)
    assert "." not in Path(path).name
    done = subprocess.run(
        ["shellcheck", "--shell=sh", "-"], input=file.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("state", "path"),
    [
        ("ADMIN_STATE=unmanaged\n", None),
        ("# x\nADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-eth1.network\n", True),
        ("NETWORK_FILE=/etc/systemd/network/all@home.network\n", True),
        ("NETWORK_FILE=/etc/systemd/network/../../../etc/shadow\n", None),
        ("NETWORK_FILE=/etc/systemd/network/my lan:ü.network\n", True),
        ("NETWORK_FILE=/etc/systemd/network/a=b+c.network\n", True),
        ("NETWORK_FILE=/etc/systemd/network/a\x1b[2J.network\n", None),
        ("NETWORK_FILE=/etc/systemd/network/a\ufffd.network\n", None),
        ("NETWORK_FILE=/etc/systemd/network/.network\n", None),
        ("NETWORK_FILE=/home/me/10-eth1.network\n", None),
    ],
)
def test_the_file_by_which_networkd_manages_a_link(state: str, path: bool | None) -> None:
    wanted = state.rpartition("NETWORK_FILE=")[2].strip() if path else None
    assert hooks_plan.network_file(state) == wanted


def test_managers_of_a_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    links, networkmanager, ifupdown = (tmp_path / name for name in ("links", "devices", "ifstate"))
    monkeypatch.setattr(network_managers, "_LINKS", str(links))
    monkeypatch.setattr(network_managers, "_NETWORKMANAGER", str(networkmanager))
    monkeypatch.setattr(network_managers, "_IFUPDOWN", str(ifupdown))
    monkeypatch.setattr(hooks_plan, "DHCLIENT", str(tmp_path / "dhclient-exit-hooks.d/lvs-topology"))
    assert network_managers.managers() == NONE
    links.mkdir()
    ifupdown.write_text("lo=lo\n")
    (links / "1").write_text("NETWORK_FILE=/etc/systemd/network/lo.network\n")
    (links / "2").write_text("ADMIN_STATE=unmanaged\n")
    assert network_managers.managers() == NONE
    for link in ("3", "4"):
        (links / link).write_text("NETWORK_FILE=/etc/systemd/network/10-eth.network\n")
    networkmanager.mkdir()
    ifupdown.write_text("lo=lo\neth1=eth1\n")
    assert network_managers.managers() == Managers(True, True, True, network_files=("10-eth.network",))
    assert not network_managers.managers().dhclient
    (tmp_path / "dhclient-exit-hooks.d").mkdir()
    assert network_managers.managers().dhclient
    ifupdown.write_text("lo=lo\n")
    assert not network_managers.managers().dhclient


def test_a_link_that_is_absent_keeps_what_was_added_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    links, first, second = (tmp_path / name for name in ("links", "etc", "lib"))
    for folder in (links, first, second):
        folder.mkdir()
    monkeypatch.setattr(network_managers, "_LINKS", str(links))
    monkeypatch.setattr(network_managers, "_FOLDERS", [str(first), str(second)])
    names = ("10-eth.network", "50-usb.network", "60-gone.network", "70-said.network", "80-masked.network")
    monkeypatch.setattr(network_managers, "drop_ins", lambda: [hooks_plan.drop_in(name) for name in names])
    for name in ("10-eth.network", "50-usb.network", "70-said.network", "80-masked.network"):
        (second / name).write_text("[Network]\nDHCP=yes\n")
    # Of each name the first file counts.
    (first / "70-said.network").write_text("[Network]\nKeepConfiguration=no\n")
    (first / "80-masked.network").symlink_to("/dev/null")
    assert network_managers.managers() == NONE
    (links / "2").write_text("NETWORK_FILE=/etc/systemd/network/10-other.network\n")
    assert network_managers.managers().network_files == ("10-eth.network", "10-other.network", "50-usb.network")


@pytest.mark.parametrize(
    ("restored", "settings"),
    [
        ({"ip"}, []),
        ({"sources"}, ["ManageForeignRoutingPolicyRules=no"]),
        ({"announcements"}, ["ManageForeignRoutes=no"]),
        ({"sources", "announcements"}, ["ManageForeignRoutingPolicyRules=no", "ManageForeignRoutes=no"]),
    ],
)
def test_what_networkd_is_to_leave_alone(restored: set[str], settings: list[str]) -> None:
    file = hooks_plan.wanted_files(NETWORKD, restored, [])[hooks_plan.NETWORKD_CONF]
    assert (file.text.partition("[Network]\n")[2].splitlines() if file else []) == settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[Network]\nKeepConfiguration = yes\n", True),
        ("[Network]\nKeepConfiguration=no\n", True),
        ("[Network]\n\tKeepConfiguration\t=no\n", True),
        ("[Network]\n#KeepConfiguration=yes\nAddress=10.0.0.1/24\n", False),
        ("", False),
    ],
)
def test_what_its_author_has_said_of_a_network_file_counts(text: str, said: bool) -> None:
    assert hooks_plan.says_what_is_kept(text) is said
