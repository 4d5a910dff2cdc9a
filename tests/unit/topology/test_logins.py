# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks that log in: command lines, the files beside them, and what is wrong with what is written."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._look import packages
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r5
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

SECRET = 's3cret; #"x'  # noqa: S105, it opens nothing


def asked(check: Any, model: Model | None = None) -> Model:
    found = model or r5()
    for director in found.groups["lvs_directors"]:
        for service in found.hostvars[director]["lvs_services"]:
            service["health_check"] = copy.deepcopy(check)
    return found


@pytest.mark.parametrize(
    ("check", "command", "content"),
    [
        (
            {"type": "mysql", "login": "lvs", "password": SECRET, "database": "shop", "port": 3307},
            "/usr/lib/nagios/plugins/check_mysql -H 10.0.0.51 -P 3307 --extra-opts=check@",
            f"[check]\nusername=lvs\npassword={SECRET}\ndatabase=shop\n",
        ),
        (
            {"type": "ldap", "base": "dc=example, dc=com", "timeout": 7},
            "/usr/lib/nagios/plugins/check_ldap -H 10.0.0.51 -p 80 -t 7 --extra-opts=check@",
            "[check]\nver3=\nbase=dc=example, dc=com\n",
        ),
        (
            {"type": "redis", "password": "abc"},
            "/usr/lib/nagios/plugins/check_tcp -H 10.0.0.51 -p 80 -t 3 --extra-opts=check@",
            "[check]\nescape=\nsend=AUTH abc\\r\\nPING\\r\\n\nexpect=+OK\n",
        ),
        (
            {"type": "imap", "login": "lvs@example.com", "password": SECRET},
            "/usr/bin/curl --silent --output /dev/null --max-time 3 --config ",
            'user = "lvs@example.com:s3cret; #\\"x"\n',
        ),
        ({"type": "ftp", "address": "10.0.0.9"}, "/usr/bin/curl --silent --output /dev/null --list-only ", ""),
    ],
)
def test_commands_and_files(check: dict[str, Any], command: str, content: str) -> None:
    model = asked(check)
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    (file,) = plan["credentials"]
    assert file["content"] == content
    text = rendered(plan)
    commands = re.findall(r'misc_path "(.*)"', text)
    assert len(commands) == 2
    assert commands[0].startswith(command)
    assert all(f"/etc/keepalived/lvs_checks/{file['name']}" in each for each in commands)
    # What everybody on the director reads has no password.
    assert check.get("password", SECRET) not in text
    assert plan["keepalived"]["global_defs"]["script_user"] == "keepalived_script"
    assert command.split(maxsplit=1)[0] in plan["commands"]
    # The exit status of plugins is no weight.
    assert "misc_dynamic" not in text


def test_ipv6_stands_in_brackets_where_a_url_needs_it() -> None:
    model = asked({"type": "imap", "login": "a", "password": "b", "port": 143}, dr_pair())
    assert "imap://[fd00::161]:143/" in rendered(model.plan("lb1", "keepalived"))


def test_a_file_keeps_its_name_while_the_password_changes() -> None:
    plans = [
        asked({"type": "mysql", "login": "lvs", "password": password}).plan("lb1", "keepalived")
        for password in ("one", "two")
    ]
    names = [each["credentials"][0]["name"] for each in plans]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"type": "mysql"}, "health_check.login: is missing; a check of type mysql needs it"),
        ({"type": "ldap", "login": "cn=x"}, "health_check.base: is missing"),
        ({"type": "ldap", "base": "x", "password": "y"}, "health_check.password: has no login to go with"),
        ({"type": "redis", "password": "hid den"}, "health_check.password: holds a space, which the program"),
        ({"type": "mysql", "login": "a", "password": "hidden\n"}, "health_check.password: is no text of one line"),
        # YAML reads 0123 as 83.
        ({"type": "mysql", "login": "a", "password": 83}, "health_check.password: is no text of one line"),
        ({"type": "mysql", "login": 10**5000}, "health_check.login: is no text of one line"),
        # curl would log in as hid, with den:x for a password.
        ({"type": "imap", "login": "hid:den", "password": "x"}, "health_check.login: holds :, which the program that"),
        ({"type": "tcp", "login": "a"}, "health_check.login: has no meaning with type: tcp"),
        ({"type": "mysql", "login": "a", "fwmark": 3}, "health_check.fwmark: has no meaning with type: mysql"),
        ({"type": "mysql", "login": "a", "timeout": 0.5}, "health_check.timeout: 0.5 is no whole number"),
    ],
)
def test_mistakes(check: dict[str, Any], said: str) -> None:
    lines = asked(check).mistakes()
    assert [line for line in lines if said in line], lines
    assert not [line for line in lines if "hid" in line]


def test_every_program_has_a_package() -> None:
    assert {each.program for each in LOGINS.values() if each.is_plugin} <= set(packages._PACKAGES)
