# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""min_up: how much it is, what does not go with it, and what keepalived runs for it, with an ipvsadm that writes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state, keepalived_files
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pool_shares import quorum
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r1, r5
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

S = "lvs_services[0]"
CHECK = {"type": "tcp"}


def guarded(weights: tuple[int, ...] = (1, 1), **changes: Any) -> Model:
    """A director whose service has min_up. Nothing is known of its networks."""
    model = r5()
    model.groups["lvs_directors"] = ["lb1"]
    for name in ("lb2", "app1", "app2"):
        del model.hostvars[name]
    model.groups["lvs_real_servers"] = []
    model.without_facts()
    model.hostvars["lb1"].update(lvs_vip_interface="eth1", lvs_vrrp={"interface": "eth1"})
    real_servers = [{"address": f"10.0.0.{51 + number}", "weight": weight} for number, weight in enumerate(weights)]
    model.service.update(
        {"forward": "dr", "min_up": "50%", "health_check": CHECK, "real_servers": real_servers, **changes}
    )
    return model


@pytest.mark.parametrize(
    ("min_up", "weights", "expected"),
    [
        ("50%", (1, 1), 1),
        ("50%", (1, 1, 1), 2),
        ("51%", (1, 1), 2),
        ("34%", (10, 10, 10), 11),
        ("1%", (1, 1), 1),
        ("100%", (1, 2, 3), 6),
        (" 50 % ", (4, 4), 4),
        (3, (1, 1, 5), 3),
        ("3", (1, 1, 5), 3),
        # More than there is.
        (9, (1, 1), 2),
        ("50%", (0, 0), 1),
        ("50%", (), 1),
    ],
)
def test_how_much_has_to_be_up(min_up: Any, weights: tuple[int, ...], expected: int) -> None:
    model = guarded(weights=weights, min_up=min_up)
    if not weights:
        del model.service["health_check"]
    assert model.mistakes() == []
    site = site_of(model.hostvars, model.groups, [])
    assert quorum(site.services["lb1"][0]) == expected
    for each in model.plan("lb1", "keepalived")["keepalived"]["services"]:
        assert each["quorum"] == expected
        assert each["inhibit_on_failure"] is True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"min_up": "half"}, ".min_up: 'half' is neither a share of the pool nor a weight; write a share such as 50%"),
        ({"min_up": [1]}, ".min_up: a list is neither"),
        ({"min_up": 1.5}, ".min_up: 1.5 is neither"),
        ({"min_up": True}, ".min_up: true is neither"),
        ({"min_up": "0%"}, ".min_up: '0%' is out of range; use 1% to 100%"),
        ({"min_up": "101%"}, ".min_up: '101%' is out of range"),
        ({"min_up": 0}, ".min_up: 0 is out of range"),
        ({"min_up": 2**31}, ".min_up: 2147483648 is out of range"),
        ({"quorum": 1}, ".quorum: stands beside min_up"),
        ({"hysteresis": 0}, ".hysteresis: stands beside min_up"),
        ({"sorry_server": {"address": "127.0.0.1"}}, ".sorry_server: stands beside min_up"),
        ({"alpha": True}, ".alpha: is true, and with min_up"),
        ({"inhibit_on_failure": False}, ".inhibit_on_failure: is false, and with min_up"),
        ({"health_check": None}, ".min_up: has no meaning without a health_check"),
        (
            {"health_check": {"type": "misc", "script": "/bin/x", "dynamic_weight": True}},
            ".min_up: stands beside a check",
        ),
        ({"health_check": {"type": "file", "path": "/run/x", "weight": 3}}, ".min_up: stands beside a check"),
        (
            {"real_servers": [{"address": "10.0.0.51", "alpha": True, "inhibit_on_failure": False}]},
            ".real_servers[0].inhibit_on_failure: is false, and with min_up",
        ),
    ],
)
def test_what_does_not_go_with_it(changes: dict[str, Any], said: str) -> None:
    model = guarded()
    model.service.update(changes)
    assert any(line.startswith(f"{S}{said}") for line in model.mistakes()), model.mistakes()


