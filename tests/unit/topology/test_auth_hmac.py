# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys by which adverts are signed: what is taken, what keepalived is told, and that no message shows them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import secrets_of
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r5
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

KEY = "0123456789abcdef0123456789ABCDEF"
HEX = f"hex:{KEY * 2}"


def signed(value: Any, model: Model | None = None) -> Model:
    found = model or r5()
    for name in found.groups["lvs_directors"]:
        found.hostvars[name]["lvs_vrrp"] = {"auth_hmac": value, "addresses": ["10.0.0.29/24"]}
    return found


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"key": KEY}, [f"key 1 {KEY}", "active_key 1", "mode enforce"]),
        ({"key": HEX, "id": 7, "mode": "receive-only"}, [f"key 7 {HEX}", "active_key 7", "mode receive-only"]),
        ({"key": "x" * 64, "id": "255"}, [f"key 255 {'x' * 64}", "active_key 255", "mode enforce"]),
    ],
)
def test_what_keepalived_is_told(value: dict[str, Any], lines: list[str]) -> None:
    model = signed(value)
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    text = rendered(plan)
    block = text[text.index("    auth_hmac {") :].partition("}")[0].splitlines()
    assert [line.strip() for line in block[1:]] == [*lines, ""]
    assert "authentication {" not in text
    # What a diff must not show: that of this file, and that of one from before.
    assert value["key"] in plan["secrets"]
    assert value["key"] in secrets_of(text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (KEY, "auth_hmac: must be a mapping"),
        (HEX, "auth_hmac: must be a mapping"),
        ({}, "auth_hmac.key: is missing"),
        ({"key": KEY[:-1]}, "auth_hmac.key: has 31 bytes; write 32 to 64 letters and digits"),
        ({"key": KEY * 2 + "x"}, "auth_hmac.key: has 65 bytes"),
        ({"key": f"hex:{KEY}"}, "auth_hmac.key: has 16 bytes"),
        ({"key": f"hex:{KEY * 2}0"}, "auth_hmac.key: begins with hex:, and no pairs"),
        ({"key": f"file:/etc/keepalived/{KEY}"}, "auth_hmac.key: is no plain text"),
        ({"key": f"{KEY} x"}, "auth_hmac.key: is no plain text"),
        ({"key": f"{KEY}#"}, "auth_hmac.key: is no plain text"),
        ({"key": f"{KEY}\n"}, "auth_hmac.key: is no plain text"),
        ({"key": 5}, "auth_hmac.key: is no plain text"),
        ({"key": KEY, "id": 0}, "auth_hmac.id: 0 is out of range; use 1 to 255"),
        ({"key": KEY, "mode": "none"}, "auth_hmac.mode: 'none' is not known"),
        ({"key": KEY, "window": 3}, "auth_hmac.window: is not a known key"),
    ],
)
def test_what_is_refused(value: Any, said: str) -> None:
    lines = [line.replace(" (lb1, lb2)", "") for line in signed(value).mistakes()]
    assert any(said in line for line in lines), lines
    assert not [line for line in lines if KEY in line]


def test_it_replaces_the_password() -> None:
    model = signed({"key": KEY})
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_vrrp"]["auth_pass"] = "s3cret"  # noqa: S105, it opens nothing
    assert any("auth_pass (lb1, lb2): stands beside auth_hmac" in line for line in model.mistakes())


def test_directors_have_the_same_key_and_may_differ_in_mode() -> None:
    model = signed({"key": KEY})
    model.hostvars["lb2"]["lvs_vrrp"]["auth_hmac"] = {"key": KEY, "mode": "permissive"}
    assert model.mistakes() == []
    model.hostvars["lb2"]["lvs_vrrp"]["auth_hmac"] = {"key": KEY.lower() + "x"}
    (line,) = model.mistakes()
    assert "lvs_vrrp.auth_hmac: has not the key of" in line


def test_it_goes_with_ipv6() -> None:
    model = dr_pair()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_vrrp"] = {"auth_hmac": {"key": KEY}}
    assert model.mistakes() == []
    assert f"key 1 {KEY}" in rendered(model.plan("lb1", "keepalived"))


def test_a_password_that_can_be_read_is_worth_a_note() -> None:
    (note,) = (each for each in r5().plan("lb1", "keepalived")["notes"] if "auth_pass" in each)
    assert "can read it, and become master by it" in note
    assert "s3cret" not in note
    assert not [each for each in signed({"key": KEY}).plan("lb1", "keepalived").get("notes", []) if "auth" in each]
