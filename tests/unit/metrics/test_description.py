# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that says what the model has: written, read back, and refused where it is not as it is written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._forms import BadForm
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import is_directory, parse, read, render
from ansible_collections.lvs.topology.tests.unit.metrics.given import described, real_server


def test_what_is_written_is_read() -> None:
    assert parse(render(described())) == read(described())
    assert parse(render(described(services=[]))).services == ()


def test_a_service_is_a_line() -> None:
    one = described()["services"][0]
    two = {**one, "name": "other", "virtual_server": "fwmark 7 ipv6"}
    before, after = render(described()).splitlines(), render(described(services=[one, two])).splitlines()
    assert len(set(after) - set(before)) == 2  # a comma behind the one before, too


def changed(path: str, value: Any) -> dict[str, Any]:
    given: Any = described()
    where = given
    *parents, last = path.split(".")
    for each in parents:
        where = where[int(each) if each.isdigit() else each]
    where[int(last) if last.isdigit() else last] = value
    result: dict[str, Any] = given
    return result


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("directory", "relative", "directory is 'relative', and not an absolute path"),
        ("directory", "/srv/../etc", "directory"),
        ("directory", "/srv/a b", "directory"),
        ("directory", "/srv/%h", "directory"),
        ("interval", 4, "interval is 4, and not a number from 5 to 3600"),
        ("interval", True, "interval"),
        ("interval", "30", "interval"),
        ("directors", "lb1", "directors is no list"),
        ("directors.0", 1, r"directors\[0\] is no text"),
        ("keepalived", 1, "keepalived is 1, and not true or false"),
        ("sync_daemons", 3, "sync_daemons"),
        ("vips.0.address", "lb1", r"vips\[0\].address 'lb1' is"),
        ("vips.0.interface", "eth 1", r"vips\[0\].interface"),
        ("vips.0.holders", 0, r"vips\[0\].holders"),
        ("vips.0.announcers", -1, r"vips\[0\].announcers"),
        ("vips.0.aggregate", "192.0.2.1/24", r"vips\[0\].aggregate '192.0.2.1/24' is no network without host bits"),
        ("aggregates.0.prefix", "", r"aggregates\[0\].prefix"),
        ("aggregates.0.announcers", 0, r"aggregates\[0\].announcers"),
        ("sessions.0.name", "lvs4_1; quit", r"sessions\[0\].name is .*, which BIRD calls no session of ours"),
        ("sessions.0.name", "lvs4_1\n", r"sessions\[0\].name"),
        ("sessions.0.address", "router", r"sessions\[0\].address"),
        ("sessions.0.bfd", 1, r"sessions\[0\].bfd is 1, and not true or false"),
        ("conntrackd", None, "conntrackd is null, and not true or false"),
        ("vips.0.more", 0, r"vips\[0\].more is missing, or not known"),
        ("vips.0", {10**5000: 1, "a\nb": 2}, r"vips\[0\]\.\S+ is missing, or not known"),
        ("hidden.0", "fwmark x ipv4", r"hidden\[0\] is 'fwmark x ipv4'"),
        ("services.0", [], r"services\[0\]. is no mapping"),
        ("services.0.virtual_server", "tcp 192.0.2.1", r"services\[0\].virtual_server"),
        ("services.0.name", "x" * 1025, r"services\[0\].name is no text of up to 1024"),
        ("services.0.real_servers.0.port", 65536, r"services\[0\].real_servers\[0\].port"),
        ("services.0.real_servers.0.weight", -1, r"services\[0\].real_servers\[0\].weight"),
        ("services.0.others.0", real_server("a", "b"), r"services\[0\].others\[0\].address"),
    ],
)
def test_what_is_wrong_is_named(path: str, value: Any, said: str) -> None:
    with pytest.raises(BadForm, match=said):
        read(changed(path, value))


@pytest.mark.parametrize("given", ["", "[]", "{", "null", "{}", '{"directory": "/x"}'])
def test_a_file_that_is_another_one(given: str) -> None:
    with pytest.raises(BadForm):
        parse(given)


def test_directories() -> None:
    assert is_directory("/var/lib/prometheus/node-exporter")
    assert not any(map(is_directory, ["", "srv", "/a/./b", "/a\nb", '/a"b', "/ä", None, 7]))