def test_where_nobody_checks_it_is_refused() -> None:
    model = r1()
    model.service["min_up"] = "50%"
    model.service["health_check"] = CHECK
    assert any(".min_up: has no meaning while lvs_manager of " in line for line in model.mistakes())


def test_where_the_quorum_announces_the_vip_it_is_refused() -> None:
    model = guarded()
    del model.hostvars["lb1"]["lvs_vrrp"]
    model.hostvars["lb1"].update(
        lvs_manager="checker", lvs_bgp={"asn": 65001, "neighbours": [{"address": "192.168.0.1", "asn": 65000}]}
    )
    assert any(f"{S}.min_up: has no meaning with lvs_bgp" in line for line in model.mistakes()), model.mistakes()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"global_raw": "lvs_notify_fifo /run/mine\n"}, "global_raw: has a lvs_notify_fifo of its own"),
        ({"raw": "global_defs {\n\tlvs_notify_fifo /run/mine\n}\n"}, "raw: has a lvs_notify_fifo of its own"),
        ({"raw": "global_defs { lvs_notify_fifo_script /bin/x }\n"}, "raw: has a lvs_notify_fifo of its own"),
        ({"global_raw": "@lb1 lvs_notify_fifo /run/mine\n"}, "global_raw: has a lvs_notify_fifo of its own"),
        ({"raw": "# no lvs_notify_fifo\n", "global_raw": "# no lvs_notify_fifo\n"}, ""),
    ],
)
def test_the_only_fifo_may_be_taken(given: dict[str, Any], said: str) -> None:
    model = guarded()
    model.hostvars["lb1"]["lvs_keepalived"] = given
    assert [line.split(" and")[0] for line in model.mistakes()] == ([f"lb1: lvs_keepalived.{said},"] if said else [])


@pytest.mark.parametrize(
    ("min_up", "weights", "said"),
    [
        (9, (1, 1), "9 is above the weight of all real servers together; it is lowered"),
        ("60%", (1, 1), "where 10.0.0.51 alone is down, less than 2 of the weight of 2 is up"),
        ("50%", (1, 9), "where 10.0.0.52 alone is down, less than 5 of the weight of 10 is up"),
        ("50%", (1, 1), ""),
        # Nobody has a weight that could be missing.
        ("50%", (0, 0), ""),
    ],
)
def test_what_should_be_known(min_up: Any, weights: tuple[int, ...], said: str) -> None:
    notes = guarded(min_up=min_up, weights=weights).plan("lb1", "keepalived").get("notes", [])
    assert any(said in note for note in notes if ".min_up" in note) if said else not notes


def test_a_pair_has_the_same() -> None:
    model = dr_pair()
    for name in model.groups["lvs_directors"]:
        for service in model.hostvars[name]["lvs_services"]:
            service["min_up"] = "50%"
    assert model.mistakes() == []
    model.service["min_up"] = "51%"
    assert any(
        "lvs_services[0].min_up: is not what lb1: lvs_services[0].min_up is" in line for line in model.mistakes()
    )


def test_keepalived_runs_what_changes_with_the_pool() -> None:
    first, second = guarded(), guarded(weights=(1, 2))
    one, other = (rendered(each.plan("lb1", "keepalived")) for each in (first, second))
    line = 'lvs_notify_fifo_script "/usr/bin/sh /etc/keepalived/lvs_guard '
    assert line in one
    assert one[one.index(line) :].split('"')[1] != other[other.index(line) :].split('"')[1]
    assert first.plan("lb1", "keepalived")["keepalived"]["global_defs"]["script_user"] == "keepalived_script"
    del first.service["min_up"]
    plan = first.plan("lb1", "keepalived")
    assert "guard" not in plan
    assert "lvs_notify_fifo" not in rendered(plan)


