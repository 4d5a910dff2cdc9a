# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user is told of a reload, by the release of keepalived."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_versions

WITH = "virtual_server 192.0.2.1 80 {\n    sorry_server 10.0.0.9 8080\n    real_server 10.0.0.5 80 {\n    }\n}\n"
WITHOUT = WITH.replace("    sorry_server 10.0.0.9 8080\n", "")
SIGNED = "vrrp_instance lvs {\n    auth_hmac {\n        key 1 x\n    }\n}\n"
MANY = "    real_server 10.0.0.5 80 {\n" * 2000


def said(version: str) -> str:
    return f"Keepalived v{version} (03/30,2025)\n\nCopyright(C) 2001-2025 Alexandre Cassen, <acassen@gmail.com>\n"


@pytest.mark.parametrize(
    ("version", "before", "after", "expected"),
    [
        ("2.3.3", WITH, WITHOUT, ["10.0.0.9 8080"]),
        ("2.3.3", WITH, WITH.replace("8080", "8081"), ["10.0.0.9 8080"]),
        ("2.3.3", WITHOUT, WITH, []),
        # Another service keeps it.
        (
            "2.3.3",
            WITH + WITH.replace(" 80 {", " 81 {", 1),
            WITHOUT + WITH.replace(" 80 {", " 81 {", 1),
            ["10.0.0.9 8080"],
        ),
        ("2.3.3", WITH, WITH, []),
        ("2.3.4", WITH, WITHOUT, []),
        ("2.2.7", WITH, WITHOUT, []),
        ("2.2.7", "", MANY, ["2000 real servers"]),
        ("2.2.7", "", MANY.replace("real_server", "! real_server", 1), []),
        ("2.3.0", "", MANY, []),
        ("10.0.1", "", MANY, []),
        ("2.4.1", "", SIGNED, ["Bring all of them to 2.4.2 first"]),
        ("2.3.3", "", SIGNED, ["Bring all of them to 2.4.2 first"]),
        ("2.4.2", "", SIGNED, []),
        ("2.4.3", "", SIGNED, []),
    ],
)
def test_what_is_told(version: str, before: str, after: str, expected: list[str]) -> None:
    found = keepalived_versions.warnings(said(version), before, after)
    assert len(found) == len(expected)
    for text, words in zip(found, expected):
        assert words in text
        assert f"keepalived {version}" in text


@pytest.mark.parametrize(("before", "after"), [(WITHOUT, WITH), (MANY, MANY)])
def test_the_release_is_not_asked_for_where_it_does_not_matter(before: str, after: str) -> None:
    assert keepalived_versions.has_news(WITH, WITHOUT)
    assert not keepalived_versions.has_news(before, after)


def test_a_version_that_cannot_be_read() -> None:
    (line,) = keepalived_versions.warnings("keepalived: not found", WITH, WITHOUT)
    assert line.startswith("keepalived does not say which release it is.")
