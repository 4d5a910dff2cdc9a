# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with what operators have in theirs: what they become, what is listed, and what keepalived says to the result.

Beside each file is one that ends in .yml with what it yields: the variables, and the lines of all remarks.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Imported, Known, imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model

FIELD = Path(__file__).parent / "field"
PAIRS = [["harbour-a.conf", "harbour-b.conf"]]
NAMES = {
    **{"www.union.example.com": "198.51.100.200", "mail.union.example.com": "198.51.100.201"},
    **{"edge1.union.example.com": "198.51.100.211", "app1.union.example.com": "10.81.0.11"},
    **{"app2.union.example.com": "10.81.0.12", "smtp-in.union.example.com": "10.81.0.13"},
    **{"www6.union.example.com": "2001:db8:81::80", "edge1-6.union.example.com": "2001:db8:81::11"},
    **{"http": 80, "https": 443, "http-alt": 8080, "smtp": 25, "redis": 6379, "domain": 53, "syslog": 514},
}


def mains() -> list[list[str]]:
    paired = {each for pair in PAIRS for each in pair}
    alone = sorted(each.name for each in FIELD.iterdir() if each.suffix in (".conf", ".cf", ".rules"))
    return [*([each] for each in alone if each not in paired), *PAIRS]


def texts() -> dict[str, str]:
    found = (each for each in FIELD.rglob("*") if each.suffix in (".conf", ".cf", ".rules"))
    return {str(each.relative_to(FIELD)): each.read_text() for each in found}


def read(first: list[str], **more: Any) -> Imported:
    return imported(Given(texts()), first, **more)


def yields(found: Imported) -> dict[str, Any]:
    """What came out, and where remarks are."""
    lines: dict[str, dict[str, list[str]]] = {}
    for each in found.remarks:
        lines.setdefault(each.kind, {}).setdefault(each.place.file, []).append(f"{each.place.line} {each.words}")
    return {"groups": found.groups, **lines, "hosts": found.hostvars}


@pytest.mark.parametrize("names", mains(), ids=lambda names: names[0])
def test_what_comes_out(names: list[str]) -> None:
    expected = yaml.safe_load((FIELD / f"{names[0]}.yml").read_text())
    assert yields(read(names)) == expected


def test_names_that_somebody_explains() -> None:
    found = read(["union.rules"], names=Known(NAMES))
    assert not [each for each in found.remarks if each.kind == LOST]
    services = {each["name"]: each for each in found.hostvars["union"]["lvs_services"]}
    assert list(services) == [
        *["tcp-198.51.100.200-80", "tcp-198.51.100.200-443", "tcp-198.51.100.201-25", "tcp-198.51.100.201-6379"],
        *["udp-198.51.100.201-53", "udp-198.51.100.201-514", "tcp-2001:db8:81::80-443", "mark-3-ipv4"],
    ]
    assert services["tcp-198.51.100.200-80"]["real_servers"] == [
        {"address": "10.81.0.11", "port": 8080, "weight": 5},
        {"address": "10.81.0.12", "port": 8080, "weight": 5},
    ]
    assert services["mark-3-ipv4"]["real_servers"] == [
        {"address": "10.81.0.11", "port": 80},
        {"address": "10.81.0.12", "port": 80, "weight": 0},
    ]
    assert services["tcp-2001:db8:81::80-443"]["real_servers"] == [{"address": "2001:db8:81::11"}]


def test_a_host_that_was_chosen() -> None:
    found = read(["campus.conf"], hosts=["campus-b"])
    assert list(found.hostvars) == ["campus-b"]
    assert found.hostvars["campus-b"]["lvs_vrrp"]["priority"] == 140
    assert found.hostvars["campus-b"]["lvs_address"] == "198.51.100.5"
    assert not [each for each in found.remarks if each.words.startswith("@")]


def test_no_password_is_in_a_remark() -> None:
    for names in mains():
        found = read(names)
        said = found.files["remarks.txt"]
        for secret in ("quay77xx", "c4mpus", "b0rder", "t1ck", "pr0be", "s3lect"):
            assert secret not in said


@pytest.mark.parametrize("names", mains(), ids=lambda names: names[0])
def test_the_check_and_keepalived_take_it(names: list[str]) -> None:
    found = read(names, names=Known(NAMES))
    hostvars = found.hostvars
    for values in hostvars.values():
        # What facts tell on a host.
        values.setdefault("lvs_vip_interface", "eth0")
        if values.get("lvs_manager") != "checker":
            values["lvs_manager"] = "keepalived"
    model = Model(hostvars, found.groups)
    assert model.mistakes() == []
    for name in found.groups["lvs_directors"]:
        plan = model.plan(name, "keepalived")
        if real_tools.why_not("keepalived") is None:
            assert real_tools.keepalived_refuses(_with_commands_of_here(plan)) is None


def _with_commands_of_here(value: Any) -> Any:
    """A plan whose commands and users this machine has."""
    if isinstance(value, dict):
        return {key: "nobody" if key == "script_user" else _with_commands_of_here(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_commands_of_here(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"\A/(usr/local|etc)/\S+", "/bin/true", value)
    return value


def test_the_files_say_what_the_import_found() -> None:
    for names in mains():
        found = read(names)
        files = {path: yaml.safe_load(text) for path, text in found.files.items() if path.endswith(".yml")}
        common = files.get("group_vars/lvs_directors.yml", {})
        hosts = files["hosts.yml"]["all"]["children"]
        assert list(hosts["lvs_directors"]["hosts"]) == found.groups["lvs_directors"]
        assert list(hosts["lvs_real_servers"]["hosts"]) == found.groups["lvs_real_servers"]
        for name, values in found.hostvars.items():
            own = files.get(f"host_vars/{name}.yml", {})
            priority = own.pop("vrrp_priority", None)
            merged = copy.deepcopy({**common, **own})
            if priority is not None:
                assert merged["lvs_vrrp"].pop("priority") == "{{ vrrp_priority }}"
                merged["lvs_vrrp"]["priority"] = priority
            assert merged == values