class Guard:
    """The script, run with what keepalived writes, and what it did."""

    def __init__(self, place: Path, text: str) -> None:
        self.place, self.state = place, place / "state"
        (place / "guard").write_text(text.replace(guard_state.PATH, str(self.state)))
        for name in ("ipvsadm", "logger"):
            (place / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{place}/{name}.said\nexec 2>&1\n')
            (place / name).chmod(0o755)

    def run(self, *lines: str) -> list[str]:
        (self.place / "fifo").write_text("".join(f"{line}\n" for line in lines))
        (self.place / "ipvsadm.said").write_text("")
        command = ["/bin/sh", "guard", "0123", "fifo"]
        path = f"{self.place}:/usr/sbin:/usr/bin:/sbin:/bin"
        subprocess.run(command, check=True, cwd=self.place, env={"PATH": path}, timeout=120, start_new_session=True)
        return (self.place / "ipvsadm.said").read_text().splitlines()

    def facts(self) -> set[str]:
        return set(self.state.read_text().splitlines()[1:])


@pytest.fixture(name="guard")
def _guard(tmp_path: Path) -> Guard:
    model = guarded(weights=(10, 10, 4))
    model.service["address"] = "192.0.2.1"
    return Guard(tmp_path, model.plan("lb1", "keepalived")["guard"])


VS = "[192.0.2.1]:tcp:80"


def rs(number: int, state: str) -> str:
    return f"RS [10.0.0.{number}]:tcp:80 {VS} {state}"


def edit(number: int, weight: int) -> str:
    return f"-e -t 192.0.2.1:80 -r 10.0.0.{number}:80 -g -w {weight}"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"VS {VS} UP"], []),
        # keepalived has done it, and it is done again: a check may have ended otherwise meanwhile.
        ([rs(51, "DOWN")], [edit(51, 0)]),
        ([rs(51, "DOWN"), rs(51, "UP")], [edit(51, 0), edit(51, 10)]),
        # All that are down get their weights; those that are up are left alone, as one of them may be drained.
        (
            [rs(51, "DOWN"), rs(52, "DOWN"), f"VS {VS} DOWN"],
            [edit(51, 0), edit(52, 0), edit(51, 10), edit(52, 10)],
        ),
        ([rs(51, "DOWN"), f"VS {VS} DOWN", rs(53, "DOWN")], [edit(51, 0), edit(51, 10), edit(53, 4)]),
        (
            [rs(51, "DOWN"), rs(52, "DOWN"), f"VS {VS} DOWN", rs(52, "UP"), f"VS {VS} UP"],
            [edit(51, 0), edit(52, 0), edit(51, 10), edit(52, 10), edit(52, 10), edit(51, 0)],
        ),
        # Of others.
        (["VS [192.0.2.1]:tcp:8 DOWN", "RS [10.0.0.51]:tcp:80 [192.0.2.1]:tcp:81 DOWN", "", "VS", "RS x"], []),
        (["VS $(touch gone) DOWN", "RS * * DOWN", f"VS {VS}"], []),
    ],
)
def test_what_it_does(guard: Guard, lines: list[str], expected: list[str]) -> None:
    assert guard.run(*lines) == expected
    assert not (guard.place / "gone").exists()


def test_somebody_is_told(guard: Guard) -> None:
    guard.run(rs(51, "DOWN"), f"VS {VS} DOWN")
    said = (guard.place / "logger.said").read_text()
    assert f"{VS}: less than min_up is up. All get clients" in said
    state = guard_state.parse(guard.state.read_text())
    assert state is not None
    assert state.open == {VS}


def test_the_next_one_knows_what_the_one_before_knew(guard: Guard) -> None:
    guard.run(rs(51, "DOWN"), rs(52, "DOWN"), f"VS {VS} DOWN")
    assert guard.run() == [edit(51, 10), edit(52, 10)]
    assert guard.facts() == {f"open {VS}", f"down {VS}|[10.0.0.51]:tcp:80", f"down {VS}|[10.0.0.52]:tcp:80"}
    assert guard.run(rs(51, "UP"), f"VS {VS} UP")[2:] == [edit(51, 10), edit(52, 0)]


def test_only_root_can_keep_its_lock(guard: Guard) -> None:
    guard.run()
    modes = {path.name: path.stat().st_mode & 0o777 for path in guard.place.glob("state*")}
    assert modes == {"state": 0o644, "state.lock": 0o600}


