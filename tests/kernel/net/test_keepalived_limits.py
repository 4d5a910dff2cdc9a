# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the model allows keepalived takes: every range of every key, at both ends, as keepalived itself judges it.

The ranges are those that the compiler asks for while it reads a model; none is written down here.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_text import verdict
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read import health
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

# What a check cannot do without.
NEEDED: dict[str, dict[str, Any]] = {"misc": {"script": "/usr/bin/true {address}"}, "file": {"path": "/run/health"}}


class Limit(NamedTuple):
    """One end of a range: the mapping in which the key is, and the value."""

    path: str
    key: str
    value: float


def render(plan: dict[str, Any]) -> str:
    return rendered({"keepalived": plan})


@pytest.fixture(autouse=True)
def _a_place(sh: Callable[[str], str]) -> None:
    Path("/run/health").write_text("0\n")
    for number in (1, 2):
        sh(f"ip link add eth{number} type bridge && ip link set eth{number} up")
    sh("ip address add 192.168.0.11/24 dev eth1 && ip address add 10.0.0.11/24 dev eth2")


def judge(text: str, sh: Callable[[str], str]) -> str:
    """What keepalived finds wrong; nothing where it takes the configuration."""
    Path("/tmp/limits.conf").write_text(text)
    # keepalived 2.2.7 ends its own test by SIGTERM where scripts have a user of their own.
    *said, status = sh("trap '' TERM; keepalived -t -f /tmp/limits.conf 2>&1; echo $?").splitlines()
    return "" if verdict(int(status), said).taken else "\n".join([*said, status])


def place(model: Model, path: str) -> list[dict[str, Any]]:
    """The mapping that a path of the compiler names, in the model; of both directors where it is a director's."""
    director, _colon, rest = path.rpartition(": ")
    found = []
    for each in ("lb1", "lb2") if director in ("", "lb1", "lb2") else ():
        here: Any = model.hostvars[each]
        for key, index in re.findall(r"(\w+)|\[(\d+)\]", rest):
            here = here[int(index)] if index else here.setdefault(key, {})
        found.append(here)
    return found


def limits_of(model: Model, monkeypatch: pytest.MonkeyPatch) -> list[Limit]:
    """Both ends of every range that the compiler asks for."""
    found: dict[Limit, None] = {}

    def recorded(name: str) -> Callable[..., Any]:
        real = getattr(Reader, name)

        def read(self: Reader, key: str, low: float, high: float, *more: Any, **named: Any) -> Any:
            path = self.at(key)[: -len(key) - 1]
            found.update(dict.fromkeys((Limit(path, key, low), Limit(path, key, high))))
            return real(self, key, low, high, *more, **named)

        return read

    with monkeypatch.context() as patch:
        for name in ("integer", "number"):
            patch.setattr(Reader, name, recorded(name))
        model.plan("lb1", "keepalived")
    return list(found)


def checked(kind: str) -> Model:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_keepalived"] = {"script_user": "nobody"}
        model.hostvars[director]["lvs_services"][0]["health_check"] = {"type": kind, **NEEDED.get(kind, {})}
    return model


def tracking() -> Model:
    """Everything about an instance, timeouts, synchronisation, persistence and a tunnel."""
    model = checked("tcp")
    for director in ("lb1", "lb2"):
        host = model.hostvars[director]
        host["lvs_vrrp"] |= {
            "preempt": True,
            "track_scripts": [{"name": "up", "script": "/usr/bin/true"}],
            "track_processes": [{"name": "bird", "process": "bird"}],
            "garp": {},
        }
        host |= {"lvs_timeouts": {"tcp": 900}, "lvs_sync": {"syncid": 1}}
        host["lvs_services"][0] |= {"quorum": 2, "persistence": {"timeout": 300}}
    return model


MODELS: dict[str, Callable[[], Model]] = {
    # Those that log in are made by programs that are not in the guest. Their times are those of misc.
    **{
        kind: lambda kind=kind: checked(kind)  # type: ignore[misc] # a lambda with a default
        for kind in health.KINDS
        if kind not in LOGINS
    },
    "instance": tracking,
}


def changed(name: str, limits: list[Limit]) -> Model:
    """The model with these values, and the other director at odds with it where it has to be."""
    model = MODELS[name]()
    for limit in limits:
        for mapping in place(model, limit.path):
            mapping[limit.key] = limit.value
        if limit.key == "priority":
            model.hostvars["lb2"]["lvs_vrrp"]["priority"] = 100
    return model


@pytest.mark.parametrize("name", MODELS)
def test_keepalived_takes_both_ends_of_every_range(
    name: str, sh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = limits_of(MODELS[name](), monkeypatch)
    if name != "instance":
        found = [each for each in found if "health_check" in each.path]
    # Some values go with others only in the middle of their ranges: those are left out, few as they are.
    allowed = [each for each in found if not changed(name, [each]).mistakes()]
    assert len(allowed) >= len(found) * 3 / 4 > 0
    for ends in (allowed[::2], allowed[1::2]):
        together = changed(name, ends)
        alone = [[each] for each in ends] if together.mistakes() else [ends]
        for limits in alone:
            plan = changed(name, limits).plan("lb1", "keepalived")["keepalived"]
            said = judge(render(plan), sh)
            assert said == "", (limits, said)


def test_no_retries_at_all(sh: Callable[[str], str]) -> None:
    """The default of keepalived's own MISC_CHECK, which it takes only in the check itself."""
    for kind in [each for each in health.KINDS if each not in LOGINS]:
        model = checked(kind)
        if kind != "file":
            for director in ("lb1", "lb2"):
                model.hostvars[director]["lvs_services"][0]["health_check"]["retries"] = 0
        text = render(model.plan("lb1", "keepalived")["keepalived"])
        assert judge(text, sh) == "", text


def test_advice_alone_is_taken(run_module: Callable[..., dict[str, Any]]) -> None:
    content = "vrrp_instance a {\n    interface eth1\n    virtual_router_id 9\n    priority 100\n}\n"
    result = run_module("keepalived_config", {"content": content, "path": "/tmp/advice/keepalived.conf"})
    assert result["messages"] == ["(a) No VIP specified; at least one is sensible"]
    assert Path("/tmp/advice/keepalived.conf").read_text() == content
    more = copy.deepcopy(content).replace("priority 100", "priority 100\n    nonsense 3")
    result = run_module("keepalived_config", {"content": more, "path": "/tmp/advice/keepalived.conf"})
    assert "Unknown keyword 'nonsense'" in result["msg"]
    assert "No VIP specified" in result["msg"]
    assert Path("/tmp/advice/keepalived.conf").read_text() == content