def test_a_script_that_is_not_that_of_the_model_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "lvs_guard"
    monkeypatch.setattr(guard_state, "SCRIPT", str(place))
    text = guarded().plan("lb1", "keepalived")["guard"]
    asked = {"guard": text}
    assert keepalived_files.missing(asked) == [str(place)]
    place.write_text(text)
    place.chmod(0o644)
    assert keepalived_files.missing(asked) == []
    place.write_text(text.replace("ipvsadm", "true"))
    assert keepalived_files.missing(asked) == [str(place)]
    place.write_text(text)
    place.chmod(0o666)
    assert keepalived_files.missing(asked) == [str(place)]
    assert keepalived_files.missing({"guard": ""}) == []


def test_the_role_writes_it_where_it_is_looked_for() -> None:
    role = Path(__file__).parents[3] / "roles/keepalived"
    assert yaml.safe_load((role / "vars/main.yml").read_text())["__keepalived_guard"] == guard_state.SCRIPT
    tasks = yaml.safe_load((role / "tasks/ready.yml").read_text())
    (copied,) = (each["ansible.builtin.copy"] for each in tasks if "ansible.builtin.copy" in each)
    assert int(copied["mode"], 8) == guard_state.MODE


@pytest.mark.parametrize("tool", ["cat", "grep", "mv"])
@pytest.mark.parametrize("call", range(1, 6))
def test_what_is_said_while_keepalived_ends_it_is_kept(guard: Guard, tool: str, call: int) -> None:
    """keepalived's signal is for the process group: for what the guard runs at that moment as well."""
    said = ["#!/bin/sh", f"echo >>{guard.place}/calls", f"[ $(wc -l <{guard.place}/calls) != {call} ] || kill -TERM 0"]
    (guard.place / tool).write_text("\n".join([*said, f'exec {shutil.which(tool)} "$@"\n']))
    (guard.place / tool).chmod(0o755)
    guard.run(rs(51, "DOWN"), rs(52, "DOWN"), f"VS {VS} DOWN", rs(52, "UP"))
    assert guard.facts() == {f"open {VS}", f"down {VS}|[10.0.0.51]:tcp:80"}


def test_one_that_somebody_ended_guards_nothing(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """keepalived goes on, so the FIFO does not end: what is said there is written down, and nothing is done."""
    monkeypatch.setattr(guard_state, "PATH", str(guard.state))
    fifo = guard.place / "pipe"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    with subprocess.Popen(["/bin/sh", "guard", "0123", fifo], cwd=guard.place) as process:
        try:
            until(lambda: guard_state.read() is not None)
            # The shell looks for signals before it reads, and one that comes in between waits with it for a line.
            until(lambda: waits_for_a_pipe(process.pid))
            process.terminate()
            until(lambda: guard_state.read() is None)
            os.write(writer, f"VS {VS} DOWN\n".encode())
            until(lambda: guard.facts() == {f"open {VS}"})
            assert process.poll() is None
            assert guard_state.read() is None
        finally:
            os.close(writer)


def waits_for_a_pipe(pid: int) -> bool:
    """Whether a process does; true as well where the kernel tells nobody, which it says by 0."""
    place = Path(f"/proc/{pid}/wchan").read_text()
    return "pipe_read" in place or place == "0"


def until(holds: Callable[[], object]) -> None:
    for _attempt in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def test_another_keepalived_begins_anew(guard: Guard) -> None:
    guard.run(rs(51, "DOWN"), f"VS {VS} DOWN")
    first, rest = guard.state.read_text().split("\n", 1)
    guard.state.write_text(f"{first}0\n{rest}")
    assert guard.run() == []
    assert guard.facts() == set()


def test_what_left_the_model_is_forgotten(guard: Guard) -> None:
    guard.run(rs(51, "DOWN"), f"VS {VS} DOWN")
    guard.state.write_text(guard.state.read_text() + "down [192.0.2.1]:tcp:80|[10.0.0.99]:tcp:80\nopen FWM 7\n")
    guard.run()
    assert guard.facts() == {f"open {VS}", f"down {VS}|[10.0.0.51]:tcp:80"}


@pytest.mark.parametrize(
    ("changes", "lines", "expected"),
    [
        (
            {"forward": "nat", "group": "shops"},
            ["RS [10.0.0.51]:tcp:80 [shops]:0 DOWN"],
            ["-e -t 192.0.2.1:80 -r 10.0.0.51:80 -m -w 0"],
        ),
        (
            {"fwmark": 7, "family": "ipv4", "address": None, "port": None, "forward": "dr"},
            ["RS [10.0.0.51]:none:0 FWM 7 DOWN", "VS FWM 7 DOWN"],
            ["-e -f 7 -r 10.0.0.51:0 -g -w 0", "-e -f 7 -r 10.0.0.51:0 -g -w 10"],
        ),
        (
            {
                "forward": "tun",
                "real_servers": [
                    {
                        "address": "10.0.0.51",
                        "weight": 10,
                        "upper_threshold": 9,
                        "tunnel": {"type": "gue", "port": 6080},
                    },
                    {"address": "10.0.0.52"},
                ],
            },
            ["RS [10.0.0.51]:tcp:80 [192.0.2.1]:tcp:80 DOWN"],
            [
                "-e -t 192.0.2.1:80 -r 10.0.0.51:80 -i -w 0 -x 9 -y 0 --tun-type gue --tun-port 6080 --tun-nocsum",
            ],
        ),
        (
            {"address": "2001:db8::1", "real_servers": [{"address": "2001:db8::51"}, {"address": "2001:db8::52"}]},
            ["RS [2001:db8::51]:tcp:80 [2001:db8::1]:tcp:80 DOWN"],
            ["-e -t [2001:db8::1]:80 -r [2001:db8::51]:80 -g -w 0"],
        ),
        # As inet_ntop() writes it, and Python does not.
        (
            {"address": "2001:db8::1", "real_servers": [{"address": "::10.0.0.51"}, {"address": "::10.0.0.52"}]},
            ["RS [::10.0.0.51]:tcp:80 [2001:db8::1]:tcp:80 DOWN"],
            ["-e -t [2001:db8::1]:80 -r [::10.0.0.51]:80 -g -w 0"],
        ),
    ],
)
def test_services_of_every_kind(tmp_path: Path, changes: dict[str, Any], lines: list[str], expected: list[str]) -> None:
    model = guarded(weights=(10, 1))
    model.service.update({"address": "192.0.2.1", **changes})
    for key in [key for key, value in model.service.items() if value is None]:
        del model.service[key]
    if "fwmark" in changes:
        model.service["health_check"] = {**CHECK, "port": 80}
    assert Guard(tmp_path, model.plan("lb1", "keepalived")["guard"]).run(*lines) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("guard 12 345 checker 1 2\nopen FWM 7\ndown FWM 7|[10.0.0.1]:none:0\n", (12, "345", {"FWM 7"})),
        ("guard 12 345\n", (12, "345", set())),
        ("", None),
        ("guard x 345\n", None),
        ("guard \u00b2 345\n", None),
        (f"guard {'9' * 5000} 345\n", None),
        ("something else\n", None),
    ],
)
def test_what_it_wrote_is_read(text: str, expected: Any) -> None:
    found = guard_state.parse(text)
    assert (found and (found.process, found.started, set(found.open))) == expected
    assert found is None or found.down_at_any_port == ({"FWM 7|[10.0.0.1]"} if "down" in text else set())


def test_only_one_that_runs_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    monkeypatch.setattr(guard_state, "PATH", str(state))
    assert guard_state.read() is None
    started = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    state.write_text(f"guard {os.getpid()} {started} checker 1 2\nopen FWM 7\n")
    found = guard_state.read()
    assert found is not None
    assert found.open == {"FWM 7"}
    state.write_text(f"guard {os.getpid()} {started}0 checker 1 2\n")
    assert guard_state.read() is None
